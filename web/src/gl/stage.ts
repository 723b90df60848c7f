import type { Rgb } from "../base/color";
import type { GL } from "./program";

/**
 * One WebGL2 context for all views. Each view is a plain canvas with a `bitmaprenderer` context,
 * so it stacks, floats and moves into other windows as any element does, and browsers' limit of
 * about sixteen contexts does not matter.
 *
 * When the context is lost (a driver reset, a laptop waking up) everything on the GPU is gone:
 * `generation` counts contexts, and visuals that were made for an older one are made again.
 */
export class Stage {
  private canvas = new OffscreenCanvas(1, 1);
  private context: GL | null = null;
  private readonly onLost: (() => void)[] = [];
  generation = 0;
  nFrames = 0;

  /** The context, or null where the browser has no WebGL2. */
  get gl(): GL | null {
    if (!this.context) this.open();
    return this.context;
  }

  private open(): void {
    this.canvas = new OffscreenCanvas(1, 1);
    this.context = this.canvas.getContext("webgl2", { antialias: true, alpha: false });
    this.generation++;
    this.canvas.addEventListener("webglcontextlost", () => {
      this.context = null;
      for (const listener of this.onLost) listener();
    });
  }

  /** Call `listener` when everything must be drawn anew. */
  whenLost(listener: () => void): () => void {
    this.onLost.push(listener);
    return () => this.onLost.splice(this.onLost.indexOf(listener), 1);
  }

  /** Draw a picture of a size in device pixels and hand it to a view's canvas. */
  present(
    target: ImageBitmapRenderingContext,
    width: number,
    height: number,
    background: Rgb,
    draw: (gl: GL) => void,
  ): void {
    const gl = this.gl;
    if (!gl || gl.isContextLost()) return;
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    gl.viewport(0, 0, width, height);
    gl.disable(gl.SCISSOR_TEST);
    gl.clearColor(...background, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    draw(gl);
    this.nFrames++;
    target.transferFromImageBitmap(this.canvas.transferToImageBitmap());
  }
}

export const stage = new Stage();

/** Something made once for each context, such as a program. */
export function perContext<T>(make: (gl: GL) => T): (gl: GL) => T {
  let made: T | undefined;
  let generation = -1;
  return (gl) => {
    if (made === undefined || generation !== stage.generation) {
      made = make(gl);
      generation = stage.generation;
    }
    return made;
  };
}
