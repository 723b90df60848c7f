/** Shader programs, data textures and vertex arrays: the few WebGL2 helpers that visuals need. */

export type GL = WebGL2RenderingContext;

const HEAD = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp isampler2D;
`;

/** Width of data textures: element i lies at (i % WIDTH, i / WIDTH). */
export const WIDTH = 4096;

export interface Program {
  readonly handle: WebGLProgram;
  uniform(name: string): WebGLUniformLocation;
}

export function makeProgram(gl: GL, vertexSource: string, fragmentSource: string): Program {
  const handle = gl.createProgram();
  const sources: [number, string][] = [
    [gl.VERTEX_SHADER, vertexSource],
    [gl.FRAGMENT_SHADER, fragmentSource],
  ];
  for (const [kind, source] of sources) {
    const shader = gl.createShader(kind);
    if (!shader) throw new Error("WebGL2 gave no shader; is its context lost?");
    gl.shaderSource(shader, HEAD + source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost()) {
      throw new Error(gl.getShaderInfoLog(shader) ?? "A shader does not compile.");
    }
    gl.attachShader(handle, shader);
  }
  gl.linkProgram(handle);
  if (!gl.getProgramParameter(handle, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(gl.getProgramInfoLog(handle) ?? "A shader program does not link.");
  }
  const locations = new Map<string, WebGLUniformLocation>();
  return {
    handle,
    uniform(name) {
      let location = locations.get(name);
      if (!location) {
        const found = gl.getUniformLocation(handle, name);
        if (!found) throw new Error(`Uniform "${name}" not found (optimised out, or a typo?)`);
        location = found;
        locations.set(name, location);
      }
      return location;
    },
  };
}

/** Upload 16-bit integers as a texture of width WIDTH. */
export function integerTexture(gl: GL, data: Int16Array<ArrayBuffer>): WebGLTexture {
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  const height = Math.max(1, Math.ceil(data.length / WIDTH));
  const nFull = Math.floor(data.length / WIDTH);
  gl.texStorage2D(gl.TEXTURE_2D, 1, gl.R16I, WIDTH, height);
  if (nFull) {
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, WIDTH, nFull, gl.RED_INTEGER, gl.SHORT, data, 0);
  }
  const nRest = data.length % WIDTH;
  if (nRest) {
    const start = nFull * WIDTH;
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, nFull, nRest, 1, gl.RED_INTEGER, gl.SHORT, data, start);
  }
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  return texture;
}

export function vertexBuffer(gl: GL, data: ArrayBufferView<ArrayBuffer>): WebGLBuffer {
  const buffer = gl.createBuffer();
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
  return buffer;
}
