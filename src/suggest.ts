/**
 * Did you mean: the known word closest to a mistyped one. Pure.
 */

/** The closest candidate, if it is close enough to be meant: one slip in a short word, two in a longer one, or a beginning. */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  const typed = word.toLowerCase();
  if (typed === '') return undefined;
  let best: string | undefined;
  let least = typed.length <= 4 ? 1.5 : 2.5;
  for (const candidate of candidates) {
    // Of one letter nothing would be left.
    if (typed.length === 1 && !candidate.includes(typed)) continue;
    const score = typed.length >= 2 && candidate.startsWith(typed) ? 0.5 : distance(typed, candidate);
    if (score < least) [best, least] = [candidate, score];
  }
  return best;
}

/** Slips longer than any command or flag are not compared: the table below would only cost time. */
const MAX_WORD = 40;

/** Optimal string alignment: insertions, deletions, replacements and swapped neighbours (Damerau 1964), one row at a time. */
function distance(a: string, b: string): number {
  if (a.length > MAX_WORD) return Infinity;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) next[j] = Math.min(next[j]!, before[j - 2]! + 1);
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}
