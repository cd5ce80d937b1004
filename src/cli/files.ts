/**
 * The commands on files and folders of the server, but for put and get: each is a few calls on the client and a
 * line for the answer. Several words are done one after the other; one that fails does not stop the rest, unless
 * the connection or the whole command has ended.
 */
import type { Entry } from '../client/api.ts';
import { Failure, type Code } from '../errors.ts';
import { baseName, resolvePath, type RemotePath } from '../path.ts';
import { printable } from '../printable.ts';
import type { Session, Work } from './command.ts';
import { EXITS, exitOf, UNHEARD } from './exits.ts';
import { entryEvent, modeText } from './listing.ts';
import { formatCount, formatDate, formatSize, plural } from './measures.ts';
import { reasonOf } from './signals.ts';

/** After these nothing else can succeed on this connection. */
const FINAL: ReadonlySet<Code> = new Set<Code>(['LOST', 'CONNECT', 'SHUTDOWN', 'CANCELLED', 'TERMINATED', 'DEADLINE', 'PROTOCOL']);

/** A path as typed, seen from the session's remote folder. */
export function checkedPath(session: Session, typed: string): RemotePath {
  return resolvePath(session.cwd, typed);
}

/** A remote path as typed in the form the client takes, from the served folder; a slash at its end, which asks for a folder, is kept. */
export function remotePath(session: Session, typed: string): string {
  const path = `/${checkedPath(session, typed)}`;
  return typed.endsWith('/') && path !== '/' ? `${path}/` : path;
}

/** Does `one` for each word in turn; failures are told as they come. Resolves with the exit code. */
export async function each(work: Work, words: readonly string[], one: (typed: string, path: string) => Promise<void>): Promise<number> {
  const { report, session, signal } = work;
  for (const typed of words) {
    try {
      signal.throwIfAborted();
      await one(typed, remotePath(session, typed));
    } catch (error) {
      const failure = reasonOf(error, signal);
      await report.failed(failure, signal.aborted ? undefined : typed);
      if (signal.aborted) return EXITS[failure.code];
      if (FINAL.has(failure.code)) break;
    }
  }
  return exitOf(words.length, report.failures);
}

/** As `each`, for commands that do nothing but answer: once nobody reads, nothing more is asked. */
export async function eachAnswer(work: Work, words: readonly string[], one: (typed: string, path: string) => Promise<void>): Promise<number> {
  const { terminal } = work;
  const exit = await each(work, words, async (typed, path) => {
    if (terminal.isHeard) await one(typed, path);
  });
  return terminal.isHeard ? exit : UNHEARD;
}

/** The bytes of a file to standard output, for as long as somebody reads there. */
export async function pour({ session, terminal, signal }: Work, path: string): Promise<void> {
  for await (const chunk of session.client.getStream(path, { signal })) {
    await terminal.data(chunk);
    if (!terminal.isHeard) return;
  }
}

export function cat(work: Work, { remote }: { remote: readonly string[] }): Promise<number> {
  return eachAnswer(work, remote, (_, path) => pour(work, path));
}

export function makeFolder(work: Work, { flags, remote }: { flags: { parents: boolean }; remote: readonly string[] }): Promise<number> {
  return each(work, remote, async (typed, path) => {
    await work.session.client.makeFolder(path, { signal: work.signal, parents: flags.parents });
    await work.report.done(`made ${printable(typed)}`, { event: 'made', path });
  });
}

export function removeFolder(work: Work, { remote }: { remote: readonly string[] }): Promise<number> {
  return each(work, remote, async (typed, path) => {
    await work.session.client.remove(path, { signal: work.signal, kind: 'folder' }).catch((error: unknown) => {
      throw advised(error, 'NOTEMPTY', 'rm -r removes a folder with all in it');
    });
    await work.report.done(`removed ${printable(typed)}`, { event: 'removed', path });
  });
}

export function remove(work: Work, { flags, remote }: { flags: { recursive: boolean; force: boolean }; remote: readonly string[] }): Promise<number> {
  const { session, report, signal } = work;
  return each(work, remote, async (typed, path) => {
    if (flags.recursive && !flags.force && !(await agreed(work, typed, path))) return;
    try {
      await session.client.remove(path, flags.recursive ? { signal, deep: true } : { signal, kind: 'file' });
    } catch (error) {
      // As `rm -f` everywhere: what is not there is what was wanted.
      if (flags.force && Failure.from(error).code === 'NOTFOUND') return;
      throw advised(error, 'ISDIR', 'rm -r removes a folder with all in it');
    }
    await report.done(`removed ${printable(typed)}`, { event: 'removed', path });
  });
}

/** Whether a folder may go with all in it: asked at a terminal only, a script has said what it means. */
async function agreed({ session, settings, terminal, signal }: Work, typed: string, path: string): Promise<boolean> {
  if (settings.noInput || settings.json || !terminal.canAsk) return true;
  const entry = await session.client.stat(path, { signal });
  if (entry?.kind !== 'folder') return true;
  const answer = await terminal.ask(`remove the folder ${printable(typed)} with all in it? [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}

export async function change(work: Work, { flags, remote }: { flags: { force: boolean }; remote: readonly string[] }): Promise<number> {
  const { session, report, signal } = work;
  const [from = '', to = ''] = remote;
  const source = checkedPath(session, from);
  // A slash at the end means «into that folder», as for mv.
  const target = to.endsWith('/') ? `${to}${baseName(source)}` : to;
  return each(work, [from], async (typed, path) => {
    await session.client.change(path, `/${checkedPath(session, target)}`, { signal, replace: flags.force }).catch((error: unknown) => {
      const failure = advised(error, 'EXISTS', `change -f replaces a file; ${printable(to)}/ means into that folder`);
      // What exists already is the new name, not the one that was to be changed.
      if (failure.code === 'EXISTS') throw new Failure('EXISTS', `${printable(target)} already exists`, { path: failure.path, who: failure.who, hint: failure.hint, cause: failure });
      throw failure;
    });
    await report.done(`renamed ${printable(typed)} to ${printable(target)}`, { event: 'renamed', path, to: `/${checkedPath(session, target)}` });
  });
}

/** What is at a path; NOTFOUND when nothing is. */
export async function mustStat({ session, signal }: Work, path: string): Promise<Entry> {
  const entry = await session.client.stat(path, { signal });
  if (entry === undefined) throw new Failure('NOTFOUND', 'no such file or folder', { path, who: 'server' });
  return entry;
}

export function stat(work: Work, { remote }: { remote: readonly string[] }): Promise<number> {
  return eachAnswer(work, remote, async (_, path) => {
    const entry = await mustStat(work, path);
    const size = entry.kind === 'file' ? `${formatCount(entry.size)} bytes (${formatSize(entry.size)})` : '-';
    await work.report.answer([
      `path:    ${printable(path)}`,
      `kind:    ${entry.kind}`,
      `size:    ${size}`,
      `changed: ${formatDate(entry.mtime)}`,
      `mode:    ${entry.mode.toString(8).padStart(3, '0')} ${modeText(entry)}`,
    ], entryEvent(entry, path));
  });
}

export function usage(work: Work, { remote }: { remote: readonly string[] }): Promise<number> {
  const words = remote.length === 0 ? [''] : remote;
  return eachAnswer(work, words, async (typed, path) => {
    const { files, folders, bytes } = await work.session.client.usage(path, { signal: work.signal });
    const line = `${formatSize(bytes).padStart(8)}  ${plural(files, 'file')} in ${plural(folders, 'folder')}  ${printable(typed === '' ? path : typed)}`;
    await work.report.answer(line, { event: 'usage', path, files, folders, bytes });
  });
}

export async function space(work: Work): Promise<number> {
  const { free, total } = await work.session.client.space({ signal: work.signal });
  const share = total === 0 ? 0 : Math.floor((free * 100) / total);
  await work.report.answer(`${formatSize(free)} free of ${formatSize(total)} (${share}%)`, { event: 'space', free, total });
  return exitOf(1, work.report.failures);
}

export function hash(work: Work, { flags, remote }: { flags: { sha256: boolean }; remote: readonly string[] }): Promise<number> {
  const algorithm = flags.sha256 ? 'sha256' : 'blake3';
  return eachAnswer(work, remote, async (typed, path) => {
    const digest = await work.session.client.hash(path, { signal: work.signal, algorithm });
    await work.report.answer(digestLine(digest, typed), { event: 'digest', path, algorithm, digest });
  });
}

/** The line that `b3sum --check` and `sha256sum --check` read: names with a backslash are escaped, and marked as such. */
export function digestLine(digest: string, name: string): string {
  const shown = printable(name);
  return shown.includes('\\') ? `\\${digest}  ${shown.replaceAll('\\', '\\\\')}` : `${digest}  ${shown}`;
}

/** The failure with a hint for one code, where the server gave none. */
function advised(error: unknown, code: Code, hint: string): Failure {
  const failure = Failure.from(error);
  if (failure.code !== code || failure.hint !== undefined) return failure;
  return new Failure(failure.code, failure.message, { path: failure.path, who: failure.who, retry: failure.retry, hint, cause: failure });
}
