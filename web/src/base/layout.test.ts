import { describe, expect, it } from "vitest";
import type { Point } from "./geometry";
import { layoutBoxes } from "./probe_layout";
import { HOME, pan, toLayout, toScreen, zoom } from "./viewport";

function overlaps(positions: readonly Point[]): number {
  const { centers, width, height } = layoutBoxes(positions);
  let n = 0;
  for (let i = 0; i < centers.length; i++) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [centers[i] as Point, centers[j] as Point];
      if (Math.abs(a[0] - b[0]) < width - 1e-9 && Math.abs(a[1] - b[1]) < height - 1e-9) n++;
    }
  }
  return n;
}

describe("layoutBoxes", () => {
  const column = Array.from({ length: 12 }, (_, i): Point => [0, 20 * i]);
  const staggered = Array.from(
    { length: 16 },
    (_, i): Point => [[43, 11, 59, 27][i % 4] as number, 20 * Math.floor(i / 2)],
  );

  it("never lets boxes overlap", () => {
    expect(overlaps(column)).toBe(0);
    expect(overlaps(staggered)).toBe(0);
    expect(
      overlaps([
        [0, 0],
        [10, 0],
        [0, 10],
        [10, 10],
      ]),
    ).toBe(0);
  });

  it("uses the whole width for a column of sites", () => {
    expect(layoutBoxes(column).width).toBeGreaterThan(0.8);
  });

  it("puts the highest site at the top and keeps boxes inside", () => {
    const { centers, width, height } = layoutBoxes(staggered);
    for (const [x, y] of centers) {
      expect(x - width / 2).toBeGreaterThanOrEqual(0);
      expect(y + height / 2).toBeLessThanOrEqual(1);
    }
    expect((centers[15] as Point)[1]).toBeLessThan((centers[0] as Point)[1]);
  });

  it("gives a single site everything", () => {
    expect(layoutBoxes([[5, 5]]).centers).toEqual([[0.5, 0.5]]);
  });
});

describe("viewport", () => {
  it("keeps the point under the mouse when zooming", () => {
    const at: Point = [120, 40];
    const before = toLayout(HOME, at);
    const view = zoom(pan(HOME, 0, 0), at, 3, 2);
    expect(toLayout(view, at)).toEqual(before);
  });

  it("maps rectangles to the screen and back", () => {
    const view = zoom(pan(HOME, 15, -7), [10, 20], 1.5, 4);
    const rect = toScreen(view, { x: 10, y: 20, w: 30, h: 40 });
    const [x, y] = toLayout(view, [rect.x, rect.y]);
    expect(x).toBeCloseTo(10);
    expect(y).toBeCloseTo(20);
    expect(rect.w).toBeCloseTo(45);
    expect(rect.h).toBeCloseTo(160);
  });
});
