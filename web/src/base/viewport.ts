import type { Point, Rect } from "./geometry";

/**
 * Pan and zoom of a whole plot area, as a map from layout pixels to screen pixels:
 * `screen = layout * scale + offset`, one scale for each direction.
 */
export interface Viewport {
  readonly scaleX: number;
  readonly scaleY: number;
  readonly offsetX: number;
  readonly offsetY: number;
}

export const HOME: Viewport = { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 };

const SCALE_MIN = 0.2;
const SCALE_MAX = 1e5;

export function toScreen(view: Viewport, rect: Rect): Rect {
  return {
    x: rect.x * view.scaleX + view.offsetX,
    y: rect.y * view.scaleY + view.offsetY,
    w: rect.w * view.scaleX,
    h: rect.h * view.scaleY,
  };
}

export function toLayout(view: Viewport, point: Point): Point {
  return [(point[0] - view.offsetX) / view.scaleX, (point[1] - view.offsetY) / view.scaleY];
}

export function pan(view: Viewport, dx: number, dy: number): Viewport {
  return { ...view, offsetX: view.offsetX + dx, offsetY: view.offsetY + dy };
}

/** Zoom about a screen point, which stays where it is. */
export function zoom(view: Viewport, at: Point, factorX: number, factorY: number): Viewport {
  const scaleX = Math.min(Math.max(view.scaleX * factorX, SCALE_MIN), SCALE_MAX);
  const scaleY = Math.min(Math.max(view.scaleY * factorY, SCALE_MIN), SCALE_MAX);
  return {
    scaleX,
    scaleY,
    offsetX: at[0] - ((at[0] - view.offsetX) * scaleX) / view.scaleX,
    offsetY: at[1] - ((at[1] - view.offsetY) * scaleY) / view.scaleY,
  };
}

export function isHome(view: Viewport): boolean {
  return view.scaleX === 1 && view.scaleY === 1 && view.offsetX === 0 && view.offsetY === 0;
}
