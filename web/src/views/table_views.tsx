import { effect } from "@preact/signals";
import { render } from "preact";
import { withThousands } from "../base/format";
import type { TableName } from "../state/session";
import { rows, selection } from "../state/session";
import { sum } from "../widgets/spans";
import { Table } from "../widgets/table";
import { View, type ViewFrame } from "../widgets/view";

/** The Cluster and Similarity views. */
abstract class TableView extends View {
  constructor(frame: ViewFrame, table: TableName) {
    super(frame);
    const root = document.createElement("div");
    root.className = "table-root";
    this.body.append(root);
    render(<Table name={table} />, root);
    this.disposer.add(() => render(null, root));
    this.disposer.add(
      effect(() => {
        const ids = table === "cluster" ? selection.value.best : selection.value.similar;
        const nSpikes = sum(ids.map((id) => Number(rows.value.get(id)?.["n_spikes"] ?? 0)));
        this.info.value = ids.length
          ? `${ids.length} selected, ${withThousands(nSpikes)} spikes`
          : hint(table);
      }),
    );
  }
}

function hint(table: TableName): string {
  if (table === "cluster") return "Click, Ctrl+click, Shift+click, or press Space";
  const reference = selection.value.best.at(-1);
  return reference === undefined ? "Select a cluster first" : `Similar to cluster ${reference}`;
}

export class ClusterView extends TableView {
  constructor(frame: ViewFrame) {
    super(frame, "cluster");
  }
}

export class SimilarityView extends TableView {
  constructor(frame: ViewFrame) {
    super(frame, "similarity");
  }
}
