/** Scripts that do not end (B6): what is asked for comes page by page, is bounded where it has to be held, and ends when the person says so. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../../src/digest.ts';
import type { Entry } from '../../../src/entry.ts';
import type { Exchange } from '../../../src/session/exchange.ts';
import type { Message } from '../../../src/wire/messages.ts';
import { evilPack, type Script } from '../hostile.ts';
import { again, endless, entry, folder, pretending, takingFolder, turn } from './answers.ts';
import type { Attack, Stand } from './stand.ts';

const GET = ['get', 'evil:x', 'target', '--json'];
const ENOUGH = /that was enough/;
const LATE = ['--deadline', '1s'];

/** 1,000 names, no two alike, as long as is said. */
const page = (kind: 'file' | 'folder', length: number) => (number: number) => many(Math.min(1000, Math.floor(250_000 / length)), (at) => entry(`${number}-${at}-`.padEnd(length, 'n'), { kind }));

/** Says `word` as long as somebody listens. */
async function forever(exchange: Exchange, word: (number: number) => Message): Promise<void> {
  for (let number = 0; exchange.open; number += 1) {
    await exchange.sayBulk(word(number), 384 << 10);
    await turn();
  }
}

/** A listing of which this is told as long as somebody listens. */
const lasting = (entries: (number: number) => Entry[]): Script => pretending(folder, (exchange) => forever(exchange, (number) => ({ kind: 'entries', entries: entries(number), unlisted: 0 })));

/** A folder of which this is told until it is enough, or as long as somebody listens. */
const flood = (word: (number: number) => Message, lasts = false): Script => pretending(folder, async (exchange, request) => {
  if (request.kind === 'get') return; // never answered
  if (request.kind !== 'getTree') return exchange.say({ kind: 'error', code: 'NOTFOUND', message: 'nothing', retry: false });
  await exchange.batch(evilPack([{ folder: '' }, { folder: 'd' }], digestOf));
  await (lasts ? forever(exchange, word) : again(exchange, 384 << 10, word));
});
const long = (number: number, at: number): string => `d/${number}-${at}-`.padEnd(255, 'n') + `/${'m'.repeat(255)}`.repeat(12);
const many = <T>(count: number, one: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => one(at));
const problems = (number: number): Message => ({ kind: 'problems', problems: many(64, (at) => ({ path: long(number, at), code: 'IO' as const, message: 'm'.repeat(1024) })), skipped: 1 });

/** A folder `src` of two files. */
const src = (stand: Stand): void => {
  mkdirSync(join(stand.local, 'src'));
  for (const name of ['a', 'b']) writeFileSync(join(stand.local, 'src', name), name);
};
const whole = (stand: Stand): void => mkdirSync(join(stand.target, 'x'));

/** As `endless`, where nothing has the name of the pattern itself. */
function unknown(script: Script): Script {
  return (exchange, message, connection) => (message.kind === 'stat' ? exchange.say({ kind: 'entry' }) : script(exchange, message, connection));
}

/** Every folder has these entries. */
const everywhere = (kind: 'file' | 'folder', length: number, pages: number): Script => async (exchange) => {
  for (let number = 0; number < pages; number += 1) await exchange.sayBulk({ kind: 'entries', entries: page(kind, length)(number), unlisted: 0 }, 256 << 10);
  exchange.say({ kind: 'done' });
};

const asked = (name: string, words: readonly string[], script: Script, exit: number, says: RegExp, before?: (stand: Stand) => void): Attack => ({ row: 'B6', name, words, script, exit, says, ...(before !== undefined && { before }) });

export const ENDLESS: readonly Attack[] = [
  asked('a listing has no end', ['ls', 'evil:'], endless(page('file', 20)), 1, ENOUGH),
  asked('a listing of the longest names has no end', ['ls', 'evil:'], endless(page('file', 255)), 1, ENOUGH),
  asked('a listing has no end, and is found through', ['find', 'evil:'], endless(page('file', 255)), 1, ENOUGH),
  asked('a listing has no end, and the person has had enough', ['find', 'evil:', ...LATE], lasting(page('file', 20)), 12, /the deadline has passed/),
  asked('a listing has no end, and nothing in it', ['ls', 'evil:', ...LATE], lasting(() => []), 12, /the deadline has passed/),
  asked('folders lie in folders without an end', ['ls', '-R', 'evil:'], everywhere('folder', 60, 1), 2, /is deeper than 64 folders/),
  asked('a folder full of folders lies in each of them', ['ls', '-R', 'evil:'], everywhere('folder', 60, 12), 11, /more than 100000 folders/),
  asked('a pattern is looked up in a listing without an end', ['get', 'evil:*', 'target/'], unknown(endless(page('file', 200))), 11, /more than 100000 names match/),
  asked('a pattern is looked up in folders without an end', ['get', 'evil:*/*', 'target/'], unknown(endless(page('folder', 200))), 11, /more than 100000 folders/),
  asked('what would be fetched is counted in a listing without an end', ['get', '-n', 'evil:x', 'target'], endless(page('file', 200)), 1, ENOUGH),
  asked('what would be fetched is counted in folders without an end', ['get', '-n', 'evil:x', 'target'], endless(page('folder', 250)), 11, /more folders than can be compared/),
  asked('what would be replaced is looked for in a listing without an end', ['put', '-n', 'src', 'evil:'], endless(page('file', 200)), 1, ENOUGH, src),
  asked('a folder has problems without an end', GET, flood(problems), 1, ENOUGH, whole),
  asked('a folder is complete without an end', GET, flood((number) => ({ kind: 'folders', folders: many(64, (at) => ({ path: long(number, at), mode: 0o755, mtime: 1 })) })), 1, ENOUGH, whole),
  asked('a folder is complete without an end, and a file of it never comes', [...GET, ...LATE], flood((number) => (number === 0 ? { kind: 'large', files: [entry('d/never', { size: 1 << 20 })] } : { kind: 'folders', folders: many(64, () => ({ path: 'd', mode: 0o755, mtime: 1 })) }), true), 12, /the deadline has passed/, whole),
  asked('a folder has large files without an end, and none comes', [...GET, ...LATE], flood((number) => ({ kind: 'large', files: many(64, (at) => entry(long(number, at), { size: 1 << 40 })) }), true), 12, /the deadline has passed/, whole),
  asked('a folder that is sent has problems without an end', ['put', 'src', 'evil:t', '--json'], takingFolder((exchange, request) => (request.kind === 'putTree' ? again(exchange, 384 << 10, problems) : undefined)), 1, ENOUGH, src),
  asked('questions come without an end, and answers that were never asked for', ['stat', 'evil:x', ...LATE], async (exchange, _, connection) => {
    for (let token = 0; exchange.open; token += 1) {
      connection.say({ kind: 'ping', token: Number.MAX_SAFE_INTEGER - token });
      connection.say({ kind: 'pong', token });
      if (token % 100 === 0) await turn();
    }
  }, 12, /the deadline has passed/),
];
