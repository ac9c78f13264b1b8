// The room Words: a prompt becomes several pictures side by side; one is chosen to go on with.

import { button, choice, clock, el, parseDrawing, slider } from "../dom.js";
import { Progress } from "../progress.js";
import { saveDialog } from "../saving.js";

export const icon = "words";

const IDEAS = ["a cat", "a red boat under a yellow sun", "three green apples", "a penguin", "a house and a tree", "a rocket at night"];
const FIGURES = { similarity: "similarity", judge: "judge", psnr: "dB" };

export function mount(root, studio) {
  const progress = new Progress();
  let view = { step: null }, images = [], models = null;

  const prompt = el("textarea", { rows: 2, placeholder: "a red boat under a yellow sun", ariaLabel: "What to draw", maxLength: 500, onkeydown: (event) => { if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); start(); } } });
  const negative = el("input", { placeholder: "text, frames", ariaLabel: "What to leave out", maxLength: 500 });
  const count = slider("Pictures side by side", { min: 1, max: 9, value: 4 });
  const model = choice("Drawn by", [["icons", "the model inside"]], "icons", arrange);
  const quality = choice("Work", [["draft", "A draft"], ["normal", "Normal"], ["best", "The best"]], "normal");
  const note = el("p", { class: "quiet" });
  const likes = el("div", { class: "likes" });
  const file = el("input", { type: "file", accept: "image/*", hidden: true, onchange: () => { like(file.files[0]); file.value = ""; } });
  const clip = el("div", { class: "settings" }, el("label", { class: "text" }, el("span", {}, "Keep away from"), negative), likes, button("open", "Like a picture", () => file.click()));
  const draw = button("play", "Draw", start, { class: "main" });

  const tiles = el("div", { class: "tiles", role: "list" });
  const ideas = el("div", { class: "ideas" }, el("h2", {}, "What shall it be?"), el("p", {}, "Say it in a few words. Four pictures grow side by side; choose the one you like."),
    el("div", { class: "buttons" }, IDEAS.map((idea) => el("button", { type: "button", onclick: () => { prompt.value = idea; start(); } }, idea))));
  const stage = el("div", { class: "stage" }, ideas, tiles);
  const chosenCard = el("section");
  const panel = el("aside", { class: "panel", ariaLabel: "Controls" },
    el("section", {}, el("label", { class: "text" }, el("span", {}, "Prompt"), prompt), count.element, draw),
    progress.element, chosenCard,
    el("details", {}, el("summary", {}, "More"), el("div", {}, model.element, note, quality.element, clip)));
  root.append(stage, panel, file);

  studio.post("models").then((told) => {
    if (!told) return;
    models = told;
    model.input.replaceChildren(...told.models.map((each) => el("option", { value: each.name }, each.name === "icons" ? "the model inside" : each.name)));
    model.value = told.default;
    arrange();
  });

  const busy = () => studio.run.state !== "idle" && studio.run.room === "words";

  function wishes() {
    const isClip = model.value !== "icons";
    return {
      prompts: prompt.value.split(" + ").map((each) => each.trim()).filter(Boolean), model: model.value, quality: quality.value,
      ...(isClip && negative.value.trim() ? { negative_prompts: negative.value.split(",").map((each) => each.trim()).filter(Boolean) } : {}),
      ...(isClip && images.length ? { image_prompts: images.map(({ name, weight }) => ({ name, weight })) } : {}),
    };
  }

  function start() {
    if (busy()) return;
    if (!prompt.value.trim() && !images.length) { prompt.focus(); return; }
    studio.post("draw", { ...wishes(), count: count.value });
  }

  async function like(chosen) {
    const kept = chosen && await studio.upload(chosen);
    if (!kept) return;
    images.push({ ...kept, weight: 0.5 });
    showLikes();
  }

  function showLikes() {
    likes.replaceChildren(...images.map((each) => {
      const weight = slider(`Like ${each.title}`, { min: -1, max: 1, step: 0.1, value: each.weight, show: (n) => n.toFixed(1), onchange: (n) => { each.weight = n; } });
      return el("div", { class: "like" }, el("img", { src: studio.photograph(each.name), alt: each.title }), weight.element, button("close", "Leave it out", () => { images = images.filter((other) => other !== each); showLikes(); }, { quiet: true, class: "plain" }));
    }));
  }

  // A tile holds a picture while it grows, and then its file.
  function tile(index) {
    while (tiles.children.length <= index) tiles.append(el("div", { class: "tile", role: "listitem" }, el("div", { class: "drawing" }), el("p", { class: "facts" })));
    return tiles.children[index];
  }

  function put(index, text) {
    const made = parseDrawing(text);
    if (!made) return;
    made.removeAttribute("width");
    made.removeAttribute("height");
    made.setAttribute("aria-label", `Picture ${index + 1}`);
    tile(index).firstChild.replaceChildren(made);
  }

  const facts = (figures = {}, seconds) => [...Object.entries(FIGURES).filter(([name]) => figures[name] !== undefined).map(([name, word]) => (name === "psnr" ? `${figures[name].toFixed(1)} ${word}` : `${word} ${figures[name].toFixed(3)}`)), seconds ? clock(seconds) : ""].filter(Boolean).join(" · ");

  function room(now) {
    view = now;
    const step = view.step;
    if (step && document.activeElement !== prompt && step.state.prompts) prompt.value = step.state.prompts.join(" + ");
    if (!busy()) show();
    arrange();
  }

  function show() {
    const { step } = view;
    tiles.replaceChildren(...(step?.pictures ?? []).map((name, i) => {
      const one = step.pictures.length === 1;
      const image = el("img", { src: studio.picture(name), alt: `${step.label}, ${i + 1} of ${step.pictures.length}`, draggable: false });
      const words = el("p", { class: "facts" }, el("span", {}, facts(step.state.figures?.[i])), el("span", { class: "quiet" }, step.state.labels?.[i] ?? ""));
      return el("div", { class: "tile", role: "listitem" }, one ? el("div", { class: "drawing" }, image) : el("button", { class: "drawing", type: "button", title: "Choose this one", onclick: () => studio.post("choose", { picture: name }) }, image), words);
    }));
    layout(step?.pictures.length ?? 0);
  }

  function layout(number) {
    const { width, height } = stage.getBoundingClientRect();
    let best = 1;
    const side = (columns) => Math.min((width - 40) / columns, (height - 40) / Math.ceil(number / columns) - 30);
    for (let columns = 1; columns <= number; columns++) if (side(columns) > side(best)) best = columns;
    const phone = matchMedia("(max-width: 760px)").matches;
    tiles.style.setProperty("--columns", phone ? Math.min(number, 2) : best);
    tiles.style.setProperty("--side", phone ? "100%" : `${Math.max(80, Math.min(side(best) - 12, 900))}px`);
  }
  new ResizeObserver(() => layout(tiles.children.length)).observe(stage);

  function arrange() {
    const on = busy(), { step } = view, one = step?.pictures.length === 1, byClip = model.value !== "icons";
    progress.element.hidden = !on;
    ideas.hidden = on || Boolean(step?.pictures.length);
    draw.disabled = on;
    clip.hidden = !byClip;
    note.textContent = models?.models.find((each) => each.name === model.value)?.note ?? "";
    chosenCard.replaceChildren(...(!on && step?.pictures.length ? [
      el("div", { class: "buttons" }, button("plus", "Others", () => studio.post("more", { count: count.value })), ...(one ? [button("save", "Save", () => saveDialog(studio, step.pictures[0], { film: true })), button("copy", "Command", command)] : [])),
      ...(one && byClip ? [button("play", "Go on with this", () => studio.post("go-on", { ...wishes(), more: 10 }), { class: "main" })] : []),
      ...(one ? [] : [el("p", { class: "quiet" }, "Choose the one to go on with: click it, or press its number with Alt.")]),
    ] : []));
  }

  async function command() {
    const told = await studio.shared("command", { picture: view.step.pictures[0] });
    if (told) studio.showCommand(told.command);
  }

  let shownRun = "";
  function run() {
    progress.status(studio);
    const on = busy();
    if (on && shownRun !== studio.run.state) {
      if (!shownRun) tiles.replaceChildren();
      for (let i = 0; i < studio.run.count; i++) tile(i).classList.toggle("waiting", i > studio.run.index);
      layout(studio.run.count);
    }
    if (on) for (let i = 0; i < studio.run.count; i++) { tile(i).classList.toggle("waiting", i > studio.run.index); tile(i).lastChild.textContent = facts(studio.run.results[i]?.figures); }
    if (!on && shownRun) show();
    shownRun = on ? studio.run.state : "";
    arrange();
  }

  document.addEventListener("keydown", (event) => {
    const name = event.altKey && !root.hidden && !busy() && view.step?.pictures.length > 1 ? view.step.pictures[event.key - 1] : null;
    if (name) { event.preventDefault(); studio.post("choose", { picture: name }); }
  });

  return {
    room, run,
    progress: (data) => { if (busy()) progress.update(data, studio.run); },
    picture: (index, text) => { if (busy()) put(index, text); },
    key: (event) => { if (event.key === "/") { event.preventDefault(); prompt.focus(); } else if (event.key === " " && busy()) { event.preventDefault(); progress.toggle(studio); } },
    keys: [["/", "write a prompt"], ["Alt 1, Alt 2", "choose a picture"], ["Space", "pause, go on"]],
  };
}
