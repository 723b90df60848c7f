import { effect } from "@preact/signals";
import type { Point } from "../base/geometry";
import type { Axis } from "../protocol/messages.gen";
import { lassos, setLasso } from "../state/lassos";
import { clusteringRevision, selectedIds } from "../state/session";
import type { Panel, Place } from "./panel";
import { Plot } from "./plot";
import { type Click, listenToPointer } from "./pointer";
import { View, type ViewFrame } from "./view";

/** A view that is one plot area. */
export abstract class PlotView extends View {
  protected readonly plot: Plot;
  private lassoPanel = "";
  private vertices: Point[] = [];

  constructor(frame: ViewFrame) {
    super(frame);
    this.plot = new Plot({
      panels: (width, height) => this.panels(width, height),
      lasso: () =>
        this.vertices.length ? { panelKey: this.lassoPanel, vertices: this.vertices } : null,
    });
    this.body.prepend(this.plot.element);
    this.disposer.add(
      listenToPointer(this.plot, {
        onWheel: (modifier, direction) => this.onWheel(modifier, direction),
        onClick: (place, click) => this.clicked(place, click),
        onHover: (place) => {
          this.readout.value = place ? this.describe(place) : "";
        },
      }),
    );
    this.disposer.add(() => this.plot.dispose());
    // A lasso belongs to what was drawn when it was made.
    this.disposer.add(
      effect(() => {
        selectedIds.value;
        clusteringRevision.value;
        this.clearLasso();
      }),
    );
    this.disposer.add(
      effect(() => {
        if (!lassos.value.has(frame.id) && this.vertices.length >= 3) this.clearLasso();
      }),
    );
  }

  protected abstract panels(width: number, height: number): readonly Panel[];

  /** Use the wheel with a modifier; returns whether it was used. */
  protected onWheel(_modifier: "ctrl" | "alt" | "shift", _direction: number): boolean {
    return false;
  }

  /** A click that is no lasso point. */
  protected onClick(_place: Place, _click: Click): void {}

  /** What the axes of a panel show, where a lasso can be drawn; null where not. */
  protected lassoAxes(_panel: Panel): { x: Axis; y: Axis } | null {
    return null;
  }

  /** Values under the mouse, as text. */
  protected describe(_place: Place): string {
    return "";
  }

  override picture(): Promise<Blob | null> {
    return this.plot.picture();
  }

  override reset(): void {
    this.plot.reset();
  }

  protected invalidate(): void {
    this.plot.invalidate();
  }

  protected clearLasso(): void {
    if (this.vertices.length === 0) return;
    this.vertices = [];
    this.lassoPanel = "";
    setLasso(this.frame.id, null);
    this.invalidate();
  }

  private clicked(place: Place, click: Click): void {
    const axes = click.ctrl && !click.alt ? this.lassoAxes(place.panel) : null;
    if (!axes) this.onClick(place, click);
    else if (click.button === "right") this.clearLasso();
    else if (click.button === "left") this.addLassoPoint(place, click.at);
  }

  /** Add a corner; the lasso belongs to the panel of its first one. */
  private addLassoPoint(place: Place, at: Point): void {
    const first = this.vertices.length ? this.plot.panel(this.lassoPanel) : undefined;
    const panel = first ?? place.panel;
    const { x, y } = this.plot.placeIn(panel, at);
    this.lassoPanel = panel.key;
    this.vertices = [...(first ? this.vertices : []), [x, y]];
    const axes = this.lassoAxes(panel);
    if (axes && this.vertices.length >= 3) {
      setLasso(this.frame.id, { ...axes, vertices: this.vertices });
    }
    this.invalidate();
  }
}
