/**
 * Own: what this server runs and what it reads as settings, by every place that decides what is found there: nothing of it may be
 * among what is served, since who may write there would write the server (`served.ts` refuses that). Looks; changes nothing.
 *
 * A place is a file or folder by its real name, or a link on the way to it: a link that is taken away and replaced by a folder
 * leads elsewhere. What Node itself reads besides, as certificates and what `NODE_OPTIONS` names, is the business of who starts it.
 */
import { lstat, readlink, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, parse, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { above } from './owners.ts';

export interface Own {
  /** The configuration file, where there is one. */
  readonly settingsFile?: string | undefined;
  /** The state folder as it was named. It may not be there yet. That it is not served itself is asked elsewhere, and cannot be lifted. */
  readonly state?: string | undefined;
  /** What is run, as `process` has it: the program, and Node. */
  readonly program?: { readonly main: string | undefined; readonly node: string } | undefined;
}

export interface Place {
  readonly what: { readonly name: string; readonly flag: string };
  readonly path: string;
  /** Whether it is a folder of which everything counts, so that one inside it may not be served either. */
  readonly isWhole: boolean;
  readonly isCode: boolean;
}

/** More links than any way has: the system itself gives up at 40. */
const MAX_LINKS = 40;

const PROGRAM = { name: 'the program of this server', flag: '' };
const LIBRARIES = { name: 'the folder of its libraries', flag: '' };

export async function ownPlaces({ settingsFile, state, program }: Own): Promise<Place[]> {
  const settings = async (name: string, flag: string, path: string | undefined, withEnd: boolean): Promise<Place[]> => {
    if (path === undefined) return [];
    const { links, end } = await wayTo(path);
    return [
      ...links.map((link) => ({ what: { name: `a link on the way to ${name}`, flag }, path: link, isWhole: false, isCode: false })),
      ...(withEnd ? [{ what: { name, flag }, path: end, isWhole: false, isCode: false }] : []),
    ];
  };
  return [
    ...await settings('the configuration file', '--config', settingsFile, true), ...await settings('the state folder', '--state', state, false),
    ...await codePlaces(program),
  ];
}

async function codePlaces(program: Own['program']): Promise<Place[]> {
  const run = [...(program?.main === undefined ? [] : [program.main]), ...(program === undefined ? [] : [program.node])];
  const ways = await Promise.all(run.map(wayTo));
  const { folder, libraries } = await ourPackage();
  return [
    ...ways.flatMap(({ links, end }) => [...links, end]).map((path) => ({ what: PROGRAM, path, isWhole: false, isCode: true })),
    { what: PROGRAM, path: folder, isWhole: true, isCode: true },
    ...libraries.map((path) => ({ what: LIBRARIES, path, isWhole: true, isCode: true })),
  ];
}

/** The folder of the package with our code in it, and those in which Node looks for what it imports. */
async function ourPackage(): Promise<{ readonly folder: string; readonly libraries: string[] }> {
  const here = await realpath(fileURLToPath(import.meta.url));
  const folders = above(here);
  const among = await Promise.all(folders.map((folder) => isThere(join(folder, 'package.json'))));
  // The code lies in one folder of the package; without a package, here.
  const folder = folders[Math.max(0, among.indexOf(true) - 1)]!;
  const libraries = above(folder).map((one) => join(one, 'node_modules'));
  const there = await Promise.all(libraries.map(isThere));
  return { folder, libraries: await Promise.all(libraries.filter((_, index) => there[index]).map((one) => realpath(one))) };
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(() => true, () => false);
}

/** The links that are followed to find `path`, each by its own real place, and where they lead. What is not there is no link. */
async function wayTo(path: string): Promise<{ readonly links: string[]; readonly end: string }> {
  const absolute = resolve(path);
  let at = parse(absolute).root;
  const links: string[] = [];
  const left = absolute.slice(at.length).split(sep);
  for (let part = left.shift(); part !== undefined; part = left.shift()) {
    if (part === '' || part === '.') continue;
    const place = part === '..' ? dirname(at) : join(at, part);
    const target = part === '..' || links.length >= MAX_LINKS ? undefined : await readlink(place).catch(() => undefined);
    if (target === undefined) {
      at = place;
      continue;
    }
    links.push(place);
    if (isAbsolute(target)) at = parse(target).root;
    left.unshift(...target.split(sep));
  }
  return { links, end: at };
}
