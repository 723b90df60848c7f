import { expect, it } from "vitest";
import { Lru } from "./lru";

it("drops what was used longest ago, by size", () => {
  const cache = new Lru<string>(10);
  cache.set("a", "A", 4);
  cache.set("b", "B", 4);
  cache.get("a");
  cache.set("c", "C", 4);
  expect([cache.has("a"), cache.has("b"), cache.has("c")]).toEqual([true, false, true]);
});

it("keeps a single value that is too large, and counts a replaced one once", () => {
  const cache = new Lru<number>(10);
  cache.set("big", 1, 50);
  expect(cache.get("big")).toBe(1);
  cache.set("big", 2, 5);
  cache.set("other", 3, 5);
  expect([cache.get("big"), cache.get("other")]).toEqual([2, 3]);
});
