import { describe, expect, it } from "vitest";
import { dataUrl } from "./fetcher";
import { decodeFrame } from "./frames";

function frame(header: object, data: Uint8Array): ArrayBuffer {
  let text = JSON.stringify(header);
  while ((text.length + 4) % 8) text += " ";
  const bytes = new Uint8Array(4 + text.length + data.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(new TextEncoder().encode(text), 4);
  bytes.set(data, 4 + text.length);
  return bytes.buffer;
}

describe("decodeFrame", () => {
  it("gives plain values and views into the buffer", () => {
    const data = new Uint8Array(new Float32Array([1.5, -2, 0, 0]).buffer);
    const header = {
      meta: { note: "x" },
      arrays: { values: { dtype: "<f4", shape: [2, 1], offset: 0 } },
    };
    const decoded = decodeFrame<{ note: string; values: Float32Array }>(frame(header, data));
    expect(decoded.note).toBe("x");
    expect([...decoded.values]).toEqual([1.5, -2]);
  });

  it("refuses an array of a type that it does not know", () => {
    const header = { meta: {}, arrays: { a: { dtype: "<c16", shape: [0], offset: 0 } } };
    expect(() => decodeFrame(frame(header, new Uint8Array(0)))).toThrow("unknown type <c16");
  });
});

describe("dataUrl", () => {
  it("leaves out what is at its default, so that equal requests have equal addresses", () => {
    const request = { view: "correlograms", clusterIds: [1, 2], revision: 3 } as const;
    expect(dataUrl({ ...request, params: { bin_ms: 1, window_ms: 50 } })).toBe(
      dataUrl({ ...request, params: {} }),
    );
    expect(dataUrl({ ...request, params: { bin_ms: 0.5 } })).toBe(
      "data/correlograms?clusters=1%2C2&revision=3&bin_ms=0.5",
    );
  });
});
