// The room Draw: a person draws, and a sketch-rnn proposes what could come next, or takes turns.

import { button, choice, dialog, el, segments, slider, svg } from "../dom.js";

export const icon = "draw";

const SIDE = 1000; // of the page, in units of its SVG
const LINE = 12;
const FINEST = 0.0025; // of the page's side: points closer than this add nothing
const MODES = [["ideas", "Ideas"], ["turns", "Take turns"], ["alone", "Alone"]];

export function mount(root, studio) {
  const heard = new Set(), awaited = new Set();
  let strokes = [], proposals = [], keeping = 0, live = null, seed = 1, asked = 0, models = [], held = null, playing = 0;

  // -- the page --------------------------------------------------------------------------------------------------------
  const layers = { drawn: svg("g", { class: "drawn" }), ghosts: svg("g", { class: "ghosts" }), live: svg("g", { class: "drawn" }), pen: svg("g", { class: "pen", visibility: "hidden" }, svg("path", { d: "M-16 0H16M0-16V16" })) };
  const paper = svg("svg", { class: "paper", viewBox: `0 0 ${SIDE} ${SIDE}`, tabindex: "0", role: "application", "aria-label": "Paper. Draw with mouse, finger or pen; with keys: arrows move the pen, space sets it down and lifts it." }, layers.drawn, layers.ghosts, layers.live, layers.pen);
  const hint = el("p", { class: "hint" }, el("b", {}, "Draw a stroke."), " When you lift the pen, faint strokes show how it could go on. Tap one to take it.");
  const sheet = el("div", { class: "page" }, paper, hint);
  const stage = el("div", { class: "stage" }, sheet);

  // -- the panel -------------------------------------------------------------------------------------------------------
  const told = el("p", { class: "quiet", role: "status" });
  const mode = segments("Who draws", MODES.map(([name, word]) => [name, word, "draw"]), "ideas", () => { propose(); arrange(); });
  MODES.forEach(([, word], k) => { mode.buttons[k].replaceChildren(word); mode.buttons[k].removeAttribute("aria-label"); mode.buttons[k].removeAttribute("title"); });
  const ideas = el("div", { class: "ideas", role: "group", ariaLabel: "Proposals" });
  const letDraw = button("draw", "Let it draw one", () => machine(), { class: "main", title: "The model draws the next stroke (Enter)" });
  const more = button("plus", "Other ideas", () => { seed += 1; propose(); }, { title: "Other proposals (O)" });
  const count = slider("Proposals", { min: 1, max: 9, value: 5, onchange: propose });
  const temperature = slider("Temperature", { min: 0, max: 1.5, step: 0.05, value: 0.35, show: (t) => (t < 0.2 ? "careful" : t < 0.55 ? "natural" : t < 1 ? "free" : "wild"), onchange: propose });
  const whole = choice("A proposal is", [["", "one stroke"], ["whole", "all the rest"]], "", propose);
  const model = choice("Model", [["kanji", "kanji"]], "kanji", () => { setClasses(); studio.post("warm", { model: model.value }); propose(); });
  const kind = choice("Draw a", [["", "–"]], "", propose);
  const hold = button("check", "Keep this end", () => { held = strokes; clear(); studio.say("Now draw the other end."); arrange(); });
  const between = button("compare", "Show the way", showWalk, { class: "main" });
  const latent = el("details", {}, el("summary", {}, "Between two drawings"), el("div", {}, el("p", { class: "quiet small" }, "This model knows what lies between two drawings. Draw one, keep it, draw another."), el("div", { class: "buttons" }, hold, between)));
  const panel = el("aside", { class: "panel", ariaLabel: "Controls" },
    el("section", {}, el("h2", {}, "Draw together"), mode.element, told),
    el("section", { class: "proposed" }, ideas, el("div", { class: "buttons" }, letDraw, more)),
    el("section", {}, model.element, kind.element, temperature.element, count.element, whole.element),
    latent,
    el("section", {}, el("div", { class: "buttons" }, button("play", "Replay", replay, { title: "Watch it come about (R)" }), button("save", "Save", save)), button("plus", "New page", clear, { title: "An empty page (N)" })));
  root.append(stage, panel);

  const data = () => strokes.map(({ by, at }) => ({ by, at }));
  const chosenModel = () => models.find((each) => each.name === model.value) ?? { classes: [], words: [], latent: false };

  async function learn() {
    const answer = await studio.post("models");
    if (!answer) return;
    models = answer.models;
    const before = model.value;
    model.input.replaceChildren(...models.map((each) => el("option", { value: each.name }, each.title)));
    model.value = models.some((each) => each.name === before) ? before : "kanji";
    setClasses();
    arrange();
  }
  function setClasses() {
    const { classes, words } = chosenModel();
    kind.input.replaceChildren(...(words.length ? [["", "what I begin"]] : []).concat([...classes, ...words].map((name) => [name, name])).map(([value, name]) => el("option", { value }, name)));
    arrange();
  }

  // -- drawing ---------------------------------------------------------------------------------------------------------
  function pathOf(points) {
    const [[x, y], ...rest] = points;
    const n = (v) => (v * SIDE).toFixed(1);
    if (!rest.length) return `M${n(x)} ${n(y)}h0.01`;
    // Through the middles between points, so that a hand's line is smooth.
    let d = `M${n(x)} ${n(y)}`;
    for (let k = 0; k < rest.length - 1; k += 1) d += `Q${n(rest[k][0])} ${n(rest[k][1])} ${n((rest[k][0] + rest[k + 1][0]) / 2)} ${n((rest[k][1] + rest[k + 1][1]) / 2)}`;
    return `${d}L${n(rest.at(-1)[0])} ${n(rest.at(-1)[1])}`;
  }
  function line({ by, at }, d = pathOf(at)) {
    const press = at[0].length > 2 ? at.reduce((sum, point) => sum + point[2], 0) / at.length : 1;
    return svg("path", { d, class: by, "stroke-width": (LINE * press).toFixed(2) });
  }
  function show() {
    layers.drawn.replaceChildren(...strokes.map((stroke) => line(stroke)));
    hint.hidden = strokes.length > 0 || live !== null;
    const mine = strokes.filter((stroke) => stroke.by === "you").length, its = strokes.length - mine;
    told.textContent = strokes.length ? `${mine} ${mine === 1 ? "stroke" : "strokes"} by you, ${its} by the model.` : "The paper is empty.";
    arrange();
  }

  const place = (event) => {
    const box = paper.getBoundingClientRect(), clip = (v) => Math.min(1, Math.max(0, v));
    const at = [clip((event.clientX - box.left) / box.width), clip((event.clientY - box.top) / box.height)];
    if (event.pointerType === "pen" && event.pressure) at.push(0.4 + 1.2 * event.pressure);
    return at;
  };
  function extend(at) {
    const last = live.at.at(-1);
    if (last.length !== at.length) at = last.length > 2 ? [...at.slice(0, 2), last[2]] : at.slice(0, 2);
    if (Math.hypot(at[0] - last[0], at[1] - last[1]) < FINEST) return;
    live.at.push(at);
    layers.live.firstChild.setAttribute("d", pathOf(live.at));
  }
  function put(at) {
    stopReplay();
    live = { by: "you", at: [at] };
    layers.live.replaceChildren(line(live));
    layers.ghosts.classList.add("asleep");
    hint.hidden = true;
  }
  function lift() {
    const made = live;
    live = null;
    layers.live.replaceChildren();
    layers.ghosts.classList.remove("asleep");
    if (!made) return;
    add([made]);
    if (mode.value === "turns") machine(true);
  }
  let pointer = null;
  paper.addEventListener("pointerdown", (event) => {
    if (event.button || pointer !== null || event.target.closest(".ghost")) return;
    event.preventDefault();
    paper.focus({ preventScroll: true });
    pointer = event.pointerId;
    paper.setPointerCapture(pointer);
    put(place(event));
  });
  paper.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer || !live) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) extend(place(each));
  });
  for (const end of ["pointerup", "pointercancel"]) paper.addEventListener(end, (event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    lift();
  });

  // By keys: a cross that the arrows move; space sets the pen down and lifts it.
  let cross = [0.5, 0.5];
  function moveCross(dx, dy, fine) {
    const step = fine ? 0.005 : 0.025;
    cross = [Math.min(1, Math.max(0, cross[0] + dx * step)), Math.min(1, Math.max(0, cross[1] + dy * step))];
    layers.pen.setAttribute("visibility", "visible");
    layers.pen.setAttribute("transform", `translate(${cross[0] * SIDE} ${cross[1] * SIDE})`);
    if (live && pointer === null) extend([...cross]);
  }
  paper.addEventListener("keydown", (event) => {
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== paper) return;
    if (arrows[event.key]) moveCross(...arrows[event.key], event.shiftKey);
    else if (event.key === " ") { if (live) lift(); else { moveCross(0, 0); put([...cross]); } layers.pen.classList.toggle("down", live !== null); }
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  paper.addEventListener("blur", () => layers.pen.setAttribute("visibility", "hidden"));

  // -- strokes of both -------------------------------------------------------------------------------------------------
  function add(some) {
    strokes = [...strokes, ...some];
    show();
    // The ghosts first: they are waited for.
    (mode.value === "turns" && some[0].by === "you" ? Promise.resolve() : propose()).finally(keep);
  }
  // Steps are kept in the order drawn; what the server then tells of them is known here already.
  let queue = Promise.resolve();
  function keep() {
    const kept = data();
    keeping += 1;
    queue = queue.then(() => studio.post("keep", { strokes: kept, model: model.value, class: kind.value || null })).then((answer) => { if (answer && !heard.delete(answer.id)) awaited.add(answer.id); }).finally(() => { keeping -= 1; });
    return queue;
  }
  const wishes = () => ({ strokes: data(), model: model.value, class: kind.value || null, temperature: temperature.value, whole: whole.value === "whole" });

  async function propose() {
    clearGhosts();
    if (mode.value !== "ideas" || (!strokes.length && whole.value !== "whole")) return;
    const mine = ++asked, start = performance.now();
    const answer = await studio.post("propose", { ...wishes(), count: count.value, seed });
    if (!answer || mine !== asked || live) return;
    proposals = answer.proposals;
    layers.ghosts.replaceChildren(...proposals.map(ghost));
    ideas.replaceChildren(...proposals.map(thumb));
    if (!proposals.length) ideas.replaceChildren(el("p", { class: "quiet" }, "The model calls it finished. Draw on, or ask for other ideas."));
    root.dataset.ghosts = String(proposals.length);
    root.dataset.took = (performance.now() - start).toFixed(1);
    arrange();
  }
  function clearGhosts() {
    asked += 1;
    proposals = [];
    layers.ghosts.replaceChildren();
    ideas.replaceChildren();
    delete root.dataset.ghosts;
  }
  function ghost(proposal, k) {
    const group = svg("g", { class: "ghost", "data-index": k });
    for (const at of proposal.strokes) group.append(svg("path", { d: pathOf(at), class: "reach" }), svg("path", { d: pathOf(at), class: `hue-${k}`, "stroke-width": LINE }));
    // A finger that has just drawn a stroke lets the browser click where it was lifted: that takes nothing.
    let pressed = false;
    group.addEventListener("pointerdown", () => { pressed = true; });
    group.addEventListener("click", () => { if (pressed) take(k); });
    group.addEventListener("pointerenter", () => point(k, true));
    group.addEventListener("pointerleave", () => point(k, false));
    return group;
  }
  function thumb(proposal, k) {
    const view = svg("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, "aria-hidden": "true" });
    view.append(...strokes.map((stroke) => svg("path", { d: pathOf(stroke.at), class: "old" })), ...proposal.strokes.map((at) => svg("path", { d: pathOf(at), class: `hue-${k}` })));
    const chosen = el("button", { type: "button", class: "idea", ariaLabel: `Take proposal ${k + 1}${proposal.finished ? ", which ends the drawing" : ""}`, onclick: () => take(k, true), onfocus: () => point(k, true), onblur: () => point(k, false) });
    chosen.addEventListener("pointerenter", () => point(k, true));
    chosen.addEventListener("pointerleave", () => point(k, false));
    chosen.append(view);
    return chosen;
  }
  function point(k, on) {
    layers.ghosts.children[k]?.classList.toggle("near", on);
    layers.ghosts.classList.toggle("chosen", on);
    ideas.children[k]?.classList.toggle("near", on);
  }
  async function take(k, byKeys = false) {
    const taken = proposals[k];
    if (!taken) return;
    const focused = byKeys && ideas.contains(document.activeElement);
    add(taken.strokes.map((at) => ({ by: "model", at })));
    if (focused) {
      letDraw.focus();
      const mine = asked;
      for (let tries = 0; tries < 40 && mine === asked && !ideas.querySelector(".idea"); tries += 1) await new Promise((resolve) => setTimeout(resolve, 25));
      if (document.activeElement === letDraw) ideas.querySelector(".idea")?.focus();
    }
  }
  // The model draws: a stroke of its own, which one can watch.
  async function machine(turn = false) {
    if (live) return;
    clearGhosts();
    const mine = asked;
    seed += 1;
    const answer = await studio.post("propose", { ...wishes(), whole: whole.value === "whole" && !turn, count: 1, seed });
    if (!answer || mine !== asked || live) return;
    if (!answer.proposals.length) { studio.say("The model has nothing to add."); return; }
    const made = answer.proposals[0].strokes.map((at) => ({ by: "model", at }));
    await watch(made, 380);
    layers.live.replaceChildren();
    if (mine === asked) add(made);
  }

  // -- watching --------------------------------------------------------------------------------------------------------
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  // Lets strokes come about one after the other in the layer of the moving pen.
  async function watch(some, each) {
    const own = ++playing;
    layers.live.replaceChildren();
    for (const stroke of some) {
      const made = line(stroke);
      made.setAttribute("pathLength", "1");
      made.setAttribute("stroke-dasharray", "1");
      layers.live.append(made);
      const begin = performance.now();
      for (let share = still.matches ? 1 : 0; share < 1;) {
        made.setAttribute("stroke-dashoffset", String(1 - share));
        await new Promise(requestAnimationFrame);
        if (own !== playing) return;
        share = Math.min(1, (performance.now() - begin) / each);
      }
      made.setAttribute("stroke-dashoffset", "0");
    }
  }
  async function replay() {
    if (!strokes.length || live) return;
    layers.drawn.replaceChildren();
    layers.ghosts.classList.add("asleep");
    root.dataset.replay = "on";
    await watch(strokes, Math.max(90, Math.min(450, 9000 / strokes.length)));
    if (root.dataset.replay) stopReplay();
  }
  function stopReplay() {
    playing += 1;
    delete root.dataset.replay;
    layers.live.replaceChildren();
    layers.ghosts.classList.remove("asleep");
    show();
  }

  function clear() {
    strokes = [];
    stopReplay();
    clearGhosts();
    show();
    return keep();
  }

  // -- saving ----------------------------------------------------------------------------------------------------------
  function save() {
    if (!strokes.length) { studio.say("Draw something first."); return; }
    const format = choice("As", [["svg", "SVG: strokes in order, a layer for each turn"], ["animated-svg", "SVG that draws itself"], ["png", "PNG, 2,048 pixels"]], "svg");
    const go = button("save", "Save", async () => {
      go.disabled = true;
      const made = await studio.post("save", { strokes: data(), model: model.value, format: format.value });
      if (made) { studio.save(made.url, made.name); box.close(); }
      go.disabled = false;
    }, { class: "main" });
    const { box } = dialog("Save the drawing", format.element, el("p", { class: "quiet" }, "A plotter draws it in the order in which you drew it."), go);
  }

  async function showWalk() {
    const answer = await studio.post("walk", { model: model.value, strokes: held, other: data(), steps: 7 });
    if (!answer) return;
    const made = answer.drawings.map((drawing, k) => {
      const view = svg("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, "aria-hidden": "true" }, ...drawing.filter((at) => at.length).map((at) => svg("path", { d: pathOf(at), class: "model" })));
      const chosen = el("button", { type: "button", class: "idea", ariaLabel: `Drawing ${k + 1} of ${answer.drawings.length}`, onclick: () => { box.close(); strokes = drawing.filter((at) => at.length).map((at) => ({ by: "model", at })); clearGhosts(); show(); keep(); } });
      chosen.append(view);
      return chosen;
    });
    const { box } = dialog("From one to the other", el("div", { class: "ideas walk" }, made), el("p", { class: "quiet" }, "Take one to go on drawing from it."));
    box.classList.add("wide");
  }

  function arrange() {
    const { classes, words, latent: vae } = chosenModel();
    kind.element.hidden = !classes.length && !words.length;
    latent.hidden = !vae;
    hold.disabled = !strokes.length;
    between.disabled = !held || !strokes.length;
    count.element.hidden = more.hidden = mode.value !== "ideas";
    ideas.hidden = mode.value !== "ideas";
    root.dataset.strokes = String(strokes.length);
  }

  // -- where the room stands -------------------------------------------------------------------------------------------
  function room(view) {
    const id = view.step?.id ?? null;
    if (keeping) { heard.add(id); return; } // a step of ours, which is known here, told before its answer
    if (awaited.delete(id)) return; // the same, after it
    const state = view.step?.state ?? {}, now = state.strokes ?? [];
    if (JSON.stringify(now) === JSON.stringify(data())) return;
    strokes = now;
    stopReplay();
    show();
    propose();
  }
  function key(event) {
    const letter = event.key.toLowerCase();
    if (letter === "enter" && (event.target === paper || event.target === document.body)) { event.preventDefault(); machine(); }
    else if (letter === "o") more.click();
    else if (letter === "r") replay();
    else if (letter === "n") clear();
    else if (letter === "s") { event.preventDefault(); save(); }
  }
  const keys = [["Arrows", "move the pen, on the paper"], ["Space", "set it down, lift it"], ["Enter", "let the model draw one stroke"], ["Tab", "to the proposals; Space takes one"], ["O", "other ideas"], ["R", "replay"], ["S", "save"], ["N", "new page"]];

  learn();
  studio.post("warm", { model: "kanji" }).then(() => { root.dataset.warm = "yes"; });
  show();
  return { room, key, keys };
}
