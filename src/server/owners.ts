/**
 * Owners: whose a path is, and who else could change it; refused with what to type where that is somebody it must not be.
 *
 * Looks, and changes nothing but a state folder that is new. What is safe: it belongs to the user that runs this or to root, and nobody else may write to it, nor
 * put something else in its place by a folder above. A folder that everybody may write to is harmless where only the
 * owner of an entry may move it, as in /tmp. On Windows modes say nothing, and nothing is refused.
 */
import { chmod, lstat, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Stats } from 'node:fs';
import { Failure, fromErrno } from '../errors.ts';
import { printable } from '../printable.ts';
import { AUDIT } from './audit/folder.ts';

const STICKY = 0o1000;
const BY_GROUP = 0o020;
const BY_OTHERS = 0o002;
/** Group and others may look in. */
const READ_BY_ANY = 0o044;
/** Whatever group and others may do. */
const BY_ANY_OTHER = 0o077;
/** Files of a folder that a server makes: an audit has 16. Bounds what a start looks at. */
const MAX_OWN = 1000;

/** A path in a line for the shell. */
export function quoted(path: string): string {
  return `'${printable(path).replaceAll("'", String.raw`'\''`)}'`;
}

function refused(what: string, path: string, command: string): Failure {
  return new Failure('IO', `${what} ${printable(path)}${what.endsWith(',') ? ',' : ''} ${command.startsWith('chown') ? 'belongs to another user' : 'can be changed by other users of this machine'}`, { path, who: 'rule', hint: `type: ${command} ${quoted(path)}` });
}

/** Whether it is of this user, or of root, who may do everything anyway. */
function isOurs({ uid }: Stats, user = process.geteuid?.()): boolean {
  return uid === 0 || uid === user;
}

/** What to type so that it is ours. */
function chownToUs(user = process.geteuid?.()): string {
  return `chown ${user}`;
}

/** Refuses a file, or a folder, that another user could change: itself, or by what it lies in. `what` is what it is called. */
export async function mustBeOurs(what: string, path: string, about?: Stats): Promise<void> {
  if (process.platform === 'win32') return;
  try {
    const { mode } = about ?? await stat(path);
    if (!isOurs(about ?? await stat(path))) throw refused(what, path, chownToUs());
    if ((mode & (BY_GROUP | BY_OTHERS)) !== 0) throw refused(what, path, 'chmod go-w');
    // A link could be pointed elsewhere, and what it leads to be replaced.
    const places = new Set([...above(path), ...above(await realpath(path))]);
    for (const place of places) await mustNotBeSwapped(`the folder of ${what}`, place, place === dirname(path));
  } catch (error) {
    throw fromErrno(error, path, 'here');
  }
}

/** Refuses a folder below one in which everybody may put something else in its place. */
export async function mustStay(what: string, path: string): Promise<void> {
  if (process.platform === 'win32') return;
  for (const place of above(path)) await mustNotBeSwapped(`a folder above ${what},`, place, false);
}

async function mustNotBeSwapped(what: string, folder: string, nearest: boolean): Promise<void> {
  const about = await stat(folder);
  if ((about.mode & STICKY) !== 0) return;
  if (nearest && !isOurs(about)) throw refused(what, folder, chownToUs());
  // Users with a group of their own often let it write: that harms nobody further up.
  if ((about.mode & (nearest ? BY_GROUP | BY_OTHERS : BY_OTHERS)) !== 0) throw refused(what, folder, nearest ? 'chmod go-w' : 'chmod o-w');
}

/** The folders above a path, the nearest first. */
export function above(path: string): string[] {
  const folders: string[] = [];
  for (let [from, to] = [path, dirname(path)]; to !== from; [from, to] = [to, dirname(to)]) folders.push(to);
  return folders;
}

/** For root, who looks at what another user's server is to have: the number of the user to whom the state folder belongs. */
export async function otherOwner(state: string): Promise<number | undefined> {
  if (process.geteuid?.() !== 0) return undefined;
  const uid = await stat(state).then((about) => about.uid, () => 0); // what is wrong with it is told by `checkState`
  return uid === 0 ? undefined : uid;
}

/** Refuses a state folder, and what lies in it, that others than `user`, by default the one that runs this, could read or change. One that is not there yet is made safely. */
export async function checkState(state: string, user = process.geteuid?.()): Promise<void> {
  if (process.platform === 'win32') return;
  let names;
  try {
    names = await readdir(state);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw fromErrno(error, state, 'here');
  }
  const about = await stat(state);
  if (!isOurs(about, user)) throw user === 0 ? ofAnother(state, about) : refused('the state folder', state, chownToUs(user));
  if ((about.mode & (BY_GROUP | BY_OTHERS)) !== 0) throw refused('the state folder', state, 'chmod 700');
  if ((about.mode & READ_BY_ANY) !== 0 && !isNew(about, names, user)) throw new Failure('IO', `the state folder ${printable(state)} can be read by other users of this machine`, { path: state, who: 'rule', hint: `type: chmod 700 ${quoted(state)}` });
  await mustStay('the state folder', state);
  for (const name of names.toSorted()) await checkStateFile(join(state, name), user);
  if (names.includes(AUDIT)) await checkOwn(join(state, AUDIT), user);
}

/** Made with mkdir for this very purpose: there is nothing in it yet that could have been read. */
function isNew({ uid }: Stats, names: readonly string[], user: number | undefined): boolean {
  return names.length === 0 && uid === user;
}

/** To root, who would leave files there that the server's own user cannot read. */
function ofAnother(state: string, { uid }: Stats): Failure {
  return new Failure('IO', `the state folder ${printable(state)} belongs to another user, number ${uid}`, { path: state, who: 'rule', hint: `run it as that user: sudo -u '#${uid}' wherry serve …; or give a state folder of your own: --state` });
}

/** Takes from a new state folder, which `checkState` has let pass, what others may do in it. */
export async function tightenState(state: string): Promise<void> {
  if (process.platform === 'win32') return;
  const { uid, mode } = await stat(state);
  if (uid === process.geteuid?.() && (mode & BY_ANY_OTHER) !== 0) await chmod(state, 0o700).catch((error: unknown) => { throw fromErrno(error, state, 'here'); });
}

async function checkStateFile(path: string, user: number | undefined): Promise<void> {
  // Drafts come and go while another server runs there, which is told later.
  const about = await lstat(path).catch(() => undefined);
  if (about === undefined) return;
  if (!isOurs(about, user)) throw refused(about.isDirectory() ? 'the folder' : 'the file', path, chownToUs(user));
  if (about.isSymbolicLink() || (about.mode & BY_ANY_OTHER) === 0) return;
  if (!about.isDirectory()) throw readable(path, 'chmod 600');
  // Who may look into a folder that no server makes, as that which is served may be, is its owner's choice.
  if ((about.mode & (BY_GROUP | BY_OTHERS)) !== 0) throw refused('the folder', path, 'chmod 700');
}

/** Refuses a folder that the server itself makes, and what lies in it, as `checkState` does. It has files alone: folders in it are not gone into. */
async function checkOwn(folder: string, user: number | undefined): Promise<void> {
  let names;
  try {
    const about = await stat(folder); // where it is a link, what that leads to
    if (!isOurs(about, user)) throw refused('the folder', folder, chownToUs(user));
    if ((about.mode & (BY_GROUP | BY_OTHERS)) !== 0) throw refused('the folder', folder, 'chmod 700');
    if ((about.mode & BY_ANY_OTHER) !== 0) throw readable(folder, 'chmod 700');
    names = await readdir(folder);
  } catch (error) {
    throw fromErrno(error, folder, 'here');
  }
  if (names.length > MAX_OWN) throw new Failure('LIMIT', `there are more than ${MAX_OWN} files in ${printable(folder)}`, { path: folder, who: 'rule', hint: 'move away what no server has written there' });
  for (const name of names.toSorted()) await checkStateFile(join(folder, name), user);
}

function readable(path: string, command: string): Failure {
  return new Failure('IO', `${printable(path)} can be read by other users of this machine`, { path, who: 'rule', hint: `type: ${command} ${quoted(path)}` });
}
