/**
 * The search through history, as ^R has it: letters narrow it, ^R goes to older lines, ^S to newer ones. Pure: a state,
 * and the states that follow from it. Lines are in the order newest first. Letters in lower case stand for both cases.
 */

export interface Search {
  readonly query: string;
  /** The line that is shown; -1 before there is one. */
  readonly at: number;
  /** Whether the query, or another line for it, was not found; the last line found stays. */
  readonly failed: boolean;
}

export const START: Search = { query: '', at: -1, failed: false };

/** With more typed; what is shown stays as long as it fits. */
export function extend(lines: readonly string[], search: Search, text: string): Search {
  const query = search.query + text;
  return seek(lines, { ...search, query }, Math.max(search.at, 0), 1);
}

/** With the last letter taken back: the search begins anew, at the newest line. */
export function shorten(lines: readonly string[], search: Search): Search {
  const query = [...search.query].slice(0, -1).join('');
  return query === '' ? START : seek(lines, { query, at: -1, failed: false }, 0, 1);
}

/** The next line that fits, `1` older or `-1` newer. */
export function next(lines: readonly string[], search: Search, step: 1 | -1): Search {
  return search.query === '' ? search : seek(lines, search, search.at + step, step);
}

/** The line that was found. */
export function foundBy(lines: readonly string[], search: Search): string | undefined {
  return lines[search.at];
}

function seek(lines: readonly string[], search: Search, from: number, step: 1 | -1): Search {
  const { query } = search;
  const folds = query === query.toLowerCase();
  const shown = foundBy(lines, search);
  for (let at = from; at >= 0 && at < lines.length; at += step) {
    const line = lines[at]!;
    // The same line again is no other one.
    const same = line === shown && at !== search.at;
    if (!same && (folds ? line.toLowerCase() : line).includes(query)) return { query, at, failed: false };
  }
  return { ...search, failed: true };
}
