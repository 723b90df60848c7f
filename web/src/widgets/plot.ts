import { effect } from "@preact/signals";
import { Disposer } from "../base/disposer";
import { contains, fraction, intersect, type Point, valueAt } from "../base/geometry";
import { HOME, isHome, toLayout, toScreen, type Viewport } from "../base/viewport";
import { clipToPanel, type Pass } from "../gl/pass";
import { stage } from "../gl/stage";
import { plotColors } from "../state/theme";
import { drawAxes } from "./axes";
import type { Panel, Place, PlotSource } from "./panel";

const SVG = "http://www.w3.org/2000/svg";

/**
 * A plot area: a WebGL picture, an SVG layer with axes and text above it, and pan and zoom.
 *
 * Nothing is drawn while it has no size (a hidden tab) or more than once a frame. The frame clock
 * is that of the window the element is in, which may be another one than the page's.
 */
export class Plot {
  readonly element = document.createElement("div");
  view: Viewport = HOME;
  private readonly canvas = document.createElement("canvas");
  private readonly overlay = document.createElementNS(SVG, "svg");
  private readonly target: ImageBitmapRenderingContext | null;
  private readonly disposer = new Disposer();
  private isDirty = false;
  private shown: readonly Panel[] = [];

  constructor(private readonly source: PlotSource) {
    this.element.className = "plot";
    this.overlay.classList.add("plot-overlay");
    this.element.append(this.canvas, this.overlay);
    this.target = this.canvas.getContext("bitmaprenderer");
    const observer = new ResizeObserver(() => this.invalidate());
    observer.observe(this.element);
    this.disposer.add(() => observer.disconnect());
    this.disposer.add(stage.whenLost(() => this.invalidate()));
    this.disposer.add(
      effect(() => {
        plotColors.value;
        this.invalidate();
      }),
    );
  }

  /** Draw again before the next frame. */
  invalidate(): void {
    if (this.isDirty) return;
    this.isDirty = true;
    const owner = this.element.ownerDocument.defaultView ?? window;
    owner.requestAnimationFrame(() => {
      this.isDirty = false;
      this.render(owner.devicePixelRatio);
    });
  }

  setView(view: Viewport): void {
    this.view = view;
    this.invalidate();
  }

  reset(): void {
    if (!isHome(this.view)) this.setView(HOME);
  }

  /** The panel at a position in the element, with the data values there. */
  placeAt(at: Point): Place | null {
    const point = toLayout(this.view, at);
    // The last panel drawn is on top.
    for (let i = this.shown.length - 1; i >= 0; i--) {
      const panel = this.shown[i];
      if (panel && contains(panel.rect, point[0], point[1])) return this.placeIn(panel, at);
    }
    return null;
  }

  /** Data values at a position, by the axes of a panel. */
  placeIn(panel: Panel, at: Point): Place {
    const [px, py] = toLayout(this.view, at);
    const { rect } = panel;
    return {
      panel,
      x: valueAt(panel.x, (px - rect.x) / rect.w),
      y: valueAt(panel.y, 1 - (py - rect.y) / rect.h),
    };
  }

  panel(key: string): Panel | undefined {
    return this.shown.find((panel) => panel.key === key);
  }

  /** Position in the element of a point in a panel. */
  positionOf(panel: Panel, point: Point): Point {
    const rect = toScreen(this.view, panel.rect);
    return [
      rect.x + fraction(panel.x, point[0]) * rect.w,
      rect.y + (1 - fraction(panel.y, point[1])) * rect.h,
    ];
  }

  /** The picture with axes as a PNG image. */
  async picture(): Promise<Blob | null> {
    this.render(window.devicePixelRatio);
    const { width, height } = this.canvas;
    const copy = new OffscreenCanvas(width, height);
    const context = copy.getContext("2d");
    if (!context || !width || !height) return null;
    context.drawImage(this.canvas, 0, 0);
    context.drawImage(await rasterized(this.overlay, width, height), 0, 0);
    return copy.convertToBlob({ type: "image/png" });
  }

  private render(pixelRatio: number): void {
    const { clientWidth, clientHeight } = this.element;
    const width = Math.round(clientWidth * pixelRatio);
    const height = Math.round(clientHeight * pixelRatio);
    if (!width || !height || !this.target) return;
    this.shown = this.source.panels(clientWidth, clientHeight);
    const screen = { x: 0, y: 0, w: clientWidth, h: clientHeight };
    const visible = this.shown.filter((panel) => {
      const part = intersect(toScreen(this.view, panel.rect), screen);
      return part.w > 0 && part.h > 0;
    });
    const colors = plotColors.peek();
    stage.present(this.target, width, height, colors.background, (gl) => {
      for (const panel of visible) {
        const r = toScreen(this.view, panel.rect);
        const rect = {
          x: r.x * pixelRatio,
          y: r.y * pixelRatio,
          w: r.w * pixelRatio,
          h: r.h * pixelRatio,
        };
        const pass: Pass = { gl, width, height, rect, x: panel.x, y: panel.y, pixelRatio };
        if (clipToPanel(pass)) panel.draw(pass);
      }
    });
    drawAxes(this.overlay, visible, this.view, { width: clientWidth, height: clientHeight });
    this.drawLasso();
  }

  private drawLasso(): void {
    const lasso = this.source.lasso?.();
    const panel = lasso ? this.panel(lasso.panelKey) : undefined;
    if (!lasso || !panel) return;
    const points = lasso.vertices.map((vertex) => this.positionOf(panel, vertex).join(","));
    const shape = document.createElementNS(SVG, "polygon");
    shape.setAttribute("points", points.join(" "));
    shape.classList.add("lasso");
    this.overlay.append(shape);
    for (const point of points) {
      const [x, y] = point.split(",");
      const dot = document.createElementNS(SVG, "circle");
      dot.setAttribute("cx", x ?? "0");
      dot.setAttribute("cy", y ?? "0");
      dot.setAttribute("r", "3");
      dot.classList.add("lasso-corner");
      this.overlay.append(dot);
    }
  }

  dispose(): void {
    this.disposer.dispose();
    this.element.remove();
  }
}

/** Draw an SVG element, with the styles that it has on the page, as a bitmap. */
async function rasterized(
  svg: SVGSVGElement,
  width: number,
  height: number,
): Promise<HTMLImageElement> {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  copy.setAttribute("viewBox", `0 0 ${svg.clientWidth} ${svg.clientHeight}`);
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  const originals = [...svg.querySelectorAll<SVGElement>("*")];
  for (const [i, element] of [...copy.querySelectorAll<SVGElement>("*")].entries()) {
    const original = originals[i];
    if (!original) continue;
    const style = getComputedStyle(original);
    for (const name of ["fill", "stroke", "font", "opacity", "text-anchor", "paint-order"]) {
      element.style.setProperty(name, style.getPropertyValue(name));
    }
    element.style.setProperty("stroke-width", style.getPropertyValue("stroke-width"));
    element.style.setProperty("dominant-baseline", style.getPropertyValue("dominant-baseline"));
  }
  const text = new XMLSerializer().serializeToString(copy);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  return image;
}
