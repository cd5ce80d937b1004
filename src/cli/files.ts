/**
 * The commands on files and folders of the server, but for put, get and rm: each is a few calls on the client and a
 * line for the answer. Several words are done one after the other; one that fails does not stop the rest, unless
 * the connection or the whole command has ended.
 */
import type { Entry } from '../client/api.ts';
import { Failure, type Code } from '../errors.ts';
import { baseName, isWithin, meansContents, resolvePath, type RemotePath } from '../path.ts';
import { printable } from '../printable.ts';
import type { Session, Work } from './command.ts';
import { DONE, EXITS, exitOf, UNHEARD } from './exits.ts';
import { isCut } from './going.ts';
import { entryEvent, modeText } from './listing.ts';
import { formatCount, formatDate, formatSize, plural } from './measures.ts';
import { reasonOf } from './signals.ts';
import { quoted } from './script/words.ts';

/** After these nothing else can succeed on this connection. */
export const FINAL: ReadonlySet<Code> = new Set<Code>(['LOST', 'CONNECT', 'SHUTDOWN', 'CANCELLED', 'TERMINATED', 'DEADLINE', 'PROTOCOL']);

/** A path as typed, seen from the session's remote folder. */
export function checkedPath(session: Pick<Session, 'cwd'>, typed: string): RemotePath {
  return resolvePath(session.cwd, typed);
}

/** A remote path as typed in the form the client takes, from the served folder; a slash at its end, which asks for a folder, is kept. */
export function remotePath(session: Pick<Session, 'cwd'>, typed: string): string {
  const path = `/${checkedPath(session, typed)}`;
  return typed.endsWith('/') && path !== '/' ? `${path}/` : path;
}

/** As `remotePath`, of something to be fetched: `/.` at its end, which asks for what is in the folder, is kept. */
export function remoteSource(session: Pick<Session, 'cwd'>, typed: string): string {
  const path = remotePath(session, typed);
  return meansContents(typed) ? `${path.replace(/\/+$/, '')}/.` : path;
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
      await report.failed(failure, signal.aborted || failure.code === 'CANCELLED' ? undefined : typed);
      if (signal.aborted || failure.code === 'CANCELLED') return EXITS[failure.code];
      if (FINAL.has(failure.code)) break;
    }
  }
  return exitOf(words.length, report.failures);
}

/** As `each`, for commands that do nothing but answer: once nobody reads, nothing more is asked. */
export async function eachAnswer(work: Work, words: readonly string[], one: (typed: string, path: string) => Promise<void>): Promise<number> {
  const { terminal } = work;
  const exit = await each(work, words, async (typed, path) => {
    if (terminal.isHeard) await repeatedly(work, () => one(typed, path));
  });
  return terminal.isHeard ? exit : UNHEARD;
}

/** What changes nothing is asked for again over a new connection when the one it had breaks, unless half of the answer is out already. */
export async function repeatedly<T>(work: Work, ask: () => Promise<T>): Promise<T> {
  const { terminal, signal } = work;
  for (;;) {
    const before = terminal.answers;
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted || terminal.answers > before || !isCut(Failure.from(error))) throw error;
      const { persist } = await import('./reconnect.ts');
      if ((await persist(work)) === undefined) throw error;
    }
  }
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

/** One file after the other through the pager; where there is no terminal, as cat. */
export function page(work: Work, { remote }: { remote: readonly string[] }): Promise<number> {
  return eachAnswer(work, remote, async (_, path) => {
    const { showStream } = await import('./manual/pager.ts');
    if (!(await showStream(work, work.session.client.getStream(path, { signal: work.signal })))) await pour(work, path);
  });
}

export function makeFolder(work: Work, { flags, remote }: { flags: { parents: boolean; 'dry-run': boolean }; remote: readonly string[] }): Promise<number> {
  return each(work, remote, async (typed, path) => {
    if (path === '/' && !flags.parents) throw new Failure('EXISTS', 'the served folder itself is there already', { path, who: 'server', hint: 'name the folder to be made: wherry mkdir :NAME' });
    if (flags['dry-run']) return (await import('./rehearsal.ts')).rehearseMakeFolder(work, flags.parents, typed, path);
    await work.session.client.makeFolder(path, { signal: work.signal, action: work.action, parents: flags.parents }).catch((error: unknown) => { throw withMissing(unanswered(error, statLine(path))); });
    await work.report.done(`made ${printable(typed === '' ? path : typed)}`, { event: 'made', path });
  });
}

/** A folder cannot be made: with the name of the one above it that is missing. */
function withMissing(error: unknown): Failure {
  const failure = Failure.from(error);
  if (failure.code !== 'NOTFOUND' || failure.path === undefined) return failure;
  const missing = `/${failure.path.replace(/^\/+/, '')}`;
  return new Failure('NOTFOUND', `there is no folder ${printable(missing)}`, { path: failure.path, who: failure.who, hint: 'wherry mkdir -p makes those above too', cause: failure });
}

export async function change(work: Work, { flags, remote }: { flags: { force: boolean; 'dry-run': boolean }; remote: readonly string[] }): Promise<number> {
  const { session, report, signal, action } = work;
  const [from = '', to = ''] = remote;
  const source = checkedPath(session, from);
  // A slash at the end means «into that folder», as for mv.
  const typed = to.endsWith('/') ? `${to}${baseName(source)}` : to;
  const target = newName(session, typed);
  try {
    if (flags['dry-run']) return await (await import('./rehearsal.ts')).rehearseChange(work, source, target, flags.force);
    await session.client.change(`/${source}`, `/${target}`, { signal, action, replace: flags.force });
  } catch (error) {
    const failure = advised(unanswered(reasonOf(error, signal), statLine(`/${source}`, `/${target}`)), 'EXISTS', `wherry change -f replaces a file; ${printable(to)}/ means into that folder`);
    await report.failed(failure, signal.aborted ? undefined : isAbout(failure, target, source) ? typed : from);
    return signal.aborted ? EXITS[failure.code] : exitOf(1, report.failures);
  }
  await report.done(`renamed ${printable(from)} to ${printable(typed)}`, { event: 'renamed', path: `/${source}`, to: `/${target}` });
  return DONE;
}

/** Throws BADNAME with advice for a name that is yet to be chosen. */
function newName(session: Session, typed: string): RemotePath {
  try {
    return checkedPath(session, typed);
  } catch (error) {
    const { code, message, hint } = Failure.from(error);
    throw new Failure(code, message, { path: printable(typed), hint: hint?.startsWith('rename it') === true ? 'choose another name' : hint, cause: error });
  }
}

/** Whether a failure is about `target`, or a folder on the way to it, and not about `other`. */
function isAbout({ path }: Failure, target: RemotePath, other: RemotePath): boolean {
  const named = path?.replace(/^\/+/, '') as RemotePath | undefined;
  return named !== undefined && isWithin(target, named) && !isWithin(other, named);
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

function shareOf(part: number, whole: number): string {
  return `${whole === 0 ? 0 : Math.floor((part * 100) / whole)}%`;
}

export async function space(work: Work, { flags }: { flags: { inodes: boolean } }): Promise<number> {
  const { free, total, freeNames, names } = await repeatedly(work, () => work.session.client.space({ signal: work.signal }));
  const room = `${formatSize(free)} free of ${formatSize(total)} (${shareOf(free, total)})`;
  const named = names === undefined || freeNames === undefined ? 'this disk does not count names' : `${formatCount(freeNames)} names free of ${formatCount(names)} (${shareOf(freeNames, names)})`;
  await work.report.answer(flags.inodes ? [room, named] : room, { event: 'space', free, total, ...(names !== undefined && { freeNames, names }) });
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

/** After these the answer to a request is lost, and whether it was done with it. */
const UNANSWERED: ReadonlySet<Code> = new Set<Code>(['LOST', 'TIMEOUT']);

/** What changes something is not asked for again when its answer is lost: it may have been done, and something else by others since. */
export function unanswered(error: unknown, look: string): unknown {
  const failure = Failure.from(error);
  if (!UNANSWERED.has(failure.code)) return error;
  return new Failure(failure.code, 'the connection broke before the answer: it is not known whether it was done', { who: 'network', hint: `to see: ${look}`, cause: failure });
}

/** `wherry stat :PATH`, as it is typed from the top. */
export function statLine(...paths: readonly string[]): string {
  return ['wherry stat', ...paths.map((path) => `:${quoted(printable(path))}`)].join(' ');
}

/** The failure with a hint for one code, where the server gave none. */
export function advised(error: unknown, code: Code, hint: string): Failure {
  const failure = Failure.from(error);
  if (failure.code !== code || failure.hint !== undefined) return failure;
  return new Failure(failure.code, failure.message, { path: failure.path, who: failure.who, retry: failure.retry, hint, cause: failure });
}
