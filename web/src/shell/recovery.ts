import { effect } from "@preact/signals";
import { recovery, send } from "../state/session";
import { addNote } from "../state/status";
import { choose } from "./dialogs";

/** Offer the edits of an earlier session that were never saved. */
export function offerRecovery(): void {
  let asked = "";
  effect(() => {
    const found = recovery.value;
    if (!found) {
      asked = "";
      return;
    }
    if (asked === found.path + found.last_time) return;
    asked = found.path + found.last_time;
    void ask(found.n_edits, found.last_time, found.path, found.problem);
  });
}

async function ask(
  nEdits: number,
  lastTime: string,
  path: string,
  problem: string | null,
): Promise<void> {
  const when = new Date(lastTime);
  const time = Number.isNaN(when.getTime())
    ? ""
    : ` The last one was made on ${when.toLocaleString()}.`;
  const body = `${nEdits} edits of an earlier session were never saved.${time} They are in ${path}.`;
  const aside = { text: "Set them aside", value: "aside" };
  const answer = problem
    ? await choose("Unsaved edits were found", `${body} ${problem}`, [{ ...aside, isMain: true }])
    : await choose("Recover unsaved edits?", body, [
        aside,
        { text: `Recover ${nEdits} edits`, value: "recover", isMain: true },
      ]);
  if (answer === null) {
    addNote(
      "Edits are refused until you decide about the unsaved ones: reload to be asked.",
      "warning",
    );
    return;
  }
  const reply = await send({ type: "recover", accept: answer === "recover" });
  if (!reply.error && reply.text) addNote(reply.text, "info");
}
