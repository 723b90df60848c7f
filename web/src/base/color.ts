/** Colours: the one table of them. */

export type Rgb = readonly [number, number, number];

/**
 * Colours of selected clusters, by position in the selection. phy's: blue and red, then colours
 * of the Glasbey palette of colorcet (CC BY 4.0, https://colorcet.holoviz.org).
 */
export const SELECTED = [
  "#0892fc",
  "#ff0202",
  "#98ff00",
  "#ffa530",
  "#b600ff",
  "#028800",
  "#ff8fc8",
  "#79525f",
  "#00fecf",
  "#b0a5ff",
  "#94ad84",
  "#9a6900",
  "#376a62",
  "#d3008c",
  "#fef590",
  "#c86f66",
  "#9ee3ff",
  "#00c946",
  "#a977ad",
  "#b8bb02",
] as const;

/** Colours of cluster groups in the tables, as in phy. */
export const GROUP: Readonly<Record<string, string>> = {
  good: "#86d16d",
  mua: "#afafaf",
  noise: "#777777",
};

export function selectedColor(position: number): string {
  return SELECTED[position % SELECTED.length] ?? SELECTED[0];
}

/** Components of "#rrggbb", each 0 to 1. */
export function rgb(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16);
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}

export function mix(a: Rgb, b: Rgb, share: number): Rgb {
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share];
}

/** Less colourful, as between two clusters in the correlogram view. */
export function desaturated(color: Rgb, share: number): Rgb {
  const grey = 0.3 * color[0] + 0.59 * color[1] + 0.11 * color[2];
  return mix(color, [grey, grey, grey], share);
}

/** Black or white, whichever reads better on a colour. */
export function inkOn(hex: string): string {
  const [r, g, b] = rgb(hex);
  return 0.3 * r + 0.59 * g + 0.11 * b > 0.55 ? "#000000" : "#ffffff";
}
