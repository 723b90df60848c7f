import { effect, type Signal } from "@preact/signals";
import { desaturated, rgb, selectedColor } from "../base/color";
import { brief, shownOf, withThousands } from "../base/format";
import { gridCell } from "../base/geometry";
import { Bars } from "../gl/bars";
import type { Pass } from "../gl/pass";
import { drawSegments } from "../gl/segments";
import type { Correlograms } from "../protocol/messages.gen";
import { register } from "../state/actions";
import { selection, send } from "../state/session";
import { setting } from "../state/settings";
import { report } from "../state/status";
import { plotColors } from "../state/theme";
import type { Panel, Place } from "../widgets/panel";
import { PlotView } from "../widgets/plot_view";
import type { Click } from "../widgets/pointer";
import { sum } from "../widgets/spans";
import { follow, targets, type ViewFrame } from "../widgets/view";

const STEP = 1.2;
const BOTTOM_PX = 32;
const LEFT_PX = 14;
const N_BINS_MAX = 4001;

/** Auto- and cross-correlograms of the selected clusters. */
export class CorrelogramView extends PlotView {
  private data: Correlograms | null = null;
  private bars: Bars | null = null;
  readonly binMs: Signal<number>;
  readonly windowMs: Signal<number>;
  readonly refractoryMs: Signal<number>;
  /** Whether all cells share one scale. */
  readonly isUniform: Signal<boolean>;

  constructor(frame: ViewFrame) {
    super(frame);
    const { id } = frame;
    this.binMs = setting("local", `${id}.bin_size`, 1);
    this.windowMs = setting("local", `${id}.window_size`, 50);
    this.refractoryMs = setting("local", `${id}.refractory_period`, 2);
    this.isUniform = setting("shared", `${id}.uniform_normalization`, false);
    this.disposer.add(
      follow(
        this,
        "correlograms",
        () => ({ params: { bin_ms: this.binMs.value, window_ms: this.windowMs.value } }),
        (data) => this.show(data),
      ),
    );
    this.disposer.add(
      effect(() => {
        this.refractoryMs.value;
        this.isUniform.value;
        this.invalidate();
      }),
    );
  }

  private show(data: Correlograms): void {
    this.bars?.dispose();
    this.data = data;
    this.bars = new Bars(Float32Array.from(data.counts));
    this.note.value = "";
    this.info.value = data.cluster_ids.length
      ? `${shownOf(sum(data.n_used), sum(data.n_spikes), "spikes")} · bin ${brief(data.bin_ms)} ms, ` +
        `window ${brief(this.windowMs.value)} ms`
      : "";
    this.invalidate();
  }

  protected panels(width: number, height: number): readonly Panel[] {
    const { data } = this;
    const n = data?.cluster_ids.length ?? 0;
    if (!data || n === 0) return [];
    const area = { x: LEFT_PX, y: 2, w: width - LEFT_PX - 4, h: height - BOTTOM_PX - 2 };
    const half = (data.n_bins * data.bin_ms) / 2;
    const cells: Panel[] = [];
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const unit = gridCell(i, j, n, n);
        const w = unit.w * area.w;
        const first = (i * n + j) * data.n_bins;
        cells.push({
          key: `${i},${j}`,
          rect: { x: area.x + unit.x * area.w, y: area.y + unit.y * area.h, w, h: unit.h * area.h },
          x: { low: -half, high: half },
          y: { low: 0, high: this.highest(data, first) * 1.05 },
          hasFrame: true,
          ...(i === j && w > 30
            ? { title: String(data.cluster_ids[i]), titleColor: selectedColor(i) }
            : {}),
          ...(i === n - 1
            ? {
                xAxis: { label: "lag (ms)", hasTicks: w > 70 },
              }
            : {}),
          draw: (pass) => this.drawCell(pass, data, i, j),
        });
      }
    }
    return cells;
  }

  private highest(data: Correlograms, first: number): number {
    if (!this.isUniform.value) return Math.max(1, maximum(data.counts, first, data.n_bins));
    return Math.max(1, maximum(data.counts, 0, data.counts.length));
  }

  private drawCell(pass: Pass, data: Correlograms, i: number, j: number): void {
    const n = data.cluster_ids.length;
    const color = rgb(selectedColor(i));
    const half = (data.n_bins * data.bin_ms) / 2;
    this.bars?.draw(pass, (i * n + j) * data.n_bins, data.n_bins, {
      color: i === j ? color : desaturated(color, 0.6),
      alpha: 1,
      start: -half,
      step: data.bin_ms,
      fill: 1,
      isTurned: false,
    });
    const rule = plotColors.value.rule;
    const baseline = data.baseline[i * n + j] ?? 0;
    drawSegments(pass, [-half, baseline, half, baseline], rule, 0.7);
    const r = this.refractoryMs.value;
    const top = pass.y.high;
    if (r > 0) drawSegments(pass, [-r, 0, -r, top, r, 0, r, top], rule, 0.5);
  }

  protected override describe(place: Place): string {
    const { data } = this;
    if (!data) return "";
    const [i = 0, j = 0] = place.panel.key.split(",").map(Number);
    const n = data.cluster_ids.length;
    const bin = Math.floor((place.x - place.panel.x.low) / data.bin_ms);
    if (bin < 0 || bin >= data.n_bins) return "";
    const index = (i * n + j) * data.n_bins + bin;
    const low = (bin - (data.n_bins - 1) / 2) * data.bin_ms;
    const count = data.counts[index] ?? 0;
    const expected = data.baseline[i * n + j] ?? 0;
    const pair =
      i === j ? `${data.cluster_ids[i]}` : `${data.cluster_ids[i]} → ${data.cluster_ids[j]}`;
    return `${pair} · lag ${brief(low)} ms · ${withThousands(count)} pairs (${brief(expected)} if independent)`;
  }

  protected override onClick(place: Place, click: Click): void {
    if (click.button !== "right" || !this.data) return;
    const [i = 0, j = 0] = place.panel.key.split(",").map(Number);
    // As in phy: a right click on a cross-correlogram promotes the similar cluster of the pair.
    const { similar } = selection.value;
    const pair = [this.data.cluster_ids[i], this.data.cluster_ids[j]];
    const promoted = pair.find((id) => id !== undefined && similar.includes(id));
    if (i !== j && promoted !== undefined) {
      void send({
        type: "click_row",
        table: "similarity",
        cluster_id: promoted,
        gesture: "transfer",
      });
    }
  }

  protected override onWheel(modifier: "ctrl" | "alt" | "shift", direction: number): boolean {
    const factor = STEP ** direction;
    if (modifier === "ctrl") this.setWindow(this.windowMs.value * factor);
    else if (modifier === "alt") this.setBin(this.binMs.value * factor);
    else return false;
    return true;
  }

  setBin(ms: number): void {
    const bin = Math.max(ms, this.windowMs.value / N_BINS_MAX, 0.001);
    this.binMs.value = Number(bin.toPrecision(6));
  }

  setWindow(ms: number): void {
    const window = Math.min(Math.max(ms, 2 * this.binMs.value), N_BINS_MAX * this.binMs.value);
    this.windowMs.value = Number(window.toPrecision(6));
  }

  override dispose(): void {
    this.bars?.dispose();
    super.dispose();
  }
}

function maximum(values: Int32Array, first: number, count: number): number {
  let most = 0;
  for (let k = first; k < first + count; k++) most = Math.max(most, values[k] ?? 0);
  return most;
}

export function registerCorrelogramActions(): void {
  const view = "CorrelogramView";
  const numbers = [
    ["set_bin", "Bin size (ms)", "cb", (v: CorrelogramView, ms: number) => v.setBin(ms)],
    ["set_window", "Window size (ms)", "cw", (v: CorrelogramView, ms: number) => v.setWindow(ms)],
    [
      "set_refractory_period",
      "Refractory period (ms)",
      "cr",
      (v: CorrelogramView, ms: number) => {
        v.refractoryMs.value = Math.max(0, ms);
      },
    ],
  ] as const;
  for (const [id, title, snippet, run] of numbers) {
    register({
      id,
      title,
      menu: "",
      view,
      snippet,
      args: ["number"],
      prompt: title,
      run: ([ms]) => {
        for (const each of targets(CorrelogramView)) run(each, Number(ms));
      },
    });
  }
  register({
    id: "toggle_normalization",
    title: "Same scale in all cells",
    menu: "",
    view,
    keys: ["n"],
    run: () => {
      for (const each of targets(CorrelogramView)) {
        each.isUniform.value = !each.isUniform.value;
        report(
          each.isUniform.value ? "All cells share one scale." : "Each cell has its own scale.",
        );
      }
    },
  });
  const mouse = [
    ["change_window_size", "Window size", "ctrl+wheel"],
    ["change_bin_size", "Bin size", "alt+wheel"],
    ["promote_similar", "Move the similar cluster of a pair to the Cluster view", "right click"],
  ] as const;
  for (const [id, title, gesture] of mouse) {
    register({ id, title, menu: "", view, mouse: gesture, run: () => undefined });
  }
}
