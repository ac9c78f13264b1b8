// Small helpers to make elements. No element is ever made from a string of HTML.

// An element: el("button", {class: "main", onclick: go, ariaLabel: "Go"}, "Go", icon("play")).
// Properties that begin with "on" are listeners; the others are set where the element knows them, else as attributes.
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else if (name === "data") Object.assign(made.dataset, value);
    else if (name === "style") for (const [key, each] of Object.entries(value)) made.style.setProperty(key, each);
    else if (name in made && name !== "list" && name !== "form" && name !== "role") made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

// An element of SVG, by attributes.
export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// Icons of 24 by 24, drawn as lines.
const ICONS = {
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01",
  words: "M4 6h16M4 12h10M4 18h7M17 15l4 4m0-4-4 4",
  breed: "M12 3v6M12 9c0 4-6 3-6 8M12 9c0 4 6 3 6 8M6 20h.01M18 20h.01M12 3h.01",
  draw: "M4 20c4-1 3-6 7-6M11 14l8-10 2 2-9 9zM3 21h9",
  grow: "M12 21v-9M12 14c-5 0-7-3-7-7 4 0 7 2 7 7zM12 11c0-4 2-6 7-6 0 4-2 7-7 7",
  wall: "M4 4h7v7H4zM13 4h7v4h-7zM13 10h7v10h-7zM4 13h7v7H4z",
  undo: "M9 6 4 11l5 5M4 11h9a6 6 0 0 1 6 6v1",
  redo: "m15 6 5 5-5 5M20 11h-9a6 6 0 0 0-6 6v1",
  theme: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  help: "M9 9a3 3 0 1 1 4 3c-1 .5-1 1-1 2M12 17.5h.01",
  play: "M8 5v14l11-7z",
  pause: "M8 5v14M16 5v14",
  stop: "M6 6h12v12H6z",
  save: "M12 4v11m0 0-4-4m4 4 4-4M5 20h14",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  hand: "M5 4l6 15 2-6 6-2z",
  brush: "M4 20c3 0 5-1 5-4a3 3 0 0 1 3-2l8-9-2-2-9 8a3 3 0 0 1-2 3c-3 0-3 3-3 6z",
  erase: "M8 20h12M4 15l9-10 7 6-8 9H8z",
  frame: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v6M14 11v6",
  lock: "M6 11h12v9H6zM8 11V8a4 4 0 0 1 8 0v3",
  front: "M4 9h11v11H4zM9 9V4h11v11h-5",
  heat: "M12 3c1 4 5 5 5 10a5 5 0 0 1-10 0c0-2 1-3 2-4 0 2 1 3 2 3 1-3 0-6 1-9z",
  compare: "M12 3v18M4 6h8v12H4zM12 6h8v12",
  camera: "M4 8h4l2-3h4l2 3h4v11H4zM12 10a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7",
  open: "M4 7h6l2 3h8v9H4z",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  star: "m12 4 2.5 5.2 5.5.8-4 4 1 5.6-5-2.700-5 2.700 1-5.600-4-4 5.500-.8z",
  close: "M6 6l12 12M18 6 6 18",
  back: "M15 5l-7 7 7 7",
  forward: "m9 5 7 7-7 7",
  zoom: "M10.500 4a6.500 6.500 0 1 1 0 13 6.500 6.500 0 0 1 0-13M15.500 15.500 20 20M10.500 7.500v6M7.500 10.500h6",
  tree: "M12 4v4M12 8H6v4M12 8h6v4M4 12h4v4H4zM16 12h4v4h-4zM10 4h4",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  check: "m5 12 5 5 9-10",
};

export function icon(name) {
  return svg("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, svg("path", { d: ICONS[name] ?? "" }));
}

// A button with an icon and a word; with `quiet` the word is for screen readers and the tooltip only.
export function button(name, word, onclick, { quiet = false, ...more } = {}) {
  const label = quiet ? [] : [el("span", {}, word)];
  return el("button", { type: "button", onclick, title: quiet ? word : null, ariaLabel: quiet ? word : null, ...more }, icon(name), ...label);
}

// A labelled slider: {element, value}. `show` gives the text of a value; `onchange` is told when the user has let go.
export function slider(word, { min, max, step = 1, value, show = String, onchange = () => {}, oninput = () => {} }) {
  const shown = el("output", {}, show(value));
  const input = el("input", { type: "range", min, max, step, value, oninput: () => { shown.textContent = show(+input.value); oninput(+input.value); }, onchange: () => onchange(+input.value) });
  const element = el("label", { class: "slider" }, el("span", {}, word), shown, input);
  return { element, input, get value() { return +input.value; }, set value(to) { input.value = to; shown.textContent = show(+input.value); } };
}

// A labelled choice: {element, value}. `options` is a list of [value, word].
export function choice(word, options, value, onchange = () => {}) {
  const select = el("select", { onchange: () => onchange(select.value) }, options.map(([each, text]) => el("option", { value: each }, text)));
  select.value = value;
  return { element: el("label", { class: "choice" }, el("span", {}, word), select), input: select, get value() { return select.value; }, set value(to) { select.value = to; } };
}

// A row of buttons of which one is pressed: {element, value}. `options` is a list of [value, word, icon].
export function segments(word, options, value, onchange = () => {}) {
  const buttons = options.map(([each, text, name]) => button(name, text, () => { set(each); onchange(each); }, { quiet: true, data: { value: each } }));
  const element = el("div", { class: "segments", role: "group", ariaLabel: word }, buttons);
  let now = value;
  function set(to) {
    now = to;
    for (const each of buttons) each.setAttribute("aria-pressed", String(each.dataset.value === to));
  }
  set(value);
  return { element, buttons, get value() { return now; }, set value(to) { set(to); } };
}

// A dialog with a heading; resolves when it is closed.
export function dialog(heading, ...children) {
  const box = el("dialog", { ariaLabel: heading, onclick: (event) => { if (event.target === box) box.close(); } },
    el("div", { class: "box" }, el("header", {}, el("h2", {}, heading), button("close", "Close", () => box.close(), { quiet: true, class: "plain" })), ...children));
  document.body.append(box);
  box.showModal();
  const closed = new Promise((resolve) => box.addEventListener("close", () => { box.remove(); resolve(); }));
  return { box, closed };
}

// ``0:07``, ``2:30``, ``1:02:03``.
export function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

// Elements and attributes that a drawing of ours may have: what comes from the server is held to them once more.
const ELEMENTS = new Set(["svg", "g", "rect", "circle", "ellipse", "line", "polygon", "polyline", "path", "mask", "image"]);
const FORBIDDEN = /^(on|style$|xlink:)/i;

// The SVG in a text as an element of this document, with nothing in it that could act; null where it is none.
export function parseDrawing(text) {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
  const root = parsed.documentElement;
  if (root.localName !== "svg" || parsed.querySelector("parsererror")) return null;
  for (const each of [root, ...root.querySelectorAll("*")]) {
    if (!ELEMENTS.has(each.localName)) { each.remove(); continue; }
    for (const { name, value } of [...each.attributes]) {
      if (FORBIDDEN.test(name) || (name === "href" && !value.startsWith("data:image/png;base64,"))) each.removeAttribute(name);
    }
  }
  return document.importNode(root, true);
}

// The shapes of a drawing in paint order, without its background.
export function shapesOf(root) {
  const found = [...root.querySelectorAll("rect, circle, ellipse, line, polygon, polyline, path")].filter((each) => !each.closest("mask"));
  const first = found[0];
  const background = first?.localName === "rect" && first.parentNode.localName === "svg" && !first.hasAttribute("x") && !first.hasAttribute("transform") && !first.hasAttribute("fill-opacity");
  return background ? found.slice(1) : found;
}
