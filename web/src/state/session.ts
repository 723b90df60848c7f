import { batch, computed, signal } from "@preact/signals";
import { shortLabels } from "../base/labels";
import type {
  DatasetInfo,
  Goodbye,
  Hello,
  RecoveryInfo,
  Reply,
  TableInfo,
  Update,
} from "../protocol/messages.gen";
import { CommandSocket, type Request } from "../protocol/socket";
import { keepOpen, restoreSettings } from "./settings";
import { report } from "./status";

/**
 * The server's session, mirrored. The truth is on the server; what is written here comes from its
 * messages, but for `predicted`: a plain click is shown at once, and the server's answer, a moment
 * later, replaces it.
 */

export type Cell = number | string | null;
export type Row = Readonly<Record<string, Cell>>;
export type TableName = "cluster" | "similarity";
export type Gesture = "replace" | "toggle" | "range" | "transfer";

export interface Selection {
  readonly best: readonly number[];
  readonly similar: readonly number[];
}

const NO_TABLE: TableInfo = { sort_column: "id", is_descending: false, filter_text: "" };
const NOTHING: Selection = { best: [], similar: [] };

export const dataset = signal<DatasetInfo | null>(null);
/** Names of channels as they fit beside a picture. */
export const channelLabels = computed(() => shortLabels(dataset.value?.channel_labels ?? []));
export const version = signal("");
export const columnHelp = signal<Readonly<Record<string, string>>>({});
export const isConnected = signal(false);
export const hasStopped = signal(false);
export const recovery = signal<RecoveryInfo | null>(null);

export const revision = signal(0);
export const clusteringRevision = signal(0);
export const canUndo = signal(false);
export const canRedo = signal(false);
export const isDirty = signal(false);
export const nEdits = signal(0);
export const skipsMasked = signal(true);
export const likely = signal<readonly (readonly number[])[]>([]);

export const columns = signal<readonly string[]>([]);
export const rows = signal<ReadonlyMap<number, Row>>(new Map());
export const orders = signal<Readonly<Record<TableName, readonly number[]>>>({
  cluster: [],
  similarity: [],
});
export const similarities = signal<ReadonlyMap<number, number>>(new Map());
export const tables = signal<Readonly<Record<TableName, TableInfo>>>({
  cluster: NO_TABLE,
  similarity: NO_TABLE,
});

const confirmed = signal<Selection>(NOTHING);
const predicted = signal<Selection | null>(null);

/** Selected clusters, as shown. */
export const selection = computed(() => predicted.value ?? confirmed.value);

/** All selected clusters, each once; the position of a cluster gives its colour. */
export const selectedIds = computed<readonly number[]>((): readonly number[] => [
  ...new Set([...selection.value.best, ...selection.value.similar]),
]);

const socket = new CommandSocket({
  onMessage: (message) => receive(message),
  onConnected: (isOpen) => {
    isConnected.value = isOpen;
  },
});

export function connect(): void {
  socket.connect();
}

/** Send a command; errors and the server's sentence go to the status line. */
export async function send(request: Request): Promise<Reply> {
  const reply = await socket.send(request);
  if (reply.error) {
    predicted.value = null;
    if (reply.error.kind !== "UnplacedSpikes") report(reply.error.text, "error");
  } else if (reply.text) {
    report(reply.text);
  }
  return reply;
}

/** Send a command whose answer matters to nobody. */
export function sendQuietly(request: Request): void {
  void socket.send(request);
}

/** Do what a click on a row does, and show the likely result at once. */
export function clickRow(table: TableName, clusterId: number, gesture: Gesture): void {
  predicted.value = predictClick(selection.value, table, clusterId, gesture);
  void send({ type: "click_row", table, cluster_id: clusterId, gesture });
}

/** What a plain or toggling click on a row will select; null where the server must say. */
export function predictClick(
  before: Selection,
  table: TableName,
  clusterId: number,
  gesture: Gesture,
): Selection | null {
  const selected = table === "cluster" ? before.best : before.similar;
  let clicked: readonly number[];
  if (gesture === "replace") clicked = [clusterId];
  else if (gesture !== "toggle") return null;
  else if (selected.includes(clusterId)) clicked = selected.filter((id) => id !== clusterId);
  else clicked = [...selected, clusterId];
  return table === "cluster"
    ? { best: clicked, similar: [] }
    : { best: before.best, similar: clicked.filter((id) => !before.best.includes(id)) };
}

function receive(message: Hello | Update | Goodbye): void {
  switch (message.type) {
    case "hello":
      batch(() => {
        version.value = message.version;
        dataset.value = message.dataset;
        columnHelp.value = message.column_help;
        // Who opens raw data alone wants to see them as they are.
        const usual = message.dataset.is_sorted ? {} : { raw_data_filter: false };
        restoreSettings({ ...usual, ...message.shared_state }, message.local_state);
        for (const text of message.dataset.warnings) report(text, "warning");
      });
      keepOpen((shared, local) => sendQuietly({ type: "keep_state", shared, local }));
      break;
    case "update":
      batch(() => apply(message));
      break;
    case "goodbye":
      hasStopped.value = true;
      socket.close();
      break;
  }
}

function apply(update: Update): void {
  // A page that joined a moment ago may hear of a difference before it has heard of the whole.
  if (!update.is_full && rows.value.size === 0 && columns.value.length === 0) return;
  if (update.columns) columns.value = update.columns;
  if (update.rows || update.removed) applyRows(update);
  revision.value = update.revision;
  clusteringRevision.value = update.clustering_revision;
  canUndo.value = update.can_undo;
  canRedo.value = update.can_redo;
  isDirty.value = update.is_dirty;
  nEdits.value = update.n_edits;
  skipsMasked.value = update.skips_masked;
  likely.value = update.likely;
  recovery.value = update.recovery ?? null;
  tables.value = { cluster: update.cluster_table, similarity: update.similarity_table };
  if (update.cluster_order || update.similarity_order) {
    orders.value = {
      cluster: update.cluster_order ?? orders.value.cluster,
      similarity: update.similarity_order ?? orders.value.similarity,
    };
  }
  if (update.similarity_order) {
    const scores = update.similarities ?? [];
    similarities.value = new Map(update.similarity_order.map((id, i) => [id, scores[i] ?? 0]));
  }
  predicted.value = null;
  const { best, similar } = confirmed.value;
  // The same selection keeps its identity, so that nothing is fetched or drawn again for it.
  if (!sameIds(best, update.best) || !sameIds(similar, update.similar)) {
    confirmed.value = { best: update.best, similar: update.similar };
  }
}

function applyRows(update: Update): void {
  const next = new Map(update.is_full ? [] : rows.value);
  for (const id of update.removed ?? []) next.delete(id);
  for (const row of update.rows ?? []) next.set(row["id"] as number, row);
  rows.value = next;
}

export function sameIds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}
