import type { Range, Rect } from "../base/geometry";
import type { GL } from "./program";

/** Where a visual is drawn: a panel of a view, in device pixels, with the ranges of its axes. */
export interface Pass {
  readonly gl: GL;
  /** Size of the picture. */
  readonly width: number;
  readonly height: number;
  /** The panel; may reach beyond the picture when zoomed in. */
  readonly rect: Rect;
  readonly x: Range;
  readonly y: Range;
  /** Device pixels per layout pixel. */
  readonly pixelRatio: number;
}

/**
 * The map from data to clip coordinates, as scale and offset: clip = data * scale + offset.
 * Worked out in double precision, relative to `origin` so that large times keep their digits.
 */
export function clipTransform(
  pass: Pass,
  origin: readonly [number, number] = [0, 0],
): [number, number, number, number] {
  const { rect, width, height, x, y } = pass;
  const scaleX = ((rect.w / (x.high - x.low || 1)) * 2) / width;
  const scaleY = ((rect.h / (y.high - y.low || 1)) * 2) / height;
  const offsetX = (rect.x * 2) / width - 1 + (origin[0] - x.low) * scaleX;
  // Pixels count downwards, clip coordinates upwards.
  const offsetY = 1 - ((rect.y + rect.h) * 2) / height + (origin[1] - y.low) * scaleY;
  return [scaleX, scaleY, offsetX, offsetY];
}

/** Keep drawing inside the panel; returns whether any of it is visible. */
export function clipToPanel(pass: Pass): boolean {
  const { gl, rect, width, height } = pass;
  const left = Math.max(0, Math.floor(rect.x));
  const right = Math.min(width, Math.ceil(rect.x + rect.w));
  const top = Math.max(0, Math.floor(rect.y));
  const bottom = Math.min(height, Math.ceil(rect.y + rect.h));
  if (right <= left || bottom <= top) return false;
  gl.enable(gl.SCISSOR_TEST);
  gl.scissor(left, height - bottom, right - left, bottom - top);
  return true;
}
