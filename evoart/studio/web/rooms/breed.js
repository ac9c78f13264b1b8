// The room Breed: pictures of which one chooses, and their children; back and forward, a tree of all generations.

import { Closeup } from "../closeup.js";
import { button, choice, dialog, el, icon as iconOf, segments, slider, svg } from "../dom.js";
import { Tiles, decode, prefersShaders } from "../tiles.js";

export const icon = "breed";

// A first generation: name on the server, word, what it is.
const KINDS = [
  ["graph", "Evolved graphs", "Nodes and links, each with a function of its own"], ["mirror", "Mirrored graphs", "The same, left like right"],
  ["kaleidoscope", "Kaleidoscopes", "Six wedges"], ["layers", "Layers", "Networks of three layers"], ["faces", "Faces", "A network that learned to draw them: children are more like those you pick"], ["sketch", "Kanji", "Strokes of invented characters"], ["things", "Things", "Strokes of stars, cups, trees"],
];
const FORMATS = [["png", "PNG, for a print"], ["svg", "SVG"], ["page", "A page that zooms without end"], ["shader", "A fragment shader, GLSL"], ["animated-webp", "A film that is a loop, WebP"], ["gif", "A film that is a loop, GIF"], ["network", "The network itself, SVG"], ["json", "The recipe"]];
const NETWORKS_ONLY = new Set(["page", "shader", "animated-webp", "gif", "network"]);
const SIZES = [1024, 2048, 4096, 8192, 16384];
const GAP = 10;
// The slider runs over ratios; its middle keeps the family likeness.
const SCALES = [0.06, 0.12, 0.22, 0.38, 0.6, 1, 1.6, 2.7, 5];
const WORDS = ["tiny", "small", "small", "smaller", "medium", "larger", "large", "big", "wild"];

export function mount(root, studio) {
  const tiles = new Tiles(prefersShaders());
  let view = { step: null }, shown = null, made = null, picked = new Set(), wanted = 0, pending = false;

  // -- the empty room ------------------------------------------------------------------------------------------------
  const taste = el("canvas", { class: "taste", role: "img", ariaLabel: "Six pictures that networks drew", width: 780, height: 520 });
  const empty = el("div", { class: "empty" }, el("div", { class: "invite" },
    el("div", { class: "words" },
      el("h2", {}, "Choose the pictures you like, and see their children"),
      el("p", {}, "A small network paints each of these. Pick one or more, press Evolve, and pick again: after ten rounds they are yours. They can be printed at any size."),
      el("div", { class: "buttons" }, button("breed", "Begin", () => start("graph"), { class: "main" }), button("plus", "Other kinds", chooseKind), button("open", "A picture I made", choosePicture)),
      el("p", { class: "small" }, "Shapes and strokes from the other rooms can be bred too.")),
    taste));
  async function drawTaste() {
    if (taste.dataset.drawn) return;
    taste.dataset.drawn = "now";
    const told = await studio.post("taste");
    if (!told) return;
    const context = taste.getContext("2d");
    (await Promise.all(told.images.map(decode))).forEach((image, k) => context.drawImage(image, 6 + (k % 3) * 260, 6 + Math.floor(k / 3) * 260, 248, 248));
    taste.classList.add("drawn");
  }

  // -- the stage -----------------------------------------------------------------------------------------------------
  const grid = el("div", { class: "tiles", role: "group", ariaLabel: "Pictures" });
  const stage = el("div", { class: "stage" }, tiles.canvas, grid);

  // -- the panel -----------------------------------------------------------------------------------------------------
  const evolve = button("breed", "Evolve", breed, { class: "main" });
  const scale = slider("Mutation", { min: 0, max: SCALES.length - 1, value: 4, show: (k) => WORDS[k] });
  const focus = segments("What changes", [["all", "All", "breed"], ["colour", "Colour only", "theme"], ["structure", "Structure only", "heat"]], "all");
  for (const [k, word] of ["All", "Colour", "Structure"].entries()) { focus.buttons[k].replaceChildren(word); focus.buttons[k].removeAttribute("aria-label"); focus.buttons[k].removeAttribute("title"); }
  const told = el("p", { class: "quiet", role: "status" });
  const back = button("back", "Back", () => studio.undo(), { title: "Back to the parents ([)" });
  const forward = button("forward", "Forward", () => studio.redo(), { title: "Forward (])" });
  const panel = el("aside", { class: "panel", ariaLabel: "Controls" },
    el("section", {}, el("h2", {}, "Breed"), told),
    el("section", { class: "go" }, evolve, scale.element, el("div", { class: "labelled" }, el("span", { class: "quiet", id: "focus-word" }, "What changes"), focus.element)),
    el("section", {}, el("div", { class: "buttons" }, back, forward), el("div", { class: "buttons" }, button("tree", "Tree", showTree), button("plus", "Start over", chooseKind))),
    el("section", {}, el("p", { class: "quiet small" }, "Tap a picture to pick it. Look at it closely with the magnifier, keep it with the star.")));
  focus.element.setAttribute("aria-labelledby", "focus-word");
  root.append(empty, stage, panel);

  // -- layout: as large as they fit ------------------------------------------------------------------------------------
  function room_() {
    const box = stage.getBoundingClientRect(), edge = matchMedia("(max-width: 760px)").matches ? 10 : 20;
    return [Math.max(60, box.width - 2 * edge), Math.max(60, box.height - 2 * edge)];
  }
  function fit(count, aspect) {
    const [w, h] = room_();
    let best = { side: 0, columns: 1 };
    for (let columns = 1; columns <= count; columns += 1) {
      const rows = Math.ceil(count / columns);
      const side = Math.min((w - (columns - 1) * GAP) / columns / Math.min(1, aspect), (h - (rows - 1) * GAP) / rows / Math.min(1, 1 / aspect));
      if (side > best.side) best = { side, columns };
    }
    return best;
  }
  // 12 to 30: what the stage has room for at a size at which one can still choose.
  function number() {
    const box = root.getBoundingClientRect(), phone = matchMedia("(max-width: 760px)").matches;
    const [w, h] = stage.hidden ? [box.width - (phone ? 20 : 360), phone ? box.width * 1.3 : box.height - 40] : room_();
    const side = phone ? 118 : 178;
    return Math.max(12, Math.min(30, Math.floor((w + GAP) / side) * Math.floor((h + GAP) / side)));
  }
  const PIXELS = [128, 192, 256, 320, 384, 512];
  function pixels(count) {
    const need = fit(count, made?.aspect ?? 1).side * Math.min(window.devicePixelRatio || 1, 2);
    return stage.hidden ? 256 : PIXELS.find((side) => side >= need * 0.85) ?? 512;
  }

  function layout() {
    if (!made || stage.hidden) return;
    const { side, columns } = fit(made.tiles.length, made.aspect);
    const w = Math.floor(side * Math.min(1, made.aspect)), h = Math.floor(side * Math.min(1, 1 / made.aspect));
    grid.style.setProperty("grid-template-columns", `repeat(${columns}, ${w}px)`);
    grid.style.setProperty("grid-auto-rows", `${h}px`);
    grid.dataset.columns = columns;
    const corner = stage.getBoundingClientRect();
    const boxes = [...grid.children].map((each) => {
      const box = each.getBoundingClientRect();
      return [box.left - corner.left, box.top - corner.top, box.width, box.height];
    });
    tiles.show(made.tiles, boxes);
  }
  new ResizeObserver(layout).observe(stage);

  // -- asking the server -----------------------------------------------------------------------------------------------
  const wishes = (n) => ({ shaders: tiles.shaders, side: pixels(n), n });
  async function ask(command, data) {
    if (pending) return null;
    pending = true;
    root.classList.add("waiting");
    arrange();
    const answer = await studio.post(command, data);
    pending = false;
    root.classList.remove("waiting");
    if (answer) await put(answer);
    else arrange();
    return answer;
  }
  async function start(kind) { await ask("start", { kind, ...wishes(number()) }); grid.querySelector(".pick")?.focus(); }
  async function breed() {
    if (!picked.size) return;
    const focused = grid.contains(document.activeElement), from = made.id;
    await ask("children", { id: from, picks: [...picked], scale: SCALES[scale.value], vary: focus.value, ...wishes(Math.max(12, number() - picked.size)) });
    if (focused) grid.querySelector(".pick")?.focus();
  }

  async function put(answer) {
    wanted = answer.id;
    const images = await Promise.all(answer.tiles.map((tile) => (tile.image ? decode(tile.image) : null)));
    if (answer.id !== wanted) return; // the room went elsewhere meanwhile
    made = { ...answer, tiles: answer.tiles.map((tile, k) => ({ ...tile, image: images[k] })) };
    shown = answer.id;
    // The parents stay chosen: who presses Evolve again gets other children of the same.
    picked = new Set();
    const only = made.tiles.length === 1;
    grid.replaceChildren(...made.tiles.map(tileOf));
    grid.classList.toggle("alone", only);
    if (only) pick(made.tiles[0].number, true);
    for (const each of [empty, stage, panel]) each.hidden = each === empty;
    layout();
    arrange();
    root.dataset.shown = String(answer.id);
  }

  function tileOf(tile) {
    const name = tile.parent ? `Parent, picture ${tile.number}` : `Picture ${tile.number}${tile.of.length ? `, child of parent ${tile.of.join(" and ")}` : ""}`;
    const choose = el("button", { type: "button", class: "pick", ariaLabel: name, "aria-pressed": "false", data: { number: tile.number }, onclick: () => pick(tile.number) });
    return el("div", { class: `tile${tile.parent ? " parent" : ""}`, data: { number: tile.number } }, choose, el("span", { class: "mark", "aria-hidden": "true" }, iconOf("check")),
      tile.parent ? el("span", { class: "tag", "aria-hidden": "true" }, "parent") : null,
      el("div", { class: "corner" }, button("zoom", `Look at picture ${tile.number}`, () => look(tile.number), { quiet: true, tabIndex: -1 }), button("star", `Keep picture ${tile.number}`, () => favour(tile.number), { quiet: true, tabIndex: -1, class: "star" })));
  }

  function pick(number, on = !picked.has(number)) {
    if (on) picked.add(number);
    else picked.delete(number);
    const tile = grid.querySelector(`.tile[data-number="${number}"]`);
    tile.classList.toggle("picked", on);
    tile.querySelector(".pick").setAttribute("aria-pressed", String(on));
    arrange();
  }

  async function favour(number) {
    const kept = await studio.post("favour", { id: made.id, number });
    if (!kept) return;
    grid.querySelector(`.tile[data-number="${number}"]`)?.classList.add("kept");
    studio.say(`Picture ${number} is on the wall.`);
  }

  function arrange() {
    const count = picked.size;
    evolve.disabled = pending || !count;
    evolve.lastChild.textContent = pending ? "Evolving" : count > 1 ? `Evolve ${count} together` : "Evolve";
    back.disabled = pending || (view.step?.parent ?? null) === null;
    forward.disabled = pending || !view.redo;
    told.textContent = view.step ? `${view.step.label[0].toUpperCase()}${view.step.label.slice(1)}. ${count ? `${count} picked.` : "Pick what you like."}` : "";
  }

  // -- where the room stands -------------------------------------------------------------------------------------------
  async function room(now) {
    view = now;
    const id = view.step?.id ?? null;
    for (const each of [empty, stage, panel]) each.hidden = (each === empty) === (id !== null);
    if (id === null) { made = shown = null; wanted = 0; delete root.dataset.shown; if (!root.hidden) drawTaste(); return; }
    arrange();
    if (id === shown || id === wanted || pending || root.hidden) return;
    wanted = id;
    const answer = await studio.post("generation", { id, ...wishes(15) });
    if (answer && wanted === id) await put(answer);
  }

  // -- dialogs -----------------------------------------------------------------------------------------------------------
  function chooseKind() {
    const { box } = dialog("Begin with", el("div", { class: "kinds" }, KINDS.map(([name, word, what]) => el("button", { type: "button", onclick: () => { box.close(); start(name); } }, el("b", {}, word), el("small", {}, what)))), button("open", "A picture I made", () => { box.close(); choosePicture(); }));
  }
  async function choosePicture() {
    const answer = await studio.post("choices");
    if (!answer) return;
    const pictures = answer.pictures.map(({ picture, label }) => el("button", { type: "button", class: "thumb", onclick: () => { box.close(); ask("open", { picture, ...wishes(1) }); } }, el("img", { src: studio.thumb(picture), alt: label, loading: "lazy" })));
    const { box } = dialog("Choose a parent", pictures.length ? el("div", { class: "thumbs" }, pictures) : el("p", { class: "quiet" }, "There is none yet. Draw one in another room, or keep one here with its star."));
  }

  async function showTree() {
    const answer = await studio.post("tree");
    if (!answer) return;
    const steps = answer.steps.filter((step) => !step.favourite), of = new Map(steps.map((step) => [step.id, []]));
    const first = [];
    for (const step of steps) (of.get(step.parent) ?? first).push(step);
    const W = 92, H = 108, places = new Map();
    let row = 0, deepest = 0;
    // Generations run to the right; each first child stays on its parent's line, the others go below.
    const stack = first.toReversed().map((step) => [step, 0, true]);
    while (stack.length) {
      const [step, depth, fresh] = stack.pop();
      if (fresh && places.size) row += 1;
      places.set(step.id, [depth * W, row * H]);
      deepest = Math.max(deepest, depth);
      of.get(step.id).toReversed().forEach((child, k, all) => stack.push([child, depth + 1, k < all.length - 1]));
    }
    const width = deepest * W + 76, height = row * H + 96;
    const lines = svg("svg", { width, height, "aria-hidden": "true" });
    for (const step of steps) if (places.has(step.parent)) {
      const [x, y] = places.get(step.id), [u, v] = places.get(step.parent);
      lines.append(svg("path", { d: `M${u + 72} ${v + 36}C${u + 84} ${v + 36} ${x - 12} ${y + 36} ${x} ${y + 36}` }));
    }
    const nodes = steps.map((step, k) => el("button", { type: "button", class: "node", ariaLabel: `Generation ${k + 1}: ${step.label}`, "aria-current": step.id === view.step?.id ? "true" : null, style: { left: `${places.get(step.id)[0]}px`, top: `${places.get(step.id)[1]}px` }, onclick: () => { box.close(); studio.go(step.id); } },
      step.ready ? el("img", { src: studio.thumb(step.picture), alt: "" }) : el("span", {}, "…"), el("small", {}, String(k + 1))));
    const tree = el("div", { class: "tree", tabIndex: 0, role: "group", ariaLabel: "Generations" }, el("div", { class: "field", style: { width: `${width}px`, height: `${height}px` } }, lines, nodes));
    const { box } = dialog("Where they come from", tree);
    box.classList.add("wide");
    const here = nodes.find((node) => node.hasAttribute("aria-current"));
    here?.scrollIntoView({ block: "center", inline: "center" });
    here?.focus();
  }

  // -- one picture -------------------------------------------------------------------------------------------------------
  async function look(number) {
    const from = made.id;
    let answer = await studio.post("look", { id: from, number });
    if (!answer) return;
    const closeup = new Closeup();
    const before = document.activeElement;
    const chosen = button("check", "Pick", () => { pick(number); mark(); });
    const mark = () => { const on = picked.has(number); chosen.setAttribute("aria-pressed", String(on)); chosen.classList.toggle("main", on); chosen.lastChild.textContent = on ? "Picked" : "Pick"; };
    const bar = el("div", { class: "bar-of-tools" }, chosen, button("star", "Keep", () => favour(number)), button("save", "Save", () => save(from, number, answer.network)), button("link", "Link", copyLink), button("close", "Close", () => box.close(), { title: "Close (Esc)" }));
    const box = el("dialog", { class: "closeup", ariaLabel: `Picture ${number}: ${answer.label}` }, closeup.canvas, bar, el("p", { class: "hint quiet" }, answer.network ? "Scroll or pinch to zoom: there is no end to it" : "Scroll or pinch to zoom"));
    async function copyLink() {
      const address = `${location.origin}/#breed/${answer.link}`;
      try { await navigator.clipboard.writeText(address); studio.say("The link is copied: it holds the picture."); } catch { studio.say("The link is in the address bar."); }
    }
    box.addEventListener("keydown", (event) => { if (event.target !== closeup.canvas) closeup.key(event); });
    box.addEventListener("close", () => { box.remove(); studio.address(""); before?.focus?.(); });
    mark();
    document.body.append(box);
    box.showModal();
    studio.address(answer.link);
    if (!(await closeup.show(answer))) {
      answer = { ...answer, ...(await studio.post("look", { id: from, number, image: true })), shader: null };
      await closeup.show(answer);
    }
    closeup.canvas.focus();
    box.dataset.ready = "true";
  }

  function save(id, number, network) {
    const formats = FORMATS.filter(([name]) => (network ? name !== "svg" : !NETWORKS_ONLY.has(name)));
    const format = choice("As", formats, "png", arrangeSize), size = choice("Pixels on the long side", SIZES.map((side) => [String(side), side.toLocaleString("en")]), "2048");
    const go = button("save", "Save", async () => {
      go.disabled = true;
      go.lastChild.textContent = "Drawing";
      const file = await studio.post("save", { id, number, format: format.value, size: +size.value });
      if (file) { studio.save(file.url, file.name); box.close(); }
      go.disabled = false;
      go.lastChild.textContent = "Save";
    }, { class: "main" });
    function arrangeSize() { size.element.hidden = format.value !== "png"; }
    const { box } = dialog(`Save picture ${number}`, format.element, size.element, el("p", { class: "quiet" }, "The recipe is inside: evoart render draws it at any size, evoart cppn breed goes on from it."), go);
  }

  // -- keys --------------------------------------------------------------------------------------------------------------
  const keys = [["Arrows", "go from picture to picture"], ["Space", "pick"], ["E", "evolve"], ["[, ]", "back, forward"], ["Z", "look at a picture closely"], ["K", "keep it"], [", .", "smaller or larger mutations"], ["F", "focus: all, colour, structure"], ["T", "tree"], ["N", "begin anew"]];
  function key(event) {
    const letter = event.key.toLowerCase(), picks = [...grid.querySelectorAll(".pick")], at = picks.indexOf(document.activeElement);
    const number = at < 0 ? null : made.tiles[at].number, columns = +grid.dataset.columns || 1;
    const move = { arrowright: 1, arrowleft: -1, arrowdown: columns, arrowup: -columns }[letter];
    if (letter === "n") { event.preventDefault(); chooseKind(); return; }
    if (!made || stage.hidden) return;
    if (move && event.target.type !== "range") {
      event.preventDefault();
      picks[at < 0 ? 0 : Math.max(0, Math.min(picks.length - 1, at + move))]?.focus();
    } else if (letter === "e") breed();
    else if (letter === "[") back.click();
    else if (letter === "]") forward.click();
    else if (letter === "z" && number) look(number);
    else if (letter === "k" && number) favour(number);
    else if (letter === "t") showTree();
    else if (letter === ",") scale.value = Math.max(0, scale.value - 1);
    else if (letter === ".") scale.value = Math.min(SCALES.length - 1, scale.value + 1);
    else if (letter === "f") focus.buttons[(["all", "colour", "structure"].indexOf(focus.value) + 1) % 3].click();
  }

  async function address(link) {
    if (document.querySelector("dialog.closeup[open]") || link.length < 40) return;
    const opened = await ask("open", { link, ...wishes(1) });
    if (opened) look(opened.tiles[0].number);
  }

  return { room, key, keys, address, shown: () => { room(view); layout(); } };
}
