import type { Point, Range, Rect } from "../base/geometry";
import type { Pass } from "../gl/pass";

/** An axis of a panel. */
export interface AxisText {
  /** Name and unit; empty for none. */
  readonly label: string;
  /** Whether tick values are written. */
  readonly hasTicks: boolean;
}

/** A plot with axes of its own: one cell of a grid, or the whole view. */
export interface Panel {
  readonly key: string;
  /** Place in layout pixels, before pan and zoom. */
  readonly rect: Rect;
  readonly x: Range;
  readonly y: Range;
  readonly xAxis?: AxisText;
  readonly yAxis?: AxisText;
  /** Text in an upper corner, the left one by default. */
  readonly title?: string;
  readonly titleAt?: "left" | "right";
  readonly titleColor?: string;
  /** Texts at data positions. */
  readonly marks?: readonly {
    readonly at: Point;
    readonly text: string;
    readonly color?: string;
    /** Style class beside that of a channel label. */
    readonly kind?: string;
  }[];
  /** Upright lines at data positions, each with a text at its upper end. */
  readonly rules?: readonly { readonly x: number; readonly text: string }[];
  readonly hasFrame?: boolean;
  draw(pass: Pass): void;
}

/** A place in a view: the panel and the data values of its axes. */
export interface Place {
  readonly panel: Panel;
  readonly x: number;
  readonly y: number;
}

export interface PlotSource {
  /** Panels for a plot area of a size in layout pixels. */
  panels(width: number, height: number): readonly Panel[];
  /** Polygon to show, in the data units of a panel. */
  lasso?(): { readonly panelKey: string; readonly vertices: readonly Point[] } | null;
}
