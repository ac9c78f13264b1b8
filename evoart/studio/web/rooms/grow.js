// The room Grow: a picture is learned by cells that see their neighbours alone; then it grows, and heals where it is touched.

import { makeCard, makePlain, readWeights } from "../automaton.js";
import { button, choice, el, icon as drawn, parseDrawing, slider } from "../dom.js";
import { Progress } from "../progress.js";
import { saveDialog } from "../saving.js";

export const icon = "grow";

const FORMATS = [["page", "Page that lives (HTML)"], ["png", "PNG"], ["svg", "SVG"], ["gif", "Film (GIF)"], ["animated-webp", "Film (WebP)"], ["safetensors", "Weights (safetensors)"]];
const WOUND = 0.1; // radius, as a share of the long side

export function mount(root, studio) {
  const progress = new Progress();
  let view = { step: null }, life = null, shown = null, visible = false, paused = false, taken = 0, owed = 0, last = 0;

  // -- the empty room ------------------------------------------------------------------------------------------------
  const quality = choice("Work", [["draft", "A draft: two minutes"], ["normal", "Normal: seven minutes"], ["best", "The best: twenty-five minutes"]], "normal");
  const words = el("input", { placeholder: "a mushroom", ariaLabel: "What to grow", maxLength: 200, onkeydown: (event) => { if (event.key === "Enter") train({ words: words.value }); } });
  const file = el("input", { type: "file", accept: "image/*", hidden: true, ariaLabel: "Picture", onchange: () => { open(file.files[0]); file.value = ""; } });
  const seeds = el("div", { class: "seeds", role: "group", ariaLabel: "Things that grow well" });
  const invite = el("div", { class: "sow" },
    el("h2", {}, "A picture that heals"),
    el("p", {}, "It grows from a single cell. Every cell sees its neighbours alone, and knows what to become. Choose one; when it is learned, touch it."),
    seeds,
    el("div", { class: "say" }, words, button("play", "Grow", () => train({ words: words.value }), { class: "main" }), button("open", "A picture of yours", () => file.click())),
    quality.element);

  // -- the stage -----------------------------------------------------------------------------------------------------
  const dish = el("div", { class: "dish", hidden: true });
  const stage = el("div", { class: "stage" }, invite, dish);

  // -- the panel -----------------------------------------------------------------------------------------------------
  const title = el("h2", { class: "title" });
  const pause = button("pause", "Pause", () => setPaused(!paused));
  const speed = slider("Speed", { min: 0, max: 8, step: 0.5, value: 5.5, show: (n) => `${Math.round(2 ** n)} steps a second` });
  const count = el("p", { class: "quiet count" });
  const facts = el("p", { class: "quiet" });
  const living = el("section", {}, el("p", {}, "Touch the picture, or draw across it, to wound it."), el("div", { class: "buttons" }, pause, button("undo", "Restart", restart), button("erase", "Wound", hurt)), speed.element, count, facts,
    el("div", { class: "buttons" }, button("save", "Save", () => saveDialog(studio, view.step.pictures[0], { formats: FORMATS }), { class: "main" }), button("copy", "Command", command)));
  const panel = el("aside", { class: "panel", ariaLabel: "Controls" },
    el("section", {}, el("div", { class: "heading" }, title, button("open", "Another picture", () => studio.go(null), { quiet: true, class: "plain" }))), progress.element, living);
  root.append(stage, panel, file);

  studio.post("ideas").then((told) => seeds.replaceChildren(...(told?.ideas ?? []).map(({ words, width, height, pixels }) => {
    const canvas = el("canvas", { width, height });
    canvas.getContext("2d").putImageData(new ImageData(Uint8ClampedArray.from(atob(pixels), (c) => c.charCodeAt(0)), width, height), 0, 0);
    return el("button", { type: "button", title: `Grow a ${words}`, ariaLabel: `Grow a ${words}`, onclick: () => train({ words }) }, canvas);
  })));

  // -- what is asked for ---------------------------------------------------------------------------------------------
  function train(what) {
    if ("words" in what && !what.words.trim()) { words.focus(); return null; }
    return studio.post("train", { ...what, quality: quality.value });
  }

  async function open(chosen) {
    const kept = chosen && await studio.upload(chosen);
    if (kept?.picture) await studio.post("open", { picture: kept.picture, title: kept.title, quality: quality.value });
    else if (kept) await train({ photograph: kept.name, title: kept.title });
  }

  async function command() {
    const told = await studio.shared("command", { picture: view.step.pictures[0] });
    if (told) studio.showCommand(told.command);
  }

  // -- life ----------------------------------------------------------------------------------------------------------
  async function load() {
    const id = view.step.id, told = await studio.post("rule");
    if (!told || told.id !== id || shown === id) return;
    shown = id;
    const rule = { ...told, weights: readWeights(told.weights) };
    use(rule, makeCard(rule) ?? makePlain(rule));
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) { setPaused(true); advance(told.age); } else setPaused(false);
    requestAnimationFrame(frame);
  }

  function use(rule, made) {
    const { canvas } = made;
    life = { ...made, rule };
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${view.step.label}, growing`);
    canvas.addEventListener("webglcontextlost", (event) => { event.preventDefault(); if (life?.canvas === canvas) use(rule, makePlain(rule)); });
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); touch(event); });
    canvas.addEventListener("pointermove", (event) => { if (event.buttons) touch(event); });
    dish.style.setProperty("--ratio", rule.columns / rule.rows);
    dish.replaceChildren(canvas);
    restart();
  }

  function advance(steps) {
    for (let i = 0; i < steps; i++) life.step(taken++);
    show();
  }

  function show() {
    life.show();
    count.textContent = `step ${taken.toLocaleString("en")}`;
  }

  function restart() {
    if (!life) return;
    taken = 0; owed = 0;
    life.plant();
    show();
  }

  function wound(x, y, radius) { life.wound(x, y, radius); show(); }

  function touch(event) {
    const box = life.canvas.getBoundingClientRect(), long = Math.max(box.width, box.height);
    wound((event.clientX - box.left) / long, (event.clientY - box.top) / long, WOUND);
  }

  function hurt() {
    if (!life) return;
    const { rows, columns } = life.rule, side = Math.max(rows, columns);
    wound((0.3 + 0.4 * Math.random()) * columns / side, (0.3 + 0.4 * Math.random()) * rows / side, 2 * WOUND);
  }

  function setPaused(to) {
    paused = to;
    pause.replaceChildren(drawn(to ? "play" : "pause"), el("span", {}, to ? "Go on" : "Pause"));
  }

  function frame(time) {
    if (!visible || !life) return;
    const passed = Math.min(time - last, 100) / 1000;
    last = time;
    if (!paused) {
      owed += passed * 2 ** speed.value;
      const steps = Math.min(Math.floor(owed), 16);
      owed = Math.min(owed - steps, 1);
      if (steps) advance(steps);
    }
    requestAnimationFrame(frame);
  }

  // -- showing -------------------------------------------------------------------------------------------------------
  const busy = () => studio.run.state !== "idle" && studio.run.room === "grow";

  function room(now) {
    view = now;
    arrange();
  }

  function arrange() {
    const on = busy(), { step } = view, grown = !on && Boolean(step?.pictures.length);
    progress.element.hidden = !on;
    invite.hidden = on || grown;
    dish.hidden = invite.hidden === false;
    panel.hidden = !on && !grown;
    root.classList.toggle("whole", panel.hidden);
    living.hidden = !grown;
    title.textContent = on ? studio.run.label : step?.label ?? "";
    if (!grown) { life = null; shown = null; return; }
    const { psnr, healed } = step.state.figures?.[0] ?? {};
    facts.textContent = psnr === undefined ? "" : `Likeness ${psnr.toFixed(1)} dB, after a wound ${healed.toFixed(1)} dB.`;
    if (visible && shown !== step.id) load();
  }

  return {
    room,
    run() {
      progress.status(studio);
      if (busy() && life) { life = null; shown = null; dish.replaceChildren(); }
      arrange();
    },
    progress: (data) => { if (busy()) progress.update(data, studio.run); },
    picture(index, text) {
      const made = busy() && parseDrawing(text);
      if (!made) return;
      dish.style.setProperty("--ratio", made.viewBox.baseVal.width / made.viewBox.baseVal.height || 1);
      made.removeAttribute("width");
      made.removeAttribute("height");
      made.setAttribute("role", "img");
      made.setAttribute("aria-label", "What it has learned so far");
      dish.replaceChildren(made);
    },
    shown: () => { visible = true; arrange(); if (life) requestAnimationFrame(frame); },
    hidden: () => { visible = false; },
    key(event) {
      if (event.key === " " && busy()) { event.preventDefault(); progress.toggle(studio); return; }
      if (!life) return;
      if (event.key === " " && event.target === document.body) { event.preventDefault(); setPaused(!paused); }
      if (event.key.toLowerCase() === "r") restart();
      if (event.key.toLowerCase() === "w") hurt();
    },
    keys: [["W", "wound it"], ["R", "restart"], ["Space", "pause, go on"]],
  };
}
