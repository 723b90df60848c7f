import type { Point } from "./geometry";

/** Boxes of equal size around points, in unit coordinates (y down), that do not overlap. */
export interface BoxLayout {
  /** Centre of each box. */
  readonly centers: readonly Point[];
  readonly width: number;
  readonly height: number;
}

const GAP = 0.92;

/**
 * Place one box for each channel position (x to the right, y up), as large as fits.
 *
 * Boxes of equal aspect are grown until two of them touch. A box may be flat and wide (sites on a
 * column) or tall and narrow: for every pair either the horizontal or the vertical distance must
 * hold it, and the split that gives the largest area wins.
 */
export function layoutBoxes(positions: readonly Point[]): BoxLayout {
  const n = positions.length;
  if (n === 0) return { centers: [], width: 1, height: 1 };
  const xs = spread(positions.map((p) => p[0]));
  const ys = spread(positions.map((p) => -p[1]));
  const [width, height] = largestBox(xs, ys);
  // Shrink the field of centres so that the outer boxes stay inside the unit square.
  const centers = xs.map(
    (x, i): Point => [width / 2 + x * (1 - width), height / 2 + (ys[i] ?? 0) * (1 - height)],
  );
  return { centers, width: width * GAP, height: height * GAP };
}

/** Values scaled to 0..1; all 0.5 if they are the same. */
function spread(values: readonly number[]): number[] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  return values.map((v) => (high > low ? (v - low) / (high - low) : 0.5));
}

function largestBox(xs: readonly number[], ys: readonly number[]): [number, number] {
  let best: [number, number] = [1e-6, 1e-6];
  const gaps = new Set<number>([1]);
  for (let i = 0; i < xs.length; i++) {
    for (let j = 0; j < i; j++) {
      const dx = Math.abs((xs[i] ?? 0) - (xs[j] ?? 0));
      if (dx > 1e-9) gaps.add(boxOf(dx));
    }
  }
  for (const width of gaps) {
    // Sites on a slant give a wealth of gaps; very narrow boxes are never the answer.
    if (width < 0.02 && gaps.size > 50) continue;
    const height = tallest(xs, ys, width);
    if (height * width > best[0] * best[1]) best = [width, height];
  }
  return best;
}

/**
 * The box size at which neighbours at a distance `gap` (in a field that shrinks to make room for
 * the boxes themselves) just touch: size = gap * (1 - size).
 */
function boxOf(gap: number): number {
  return gap / (1 + gap);
}

function tallest(xs: readonly number[], ys: readonly number[], width: number): number {
  let height = 1;
  for (let i = 0; i < xs.length; i++) {
    for (let j = 0; j < i; j++) {
      const dx = Math.abs((xs[i] ?? 0) - (xs[j] ?? 0)) * (1 - width);
      if (dx >= width - 1e-9) continue;
      const dy = Math.abs((ys[i] ?? 0) - (ys[j] ?? 0));
      height = Math.min(height, boxOf(dy));
    }
  }
  return height;
}
