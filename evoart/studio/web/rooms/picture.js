// The room Picture: a photograph becomes shapes; they are watched while they grow, steered by a brush, and edited.

import { button, choice, dialog, el, parseDrawing, segments, shapesOf, slider, svg } from "../dom.js";
import { Progress } from "../progress.js";
import { saveDialog } from "../saving.js";

export const icon = "picture";

const KINDS = [
  ["triangle", "Triangles"], ["mixed", "Mixed shapes"], ["ellipse", "Ellipses"], ["rotated-ellipse", "Turned ellipses"], ["circle", "Circles"],
  ["rectangle", "Rectangles"], ["rotated-rectangle", "Turned rectangles"], ["line", "Straight strokes"], ["quadratic", "Curved strokes"],
  ["cubic", "Winding strokes"], ["polygon:5", "Five corners"], ["regular:6", "Hexagons"],
];
const TOOLS = [
  ["look", "Look, and compare with the photograph (V)", "compare"], ["select", "Choose a shape (S)", "hand"],
  ["matter", "Brush: here it matters (B)", "brush"], ["leave", "Brush: leave this out (E)", "erase"],
  ["frame", "Rectangle to work on again (R)", "frame"],
];
const KEYS = { v: "look", s: "select", b: "matter", e: "leave", r: "frame" };
// Numbers of shapes that the slider stops at: its steps are ratios.
const NUMBERS = [5, 10, 15, 20, 30, 40, 50, 70, 100, 150, 200, 300, 400, 500, 700, 1000, 1500, 2000];

export function mount(root, studio) {
  const progress = new Progress();
  let view = { step: null }, chosen = [], tool = "look", strokes = [], area = null, heat = null, shownStep;

  // -- the empty room ------------------------------------------------------------------------------------------------
  const file = el("input", { type: "file", accept: "image/*", hidden: true, ariaLabel: "Photograph", onchange: () => { open(file.files[0]); file.value = ""; } });
  const camera = navigator.mediaDevices?.getUserMedia ? button("camera", "Take one", takePhotograph) : null;
  const before = el("div", { class: "before" }, el("img", { src: "/web/chelsea.jpg", alt: "A photograph of a cat", width: 451, height: 300 }), el("img", { src: "/web/cat.svg", alt: "The same cat in 150 triangles", class: "after", width: 451, height: 300 }));
  const empty = el("div", { class: "empty" }, el("div", { class: "invite" },
    el("div", { class: "words" },
      el("h2", {}, "A photograph becomes a few dozen shapes"),
      el("p", {}, "Drop one anywhere on this page, or paste it. You can watch it grow, brush over what matters, and change every shape."),
      el("div", { class: "buttons" }, button("open", "Choose a photograph", () => file.click(), { class: "main" }), camera, button("picture", "Try the cat", () => studio.post("open", { bundled: true }))),
      el("p", { class: "small" }, "It stays on this machine. Files that evoart drew can be opened too.")),
    before));

  // -- the stage -----------------------------------------------------------------------------------------------------
  const photograph = el("img", { class: "photograph", alt: "The photograph" });
  const drawing = el("div", { class: "drawing" });
  const errors = el("img", { class: "errors", alt: "Where the drawing is wrong: the brighter, the more", hidden: true });
  const veil = el("canvas", { class: "veil", "aria-hidden": "true" });
  const marks = svg("svg", { class: "marks", "aria-hidden": "true" });
  const seam = el("input", { type: "range", class: "seam", min: 0, max: 100, value: 0, ariaLabel: "Compare: how much of the photograph is shown", title: "Compare with the photograph", oninput: () => sheet.style.setProperty("--seam", `${seam.value}%`) });
  const sheet = el("div", { class: "sheet", tabIndex: 0, role: "application", ariaLabel: "The picture" }, drawing, photograph, errors, veil, marks);
  const tools = segments("Tools", TOOLS, tool, setTool);
  const size = slider("Brush", { min: 2, max: 30, value: 8, show: (n) => `${n} %` });
  const bar = el("div", { class: "toolbar" }, tools.element, el("label", { class: "compare" }, seam));
  const stage = el("div", { class: "stage" }, sheet, bar);

  // -- the panel -----------------------------------------------------------------------------------------------------
  const title = el("h2", { class: "title" });
  const number = slider("Shapes", { min: 0, max: NUMBERS.length - 1, value: 8, show: (i) => String(NUMBERS[i]) });
  const kind = choice("Kind", KINDS, "triangle");
  const palette = choice("Colours", [["", "Any"], ["2", "2 of the photograph"], ["4", "4 of the photograph"], ["8", "8 of the photograph"], ["16", "16 of the photograph"], ["32", "32 of the photograph"]], "");
  const background = choice("Background", [["mean", "Mean colour"], ["transparent", "Transparent"], ["#ffffff", "White"], ["#000000", "Black"]], "mean");
  const opacity = choice("Opacity", [["0.1-1", "From faint to solid"], ["0.5", "Half, all of them"], ["0.2-0.6", "Translucent"], ["1", "Solid, all of them"]], "0.1-1");
  const quality = choice("Work", [["draft", "A draft"], ["normal", "Normal"], ["best", "The best"]], "normal");
  const draw = button("play", "Draw", start, { class: "main" });
  const settings = el("div", { class: "settings" }, number.element, kind.element, palette.element, background.element, opacity.element, quality.element);
  const setup = el("section", {}, settings, draw);
  const again = el("details", {}, el("summary", {}, "Draw again"), el("div", {}));

  const figure = el("p", { class: "figure" });
  const cards = {
    result: el("section", {}, figure,
      el("div", { class: "buttons" }, button("plus", "More shapes", () => evolve({ more: step() })), button("minus", "Fewer", () => edit([`keep ${Math.max(1, shapes().length - step())}`]))),
      button("play", "Improve all", () => evolve({}), { class: "main" }),
      el("div", { class: "buttons" }, button("heat", "Error map", showErrors, { "aria-pressed": "false" }), button("save", "Save", save), button("copy", "Command", command))),
    selected: el("section", { class: "selected" }),
    brush: el("section", {}, size.element, el("p", { class: "quiet" }, "What glows counts more, what is dark does not count. Then draw, or improve."), button("undo", "Clear the brush", () => studio.post("brush", { strokes: [] }))),
    frame: el("section", {}, el("p", { class: "quiet" }, "Draw a rectangle over what should be better. The rest stays as it is."), button("play", "Work on this again", () => evolve({ area }), { class: "main" }), button("close", "No rectangle", () => setArea(null))),
  };
  const panel = el("aside", { class: "panel", ariaLabel: "Controls" },
    el("section", {}, el("div", { class: "heading" }, title, button("open", "Another photograph", () => studio.go(null), { quiet: true, class: "plain" }))),
    progress.element, cards.selected, cards.brush, cards.frame, cards.result, setup, again);
  root.append(empty, stage, panel, file);

  // -- photographs in ------------------------------------------------------------------------------------------------
  async function open(chosenFile) {
    if (!chosenFile) return;
    root.classList.add("waiting");
    const kept = await studio.upload(chosenFile);
    root.classList.remove("waiting");
    if (kept) await studio.post("open", kept);
  }

  for (const name of ["dragenter", "dragover"]) addEventListener(name, (event) => {
    if (root.hidden || ![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    root.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) root.classList.remove("dropping"); });
  addEventListener("drop", (event) => {
    root.classList.remove("dropping");
    if (root.hidden || !event.dataTransfer.files.length) return;
    event.preventDefault();
    open(event.dataTransfer.files[0]);
  });
  addEventListener("paste", (event) => { if (!root.hidden && event.clipboardData.files.length) open(event.clipboardData.files[0]); });

  async function takePhotograph() {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
    } catch {
      studio.complain("The camera cannot be used", "Allow it in the browser, or choose a file");
      return;
    }
    const video = el("video", { autoplay: true, muted: true, playsInline: true, class: "camera", srcObject: stream });
    const { box, closed } = dialog("Take a photograph", video, button("camera", "Take it", () => {
      const canvas = el("canvas", { width: video.videoWidth, height: video.videoHeight });
      canvas.getContext("2d").drawImage(video, 0, 0);
      canvas.toBlob((blob) => { box.close(); open(new File([blob], "photograph.png")); });
    }, { class: "main" }));
    await closed;
    for (const track of stream.getTracks()) track.stop();
  }

  // -- what is asked for ---------------------------------------------------------------------------------------------
  const wishes = () => ({ shapes: NUMBERS[number.value], kind: kind.value, palette: palette.value || null, background: background.value, opacity: opacity.value, quality: quality.value });
  function start() { return studio.post("draw", wishes()); }
  function evolve(more) { return studio.post("evolve", { quality: quality.value, ...more }); }
  function edit(edits) { return studio.post("edit", { edits }); }
  function shapes() { return shapesOf(drawing); }
  function step() { return Math.max(1, Math.round(shapes().length * 0.25)); }
  function save() { return saveDialog(studio, view.step.pictures[0], { film: true }); }
  async function command() {
    const told = await studio.shared("command", { picture: view.step.pictures[0] });
    if (told) studio.showCommand(told.command);
  }

  // -- showing -------------------------------------------------------------------------------------------------------
  const busy = () => studio.run.state !== "idle" && studio.run.room === "picture";

  async function room(now) {
    view = now;
    const state = view.step?.state ?? {}, id = view.step?.id;
    const photo = state.photograph;
    empty.hidden = Boolean(photo);
    stage.hidden = panel.hidden = !photo;
    if (!photo) { drawing.replaceChildren(); shownStep = undefined; return; }
    title.textContent = photo.title;
    const address = studio.photograph(photo.name);
    if (!photograph.src.endsWith(address)) photograph.src = address;
    sheet.style.setProperty("--ratio", photo.width / photo.height);
    strokes = state.strokes ?? [];
    paintVeil();
    const picture = view.step.pictures[0];
    if (id !== shownStep && !busy()) {
      shownStep = id;
      choose([]);
      hideErrors();
      if (picture) {
        const text = await fetch(studio.picture(picture)).then((answer) => (answer.ok ? answer.text() : ""), () => "");
        if (id !== view.step?.id) return;
        put(text);
      } else drawing.replaceChildren();
      // With the drawing, never before it: a figure next to the picture of another step would be wrong.
      const likeness = state.figures?.[0]?.psnr;
      figure.replaceChildren(...(likeness ? [el("b", {}, likeness.toFixed(1)), el("span", { class: "quiet" }, `dB likeness · ${state.labels?.[0] ?? ""}`)] : []));
    }
    arrange();
  }

  function put(text) {
    const made = parseDrawing(text);
    if (!made) return;
    made.removeAttribute("width");
    made.removeAttribute("height");
    made.setAttribute("aria-label", `The drawing, ${shapesOf(made).length} shapes`);
    drawing.replaceChildren(made);
    drawMarks();
  }

  // A change that takes a moment, such as an edit, does not make the panel flicker.
  let since = 0;
  function arrange() {
    panel.inert = studio.run.state === "running" && busy() && performance.now() - since < 400;
    const on = busy() && !panel.inert, has = Boolean(view.step?.pictures.length), paused = on && studio.run.state === "paused";
    progress.element.hidden = !on;
    stage.classList.toggle("bare", !has && !drawing.firstChild);
    cards.result.hidden = on || !has;
    cards.selected.hidden = on || !chosen.length;
    cards.brush.hidden = on || (tool !== "matter" && tool !== "leave");
    cards.frame.hidden = on || tool !== "frame" || !has;
    setup.hidden = on || has;
    again.hidden = on || !has;
    (has ? again.lastChild : setup).append(settings, draw);
    for (const each of tools.buttons) each.disabled = (on && !paused && each.dataset.value !== "look") || (!has && (each.dataset.value === "select" || each.dataset.value === "frame"));
    seam.disabled = !on && !has;
    veil.hidden = on || (tool !== "matter" && tool !== "leave");
  }

  let formerly = "idle";
  function run() {
    progress.status(studio);
    if (busy() && formerly === "idle") { since = performance.now(); setTimeout(arrange, 420); }
    formerly = busy() ? studio.run.state : "idle";
    if (!busy()) shownStep === view.step?.id || room(view);
    arrange();
  }

  // -- tools ---------------------------------------------------------------------------------------------------------
  function setTool(to) {
    tool = to;
    tools.value = to;
    sheet.dataset.tool = to;
    if (to !== "select") choose([]);
    if (to !== "frame") setArea(null);
    paintVeil();
    arrange();
  }
  sheet.dataset.tool = tool;

  const place = (event) => {
    const box = sheet.getBoundingClientRect();
    return [Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)), Math.min(1, Math.max(0, (event.clientY - box.top) / box.height))];
  };
  let stroke = null, corner = null;
  sheet.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const at = place(event);
    if (tool === "look") { if (!seam.disabled) { sheet.setPointerCapture(event.pointerId); slide(at); } }
    else if (tool === "select") {
      const all = shapes(), under = document.elementsFromPoint(event.clientX, event.clientY).find((each) => all.includes(each));
      const index = under ? all.indexOf(under) : -1;
      choose(index < 0 ? [] : event.shiftKey ? (chosen.includes(index) ? chosen.filter((each) => each !== index) : [...chosen, index]) : [index]);
    } else if (tool === "frame") { sheet.setPointerCapture(event.pointerId); corner = at; }
    else { sheet.setPointerCapture(event.pointerId); stroke = { value: tool === "matter" ? 1 : 0, radius: (size.value / 200) * pressure(event), points: [at] }; paintVeil(); }
  });
  sheet.addEventListener("pointermove", (event) => {
    if (!sheet.hasPointerCapture(event.pointerId)) return;
    const at = place(event);
    if (tool === "look") slide(at);
    else if (corner) setArea([Math.min(at[0], corner[0]), Math.min(at[1], corner[1]), Math.max(at[0], corner[0]), Math.max(at[1], corner[1])]);
    else if (stroke) { stroke.points.push(at); paintVeil(); }
  });
  const lift = () => {
    corner = null;
    if (!stroke) return;
    const made = { ...stroke, points: thin(stroke.points) };
    strokes = [...strokes, made];
    stroke = null;
    studio.post("brush", { strokes });
  };
  sheet.addEventListener("pointerup", lift);
  sheet.addEventListener("pointercancel", lift);
  const pressure = (event) => (event.pointerType === "pen" && event.pressure ? 0.4 + 1.2 * event.pressure : 1);
  const slide = ([x]) => { seam.value = 100 * x; sheet.style.setProperty("--seam", `${100 * x}%`); };

  // Weights as a veil: what matters glows, what is left out is dark. The server paints the same strokes.
  function paintVeil() {
    const box = sheet.getBoundingClientRect(), context = veil.getContext("2d");
    veil.width = box.width;
    veil.height = box.height;
    for (const each of stroke ? [...strokes, stroke] : strokes) {
      context.strokeStyle = context.fillStyle = each.value ? "rgb(255 214 80)" : "rgb(12 12 24)";
      context.lineWidth = 2 * each.radius * Math.max(box.width, box.height);
      context.lineCap = context.lineJoin = "round";
      context.beginPath();
      for (const [x, y] of each.points) context.lineTo(x * box.width, y * box.height);
      if (each.points.length === 1) context.lineTo(each.points[0][0] * box.width + 0.1, each.points[0][1] * box.height);
      context.stroke();
    }
  }
  new ResizeObserver(() => { paintVeil(); arrange(); }).observe(sheet);

  function setArea(to) {
    area = to && to[2] - to[0] > 0.01 && to[3] - to[1] > 0.01 ? to : null;
    drawMarks();
    cards.frame.querySelector(".main").disabled = !area;
  }

  function choose(indices) {
    chosen = indices.filter((each) => each < shapes().length);
    drawMarks();
    const locked = view.step?.state.locked ?? [], all = shapes(), ids = chosen.map((each) => each + 1).join(",");
    const colour = chosen.length ? hexOf(all[chosen[0]]) : "#000000";
    const isLocked = chosen.length > 0 && chosen.every((each) => locked.includes(each + 1));
    cards.selected.replaceChildren(...(chosen.length ? [
      el("h2", {}, chosen.length === 1 ? `Shape ${ids} of ${all.length}` : `${chosen.length} shapes`),
      el("div", { class: "buttons" },
        button("trash", "Remove", () => edit([`remove ${ids}`])),
        button("front", "To the front", () => edit([`front ${ids}`])),
        button("lock", isLocked ? "Unlock" : "Lock", () => studio.post("lock", { shapes: chosen.map((each) => each + 1), on: !isLocked }), { "aria-pressed": String(isLocked) })),
      el("label", { class: "check" }, el("input", { type: "color", value: colour, onchange: (event) => edit([`colour ${ids} ${event.target.value}`]) }), "Colour"),
      el("p", { class: "quiet" }, "A locked shape stays as it is when the others improve."),
    ] : []));
    arrange();
  }

  const hexOf = (shape) => {
    const text = shape.getAttribute("fill") ?? shape.getAttribute("stroke") ?? "#000";
    return text.length === 4 ? `#${[...text.slice(1)].map((c) => c + c).join("")}` : text;
  };

  function drawMarks() {
    const source = drawing.querySelector("svg");
    marks.replaceChildren();
    if (!source) return;
    marks.setAttribute("viewBox", source.getAttribute("viewBox"));
    marks.setAttribute("preserveAspectRatio", "none");
    const all = shapes(), [, , w, h] = source.getAttribute("viewBox").split(" ").map(Number);
    const outline = (index, name) => {
      const copy = all[index].cloneNode();
      for (const each of ["fill", "stroke", "fill-opacity", "stroke-opacity"]) copy.removeAttribute(each);
      copy.setAttribute("class", name);
      marks.append(copy);
    };
    if (tool === "select") for (const each of view.step?.state.locked ?? []) if (all[each - 1]) outline(each - 1, "locked");
    for (const each of chosen) if (all[each]) outline(each, "chosen");
    if (area) marks.append(svg("rect", { x: area[0] * w, y: area[1] * h, width: (area[2] - area[0]) * w, height: (area[3] - area[1]) * h, class: "area" }));
  }

  async function showErrors() {
    const pressed = cards.result.querySelector("[aria-pressed]");
    if (heat) { hideErrors(); return; }
    const told = await studio.post("errors");
    if (!told) return;
    heat = told.url;
    errors.src = heat;
    errors.hidden = false;
    pressed.setAttribute("aria-pressed", "true");
  }
  function hideErrors() {
    heat = null;
    errors.hidden = true;
    cards.result.querySelector("[aria-pressed]").setAttribute("aria-pressed", "false");
  }

  // -- keys ----------------------------------------------------------------------------------------------------------
  function key(event) {
    if (KEYS[event.key] && !stage.hidden) {
      const wanted = tools.buttons.find((each) => each.dataset.value === KEYS[event.key]);
      if (!wanted.disabled) setTool(KEYS[event.key]);
    } else if (event.key === "Escape") { choose([]); setArea(null); }
    else if (tool === "select" && ["ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown"].includes(event.key) && shapes().length) {
      const count = shapes().length, by = event.key === "ArrowRight" || event.key === "ArrowUp" ? 1 : -1;
      choose([((chosen.at(-1) ?? (by > 0 ? -1 : count)) + by + count) % count]);
      event.preventDefault();
    } else if (chosen.length && (event.key === "Delete" || event.key === "Backspace")) edit([`remove ${chosen.map((each) => each + 1).join(",")}`]);
    else if (chosen.length && event.key === "f") edit([`front ${chosen.map((each) => each + 1).join(",")}`]);
    else if (tool === "frame" && event.key.startsWith("Arrow")) {
      // The rectangle by keys: arrows move it, with Shift they change its size.
      const [x0, y0, x1, y1] = area ?? [0.3, 0.3, 0.7, 0.7], by = 0.05;
      const dx = { ArrowRight: by, ArrowLeft: -by }[event.key] ?? 0, dy = { ArrowDown: by, ArrowUp: -by }[event.key] ?? 0;
      const inside = (value) => Math.min(1, Math.max(0, value));
      setArea(event.shiftKey ? [x0, y0, inside(Math.max(x0 + by, x1 + dx)), inside(Math.max(y0 + by, y1 + dy))] : [inside(x0 + dx), inside(y0 + dy), inside(x1 + dx), inside(y1 + dy)]);
      event.preventDefault();
    } else if (event.key === "m" && !cards.result.hidden) showErrors();
    else if (event.key === " " && busy()) { event.preventDefault(); progress.toggle(studio); }
  }

  return {
    room, run, key,
    progress: (data) => { if (busy()) progress.update(data, studio.run); },
    picture: (index, text) => { if (busy()) { shownStep = undefined; put(text); arrange(); } },
    keys: [["V, S, B, E, R", "look, choose, brush, leave out, rectangle"], ["← →", "next shape; move the rectangle, with Shift its size"], ["Delete, F", "remove the shape, bring it to the front"], ["M", "where it is wrong"], ["Space", "pause, go on"]],
  };
}

// The points of a stroke that say where it went: those closer than a hundredth to the one before are left out.
function thin(points) {
  const kept = [points[0]];
  for (const point of points) {
    const [x, y] = kept.at(-1);
    if (Math.hypot(point[0] - x, point[1] - y) > 0.01) kept.push(point);
  }
  return kept.map(([x, y]) => [+x.toFixed(4), +y.toFixed(4)]);
}
