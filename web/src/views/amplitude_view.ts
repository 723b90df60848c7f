import { effect, type Signal } from "@preact/signals";
import { brief, clock, shownOf } from "../base/format";
import type { Range } from "../base/geometry";
import { Bars } from "../gl/bars";
import { PointCloud } from "../gl/points";
import { drawSegments } from "../gl/segments";
import type { AmplitudeParams, Amplitudes, Axis } from "../protocol/messages.gen";
import { register } from "../state/actions";
import { chosenFeature, goToTime, traceInterval } from "../state/exploring";
import { setting } from "../state/settings";
import { plotColors } from "../state/theme";
import { MARGIN } from "../widgets/axes";
import type { Panel, Place } from "../widgets/panel";
import { PlotView } from "../widgets/plot_view";
import type { Click } from "../widgets/pointer";
import { markerAlpha, spansOf, sum } from "../widgets/spans";
import { follow, targets, type ViewFrame } from "../widgets/view";

type Kind = AmplitudeParams["kind"];
const KINDS: readonly Kind[] = ["template", "raw", "feature"];
const HISTOGRAM_SHARE = 0.2;
const STEP = 1.1;

/** Amplitude of spikes over time, with a histogram beside it. */
export class AmplitudeView extends PlotView {
  private data: Amplitudes | null = null;
  private cloud: PointCloud | null = null;
  private bars: Bars | null = null;
  private readonly markerSize: Signal<number>;
  readonly kind: Signal<Kind>;

  constructor(frame: ViewFrame) {
    super(frame);
    const isKind = (value: unknown) => KINDS.includes(value as Kind);
    this.kind = setting<Kind>("shared", `${frame.id}.kind`, "template", isKind);
    this.markerSize = setting("shared", `${frame.id}.marker_size`, 3);
    this.disposer.add(
      follow(
        this,
        "amplitudes",
        () => {
          const kind = this.kind.value;
          return { params: kind === "feature" ? { kind, ...chosenFeature.value } : { kind } };
        },
        (data) => this.show(data),
      ),
    );
    this.disposer.add(
      effect(() => {
        this.markerSize.value;
        traceInterval.value;
        this.invalidate();
      }),
    );
  }

  private show(data: Amplitudes): void {
    this.cloud?.dispose();
    this.bars?.dispose();
    this.data = data;
    this.cloud = new PointCloud(
      new Map([
        ["time", data.times_s],
        ["amplitude", data.values],
      ]),
    );
    this.bars = new Bars(Float32Array.from(data.histograms));
    this.note.value = data.note;
    this.info.value = data.cluster_ids.length
      ? `${shownOf(sum(data.n_shown), sum(data.n_spikes), "spikes")} · ${data.label}` +
        (data.n_background ? ` · ${data.n_background} of other clusters in grey` : "")
      : "";
    this.invalidate();
  }

  protected panels(width: number, height: number): readonly Panel[] {
    const { data } = this;
    if (!data || data.cluster_ids.length === 0) return [];
    const plotWidth = width - MARGIN.left - MARGIN.right;
    const plotHeight = height - MARGIN.top - MARGIN.bottom;
    const histogramWidth = plotWidth * HISTOGRAM_SHARE;
    const y = { low: data.low, high: data.high };
    const most = Math.max(1, ...data.histograms);
    return [
      {
        key: "scatter",
        rect: {
          x: MARGIN.left,
          y: MARGIN.top,
          w: plotWidth - histogramWidth - 6,
          h: plotHeight,
        },
        x: { low: 0, high: data.duration_s || 1 },
        y,
        xAxis: { label: "time (s)", hasTicks: true },
        yAxis: { label: `${data.label} (${data.unit})`, hasTicks: true },
        draw: (pass) => {
          this.drawInterval(pass, y);
          this.drawPoints(pass, data);
        },
      },
      {
        key: "histogram",
        rect: {
          x: MARGIN.left + plotWidth - histogramWidth,
          y: MARGIN.top,
          w: histogramWidth,
          h: plotHeight,
        },
        x: { low: 0, high: most * 1.05 },
        y,
        xAxis: { label: "spikes", hasTicks: histogramWidth > 80 },
        draw: (pass) => {
          for (const span of spansOf(data.cluster_ids, data.n_shown)) {
            this.bars?.draw(pass, span.position * data.n_bins, data.n_bins, {
              color: span.color,
              alpha: 0.6,
              start: data.low,
              step: (data.high - data.low) / data.n_bins,
              fill: 1,
              isTurned: true,
            });
          }
        },
      },
    ];
  }

  private drawPoints(pass: Parameters<Panel["draw"]>[0], data: Amplitudes): void {
    const axes = { x: "time", y: "amplitude" };
    const size = this.markerSize.value;
    const background = { color: plotColors.value.others, alpha: 0.35, size };
    this.cloud?.draw(pass, axes, { first: 0, count: data.n_background }, background);
    const alpha = markerAlpha(sum(data.n_shown));
    for (const span of spansOf(data.cluster_ids, data.n_shown, data.n_background)) {
      this.cloud?.draw(pass, axes, span, { color: span.color, alpha, size });
    }
  }

  /** Mark what the Trace view shows. */
  private drawInterval(pass: Parameters<Panel["draw"]>[0], y: Range): void {
    const [start, end] = traceInterval.value;
    if (end <= start) return;
    const middle = (start + end) / 2;
    drawSegments(pass, [middle, y.low, middle, y.high], [1, 0.85, 0], 0.8);
  }

  protected override lassoAxes(panel: Panel): { x: Axis; y: Axis } | null {
    const { data } = this;
    if (!data || panel.key !== "scatter") return null;
    const { channel, component } = chosenFeature.value;
    const main = data.kind === "feature" ? channel : -1;
    return {
      x: { kind: "time", channel: -1, component: 0 },
      y: {
        kind: data.kind,
        channel: main < 0 ? data.channel : main,
        component: data.kind === "feature" ? component : 0,
      },
    };
  }

  protected override onClick(place: Place, click: Click): void {
    if (click.alt && place.panel.key === "scatter" && this.data) {
      goToTime(place.x, this.data.duration_s);
    }
  }

  protected override describe(place: Place): string {
    const { data } = this;
    if (!data) return "";
    const amplitude = `${brief(place.y)} ${data.unit}`;
    return place.panel.key === "scatter" ? `${clock(place.x)} · ${amplitude}` : amplitude;
  }

  protected override onWheel(modifier: "ctrl" | "alt" | "shift", direction: number): boolean {
    if (modifier === "shift") return false;
    this.markerSize.value = Math.min(20, Math.max(1, this.markerSize.value * STEP ** direction));
    return true;
  }

  cycleKind(step: number): void {
    const kinds = this.data?.kinds.length ? this.data.kinds : KINDS;
    const now = kinds.indexOf(this.data?.kind ?? this.kind.value);
    this.kind.value = kinds[(now + step + kinds.length) % kinds.length] ?? "template";
  }

  override dispose(): void {
    this.cloud?.dispose();
    this.bars?.dispose();
    super.dispose();
  }
}

export function registerAmplitudeActions(): void {
  const view = "AmplitudeView";
  register({
    id: "next_amplitude_type",
    title: "Next kind of amplitude",
    menu: "",
    view,
    keys: ["a"],
    run: () => {
      for (const each of targets(AmplitudeView)) each.cycleKind(1);
    },
  });
  register({
    id: "previous_amplitude_type",
    title: "Previous kind of amplitude",
    menu: "",
    view,
    keys: ["shift+a"],
    run: () => {
      for (const each of targets(AmplitudeView)) each.cycleKind(-1);
    },
  });
  const mouse = [
    ["amplitude_change_marker_size", "Marker size", "ctrl+wheel"],
    ["amplitude_add_lasso_point", "Add a lasso corner", "ctrl+click"],
    ["amplitude_stop_lasso", "Remove the lasso", "ctrl+right click"],
    ["select_time", "Show this time in the Trace view", "alt+click"],
  ] as const;
  for (const [id, title, gesture] of mouse) {
    register({ id, title, menu: "", view, mouse: gesture, run: () => undefined });
  }
}
