/**
 * Columns: how wide text is on a terminal, and text cut or padded to a width. Pure.
 *
 * Wide characters (CJK, emoji) take two columns and combining marks none; cuts fall between what a person sees
 * as characters, never inside one. The only file that knows the library.
 */
const ASCII = /^[\x20-\x7e]*$/;
let library: ((text: string) => number) | undefined;
let segmenter: Intl.Segmenter | undefined;

/** What a person sees as characters. Made when first needed: it takes 13 ms. */
function lettersOf(text: string): string[] {
  segmenter ??= new Intl.Segmenter();
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** Loads the library (30 ms, which a command without columns does not wait for). Before that a character counts as one column. */
export async function loadWidths(): Promise<void> {
  library ??= (await import('string-width')).default;
}

/** Columns that `text` takes. It must be printable: no control characters. */
export function columnsOf(text: string): number {
  if (library !== undefined && !ASCII.test(text)) return library(text);
  return ASCII.test(text) ? text.length : lettersOf(text).length;
}

/** `text` in at most `columns`, with an ellipsis in place of its middle: the beginning and the ending of a name tell most. */
export function fit(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  if (columns <= 0) return '';
  const letters = lettersOf(text);
  const tail = take(letters.toReversed(), Math.floor((columns - 1) / 3)).toReversed();
  const used = columnsOf(tail.join(''));
  return `${take(letters, columns - 1 - used).join('')}…${tail.join('')}`;
}

/** Below this nothing but the beginning of a name can be shown. */
const LEAST_TELLING = 6;

/** Each in at most `columns`; of those that would look the same, what they have in common is left out, so that what differs first is seen. */
export function fitAll(texts: readonly string[], columns: number): string[] {
  const cut = texts.map((text) => fit(text, columns));
  if (columns >= LEAST_TELLING) tellApart(texts.map((_, index) => index), texts, cut, columns);
  return cut;
}

/** Cuts again those of `indexes` that look the same in `cut`, and begin with the same `known` letters. */
function tellApart(indexes: readonly number[], texts: readonly string[], cut: string[], columns: number, known = -1): void {
  const groups = new Map<string, number[]>();
  for (const index of indexes) {
    const group = groups.get(cut[index]!);
    if (group === undefined) groups.set(cut[index]!, [index]);
    else group.push(index);
  }
  for (const alike of groups.values()) {
    if (new Set(alike.map((index) => texts[index]!)).size < 2) continue;
    const letters = alike.map((index) => lettersOf(texts[index]!));
    let common = 0;
    while (letters.every((one) => one[common] === letters[0]![common])) common += 1;
    if (common <= known) continue; // no room for the letter that differs
    const start = Math.max(1, common - Math.floor(columns / 6));
    for (const [at, index] of alike.entries()) cut[index] = fit(`…${letters[at]!.slice(start).join('')}`, columns);
    tellApart(alike, texts, cut, columns, common);
  }
}

/** `text` in lines of at most `columns`, broken between words; lines but the first begin with `indent` spaces. A longer word has a line of its own. */
export function wrap(text: string, columns: number, indent = 0): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && columnsOf(last) + 1 + columnsOf(word) <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(last === undefined ? word : ' '.repeat(indent) + word);
  }
  return lines;
}

/** `text` with spaces up to `columns`. */
export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)));
}

function take(letters: readonly string[], columns: number): string[] {
  const taken: string[] = [];
  let left = columns;
  for (const letter of letters) {
    left -= columnsOf(letter);
    if (left < 0) break;
    taken.push(letter);
  }
  return taken;
}

/** Space between columns, as `ls` leaves it. */
const GAP = 2;

/** Names in as few lines as `width` allows, sorted downwards, as `ls` shows them. */
export function inColumns(names: readonly string[], width: number): string[] {
  const sizes = names.map(columnsOf);
  // At most width / 3 layouts are tried, whatever the number of names: a column is one letter and the gap at least.
  for (let columns = Math.floor((width + GAP) / (GAP + 1)); columns > 1; columns -= 1) {
    const lines = Math.ceil(names.length / columns);
    const widths = widthsOf(sizes, lines);
    if (widths.reduce((sum, one) => sum + one + GAP, -GAP) <= width) return layOut(names, lines, widths);
  }
  return [...names];
}

function widthsOf(sizes: readonly number[], lines: number): number[] {
  const widths: number[] = [];
  sizes.forEach((size, index) => {
    const column = Math.floor(index / lines);
    widths[column] = Math.max(widths[column] ?? 0, size);
  });
  return widths;
}

function layOut(names: readonly string[], lines: number, widths: readonly number[]): string[] {
  return Array.from({ length: lines }, (_, line) => widths
    .map((width, column) => pad(names[column * lines + line] ?? '', width))
    .join(' '.repeat(GAP))
    .trimEnd());
}
