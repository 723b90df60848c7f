import { effect, type Signal } from "@preact/signals";
import { brief, shownOf } from "../base/format";
import type { Point, Rect } from "../base/geometry";
import { type BoxLayout, layoutBoxes } from "../base/probe_layout";
import { tickStep } from "../base/ticks";
import type { Pass } from "../gl/pass";
import { FIELDS, Polylines } from "../gl/polylines";
import { drawSegments } from "../gl/segments";
import type { WaveformParams, Waveforms } from "../protocol/messages.gen";
import { register } from "../state/actions";
import { chosenChannels, isFiltered } from "../state/exploring";
import { channelLabels, dataset } from "../state/session";
import { setting } from "../state/settings";
import { report } from "../state/status";
import { plotColors } from "../state/theme";
import type { Panel, Place } from "../widgets/panel";
import { PlotView } from "../widgets/plot_view";
import type { Click } from "../widgets/pointer";
import { type Span, spansOf, sum } from "../widgets/spans";
import { follow, targets, type ViewFrame } from "../widgets/view";

type Kind = WaveformParams["kind"];
const KINDS: readonly Kind[] = ["waveforms", "mean_waveforms", "templates"];
const UNIT = { low: 0, high: 1 };
const STEP = 1.1;
const SCALE_BAR_MS = 1;
const SCALE_PX = 26;
/** Least height of a waveform, as a share of the view, and how many boxes it may reach over. */
const HEIGHT_MIN = 0.2;
const OVERLAP_MAX = 3;

interface Scaling {
  /** Factors on the width and height of waveforms in their boxes. */
  readonly box: readonly [number, number];
  /** Factors on the distances between boxes. */
  readonly probe: readonly [number, number];
}

/** Waveforms of the selected clusters, at the places of their channels on the probe. */
export class WaveformView extends PlotView {
  private data: Waveforms | null = null;
  private lines: Polylines | null = null;
  private strokes: Float32Array<ArrayBuffer> = new Float32Array();
  private layout: BoxLayout = layoutBoxes([]);
  private channels: readonly number[] = [];
  readonly kind: Signal<Kind>;
  readonly nSpikes: Signal<number>;
  readonly overlaps: Signal<boolean>;
  readonly hasLabels: Signal<boolean>;
  readonly scaling: Signal<Scaling>;

  constructor(frame: ViewFrame) {
    super(frame);
    const { id } = frame;
    this.kind = setting<Kind>("shared", `${id}.kind`, "waveforms", (v) =>
      KINDS.includes(v as Kind),
    );
    this.nSpikes = setting("shared", `${id}.n_spikes`, 100);
    this.overlaps = setting("shared", `${id}.overlap`, false);
    this.hasLabels = setting("shared", `${id}.labels`, true);
    this.scaling = setting<Scaling>("local", `${id}.scaling`, { box: [1, 1], probe: [1, 1] });
    this.disposer.add(
      follow(
        this,
        "waveforms",
        () => ({
          params: {
            kind: this.kind.value,
            n_spikes: this.nSpikes.value,
            is_filtered: isFiltered.value,
          },
        }),
        (data) => this.show(data),
      ),
    );
    this.disposer.add(
      effect(() => {
        this.overlaps.value;
        this.scaling.value;
        this.hasLabels.value;
        this.rebuild();
      }),
    );
  }

  private show(data: Waveforms): void {
    this.lines?.dispose();
    this.data = data;
    this.lines = new Polylines(data.values);
    this.channels = [...new Set(data.channels.flat())].sort((a, b) => a - b);
    const positions = dataset.value?.channel_positions ?? [];
    this.layout = layoutBoxes(
      this.channels.map((c): Point => [positions[c]?.[0] ?? 0, positions[c]?.[1] ?? 0]),
    );
    this.note.value = data.note;
    const word = data.kind === "templates" ? "templates" : "spikes";
    const shown = shownOf(
      sum(data.n_shown),
      data.kind === "templates" ? sum(data.n_shown) : sum(data.n_spikes),
      word,
    );
    const what = { waveforms: shown, mean_waveforms: "mean waveforms", templates: shown }[
      data.kind
    ];
    const width = ((data.n_samples - 1) * data.sample_ms).toFixed(2);
    this.info.value = data.cluster_ids.length
      ? `${what} · box ${width} ms × ±${brief(data.largest)} ${data.unit}`
      : "";
    this.rebuild();
  }

  /** Centre of a box in the unit square, y up, with the probe scaling. */
  private centerOf(channel: number): Point {
    const center = this.layout.centers[this.channels.indexOf(channel)] ?? [0.5, 0.5];
    const [sx, sy] = this.scaling.value.probe;
    return [0.5 + (center[0] - 0.5) * sx, 0.5 - (center[1] - 0.5) * sy];
  }

  /** Width of one cluster's waveform, and how far it is moved in a box. */
  private slot(earlier: number, nClusters: number): { width: number; start: number } {
    const width = this.layout.width * this.scaling.value.box[0];
    if (this.overlaps.value || nClusters < 2) return { width, start: -width / 2 };
    // Clusters side by side, with gaps of an eighth of a waveform.
    const unit = width / (9 * nClusters - 1);
    return { width: 8 * unit, start: -width / 2 + 9 * unit * earlier };
  }

  private rebuild(): void {
    const { data } = this;
    if (!data) return;
    const nLines = sum(data.n_shown.map((n, k) => n * (data.channels[k]?.length ?? 0)));
    const lines = new Float32Array(nLines * FIELDS);
    const onChannel = new Map<number, number>();
    let cursor = 0;
    let start = 0;
    let opacity = 0;
    for (const span of spansOf(data.cluster_ids, data.n_shown)) {
      const channels = data.channels[span.position] ?? [];
      const places = channels.map((channel) => {
        const earlier = onChannel.get(channel) ?? 0;
        onChannel.set(channel, earlier + 1);
        const [x, y] = this.centerOf(channel);
        return [x + this.slot(earlier, data.cluster_ids.length).start, y] as const;
      });
      for (let spike = 0; spike < span.count; spike++) {
        const alpha = this.alpha(data, span) * (data.opacity[opacity++] ?? 1);
        for (const [x, y] of places) {
          lines.set([x, y, start, data.n_samples, ...span.color, alpha], cursor);
          cursor += FIELDS;
          start += data.n_samples;
        }
      }
    }
    this.strokes = lines;
    this.invalidate();
  }

  private alpha(data: Waveforms, span: Span): number {
    return data.kind === "waveforms"
      ? Math.min(0.8, Math.max(0.2, 8 / Math.sqrt(span.count * 4)))
      : 1;
  }

  protected panels(width: number, height: number): readonly Panel[] {
    const { data } = this;
    if (!data) return [];
    const rect: Rect = { x: 34, y: 6, w: width - 44, h: height - 12 - SCALE_PX };
    const names = channelLabels.value;
    const [bw] = this.boxSize();
    const channelMarks = this.hasLabels.value
      ? this.channels.map((channel) => {
          const [x, y] = this.centerOf(channel);
          const at: Point = [x - bw / 2, y + Math.min(this.layout.height / 2, 0.02)];
          return { at, text: names[channel] ?? String(channel) };
        })
      : [];
    return [
      {
        key: "all",
        rect,
        x: UNIT,
        y: UNIT,
        marks: channelMarks,
        draw: (pass) => this.draw(pass, data),
      },
      ...(data.largest > 0 ? [this.scaleBar(data, rect)] : []),
    ];
  }

  /** One millisecond and a round amplitude, at the scale of the waveforms. */
  private scaleBar(data: Waveforms, boxes: Rect): Panel {
    const { width } = this.slot(0, data.cluster_ids.length);
    const msPx = (width / ((data.n_samples - 1) * data.sample_ms)) * boxes.w;
    const unitPx = ((this.boxSize()[1] / 2) * boxes.h) / data.largest;
    const range = { low: 0, high: (SCALE_PX - 6) / unitPx };
    const amplitude = tickStep(range, 1) <= range.high ? tickStep(range, 1) : tickStep(range, 2);
    const amplitudePx = amplitude * unitPx;
    const rect = { x: 8, y: boxes.y + boxes.h + 3, w: 240, h: SCALE_PX };
    return {
      key: "scale",
      rect,
      x: { low: 0, high: rect.w },
      y: { low: 0, high: rect.h },
      marks: [
        {
          at: [msPx + 8, rect.h / 2],
          text: `1 ms, ${brief(amplitude)} ${data.unit}`,
          kind: "scale",
        },
      ],
      draw: (pass) => {
        const color = plotColors.value.foreground;
        drawSegments(pass, [1, 2, 1, 2 + amplitudePx, 1, 2, 1 + msPx, 2], color, 0.9);
      },
    };
  }

  private boxSize(): [number, number] {
    const [sx, sy] = this.scaling.value.box;
    // A long column of channels makes flat boxes: waveforms may then reach into their neighbours.
    const height = Math.min(
      Math.max(this.layout.height, HEIGHT_MIN),
      OVERLAP_MAX * this.layout.height,
    );
    return [this.layout.width * sx, height * sy];
  }

  private draw(pass: Pass, data: Waveforms): void {
    const rule = plotColors.value.rule;
    const { width } = this.slot(0, data.cluster_ids.length);
    const [bw, bh] = this.boxSize();
    const tickHalf = this.layout.height / 20;
    const zero: number[] = [];
    const msTicks: number[] = [];
    const msWidth = width / ((data.n_samples - 1) * data.sample_ms || 1);
    const spikeAt = -data.first_ms * msWidth;
    for (const channel of this.channels) {
      const [x, y] = this.centerOf(channel);
      zero.push(x - bw / 2, y, x + bw / 2, y);
      const left = x + this.slot(0, data.cluster_ids.length).start;
      for (let ms = -2; ms <= 2; ms += SCALE_BAR_MS) {
        const tick = left + spikeAt + ms * msWidth;
        if (tick > left && tick < left + width)
          msTicks.push(tick, y - tickHalf, tick, y + tickHalf);
      }
    }
    drawSegments(pass, zero, rule, 0.25);
    drawSegments(pass, msTicks, rule, 0.4);
    this.lines?.draw(pass, {
      lines: this.strokes,
      stepX: width / Math.max(1, data.n_samples - 1),
      stepY: data.largest > 0 ? (data.scale / data.largest) * (bh / 2) : 0,
      width: data.kind === "waveforms" ? 1 : 2,
    });
  }

  protected override onClick(place: Place, click: Click): void {
    if (!click.ctrl) return;
    const channel = place.panel.key === "all" ? this.channelAt(place.x, place.y) : null;
    if (channel === null) return;
    const [first, second] = chosenChannels.value;
    chosenChannels.value = click.button === "right" ? [first, channel] : [channel, second];
    const name = dataset.value?.channel_labels[channel] ?? channel;
    report(`Channel ${name} is axis ${click.button === "right" ? 1 : 0} of the Feature view.`);
  }

  private channelAt(x: number, y: number): number | null {
    let nearest: number | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const channel of this.channels) {
      const [cx, cy] = this.centerOf(channel);
      const distance = Math.hypot((cx - x) / this.layout.width, (cy - y) / this.layout.height);
      if (distance < least) [least, nearest] = [distance, channel];
    }
    return nearest;
  }

  protected override describe(place: Place): string {
    const channel = place.panel.key === "all" ? this.channelAt(place.x, place.y) : null;
    if (channel === null || !this.data) return "";
    const info = dataset.value;
    const [, bh] = this.boxSize();
    const value = ((place.y - this.centerOf(channel)[1]) / (bh / 2 || 1)) * this.data.largest;
    const position = info?.channel_positions[channel] ?? [];
    return `channel ${info?.channel_labels[channel]} at (${position.join(", ")}) µm · ${brief(value)} ${this.data.unit}`;
  }

  protected override onWheel(modifier: "ctrl" | "alt" | "shift", direction: number): boolean {
    if (modifier !== "ctrl") return false;
    this.scale("box", STEP ** direction, STEP ** direction);
    return true;
  }

  scale(what: keyof Scaling, factorX: number, factorY: number): void {
    const [x, y] = this.scaling.value[what];
    this.scaling.value = { ...this.scaling.value, [what]: [x * factorX, y * factorY] };
  }

  /** Show the next kind of waveforms that there is. */
  cycleKind(step: number): void {
    const kinds = this.data?.kinds.length ? this.data.kinds : KINDS;
    const now = kinds.indexOf(this.data?.kind ?? this.kind.value);
    this.kind.value = kinds[(now + step + kinds.length) % kinds.length] ?? "waveforms";
  }

  override reset(): void {
    super.reset();
    this.scaling.value = { box: [1, 1], probe: [1, 1] };
  }

  override dispose(): void {
    this.lines?.dispose();
    super.dispose();
  }
}

function act(
  id: string,
  title: string,
  key: string,
  run: (view: WaveformView) => void,
  mouse?: string,
): void {
  register({
    id,
    title,
    menu: "",
    view: "WaveformView",
    keys: key ? [key] : [],
    ...(mouse ? { mouse } : {}),
    run: () => targets(WaveformView).forEach(run),
  });
}

export function registerWaveformActions(): void {
  act("next_waveforms_type", "Next kind of waveforms", "w", (v) => v.cycleKind(1));
  act("previous_waveforms_type", "Previous kind of waveforms", "shift+w", (v) => v.cycleKind(-1));
  act("toggle_mean_waveforms", "Mean waveforms", "m", (v) => {
    v.kind.value = v.kind.value === "mean_waveforms" ? "waveforms" : "mean_waveforms";
  });
  act("toggle_templates", "Templates", "", (v) => {
    v.kind.value = v.kind.value === "templates" ? "waveforms" : "templates";
  });
  act("toggle_waveform_overlap", "Overlap waveforms", "o", (v) => {
    v.overlaps.value = !v.overlaps.value;
  });
  act("waveform_toggle_show_labels", "Channel labels", "ctrl+l", (v) => {
    v.hasLabels.value = !v.hasLabels.value;
  });
  act("waveform_widen", "Widen waveforms", "ctrl+right", (v) => v.scale("box", STEP, 1));
  act("waveform_narrow", "Narrow waveforms", "ctrl+left", (v) => v.scale("box", 1 / STEP, 1));
  act("waveform_increase", "Taller waveforms", "ctrl+up", (v) => v.scale("box", 1, STEP));
  act("waveform_decrease", "Flatter waveforms", "ctrl+down", (v) => v.scale("box", 1, 1 / STEP));
  act("extend_horizontally", "Probe wider", "shift+right", (v) => v.scale("probe", STEP, 1));
  act("shrink_horizontally", "Probe narrower", "shift+left", (v) => v.scale("probe", 1 / STEP, 1));
  act("extend_vertically", "Probe taller", "shift+up", (v) => v.scale("probe", 1, STEP));
  act("shrink_vertically", "Probe flatter", "shift+down", (v) => v.scale("probe", 1, 1 / STEP));
  act("change_box_size", "Size of waveforms", "", () => undefined, "ctrl+wheel");
  act("select_channel", "Channel for the Feature view", "", () => undefined, "ctrl+click");
  register({
    id: "change_n_spikes_waveforms",
    title: "Number of waveforms per cluster",
    menu: "",
    view: "WaveformView",
    snippet: "wn",
    args: ["number"],
    prompt: "Waveforms per cluster",
    run: ([n]) => {
      for (const view of targets(WaveformView)) view.nSpikes.value = Math.max(1, Number(n));
    },
  });
}
