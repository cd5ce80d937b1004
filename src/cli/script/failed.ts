/**
 * Failed files: a list of what a put or get could not do, kept in a file here so that just that can be tried again.
 *
 *     {"wherry":1,"way":"put","server":"lab"}
 *     {"source":"/home/ann/photos/one.jpg","target":"/backup/photos/one.jpg","code":"LOST"}
 *
 * One JSON object a line. Sources and targets are whole paths, with names as the disk has them, so that the list means the same wherever it is used; a folder
 * with more failed files than are remembered stands for itself. When all is well there is no list: it is removed. What is read is
 * checked before anything is done, since anybody may have edited it.
 */
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import type { Item } from '../../client/api.ts';
import { Failure, fromErrno } from '../../errors.ts';
import { printable } from '../../printable.ts';
import type { Spot } from '../advice.ts';
import type { Work } from '../command.ts';
import { localPath } from '../here.ts';
import { plural } from '../measures.ts';
import { quoted } from './words.ts';

export type Way = 'put' | 'get';

export interface Entry { readonly source: string; readonly target: string }

/** A million files with paths of a hundred letters; more is no list of failures, but a tree. */
const MAX_BYTES = 256 << 20;

export class FailedList {
  readonly #way: Way;
  readonly #work: Work;
  readonly #typed: string;
  readonly #lines: string[] = [];

  /** `typed` is the file's name as it was typed. */
  constructor(work: Work, way: Way, typed: string) {
    [this.#work, this.#way, this.#typed] = [work, way, typed];
  }

  /** Takes what failed of an item, if anything did; `meant` is where it was to go, for one that failed before that was settled. */
  take({ source, target: settled, kind, failure, failed, problems }: Item, meant: string): void {
    const target = settled === '' ? meant : settled;
    const folder = source.replace(/\/\.?$/, '');
    const whole = { source: kind === 'folder' ? `${folder}/.` : source, target };
    if (failure !== undefined || failed > problems.length) this.#add(whole, failure?.code ?? problems[0]?.code);
    else for (const { path, code, real = path } of problems) this.#add(path === '' ? whole : { source: `${folder}/${real}`, target: `${target.replace(/\/+$/, '')}/${real}` }, code);
  }

  /** Leaves an entry of an earlier list in it. */
  keep(entry: Entry): void {
    this.#add(entry, undefined);
  }

  /** Replaces the file by what failed; without any, there is none. Says where it is. */
  async write(): Promise<void> {
    const { session, terminal, settings, report, spot } = this.#work;
    const path = localPath(session, this.#typed);
    if (this.#lines.length === 0) {
      await rm(path, { force: true }).catch((error: unknown) => { throw fromErrno(error, this.#typed, 'here'); });
      return;
    }
    const head = JSON.stringify({ wherry: 1, way: this.#way, server: session.client.server.name ?? null });
    await writeFile(`${path}.new`, `${[head, ...this.#lines].join('\n')}\n`, { mode: 0o600 })
      .then(() => rename(`${path}.new`, path))
      .catch((error: unknown) => { throw fromErrno(error, this.#typed, 'here'); });
    if (settings.json) await report.event({ event: 'failed-list', path, count: this.#lines.length });
    else terminal.say(printable(`${plural(this.#lines.length, 'failure')} listed in ${this.#typed}; to try just those again: ${retryLine(spot, this.#way, this.#typed)}`));
  }

  #add(entry: Entry, code: string | undefined): void {
    this.#lines.push(JSON.stringify({ ...entry, code: code ?? null }));
  }
}

/** What is to be tried again. Throws NOTFOUND without a list, USAGE for one of another command, server, or of nothing. */
export async function readFailed({ session, spot }: Work, way: Way, typed: string): Promise<Entry[]> {
  const path = localPath(session, typed);
  const { size } = await stat(path).catch((error: unknown) => { throw fromErrno(error, typed, 'here'); });
  if (size > MAX_BYTES) throw notAList(typed);
  const [head = '', ...lines] = (await readFile(path, 'utf8').catch((error: unknown) => { throw fromErrno(error, typed, 'here'); })).trimEnd().split('\n');
  const about = parsed(head, typed);
  if (about['wherry'] !== 1 || (about['way'] !== 'put' && about['way'] !== 'get')) throw notAList(typed);
  if (about['way'] !== way) throw new Failure('USAGE', `this is a list of ${about['way']}`, { path: printable(typed), who: 'here', hint: `type: ${retryLine(spot, about['way'], typed)}` });
  const { name = null } = session.client.server;
  if (about['server'] !== name) throw new Failure('USAGE', `this is a list for the server ${printable(String(about['server']))}`, { path: printable(typed), who: 'here', hint: 'name that server with --server' });
  return lines.map((line) => {
    const { source, target } = parsed(line, typed);
    if (typeof source !== 'string' || typeof target !== 'string' || source === '' || target === '') throw notAList(typed);
    if (!isAbsolute(way === 'put' ? source : target)) throw notAList(typed);
    return { source, target };
  });
}

/** What tries a list again, as it is typed at `spot`: the list names the server, and it has to be the one that is asked. */
function retryLine({ place, server }: Spot, way: Way, typed: string): string {
  const named = place === 'shell' && server !== undefined ? ['--server', server] : [];
  return [...(place === 'shell' ? ['wherry'] : []), way, ...named, '--retry-failed', typed].map((word) => quoted(printable(word))).join(' ');
}

function parsed(line: string, typed: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    throw notAList(typed);
  }
}

function notAList(typed: string): Failure {
  return new Failure('USAGE', 'not a list of failed files', { path: printable(typed), who: 'here', hint: 'put and get write one with --failed FILE' });
}
