/**
 * Bookmarks: names for folders on servers, kept in `bookmarks.json` in the folder of this device.
 *
 * A bookmark is a server's name and a path from its top; it may stand wherever `open` and `wherry connect` take the name of a server,
 * which comes first where both exist. A file that cannot be understood is reported and never overwritten.
 */
import { join } from 'node:path';
import { homeFolder, isServerName } from '../../client/trust.ts';
import { Failure } from '../../errors.ts';
import { displayPath, ROOT } from '../../path.ts';
import { printable } from '../../printable.ts';
import { privateFolder, readPrivate, writePrivate } from '../../private.ts';
import type { Session, Settings, Work } from '../command.ts';
import { DONE } from '../exits.ts';
import { checkedPath, mustStat } from '../files.ts';
import { wouldDo } from '../would.ts';

export interface Bookmark { readonly server: string; readonly path: string }

/** More than anybody looks through. */
const MAX_BOOKMARKS = 1000;

/** The bookmark of this name; undefined: there is none. */
export async function findBookmark(name: string, home: string | undefined): Promise<Bookmark | undefined> {
  return (await readAll(home)).get(name);
}

/** `bookmark` lists, `bookmark NAME [PATH]` keeps the folder one is in, or another, `bookmark -d NAME` forgets. */
export async function bookmark(work: Work, { flags, words }: { flags: { delete: boolean; 'dry-run': boolean }; words: readonly string[] }): Promise<number> {
  const { session, settings, report } = work;
  const all = await readAll(settings.home);
  const [name, path] = words;
  if (name === undefined) {
    if (flags.delete) throw new Failure('USAGE', 'bookmark -d needs to know which one', { hint: 'bookmark lists all of them' });
    const shown = [...all].sort(([a], [b]) => (a < b ? -1 : 1));
    if (shown.length === 0 && !settings.quiet && !report.json) work.terminal.say('there are no bookmarks; bookmark NAME keeps the folder you are in');
    await report.answer(shown.map(([one, to]) => printable(`${one}  ${to.server}:${to.path}`)), { event: 'bookmarks', bookmarks: Object.fromEntries(shown) });
    return DONE;
  }
  if (flags.delete) {
    if (!all.delete(name)) throw new Failure('NOTFOUND', `there is no bookmark ${printable(name)}`, { who: 'here', hint: 'bookmark lists all of them' });
    if (flags['dry-run']) return wouldDo(work, 'bookmark', `forget ${name}`, { name });
    await writeAll(settings, all);
    await report.done(`forgot ${printable(name)}`, { event: 'bookmark', name, forgotten: true });
    return DONE;
  }
  const { server } = session.client;
  if (!isServerName(name)) throw new Failure('USAGE', `${printable(name)} cannot be a bookmark`, { hint: 'use letters, digits, and . _ -' });
  if (server.name === undefined) throw new Failure('USAGE', 'this server has no name here, so it cannot be found again', { hint: 'join it first: wherry join' });
  if (all.size >= MAX_BOOKMARKS && !all.has(name)) throw new Failure('LIMIT', `there are ${MAX_BOOKMARKS} bookmarks already`, { who: 'here', hint: 'bookmark -d NAME forgets one' });
  const folder = displayPath(path === undefined ? session.cwd : checkedPath(session, path));
  if (flags['dry-run']) return wouldDo(work, 'bookmark', `keep ${name} for ${server.name}:${folder}`, { name, path: folder });
  all.set(name, { server: server.name, path: folder });
  await writeAll(settings, all);
  await report.done(printable(`${name} is ${server.name}:${folder}`), { event: 'bookmark', name, server: server.name, path: folder });
  return DONE;
}

/** `open NAME`: another server, or a bookmark, in place of the one this prompt is connected to. */
export async function open(work: Work, { words: [name = ''] }: { words: readonly string[] }): Promise<number> {
  const { session, settings, signal, terminal } = work;
  const { connect } = await import('../../client/client.ts');
  const { server, path } = await placeOf(name, settings);
  const before = session.client;
  session.client = await connect({ server, home: settings.home, signal });
  session.cwd = ROOT;
  session.cwdBefore = undefined;
  session.listings?.forget();
  await before.close();
  const { greeting } = await import('../prompt.ts');
  if (!settings.quiet && terminal.canAsk) terminal.say(greeting(session));
  await goTo(work, path);
  return DONE;
}

/** The server that a name means, and the folder there. */
export async function placeOf(name: string, { home }: Pick<Settings, 'home'>): Promise<Bookmark> {
  const { openHome } = await import('../../client/trust.ts');
  const known = (await (await openHome(home)).servers()).some((one) => one.name === name);
  return (known ? undefined : await findBookmark(name, home)) ?? { server: name, path: '/' };
}

/** Enters the folder of a bookmark. Throws when it is gone. */
export async function goTo(work: Work, path: string): Promise<void> {
  const folder = checkedPath(work.session satisfies Session, path);
  if (folder === ROOT) return;
  const entry = await mustStat(work, `/${folder}`);
  if (entry.kind !== 'folder') throw new Failure('NOTDIR', 'not a folder', { path, who: 'server' });
  work.session.cwd = folder;
}

function fileOf(home: string | undefined): string {
  return join(homeFolder(home), 'bookmarks.json');
}

async function readAll(home: string | undefined): Promise<Map<string, Bookmark>> {
  const path = fileOf(home);
  const text = await readPrivate(path);
  if (text === undefined) return new Map();
  try {
    const found = Object.entries(JSON.parse(text) as Record<string, unknown>).map(([name, value]) => {
      const { server, path: to } = value as Partial<Bookmark>;
      if (!isServerName(name) || typeof server !== 'string' || typeof to !== 'string') throw new Error(name);
      return [name, { server, path: to }] as const;
    });
    return new Map(found);
  } catch (cause) {
    throw new Failure('IO', `${printable(path)} cannot be understood`, { path, who: 'here', hint: 'mend it or move it away', cause });
  }
}

async function writeAll({ home }: Settings, all: ReadonlyMap<string, Bookmark>): Promise<void> {
  await privateFolder(homeFolder(home));
  await writePrivate(fileOf(home), `${JSON.stringify(Object.fromEntries(all), undefined, 2)}\n`);
}
