import { dataset } from "../state/session";
import type { View, ViewFrame } from "../widgets/view";
import { AmplitudeView, registerAmplitudeActions } from "./amplitude_view";
import { CorrelogramView, registerCorrelogramActions } from "./correlogram_view";
import { FeatureView, registerFeatureActions } from "./feature_view";
import { FiringRateView, IsiView, registerHistogramActions } from "./histogram_views";
import { ClusterView, SimilarityView } from "./table_views";
import { registerTraceActions } from "./trace_keys";
import { TraceView } from "./trace_view";
import { registerWaveformActions, WaveformView } from "./waveform_view";

/** The types of views, under phy's names. */
export interface ViewType {
  readonly title: string;
  /** Whether there can be only one. */
  readonly isSingle: boolean;
  readonly make: (frame: ViewFrame) => View;
}

export const VIEW_TYPES: Readonly<Record<string, ViewType>> = {
  ClusterView: { title: "Cluster view", isSingle: true, make: (f) => new ClusterView(f) },
  SimilarityView: { title: "Similarity view", isSingle: true, make: (f) => new SimilarityView(f) },
  WaveformView: { title: "Waveform", isSingle: false, make: (f) => new WaveformView(f) },
  FeatureView: { title: "Feature", isSingle: false, make: (f) => new FeatureView(f) },
  AmplitudeView: { title: "Amplitude", isSingle: false, make: (f) => new AmplitudeView(f) },
  CorrelogramView: { title: "Correlogram", isSingle: false, make: (f) => new CorrelogramView(f) },
  ISIView: { title: "ISI", isSingle: false, make: (f) => new IsiView(f) },
  FiringRateView: { title: "Firing rate", isSingle: false, make: (f) => new FiringRateView(f) },
  TraceView: { title: "Trace", isSingle: false, make: (f) => new TraceView(f) },
};

/** The types of views that show something of what is open: of raw data there are traces alone. */
export function offeredViews(): [string, ViewType][] {
  const isSorted = dataset.value?.is_sorted ?? true;
  return Object.entries(VIEW_TYPES).filter(([type]) => isSorted || type === "TraceView");
}

export function registerViewActions(): void {
  registerWaveformActions();
  registerFeatureActions();
  registerAmplitudeActions();
  registerCorrelogramActions();
  registerHistogramActions();
  registerTraceActions();
}
