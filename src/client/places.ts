/**
 * Places: where each source of a `put` or `get` is, and where it goes, by the rules of `cp`. Asks, and changes nothing, so that
 * who only wants to know what would happen hears the same as who does it.
 */
import type { Entry } from '../entry.ts';
import { Failure } from '../errors.ts';
import { baseName, checkName, displayPath, meansContents, parentOf, resolvePath, ROOT, type RemotePath } from '../path.ts';
import type { RequestOptions } from './api.ts';
import { heardOf } from './heard.ts';
import { isFolder, missingFolder } from './local.ts';
import type { Requester } from './requester.ts';

/** Whether all there is to do is to move what is in one folder: then the target need not exist, however it was typed. */
export function onlyContents(sources: readonly string[]): boolean {
  return sources.length === 1 && meansContents(sources[0]!);
}

/** Whether sources go into `remote` under their own names. Throws when they must, and it is no folder. */
export async function remoteFolder(requester: Requester, remote: string, must: boolean, { signal }: RequestOptions): Promise<boolean> {
  const path = resolvePath(ROOT, remote);
  if (path === ROOT) return true;
  const asked = must || remote.endsWith('/');
  const found = await statAllowed(requester, path, signal);
  if (found === 'unknown') return asked;
  if (found?.kind === 'folder') return true;
  if (asked) {
    throw found === undefined
      ? new Failure('NOTFOUND', 'no such folder on the server', { path: displayPath(path), who: 'server', hint: makeFirst(path) })
      : new Failure('NOTDIR', 'not a folder', { path: displayPath(path), who: 'server' });
  }
  return false;
}

function makeFirst(folder: RemotePath): string {
  return `make it first: wherry mkdir -p :${displayPath(folder)}`;
}

/** What a file that was to arrive at `to` failed with; where its folder is missing, that folder is named. */
export function withFolder(error: unknown, to: RemotePath): Failure {
  const failure = Failure.from(error);
  const { code, who, hint, path } = failure;
  if (code !== 'NOTFOUND' || who !== 'server' || hint !== undefined) return failure;
  return new Failure('NOTFOUND', 'no such folder on the server', { path, who, hint: makeFirst(parentOf(to)), cause: error });
}

/**
 * Makes sure that a folder can arrive at `to`: no file has the name, and its parent exists. Said once, before every file in it would
 * say so. Resolves with whether it is there already, or may be.
 */
export async function checkPlace(requester: Requester, to: RemotePath, { signal }: RequestOptions): Promise<boolean> {
  const found = to === ROOT ? 'unknown' : await statAllowed(requester, to, signal);
  if (found === 'unknown' || found?.kind === 'folder') return true;
  if (found !== undefined) throw new Failure('NOTDIR', 'is a file, and a folder is to arrive there', { path: displayPath(to), who: 'server', hint: 'name another target, or rename it first: wherry change :OLD NEW' });
  await remoteFolder(requester, `${parentOf(to)}/`, true, { signal });
  return false;
}

/** What is at `path`; accounts that may not look (drop boxes) do not know. */
export async function statAllowed(requester: Requester, path: RemotePath, signal: AbortSignal | undefined): Promise<Entry | undefined | 'unknown'> {
  try {
    return heardOf(path, (await requester.ask({ kind: 'stat', path }, 'entry', signal)).entry);
  } catch (error) {
    if (error instanceof Failure && error.code === 'DENIED') return 'unknown';
    throw error;
  }
}

/** What is to be fetched. Throws when nothing is there, or nothing that can be fetched. */
export async function remoteSource(requester: Requester, remote: string, { signal }: RequestOptions): Promise<{ from: RemotePath; entry: Entry; kind: 'file' | 'folder'; contents: boolean; name: string }> {
  const from = resolvePath(ROOT, remote);
  const { entry: found } = await requester.ask({ kind: 'stat', path: from }, 'entry', signal);
  const entry = heardOf(from, found);
  if (entry === undefined) throw new Failure('NOTFOUND', 'no such file or folder on the server', { path: displayPath(from), who: 'server', hint: 'wherry ls : shows what is there' });
  if (entry.kind !== 'file' && entry.kind !== 'folder') throw new Failure('UNSUPPORTED', 'neither a file nor a folder', { path: displayPath(from), who: 'server' });
  const contents = meansContents(remote);
  if (contents && entry.kind !== 'folder') throw new Failure('NOTDIR', 'not a folder', { path: displayPath(from), who: 'server' });
  const name = from === ROOT ? 'files' : checkName(baseName(from)); // the served folder has no name of its own
  return { from, entry, kind: entry.kind, contents, name };
}

/** Whether what is fetched goes into `local` under its own name. Throws when it must, and it is no folder. */
export async function localFolder(remotes: readonly string[], local: string): Promise<boolean> {
  const into = await isFolder(local);
  if (into || onlyContents(remotes) || (remotes.length === 1 && !local.endsWith('/'))) return into;
  throw missingFolder(local);
}
