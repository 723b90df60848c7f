import { describe, expect, it } from "vitest";
import { parseArguments, parseIds, parseValue, SnippetError, splitSnippet } from "./snippets";

describe("snippets", () => {
  it("split into a name and the rest", () => {
    expect(splitSnippet(":c 47  49 ")).toEqual({ name: "c", rest: "47  49" });
    expect(splitSnippet("g")).toEqual({ name: "g", rest: "" });
  });

  it("read cluster ids one by one, as ranges and as lists", () => {
    expect(parseIds("3-6")).toEqual([3, 4, 5, 6]);
    expect(parseIds("1,2")).toEqual([1, 2]);
    expect(parseIds("47 49")).toEqual([47, 49]);
    expect(() => parseIds("a")).toThrow(SnippetError);
  });

  it("take dashes in a text for dashes, and negative numbers for numbers", () => {
    const label = { kinds: ["word", "rest"], nRequired: 2 } as const;
    expect(parseArguments("note a-b", label)).toEqual(["note", "a-b"]);
    expect(parseArguments("note drifts  a lot", label)).toEqual(["note", "drifts  a lot"]);
    expect(parseArguments("-0.5", { kinds: ["number"], nRequired: 1 })).toEqual([-0.5]);
  });

  it("give a filter the whole rest of the line", () => {
    const filter = { kinds: ["rest"], nRequired: 0 } as const;
    expect(parseArguments("group == 'good' && fr > 2", filter)).toEqual([
      "group == 'good' && fr > 2",
    ]);
    expect(parseArguments("", filter)).toEqual([]);
  });

  it("say what is missing or too much", () => {
    const one = { kinds: ["number"], nRequired: 1 } as const;
    expect(() => parseArguments("", one)).toThrow("A number is missing.");
    expect(() => parseArguments("1 2", one)).toThrow("one argument too many");
    expect(() => parseArguments("x", one)).toThrow("no number");
  });

  it("keep quoted words together", () => {
    const label = { kinds: ["word", "rest"], nRequired: 2 } as const;
    expect(parseArguments("'my note' 3", label)).toEqual(["my note", "3"]);
  });

  it("turn values into numbers only where they are numbers", () => {
    expect([parseValue("3"), parseValue("1e3"), parseValue("a"), parseValue("007")]).toEqual([
      3,
      1000,
      "a",
      "007",
    ]);
    expect(parseValue('"3"')).toBe("3");
  });
});
