/**
 * Keys as text: modifiers in the order ctrl, alt, shift, then the key, joined by "+".
 * `event.code` names letters and digits, so that Alt on a Mac or another keyboard layout's dead
 * keys change nothing; Command counts as Ctrl.
 */

const NAMES: Readonly<Record<string, string>> = {
  " ": "space",
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  PageUp: "pgup",
  PageDown: "pgdown",
  Escape: "esc",
};

export interface KeyLike {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
  readonly metaKey: boolean;
}

export function chordOf(event: KeyLike): string {
  const parts: string[] = [];
  if (event.ctrlKey || event.metaKey) parts.push("ctrl");
  if (event.altKey) parts.push("alt");
  const key = keyName(event);
  // A symbol that needs Shift (":", "+", "?") is named by what it types.
  const isSymbol = key.length === 1 && !/[a-z0-9]/.test(key);
  if (event.shiftKey && !isSymbol) parts.push("shift");
  parts.push(key);
  return parts.join("+");
}

function keyName(event: KeyLike): string {
  const named = NAMES[event.key];
  if (named) return named;
  if (event.code === "Space") return "space";
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1];
  // Trust the layout for plain letters; fall back on the position where Alt made a symbol of one.
  if (letter) return /^[a-zA-Z]$/.test(event.key) ? event.key.toLowerCase() : letter.toLowerCase();
  if (event.code === "NumpadAdd") return "+";
  if (event.code === "NumpadSubtract") return "-";
  return event.key.toLowerCase();
}

const SHOWN: Readonly<Record<string, string>> = {
  ctrl: "Ctrl",
  alt: "Alt",
  shift: "Shift",
  space: "Space",
  left: "←",
  right: "→",
  up: "↑",
  down: "↓",
  pgup: "PgUp",
  pgdown: "PgDn",
  esc: "Esc",
  home: "Home",
  end: "End",
  backspace: "Backspace",
  enter: "Enter",
};

/** A chord as people read it: "Ctrl+Shift+Z". */
export function chordText(chord: string): string {
  // "alt++" is Alt and the plus key.
  const parts = chord.endsWith("++") ? [...chord.slice(0, -2).split("+"), "+"] : chord.split("+");
  return parts.map((part) => SHOWN[part] ?? part.toUpperCase()).join("+");
}
