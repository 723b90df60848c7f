import { effect, signal } from "@preact/signals";
import { type Rgb, rgb } from "../base/color";
import { setting } from "./settings";

/** Light and dark. */

export type Theme = "dark" | "light";

export const theme = setting<Theme>(
  "shared",
  "theme",
  "dark",
  (value) => value === "dark" || value === "light",
);

export interface PlotColors {
  readonly background: Rgb;
  readonly foreground: Rgb;
  /** Spikes of other clusters. */
  readonly others: Rgb;
  readonly rule: Rgb;
}

const DARK: PlotColors = {
  background: rgb("#000000"),
  foreground: rgb("#e6e6e6"),
  others: rgb("#8a8a8a"),
  rule: rgb("#9a9a9a"),
};

const LIGHT: PlotColors = {
  background: rgb("#ffffff"),
  foreground: rgb("#202020"),
  others: rgb("#9a9a9a"),
  rule: rgb("#707070"),
};

export const plotColors = signal<PlotColors>(DARK);

/** Documents of windows that views were moved to; each wears the theme. */
const documents = new Set<Document>([document]);

export function dress(other: Document): void {
  documents.add(other);
  other.documentElement.dataset["theme"] = theme.value;
}

effect(() => {
  plotColors.value = theme.value === "dark" ? DARK : LIGHT;
  for (const each of documents) each.documentElement.dataset["theme"] = theme.value;
});
