/**
 * Frames of bulk data: u32 header length, JSON header, then arrays at multiples of 8 bytes.
 * The layout is described in spikeloom/app/frames.py.
 */

interface ArrayInfo {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly offset: number;
}

interface Header {
  readonly meta: Record<string, unknown>;
  readonly arrays: Readonly<Record<string, ArrayInfo>>;
}

type Maker = (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView<ArrayBuffer>;

const MAKERS: Readonly<Record<string, Maker>> = {
  "<f4": (b, o, n) => new Float32Array(b, o, n),
  "<f8": (b, o, n) => new Float64Array(b, o, n),
  "<i2": (b, o, n) => new Int16Array(b, o, n),
  "<i4": (b, o, n) => new Int32Array(b, o, n),
  "|u1": (b, o, n) => new Uint8Array(b, o, n),
};

/** Decode a frame; arrays are views into `buffer`, nothing is copied. */
export function decodeFrame<F>(buffer: ArrayBuffer): F {
  const nHeader = new DataView(buffer).getUint32(0, true);
  const text = new TextDecoder().decode(new Uint8Array(buffer, 4, nHeader));
  const header = JSON.parse(text) as Header;
  const frame: Record<string, unknown> = header.meta;
  for (const [name, info] of Object.entries(header.arrays)) {
    const make = MAKERS[info.dtype];
    if (!make) throw new Error(`The frame has an array ${name} of unknown type ${info.dtype}.`);
    const length = info.shape.reduce((product, n) => product * n, 1);
    frame[name] = make(buffer, 4 + nHeader + info.offset, length);
  }
  return frame as F;
}
