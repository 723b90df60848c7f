/** Rectangles and ranges. */

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** An interval of data values, low to high. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

export type Point = readonly [number, number];

export function contains(rect: Rect, x: number, y: number): boolean {
  return x >= rect.x && x <= rect.x + rect.w && y >= rect.y && y <= rect.y + rect.h;
}

/** The common part of two rectangles; its size is zero where they do not meet. */
export function intersect(a: Rect, b: Rect): Rect {
  const x = Math.max(a.x, b.x);
  const y = Math.max(a.y, b.y);
  const w = Math.max(0, Math.min(a.x + a.w, b.x + b.w) - x);
  const h = Math.max(0, Math.min(a.y + a.h, b.y + b.h) - y);
  return { x, y, w, h };
}

/** Position of a value in a range, 0 at its low end and 1 at its high end. */
export function fraction(range: Range, value: number): number {
  return (value - range.low) / (range.high - range.low || 1);
}

/** The value at a position in a range. */
export function valueAt(range: Range, position: number): number {
  return range.low + position * (range.high - range.low);
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** A grid cell in unit coordinates: row 0 is at the top. */
export function gridCell(row: number, column: number, nRows: number, nColumns: number): Rect {
  return { x: column / nColumns, y: row / nRows, w: 1 / nColumns, h: 1 / nRows };
}
