import { signal } from "@preact/signals";

/** What the status line and the notes above it say. */

export type Level = "info" | "warning" | "error";

export interface Note {
  readonly id: number;
  readonly text: string;
  readonly level: Level;
}

const NOTE_MS: Readonly<Record<Level, number>> = { info: 5000, warning: 15_000, error: 15_000 };
const N_NOTES_MAX = 4;

export const statusText = signal("");
export const notes = signal<readonly Note[]>([]);
/** Number of requests for view data that are being answered. */
export const nBusy = signal(0);

let nNotes = 0;

/** Tell the user something: in the status line, and as a note if it is more than information. */
export function report(text: string, level: Level = "info"): void {
  statusText.value = text;
  if (level !== "info") addNote(text, level);
}

/** Show a note that goes away by itself. */
export function addNote(text: string, level: Level): void {
  const note: Note = { id: ++nNotes, text, level };
  notes.value = [...notes.value, note].slice(-N_NOTES_MAX);
  setTimeout(() => dismiss(note.id), NOTE_MS[level]);
}

export function dismiss(id: number): void {
  notes.value = notes.value.filter((note) => note.id !== id);
}
