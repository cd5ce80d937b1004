/**
 * Sources: where the words come from that completion offers, one for each kind. Each answers in time or says that it
 * cannot; a file server that hangs below a local folder is waited for no longer than one across the network.
 */
import { lstat, readdir, stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { openHome } from '../../client/trust.ts';
import { Failure } from '../../errors.ts';
import { resolvePath } from '../../path.ts';
import { printable } from '../../printable.ts';
import type { Command, Session } from '../command.ts';
import { readJobs } from '../jobs/book.ts';
import { isOver, type Job } from '../jobs/job.ts';
import { jobsFolder } from '../jobs/place.ts';
import { isOnServer } from '../places.ts';
import type { Candidate, Sources } from './kinds.ts';
import { programNames } from './programs.ts';
import { PATIENCE_MS, within, type Listings } from './listings.ts';

/** Size and date are looked up for so many names at most: more are not shown with them. */
const MAX_DETAILED = 1_000;
/** A folder with more is completed among so many of its names. */
const MAX_NAMES = 50_000;

export interface Around {
  readonly session: Session;
  readonly commands: readonly Command[];
  readonly listings: Listings;
  readonly home: string | undefined;
}

export function sourcesOf({ session, commands, listings, home }: Around): Sources {
  const remote = (stem: string) => remoteNames(session, listings, stem);
  const local = (stem: string) => within(PATIENCE_MS, localNames(session.localFolder, stem));
  return {
    command: (stem) => Promise.resolve(commandNames(commands, stem)),
    local,
    'local-folder': async (stem) => foldersOf(await local(stem)),
    remote,
    'remote-folder': async (stem) => foldersOf(await remote(stem)),
    server: () => within(PATIENCE_MS, serverNames(home)),
    job: () => within(PATIENCE_MS, jobNumbers(home)),
    program: (stem) => within(PATIENCE_MS, programNames(stem, process.env['PATH'] ?? '')),
    'job-under-way': () => within(PATIENCE_MS, jobNumbers(home, (job) => !isOver(job))),
  };
}

/** Names of commands, and other names of them only where no first name fits: `ex` is `exit`, `d` is not also `dir`. */
function commandNames(commands: readonly Command[], stem: string): Candidate[] {
  const here = commands.filter(({ where }) => where !== 'shell');
  const typed = stem.toLowerCase();
  const fitting = (names: readonly string[], note: string) => names.filter((name) => name.startsWith(typed)).map((name) => ({ word: name, shown: name, folder: false, note }));
  const first = here.flatMap(({ name, summary }) => fitting([name], summary));
  return first.length > 0 ? first : here.flatMap(({ aliases, summary }) => fitting(aliases, summary));
}

/** What is typed up to the last slash, and what comes after it. */
function split(stem: string): [head: string, tail: string] {
  const cut = stem.lastIndexOf('/') + 1;
  return [stem.slice(0, cut), stem.slice(cut)];
}

/** A word that reads as the name and as nothing else: `-r` as a file is `./-r`, and so is a remote name with a colon first. */
function asWord(head: string, name: string): string {
  return head === '' && /^[-:]/.test(name) ? `./${name}` : head + name;
}

/** Names that would not reach the terminal as they are cannot be typed either. */
function isTypable(name: string): boolean {
  return printable(name) === name;
}

/** A colon that was typed before a place stays before each of them. */
async function remoteNames(session: Session, listings: Listings, stem: string): Promise<Candidate[] | undefined> {
  if (!session.client.server.rights.includes('list')) return [];
  if (isOnServer(stem)) return (await remoteNames(session, listings, stem.slice(1)))?.map((one) => ({ ...one, word: `:${one.word}` }));
  const [head] = split(stem);
  let folder;
  try {
    folder = resolvePath(session.cwd, head);
  } catch (error) {
    if (error instanceof Failure) return []; // no folder has such a name
    throw error;
  }
  const entries = await listings.look(folder);
  return entries?.filter(({ name }) => isTypable(name)).map((entry) => ({ word: asWord(head, entry.name), shown: entry.name, folder: entry.kind === 'folder', entry }));
}

async function localNames(from: string, stem: string): Promise<Candidate[]> {
  const [head, tail] = split(stem);
  const folder = isAbsolute(head) ? resolve(head) : resolve(from, head);
  const found = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const typed = tail.toLowerCase();
  const fitting = found.filter(({ name }) => name.toLowerCase().startsWith(typed) && isTypable(name)).slice(0, MAX_NAMES);
  // Only a link has to be followed to know whether it leads to a folder.
  return Promise.all(fitting.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(async (one) => {
    const isFolder = one.isDirectory() || (one.isSymbolicLink() && fitting.length <= MAX_DETAILED && await leadsToFolder(resolve(folder, one.name)));
    const about = fitting.length <= MAX_DETAILED ? await lstat(resolve(folder, one.name)).catch(() => undefined) : undefined;
    const kind = isFolder ? 'folder' as const : one.isFile() ? 'file' as const : one.isSymbolicLink() ? 'link' as const : 'other' as const;
    const entry = { kind, size: about?.size ?? 0, mtime: (about?.mtimeMs ?? NaN) * 1000, mode: (about?.mode ?? 0) & 0o777 };
    return { word: asWord(head, one.name), shown: one.name, folder: isFolder, entry };
  }));
}

async function leadsToFolder(path: string): Promise<boolean> {
  return stat(path).then((about) => about.isDirectory(), () => false);
}

function foldersOf(candidates: readonly Candidate[] | undefined): readonly Candidate[] | undefined {
  return candidates?.filter(({ folder }) => folder);
}

/** From the files that the agent keeps: it is not started for a TAB. */
async function jobNumbers(home: string | undefined, which: (job: Job) => boolean = () => true): Promise<Candidate[]> {
  const jobs = await readJobs(jobsFolder(home)).catch(() => new Map<number, Job>());
  return [...jobs.values()].filter(which).map(({ number, what, state }) => ({ word: String(number), shown: String(number), folder: false, note: `${state}  ${what}` }));
}

async function serverNames(home: string | undefined): Promise<Candidate[]> {
  const servers = await openHome(home).then((opened) => opened.servers(), () => []);
  return servers.map(({ name, isDefault }) => ({ word: name, shown: name, folder: false, note: isDefault ? 'the default' : '' }));
}
