import { effect, type Signal, signal } from "@preact/signals";

/**
 * What the page remembers: on the server, in the user's own folder, so that it is there from any
 * browser. `shared` holds for all datasets (layout, theme), `local` for this one (time shown).
 * Values of an unexpected type are ignored, as are unknown names: an old file never breaks a page.
 */

type State = Readonly<Record<string, unknown>>;
type Scope = "shared" | "local";

interface Setting {
  readonly scope: Scope;
  readonly value: Signal<unknown>;
  readonly isValid: (value: unknown) => boolean;
}

const SAVE_AFTER_MS = 400;

const known = new Map<string, Setting>();
const restored: Record<Scope, State> = { shared: {}, local: {} };
let save: ((shared: State, local: State) => void) | undefined;

/** True once the settings of an earlier session have been read. */
export const areSettingsReady = signal(false);

/** A setting that outlives the page; its type is that of its initial value. */
export function setting<T>(
  scope: Scope,
  name: string,
  initial: T,
  isValid: (value: unknown) => boolean = (value) => sameKind(value, initial),
): Signal<T> {
  const found = known.get(name);
  if (found) return found.value as Signal<T>;
  const before = restored[scope][name];
  const value = signal<unknown>(before !== undefined && isValid(before) ? before : initial);
  known.set(name, { scope, value, isValid });
  return value as Signal<T>;
}

/** Forget a setting of something that was closed. */
export function dropSetting(name: string): void {
  known.delete(name);
}

export function restoreSettings(shared: State, local: State): void {
  restored.shared = shared;
  restored.local = local;
  for (const [name, entry] of known) {
    const before = restored[entry.scope][name];
    if (before !== undefined && entry.isValid(before)) entry.value.value = before;
  }
  areSettingsReady.value = true;
}

/** Keep all settings, a little after each change. */
export function keepOpen(write: (shared: State, local: State) => void): void {
  const isFirst = save === undefined;
  save = write;
  if (!isFirst) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isStart = true;
  effect(() => {
    const state = collect();
    if (isStart) {
      isStart = false;
      return;
    }
    clearTimeout(timer);
    timer = setTimeout(() => save?.(state.shared, state.local), SAVE_AFTER_MS);
  });
}

function collect(): Record<Scope, State> {
  // What this page did not use is kept as it was.
  const state = { shared: { ...restored.shared }, local: { ...restored.local } };
  for (const [name, entry] of known) state[entry.scope][name] = entry.value.value;
  return state;
}

function sameKind(value: unknown, initial: unknown): boolean {
  if (initial === null) return true;
  if (Array.isArray(initial)) return Array.isArray(value);
  return typeof value === typeof initial && value !== null && !Array.isArray(value);
}
