/**
 * The commands that show folders or move between them: ls and find on the server, cd and pwd, and their local
 * likes. Memory is bounded: a folder is sorted in portions, a deep listing is never held.
 */
import type { Entry } from '../client/api.ts';
import { Failure } from '../errors.ts';
import { child, displayPath, ROOT, type RemotePath } from '../path.ts';
import { printable } from '../printable.ts';
import type { Work } from './command.ts';
import { DONE } from './exits.ts';
import { checkedPath, eachAnswer, mustStat } from './files.ts';
import { matchesGlob } from './glob.ts';
import { localFolder, localNames } from './here.ts';
import { arrange, entryEvent, listingLines, type ListFlags } from './listing.ts';
import { plural } from './measures.ts';
import { inColumns } from './width.ts';

/** Entries sorted at once, some 100 MB of them: a larger folder is shown in sorted portions rather than not at all. */
const MAX_SORTED = 500_000;

interface List {
  readonly flags: ListFlags & { readonly deep: boolean };
  readonly remote: readonly string[];
}

export async function list(work: Work, { flags, remote }: List): Promise<number> {
  const words = remote.length === 0 ? [''] : remote;
  return eachAnswer(work, words, async (typed, path) => {
    const top = checkedPath(work.session, typed);
    const entry = top === ROOT ? undefined : await mustStat(work, path);
    if (entry !== undefined && entry.kind !== 'folder') {
      await show(work, flags, [{ ...entry, name: typed }], top, true);
      return;
    }
    await showFolder(work, flags, top, words.length > 1 || flags.deep ? typed : undefined);
  });
}

/** One folder, under its heading when there are several; then those below it when asked for. */
async function showFolder(work: Work, flags: List['flags'], folder: RemotePath, heading: string | undefined): Promise<void> {
  const { session, signal, report, terminal } = work;
  if (heading !== undefined && !report.json) await report.answer(`${heading === '' ? displayPath(folder) : printable(heading)}:`, {});
  let entries: Entry[] = [];
  let unlisted = 0;
  const below: string[] = [];
  for await (const page of session.client.list(`/${folder}`, { signal })) {
    entries.push(...page.entries);
    unlisted += page.unlisted;
    if (entries.length < MAX_SORTED) continue;
    await show(work, flags, entries, folder);
    if (!terminal.isHeard) return;
    entries = [];
  }
  const shown = await show(work, flags, entries, folder);
  if (unlisted > 0) terminal.say(`ls: ${plural(unlisted, 'name')} left out: not valid Unicode, or not safe to show`);
  if (!flags.deep) return;
  for (const { name, kind } of shown) if (kind === 'folder') below.push(name);
  for (const name of below) {
    if (!terminal.isHeard) return;
    if (!report.json) await report.answer('', {});
    await showFolder(work, flags, child(folder, name), heading === '' || heading === undefined ? name : `${heading.replace(/\/+$/, '')}/${name}`);
  }
}

async function show({ report, terminal }: Work, flags: ListFlags, entries: readonly Entry[], folder: RemotePath, single = false): Promise<Entry[]> {
  const shown = arrange(entries, single ? { ...flags, all: true } : flags);
  if (report.json) {
    for (const entry of shown) await report.event(entryEvent(entry, single ? `/${folder}` : `/${child(folder, entry.name)}`));
  } else {
    await report.answer(listingLines(shown, flags, terminal.isShown && !flags.one ? terminal.width : undefined), {});
  }
  return shown;
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
    if (unlisted > 0) terminal.say(`find: ${plural(unlisted, 'name')} left out: not valid Unicode, or not safe to show`);
  });
}

export async function enter(work: Work, { remote }: { remote: readonly string[] }): Promise<number> {
  const { session } = work;
  const path = remote[0] === undefined ? ROOT : checkedPath(session, remote[0]);
  if (path !== ROOT) {
    const entry = await mustStat(work, `/${path}`);
    if (entry.kind !== 'folder') throw new Failure('NOTDIR', 'not a folder', { path: printable(remote[0]!), who: 'server' });
  }
  session.cwd = path;
  return DONE;
}

export async function where({ session, report }: Work): Promise<number> {
  await report.answer(displayPath(session.cwd), { event: 'folder', path: `/${session.cwd}` });
  return DONE;
}

export async function enterHere({ session, report }: Work, { words }: { words: readonly string[] }): Promise<number> {
  session.localFolder = await localFolder(session, words[0]);
  await report.done(printable(session.localFolder), { event: 'folder', local: session.localFolder });
  return DONE;
}

export async function whereHere({ session, report }: Work): Promise<number> {
  await report.answer(printable(session.localFolder), { event: 'folder', local: session.localFolder });
  return DONE;
}

export async function listHere({ session, report, terminal }: Work, { words }: { words: readonly string[] }): Promise<number> {
  const names = (await localNames(session, words[0])).map(printable);
  await report.answer(terminal.isShown ? inColumns(names, terminal.width) : names, { event: 'names', local: names });
  return DONE;
}
