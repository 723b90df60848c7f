import { withThousands } from "../base/format";
import { isFiltered } from "../state/exploring";
import {
  dataset,
  hasStopped,
  isConnected,
  isDirty,
  nEdits,
  rows,
  selectedIds,
} from "../state/session";
import { dismiss, nBusy, notes, statusText } from "../state/status";

/** The line at the bottom, and the notes above it. */

export function StatusBar() {
  const info = dataset.value;
  const connection = hasStopped.value
    ? "stopped"
    : isConnected.value
      ? "connected"
      : "connection lost, trying again…";
  return (
    <footer class="status-bar" data-busy={nBusy.value > 0}>
      <span class="status-text" role="status">
        {statusText.value}
      </span>
      {info && (
        <>
          {info.is_sorted && (
            <>
              <span title="clusters selected / all clusters">
                {selectedIds.value.length} of {rows.value.size} clusters
              </span>
              <span>{withThousands(info.n_spikes)} spikes</span>
            </>
          )}
          {info.has_traces && <span>raw data {isFiltered.value ? "filtered" : "unfiltered"}</span>}
          {info.is_sorted && (
            <span class={isDirty.value ? "is-dirty" : ""}>
              {isDirty.value ? `${nEdits.value} edits, not saved` : "saved"}
            </span>
          )}
        </>
      )}
      <span class={`connection ${isConnected.value ? "" : "is-lost"}`}>{connection}</span>
    </footer>
  );
}

export function Notes() {
  return (
    <div class="notes" aria-live="polite">
      {notes.value.map((note) => (
        <div key={note.id} class={`note ${note.level}`}>
          <span>{note.text}</span>
          <button type="button" aria-label="Dismiss" onClick={() => dismiss(note.id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
