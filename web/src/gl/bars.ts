import type { Rgb } from "../base/color";
import { clipTransform, type Pass } from "./pass";
import { type GL, makeProgram, vertexBuffer } from "./program";
import { perContext, stage } from "./stage";

const VERTEX = `
layout(location=0) in float value;    // height of a bar, in data units
uniform vec4 transform;               // data -> clip: scale, offset
uniform vec3 bins;                    // start of the first bar, width of a bar, share filled
uniform float turned;                 // 1: bars grow to the right, along y
void main() {
  vec2 corner = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1));
  float along = bins.x + bins.y * (float(gl_InstanceID) + 0.5 + (corner.x - 0.5) * bins.z);
  vec2 p = vec2(along, corner.y * value);
  p = turned > 0.5 ? p.yx : p;
  gl_Position = vec4(p * transform.xy + transform.zw, 0.0, 1.0);
}`;

const FRAGMENT = `
uniform vec4 color;
out vec4 o;
void main() { o = vec4(color.rgb * color.a, color.a); }`;

const program = perContext((gl) => makeProgram(gl, VERTEX, FRAGMENT));

export interface BarStyle {
  readonly color: Rgb;
  readonly alpha: number;
  /** Start of the first bar. */
  readonly start: number;
  /** Width of a bar. */
  readonly step: number;
  /** Share of a bar's width that is filled. */
  readonly fill: number;
  /** Whether bars grow to the right instead of upwards. */
  readonly isTurned: boolean;
}

/** Histograms that lie in one array, one after the other. */
export class Bars {
  private buffer: WebGLBuffer | undefined;
  private generation = -1;

  constructor(private readonly values: Float32Array<ArrayBuffer>) {}

  /** Draw `count` bars from value `first` on. */
  draw(pass: Pass, first: number, count: number, style: BarStyle): void {
    const { gl } = pass;
    const { handle, uniform } = program(gl);
    gl.useProgram(handle);
    gl.bindVertexArray(null);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.upload(gl));
    gl.disableVertexAttribArray(1);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 1, gl.FLOAT, false, 0, 4 * first);
    gl.vertexAttribDivisor(0, 1);
    gl.uniform4f(uniform("transform"), ...clipTransform(pass));
    gl.uniform3f(uniform("bins"), style.start, style.step, style.fill);
    gl.uniform1f(uniform("turned"), style.isTurned ? 1 : 0);
    gl.uniform4f(uniform("color"), ...style.color, style.alpha);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, count);
    gl.vertexAttribDivisor(0, 0);
  }

  private upload(gl: GL): WebGLBuffer {
    if (!this.buffer || this.generation !== stage.generation) {
      this.buffer = vertexBuffer(gl, this.values);
      this.generation = stage.generation;
    }
    return this.buffer;
  }

  dispose(): void {
    if (this.buffer) stage.gl?.deleteBuffer(this.buffer);
    this.buffer = undefined;
  }
}
