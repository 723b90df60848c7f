import { describe, expect, it } from "vitest";
import { shortLabels } from "./labels";

describe("labels of channels", () => {
  it("stay as they are where they are short", () => {
    const names = ["A-000", "A-001"];
    expect(shortLabels(names)).toBe(names);
    expect(shortLabels([])).toEqual([]);
  });

  it("lose whole words that all share", () => {
    expect(shortLabels(["imec0.ap#AP0", "imec0.ap#AP1", "imec0.ap#AP10"])).toEqual([
      "AP0",
      "AP1",
      "AP10",
    ]);
    expect(shortLabels(["amplifier 1", "amplifier 12"])).toEqual(["1", "12"]);
  });

  it("never become nothing, nor lose a part of a word", () => {
    expect(shortLabels(["channel", "channel1"])).toEqual(["channel", "channel1"]);
    expect(shortLabels(["probe_a_", "probe_a_"])).toEqual(["a_", "a_"]);
    expect(shortLabels(["electrode"])).toEqual(["electrode"]);
  });

  it("keep their end where they are too long", () => {
    expect(shortLabels(["a-very-long-name-of-a-channel"])).toEqual(["…-of-a-channel"]);
  });
});
