/** Numbers as people read them. */

export function withThousands(value: number): string {
  return Math.round(value).toLocaleString("en-US").replaceAll(",", "\u2009");
}

/** A number with up to three significant digits, without an exponent where that is short. */
export function brief(value: number): string {
  if (!Number.isFinite(value)) return "";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1);
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return value.toFixed(2);
}

/** A time in seconds, as h:mm:ss.mmm where it is long. */
export function clock(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(3)} s`;
  const h = Math.floor(seconds / 3600);
  const m = Math.floor((seconds % 3600) / 60);
  const s = (seconds % 60).toFixed(2).padStart(5, "0");
  return h > 0 ? `${h}:${String(m).padStart(2, "0")}:${s}` : `${m}:${s}`;
}

/** "2 500 of 431 022 spikes", or "all 314 spikes". */
export function shownOf(nShown: number, nAll: number, what: string): string {
  if (nShown >= nAll) return `all ${withThousands(nAll)} ${what}`;
  return `${withThousands(nShown)} of ${withThousands(nAll)} ${what}`;
}
