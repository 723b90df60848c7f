/** Names of channels that are short enough to stand beside their traces. */

const N_LETTERS_SHORT = 6;
const N_LETTERS_MAX = 14;

/**
 * Names without the beginning that all of them share, where they are long: "imec0.ap#AP3" becomes
 * "AP3". What is cut is whole words; what is still too long keeps its end.
 */
export function shortLabels(names: readonly string[]): readonly string[] {
  if (names.every((name) => name.length <= N_LETTERS_SHORT)) return names;
  const n = names.length > 1 ? nSharedLetters(names) : 0;
  return names.map((name) => {
    const rest = name.slice(n);
    return rest.length > N_LETTERS_MAX ? `…${rest.slice(1 - N_LETTERS_MAX)}` : rest;
  });
}

/** How many letters all names begin with, up to the last one that ends a word and leaves a rest. */
function nSharedLetters(names: readonly string[]): number {
  const first = names[0] ?? "";
  let n = 0;
  while (n < first.length && names.every((name) => name[n] === first[n] && name.length > n + 1)) {
    n++;
  }
  while (n > 0 && /[\p{L}\p{N}]/u.test(first[n - 1] ?? "")) n--;
  return n;
}
