// What our plain HTML does in the browser: clocks tick, the compare slider moves, codes are copied and saved, and
// changes are said politely. One script for the whole page, listening at the document, so that pages may redraw freely.
// The sentences are those of core/ui/widgets/wording.py: change both.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const SECONDS_BELOW = 5 * 60;
const OVERDUE_AFTER = 15 * 60;
const DUE_SOON_BELOW = 12 * 3600;
const DAYS_FROM = 72 * 3600;
const ICONS = { counting: "clock", due: "clock", broken: "alert" };
const TIMER_ICONS = { ...ICONS, due: "hourglass" };
const LATEST = 60000; // ms; no answer is longer on its way: what differs by more is a clock that was set
let heard = null; // the instant that the server told last
let nearest = null; // the server's clock minus this browser's, in ms, by the answer that came with the least delay
let skew = 0; // the same, or nothing where the two agree
let spoken = "";

function two(first, firstUnit, second, secondUnit) {
  return second ? `${first} ${firstUnit} ${second} ${secondUnit}` : `${first} ${firstUnit}`;
}

export function length(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const days = Math.floor(s / 86400), hours = Math.floor(s / 3600) % 24, minutes = Math.floor(s / 60) % 60;
  if (days) return two(days, "d", hours, "h");
  if (hours) return two(hours, "h", minutes, "min");
  if (s >= SECONDS_BELOW) return `${minutes} min`;
  return minutes ? two(minutes, "min", s % 60, "s") : `${s} s`;
}

export function ago(seconds) {
  const minutes = Math.max(0, Math.floor(seconds / 60));
  return minutes ? `${length(60 * minutes)} ago` : "just now";
}

function instant(at, now) {
  const year = at.getFullYear() === now.getFullYear() ? "" : ` ${at.getFullYear()}`;
  const clock = [at.getHours(), at.getMinutes()].map((n) => String(n).padStart(2, "0")).join(":");
  return `${at.getDate()} ${MONTHS[at.getMonth()]}${year}, ${clock}`;
}

export function exactly(seconds) {
  const s = Math.max(0, Math.floor(seconds)), long = s >= DAYS_FROM;
  const parts = long ? [[Math.floor(s / 86400), "d"]] : [];
  parts.push([long ? Math.floor(s / 3600) % 24 : Math.floor(s / 3600), "h"], [Math.floor(s / 60) % 60, "m"], [s % 60, "s"]);
  while (parts.length > 1 && !parts[0][0]) parts.shift();
  return parts.map(([n, unit], nth) => `${nth ? String(n).padStart(2, "0") : n} ${unit}`).join(" ");
}

function inUtc(at, now, here) {
  const year = at.getUTCFullYear() === now.getUTCFullYear() ? "" : ` ${at.getUTCFullYear()}`;
  const day = `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}${year}, `;
  return `${here.startsWith(day) ? "" : day}${at.toISOString().slice(11, 16)} UTC`;
}

function timer(at, now, note) {
  const left = (at - now) / 1000;
  const here = instant(at, now);
  const when = note ? ` · due ${here} ${note}, ${inUtc(at, now, here)}` : "";
  if (left < 0) return [`overdue by ${exactly(-left)}`, `breached${when}`, "broken"];
  const soon = left <= DUE_SOON_BELOW;
  return [`${exactly(left)} left`, `${soon ? "due soon" : "on track"}${when}`, soon ? "due" : "counting"];
}

export function said(kind, at, now, note) {
  if (kind === "timer") return timer(at, now, note);
  const left = (at - now) / 1000;
  if (kind === "undo") {
    if (left > 0) return [`${length(left)} left to take it back`, "nothing is erased yet", "due"];
    return ["Beginning", "it takes a moment", "due"];
  }
  const when = instant(at, now) + (note ? ` ${note}` : "");
  if (left > 0) return [`${length(left)} left`, `${kind === "erase" ? "erased" : "due"} ${when}`, "counting"];
  if (kind === "erase" && -left < OVERDUE_AFTER) return ["Being erased", `due ${when}`, "due"];
  return [`${length(-left)} overdue`, `due ${when}`, "broken"];
}

function write(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

function tick() {
  const now = new Date(Date.now() + skew);
  for (const clock of document.querySelectorAll("time[data-ws-clock]")) {
    // The server speaks of the reader's zone only if it knew it; this browser always does.
    const note = clock.dataset.wsNote ? "(your time)" : "";
    const [strong, rest, state] = said(clock.dataset.wsClock, new Date(clock.dateTime), now, note);
    write(clock.querySelector("strong"), strong);
    write(clock.querySelector("strong + span"), rest);
    if (clock.dataset.wsState !== state) {
      clock.dataset.wsState = state;
      clock.className = `ws-clock ws-${state}`;
      const icon = clock.querySelector(".ws-icon");
      if (icon) icon.className = `ws-icon ws-icon-${(clock.dataset.wsClock === "timer" ? TIMER_ICONS : ICONS)[state]}`;
    }
  }
  for (const past of document.querySelectorAll("time[data-ws-ago]")) write(past, ago((now - new Date(past.dateTime)) / 1000));
  // A picture that is not there any more leaves its calm place, not a broken icon.
  for (const img of document.querySelectorAll(".ws-photo img, .ws-option-frame img")) {
    img.parentElement.classList.toggle("ws-missing", img.complete && img.naturalWidth === 0);
  }
  sync();
  const saying = document.querySelector("[data-ws-say]");
  if (saying && saying.dataset.wsSay !== spoken) say((spoken = saying.dataset.wsSay));
}

// A live region that no rerun replaces: those inside the page are redrawn, and then often not read out.
function say(text) {
  let region = document.getElementById("ws-live");
  if (!region) {
    region = document.createElement("div");
    region.id = "ws-live";
    region.className = "ws-unseen";
    region.setAttribute("role", "status");
    region.setAttribute("aria-live", "polite");
    document.body.append(region);
  }
  region.textContent = text;
}

// Dialogs live outside the app's own element, and are told here which theme it wears. The phone's menu gets its name.
function sync() {
  const app = document.querySelector(".stApp");
  const scheme = app && getComputedStyle(app).colorScheme;
  if (scheme && document.documentElement.style.colorScheme !== scheme) document.documentElement.style.colorScheme = scheme;
  document.querySelector('[data-testid="stExpandSidebarButton"]')?.setAttribute("aria-label", "Menu");
}

function slide(input) {
  const share = Number(input.value);
  input.closest(".ws-compare").style.setProperty("--at", `${share}%`);
  input.setAttribute("aria-valuetext", `${share} % before, ${100 - share} % after`);
}

function select(node) {
  const range = document.createRange();
  range.selectNodeContents(node);
  const selection = window.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}

// Without https the clipboard is closed to pages; the old command still works on a field that holds the text.
function copyTheOldWay(text, button) {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "ws-unseen";
  button.after(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  return copied;
}

async function copy(button) {
  const text = button.dataset.wsCopy;
  let copied = false;
  try {
    await navigator.clipboard.writeText(text);
    copied = true;
  } catch {
    copied = copyTheOldWay(text, button);
  }
  if (!copied) select(button.closest(".ws-claim").querySelector("[data-ws-code]"));
  answer(button, copied ? "Copied" : "Selected: press Ctrl+C", copied ? "Code copied." : "The code is selected. Press Control and C.");
}

function save(button) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${button.dataset.wsSave}\n`], { type: "text/plain" }));
  link.download = button.dataset.wsName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  answer(button, "Saved", "Code saved as a file.");
}

function answer(button, word, sentence) {
  const label = button.querySelector("span:last-child");
  button.dataset.wsLabel ||= label.textContent;
  write(label, word);
  say(sentence);
  setTimeout(() => write(label, button.dataset.wsLabel), 4000);
}

// A chart as a picture: Plotly's own button makes it, in this browser. What the page says around the chart, its title
// and how it was counted, is in the picture for that moment, and not drawn here.
function picture(button) {
  const chart = button.closest('[class*="st-key-ws-chart-"]')?.querySelector(".js-plotly-plot");
  const camera = chart?.querySelector(".modebar-btn");
  if (!camera) return;
  const { title, margin, annotations } = chart.layout;
  const { l, r, t, b } = chart._fullLayout._size;
  const line = { xref: "paper", x: 0, xanchor: "left", showarrow: false, align: "left" };
  chart.layout.title = { text: button.dataset.wsTitle, x: 0, xref: "paper", y: 1, yref: "container", yanchor: "top", pad: { t: 20 }, font: { size: 18 } };
  chart.layout.margin = { l: l + 24, r: r + 24, t: t + 56, b: b + 56 };
  chart.layout.annotations = [...(annotations || []), { ...line, yref: "paper", y: 0, yanchor: "top", yshift: -b - 12, text: button.dataset.wsFoot, font: { size: 12 } }];
  camera.click(); // reads the layout at once
  Object.assign(chart.layout, { title, margin, annotations });
  answer(button, "Saved", "The chart is saved as a picture.");
}

function listen() {
  document.addEventListener("input", (event) => {
    if (event.target.matches?.("input[data-ws-compare]")) slide(event.target);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-ws-copy], button[data-ws-save], button[data-ws-title], button[data-ws-print]");
    if (button?.dataset.wsCopy) copy(button);
    else if (button?.dataset.wsSave) save(button);
    else if (button?.dataset.wsPrint) window.print();
    else if (button) picture(button);
  });
  setInterval(tick, 1000);
}

if (!window.workshotListens) {
  window.workshotListens = true;
  listen();
}

// Streamlit takes a page's styles away for a moment as it turns to the next one; a link of our own stays.
function keepLooks(href) {
  if (!href || document.getElementById("ws-looks")) return;
  document.head.append(Object.assign(document.createElement("link"), { id: "ws-looks", rel: "stylesheet", href }));
}

// What was on its way for long makes the server's clock look slow, never fast; and it is told again, as old as it is
// by then, whenever the page is drawn anew, as when the connection breaks off.
function hear(now) {
  if (now === undefined || now === null || now === heard) return;
  heard = now;
  const off = now - Date.now();
  if (nearest === null || off > nearest || nearest - off > LATEST) nearest = off;
  skew = Math.abs(nearest) > 3000 ? nearest : 0; // a little lateness is the network, not a wrong clock
}

export default function ({ data }) {
  keepLooks(data?.looks);
  hear(data?.now);
  tick();
}
