/**
 * Served: which folders are hardly ever meant to be served, and are so only when that is said twice.
 *
 * The whole disk, a home folder with the keys in it, a folder that holds one of these, and what belongs to the system: who
 * types `wherry serve` in the wrong place would hand out everything. Homes are those of the user, and of everybody in
 * /etc/passwd who can log in: those of services, as /var/www, are meant to be served. Below a home everything may be served.
 * And a folder with what this server itself runs or reads as settings: `own.ts` says what that is.
 *
 * A folder is known by its real name and by its number on its disk, since a mount shows one at a second place. What lies in
 * another by a mount further down is not seen.
 */
import { readFile, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, sep } from 'node:path';
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import { numberOf } from '../store/disk/number.ts';
import { ownPlaces, type Own } from './own.ts';
import { above } from './owners.ts';

/** Folders of the system that may not be served themselves; those for data lie below some of them. */
const SYSTEM = ['/usr', '/var', '/home', '/Users'];
/** Folders of the system below which there is nothing to serve. */
const SYSTEM_WHOLE = ['/etc', '/boot', '/proc', '/sys', '/dev'];
/** A disk in memory, for everybody's data, that lies below one of them. */
const SHARED_MEMORY = '/dev/shm';
/** Shells of accounts that nobody logs in to. */
const NO_SHELL = /\/(nologin|false|true|sync|shutdown|halt)$/;
/** The book of users of a machine is small; of a larger one the first are looked at. */
const MAX_USERS = 10_000;

/** What decides beside the folder itself. */
export interface Circumstances extends Own {
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** The book of users. */
  readonly users?: string | undefined;
}

interface Reason { readonly why: string; readonly instead: string }

/** Refuses a folder, by its real name, that is hardly ever meant, unless it `isMeant`. */
export async function mayBeServed(folder: string, isMeant: boolean, circumstances: Circumstances): Promise<void> {
  if (isMeant) return;
  const looked = await Looked.at(folder);
  const { env = {}, users = '/etc/passwd' } = circumstances;
  const reason = await ofTheMachine(looked, env, users) ?? await ofTheServer(looked, circumstances);
  if (reason === undefined) return;
  throw new Failure('USAGE', `${printable(folder)} ${reason.why}`, { path: folder, who: 'rule', hint: `${reason.instead}; if you do mean this one, add --yes-serve-this` });
}

async function ofTheMachine(looked: Looked, env: NodeJS.ProcessEnv, users: string): Promise<Reason | undefined> {
  const why = await machineWhy(looked, env, users);
  return why === undefined ? undefined : { why, instead: 'serve a folder inside it that holds only what others may have' };
}

async function machineWhy(looked: Looked, env: NodeJS.ProcessEnv, users: string): Promise<string | undefined> {
  const { folder } = looked;
  if (dirname(folder) === folder || await looked.is('/')) return 'is the whole disk: everything on this machine, passwords and keys too, would be open to those who join';
  for (const { home, isOwn } of await homesOf(env, users)) {
    if (home === folder || (isOwn && await looked.is(home))) return 'is a home folder: its keys, passwords and settings would be open to those who join';
    if (await looked.holds(dirname(home))) return `holds the home folder ${printable(home)}: its keys, passwords and settings would be open to those who join`;
  }
  for (const system of await Promise.all([...SYSTEM, ...SYSTEM_WHOLE].map(real))) if (await looked.is(system)) return 'is a folder of the system: it has what this machine needs to run';
  if (folder === SHARED_MEMORY || folder.startsWith(SHARED_MEMORY + sep)) return undefined;
  const whole = SYSTEM_WHOLE.find((system) => folder.startsWith(system + sep));
  return whole === undefined ? undefined : `lies in ${whole}, a folder of the system: it has what this machine needs to run`;
}

async function ofTheServer(looked: Looked, own: Own): Promise<Reason | undefined> {
  for (const { what, path, isWhole, isCode } of await ownPlaces(own)) {
    const does = isCode ? 'who may write there would have anything run as the user of this server' : 'who may write there would decide what this server does';
    const instead = isCode ? 'serve a folder that holds only what others may have, as in: wherry serve share' : `move it to a place that is not served, and name that one with ${what.flag}`;
    if (await looked.holds(path)) return { why: `${path === looked.folder ? 'is' : 'holds'} ${what.name}${path === looked.folder ? '' : `, ${printable(path)}`}: ${does}`, instead };
    if (isWhole && looked.folder.startsWith(path + sep)) return { why: `lies in ${printable(path)}, ${what.name}: ${does}`, instead };
  }
  return undefined;
}

/** A folder that is to be served, and whether another place is the same one, or in it. */
class Looked {
  readonly folder: string;
  readonly #number: string | undefined;
  readonly #numbers = new Map<string, Promise<string | undefined>>();

  private constructor(folder: string, number: string | undefined) {
    this.folder = folder;
    this.#number = number;
  }

  static async at(folder: string): Promise<Looked> {
    return new Looked(folder, await numberOf(folder));
  }

  async is(place: string): Promise<boolean> {
    if (place === this.folder) return true;
    if (!this.#numbers.has(place)) this.#numbers.set(place, numberOf(place));
    return this.#number !== undefined && (await this.#numbers.get(place)) === this.#number;
  }

  /** Whether `place`, by its real name, is the folder or lies in it. */
  async holds(place: string): Promise<boolean> {
    for (const one of [place, ...above(place)]) if (await this.is(one)) return true;
    return false;
  }
}

/** Homes by their real names; `isOwn` are those that this user has, and root. */
async function homesOf({ HOME: named }: NodeJS.ProcessEnv, users: string): Promise<{ readonly home: string; readonly isOwn: boolean }[]> {
  const lines = (await readFile(users, 'utf8').catch(() => '')).split('\n').slice(0, MAX_USERS).map((line) => line.split(':'));
  const homes = lines.filter(([, , , , , home, shell]) => home?.startsWith('/') === true && !NO_SHELL.test(shell ?? '')).map(([, , , , , home]) => home!);
  const parents = new Map<string, Promise<string>>();
  // Of those of others, the folder above is enough to see through a link: a home itself may lie on a machine that does not answer.
  const byParent = async (home: string): Promise<string> => {
    const parent = dirname(home);
    if (!parents.has(parent)) parents.set(parent, real(parent));
    return join(await parents.get(parent)!, basename(home));
  };
  const own = await Promise.all([homedir(), '/root', ...(named === undefined ? [] : [named])].map(byParent));
  const all = new Set([...own, ...await Promise.all(homes.map(byParent))]);
  return [...all].filter((home) => dirname(home) !== home).map((home) => ({ home, isOwn: own.includes(home) }));
}

async function real(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
