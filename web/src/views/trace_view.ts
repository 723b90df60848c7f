import { effect, type Signal, signal } from "@preact/signals";
import { rgb, selectedColor } from "../base/color";
import { brief, clock, withThousands } from "../base/format";
import type { Pass } from "../gl/pass";
import { FIELDS, Polylines } from "../gl/polylines";
import type { Traces } from "../protocol/messages.gen";
import { chosenChannels, isFiltered, setTraceInterval, traceInterval } from "../state/exploring";
import { channelLabels, dataset, rows, selectedIds, send } from "../state/session";
import { setting } from "../state/settings";
import { plotColors } from "../state/theme";
import type { Panel, Place } from "../widgets/panel";
import { PlotView } from "../widgets/plot_view";
import type { Click } from "../widgets/pointer";
import { follow, type ViewFrame } from "../widgets/view";

export const TRACE_STEP = 1.25;
const INITIAL_S = 0.25;
const LEFT_PX = 54;
/** Room for the word "channel", and for a letter of a label. */
const AXIS_PX = 20;
const LETTER_PX = 6.2;
const BOTTOM_PX = 32;
const WHEEL_STEP = 1.2;
/** A row is as high as the middle 98 % of the samples times this. */
const ROW_SPREADS = 1.6;

/** Raw data of all channels over a short interval, spikes of the selected clusters in colour. */
export class TraceView extends PlotView {
  private data: Traces | null = null;
  private lines: Polylines | null = null;
  private readonly nColumns = signal(1200);
  readonly showsAllSpikes: Signal<boolean>;
  readonly hasLabels: Signal<boolean>;
  readonly isUpsideDown: Signal<boolean>;
  readonly scaling: Signal<number>;

  constructor(frame: ViewFrame) {
    super(frame);
    const { id } = frame;
    this.showsAllSpikes = setting("shared", `${id}.show_all_spikes`, false);
    this.hasLabels = setting("shared", `${id}.labels`, true);
    this.isUpsideDown = setting("shared", `${id}.origin_upper`, false);
    this.scaling = setting("local", `${id}.scaling`, 1);
    this.disposer.add(
      effect(() => {
        const duration = dataset.value?.duration_s ?? 0;
        const [start, end] = traceInterval.value;
        if (duration && (end <= start || start >= duration)) {
          setTraceInterval(duration / 2 - INITIAL_S / 2, INITIAL_S, duration);
        }
      }),
    );
    this.disposer.add(
      follow(
        this,
        "traces",
        () => {
          const [start, end] = traceInterval.value;
          if (end <= start) return null;
          return {
            params: {
              start_s: Number(start.toFixed(6)),
              end_s: Number(end.toFixed(6)),
              n_columns: this.nColumns.value,
              is_filtered: isFiltered.value,
              shows_all_spikes: this.showsAllSpikes.value,
            },
          };
        },
        (data) => this.show(data),
      ),
    );
    this.disposer.add(
      effect(() => {
        this.hasLabels.value;
        this.isUpsideDown.value;
        this.scaling.value;
        this.invalidate();
      }),
    );
  }

  private show(data: Traces): void {
    this.lines?.dispose();
    this.data = data;
    this.lines = data.values.length ? new Polylines(data.values) : null;
    this.note.value = data.note;
    const filter = isFiltered.value ? "high-pass filtered" : "raw";
    this.info.value = data.n_columns
      ? `${clock(data.start_s)} to ${clock(data.end_s)} · ${data.n_channels} channels, ${filter}` +
        this.spikesShown(data.spike_times_s.length)
      : "";
    this.invalidate();
  }

  private spikesShown(nSpikes: number): string {
    if (!dataset.value?.is_sorted) return "";
    const which = this.showsAllSpikes.value ? "all" : "selected";
    return ` · ${withThousands(nSpikes)} spikes of ${which} clusters`;
  }

  /** Row of each channel, from the bottom of the view to its top. */
  private rowOf(data: Traces): Map<number, number> {
    const n = data.order.length;
    return new Map(
      data.order.map((channel, rank) => [channel, this.isUpsideDown.value ? n - 1 - rank : rank]),
    );
  }

  protected panels(width: number, height: number): readonly Panel[] {
    const nColumns = Math.max(200, Math.min(4000, Math.ceil((width - LEFT_PX) / 100) * 100));
    if (nColumns !== this.nColumns.peek()) queueMicrotask(() => (this.nColumns.value = nColumns));
    const { data } = this;
    if (!data || data.n_columns === 0) return [];
    const nLetters = Math.max(0, ...channelLabels.value.map((label) => label.length));
    const left = Math.max(LEFT_PX, Math.ceil(AXIS_PX + LETTER_PX * nLetters));
    const rect = { x: left, y: 4, w: width - left - 8, h: height - BOTTOM_PX - 4 };
    return [
      {
        key: "traces",
        rect,
        x: { low: data.start_s, high: data.end_s },
        y: { low: -0.5, high: data.n_channels - 0.5 },
        xAxis: { label: "time (s)", hasTicks: true },
        yAxis: { label: "channel", hasTicks: false },
        marks: this.hasLabels.value ? this.labels(data, rect.h) : [],
        rules: edgesBetween(data.start_s, data.end_s),
        draw: (pass) => this.draw(pass, data),
      },
    ];
  }

  private labels(data: Traces, height: number): NonNullable<Panel["marks"]> {
    const names = channelLabels.value;
    const every = Math.max(1, Math.ceil((data.n_channels * 13) / height / this.plot.view.scaleY));
    return [...this.rowOf(data)]
      .filter(([, row]) => row % every === 0)
      .map(([channel, row]) => ({
        at: [data.start_s, row] as const,
        text: names[channel] ?? String(channel),
      }));
  }

  private draw(pass: Pass, data: Traces): void {
    const perRow = data.is_envelope ? 2 * data.n_columns : data.n_columns;
    const span = data.end_s - data.start_s;
    // An envelope has two vertices a column, a sampled trace has one a sample.
    const stepX = data.is_envelope ? span / perRow : span / Math.max(1, perRow);
    const stepY = this.rowHeightPerStep(data);
    const rowOf = this.rowOf(data);
    const color = plotColors.value.foreground;
    const lines = new Float32Array(data.n_channels * FIELDS);
    for (const [channel, row] of rowOf) {
      lines.set([0, row, channel * perRow, perRow, ...color, 0.55], channel * FIELDS);
    }
    // Times count from the start of the interval: seconds since the start of a long recording
    // would lose their digits in the 32-bit numbers of the GPU.
    const x = { low: pass.x.low - data.start_s, high: pass.x.high - data.start_s };
    const moved: Pass = { ...pass, x };
    this.lines?.draw(moved, { lines, stepX, stepY, width: 1 });
    const spikes = this.spikeLines(data, rowOf, perRow, stepX);
    this.lines?.draw(moved, { lines: spikes, stepX, stepY, width: 2 });
  }

  private rowHeightPerStep(data: Traces): number {
    return data.spread > 0 ? (data.scale / (data.spread * ROW_SPREADS)) * this.scaling.value : 0;
  }

  /** Pieces of traces around spikes, in the colours of their clusters; selected ones on top. */
  private spikeLines(
    data: Traces,
    rowOf: ReadonlyMap<number, number>,
    perRow: number,
    stepX: number,
  ): Float32Array<ArrayBuffer> {
    const position = new Map(selectedIds.value.map((id, i) => [id, i]));
    const found: number[][] = [[], []];
    let cursor = 0;
    for (const [s, time] of data.spike_times_s.entries()) {
      const n = data.spike_n_channels[s] ?? 0;
      const cluster = data.spike_clusters[s] ?? -1;
      const rank = position.get(cluster);
      const color = rank === undefined ? otherColor(cluster) : rgb(selectedColor(rank));
      const from = (time - data.before_ms / 1000 - data.start_s) / stepX;
      const to = (time + data.after_ms / 1000 - data.start_s) / stepX;
      const first = Math.max(0, Math.round(from));
      const count = Math.min(perRow, Math.round(to) + 1) - first;
      for (let k = cursor; k < cursor + n && count > 1; k++) {
        const channel = data.spike_channels[k] ?? 0;
        found[rank === undefined ? 0 : 1]?.push(
          first * stepX,
          rowOf.get(channel) ?? 0,
          channel * perRow + first,
          count,
          ...color,
          1,
        );
      }
      cursor += n;
    }
    return Float32Array.from(found.flat());
  }

  protected override describe(place: Place): string {
    const { data } = this;
    if (!data) return "";
    const channel = this.channelAt(place.y, data);
    const name = dataset.value?.channel_labels[channel] ?? channel;
    const row = this.rowOf(data).get(channel) ?? 0;
    const step = this.rowHeightPerStep(data);
    const value = step ? ((place.y - row) / step) * data.scale : 0;
    return `${clock(place.x)} · channel ${name} · ${brief(value)} ${data.unit}`;
  }

  private channelAt(y: number, data: Traces): number {
    const row = Math.min(Math.max(Math.round(y), 0), data.n_channels - 1);
    return data.order[this.isUpsideDown.value ? data.n_channels - 1 - row : row] ?? 0;
  }

  protected override onClick(place: Place, click: Click): void {
    const { data } = this;
    if (!data) return;
    const channel = this.channelAt(place.y, data);
    if (click.ctrl && click.button === "left") this.selectSpike(data, place.x, channel);
    else if (click.shift) {
      const [first, second] = chosenChannels.value;
      chosenChannels.value = click.button === "right" ? [first, channel] : [channel, second];
    }
  }

  /** Select the cluster of the spike nearest to a time on a channel. */
  private selectSpike(data: Traces, time: number, channel: number): void {
    let best: number | null = null;
    let least = (data.after_ms + data.before_ms) / 1000;
    let cursor = 0;
    for (const [s, t] of data.spike_times_s.entries()) {
      const n = data.spike_n_channels[s] ?? 0;
      const isThere = data.spike_channels.subarray(cursor, cursor + n).includes(channel);
      cursor += n;
      if (isThere && Math.abs(t - time) < least) {
        least = Math.abs(t - time);
        best = data.spike_clusters[s] ?? null;
      }
    }
    if (best !== null && rows.value.has(best)) void send({ type: "select", cluster_ids: [best] });
  }

  protected override onWheel(modifier: "ctrl" | "alt" | "shift", direction: number): boolean {
    if (modifier === "ctrl") this.scaling.value *= WHEEL_STEP ** direction;
    else if (modifier === "alt") this.shift(-direction * 0.1);
    else return false;
    return true;
  }

  /** Move by a share of the interval shown. */
  shift(share: number): void {
    const [start, end] = traceInterval.value;
    setTraceInterval(start + (end - start) * share, end - start, dataset.value?.duration_s ?? 0);
  }

  override dispose(): void {
    this.lines?.dispose();
    super.dispose();
  }
}

/** Where files begin within an interval; the first one begins with the recording. */
function edgesBetween(start: number, end: number): { x: number; text: string }[] {
  return (dataset.value?.stretches ?? [])
    .slice(1)
    .filter((stretch) => stretch.start_s >= start && stretch.start_s <= end)
    .map((stretch) => ({ x: stretch.start_s, text: stretch.label }));
}

/** A colour for a cluster that is not selected: the same one always, paler than the others. */
function otherColor(cluster: number): readonly [number, number, number] {
  const hue = (cluster * 0.618034) % 1;
  const part = (shift: number) => 0.55 + 0.3 * Math.cos(2 * Math.PI * (hue + shift));
  return [part(0), part(1 / 3), part(2 / 3)];
}
