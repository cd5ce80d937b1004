/**
 * Check: the text of a configuration file as settings, or everything that is wrong with it at once, each with its place. Pure.
 *
 * Values are what the schema says. Beyond it stands what a schema does not see: keys that there are none of, with the one that
 * was meant, and keys that stand in the wrong table.
 */
import { printable } from '../../printable.ts';
import { closest } from '../../suggest.ts';
import { type Path, Places } from './locate.ts';
import { type Mistake, parseToml } from './parse.ts';
import { checkValues } from './schema.ts';
import { type Key, KEYS, placeOf, type Values } from './table.ts';

export interface Checked {
  readonly values: Values;
  /** The keys that are set, each as it was written, with its line. */
  readonly written: ReadonlyMap<Key, { readonly value: unknown; readonly line: number }>;
  /** In the order of the file. */
  readonly mistakes: readonly Mistake[];
}

/** More would scroll by. */
export const MAX_MISTAKES = 100;

export function checkSettings(text: string): Checked {
  const parsed = parseToml(text);
  if ('mistake' in parsed) return { values: {}, written: new Map(), mistakes: [parsed.mistake] };
  const places = new Places(text);
  const found = new Found(places);
  found.walk(parsed.tree, []);
  const { values, wrong } = checkValues(new Map([...found.written].map(([key, { value }]) => [key, value])));
  const meant = wrong.map(({ key, index, message, hint }) => ({ ...places.of(index === undefined ? key.split('.') : [...key.split('.'), index]), message: printable(message), hint }));
  const mistakes = [...found.mistakes, ...meant].sort((a, b) => a.line - b.line || a.column - b.column).slice(0, MAX_MISTAKES);
  return { values, written: found.written, mistakes };
}

const TABLES = new Set(KEYS.map((key) => placeOf(key).table).filter((table) => table !== undefined));

/** What of a tree are keys of the table of settings, and what is not. */
class Found {
  readonly written = new Map<Key, { value: unknown; line: number }>();
  readonly mistakes: Mistake[] = [];
  readonly #places: Places;

  constructor(places: Places) {
    this.#places = places;
  }

  walk(tree: object, above: Path): void {
    for (const [name, value] of Object.entries(tree) as [string, unknown][]) {
      const path = [...above, name];
      const place = this.#places.of(path);
      // A dot within a name is quoted in the file, and none of ours has one.
      const key = name.includes('.') ? undefined : path.join('.');
      if (KEYS.includes(key as Key)) this.written.set(key as Key, { value, line: place.line });
      else if (key === undefined || !TABLES.has(key)) this.mistakes.push({ ...place, ...unknown(name, above.join('.')) });
      else if (isTable(value)) this.walk(value, path);
      else this.mistakes.push({ ...place, message: `${key} is a table, and not a value`, hint: `write its name in brackets in a line of its own, and its keys below: [${key}]` });
    }
  }
}

function isTable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function unknown(name: string, table: string): Pick<Mistake, 'message' | 'hint'> {
  const message = `there is no key ${printable(name)}${table === '' ? '' : ` in [${table}]`}`;
  const elsewhere = KEYS.find((key) => placeOf(key).name === name);
  if (elsewhere !== undefined) {
    const { table: right } = placeOf(elsewhere);
    return { message, hint: right === undefined ? `write ${name} at the top of the file, before the first table` : `write ${name} below [${right}]` };
  }
  const here = KEYS.filter((key) => (placeOf(key).table ?? '') === table).map((key) => placeOf(key).name);
  const near = closest(name, table === '' ? [...here, ...TABLES] : here);
  if (near !== undefined) return { message, hint: table === '' && TABLES.has(near) ? `did you mean [${near}]?` : `did you mean ${near}?` };
  const far = closest(name, KEYS.map((key) => placeOf(key).name));
  const place = KEYS.find((key) => placeOf(key).name === far);
  return { message, hint: place === undefined ? '"wherry config example" shows every key' : `did you mean ${place}?` };
}
