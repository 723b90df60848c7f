import { effect, type Signal } from "@preact/signals";
import { brief, withThousands } from "../base/format";
import { Bars } from "../gl/bars";
import type { Histograms, IntervalParams, RateParams } from "../protocol/messages.gen";
import { register } from "../state/actions";
import { dataset } from "../state/session";
import { setting } from "../state/settings";
import { MARGIN } from "../widgets/axes";
import type { Panel, Place } from "../widgets/panel";
import { PlotView } from "../widgets/plot_view";
import { spansOf, sum } from "../widgets/spans";
import { follow, targets, type ViewFrame } from "../widgets/view";

const STEP = 1.2;
const N_BINS_MAX = 10_000;

/** One histogram above the other, for each selected cluster; all spikes are used. */
abstract class HistogramView extends PlotView {
  protected data: Histograms | null = null;
  private bars: Bars | null = null;
  readonly nBins: Signal<number>;
  readonly low: Signal<number>;
  readonly high: Signal<number>;

  constructor(frame: ViewFrame, defaults: { readonly nBins: number; readonly high: number }) {
    super(frame);
    this.nBins = setting("local", `${frame.id}.n_bins`, defaults.nBins);
    this.low = setting("local", `${frame.id}.x_min`, 0);
    this.high = setting("local", `${frame.id}.x_max`, defaults.high);
    this.disposer.add(
      effect(() => {
        this.low.value;
        this.invalidate();
      }),
    );
  }

  protected show(data: Histograms): void {
    this.bars?.dispose();
    this.data = data;
    this.bars = new Bars(data.values.slice());
    this.note.value = "";
    const bin = (data.high - data.low) / data.n_bins;
    this.info.value = data.cluster_ids.length
      ? `all ${withThousands(sum(data.n_spikes))} spikes · ${data.n_bins} bins of ${brief(bin)} ${data.x_unit}`
      : "";
    this.invalidate();
  }

  protected panels(width: number, height: number): readonly Panel[] {
    const { data } = this;
    const n = data?.cluster_ids.length ?? 0;
    if (!data || n === 0) return [];
    const rowHeight = (height - MARGIN.top - MARGIN.bottom) / n;
    return spansOf(data.cluster_ids, data.n_spikes).map((span, row): Panel => {
      const first = row * data.n_bins;
      let most = 0;
      for (let k = 0; k < data.n_bins; k++) most = Math.max(most, data.values[first + k] ?? 0);
      const isLabelled = row === Math.floor((n - 1) / 2);
      return {
        key: String(row),
        rect: {
          x: MARGIN.left,
          y: MARGIN.top + row * rowHeight,
          w: width - MARGIN.left - MARGIN.right,
          h: rowHeight - (n > 1 ? 4 : 0),
        },
        x: { low: data.low, high: data.high },
        y: { low: 0, high: (most || 1) * 1.05 },
        yAxis: { label: isLabelled ? this.yLabel(data) : "", hasTicks: rowHeight > 30 },
        ...(row === n - 1 ? { xAxis: { label: this.xLabel(data), hasTicks: true } } : {}),
        title: rowHeight > 16 ? String(span.clusterId) : "",
        titleAt: "right",
        titleColor: span.hex,
        draw: (pass) => {
          this.bars?.draw(pass, first, data.n_bins, {
            color: span.color,
            alpha: 0.9,
            start: data.low,
            step: (data.high - data.low) / data.n_bins,
            fill: 1,
            isTurned: false,
          });
        },
      };
    });
  }

  protected abstract xLabel(data: Histograms): string;
  protected abstract yLabel(data: Histograms): string;
  /** The end of the axis as shown, where `high` stands for "to the end". */
  protected abstract shownHigh(): number;

  protected override describe(place: Place): string {
    const { data } = this;
    if (!data) return "";
    const row = Number(place.panel.key);
    const bin = Math.floor(((place.x - data.low) / (data.high - data.low)) * data.n_bins);
    const value = data.values[row * data.n_bins + bin];
    if (value === undefined || bin < 0 || bin >= data.n_bins) return "";
    return `cluster ${data.cluster_ids[row]} · ${brief(place.x)} ${data.x_unit} · ${brief(value)} ${data.y_unit}`;
  }

  protected override onWheel(modifier: "ctrl" | "alt" | "shift", direction: number): boolean {
    const factor = STEP ** direction;
    const high = this.shownHigh();
    if (modifier === "ctrl") this.setHigh(this.low.value + (high - this.low.value) * factor);
    else if (modifier === "alt") this.setBins(Math.round(this.nBins.value * factor) || 1);
    else this.setLow(this.low.value + ((high - this.low.value) * direction) / 20);
    return true;
  }

  setBins(n: number): void {
    this.nBins.value = Math.min(Math.max(1, Math.round(n)), N_BINS_MAX);
  }

  setBinSize(size: number): void {
    if (size > 0) this.setBins((this.shownHigh() - this.low.value) / size);
  }

  setLow(low: number): void {
    this.low.value = Math.max(0, Math.min(low, this.shownHigh() * 0.999));
  }

  setHigh(high: number): void {
    this.high.value = Math.max(high, this.low.value + 1e-3);
  }

  override dispose(): void {
    this.bars?.dispose();
    super.dispose();
  }
}

/** Inter-spike intervals. */
export class IsiView extends HistogramView {
  constructor(frame: ViewFrame) {
    super(frame, { nBins: 50, high: 50 });
    this.disposer.add(
      follow(
        this,
        "isi",
        () => {
          const params: IntervalParams = {
            n_bins: this.nBins.value,
            min_ms: this.low.value,
            max_ms: this.high.value,
          };
          return { params };
        },
        (data) => this.show(data),
      ),
    );
  }

  protected xLabel(): string {
    return "inter-spike interval (ms)";
  }

  protected yLabel(): string {
    return "intervals";
  }

  protected shownHigh(): number {
    return this.high.value;
  }
}

/** Firing rate over the recording. */
export class FiringRateView extends HistogramView {
  constructor(frame: ViewFrame) {
    super(frame, { nBins: 200, high: -1 });
    this.disposer.add(
      follow(
        this,
        "firing_rate",
        () => {
          const params: RateParams = {
            n_bins: this.nBins.value,
            min_s: this.low.value,
            max_s: this.high.value,
          };
          return { params };
        },
        (data) => this.show(data),
      ),
    );
  }

  protected xLabel(): string {
    return "time (s)";
  }

  protected yLabel(): string {
    return "rate (Hz)";
  }

  protected shownHigh(): number {
    const duration = dataset.value?.duration_s ?? 1;
    return this.high.value > this.low.value ? this.high.value : duration;
  }
}

type HistogramClass = typeof IsiView | typeof FiringRateView;

function registerFor(kind: HistogramClass, view: string, prefix: string, unit: string): void {
  const numbers = [
    ["set_n_bins", "Number of bins", "n", (v: HistogramView, n: number) => v.setBins(n)],
    ["set_bin_size", `Bin size (${unit})`, "b", (v: HistogramView, n: number) => v.setBinSize(n)],
    [
      "set_x_min",
      `Start of the axis (${unit})`,
      "min",
      (v: HistogramView, n: number) => v.setLow(n),
    ],
    [
      "set_x_max",
      `End of the axis (${unit})`,
      "max",
      (v: HistogramView, n: number) => v.setHigh(n),
    ],
  ] as const;
  for (const [id, title, suffix, run] of numbers) {
    register({
      id: `${prefix}_${id}`,
      title,
      menu: "",
      view,
      snippet: prefix + suffix,
      args: ["number"],
      prompt: title,
      run: ([n]) => {
        for (const each of targets<HistogramView>(kind)) run(each, Number(n));
      },
    });
  }
  const mouse = [
    ["x_max", "End of the axis", "ctrl+wheel"],
    ["x_min", "Start of the axis", "shift+wheel"],
    ["n_bins", "Number of bins", "alt+wheel"],
  ] as const;
  for (const [id, title, gesture] of mouse) {
    register({
      id: `${prefix}_change_${id}`,
      title,
      menu: "",
      view,
      mouse: gesture,
      run: () => undefined,
    });
  }
}

export function registerHistogramActions(): void {
  registerFor(IsiView, "ISIView", "isi", "ms");
  registerFor(FiringRateView, "FiringRateView", "fr", "s");
}
