import { type Rgb, rgb, selectedColor } from "../base/color";

/** Rows of one cluster in an array that holds those of several, one after the other. */
export interface Span {
  readonly clusterId: number;
  /** Position in the selection. */
  readonly position: number;
  readonly color: Rgb;
  readonly hex: string;
  readonly first: number;
  readonly count: number;
}

/** Rows of each cluster, after `nBackground` rows of other spikes. */
export function spansOf(
  clusterIds: readonly number[],
  counts: readonly number[],
  nBackground = 0,
): Span[] {
  let first = nBackground;
  return clusterIds.map((clusterId, position) => {
    const count = counts[position] ?? 0;
    const hex = selectedColor(position);
    const span = { clusterId, position, color: rgb(hex), hex, first, count };
    first += count;
    return span;
  });
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Markers are made fainter the more of them there are. */
export function markerAlpha(nPoints: number): number {
  return Math.min(0.75, Math.max(0.25, 40 / Math.sqrt(nPoints + 1)));
}
