import type { Range } from "./geometry";

/** Round steps for an axis: 1, 2 or 5 times a power of ten. */
export function tickStep(range: Range, nTicksMax: number): number {
  const rough = (range.high - range.low) / Math.max(1, nTicksMax);
  if (!(rough > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const ratio = rough / power;
  // A hair of slack: 0.1 / 0.05 must not count as more than 2.
  const nice = ratio <= 1 + 1e-9 ? 1 : ratio <= 2 + 1e-9 ? 2 : ratio <= 5 + 1e-9 ? 5 : 10;
  return nice * power;
}

/** Tick positions inside a range, at most about `nTicksMax`. */
export function ticks(range: Range, nTicksMax: number): number[] {
  if (nTicksMax < 1 || !(range.high > range.low)) return [];
  const step = tickStep(range, nTicksMax);
  const found: number[] = [];
  for (let k = Math.ceil(range.low / step - 1e-9); k * step <= range.high + step * 1e-9; k++) {
    found.push(k * step);
    if (found.length > 1000) break;
  }
  return found;
}

/** Text of a tick: as many decimals as the step needs, thousands as k. */
export function tickText(value: number, step: number): string {
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  if (decimals > 6) return value.toExponential(1);
  if (Math.abs(value) >= 10_000 && step >= 100) return `${+(value / 1000).toFixed(1)}k`;
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? "0" : text;
}
