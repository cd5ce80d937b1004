/**
 * The commands that show folders or move between them: ls and find on the server, cd and pwd, and their local
 * likes. Memory is bounded: a folder is sorted in portions, a deep listing is never held.
 */
import type { Entry } from '../client/api.ts';
import { Failure } from '../errors.ts';
import { child, displayPath, meansContents, ROOT, type RemotePath } from '../path.ts';
import { printable } from '../printable.ts';
import { SOFTWARE_VERSION } from '../version.ts';
import type { Session, Work } from './command.ts';
import { DONE, exitOf, UNHEARD } from './exits.ts';
import { checkedPath, eachAnswer, FINAL, mustStat, repeatedly } from './files.ts';
import { localEntries, localFile, localFolder } from './here.ts';
import { arrange, entryEvent, listingLines, marked, type ListFlags } from './listing.ts';
import { plural } from './measures.ts';
import { matchesGlob } from './script/glob.ts';

/** Entries sorted at once, some 100 MB of them: a larger folder is shown in sorted portions rather than not at all. */
const MAX_SORTED = 500_000;
/** Letters in their names: reached before that number where names are longer than 16 letters on average. */
const MAX_LETTERS = 8 << 20;
/** Folders that wait for their turn with --deep, at all levels together. */
const MAX_WAITING = 100_000;

/** Letters of a digest beside a name on a terminal; elsewhere all of them. */
const DIGEST_LETTERS = 8;
const WHOLE_DIGEST = 64;

type Shown = ListFlags & { readonly hash?: boolean };

interface List {
  readonly flags: Shown & { readonly deep: boolean };
  readonly remote: readonly string[];
}

/** Files that are named first, laid out together; then what is in the folders. */
export async function list(work: Work, { flags, remote }: List): Promise<number> {
  const { report, signal } = work;
  const words = remote.length === 0 ? [''] : remote;
  const files: Entry[] = [];
  const folders: string[] = [];
  const looked = await eachAnswer(work, words, async (typed, path) => {
    const top = checkedPath(work.session, typed);
    const entry = top === ROOT ? undefined : await mustStat(work, path);
    if (entry === undefined || entry.kind === 'folder') folders.push(typed);
    else if (typed.endsWith('/') || meansContents(typed)) throw new Failure('NOTDIR', 'not a folder', { path, who: 'server' });
    else files.push({ ...entry, name: typed });
  });
  const isOver = (exit: number): boolean => signal.aborted || exit === UNHEARD || report.failures.some(({ code }) => FINAL.has(code));
  if (isOver(looked)) return looked;
  const named = await showNamed(work, flags, files);
  if (isOver(named)) return named;
  const shown = await eachAnswer(work, folders, (typed) => showFolder(work, flags, checkedPath(work.session, typed), words.length > 1 || flags.deep ? typed : undefined, { folders: 0 }));
  return signal.aborted || shown === UNHEARD ? shown : exitOf(words.length, report.failures);
}

/** Files by the names that were typed. With --hash each is read by itself, so that one that cannot be keeps no other from being told. */
async function showNamed(work: Work, flags: Shown, files: readonly Entry[]): Promise<number> {
  const entries = arrange(files, { ...flags, all: true });
  const pathOf = ({ name }: Entry): string => `/${checkedPath(work.session, name)}`;
  if (flags.hash !== true) {
    if (entries.length > 0) await answerEntries(work, flags, entries, pathOf);
    return work.terminal.isHeard ? DONE : UNHEARD;
  }
  const lines = hashedLines(work, flags, entries);
  let at = 0;
  return eachAnswer(work, entries.map(({ name }) => name), async () => {
    const index = at;
    at += 1;
    await showHashed(work, [entries[index]!], [lines[index]!], pathOf);
  });
}

/** One folder, under its heading when there are several; then those below it when asked for. */
async function showFolder(work: Work, flags: List['flags'], folder: RemotePath, heading: string | undefined, waiting: { folders: number }): Promise<void> {
  const { session, signal, report, terminal } = work;
  if (heading !== undefined && !report.json) await report.answer(`${heading === '' ? displayPath(folder) : printable(heading)}:`, {});
  const below: string[] = [];
  let entries: Entry[] = [];
  let [letters, unlisted] = [0, 0];
  const portion = async (): Promise<void> => {
    for (const { name, kind } of await show(work, flags, entries, folder)) if (flags.deep && kind === 'folder') below.push(name);
    entries = [];
    letters = 0;
  };
  for await (const page of session.client.list(`/${folder}`, { signal })) {
    entries.push(...page.entries);
    unlisted += page.unlisted;
    for (const { name } of page.entries) letters += name.length;
    if (entries.length < MAX_SORTED && letters < MAX_LETTERS) continue;
    await portion();
    if (!terminal.isHeard) return;
  }
  await portion();
  await sayUnlisted(work, 'ls', folder, unlisted);
  waiting.folders += below.length;
  if (waiting.folders > MAX_WAITING) throw new Failure('LIMIT', `more than ${MAX_WAITING} folders would have to be looked at`, { hint: 'wherry find lists any number' });
  for (const name of below) {
    if (!terminal.isHeard) return;
    if (!report.json) await report.answer('', {});
    await showFolder(work, flags, child(folder, name), heading === '' || heading === undefined ? name : `${heading.replace(/\/+$/, '')}/${name}`, waiting);
    waiting.folders -= 1;
  }
}

/** How many names in a folder were left out: for people beside the list, for programs as an object of it. */
async function sayUnlisted({ report, terminal }: Work, verb: string, folder: RemotePath, names: number): Promise<void> {
  if (names === 0) return;
  if (report.json) await report.event({ event: 'unlisted', path: `/${folder}`, names });
  else terminal.say(`${verb}: ${plural(names, 'name')} left out: not valid Unicode, or not safe to show`);
}

async function show(work: Work, flags: Shown, entries: readonly Entry[], folder: RemotePath): Promise<Entry[]> {
  const shown = arrange(entries, flags);
  const pathOf = ({ name }: Entry): string => `/${child(folder, name)}`;
  if (flags.hash === true) await showHashed(work, shown, hashedLines(work, flags, shown), pathOf);
  else await answerEntries(work, flags, shown, pathOf);
  return shown;
}

async function answerEntries({ report, terminal }: Work, flags: Shown, entries: readonly Entry[], pathOf: (entry: Entry) => string): Promise<void> {
  if (report.json) for (const entry of entries) await report.event(entryEvent(entry, pathOf(entry)));
  else await report.answer(listingLines(entries, flags, terminal.isShown && !flags.one ? terminal.width : undefined, terminal.paint), {});
}

function lettersOfDigest({ terminal }: Work): number {
  return terminal.isShown ? DIGEST_LETTERS : WHOLE_DIGEST;
}

/** What stands behind the digests. */
function hashedLines(work: Work, flags: Shown, entries: readonly Entry[]): string[] {
  const { terminal } = work;
  const long = flags.long || flags.numeric === true;
  return listingLines(entries, flags, long && terminal.isShown ? terminal.width - lettersOfDigest(work) - 2 : undefined, terminal.paint);
}

/** Entries with their digests, each as soon as that is known: reading a large file takes its time. */
async function showHashed(work: Work, entries: readonly Entry[], lines: readonly string[], pathOf: (entry: Entry) => string): Promise<void> {
  const { session, report, terminal, signal } = work;
  const letters = lettersOfDigest(work);
  for (const [index, entry] of entries.entries()) {
    if (!terminal.isHeard) return;
    const path = pathOf(entry);
    const digest = entry.kind === 'file' ? await session.client.hash(path, { signal }) : '';
    if (report.json) await report.event({ ...entryEvent(entry, path), digest: digest === '' ? null : digest });
    else await report.answer(`${digest.slice(0, letters).padEnd(letters)}  ${lines[index]!}`, {});
  }
}

export async function find(work: Work, { flags, remote }: { flags: { name: string | undefined }; remote: readonly string[] }): Promise<number> {
  const { session, signal, report, terminal } = work;
  const words = remote.length === 0 ? [''] : remote;
  return eachAnswer(work, words, async (typed) => {
    const top = checkedPath(session, typed);
    const prefix = typed === '' ? '' : `${typed.replace(/\/+$/, '')}/`;
    let unlisted = 0;
    for await (const page of session.client.list(`/${top}`, { signal, deep: true })) {
      unlisted += page.unlisted;
      const found = flags.name === undefined ? page.entries : page.entries.filter(({ name }) => matchesGlob(flags.name!, name.slice(name.lastIndexOf('/') + 1)));
      if (!report.json) await report.answer(found.map(({ name }) => printable(prefix + name)), {});
      else for (const entry of found) await report.event(entryEvent(entry, top === ROOT ? `/${entry.name}` : `/${top}/${entry.name}`));
      if (!terminal.isHeard) return;
    }
    await sayUnlisted(work, 'find', top, unlisted);
  });
}

/** What `cd` and `lcd` take for the folder before, as a shell does; one of that name is `./-`. */
const BACK = '-';

function before<P extends string>(folder: P | undefined, command: string): P {
  if (folder === undefined) throw new Failure('NOTFOUND', 'there is no folder before this one', { hint: `${command} - goes back after another ${command}` });
  return folder;
}

export async function enter(work: Work, { remote }: { remote: readonly string[] }): Promise<number> {
  const { session, report } = work;
  const back = remote[0] === BACK;
  const path = back ? before(session.cwdBefore, 'cd') : remote[0] === undefined ? ROOT : checkedPath(session, remote[0]);
  if (path !== ROOT) {
    const entry = await repeatedly(work, () => mustStat(work, `/${path}`));
    if (entry.kind !== 'folder') throw new Failure('NOTDIR', 'not a folder', { path: back ? displayPath(path) : printable(remote[0]!), who: 'server' });
  }
  [session.cwdBefore, session.cwd] = [session.cwd, path];
  // Where it leads was not typed.
  if (back) await report.done(displayPath(path), { event: 'folder', path: `/${path}` });
  return DONE;
}

export async function where({ session, report }: Work): Promise<number> {
  await report.answer(displayPath(session.cwd), { event: 'folder', path: `/${session.cwd}` });
  return DONE;
}

/** Undefined for one that was removed: nobody goes back there. */
function leaving(session: Session): string | undefined {
  try {
    return session.localFolder;
  } catch {
    return undefined;
  }
}

export async function enterHere({ session, report }: Work, { words }: { words: readonly string[] }): Promise<number> {
  const folder = await localFolder(session, words[0] === BACK ? before(session.localBefore, 'lcd') : words[0]);
  [session.localBefore, session.localFolder] = [leaving(session), folder];
  await report.done(printable(session.localFolder), { event: 'folder', local: session.localFolder });
  return DONE;
}

export async function whereHere({ session, report }: Work): Promise<number> {
  await report.answer(printable(session.localFolder), { event: 'folder', local: session.localFolder });
  return DONE;
}

/** Files that are named first, laid out together; then what is in the folders. */
export async function listHere(work: Work, { flags, words }: { flags: ListFlags; words: readonly string[] }): Promise<number> {
  const { session, report } = work;
  const typed = words.length === 0 ? ['.'] : words;
  const files: Entry[] = [];
  const folders: string[] = [];
  const one = async (word: string, action: () => Promise<unknown>): Promise<void> => {
    work.signal.throwIfAborted();
    await action().catch((error: unknown) => report.failed(error, word));
  };
  for (const word of typed) {
    await one(word, async () => {
      const file = await localFile(session, word);
      if (file === undefined) folders.push(word);
      else files.push(file);
    });
  }
  if (files.length > 0) await answerHere(work, flags, arrange(files, { ...flags, all: true }));
  for (const word of folders) {
    await one(word, async () => {
      const entries = arrange(await localEntries(session, word), flags);
      if (typed.length > 1 && !report.json) await report.answer(`${printable(word)}:`, {});
      await answerHere(work, flags, entries, typed.length > 1 ? word : undefined);
    });
  }
  return exitOf(typed.length, report.failures);
}

async function answerHere({ report, terminal }: Work, flags: ListFlags, entries: readonly Entry[], folder?: string): Promise<void> {
  const lines = listingLines(entries, flags, terminal.isShown && !flags.one ? terminal.width : undefined, terminal.paint);
  await report.answer(lines, { event: 'names', ...(folder !== undefined && { folder }), local: entries.map((entry) => marked(entry)) });
}

export async function toggleProgress({ session, report }: Work): Promise<number> {
  session.progress = session.progress === false;
  await report.done(session.progress ? 'progress is shown' : 'progress is not shown', { event: 'progress-shown', shown: session.progress });
  return DONE;
}

export async function versions({ session, report }: Work): Promise<number> {
  const { agent } = session.client.server;
  await report.answer([`here:   wherry ${SOFTWARE_VERSION}`, `server: ${printable(agent)}`], { event: 'version', here: SOFTWARE_VERSION, server: agent });
  return DONE;
}
