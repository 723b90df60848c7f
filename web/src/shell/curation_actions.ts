import { register } from "../state/actions";
import { clearLassos, describeCounts, splitByLassos } from "../state/lassos";
import {
  canRedo,
  canUndo,
  isDirty,
  nEdits,
  rows,
  selectedIds,
  send,
  skipsMasked,
} from "../state/session";
import { setting } from "../state/settings";
import { parseValue } from "../state/snippets";
import { addNote, report } from "../state/status";
import { theme } from "../state/theme";
import { filterBoxes } from "../widgets/table";
import { askText, choose } from "./dialogs";

/** phy's actions on clusters, under phy's names and keys. */

const nSimilar = setting("shared", "n_similar_clusters_to_select", 15);

const GROUPS = [
  ["noise", "n"],
  ["mua", "m"],
  ["good", "g"],
  ["unsorted", "u"],
] as const;

const WIZARD = [
  ["first", "First", ["home"]],
  ["last", "Last", ["end"]],
  ["next", "Next", ["space"]],
  ["previous", "Previous", ["shift+space"]],
  ["next_best", "Next best", ["down"]],
  ["previous_best", "Previous best", ["up"]],
  ["reset_wizard", "Reset the wizard", ["ctrl+alt+space"]],
  ["unselect_similar", "Unselect similar clusters", ["backspace"]],
] as const;

function registerFile(): void {
  register({
    id: "save",
    title: "Save",
    menu: "File",
    needsSpikes: true,
    keys: ["ctrl+s"],
    run: () => void save(),
  });
  register({
    id: "exit",
    title: "Quit",
    menu: "File",
    keys: ["ctrl+q", "shift+q"],
    run: () => void quit(),
  });
}

async function save(): Promise<boolean> {
  let reply = await send({ type: "save" });
  if (reply.error?.kind === "ChangedOnDiskError") {
    const answer = await choose("The files were changed by another program", reply.error.text, [
      { text: "Cancel", value: "cancel", isMain: true },
      { text: "Save anyway", value: "save" },
    ]);
    if (answer !== "save") return false;
    reply = await send({ type: "save", overwrites_changes: true });
  }
  if (!reply.error && reply.text) addNote(reply.text, "info");
  return !reply.error;
}

async function quit(): Promise<void> {
  if (isDirty.value) {
    const body =
      `${nEdits.value} edits are not in the dataset's files yet. They are in the journal and ` +
      "will be offered the next time this dataset is opened.";
    const answer = await choose("Save before quitting?", body, [
      { text: "Cancel", value: "cancel" },
      { text: "Quit without saving", value: "quit" },
      { text: "Save and quit", value: "save", isMain: true },
    ]);
    if (answer === null || answer === "cancel") return;
    if (answer === "save" && !(await save())) return;
  }
  await send({ type: "quit" });
}

function registerEdit(): void {
  register({
    id: "undo",
    title: "Undo",
    menu: "Edit",
    keys: ["ctrl+z"],
    isEnabled: () => canUndo.value,
    run: () => void send({ type: "undo" }),
  });
  register({
    id: "redo",
    title: "Redo",
    menu: "Edit",
    keys: ["ctrl+shift+z", "ctrl+y"],
    isEnabled: () => canRedo.value,
    run: () => void send({ type: "redo" }),
  });
  register({
    id: "merge",
    title: "Merge",
    menu: "Edit",
    keys: ["g"],
    snippet: "g",
    args: ["ids"],
    nRequired: 0,
    run: ([ids]) => {
      const cluster_ids = Array.isArray(ids) ? (ids as number[]) : null;
      void send({ type: "merge", cluster_ids });
    },
  });
  register({
    id: "split",
    title: "Split by the lasso",
    menu: "Edit",
    keys: ["k"],
    snippet: "k",
    run: () => void splitByLassos(confirmUnplaced),
  });
  register({
    id: "split_init",
    title: "Split by template",
    menu: "Edit",
    keys: ["ctrl+shift+k"],
    run: () => void send({ type: "split_init" }),
  });
  register({
    id: "label",
    title: "Label…",
    menu: "Edit",
    keys: ["l"],
    snippet: "l",
    args: ["word", "rest"],
    prompt: "Name and value of the label, such as: note drifts a lot",
    isEnabled: () => selectedIds.value.length > 0,
    run: ([name, value]) => {
      void send({ type: "label", name: String(name), value: parseValue(String(value)) });
    },
  });
  register({
    id: "clear_lasso",
    title: "Remove lassos",
    menu: "Edit",
    run: () => clearLassos(),
  });
}

async function confirmUnplaced(counts: Parameters<typeof describeCounts>[0]): Promise<boolean> {
  const unplaced = counts.n_unplaced.reduce((sum, n) => sum + n, 0);
  const body = `${describeCounts(counts)} If you go on, those ${unplaced} spikes stay together with the spikes outside the lasso.`;
  const answer = await choose("Some spikes have no place in this plot", body, [
    { text: "Cancel", value: "cancel", isMain: true },
    { text: "Split, leave them outside", value: "split" },
  ]);
  return answer === "split";
}

function registerMoves(): void {
  for (const [group, key] of GROUPS) {
    register({
      id: `move_best_to_${group}`,
      title: `Best to ${group}`,
      menu: "Edit/Move best",
      keys: [`alt+${key}`],
      run: () => void send({ type: "move", group, which: "best" }),
    });
    register({
      id: `move_similar_to_${group}`,
      title: `Similar to ${group}`,
      menu: "Edit/Move similar",
      // Ctrl+N belongs to the browser in a tab: Shift with the letter always works.
      keys: [`ctrl+${key}`, `shift+${key}`],
      run: () => void send({ type: "move", group, which: "similar" }),
    });
    register({
      id: `move_all_to_${group}`,
      title: `All to ${group}`,
      menu: "Edit/Move all",
      keys: [`ctrl+alt+${key}`],
      run: () => void send({ type: "move", group, which: "all" }),
    });
  }
  register({
    id: "move",
    title: "Move to a group…",
    menu: "Edit",
    snippet: "move",
    args: ["word", "word"],
    nRequired: 1,
    prompt: "Group, and which clusters: good all",
    run: ([group, which]) => {
      const part = which === "best" || which === "similar" ? which : "all";
      void send({ type: "move", group: String(group), which: part });
    },
  });
}

let isStepping = false;

async function step(name: (typeof WIZARD)[number][0]): Promise<void> {
  // Holding a key down must not queue steps: those that come meanwhile are dropped, as in phy.
  if (isStepping) return;
  isStepping = true;
  await send({ type: "wizard_step", step: name });
  isStepping = false;
}

function registerSelect(): void {
  for (const [id, title, keys] of WIZARD) {
    register({ id, title, menu: "Select", keys, run: () => void step(id) });
  }
  register({
    id: "select_first_similar",
    title: "Select the first similar clusters",
    menu: "Select",
    keys: ["ctrl+space", "alt+shift+a"],
    run: () =>
      void send({
        type: "wizard_step",
        step: "select_first_similar",
        n_similar: nSimilar.value,
      }),
  });
  register({
    id: "select_n_similar",
    title: "Select N similar clusters…",
    menu: "Select",
    args: ["number"],
    prompt: "How many similar clusters",
    run: ([n]) => {
      nSimilar.value = Math.max(1, Math.round(Number(n)));
      const n_similar = nSimilar.value;
      void send({ type: "wizard_step", step: "select_first_similar", n_similar });
    },
  });
  register({
    id: "select",
    title: "Select clusters…",
    menu: "Select",
    snippet: "c",
    args: ["ids"],
    prompt: "Cluster ids: 47 49, or 3-6, or 1,2",
    run: ([ids]) => select((ids as readonly number[]) ?? []),
  });
  register({
    id: "filter",
    title: "Filter clusters…",
    menu: "Select",
    keys: ["ctrl+f"],
    snippet: "f",
    args: ["rest"],
    nRequired: 0,
    run: ([text]) => {
      if (text === undefined) filterBoxes.get("cluster")?.focus();
      else void send({ type: "filter", table: "cluster", text: String(text) });
    },
  });
  register({
    id: "clear_filter",
    title: "Clear the filter",
    menu: "Select",
    keys: ["esc"],
    run: () => void send({ type: "filter", table: "cluster", text: "" }),
  });
  register({
    id: "sort",
    title: "Sort by a column…",
    menu: "Select",
    snippet: "s",
    args: ["word"],
    prompt: "Column",
    run: ([column]) =>
      void send({ type: "sort", table: "cluster", column: String(column), is_descending: true }),
  });
  register({
    id: "toggle_skip_masked",
    title: "Skip noise and MUA",
    menu: "Select",
    isOn: () => skipsMasked.value,
    run: () => void send({ type: "skip_masked", is_on: !skipsMasked.value }),
  });
}

function select(ids: readonly number[]): void {
  const known = ids.filter((id) => rows.value.has(id));
  const unknown = ids.filter((id) => !rows.value.has(id));
  if (unknown.length) report(`There is no cluster ${unknown.slice(0, 10).join(", ")}.`, "warning");
  if (known.length) void send({ type: "select", cluster_ids: known });
}

export function registerCurationActions(): void {
  registerFile();
  registerEdit();
  registerMoves();
  registerSelect();
  register({
    id: "toggle_theme",
    title: "Light theme",
    menu: "View",
    isOn: () => theme.value === "light",
    run: () => {
      theme.value = theme.value === "light" ? "dark" : "light";
    },
  });
}

/** Ask for the arguments of an action, as one line of a snippet. */
export async function promptFor(title: string, hint: string): Promise<string | null> {
  const text = await askText(title.replace(/…$/, ""), hint);
  return text?.trim() || null;
}
