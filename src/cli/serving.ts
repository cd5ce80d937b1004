/**
 * Serving: what the flags of `serve` and its configuration file come to, and how the file is read again. Loads what reads
 * files only where there is one.
 */
import { resolve } from 'node:path';
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Role } from '../rights.ts';
import type { ServeOptions } from '../server/config.ts';
import { type Given, optionsOf, settle, type Settled } from '../server/settings/settle.ts';
import type { Key, Value, Values } from '../server/settings/table.ts';
import { parseDuration, parseSize } from './measures.ts';

export interface RoleFlags {
  readonly ro: boolean;
  readonly rw: boolean;
  readonly drop: boolean;
}

/** The flags that have a key of the configuration file beside them. */
export interface SettingFlags extends RoleFlags {
  readonly listen: readonly string[];
  readonly state: string | undefined;
  readonly grace: string | undefined;
  readonly 'upgrade-grace': string | undefined;
  readonly workers: string | undefined;
  readonly 'allow-similar-names': boolean;
  readonly 'portable-names': boolean;
  readonly 'yes-serve-this': boolean;
  readonly rate: string | undefined;
  readonly metrics: string | undefined;
  readonly 'metrics-from-anywhere': boolean;
  readonly 'no-audit': boolean;
}

/** The one role that was asked for; undefined for none. Throws USAGE for two. */
export function roleOf(flags: RoleFlags): Exclude<Role, 'owner'> | undefined {
  const given = (['ro', 'rw', 'drop'] as const).filter((role) => flags[role]);
  if (given.length > 1) throw new Failure('USAGE', `${given.map((role) => `--${role}`).join(' and ')} exclude each other`, { hint: 'choose one' });
  return given[0];
}

/** What the flags and the word of a command line say, by the keys of the file. */
export function givenBy(flags: SettingFlags, dir: string | undefined, json: boolean): Given {
  const role = roleOf(flags);
  const { listen, state, grace, workers, rate } = flags;
  return {
    ...given('folder', dir, 'DIR'),
    ...given('listen', listen.length > 0 ? listen : undefined, '--listen'),
    ...given('state', state, '--state'),
    ...given('grace', grace === undefined ? undefined : parseDuration(grace, '--grace'), '--grace', grace),
    ...given('upgrade_grace', flags['upgrade-grace'] === undefined ? undefined : parseDuration(flags['upgrade-grace'], '--upgrade-grace'), '--upgrade-grace', flags['upgrade-grace']),
    // Whether there can be so many is for the server to say.
    ...given('workers', workers === undefined ? undefined : workersOf(workers), '--workers'),
    ...given('ticket', role, `--${role}`),
    ...given('allow_similar_names', flags['allow-similar-names'] || undefined, '--allow-similar-names'),
    ...given('portable_names', flags['portable-names'] || undefined, '--portable-names'),
    ...given('serve_this', flags['yes-serve-this'] || undefined, '--yes-serve-this'),
    ...given('rates.server', rate === undefined ? undefined : parseSize(rate, '--rate'), '--rate', rate && String(parseSize(rate, '--rate'))),
    ...given('metrics.listen', flags.metrics, '--metrics'),
    ...given('metrics.from_anywhere', flags['metrics-from-anywhere'] || undefined, '--metrics-from-anywhere'),
    ...given('audit', flags['no-audit'] ? false : undefined, '--no-audit'),
    ...given('log.format', json ? 'json' : undefined, '--json'),
  };
}

/** One key, as `flag` says it; nothing where it says nothing. */
function given<K extends Key>(key: K, value: Value<K> | undefined, flag: string, written: unknown = value): Given {
  return value === undefined ? {} : { [key]: { value, written, flag } };
}

function workersOf(text: string): number | 'auto' {
  if (text === 'auto') return text;
  return /^\d+$/.test(text) ? Number(text) : NaN;
}

/** The configuration file that is meant: a path, or `auto` for the usual place. */
export async function fileMeant(config: string | undefined): Promise<string> {
  const { USUAL, usualPlace } = await import('../server/settings/file.ts');
  return config === undefined || config === USUAL ? usualPlace(process.env) : resolve(config);
}

/** What to serve, and how. */
export interface Plan {
  readonly dir: string;
  readonly values: Values;
  readonly options: ServeOptions;
  /** As `Reread.place`. */
  place(key: string): string | undefined;
}

export function planFor({ values, origins }: Settled, file: string): Plan {
  const { folder } = values;
  if (folder === undefined) throw new Failure('USAGE', `${printable(file)} does not say which folder to serve`, { path: file, who: 'here', hint: 'write it there, as in folder = "/srv/files", or behind the command: wherry serve DIR --config FILE' });
  const place = (key: string): string | undefined => {
    const from = origins.find((origin) => origin.key === key)?.from;
    return from === 'default' ? printable(file) : from?.startsWith(`${file}:`) === true ? printable(from) : undefined;
  };
  return { dir: folder, values, place, options: { ...optionsOf(values), settingsFile: file === '' ? undefined : file } };
}

/** Flags and, where one is meant, the file, as a plan; `again` reads the file again. */
export async function planServing(given: Given, config: string | undefined): Promise<{ readonly plan: Plan; readonly again: (() => Promise<Plan>) | undefined }> {
  if (config === undefined) {
    // Who starts a server by hand means to let somebody in; a service prints a ticket only when asked.
    const plan = planFor(settle({ ticket: { value: 'rw', written: 'rw', flag: 'default' }, folder: { value: '.', written: '.', flag: 'default' }, ...given }), '');
    return { plan, again: undefined };
  }
  const { readSettings } = await import('../server/settings/file.ts');
  const file = await fileMeant(config);
  const again = async (): Promise<Plan> => planFor(settle(given, await readSettings(file)), file);
  return { plan: await again(), again };
}
