import type { Rgb } from "../base/color";
import { clipTransform, type Pass } from "./pass";
import { makeProgram, vertexBuffer } from "./program";
import { perContext } from "./stage";

const VERTEX = `
layout(location=0) in vec2 p;         // data
uniform vec4 transform;               // data -> clip: scale, offset
void main() { gl_Position = vec4(p * transform.xy + transform.zw, 0.0, 1.0); }`;

const FRAGMENT = `
uniform vec4 color;
out vec4 o;
void main() { o = vec4(color.rgb * color.a, color.a); }`;

const program = perContext((gl) => makeProgram(gl, VERTEX, FRAGMENT));

/** Draw a few straight lines: x0 y0 x1 y1 for each, in data units. */
export function drawSegments(pass: Pass, ends: readonly number[], color: Rgb, alpha: number): void {
  if (ends.length === 0) return;
  const { gl } = pass;
  const { handle, uniform } = program(gl);
  gl.useProgram(handle);
  gl.bindVertexArray(null);
  const buffer = vertexBuffer(gl, new Float32Array(ends));
  gl.disableVertexAttribArray(1);
  gl.enableVertexAttribArray(0);
  gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
  gl.vertexAttribDivisor(0, 0);
  gl.uniform4f(uniform("transform"), ...clipTransform(pass));
  gl.uniform4f(uniform("color"), ...color, alpha);
  gl.drawArrays(gl.LINES, 0, ends.length / 2);
  gl.deleteBuffer(buffer);
}
