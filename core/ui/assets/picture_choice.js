// A radio group whose options are pictures. Native inputs: arrow keys, form semantics and screen readers come free.
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

function draw(root, key, data) {
  const set = document.createElement("fieldset");
  set.className = `ws-choice${data.compact ? " ws-choice-compact" : ""}`;
  set.style.setProperty("--ratio", data.ratio);
  const legend = Object.assign(document.createElement("legend"), { textContent: data.label });
  if (data.hidden) legend.className = "ws-unseen";
  set.append(legend, ...data.options.map((item) => option(`ws-${key}`, item)));
  root.replaceChildren(set);
}

function check(root, value) {
  for (const input of root.querySelectorAll("input")) input.checked = input.value === value;
}

export default function ({ data, key, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".ws-choice-root");
  const shape = JSON.stringify([data.label, data.options, data.compact, data.ratio]);
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
