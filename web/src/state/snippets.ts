/**
 * The snippet language: what is typed after ":".
 *
 * The first word names an action, the rest are its arguments, each read as the action wants it:
 * - ids: numbers, ranges "3-6", lists "1,2"
 * - number: a number, negative ones included
 * - word: one word, or text in quotes
 * - rest: all that is left, as it stands
 */

export type ArgumentKind = "ids" | "number" | "word" | "rest";

export interface Signature {
  /** Kinds of the arguments; those in `optional` may be missing at the end. */
  readonly kinds: readonly ArgumentKind[];
  readonly nRequired: number;
}

export type Argument = number | string | readonly number[];

export class SnippetError extends Error {}

/** Split a snippet into its name and what follows. */
export function splitSnippet(text: string): { name: string; rest: string } {
  const match = /^\s*:?\s*(\S*)\s*([\s\S]*?)\s*$/.exec(text);
  return { name: match?.[1] ?? "", rest: match?.[2] ?? "" };
}

/** Read the arguments of a snippet. */
export function parseArguments(rest: string, signature: Signature): Argument[] {
  const found: Argument[] = [];
  let left = rest;
  for (const [position, kind] of signature.kinds.entries()) {
    left = left.trimStart();
    if (!left) {
      if (position < signature.nRequired) throw new SnippetError(missing(kind));
      return found;
    }
    if (kind === "rest") {
      found.push(left);
      return found;
    }
    if (kind === "ids") {
      found.push(parseIds(left));
      return found;
    }
    const [word, after] = takeWord(left);
    found.push(kind === "number" ? parseNumber(word) : word);
    left = after;
  }
  if (left.trim()) throw new SnippetError(`"${left.trim()}" is one argument too many.`);
  return found;
}

/** Cluster ids: "47 49", "3-6", "1,2". */
export function parseIds(text: string): number[] {
  const ids: number[] = [];
  for (const part of text.split(/[\s,]+/).filter(Boolean)) {
    const range = /^(\d+)-(\d+)$/.exec(part);
    if (range) {
      const [low, high] = [Number(range[1]), Number(range[2])];
      if (high - low > 100_000) throw new SnippetError(`The range ${part} is too long.`);
      for (let id = low; id <= high; id++) ids.push(id);
    } else if (/^\d+$/.test(part)) {
      ids.push(Number(part));
    } else {
      throw new SnippetError(`"${part}" is no cluster id; write 3, 3-6 or 1,2.`);
    }
  }
  return ids;
}

function parseNumber(word: string): number {
  const value = Number(word);
  if (word === "" || !Number.isFinite(value)) throw new SnippetError(`"${word}" is no number.`);
  return value;
}

function takeWord(text: string): [string, string] {
  const quoted = /^(["'])((?:[^\\]|\\.)*?)\1/.exec(text);
  if (quoted) return [quoted[2]?.replace(/\\(.)/g, "$1") ?? "", text.slice(quoted[0].length)];
  const word = /^\S+/.exec(text)?.[0] ?? "";
  return [word, text.slice(word.length)];
}

function missing(kind: ArgumentKind): string {
  const what = { ids: "cluster ids", number: "a number", word: "a name", rest: "a text" }[kind];
  return `${what[0]?.toUpperCase()}${what.slice(1)} is missing.`;
}

/** Value of a label: a number if it looks like one. */
export function parseValue(text: string): number | string {
  const bare = /^(["'])(.*)\1$/.exec(text)?.[2];
  if (bare !== undefined) return bare;
  return text !== "" && Number.isFinite(Number(text)) && !/^0\d/.test(text) ? Number(text) : text;
}
