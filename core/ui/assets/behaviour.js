// What our plain HTML does in the browser: clocks tick, the compare slider moves, codes are copied and saved, and
// changes are said politely. One script for the whole page, listening at the document, so that pages may redraw freely.
// The sentences are those of core/ui/widgets/wording.py: change both. They stand here in English; what they are in the
// reader's language, the server tells with the page.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
let months = MONTHS;
let words = {}; // by the English sentence
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

function _(english, places = {}) {
  return (words[english] ?? english).replace(/\{(\w+)\}/g, (place, name) => places[name] ?? place);
}

function two(first, second, n, m) {
  return m ? `${_(first, { n })} ${_(second, { n: m })}` : _(first, { n });
}

export function length(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const days = Math.floor(s / 86400), hours = Math.floor(s / 3600) % 24, minutes = Math.floor(s / 60) % 60;
  if (days) return two("{n} d", "{n} h", days, hours);
  if (hours) return two("{n} h", "{n} min", hours, minutes);
  if (s >= SECONDS_BELOW) return _("{n} min", { n: minutes });
  return minutes ? two("{n} min", "{n} s", minutes, s % 60) : _("{n} s", { n: s });
}

export function ago(seconds) {
  const minutes = Math.max(0, Math.floor(seconds / 60));
  return minutes ? _("{length} ago", { length: length(60 * minutes) }) : _("just now");
}

function date(day, month, year, thisYear) {
  const places = { day, month: months[month], year };
  return year === thisYear ? _("{day} {month}", places) : _("{day} {month} {year}", places);
}

function instant(at, now) {
  const time = [at.getHours(), at.getMinutes()].map((n) => String(n).padStart(2, "0")).join(":");
  return _("{date}, {time}", { date: dateHere(at, now), time });
}

const dateHere = (at, now) => date(at.getDate(), at.getMonth(), at.getFullYear(), now.getFullYear());
const dateInUtc = (at, now) => date(at.getUTCDate(), at.getUTCMonth(), at.getUTCFullYear(), now.getUTCFullYear());

export function exactly(seconds) {
  const s = Math.max(0, Math.floor(seconds)), long = s >= DAYS_FROM;
  const parts = long ? [[Math.floor(s / 86400), "{n} d"]] : [];
  parts.push([long ? Math.floor(s / 3600) % 24 : Math.floor(s / 3600), "{n} h"], [Math.floor(s / 60) % 60, "{n} m"], [s % 60, "{n} s"]);
  while (parts.length > 1 && !parts[0][0]) parts.shift();
  return parts.map(([n, unit], nth) => _(unit, { n: nth ? String(n).padStart(2, "0") : n })).join(" ");
}

function inUtc(at, now) {
  const day = dateInUtc(at, now), time = at.toISOString().slice(11, 16);
  return day === dateHere(at, now) ? _("{time} UTC", { time }) : _("{date}, {time} UTC", { date: day, time });
}

function timer(at, now, note) {
  const left = (at - now) / 1000;
  const when = note ? ` · ${_("due {when}", { when: `${instant(at, now)} ${note}, ${inUtc(at, now)}` })}` : "";
  if (left < 0) return [_("overdue by {length}", { length: exactly(-left) }), `${_("breached")}${when}`, "broken"];
  const soon = left <= DUE_SOON_BELOW;
  return [_("{length} left", { length: exactly(left) }), `${soon ? _("due soon") : _("on track")}${when}`, soon ? "due" : "counting"];
}

export function said(kind, at, now, note) {
  if (kind === "timer") return timer(at, now, note);
  const left = (at - now) / 1000;
  if (kind === "undo") {
    if (left > 0) return [_("{length} left to take it back", { length: length(left) }), _("nothing is erased yet"), "due"];
    return [_("Beginning"), _("it takes a moment"), "due"];
  }
  const when = instant(at, now) + (note ? ` ${note}` : "");
  if (left > 0) return [_("{length} left", { length: length(left) }), kind === "erase" ? _("erased {when}", { when }) : _("due {when}", { when }), "counting"];
  if (kind === "erase" && -left < OVERDUE_AFTER) return [_("Being erased"), _("due {when}", { when }), "due"];
  return [_("{length} overdue", { length: length(-left) }), _("due {when}", { when }), "broken"];
}

function write(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

function tick() {
  const now = new Date(Date.now() + skew);
  for (const clock of document.querySelectorAll("time[data-ws-clock]")) {
    // The server speaks of the reader's zone only if it knew it; this browser always does.
    const note = clock.dataset.wsNote ? _("(your time)") : "";
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
  // What may be looked at for so long goes with its time, also where the server is not heard any more.
  for (const img of document.querySelectorAll("img[data-ws-until]")) {
    if (now < new Date(img.dataset.wsUntil)) continue;
    img.parentElement.classList.add("ws-missing");
    img.remove();
  }
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
  document.querySelector('[data-testid="stExpandSidebarButton"]')?.setAttribute("aria-label", _("Menu"));
}

function slide(input) {
  const share = Number(input.value);
  input.closest(".ws-compare").style.setProperty("--at", `${share}%`);
  input.setAttribute("aria-valuetext", _("{before} % before, {after} % after", { before: share, after: 100 - share }));
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
  if (copied) answer(button, _("Copied"), _("Code copied."));
  else answer(button, _("Selected: press Ctrl+C"), _("The code is selected. Press Control and C."));
}

function save(button) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${button.dataset.wsSave}\n`], { type: "text/plain" }));
  link.download = button.dataset.wsName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  answer(button, _("Saved"), button.dataset.wsSaid || _("Code saved as a file."));
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
  answer(button, _("Saved"), _("The chart is saved as a picture."));
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

// What the framework says by itself (its uploader, its camera, the cross of a dialog) is English: it is said again in the
// reader's language, wherever it was drawn anew. Only words change, never a node: React goes on with what it made.
const THEIRS = '[data-testid="stFileUploader"], [data-testid="stCameraInput"], [role="dialog"], [data-testid="stSkipToContent"]';
let theirs = []; // [pattern, English sentence]

function asPattern(english) {
  const plain = english.replace(/[.*+?^$()|[\]\\/]/g, "\\$&");
  return new RegExp(`^${plain.replace(/\{(\w+)\}/g, "(?<$1>.+?)")}$`);
}

function retold(text) {
  const plain = text.trim();
  if (!plain) return text;
  for (const [pattern, english] of theirs) {
    const found = pattern.exec(plain);
    if (found) return text.replace(plain, () => _(english, found.groups).replace(/(\d)([KMG]B)\b/, "$1\u00a0$2"));
  }
  return text;
}

function retell() {
  for (const part of document.querySelectorAll(THEIRS)) {
    const texts = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      const said = retold(node.data);
      if (said !== node.data) node.data = said;
    }
  }
  for (const part of document.querySelectorAll("[aria-label]")) {
    const name = part.getAttribute("aria-label");
    const said = name && retold(name);
    if (said && said !== name) part.setAttribute("aria-label", said);
  }
}

function retellWhatComes() {
  if (window.workshotRetells) return;
  window.workshotRetells = new MutationObserver(() => window.workshotRetell());
  window.workshotRetells.observe(document.body, { childList: true, characterData: true, subtree: true, attributeFilter: ["aria-label"] });
}

// Pages for operators are in English whatever the pages before them were.
function speak({ language, words: told, months: named, theirs: others }) {
  if (!language) return;
  document.documentElement.lang = language;
  words = told ?? {};
  months = named ?? MONTHS;
  theirs = (others ?? []).map((english) => [asPattern(english), english]);
  window.workshotRetell = retell;
  if (theirs.length) retellWhatComes();
  retell();
}

export default function ({ data }) {
  keepLooks(data?.looks);
  speak(data ?? {});
  hear(data?.now);
  tick();
}
