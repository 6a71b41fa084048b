// A list of work: rows to open and to choose, by hand, by touch and by keys. The rows come as HTML of ours; one is drawn
// anew only when it says something else, so that focus stays where it is. Timers in them tick by behaviour.js.
// Single keys are for nobody who types, and can be turned off: speech control would press them by accident.

const OFF = "ws-keys-off";
const TYPES = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true], [role=combobox], [role=listbox] *";
const KEYS = [
  ["j", "next row"], ["k", "row above"], ["Enter", "open it"], ["x", "choose it"],
  ["e", "erase: asks first"], ["/", "search"], ["?", "these keys"],
];
let here = null; // the list that is on the page: keys go to it

function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

function frame(root) {
  const all = make("input", { type: "checkbox", id: "ws-work-all" });
  const says = make("label", { htmlFor: "ws-work-all", className: "ws-work-count" });
  const keys = make("details", { className: "ws-keys" },
    make("summary", { textContent: "Keys" }),
    make("ul", {}, ...KEYS.map(([key, does]) => make("li", {}, make("kbd", { textContent: key }), ` ${does}`))));
  const off = make("input", { type: "checkbox", id: "ws-keys-on", checked: !isOff() });
  off.onchange = () => (off.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1"));
  keys.append(make("label", { htmlFor: "ws-keys-on" }, off, " Keys are on in this browser"));
  root.replaceChildren(make("div", { className: "ws-work-top" }, make("span", { className: "ws-work-all" }, all, says), keys),
    make("ol", { className: "ws-work-rows" }));
}

function isOff() {
  try { return Boolean(localStorage.getItem(OFF)); } catch { return false; }
}

function fill(item, row) {
  item.wsShape = row.shape;
  item.className = "ws-work-row";
  item.dataset.wsId = row.id;
  const pick = make("input", { type: "checkbox", value: row.id });
  pick.setAttribute("aria-label", `Choose ${row.name}`);
  const open = make("button", { type: "button", className: "ws-work-open", textContent: row.name });
  const timer = make("span", { className: "ws-work-timer" });
  const cells = make("span", { className: "ws-work-cells" });
  timer.innerHTML = row.timer;
  cells.innerHTML = row.cells;
  item.replaceChildren(make("span", { className: "ws-work-pick" }, pick), timer, make("span", { className: "ws-work-name" }, open), cells);
}

function draw(list, rows) {
  const known = new Map([...list.children].map((item) => [item.dataset.wsId, item]));
  rows.forEach((row, nth) => {
    const item = known.get(row.id) ?? make("li");
    const focused = item.contains(document.activeElement) ? document.activeElement.className : null;
    if (item.wsShape !== row.shape) fill(item, row);
    if (list.children[nth] !== item) list.insertBefore(item, list.children[nth] ?? null);
    if (focused !== null && !item.contains(document.activeElement)) item.querySelector(".ws-work-open").focus();
  });
  while (list.children.length > rows.length) list.lastChild.remove();
}

const picks = (root) => [...root.querySelectorAll(".ws-work-pick input")];
const chosen = (root) => picks(root).filter((pick) => pick.checked).map((pick) => pick.value);

function count(root) {
  const number = chosen(root).length, all = root.querySelector("#ws-work-all");
  all.checked = number > 0 && number === picks(root).length;
  all.indeterminate = number > 0 && !all.checked;
  const says = number ? `${number} chosen` : "Choose all on this page";
  const label = root.querySelector(".ws-work-count");
  if (label.textContent !== says) label.textContent = says;
  for (const item of root.querySelectorAll(".ws-work-row")) item.classList.toggle("ws-work-chosen", item.querySelector("input").checked);
}

// Keys. What is in focus is the row that they are about; without one, the row that is open.

const rowOf = (node) => node?.closest?.(".ws-work-row");
const current = () => rowOf(document.activeElement) ?? here.root.querySelector(".ws-work-now");

function step(by) {
  const rows = [...here.root.querySelectorAll(".ws-work-row")], at = rows.indexOf(current());
  const to = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
  to?.querySelector(".ws-work-open").focus();
}

const DOES = {
  j: () => step(1),
  k: () => step(-1),
  x: () => current()?.querySelector(".ws-work-pick input").click(),
  e: () => current() && here.trigger("erase", current().dataset.wsId),
  "/": () => document.querySelector(here.search)?.focus(),
  "?": () => {
    const keys = here.root.querySelector(".ws-keys");
    keys.open = !keys.open;
    keys.querySelector("summary").focus();
  },
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat && event.key === "e") return;
  if (!here?.root.isConnected || !here.root.offsetParent || isOff()) return;
  if (event.target.closest?.(TYPES) || document.querySelector('[role="dialog"], [role="listbox"]')) return;
  const does = DOES[event.key];
  if (!does) return;
  event.preventDefault();
  does();
}

if (!window.workshotKeys) {
  window.workshotKeys = true;
  document.addEventListener("keydown", (event) => window.workshotKey?.(event));
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".ws-work");
  if (!root.firstChild) frame(root);
  window.workshotKey = onKey;
  here = { root, search: data.search, trigger: setTriggerValue };
  draw(root.querySelector(".ws-work-rows"), data.rows);
  for (const item of root.querySelectorAll(".ws-work-row")) {
    const isOpen = item.dataset.wsId === data.open;
    item.classList.toggle("ws-work-now", isOpen);
    const open = item.querySelector(".ws-work-open");
    if (isOpen) open.setAttribute("aria-current", "true");
    else open.removeAttribute("aria-current");
  }
  if (root.wsLook !== data.look) for (const pick of picks(root)) pick.checked = false;
  root.wsLook = data.look;
  count(root);
  const send = () => {
    count(root);
    setStateValue("chosen", chosen(root));
  };
  root.onchange = (event) => {
    if (event.target.id === "ws-work-all") for (const pick of picks(root)) pick.checked = event.target.checked;
    if (event.target.id !== "ws-keys-on") send();
  };
  root.onclick = (event) => {
    const row = rowOf(event.target);
    if (row && !event.target.closest(".ws-work-pick") && !getSelection().toString()) setTriggerValue("opened", row.dataset.wsId);
  };
  return () => {
    if (here?.root === root) here = null;
  };
}
