import { batch, effect, type Signal, signal, untracked } from "@preact/signals";
import { Disposer } from "../base/disposer";
import { DataError, Fetcher, type ViewName } from "../protocol/fetcher";
import type { ViewFrames, ViewParams } from "../protocol/messages.gen";
import { clusteringRevision, dataset, likely, selectedIds } from "../state/session";
import { nBusy } from "../state/status";

/** What all graphical views share: an element, data that follow the selection, a line of text. */

/** Follows signals from below, so that views need not know the dock. */
export interface ViewFrame {
  /** Unique among open views: "WaveformView", "WaveformView (1)". */
  readonly id: string;
  readonly type: string;
}

export const fetcher = new Fetcher();

const PREFETCH_AFTER_MS = 120;

/** Views that are open, by id. */
export const openViews = signal<ReadonlyMap<string, View>>(new Map());
/** The view that was clicked last; keys of its type go to it alone. */
export const activeViewId = signal<string | null>(null);

export abstract class View {
  readonly element = document.createElement("div");
  readonly body = document.createElement("div");
  /** One line below the plot: what is shown of how much. */
  readonly info = signal("");
  /** Values under the mouse. */
  readonly readout = signal("");
  /** Why there is nothing to show; empty if there is something. */
  readonly note = signal("");
  readonly isVisible = signal(false);
  /** Whether the view follows the selection. */
  readonly isFollowing = signal(true);
  protected readonly disposer = new Disposer();

  constructor(readonly frame: ViewFrame) {
    this.element.className = "view";
    this.element.dataset["view"] = frame.type;
    this.element.dataset["viewId"] = frame.id;
    this.body.className = "view-body";
    const noteElement = line("view-note", this.note, this.disposer);
    const foot = document.createElement("div");
    foot.className = "view-foot";
    foot.append(
      line("view-info", this.info, this.disposer),
      line("view-readout", this.readout, this.disposer),
    );
    this.body.append(noteElement);
    this.element.append(this.body, foot);
    this.disposer.listen(this.element, "pointerdown", () => {
      activeViewId.value = frame.id;
    });
    openViews.value = new Map(openViews.value).set(frame.id, this);
  }

  /** A picture of the view, where it has one. */
  picture(): Promise<Blob | null> {
    return Promise.resolve(null);
  }

  /** Clear what the user drew or zoomed. */
  reset(): void {}

  dispose(): void {
    const rest = new Map(openViews.value);
    rest.delete(this.frame.id);
    openViews.value = rest;
    this.disposer.dispose();
  }
}

function line(className: string, text: Signal<string>, disposer: Disposer): HTMLElement {
  const element = document.createElement("div");
  element.className = className;
  disposer.add(
    effect(() => {
      element.textContent = text.value;
      element.title = text.value;
      element.hidden = text.value === "";
    }),
  );
  return element;
}

/** Views of a type that an action applies to: the active one, else all that are visible. */
export function targets<V extends View>(kind: abstract new (...args: never[]) => V): V[] {
  const open = [...openViews.value.values()].filter((view): view is V => view instanceof kind);
  const active = open.find((view) => view.frame.id === activeViewId.value);
  if (active) return [active];
  const visible = open.filter((view) => view.isVisible.value);
  return visible.length ? visible : open;
}

/** What a view asks for: null while there is nothing to ask. */
export interface Asked<K extends ViewName> {
  readonly params: Partial<ViewParams[K]>;
  /** Clusters to show; the selected ones by default. */
  readonly clusterIds?: readonly number[];
}

/**
 * Keep a view's data up to date: whenever it is visible and the selection, the clustering or its
 * parameters change, the latest data are fetched, and requests that became stale are withdrawn.
 */
export function follow<K extends ViewName>(
  view: View,
  name: K,
  ask: () => Asked<K> | null,
  show: (frame: ViewFrames[K]) => void,
): () => void {
  const frozen = signal<readonly number[]>(selectedIds.peek());
  let running: AbortController | undefined;

  const fetchFor = async (clusterIds: readonly number[], revision: number, asked: Asked<K>) => {
    running?.abort();
    const controller = new AbortController();
    running = controller;
    const request = { view: name, clusterIds, revision, params: asked.params };
    nBusy.value++;
    view.element.classList.add("is-loading");
    try {
      const frame = await fetcher.get(request, controller.signal);
      if (controller === running) batch(() => show(frame));
    } catch (error) {
      if (controller.signal.aborted) return;
      // 409: the clusters are gone; the update that says so is on its way.
      if (error instanceof DataError && error.status === 409) return;
      view.note.value = error instanceof Error ? error.message : String(error);
    } finally {
      nBusy.value--;
      if (controller === running) view.element.classList.remove("is-loading");
    }
  };

  const stopFollowing = effect(() => {
    if (!view.isVisible.value || !dataset.value) return;
    const asked = ask();
    if (!asked) return;
    const revision = clusteringRevision.value;
    const current = selectedIds.value;
    const ids = view.isFollowing.value ? current : frozen.value;
    if (view.isFollowing.value) untracked(() => (frozen.value = current));
    void untracked(() => fetchFor(asked.clusterIds ?? ids, revision, asked));
  });

  const stopPrefetching = prefetchLikely(view, name, ask);
  return () => {
    stopFollowing();
    stopPrefetching();
    running?.abort();
  };
}

/** Fetch ahead, when the page is idle, what the next key press will probably show. */
function prefetchLikely<K extends ViewName>(
  view: View,
  name: K,
  ask: () => Asked<K> | null,
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ahead: AbortController | undefined;
  const stop = effect(() => {
    const candidates = likely.value;
    const isIdle = nBusy.value === 0;
    clearTimeout(timer);
    if (!isIdle) ahead?.abort();
    if (!isIdle || !view.isVisible.value || !view.isFollowing.value) return;
    timer = setTimeout(() => {
      const asked = ask();
      if (!asked || asked.clusterIds) return;
      ahead = new AbortController();
      const revision = clusteringRevision.peek();
      for (const clusterIds of candidates) {
        fetcher.prefetch({ view: name, clusterIds, revision, params: asked.params }, ahead.signal);
      }
    }, PREFETCH_AFTER_MS);
  });
  return () => {
    stop();
    clearTimeout(timer);
    ahead?.abort();
  };
}
