import { effect } from "@preact/signals";
import {
  type ContextMenuItem,
  createDockview,
  type DockviewApi,
  type IContentRenderer,
  type IDockviewPanel,
  type SerializedDockview,
  themeDark,
  themeLight,
} from "dockview";
import "dockview/dist/styles/dockview.css";
import { dataset } from "../state/session";
import { setting } from "../state/settings";
import { addNote, report } from "../state/status";
import { dress, theme } from "../state/theme";
import { VIEW_TYPES } from "../views/all_views";
import { openViews, type View } from "../widgets/view";

/** Where views are: docked, tabbed, floating or in windows of their own. The only file that knows dockview. */

const POPOUT_URL = "./popout.html";
const LAYOUT_VERSION = 1;

interface KeptLayout {
  readonly version: number;
  readonly dock: SerializedDockview;
}

const kept = setting<KeptLayout | null>("shared", "layout", null);

let api: DockviewApi | null = null;

/** Type of a view, from its id: "WaveformView (1)" is a WaveformView. */
function typeOf(id: string): string {
  return id.replace(/ \(\d+\)$/, "");
}

class ViewPanel implements IContentRenderer {
  readonly element = document.createElement("div");
  private view: View | null = null;

  constructor(private readonly id: string) {
    this.element.className = "panel-content";
  }

  init(parameters: Parameters<IContentRenderer["init"]>[0]): void {
    const type = VIEW_TYPES[typeOf(this.id)];
    if (!type) {
      this.element.textContent = `This version of spikeloom has no ${this.id}.`;
      return;
    }
    const view = type.make({ id: this.id, type: typeOf(this.id) });
    this.view = view;
    this.element.append(view.element);
    view.isVisible.value = parameters.api.isVisible;
    parameters.api.onDidVisibilityChange((event) => {
      view.isVisible.value = event.isVisible;
    });
    parameters.api.onDidLocationChange(() => dress(view.element.ownerDocument));
  }

  dispose(): void {
    this.view?.dispose();
  }
}

export function createDock(root: HTMLElement): void {
  const dock = createDockview(root, {
    createComponent: (options) => new ViewPanel(options.id),
    popoutUrl: POPOUT_URL,
    floatingGroupBounds: "boundedWithinViewport",
    getTabContextMenuItems: ({ panel }) => tabMenu(panel),
  });
  api = dock;
  effect(() => dock.updateOptions({ theme: theme.value === "dark" ? themeDark : themeLight }));
  restore(dock);
  dock.onDidOpenPopoutWindowFail(() => {
    addNote(
      "The browser blocked a window. Allow pop-ups for this page, then try again.",
      "warning",
    );
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  dock.onDidLayoutChange(() => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      kept.value = { version: LAYOUT_VERSION, dock: dock.toJSON() };
    }, 300);
  });
}

function restore(dock: DockviewApi): void {
  const layout = kept.peek();
  if (layout?.version === LAYOUT_VERSION) {
    try {
      dock.fromJSON(layout.dock);
      if (dock.panels.length) return;
    } catch {
      report("The kept layout could not be restored; the usual one is shown.", "warning");
    }
  }
  resetLayout();
}

/** Tables at the left, graphical views beside them; of raw data the traces alone. */
export function resetLayout(): void {
  const dock = api;
  if (!dock) return;
  dock.clear();
  const add = (id: string, position?: Parameters<DockviewApi["addPanel"]>[0]["position"]) =>
    dock.addPanel({
      id,
      component: typeOf(id),
      title: VIEW_TYPES[id]?.title ?? id,
      renderer: "always",
      ...(position ? { position } : {}),
    });
  if (!dataset.peek()?.is_sorted) {
    add("TraceView");
    return;
  }
  add("ClusterView");
  add("WaveformView", { referencePanel: "ClusterView", direction: "right" });
  add("SimilarityView", { referencePanel: "ClusterView", direction: "below" });
  add("FeatureView", { referencePanel: "WaveformView", direction: "right" });
  add("CorrelogramView", { referencePanel: "FeatureView", direction: "right" });
  add("TraceView", { referencePanel: "WaveformView", direction: "below" });
  add("AmplitudeView", { referencePanel: "FeatureView", direction: "below" });
  add("ISIView", { referencePanel: "CorrelogramView", direction: "below" });
  add("FiringRateView", { referencePanel: "ISIView", direction: "within" });
  dock.getPanel("ISIView")?.api.setActive();
  const width = dock.width;
  dock.getPanel("ClusterView")?.group.api.setSize({ width: Math.min(430, width * 0.28) });
  dock.getPanel("CorrelogramView")?.group.api.setSize({ width: width * 0.22 });
}

/** Open a view of a type; views of which there can be several get a number. */
export function addView(type: string): void {
  const dock = api;
  const kind = VIEW_TYPES[type];
  if (!dock || !kind) return;
  let id = type;
  for (let n = 1; dock.getPanel(id); n++) {
    if (kind.isSingle) {
      dock.getPanel(id)?.api.setActive();
      return;
    }
    id = `${type} (${n})`;
  }
  const title = kind.title + id.slice(type.length);
  const sibling = dock.panels.find((panel) => typeOf(panel.id) === type);
  dock.addPanel({
    id,
    component: type,
    title,
    renderer: "always",
    position: sibling
      ? { referencePanel: sibling.id, direction: "within" }
      : { direction: kind.isSingle ? "left" : "right" },
  });
}

function tabMenu(panel: IDockviewPanel): ContextMenuItem[] {
  const view = openViews.peek().get(panel.id);
  const kind = VIEW_TYPES[typeOf(panel.id)];
  const items: ContextMenuItem[] = [];
  if (view) {
    items.push({
      label: view.isFollowing.peek() ? "Stop following the selection" : "Follow the selection",
      action: () => toggleFollowing(panel, view),
    });
    items.push({ label: "Save picture…", action: () => void savePicture(view) });
    items.push({ label: "Reset view", action: () => view.reset() });
  }
  if (kind && !kind.isSingle) {
    items.push({ label: "Another one", action: () => addView(typeOf(panel.id)) });
  }
  items.push("separator", "float", "popout", "maximize", "separator", "close");
  return items;
}

function toggleFollowing(panel: IDockviewPanel, view: View): void {
  view.isFollowing.value = !view.isFollowing.value;
  const title = (panel.title ?? panel.id).replace(/ ❄$/, "");
  panel.api.setTitle(view.isFollowing.value ? title : `${title} ❄`);
}

export async function savePicture(view: View): Promise<void> {
  const picture = await view.picture();
  if (!picture) {
    report("This view has no picture.");
    return;
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(picture);
  link.download = `spikeloom-${view.frame.id.replace(/\W+/g, "-")}.png`;
  link.click();
  URL.revokeObjectURL(link.href);
}
