import { describe, expect, it } from "vitest";
import { chordOf, chordText, type KeyLike } from "./keys";

function press(key: string, code: string, modifiers = ""): KeyLike {
  return {
    key,
    code,
    ctrlKey: modifiers.includes("c"),
    altKey: modifiers.includes("a"),
    shiftKey: modifiers.includes("s"),
    metaKey: modifiers.includes("m"),
  };
}

describe("chordOf", () => {
  it("names modifiers in a fixed order", () => {
    expect(chordOf(press("Z", "KeyZ", "cs"))).toBe("ctrl+shift+z");
    expect(chordOf(press("n", "KeyN", "ca"))).toBe("ctrl+alt+n");
  });

  it("takes Command for Ctrl", () => {
    expect(chordOf(press("s", "KeyS", "m"))).toBe("ctrl+s");
  });

  it("is not fooled by the dead keys that Alt makes on a Mac", () => {
    expect(chordOf(press("˜", "KeyN", "a"))).toBe("alt+n");
    expect(chordOf(press("Dead", "KeyU", "a"))).toBe("alt+u");
  });

  it("names symbols by what they type, whatever Shift had to do with it", () => {
    expect(chordOf(press(":", "Semicolon", "s"))).toBe(":");
    expect(chordOf(press("+", "Equal", "as"))).toBe("alt++");
    expect(chordOf(press("?", "Slash", "s"))).toBe("?");
  });

  it("knows keys without a letter", () => {
    expect(chordOf(press(" ", "Space", "c"))).toBe("ctrl+space");
    expect(chordOf(press("ArrowLeft", "ArrowLeft", "as"))).toBe("alt+shift+left");
    expect(chordOf(press("F1", "F1"))).toBe("f1");
  });
});

describe("chordText", () => {
  it("is what people write", () => {
    expect(chordText("ctrl+shift+z")).toBe("Ctrl+Shift+Z");
    expect(chordText("alt++")).toBe("Alt++");
    expect(chordText("down")).toBe("↓");
  });
});
