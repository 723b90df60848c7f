import { type Argument, type ArgumentKind, parseArguments, splitSnippet } from "./snippets";
import { report } from "./status";

/**
 * Actions: everything that a menu entry, a key or a snippet can do. One registry feeds the menus,
 * the keyboard, the snippet line and the help, so that they cannot disagree.
 */

export interface Action {
  /** phy's name of the action. */
  readonly id: string;
  readonly title: string;
  /** Menu and, after a slash, the submenu that shows it; empty for none. */
  readonly menu: string;
  /** Chords, the first of which is shown. */
  readonly keys?: readonly string[];
  /** Mouse gesture that does the same, for the help. */
  readonly mouse?: string;
  /** Snippet name. */
  readonly snippet?: string;
  readonly args?: readonly ArgumentKind[];
  readonly nRequired?: number;
  /** What a dialog asks for when the action comes from a menu or key without arguments. */
  readonly prompt?: string;
  /** View type that the action belongs to. */
  readonly view?: string;
  /** Whether it is about spikes, so that there is no use for it where there are none. */
  readonly needsSpikes?: boolean;
  /** Whether it can be done now. */
  readonly isEnabled?: () => boolean;
  /** For switches in menus: whether it is on. */
  readonly isOn?: () => boolean;
  readonly run: (args: readonly Argument[]) => void;
}

const all = new Map<string, Action>();
const byChord = new Map<string, Action>();
const bySnippet = new Map<string, Action>();

/** Add an action. Two actions with the same key or snippet are a mistake that shows at once. */
export function register(action: Action): void {
  if (all.has(action.id)) throw new Error(`There are two actions ${action.id}.`);
  all.set(action.id, action);
  for (const chord of action.keys ?? []) {
    const other = byChord.get(chord);
    if (other) throw new Error(`${chord} is taken by ${other.id}; ${action.id} wants it too.`);
    byChord.set(chord, action);
  }
  if (action.snippet) {
    const other = bySnippet.get(action.snippet);
    if (other) throw new Error(`:${action.snippet} is taken by ${other.id}.`);
    bySnippet.set(action.snippet, action);
  }
}

let hasSpikes: () => boolean = () => true;

/** Say how to find out whether there are spikes. */
export function setSpikesKnown(known: () => boolean): void {
  hasSpikes = known;
}

/** Whether an action is of use for what is open: raw data alone have no clusters to edit. */
export function isOffered(action: Action): boolean {
  return hasSpikes() || !(action.needsSpikes ?? /^(Edit|Select)(\/|$)/.test(action.menu));
}

export function actions(): readonly Action[] {
  return [...all.values()].filter(isOffered);
}

export function actionOf(id: string): Action | undefined {
  return all.get(id);
}

export function actionForChord(chord: string): Action | undefined {
  return byChord.get(chord);
}

export function actionForSnippet(name: string): Action | undefined {
  return bySnippet.get(name) ?? all.get(name);
}

let ask: ((action: Action) => void) | undefined;

/** Say how missing arguments are asked for. */
export function setPrompter(prompter: (action: Action) => void): void {
  ask = prompter;
}

/** Do an action, asking for its arguments if it needs any. */
export function perform(action: Action, args: readonly Argument[] = []): void {
  if (!isOffered(action)) {
    // Keys that step through clusters do nothing, quietly: Esc and Space are pressed in passing.
    if (!action.menu.startsWith("Select")) {
      report(`${action.title}: these are raw data without spikes.`);
    }
    return;
  }
  if (action.isEnabled && !action.isEnabled()) {
    report(`${action.title}: not possible now.`);
    return;
  }
  const nRequired = action.nRequired ?? action.args?.length ?? 0;
  if (args.length < nRequired && action.prompt !== undefined) ask?.(action);
  else action.run(args);
}

/** Do what a snippet says; returns what is wrong with it, if anything. */
export function runSnippet(text: string): string | null {
  const { name, rest } = splitSnippet(text);
  if (!name) return null;
  const action = actionForSnippet(name);
  if (!action) return `There is no snippet ":${name}". Press H for a list.`;
  const kinds = action.args ?? [];
  try {
    const nRequired = action.nRequired ?? kinds.length;
    perform(action, parseArguments(rest, { kinds, nRequired }));
  } catch (error) {
    return error instanceof Error ? `:${name}: ${error.message}` : String(error);
  }
  return null;
}
