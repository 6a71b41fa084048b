// A radio group whose options are pictures, or cards to read. Native inputs: arrow keys, form semantics and screen readers come free.
// Redrawn only when the options change, so that focus and the picture under a finger stay where they are.

function option(group, item) {
  const label = document.createElement("label");
  label.className = "ws-option";
  const input = Object.assign(document.createElement("input"), { type: "radio", name: group, value: item.id });
  const frame = document.createElement("span");
  frame.className = "ws-option-frame";
  if (item.picture) frame.append(Object.assign(document.createElement("img"), { src: item.picture, alt: "" }));
  const title = Object.assign(document.createElement("span"), { className: "ws-option-title", textContent: item.title });
  label.append(input, frame, title);
  if (item.description) {
    const text = Object.assign(document.createElement("span"), { className: "ws-option-text", textContent: item.description });
    text.id = `${group}-${item.id}`;
    input.setAttribute("aria-describedby", text.id);
    label.append(text);
  }
  return label;
}

// The title alone names a card; what stands below describes it. All of it can be pressed (the style sheet sees to that).
function card(group, item) {
  const box = Object.assign(document.createElement("div"), { className: "ws-maker" });
  const label = Object.assign(document.createElement("label"), { className: "ws-maker-title" });
  const input = Object.assign(document.createElement("input"), { type: "radio", name: group, value: item.id });
  input.disabled = Boolean(item.closed);
  label.append(input, Object.assign(document.createElement("span"), { textContent: item.title }));
  const facts = Object.assign(document.createElement("dl"), { id: `${group}-${item.id}` });
  for (const [term, what] of item.facts) {
    const line = document.createElement("div");
    line.append(
      Object.assign(document.createElement("dt"), { textContent: term }),
      Object.assign(document.createElement("dd"), { textContent: what }),
    );
    facts.append(line);
  }
  input.setAttribute("aria-describedby", facts.id);
  box.append(label);
  if (item.closed) {
    box.classList.add("ws-maker-closed");
    const why = Object.assign(document.createElement("p"), { id: `${facts.id}-closed`, textContent: item.closed });
    input.setAttribute("aria-describedby", `${why.id} ${facts.id}`);
    box.append(why);
  }
  box.append(facts);
  return box;
}

function draw(root, key, data) {
  const set = document.createElement("fieldset");
  set.className = data.cards ? "ws-makers" : `ws-choice${data.compact ? " ws-choice-compact" : ""}`;
  if (data.ratio) set.style.setProperty("--ratio", data.ratio);
  const legend = Object.assign(document.createElement("legend"), { textContent: data.label });
  if (data.hidden) legend.className = "ws-unseen";
  const group = `ws-${key}`;
  const options = data.cards ? data.cards.map((item) => card(group, item)) : data.options.map((item) => option(group, item));
  set.append(legend, ...options);
  root.replaceChildren(set);
}

function check(root, value) {
  for (const input of root.querySelectorAll("input")) input.checked = input.value === value;
}

export default function ({ data, key, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".ws-choice-root");
  const shape = JSON.stringify([data.label, data.cards, data.options, data.compact, data.ratio]);
  if (root.wsShape !== shape) {
    draw(root, key, data);
    Object.assign(root, { wsShape: shape, wsSent: [], wsSeen: undefined });
  }
  root.onchange = (event) => {
    root.wsSent.push(event.target.value);
    setStateValue("value", event.target.value);
  };
  // What comes back is either an echo of a choice made here, perhaps already outrun by the next one, or news.
  const echo = root.wsSent.indexOf(data.value);
  if (echo >= 0) root.wsSent.splice(0, echo + 1);
  else if (root.wsSeen !== data.value) check(root, data.value);
  root.wsSeen = data.value;
}
