import type { Rgb } from "../base/color";
import { clipTransform, type Pass } from "./pass";
import { type GL, makeProgram, vertexBuffer } from "./program";
import { perContext, stage } from "./stage";

const VERTEX = `
layout(location=0) in float x;        // data
layout(location=1) in float y;        // data
uniform vec4 transform;               // data -> clip: scale, offset
uniform float size;                   // device pixels
void main() {
  // A point without a coordinate is drawn nowhere.
  bool absent = isnan(x) || isnan(y);
  gl_Position = absent ? vec4(2.0, 2.0, 2.0, 1.0)
                       : vec4(vec2(x, y) * transform.xy + transform.zw, 0.0, 1.0);
  gl_PointSize = size;
}`;

const FRAGMENT = `
uniform vec4 color;                   // not premultiplied
out vec4 o;
void main() {
  vec2 d = gl_PointCoord * 2.0 - 1.0;
  float r = dot(d, d);
  if (r > 1.0) discard;
  float a = color.a * (1.0 - smoothstep(0.6, 1.0, r));
  o = vec4(color.rgb * a, a);
}`;

const program = perContext((gl) => makeProgram(gl, VERTEX, FRAGMENT));

/** Columns of values on the GPU, of which any two can be the axes of a scatter plot. */
export class PointCloud {
  private buffers = new Map<string, WebGLBuffer>();
  private generation = -1;

  constructor(private readonly columns: ReadonlyMap<string, Float32Array<ArrayBuffer>>) {}

  /** Draw points `first` to `first + count` with columns `xName` and `yName` as axes. */
  draw(
    pass: Pass,
    axes: { readonly x: string; readonly y: string },
    span: { readonly first: number; readonly count: number },
    style: { readonly color: Rgb; readonly alpha: number; readonly size: number },
  ): void {
    const { gl } = pass;
    const x = this.buffer(gl, axes.x);
    const y = this.buffer(gl, axes.y);
    if (!x || !y || span.count === 0) return;
    const { handle, uniform } = program(gl);
    gl.useProgram(handle);
    gl.bindVertexArray(null);
    for (const [location, buffer] of [x, y].entries()) {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.enableVertexAttribArray(location);
      gl.vertexAttribPointer(location, 1, gl.FLOAT, false, 0, 0);
      gl.vertexAttribDivisor(location, 0);
    }
    gl.uniform4f(uniform("transform"), ...clipTransform(pass));
    gl.uniform1f(uniform("size"), Math.max(1, style.size * pass.pixelRatio));
    gl.uniform4f(uniform("color"), ...style.color, style.alpha);
    gl.drawArrays(gl.POINTS, span.first, span.count);
  }

  private buffer(gl: GL, name: string): WebGLBuffer | undefined {
    if (this.generation !== stage.generation) {
      this.buffers.clear();
      this.generation = stage.generation;
    }
    let buffer = this.buffers.get(name);
    const column = this.columns.get(name);
    if (!buffer && column) {
      buffer = vertexBuffer(gl, column);
      this.buffers.set(name, buffer);
    }
    return buffer;
  }

  dispose(): void {
    for (const buffer of this.buffers.values()) stage.gl?.deleteBuffer(buffer);
    this.buffers.clear();
  }
}
