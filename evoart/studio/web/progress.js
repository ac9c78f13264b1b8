// What a run comes to, for panels: figure, bar, time left, curve, and the buttons to pause and stop it.

import { button, clock, el, svg } from "./dom.js";

const FIGURES = { psnr: ["dB likeness", 1], similarity: ["similarity", 3], loss: ["loss", 4] };

export class Progress {
  constructor() {
    this.figure = el("p", { class: "figure" });
    this.line = svg("path", {});
    this.under = svg("path", { class: "under" });
    this.curve = svg("svg", { class: "curve", viewBox: "0 0 100 40", preserveAspectRatio: "none", role: "img", "aria-label": "Likeness over time" }, this.under, this.line);
    this.done = el("i");
    this.bar = el("div", { class: "bar", role: "progressbar", ariaLabel: "Progress", "aria-valuemin": 0, "aria-valuemax": 100 }, this.done);
    this.stage = el("span");
    this.left = el("span", { class: "quiet" });
    this.buttons = el("div", { class: "buttons" });
    this.element = el("section", { class: "progress", hidden: true }, this.figure, this.curve, this.bar, el("p", { class: "facts" }, this.stage, this.left), this.buttons);
  }

  // The state of the run: which buttons there are.
  status(studio) {
    const { run } = studio, paused = run.state === "paused", stopping = run.state === "stopping";
    const made = `${run.state}`;
    if (this.made !== made) {
      this.made = made;
      this.buttons.replaceChildren(
        button(paused ? "play" : "pause", paused ? "Go on" : "Pause", () => this.toggle(studio), { class: paused ? "main" : "", disabled: stopping }),
        button("stop", "Stop here", () => studio.shared("stop"), { disabled: stopping }));
    }
    this.update(run.progress ?? {}, run);
  }

  toggle(studio) {
    return studio.shared(studio.run.state === "paused" ? "go-on" : "pause");
  }

  update(data, run) {
    const [name, value] = Object.entries(data.figures ?? {}).find(([each]) => FIGURES[each]) ?? [];
    const [unit, digits] = FIGURES[name] ?? ["", 0];
    this.figure.replaceChildren(...(name ? [el("b", {}, value.toFixed(digits)), el("span", { class: "quiet" }, `${unit} · ${data.label ?? ""}`)] : [el("b", {}, "…"), el("span", { class: "quiet" }, run.warm === false ? "compiling, the first time only" : "getting ready")]));
    const share = data.fraction ?? 0;
    this.done.style.width = `${100 * share}%`;
    this.bar.setAttribute("aria-valuenow", Math.round(100 * share));
    const many = run.count > 1 ? `${run.index + 1} of ${run.count} · ` : "";
    this.stage.textContent = many + (run.state === "paused" ? "paused" : run.state === "stopping" ? "saving" : data.stage ?? "");
    this.left.textContent = run.state === "paused" ? "" : data.left === undefined || data.left === null ? (data.seconds === undefined ? "" : clock(data.seconds)) : `${clock(data.left)} left`;
    this.plot(run.curve ?? []);
  }

  plot(points) {
    this.curve.style.display = points.length > 1 ? "" : "none";
    if (points.length < 2) return;
    const [first, last] = [points[0][0], points.at(-1)[0]], values = points.map((each) => each[1]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const at = points.map(([time, value]) => `${((100 * (time - first)) / Math.max(last - first, 1e-9)).toFixed(2)},${(38 - (36 * (value - low)) / Math.max(high - low, 1e-9)).toFixed(2)}`);
    this.line.setAttribute("d", `M${at.join("L")}`);
    this.under.setAttribute("d", `M0,40L${at.join("L")}L100,40z`);
  }
}
