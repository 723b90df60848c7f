import { fraction, intersect, type Range, type Rect, valueAt } from "../base/geometry";
import { tickStep, ticks, tickText } from "../base/ticks";
import { toScreen, type Viewport } from "../base/viewport";
import type { Panel } from "./panel";

/** Axes, ticks and texts of panels, drawn as SVG above the picture. */

const SVG = "http://www.w3.org/2000/svg";
const X_TICK_PX = 46;
const Y_TICK_PX = 34;
const TICK_PX = 4;
/** Room for tick values and a label below a panel, and to the left of it. */
export const MARGIN = { bottom: 32, left: 54, top: 6, right: 10 } as const;

interface Size {
  readonly width: number;
  readonly height: number;
}

export function drawAxes(
  overlay: SVGSVGElement,
  panels: readonly Panel[],
  view: Viewport,
  size: Size,
): void {
  overlay.setAttribute("width", String(size.width));
  overlay.setAttribute("height", String(size.height));
  overlay.replaceChildren();
  const screen: Rect = { x: 0, y: 0, w: size.width, h: size.height };
  for (const panel of panels) {
    const rect = toScreen(view, panel.rect);
    const part = intersect(rect, screen);
    if (panel.hasFrame) addFrame(overlay, rect);
    if (panel.xAxis) drawX(overlay, panel, rect, part, size);
    if (panel.yAxis) drawY(overlay, panel, rect, part);
    if (panel.title) addTitle(overlay, panel, part);
    if (panel.rules) drawRules(overlay, panel, rect, part);
    for (const mark of panel.marks ?? []) {
      const x = rect.x + fraction(panel.x, mark.at[0]) * rect.w;
      const y = rect.y + (1 - fraction(panel.y, mark.at[1])) * rect.h;
      const text = addText(overlay, x, y, mark.text, `mark ${mark.kind ?? ""}`);
      if (mark.color) text.style.fill = mark.color;
    }
  }
}

/** The part of a range that is on the screen. */
function visibleRange(range: Range, start: number, length: number, from: number, n: number): Range {
  return {
    low: valueAt(range, (from - start) / length),
    high: valueAt(range, (from + n - start) / length),
  };
}

function drawX(overlay: SVGSVGElement, panel: Panel, rect: Rect, part: Rect, size: Size): void {
  const axis = panel.xAxis;
  if (!axis) return;
  // Zoomed in, the axis stays at the edge of what is visible.
  const bottom = Math.min(part.y + part.h, size.height - (axis.label ? 30 : 16));
  const range = visibleRange(panel.x, rect.x, rect.w, part.x, part.w);
  if (axis.hasTicks) {
    const nMax = Math.max(3, Math.floor(part.w / X_TICK_PX));
    const step = tickStep(range, nMax);
    for (const value of ticks(range, nMax)) {
      const x = rect.x + fraction(panel.x, value) * rect.w;
      addLine(overlay, x, bottom, x, bottom + TICK_PX);
      addText(overlay, x, bottom + 14, tickText(value, step), "tick x");
    }
    addLine(overlay, part.x, bottom, part.x + part.w, bottom);
  }
  if (axis.label) {
    const y = bottom + (axis.hasTicks ? 27 : 13);
    addText(overlay, part.x + part.w / 2, y, axis.label, "axis x");
  }
}

function drawY(overlay: SVGSVGElement, panel: Panel, rect: Rect, part: Rect): void {
  const axis = panel.yAxis;
  if (!axis) return;
  const left = Math.max(part.x, axis.hasTicks ? 36 : 14);
  const range = visibleRange(panel.y, -(rect.y + rect.h), rect.h, -(part.y + part.h), part.h);
  let widest = 0;
  if (axis.hasTicks) {
    const nMax = Math.max(1, Math.floor(part.h / Y_TICK_PX));
    const step = tickStep(range, nMax);
    for (const value of ticks(range, nMax)) {
      const y = rect.y + (1 - fraction(panel.y, value)) * rect.h;
      const text = tickText(value, step);
      widest = Math.max(widest, text.length * 6.2);
      addLine(overlay, left - TICK_PX, y, left, y);
      addText(overlay, left - TICK_PX - 2, y + 3.5, text, "tick y");
    }
    addLine(overlay, left, part.y, left, part.y + part.h);
  }
  if (axis.label) {
    // Without ticks there may be other texts beside the panel: the label keeps to the edge.
    const x = axis.hasTicks ? Math.max(10, left - TICK_PX - 6 - widest - 6) : 10;
    const text = addText(overlay, 0, 0, axis.label, "axis y");
    text.setAttribute("transform", `translate(${x},${part.y + part.h / 2}) rotate(-90)`);
  }
}

function addTitle(overlay: SVGSVGElement, panel: Panel, part: Rect): void {
  const isRight = panel.titleAt === "right";
  const x = isRight ? part.x + part.w - 4 : part.x + 4;
  const text = addText(overlay, x, part.y + 12, panel.title ?? "", isRight ? "title end" : "title");
  if (panel.titleColor) text.style.fill = panel.titleColor;
}

function drawRules(overlay: SVGSVGElement, panel: Panel, rect: Rect, part: Rect): void {
  for (const rule of panel.rules ?? []) {
    const x = rect.x + fraction(panel.x, rule.x) * rect.w;
    if (x < part.x || x > part.x + part.w) continue;
    addLine(overlay, x, part.y, x, part.y + part.h, "rule");
    // Near the right edge the text goes to the left of its line.
    const isLate = x > part.x + 0.7 * part.w;
    const kind = isLate ? "rule-text end" : "rule-text";
    addText(overlay, isLate ? x - 4 : x + 4, part.y + 12, rule.text, kind);
  }
}

function addFrame(overlay: SVGSVGElement, rect: Rect): void {
  const frame = document.createElementNS(SVG, "rect");
  frame.setAttribute("x", rect.x.toFixed(1));
  frame.setAttribute("y", rect.y.toFixed(1));
  frame.setAttribute("width", Math.max(0, rect.w).toFixed(1));
  frame.setAttribute("height", Math.max(0, rect.h).toFixed(1));
  frame.setAttribute("class", "frame");
  overlay.append(frame);
}

function addText(
  overlay: SVGSVGElement,
  x: number,
  y: number,
  content: string,
  kind: string,
): SVGTextElement {
  const text = document.createElementNS(SVG, "text");
  text.setAttribute("x", x.toFixed(1));
  text.setAttribute("y", y.toFixed(1));
  text.setAttribute("class", kind);
  text.textContent = content;
  overlay.append(text);
  return text;
}

function addLine(
  overlay: SVGSVGElement,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  kind = "",
): void {
  const line = document.createElementNS(SVG, "line");
  if (kind) line.setAttribute("class", kind);
  line.setAttribute("x1", x1.toFixed(1));
  line.setAttribute("y1", y1.toFixed(1));
  line.setAttribute("x2", x2.toFixed(1));
  line.setAttribute("y2", y2.toFixed(1));
  overlay.append(line);
}
