import { signal } from "@preact/signals";
import { withThousands } from "../base/format";
import type { LassoCounts, Region } from "../protocol/messages.gen";
import { selectedIds, send } from "./session";
import { report } from "./status";

/** Lassos that are drawn, by the view that shows them, and what they would take. */

export const lassos = signal<ReadonlyMap<string, Region>>(new Map());
export const lassoCounts = signal<LassoCounts | null>(null);

let nCounts = 0;

/** Set or remove the lasso of a view, and count what all lassos take. */
export function setLasso(owner: string, region: Region | null): void {
  if (!region && !lassos.value.has(owner)) return;
  const next = new Map(lassos.value);
  if (region) next.set(owner, region);
  else next.delete(owner);
  lassos.value = next;
  void count();
}

export function clearLassos(): void {
  if (lassos.value.size) lassos.value = new Map();
  lassoCounts.value = null;
}

async function count(): Promise<void> {
  const number = ++nCounts;
  const regions = [...lassos.value.values()];
  if (regions.length === 0 || selectedIds.value.length === 0) {
    if (lassoCounts.value) report("");
    lassoCounts.value = null;
    return;
  }
  const reply = await send({ type: "count_lasso", regions });
  if (number !== nCounts || !reply.counts) return;
  lassoCounts.value = reply.counts;
  report(describeCounts(reply.counts));
}

/** "Lasso: 812 of 2 310 spikes (cluster 3: 800 of 2 000, …)", counted over all spikes. */
export function describeCounts(counts: LassoCounts): string {
  const total = (values: readonly number[]) => values.reduce((sum, n) => sum + n, 0);
  const parts = counts.cluster_ids.map((id, i) => {
    const [inside, n] = [counts.n_inside[i] ?? 0, counts.n_spikes[i] ?? 0];
    return `cluster ${id}: ${withThousands(inside)} of ${withThousands(n)}`;
  });
  const head = `${withThousands(total(counts.n_inside))} of ${withThousands(total(counts.n_spikes))}`;
  const unplaced = total(counts.n_unplaced);
  const tail = unplaced ? `; ${withThousands(unplaced)} have no coordinates here` : "";
  return `Lasso: ${head} spikes (${parts.join(", ")}${tail}). Press K to split.`;
}

export type SplitAnswer = "split" | "cancel";

/**
 * Split by the lassos. `confirm` is asked when some spikes have no coordinates in the plot, so
 * that the lasso cannot tell where they belong.
 */
export async function splitByLassos(
  confirm: (counts: LassoCounts) => Promise<boolean>,
): Promise<void> {
  const regions = [...lassos.value.values()];
  if (regions.length === 0) {
    report("Draw a lasso first: Ctrl+click in the Feature or Amplitude view, then press K.");
    return;
  }
  let reply = await send({ type: "split", regions });
  if (reply.error?.kind === "UnplacedSpikes" && reply.counts) {
    if (!(await confirm(reply.counts))) return;
    reply = await send({ type: "split", regions, leaves_unplaced: true });
  }
  if (!reply.error) clearLassos();
}
