import { register } from "../state/actions";
import { goToTime, isFiltered, setTraceInterval, traceInterval } from "../state/exploring";
import { dataset, selectedIds, send } from "../state/session";
import { report } from "../state/status";
import { targets } from "../widgets/view";
import { TRACE_STEP, TraceView } from "./trace_view";

const view = "TraceView";
const MOVE_SHARE = 0.1;

function duration(): number {
  return dataset.value?.duration_s ?? 0;
}

function move(seconds: number): void {
  const [start, end] = traceInterval.value;
  setTraceInterval(start + seconds, end - start, duration());
}

function widen(factor: number): void {
  const [start, end] = traceInterval.value;
  const length = (end - start) * factor;
  setTraceInterval((start + end - length) / 2, length, duration());
}

async function goToSpike(step: 1 | -1): Promise<void> {
  const cluster = selectedIds.value[0];
  if (cluster === undefined) {
    report("Select a cluster first.");
    return;
  }
  const [start, end] = traceInterval.value;
  const time_s = (start + end) / 2;
  const reply = await send({ type: "find_spike", cluster_id: cluster, time_s, step });
  if (reply.time_s !== undefined && reply.time_s !== null) goToTime(reply.time_s, duration());
}

/** Go to where the next file begins, or the one before. */
function goToFile(step: 1 | -1): void {
  const starts = (dataset.value?.stretches ?? []).map((stretch) => stretch.start_s);
  const [start, end] = traceInterval.value;
  const middle = (start + end) / 2;
  // What is in the middle already counts as the one that is looked at.
  const near = 0.001;
  const found =
    step === 1
      ? starts.find((time) => time > middle + near)
      : starts.findLast((time) => time < middle - near);
  if (found === undefined)
    report(step === 1 ? "This is the last file." : "This is the first file.");
  else goToTime(found, duration());
}

const each = (run: (trace: TraceView) => void) => () => targets(TraceView).forEach(run);

const KEYS = [
  ["go_left", "Left", "alt+left", each((trace) => trace.shift(-MOVE_SHARE))],
  ["go_right", "Right", "alt+right", each((trace) => trace.shift(MOVE_SHARE))],
  ["jump_left", "Far left", "alt+shift+left", () => move(-MOVE_SHARE * duration())],
  ["jump_right", "Far right", "alt+shift+right", () => move(MOVE_SHARE * duration())],
  ["go_to_start", "To the start", "alt+home", () => move(-duration())],
  ["go_to_end", "To the end", "alt+end", () => move(duration())],
  ["go_to_next_spike", "Next spike", "alt+pgdown", () => void goToSpike(1)],
  ["go_to_previous_spike", "Previous spike", "alt+pgup", () => void goToSpike(-1)],
  ["go_to_next_file", "Next file", "alt+shift+pgdown", () => goToFile(1)],
  ["go_to_previous_file", "Previous file", "alt+shift+pgup", () => goToFile(-1)],
  ["narrow", "Shorter interval", "alt++", () => widen(1 / TRACE_STEP)],
  ["widen", "Longer interval", "alt+-", () => widen(TRACE_STEP)],
  ["increase", "Larger traces", "alt+up", each((trace) => (trace.scaling.value *= TRACE_STEP))],
  ["decrease", "Smaller traces", "alt+down", each((trace) => (trace.scaling.value /= TRACE_STEP))],
  [
    "switch_origin",
    "Upside down",
    "alt+o",
    each((trace) => (trace.isUpsideDown.value = !trace.isUpsideDown.value)),
  ],
  [
    "toggle_highlighted_spikes",
    "Spikes of all clusters",
    "alt+s",
    each((trace) => (trace.showsAllSpikes.value = !trace.showsAllSpikes.value)),
  ],
  [
    "trace_toggle_show_labels",
    "Channel labels",
    "alt+l",
    each((trace) => (trace.hasLabels.value = !trace.hasLabels.value)),
  ],
] as const;

const ABOUT_SPIKES: ReadonlySet<string> = new Set([
  "go_to_next_spike",
  "go_to_previous_spike",
  "toggle_highlighted_spikes",
  "select_spike",
  "select_channel_pca",
]);

const MOUSE = [
  ["change_trace_size", "Size of traces", "ctrl+wheel"],
  ["navigate", "Left and right", "alt+wheel"],
  ["select_spike", "Select the cluster of a spike", "ctrl+click"],
  ["select_channel_pca", "Channel for the Feature view", "shift+click"],
] as const;

export function registerTraceActions(): void {
  for (const [id, title, key, run] of KEYS) {
    const needsSpikes = ABOUT_SPIKES.has(id);
    register({ id, title, menu: "", view, keys: [key], needsSpikes, run: () => void run() });
  }
  for (const [id, title, mouse] of MOUSE) {
    const needsSpikes = ABOUT_SPIKES.has(id);
    register({ id, title, menu: "", view, mouse, needsSpikes, run: () => undefined });
  }
  register({
    id: "go_to",
    title: "Go to a time (s)",
    menu: "",
    view,
    keys: ["alt+t"],
    snippet: "tg",
    args: ["number"],
    prompt: "Time (s)",
    run: ([time]) => goToTime(Number(time), duration()),
  });
  register({
    id: "shift",
    title: "Shift by a time (s)",
    menu: "",
    view,
    snippet: "ts",
    args: ["number"],
    prompt: "Shift (s)",
    run: ([seconds]) => move(Number(seconds)),
  });
  register({
    id: "switch_raw_data_filter",
    title: "High-pass filter raw data",
    menu: "View",
    keys: ["alt+r"],
    isOn: () => isFiltered.value,
    run: () => {
      isFiltered.value = !isFiltered.value;
      report(`Raw data are ${isFiltered.value ? "high-pass filtered (150 Hz)" : "not filtered"}.`);
    },
  });
}
