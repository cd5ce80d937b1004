/**
 * Complete: answers the completion scripts of the shells, which know nothing themselves. Standard output has a line for each
 * candidate, its meaning behind a tab; the line `:files` asks the shell for files here. It never fails and says nothing else.
 *
 * A candidate that ends in `/` or `:` goes on. Names on a server are asked for live, on a connection of its own for each TAB,
 * so it is given one second; after that, and where anything fails, there are none.
 */
import type { Client, ConnectOptions } from '../../client/api.ts';
import { printable } from '../../printable.ts';
import type { Command, Context } from '../command.ts';
import { DONE } from '../exits.ts';
import { existsHere } from '../here.ts';
import { wantedAt, type Candidate, type Wanted } from './candidates.ts';

/** How long somebody who pressed TAB is kept waiting for a server (ms). */
const PATIENCE_MS = 1_000;
/** More than this nobody chooses from. */
const MAX_NAMES = 2_000;

export async function complete({ terminal, settings, signal }: Context, { words }: { words: readonly string[] }, commands: readonly Command[]): Promise<number> {
  const typed = words.at(-1) ?? '';
  const wanted = wantedAt(commands, words, existsHere);
  const found = [...wanted.words, ...(await serversOf(wanted.servers, settings.home)), ...(await remoteNames(wanted.remote, typed, settings.home, signal))];
  const lines = found.filter(([word]) => word.startsWith(typed) && word === printable(word)).map(([word, meaning]) => (meaning === '' ? word : `${word}\t${meaning}`));
  if (wanted.files) lines.push(':files');
  if (lines.length > 0) await terminal.data(`${lines.join('\n')}\n`);
  return DONE;
}

async function serversOf(how: Wanted['servers'], home: string | undefined): Promise<Candidate[]> {
  if (how === undefined) return [];
  try {
    const { openHome } = await import('../../client/trust.ts');
    const servers = await (await openHome(home)).servers();
    const named = servers.map(({ name, isDefault }): Candidate => [how === 'places' ? `${name}:` : name, isDefault ? 'the default server' : 'a server']);
    return how === 'places' && servers.length > 0 ? [[':', 'the default server'], ...named] : named;
  } catch {
    return [];
  }
}

/** Apart from where the connection is used: the compiler leaves an `import` beside an `await using` as it was written. */
async function connected(options: ConnectOptions): Promise<Client> {
  const { connect } = await import('../../client/client.ts');
  return connect(options);
}

async function remoteNames(wanted: Wanted['remote'], typed: string, home: string | undefined, signal: AbortSignal): Promise<Candidate[]> {
  if (wanted === undefined) return [];
  const names: Candidate[] = [];
  try {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    await using client = await connected({ server: wanted.server === '' ? undefined : wanted.server, home, signal: limited });
    for await (const { entries } of client.list(`/${wanted.folder}`, { signal: limited })) {
      for (const { name, kind } of entries) {
        const word = `${wanted.prefix}${name}${kind === 'folder' ? '/' : ''}`;
        if (word.startsWith(typed)) names.push([word, '']);
      }
      if (names.length >= MAX_NAMES) break;
    }
  } catch {
    // Not there in time, not known, not allowed: TAB is no place for an error.
  }
  return names.slice(0, MAX_NAMES);
}
