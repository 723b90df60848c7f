import { signal } from "@preact/signals";
import { setting } from "./settings";

/** What is looked at beside clusters: channels, features and a time. */

/** Channels chosen in the Waveform view: axes 0 and 1 of the Feature view; -1 for automatic. */
export const chosenChannels = signal<readonly [number, number]>([-1, -1]);

/** Feature that the Amplitude view shows. */
export const chosenFeature = signal<{ channel: number; component: number }>({
  channel: -1,
  component: 0,
});

/** Interval of the Trace view in s; [0, 0] until a dataset is open. */
export const traceInterval = setting<readonly [number, number]>(
  "local",
  "TraceView.interval",
  [0, 0],
  (value) => Array.isArray(value) && value.length === 2 && value.every((v) => Number.isFinite(v)),
);

/** Whether raw data pass the high-pass filter. */
export const isFiltered = setting("shared", "raw_data_filter", true);

/** Show the Trace view around a time. */
export function goToTime(time: number, duration: number): void {
  const [start, end] = traceInterval.value;
  setTraceInterval(time - (end - start) / 2, end - start, duration);
}

/** Set the interval of the Trace view, kept inside the recording. */
export function setTraceInterval(start: number, length: number, duration: number): void {
  const kept = Math.min(Math.max(length, 0.002), 10, duration);
  const first = Math.min(Math.max(0, start), Math.max(0, duration - kept));
  traceInterval.value = [first, first + kept];
}
