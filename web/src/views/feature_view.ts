import { effect, type Signal, signal } from "@preact/signals";
import { brief, clock, shownOf } from "../base/format";
import { gridCell, type Range } from "../base/geometry";
import { PointCloud } from "../gl/points";
import type { Axis, Features } from "../protocol/messages.gen";
import { register } from "../state/actions";
import { chosenChannels, chosenFeature } from "../state/exploring";
import { channelLabels, dataset } from "../state/session";
import { setting } from "../state/settings";
import { report } from "../state/status";
import { plotColors } from "../state/theme";
import type { Panel, Place } from "../widgets/panel";
import { PlotView } from "../widgets/plot_view";
import type { Click } from "../widgets/pointer";
import { markerAlpha, spansOf, sum } from "../widgets/spans";
import { follow, targets, type ViewFrame } from "../widgets/view";

/** Axes of the 4 x 4 subplots, as in phy: x, y; digit = channel, letter = principal component. */
const GRID = [
  ["time,0A", "1A,0A", "0B,0A", "1B,0A"],
  ["0A,1A", "time,1A", "0B,1A", "1B,1A"],
  ["0A,0B", "1A,0B", "time,0B", "1B,0B"],
  ["0A,1B", "1A,1B", "0B,1B", "time,1B"],
] as const;

const LETTERS = "ABC";
const STEP = 1.1;

interface Dimension {
  readonly name: string;
  /** Rank among the view's channels; -1 for time. */
  readonly rank: number;
  readonly component: number;
}

function dimension(name: string): Dimension {
  if (name === "time") return { name, rank: -1, component: 0 };
  return { name, rank: Number(name[0]), component: LETTERS.indexOf(name[1] ?? "A") };
}

/** Principal components of spikes of the selected clusters, and of others in grey. */
export class FeatureView extends PlotView {
  private data: Features | null = null;
  private cloud: PointCloud | null = null;
  private readonly markerSize: Signal<number>;
  private readonly featureScale: Signal<number>;
  /** Whether channels follow the selection; otherwise those shown stay. */
  readonly followsChannels = signal(true);

  constructor(frame: ViewFrame) {
    super(frame);
    this.markerSize = setting("shared", `${frame.id}.marker_size`, 3);
    this.featureScale = setting("local", `${frame.id}.scaling`, 1);
    this.disposer.add(
      follow(
        this,
        "features",
        () => ({ params: { channels: this.wantedChannels() } }),
        (data) => this.show(data),
      ),
    );
    this.disposer.add(
      effect(() => {
        this.markerSize.value;
        this.featureScale.value;
        this.invalidate();
      }),
    );
  }

  private wantedChannels(): string {
    const chosen = chosenChannels.value.filter((channel) => channel >= 0);
    if (!this.followsChannels.value && this.data) return this.data.channels.join(",");
    return chosen.join(",");
  }

  private show(data: Features): void {
    this.cloud?.dispose();
    this.data = data;
    this.cloud = new PointCloud(columnsOf(data));
    this.note.value = data.note;
    const names = channelLabels.value;
    const without = sum(data.n_without);
    const channels = data.channels.map((c, rank) => `${rank} = ${names[c] ?? c}`).join(", ");
    this.info.value = data.channels.length
      ? `${shownOf(sum(data.n_shown), sum(data.n_spikes), "spikes")} · channels ${channels} · PC units` +
        (without ? ` · ${without} without a feature there` : "")
      : "";
    this.invalidate();
  }

  private rangeOf(dim: Dimension, data: Features): Range {
    if (dim.rank < 0) return { low: 0, high: data.duration_s || 1 };
    const limit = (data.largest || 1) / this.featureScale.value;
    return { low: -limit, high: limit };
  }

  protected panels(width: number, height: number): readonly Panel[] {
    const { data, cloud } = this;
    if (!data || !cloud || data.channels.length === 0) return [];
    const area = { x: 2, y: 2, w: width - 4, h: height - 4 };
    const names = channelLabels.value;
    const spans = spansOf(data.cluster_ids, data.n_shown, data.n_background);
    const alpha = markerAlpha(sum(data.n_shown));
    const colors = plotColors.value;
    const size = this.markerSize.value;
    const labelled = (dim: Dimension) =>
      dim.rank < 0 ? "time" : `${names[data.channels[dim.rank] ?? 0]}${LETTERS[dim.component]}`;
    return GRID.flatMap((cells, row) =>
      cells.map((cell, column): Panel => {
        const [x, y] = cell.split(",").map(dimension) as [Dimension, Dimension];
        const unit = gridCell(row, column, 4, 4);
        const axes = { x: x.name, y: y.name };
        return {
          key: cell,
          rect: {
            x: area.x + unit.x * area.w,
            y: area.y + unit.y * area.h,
            w: unit.w * area.w,
            h: unit.h * area.h,
          },
          x: this.rangeOf(x, data),
          y: this.rangeOf(y, data),
          title: titleOf(labelled(x), labelled(y), unit.w * area.w),
          hasFrame: true,
          draw: (pass) => {
            const background = { color: colors.others, alpha: 0.35, size };
            cloud.draw(pass, axes, { first: 0, count: data.n_background }, background);
            for (const span of spans) {
              cloud.draw(pass, axes, span, { color: span.color, alpha, size });
            }
          },
        };
      }),
    );
  }

  protected override lassoAxes(panel: Panel): { x: Axis; y: Axis } | null {
    const { data } = this;
    if (!data) return null;
    const axis = (name: string): Axis => {
      const dim = dimension(name);
      if (dim.rank < 0) return { kind: "time", channel: -1, component: 0 };
      return {
        kind: "feature",
        channel: data.channels[dim.rank] ?? 0,
        component: dim.component,
      };
    };
    const [x, y] = panel.key.split(",") as [string, string];
    return { x: axis(x), y: axis(y) };
  }

  protected override onClick(place: Place, click: Click): void {
    if (!click.alt) return;
    const axes = this.lassoAxes(place.panel);
    const axis = click.button === "right" || click.shift ? axes?.y : axes?.x;
    if (axis?.kind !== "feature") return;
    chosenFeature.value = { channel: axis.channel, component: axis.component };
    const name = `${dataset.value?.channel_labels[axis.channel]}${LETTERS[axis.component]}`;
    report(`The Amplitude view can show feature ${name} (press A there).`);
  }

  protected override describe(place: Place): string {
    const [x, y] = place.panel.key.split(",").map((name) => dimension(name ?? ""));
    const text = (dim: Dimension | undefined, value: number) =>
      dim && dim.rank < 0 ? clock(value) : `${dim?.name} ${brief(value)}`;
    return `${text(x, place.x)} · ${text(y, place.y)}`;
  }

  protected override onWheel(modifier: "ctrl" | "alt" | "shift", direction: number): boolean {
    if (modifier === "shift") return false;
    this.markerSize.value = Math.min(20, Math.max(1, this.markerSize.value * STEP ** direction));
    return true;
  }

  scaleFeatures(factor: number): void {
    this.featureScale.value *= factor;
  }

  override reset(): void {
    super.reset();
    this.featureScale.value = 1;
    chosenChannels.value = [-1, -1];
  }

  override dispose(): void {
    this.cloud?.dispose();
    super.dispose();
  }
}

/** What the axes of a cell show, as long as there is room for it. */
function titleOf(x: string, y: string, width: number): string {
  if (width > 110)
    return `x: ${x === "time" ? "time (s)" : x}  y: ${y === "time" ? "time (s)" : y}`;
  return width > 60 ? `${x}, ${y}` : "";
}

/** Columns "time", "0A", "0B", "1A", … of the spikes of a frame. */
function columnsOf(data: Features): Map<string, Float32Array<ArrayBuffer>> {
  const columns = new Map([["time", data.times_s]]);
  const n = data.times_s.length;
  const nChannels = data.channels.length;
  for (let rank = 0; rank < nChannels; rank++) {
    for (let component = 0; component < data.n_components; component++) {
      const column = new Float32Array(n);
      const offset = rank * data.n_components + component;
      for (let i = 0; i < n; i++) {
        column[i] = data.values[i * nChannels * data.n_components + offset] ?? Number.NaN;
      }
      columns.set(`${rank}${LETTERS[component]}`, column);
    }
  }
  return columns;
}

export function registerFeatureActions(): void {
  const view = "FeatureView";
  register({
    id: "toggle_automatic_channel_selection",
    title: "Channels follow the selection",
    menu: "",
    view,
    keys: ["c"],
    run: () => {
      for (const each of targets(FeatureView)) {
        each.followsChannels.value = !each.followsChannels.value;
        const state = each.followsChannels.value ? "follow the selection" : "stay";
        report(`Channels of the Feature view ${state}.`);
      }
    },
  });
  register({
    id: "feature_increase",
    title: "Features larger",
    menu: "",
    view,
    keys: ["ctrl++"],
    run: () => {
      for (const each of targets(FeatureView)) each.scaleFeatures(STEP);
    },
  });
  register({
    id: "feature_decrease",
    title: "Features smaller",
    menu: "",
    view,
    keys: ["ctrl+-"],
    run: () => {
      for (const each of targets(FeatureView)) each.scaleFeatures(1 / STEP);
    },
  });
  const mouse = [
    ["add_lasso_point", "Add a lasso corner", "ctrl+click"],
    ["stop_lasso", "Remove the lasso", "ctrl+right click"],
    ["feature_change_marker_size", "Marker size", "ctrl+wheel"],
    ["select_x_dim", "Feature of the x axis for the Amplitude view", "alt+left click"],
    ["select_y_dim", "Feature of the y axis for the Amplitude view", "alt+right click"],
  ] as const;
  for (const [id, title, gesture] of mouse) {
    register({ id, title, menu: "", view, mouse: gesture, run: () => undefined });
  }
}
