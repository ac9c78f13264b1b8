// One picture as large as the window: networks by their shader, into which one zooms without end; others as an image.

import { el } from "./dom.js";
import { compile, decode } from "./tiles.js";

const SLOW = 60; // milliseconds of a frame above which fewer pixels are drawn while the view moves

export class Closeup {
  constructor() {
    this.canvas = el("canvas", { tabIndex: 0, role: "img", ariaLabel: "The picture. Scroll or pinch to zoom, drag to move, 0 for all of it." });
    this.view = { x: 0, y: 0, zoom: 1 };
    this.coarse = 1;
    this.fingers = new Map();
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  // `told`: shader or image, and aspect. A canvas has one kind of context for good, so each kind has its own.
  async show(told) {
    this.aspect = told.aspect;
    this.view = { x: 0, y: 0, zoom: 1 };
    this.gl ??= told.shader ? this.canvas.getContext("webgl2", { antialias: false }) : null;
    if (this.gl && told.shader) {
      if (this.program) this.gl.deleteProgram(this.program);
      this.program = compile(this.gl, told.shader);
      this.gl.useProgram(this.program);
    } else if (told.image) {
      this.flat ??= this.canvas.getContext("2d");
      this.image = await decode(told.image);
    } else return false;
    this.draw();
    return true;
  }

  get fit() {
    const w = this.canvas.clientWidth, h = this.canvas.clientHeight, wide = Math.min(1, this.aspect), tall = Math.min(1, 1 / this.aspect);
    return (0.94 * Math.min(w / wide, h / tall)) / Math.max(w, h);
  }

  get perPixel() { return 2 / (Math.max(this.canvas.clientWidth, this.canvas.clientHeight) * this.view.zoom * this.fit); }

  draw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => { this.waiting = 0; this.paint(); });
  }

  paint() {
    const { canvas, view } = this, scale = Math.min(window.devicePixelRatio || 1, 2) / this.coarse;
    const w = Math.max(1, Math.round(canvas.clientWidth * scale)), h = Math.max(1, Math.round(canvas.clientHeight * scale));
    if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
    const start = performance.now();
    if (this.program) {
      const { gl, program } = this, at = (name) => gl.getUniformLocation(program, name);
      gl.viewport(0, 0, w, h);
      gl.uniform2f(at("u_resolution"), w, h);
      gl.uniform2f(at("u_centre"), view.x, view.y);
      gl.uniform1f(at("u_zoom"), view.zoom * this.fit);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
      gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4)); // waits, so that the time is true
      this.took = (performance.now() - start) * this.coarse ** 2;
    } else if (this.image) {
      const side = 2 / (this.perPixel / scale), [wide, tall] = [side * Math.min(1, this.aspect), side * Math.min(1, 1 / this.aspect)];
      this.flat.clearRect(0, 0, w, h);
      this.flat.drawImage(this.image, w / 2 - wide / 2 - (view.x / this.perPixel) * scale, h / 2 - tall / 2 - (view.y / this.perPixel) * scale, wide, tall);
    }
  }

  // While the view moves a slow machine draws fewer pixels; all of them once it rests.
  moved() {
    this.coarse = this.took > SLOW ? Math.min(6, Math.ceil(Math.sqrt(this.took / SLOW))) : 1;
    clearTimeout(this.rest);
    this.rest = setTimeout(() => { this.coarse = 1; this.draw(); }, 220);
    this.draw();
  }

  zoomBy(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const before = this.perPixel;
    this.view.zoom = Math.min(Math.max(this.view.zoom * factor, 0.02), 1e5);
    const change = before - this.perPixel;
    this.view.x += (x - this.canvas.clientWidth / 2) * change;
    this.view.y += (y - this.canvas.clientHeight / 2) * change;
    this.moved();
  }

  key(event) {
    const step = 40 * this.perPixel;
    const keys = {
      "0": () => { this.view = { x: 0, y: 0, zoom: 1 }; }, "+": () => this.zoomBy(1.25), "=": () => this.zoomBy(1.25), "-": () => this.zoomBy(0.8),
      ArrowLeft: () => { this.view.x -= step; }, ArrowRight: () => { this.view.x += step; }, ArrowUp: () => { this.view.y -= step; }, ArrowDown: () => { this.view.y += step; },
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
    this.moved();
  }

  listen() {
    const { canvas, fingers } = this;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), event.offsetX, event.offsetY);
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); fingers.set(event.pointerId, event); });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
    canvas.addEventListener("pointermove", (event) => {
      const last = fingers.get(event.pointerId);
      if (!last) return;
      const other = [...fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
      if (other) {
        const far = (finger) => Math.hypot(finger.offsetX - other.offsetX, finger.offsetY - other.offsetY);
        this.zoomBy(far(event) / Math.max(far(last), 1), (event.offsetX + other.offsetX) / 2, (event.offsetY + other.offsetY) / 2);
      } else {
        this.view.x -= (event.offsetX - last.offsetX) * this.perPixel;
        this.view.y -= (event.offsetY - last.offsetY) * this.perPixel;
        this.moved();
      }
      fingers.set(event.pointerId, event);
    });
    canvas.addEventListener("dblclick", (event) => this.zoomBy(2, event.offsetX, event.offsetY));
    canvas.addEventListener("keydown", (event) => this.key(event));
  }
}
