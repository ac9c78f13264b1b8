// Many small pictures on one canvas: networks by their shaders, each in a scissored part of one WebGL context (browsers keep
// about 16 of them), everything else as images from the server. Where WebGL is missing or computed by the processor, the
// server draws all of them: it is faster.

const VERTEX = `#version 300 es
void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0, 1); }`;
const SOFTWARE = /swiftshader|llvmpipe|software|basic render/i;

function stored(name) {
  try { return localStorage.getItem(name); } catch { return null; }
}

// Whether this browser draws networks faster than the server; "evoart-tiles" in its storage says it for tests.
export function prefersShaders() {
  const said = stored("evoart-tiles");
  if (said) return said === "webgl";
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return false;
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const renderer = String(info ? gl.getParameter(info.UNMASKED_RENDERER_WEBGL) : gl.getParameter(gl.RENDERER));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return !SOFTWARE.test(renderer);
}

// A program of a fragment shader; null where it does not compile.
export function compile(gl, source) {
  const program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, source]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
    gl.deleteShader(shader);
  }
  gl.linkProgram(program);
  return program;
}

export async function decode(text) {
  const octets = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return createImageBitmap(new Blob([octets], { type: "image/jpeg" }));
}

// The canvas below the tiles. `show(tiles, boxes)`: tiles have a `shader`, or an `image` (ImageBitmap); boxes are x, y, w, h
// in CSS pixels from the canvas's corner.
export class Tiles {
  constructor(shaders) {
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    this.gl = shaders ? this.canvas.getContext("webgl2", { antialias: false, alpha: true }) : null;
    this.flat = this.gl ? null : this.canvas.getContext("2d");
    this.programs = new Map();
    this.canvas.addEventListener("webglcontextlost", (event) => { event.preventDefault(); this.programs.clear(); });
    this.canvas.addEventListener("webglcontextrestored", () => this.show(this.tiles ?? [], this.boxes ?? []));
  }

  get shaders() { return Boolean(this.gl); }

  show(tiles, boxes) {
    this.tiles = tiles;
    this.boxes = boxes;
    const scale = Math.min(window.devicePixelRatio || 1, 2), { canvas } = this;
    const w = Math.max(1, Math.round(canvas.clientWidth * scale)), h = Math.max(1, Math.round(canvas.clientHeight * scale));
    if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
    const places = boxes.map(([x, y, width, height]) => [x, y, width, height].map((side) => Math.round(side * scale)));
    if (this.gl) this.paintShaders(tiles, places, h);
    else {
      this.flat.clearRect(0, 0, w, h);
      this.flat.imageSmoothingQuality = "high";
      tiles.forEach((tile, k) => tile.image && this.flat.drawImage(tile.image, ...places[k]));
    }
  }

  paintShaders(tiles, places, height) {
    const { gl } = this, live = new Set(tiles.map((tile) => tile.shader));
    for (const [source, program] of this.programs) if (!live.has(source)) { gl.deleteProgram(program); this.programs.delete(source); }
    for (const { shader } of tiles) if (shader && !this.programs.has(shader)) this.programs.set(shader, compile(gl, shader));
    gl.disable(gl.SCISSOR_TEST);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.SCISSOR_TEST);
    tiles.forEach((tile, k) => {
      const [x, y, w, h] = places[k], bottom = height - y - h;
      gl.scissor(x, bottom, w, h);
      gl.viewport(x, bottom, w, h);
      if (tile.shader) this.paintShader(this.programs.get(tile.shader), x, bottom, w, h);
      else if (tile.image) this.paintImage(tile.image);
    });
  }

  paintShader(program, x, bottom, w, h) {
    const { gl } = this, at = (name) => gl.getUniformLocation(program, name);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return;
    gl.useProgram(program);
    // Pixels are counted from the canvas's corner: the view's middle moves with the tile.
    const pixel = 2 / Math.max(w, h);
    gl.uniform2f(at("u_resolution"), w, h);
    gl.uniform2f(at("u_centre"), -x * pixel, bottom * pixel);
    gl.uniform1f(at("u_zoom"), 1);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  paintImage(image) {
    const { gl } = this;
    this.plain ??= compile(gl, `#version 300 es
precision mediump float; uniform sampler2D picture; uniform vec4 box; out vec4 fragment;
void main() { vec2 at = (gl_FragCoord.xy - box.xy) / box.zw; fragment = texture(picture, vec2(at.x, 1.0 - at.y)); }`);
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, image);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.LINEAR);
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
    gl.useProgram(this.plain);
    gl.uniform4fv(gl.getUniformLocation(this.plain, "box"), gl.getParameter(gl.VIEWPORT));
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.deleteTexture(texture);
  }
}
