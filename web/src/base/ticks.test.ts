import { describe, expect, it } from "vitest";
import { tickStep, ticks, tickText } from "./ticks";

describe("ticks", () => {
  it("are round and inside the range", () => {
    expect(ticks({ low: -25.5, high: 25.5 }, 6)).toEqual([-20, -10, 0, 10, 20]);
    expect(ticks({ low: 0, high: 0.25 }, 6)).toHaveLength(6);
  });

  it("are none for an empty range", () => {
    expect(ticks({ low: 1, high: 1 }, 5)).toEqual([]);
    expect(ticks({ low: 0, high: 1 }, 0)).toEqual([]);
  });

  it("have no more decimals than their step needs", () => {
    const step = tickStep({ low: 7.37, high: 7.62 }, 5);
    expect(step).toBe(0.05);
    expect(tickText(7.4, step)).toBe("7.40");
    expect(tickText(-0.0000001, 1)).toBe("0");
    expect(tickText(25_000, 5000)).toBe("25k");
  });
});
