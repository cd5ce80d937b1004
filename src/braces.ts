/**
 * Braces: `a{b,c}d` written out as `abd` and `acd`, in patterns. Pure.
 *
 * As `bash` does it: nested, an empty part counts, and braces without a comma stay as they are. A backslash keeps
 * the next letter. The number of words is bounded, since ten pairs of braces of ten parts are ten thousand million.
 */
import { Failure } from './errors.ts';

/** More names in one word than anybody writes by hand. */
export const MAX_BRACED = 1000;

/** More braces in one word than anybody writes; each costs a look at the whole word. */
const MAX_BRACES = 50;

/** The patterns a pattern stands for, in order. Throws USAGE. */
export function expandBraces(pattern: string): string[] {
  if (pattern.split('{').length - 1 > MAX_BRACES) throw new Failure('USAGE', `more than ${MAX_BRACES} braces in one word`, { hint: 'quote braces that are part of a name' });
  return expand(pattern);
}

function expand(pattern: string): string[] {
  const found = firstBraces(pattern);
  if (found === undefined) return [pattern];
  const { open, close, commas } = found;
  const before = pattern.slice(0, open);
  const rests = expand(pattern.slice(close + 1));
  const edges = [open, ...commas, close];
  const all: string[] = [];
  for (let part = 0; part + 1 < edges.length; part += 1) {
    for (const inside of expand(pattern.slice(edges[part]! + 1, edges[part + 1]))) {
      for (const rest of rests) {
        if (all.push(before + inside + rest) > MAX_BRACED) throw new Failure('USAGE', `the braces stand for more than ${MAX_BRACED} words`, { hint: 'quote braces that are part of a name' });
      }
    }
  }
  return all;
}

interface Braces { readonly open: number; readonly close: number; readonly commas: readonly number[] }

/** The first braces that are closed and have a comma of their own. */
function firstBraces(pattern: string): Braces | undefined {
  const opened: { open: number; commas: number[] }[] = [];
  let first: Braces | undefined;
  for (let at = 0; at < pattern.length; at += 1) {
    const letter = pattern[at]!;
    if (letter === '\\') at += 1;
    else if (letter === '{') opened.push({ open: at, commas: [] });
    else if (letter === ',') opened.at(-1)?.commas.push(at);
    else if (letter === '}') {
      const inner = opened.pop();
      if (inner === undefined || inner.commas.length === 0) continue;
      if (first === undefined || inner.open < first.open) first = { ...inner, close: at };
    }
  }
  return first;
}
