import { clipTransform, type Pass } from "./pass";
import { type GL, integerTexture, makeProgram, vertexBuffer, WIDTH } from "./program";
import { perContext, stage } from "./stage";

/**
 * Many polylines whose values lie in one array of 16-bit integers, as the server sends them.
 * Each line is an instance that pulls its vertices from a data texture; nothing is expanded in
 * JavaScript. Vertex v of a line shows `values[start + min(v, count - 1)]`.
 */

/** Numbers of one line, in the order of `PolylineSet.lines`. */
export const FIELDS = 8;

const VERTEX = `
layout(location=0) in vec4 line;      // x, y in data units; first value; number of vertices
layout(location=1) in vec4 color;     // not premultiplied
uniform isampler2D values;
uniform vec4 transform;               // data -> clip: scale, offset
uniform vec2 unit;                    // data units per vertex (x) and per value step (y)
uniform vec2 shift;                   // clip units, for thick lines
out vec4 v_color;
void main() {
  int v = min(gl_VertexID, int(line.w) - 1);
  int i = int(line.z) + v;
  float value = float(texelFetch(values, ivec2(i % ${WIDTH}, i / ${WIDTH}), 0).r);
  vec2 p = vec2(line.x + float(v) * unit.x, line.y + value * unit.y);
  gl_Position = vec4(p * transform.xy + transform.zw + shift, 0.0, 1.0);
  v_color = vec4(color.rgb * color.a, color.a);
}`;

const FRAGMENT = `
in vec4 v_color;
out vec4 o;
void main() { o = v_color; }`;

const program = perContext((gl) => makeProgram(gl, VERTEX, FRAGMENT));

export interface Strokes {
  /** For each line x, y, start, count, then red, green, blue, alpha (0 to 1). */
  readonly lines: Float32Array<ArrayBuffer>;
  /** Data units from one vertex to the next. */
  readonly stepX: number;
  /** Data units for one step of a value. */
  readonly stepY: number;
  /** Width in layout pixels; 1 for hairlines. */
  readonly width: number;
}

export class Polylines {
  private texture: WebGLTexture | undefined;
  private generation = -1;

  constructor(private readonly values: Int16Array<ArrayBuffer>) {}

  draw(pass: Pass, strokes: Strokes): void {
    const { gl } = pass;
    const nLines = strokes.lines.length / FIELDS;
    if (nLines === 0 || this.values.length === 0) return;
    const { handle, uniform } = program(gl);
    gl.useProgram(handle);
    gl.bindVertexArray(null);
    const buffer = vertexBuffer(gl, strokes.lines);
    for (const location of [0, 1]) {
      gl.enableVertexAttribArray(location);
      gl.vertexAttribPointer(location, 4, gl.FLOAT, false, 4 * FIELDS, 16 * location);
      gl.vertexAttribDivisor(location, 1);
    }
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.upload(gl));
    gl.uniform1i(uniform("values"), 0);
    gl.uniform4f(uniform("transform"), ...clipTransform(pass));
    gl.uniform2f(uniform("unit"), strokes.stepX, strokes.stepY);
    const nVertices = longest(strokes.lines);
    for (const [dx, dy] of offsets(strokes.width * pass.pixelRatio)) {
      gl.uniform2f(uniform("shift"), (2 * dx) / pass.width, (2 * dy) / pass.height);
      gl.drawArraysInstanced(gl.LINE_STRIP, 0, nVertices, nLines);
    }
    for (const location of [0, 1]) gl.vertexAttribDivisor(location, 0);
    gl.deleteBuffer(buffer);
  }

  private upload(gl: GL): WebGLTexture {
    if (!this.texture || this.generation !== stage.generation) {
      this.texture = integerTexture(gl, this.values);
      this.generation = stage.generation;
    }
    return this.texture;
  }

  dispose(): void {
    if (this.texture) stage.gl?.deleteTexture(this.texture);
    this.texture = undefined;
  }
}

function longest(lines: Float32Array<ArrayBuffer>): number {
  let most = 0;
  for (let i = 3; i < lines.length; i += FIELDS) most = Math.max(most, lines[i] ?? 0);
  return most;
}

/** WebGL draws lines one pixel wide: wider ones are drawn several times, a pixel apart. */
function offsets(widthPx: number): [number, number][] {
  const n = Math.max(1, Math.round(widthPx));
  if (n === 1) return [[0, 0]];
  const found: [number, number][] = [];
  for (let k = 0; k < n; k++) {
    const d = k - (n - 1) / 2;
    found.push([d, 0]);
    if (d !== 0) found.push([0, d]);
  }
  return found;
}
