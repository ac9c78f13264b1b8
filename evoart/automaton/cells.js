// The rule is evoart's automaton/rule.py: 16 numbers a cell, of which the first four are colour times opacity, and opacity.
//
// A RULE has rows, columns and hidden (their numbers), seed, and weights (a Float32Array: 17 TEXELS of four for each hidden
// unit). What lives by it has a canvas and plant(), step(number), wound(x, y, radius), show() and cells().

const TEXELS = 17, HIGHEST = 8, ALIVE = 0.1;

function scramble(x) {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}
const startOf = (seed, step) => scramble(seed ^ Math.imul(step, 0x9e3779b9));

// Weights as evoart writes them into a page.
export function readWeights(text) {
  return new Float32Array(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
}

// On the graphics card: four textures hold the 16 numbers of each cell. Null where it cannot; `half`: in half floats.
export function makeCard({rows, columns, hidden, seed, weights}, half = false) {
  const side = Math.max(rows, columns);
  const canvas = document.createElement("canvas");
  canvas.width = columns; canvas.height = rows;
  const gl = canvas.getContext("webgl2", {antialias: false, depth: false, preserveDrawingBuffer: true});
  if (!gl || gl.getParameter(gl.MAX_DRAW_BUFFERS) < 4) return null;
  const full = !half && gl.getExtension("EXT_color_buffer_float");
  if (!full && !gl.getExtension("EXT_color_buffer_half_float")) return null;

  const head = `#version 300 es
precision highp float; precision highp int; precision highp sampler2D;
const ivec2 size = ivec2(${columns}, ${rows});
vec4 at(sampler2D s, ivec2 p) {
  return all(greaterThanEqual(p, ivec2(0))) && all(lessThan(p, size)) ? texelFetch(s, p, 0) : vec4(0.0);
}
bool living(sampler2D s, ivec2 p) {
  float most = 0.0;
  for (int y = -1; y < 2; y++) for (int x = -1; x < 2; x++) most = max(most, at(s, p + ivec2(x, y)).a);
  return most > ${ALIVE.toFixed(6)};
}
ivec2 here() { return ivec2(gl_FragCoord.xy); }
`;
  const states = "uniform sampler2D a0, a1, a2, a3;\n";
  const outs = [0, 1, 2, 3].map(i => `layout(location = ${i}) out vec4 o${i};\n`).join("");
  const stepping = head + states + outs + `uniform sampler2D weights; uniform uint start;
uint scramble(uint x) {
  x = (x ^ (x >> 16u)) * 0x7feb352du;
  x = (x ^ (x >> 15u)) * 0x846ca68bu;
  return x ^ (x >> 16u);
}
vec4 seen[12];
void see(sampler2D s, ivec2 p, int i) {
  vec4 nw = at(s, p + ivec2(-1, -1)), n = at(s, p + ivec2(0, -1)), ne = at(s, p + ivec2(1, -1));
  vec4 w = at(s, p + ivec2(-1, 0)), e = at(s, p + ivec2(1, 0));
  vec4 sw = at(s, p + ivec2(-1, 1)), so = at(s, p + ivec2(0, 1)), se = at(s, p + ivec2(1, 1));
  seen[i] = at(s, p);
  seen[4 + i] = (ne + 2.0 * e + se - nw - 2.0 * w - sw) / 8.0;
  seen[8 + i] = (sw + 2.0 * so + se - nw - 2.0 * n - ne) / 8.0;
}
void main() {
  ivec2 p = here();
  see(a0, p, 0); see(a1, p, 1); see(a2, p, 2); see(a3, p, 3);
  vec4 c0 = vec4(0.0), c1 = c0, c2 = c0, c3 = c0;
  bool change = scramble(start ^ uint(p.y * size.x + p.x)) >> 31u == 1u;
  if (change) for (int j = 0; j < ${hidden}; j++) {
    float sum = texelFetch(weights, ivec2(12, j), 0).r;
    for (int i = 0; i < 12; i++) sum += dot(seen[i], texelFetch(weights, ivec2(i, j), 0));
    sum = max(sum, 0.0);
    c0 += sum * texelFetch(weights, ivec2(13, j), 0); c1 += sum * texelFetch(weights, ivec2(14, j), 0);
    c2 += sum * texelFetch(weights, ivec2(15, j), 0); c3 += sum * texelFetch(weights, ivec2(16, j), 0);
  }
  o0 = clamp(seen[0] + c0, -${HIGHEST}.0, ${HIGHEST}.0); o1 = clamp(seen[1] + c1, -${HIGHEST}.0, ${HIGHEST}.0);
  o2 = clamp(seen[2] + c2, -${HIGHEST}.0, ${HIGHEST}.0); o3 = clamp(seen[3] + c3, -${HIGHEST}.0, ${HIGHEST}.0);
}`;
  const keeping = head + states + outs + `uniform sampler2D before;
void main() {
  ivec2 p = here();
  float k = living(before, p) && living(a0, p) ? 1.0 : 0.0;
  o0 = k * at(a0, p); o1 = k * at(a1, p); o2 = k * at(a2, p); o3 = k * at(a3, p);
}`;
  const wounding = head + states + outs + `uniform vec3 disc;
void main() {
  ivec2 p = here();
  float k = distance((vec2(p) + 0.5) / ${side}.0, disc.xy) > disc.z ? 1.0 : 0.0;
  o0 = k * at(a0, p); o1 = k * at(a1, p); o2 = k * at(a2, p); o3 = k * at(a3, p);
}`;
  const showing = head + "uniform sampler2D a0; out vec4 colour;" + `
void main() {
  vec4 c = at(a0, ivec2(here().x, size.y - 1 - here().y));
  float a = clamp(c.a, 0.0, 1.0);
  colour = vec4(clamp(c.rgb, 0.0, a), a);
}`;
  function compile(source) {
    const program = gl.createProgram();
    const corner = `#version 300 es
void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0, 1); }`;
    for (const [kind, text] of [[gl.VERTEX_SHADER, corner], [gl.FRAGMENT_SHADER, source]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
  }
  const programs = [stepping, keeping, wounding, showing].map(compile);
  if (programs.some(program => !program)) return null;
  const [stepper, keeper, wounder, shower] = programs;
  const format = full ? gl.RGBA32F : gl.RGBA16F;
  function texture(w, h, kind, data) {
    const made = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, made);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
    gl.texImage2D(gl.TEXTURE_2D, 0, kind, w, h, 0, gl.RGBA, gl.FLOAT, data);
    return made;
  }
  const buffers = [gl.COLOR_ATTACHMENT0, gl.COLOR_ATTACHMENT1, gl.COLOR_ATTACHMENT2, gl.COLOR_ATTACHMENT3];
  function makeCells() {
    const textures = buffers.map(() => texture(columns, rows, format, null)), frame = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
    textures.forEach((each, i) => gl.framebufferTexture2D(gl.FRAMEBUFFER, buffers[i], gl.TEXTURE_2D, each, 0));
    gl.drawBuffers(buffers);
    return {textures, frame, fine: gl.checkFramebufferStatus(gl.FRAMEBUFFER) === gl.FRAMEBUFFER_COMPLETE};
  }
  let now = makeCells(), moved = makeCells(), next = makeCells();
  if (!now.fine) return null;
  const table = texture(TEXELS, hidden, gl.RGBA32F, weights);
  function pass(program, target, inputs, set) {
    gl.useProgram(program);
    gl.bindFramebuffer(gl.FRAMEBUFFER, target ? target.frame : null);
    gl.viewport(0, 0, columns, rows);
    Object.entries(inputs).forEach(([name, each], i) => {
      gl.activeTexture(gl.TEXTURE0 + i);
      gl.bindTexture(gl.TEXTURE_2D, each);
      gl.uniform1i(gl.getUniformLocation(program, name), i);
    });
    if (set) set(name => gl.getUniformLocation(program, name));
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }
  const all = cells => ({a0: cells.textures[0], a1: cells.textures[1], a2: cells.textures[2], a3: cells.textures[3]});
  return {
    name: full ? "WebGL 2, floats" : "WebGL 2, half floats", canvas,
    plant() {
      const one = new Float32Array(rows * columns * 4), place = 4 * ((rows >> 1) * columns + (columns >> 1));
      gl.activeTexture(gl.TEXTURE0);
      now.textures.forEach((each, i) => {
        one.fill(i ? 1 : 0, place, place + 4);
        one[place + 3] = 1;
        gl.bindTexture(gl.TEXTURE_2D, each);
        gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, columns, rows, gl.RGBA, gl.FLOAT, one);
      });
    },
    step(number) {
      pass(stepper, moved, {...all(now), weights: table}, at => gl.uniform1ui(at("start"), startOf(seed, number)));
      pass(keeper, next, {...all(moved), before: now.textures[0]});
      [now, next] = [next, now];
    },
    wound(x, y, radius) {
      pass(wounder, next, all(now), at => gl.uniform3f(at("disc"), x, y, radius));
      [now, next] = [next, now];
    },
    show() { pass(shower, null, {a0: now.textures[0]}); },
    cells() {
      const found = new Float32Array(rows * columns * 4);
      gl.bindFramebuffer(gl.FRAMEBUFFER, now.frame);
      gl.readBuffer(buffers[0]);
      gl.readPixels(0, 0, columns, rows, gl.RGBA, gl.FLOAT, found);
      return found;
    },
  };
}

// The same without a graphics card.
export function makePlain({rows, columns, hidden, seed, weights}) {
  const side = Math.max(rows, columns);
  const canvas = document.createElement("canvas");
  canvas.width = columns; canvas.height = rows;
  const context = canvas.getContext("2d"), picture = context.createImageData(columns, rows);
  let now = new Float32Array(rows * columns * 16), moved = new Float32Array(now.length);
  const seen = new Float32Array(48), sums = new Float32Array(16), around = new Int32Array(9);
  function look(x, y) {
    for (let i = 0; i < 9; i++) {
      const u = x + i % 3 - 1, v = y + Math.floor(i / 3) - 1;
      around[i] = u < 0 || v < 0 || u >= columns || v >= rows ? -1 : 16 * (v * columns + u);
    }
  }
  function living(state) {
    for (let i = 0; i < 9; i++) if (around[i] >= 0 && state[around[i] + 3] > ALIVE) return true;
    return false;
  }
  return {
    name: "JavaScript", canvas,
    plant() {
      now.fill(0);
      const place = 16 * ((rows >> 1) * columns + (columns >> 1));
      now.fill(1, place + 3, place + 16);
    },
    step(number) {
      const start = startOf(seed, number), before = new Uint8Array(rows * columns);
      for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) {
        look(x, y);
        const cell = y * columns + x, place = 16 * cell;
        for (let c = 0; c < 16; c++) moved[place + c] = now[place + c];
        before[cell] = living(now);
        if (!before[cell] || scramble(start ^ cell) >>> 31 === 0) continue;
        for (let c = 0; c < 16; c++) {
          const of = i => around[i] < 0 ? 0 : now[around[i] + c];
          seen[c] = now[place + c];
          seen[16 + c] = (of(2) + 2 * of(5) + of(8) - of(0) - 2 * of(3) - of(6)) / 8;
          seen[32 + c] = (of(6) + 2 * of(7) + of(8) - of(0) - 2 * of(1) - of(2)) / 8;
        }
        sums.fill(0);
        for (let j = 0; j < hidden; j++) {
          const row = j * TEXELS * 4;
          let sum = weights[row + 48];
          for (let i = 0; i < 48; i++) sum += seen[i] * weights[row + i];
          if (sum > 0) for (let c = 0; c < 16; c++) sums[c] += sum * weights[row + 52 + c];
        }
        for (let c = 0; c < 16; c++) moved[place + c] = Math.min(Math.max(now[place + c] + sums[c], -HIGHEST), HIGHEST);
      }
      for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) {
        look(x, y);
        const cell = y * columns + x, keep = before[cell] && living(moved);
        for (let c = 0; c < 16; c++) now[16 * cell + c] = keep ? moved[16 * cell + c] : 0;
      }
    },
    wound(u, v, radius) {
      for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++)
        if (Math.hypot((x + 0.5) / side - u, (y + 0.5) / side - v) <= radius) now.fill(0, 16 * (y * columns + x), 16 * (y * columns + x + 1));
    },
    show() {
      for (let i = 0; i < rows * columns; i++) {
        const a = Math.min(Math.max(now[16 * i + 3], 0), 1);
        for (let c = 0; c < 3; c++) picture.data[4 * i + c] = a > 0 ? 255 * Math.min(Math.max(now[16 * i + c], 0), a) / a : 0;
        picture.data[4 * i + 3] = 255 * a;
      }
      context.putImageData(picture, 0, 0);
    },
    cells() { return Float32Array.from({length: rows * columns * 4}, (_, i) => now[16 * (i >> 2) + (i & 3)]); },
  };
}
