/**
 * Schema: what each key of the configuration file may hold, made from the table of settings, and what is said of what it
 * may not. Pure. The only file that knows the library for schemas.
 */
import { isAbsolute } from 'node:path';
import * as v from 'valibot';
import { sizeIn, timeIn } from '../../amounts.ts';
import { Failure } from '../../errors.ts';
import { Networks } from '../../network.ts';
import { isHostName } from '../config.ts';
import { doubled, doubledIn, MAX_LISTEN, parseListen } from '../listen.ts';
import { type Key, KEYS, type Setting, SETTINGS, usualOf, type Values } from './table.ts';

/** What is wrong with the value of a key, or with one of a list. */
export interface Wrong { readonly key: Key; readonly index: number | undefined; readonly message: string; readonly hint: string }

/** The values of the keys, from what the file has for them; what is wrong stands beside, and is none of the values. */
export function checkValues(written: ReadonlyMap<Key, unknown>): { readonly values: Values; readonly wrong: readonly Wrong[] } {
  const values: Record<string, unknown> = {};
  const wrong: Wrong[] = [];
  for (const [key, value] of written) {
    const read = v.safeParse(SCHEMAS[key], value);
    if (read.success) values[key] = read.output;
    for (const { path, message } of read.issues ?? []) {
      const index = path?.[0]?.key;
      wrong.push({ key, index: typeof index === 'number' ? index : undefined, message: `${key}: ${message}`, hint: `for example: ${exampleOf(key)}` });
    }
  }
  return { values, wrong: [...wrong, ...outOfOrder(values, written)] };
}

/** Of each two the second is not below the first. */
const ORDERED: readonly (readonly [Key, Key])[] = [
  ['limits.unauthenticated_from', 'limits.unauthenticated_full'], ['limits.ping_after', 'limits.dead_after'], ['bans.points', 'bans.points_where_known'], ['bans.length', 'bans.longest'],
];

/** Told at the one of two that is written, of both at the second. */
function outOfOrder(values: Readonly<Record<string, unknown>>, written: ReadonlyMap<Key, unknown>): Wrong[] {
  return ORDERED.flatMap(([low, high]) => {
    const [least, most] = [low, high].map((key) => values[key] ?? usualOf(key)) as [number, number];
    if (most >= least) return [];
    const key = written.has(high) ? high : low;
    return [{ key, index: undefined, message: `${high} is below ${low}`, hint: `raise ${high}, or lower ${low}` }];
  });
}

/** A line of the file that sets the key. */
function exampleOf(key: Key): string {
  const { example, default: usual }: Setting = SETTINGS[key];
  return `${key.slice(key.lastIndexOf('.') + 1)} = ${tomlOf(example ?? usual)}`;
}

/** A value as it is written in the file: text as JSON has it, which TOML reads alike but for a sign that JSON leaves as it is. */
export function tomlOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(tomlOf).join(', ')}]`;
  return typeof value === 'string' ? JSON.stringify(value).replaceAll('\u007F', '\\u007f') : String(value);
}

/** Each new connection is looked up in them. */
const MAX_NETWORKS = 256;

type Schema = v.GenericSchema<unknown, unknown>;

const TEXT = v.pipe(v.string(isNo('text in quotes')), v.maxLength(4096, 'this is longer than any name'), v.regex(/^[^\u0000-\u001F\u007F]+$/, 'this is empty, or has a sign in it that no name has'));

/** No two of the addresses are in each other's way; told at the one that could not be had. */
const ONCE = v.rawCheck<string[]>(({ dataset, addIssue }) => {
  if (!dataset.typed || dataset.issues !== undefined) return;
  const at = doubledIn(dataset.value.map((text) => parseListen(text)));
  if (at !== undefined) addIssue({ message: doubled(dataset.value[at]!), path: [{ type: 'array', origin: 'value', input: dataset.value, key: at, value: dataset.value[at] }] });
});

const SCHEMAS = Object.fromEntries(KEYS.map((key) => [key, schemaOf(SETTINGS[key])])) as Readonly<Record<Key, Schema>>;

function schemaOf(setting: Setting): Schema {
  switch (setting.kind) {
    case 'flag': return v.boolean(isNo('true or false'));
    case 'folder': return v.pipe(TEXT, v.check(isAbsolute, 'a folder is named from the top, beginning with /: a service has no current folder'));
    case 'name': return v.pipe(TEXT, v.check(isHostName, 'a name has 1 to 63 letters, digits and hyphens'));
    case 'address': return v.pipe(TEXT, v.check(isListen, 'this is no address to listen at'));
    case 'networks': return v.pipe(v.array(v.pipe(TEXT, v.check(isNetwork, 'this is neither an address nor a network')), isNo('a list in brackets')), v.maxLength(MAX_NETWORKS, `at most ${MAX_NETWORKS} networks`));
    case 'addresses': return v.pipe(v.array(v.pipe(TEXT, v.check(isListen, 'this is no address to listen at')), isNo('a list in brackets')), v.minLength(1, 'there must be one address at least'), v.maxLength(MAX_LISTEN, `at most ${MAX_LISTEN} addresses`), ONCE);
    case 'choice': return v.picklist(Object.keys(setting.of), ({ input }) => `${shown(input)} is none of ${Object.keys(setting.of).join(', ')}`);
    case 'number': return numberOf(setting);
    case 'time': return amountOf(timeIn, 'a length of time', setting);
    case 'size': return amountOf(sizeIn, 'a size', setting);
  }
}

function numberOf({ min, max, or = [] }: Setting & { kind: 'number' }): Schema {
  const what = [`a whole number from ${min} to ${max}`, ...or.map((word) => `"${word}"`)].join(' or ');
  return v.custom((value) => (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) || or.includes(value as string), isNo(what));
}

/** Text that `read` makes a number of, which is within what the setting allows. */
function amountOf(read: (text: string) => number | undefined, what: string, { min = '0', max }: Setting & { kind: 'time' | 'size' }): Schema {
  const [least, most] = [read(min)!, read(max)!];
  return v.pipe(
    v.string(isNo(`${what}, as text in quotes`)),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const number = read(dataset.value);
      if (number !== undefined && number >= least && number <= most) return number;
      addIssue({ message: number === undefined ? `${shown(dataset.value)} is not ${what}` : `${shown(dataset.value)} is not between ${min} and ${max}` });
      return NEVER;
    }),
  );
}

function isListen(text: string): boolean {
  return isRead(() => parseListen(text));
}

function isNetwork(text: string): boolean {
  return isRead(() => new Networks([text]));
}

function isRead(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

function isNo(what: string): (issue: { readonly input: unknown }) => string {
  return ({ input }) => `${shown(input)} is not ${what}`;
}

/** Values of a file are shown up to this length: enough to find them. */
const MAX_SHOWN = 60;

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return 'a date';
  if (typeof value === 'object') return 'a table';
  const text = typeof value === 'bigint' || typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
