/** Scripts with numbers, sizes and digests that lie (B7), with frames that are too long (D1), and with what expands to more than it says (D7). */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { digestOf } from '../../../src/digest.ts';
import { creditFrame } from '../../../src/wire/frame.ts';
import { encodeMessage, MESSAGES, type Message } from '../../../src/wire/messages.ts';
import { evilPack, type Script } from '../hostile.ts';
import { bomb } from './bomb.ts';
import { entry, file, folder, frame, packed, pretending, raw, sendFile, treeOf, wrongFile, type Wrong } from './answers.ts';
import type { Attack, Stand } from './stand.ts';

const GET = ['get', 'evil:x', 'target/old'];
const MOST = Number.MAX_SAFE_INTEGER;
const old = (stand: Stand): void => writeFileSync(join(stand.target, 'old'), 'old');
const kept = (stand: Stand): void => { expect(readFileSync(join(stand.target, 'old'), 'utf8')).toBe('old'); };

const lie = (name: string, wrong: Wrong, exit: number, says: RegExp, said = file(4)): Attack => ({ row: 'B7', name: `a file has ${name}: the old one stays`, words: GET, script: wrongFile(wrong, said), exit, says, before: old, after: kept });
const cat = (name: string, script: Script, exit: number, says: RegExp): Attack => ({ row: 'B7', name: `cat is sent ${name}`, words: ['cat', 'evil:x'], script, exit, says });

/** A file of which the first bytes are to be kept, from wherever. */
const keeping = (...keeps: readonly Omit<Message<'keep'>, 'kind'>[]): Script => pretending(file(4), async (exchange) => {
  exchange.say({ kind: 'offer', size: 1 << 30, mtime: 1, mode: 0o644 });
  for (const keep of keeps) await exchange.sayBulk({ kind: 'keep', ...keep }, 32);
});
const large = (stand: Stand): void => writeFileSync(join(stand.target, 'old'), Buffer.alloc(2 << 20, 'o'));

/** The body of a message with `bytes` in place of the number of the field that is told last. */
function withNumber(message: Message, bytes: readonly number[]): (exchange: number) => Buffer {
  return (exchange) => {
    const body = encodeMessage(exchange, message).subarray(12);
    return frame(MESSAGES[message.kind].type, exchange, Buffer.concat([body.subarray(0, -1), Buffer.from(bytes)]));
  };
}
const TWO_53 = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10];
const TWO_63 = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];

const answered = (name: string, words: readonly string[], answer: Script, exit: number, says: RegExp, at?: 'target'): Attack => ({ row: 'B7', name, words, script: answer, exit, says, ...(at !== undefined && { at }) });

/** DATA at a place beyond 2^53. */
function beyond(exchange: number): Buffer {
  const body = Buffer.alloc(12);
  body.writeBigUInt64BE(2n ** 63n, 0);
  return frame(0x20, exchange, body);
}

function compressed(message: Message): Script {
  return pretending(message.kind === 'compressedBatch' ? folder : file(4), (exchange, _, connection) => {
    if (message.kind === 'compressedData') exchange.say({ kind: 'offer', size: MOST, mtime: 1, mode: 0o644 });
    connection.write(encodeMessage(exchange.id, message));
  });
}

export const AMOUNTS: readonly Attack[] = [
  lie('a digest that is not its own', { digest: new Uint8Array(32) }, 9, /digest/),
  lie('more bytes than it said', { size: 2 }, 10, /grew/),
  lie('fewer bytes than it says at the end', { commit: 9 }, 3, /bytes came/),
  lie('fewer bytes than it said at first', { size: 2 ** 40, commit: 2 ** 40 }, 3, /bytes came/),
  lie('bytes out of order', { offset: 5 }, 3, /out of order/),
  lie('bytes at the end of all numbers', { offset: MOST - 4 }, 3, /out of order/),
  lie('the largest size there is', { size: MOST, commit: MOST }, 8, /do not fit/, file(MOST)),
  { row: 'B7', name: 'a file is of the first and the last time that can be told', words: ['get', 'evil:x', 'target/x'], script: wrongFile({ mtime: -MOST }, file(4, { mtime: MOST })), exit: 0, says: /verified/ },
  { row: 'B7', name: 'bytes are kept that the client does not hold', words: GET, script: keeping({ offset: 0, length: 1 << 30 }), exit: 3, says: /not told of/, before: old, after: kept },
  { row: 'B7', name: 'bytes are kept from beyond what the client holds', words: GET, script: keeping({ offset: 0, length: 1 << 20, from: (2 << 20) - 1 }), exit: 3, says: /not told of/, before: large },
  { row: 'B7', name: 'bytes are kept from where adding up goes wrong', words: GET, script: keeping({ offset: 0, length: MOST, from: MOST }), exit: 3, says: /not told of/, before: large },
  { row: 'B7', name: 'no bytes are kept', words: GET, script: keeping({ offset: 0, length: 0 }), exit: 3, says: /not told of/, before: large },
  { row: 'B7', name: 'bytes are kept again and again, until the file is larger than it said', words: GET, exit: 10, says: /grew/, before: large, script: pretending(file(4 << 20), async (exchange) => {
    exchange.say({ kind: 'offer', size: 4 << 20, mtime: 1, mode: 0o644 });
    for (let offset = 0; ; offset += 16 << 10) await exchange.sayBulk({ kind: 'keep', offset, length: 16 << 10, from: 0 }, 32);
  }) },
  cat('other bytes than it was promised', (exchange) => sendFile(exchange, 'evil', { digest: new Uint8Array(32) }), 9, /^cat: .*digest/),
  cat('more bytes than it was promised', (exchange) => sendFile(exchange, 'evil', { size: 2 }), 10, /grew/),
  cat('bytes out of order', (exchange) => sendFile(exchange, 'evil', { offset: 9 }), 3, /out of order/),
  cat('a word about what it holds', async (exchange) => { exchange.say({ kind: 'offer', size: 9, mtime: 1, mode: 0o644 }); await exchange.sayBulk({ kind: 'keep', offset: 0, length: 9 }, 32); }, 3, /older version/),
  answered('a size is told as 2^53', ['du', 'evil:x'], raw(withNumber({ kind: 'used', files: 1, folders: 1, bytes: 1 }, TWO_53)), 3, /a number beyond 2\^53/),
  answered('a size is told as 2^63', ['du', 'evil:x'], raw(withNumber({ kind: 'used', files: 1, folders: 1, bytes: 1 }, TWO_63)), 3, /a number beyond 2\^53/),
  answered('a number is told longer than it has to be', ['du', 'evil:x'], raw(withNumber({ kind: 'used', files: 1, folders: 1, bytes: 1 }, [0x81, 0x00])), 3, /shortest form/),
  answered('du is told the largest numbers', ['du', 'evil:x'], (exchange) => exchange.say({ kind: 'used', files: MOST, folders: MOST, bytes: MOST }), 0, /8\.0 PiB {2}9,007,199,254,740,991 files/),
  answered('df is told that more is free than there is', ['df', 'evil:'], (exchange) => exchange.say({ kind: 'room', free: MOST, total: 0, freeNames: MOST, names: 0 }), 0, /free of 0 B \(0%\)/),
  answered('stat is told the largest numbers', ['stat', 'evil:x'], (exchange) => exchange.say(file(MOST, { mtime: MOST, mode: MOST })), 0, /mode: {4}777 /),
  answered('stat is told the smallest time', ['stat', 'evil:x', '--json'], (exchange) => exchange.say(file(0, { mtime: -MOST, mode: 0 })), 0, /"mtime":"1684-/),
  answered('ls is told the largest numbers', ['ls', '-l', 'evil:'], async (exchange) => {
    await exchange.sayBulk({ kind: 'entries', entries: [entry('a', { size: MOST, mtime: MOST, mode: MOST })], unlisted: MOST }, 4096);
    exchange.say({ kind: 'done' });
  }, 0, /-rwxrwxrwx.*9,007,199,254,740,991 names left out/s),
  answered('the doctor is told that all took no time', ['doctor', 'evil', '--json'], async (exchange, message) => {
    if (message.kind === 'space') return exchange.say({ kind: 'room', free: MOST, total: MOST });
    if (message.kind === 'stat') return exchange.say({ kind: 'entry' });
    if (message.kind === 'list') return exchange.say({ kind: 'done' });
    exchange.say({ kind: 'measured', time: MOST, bytes: MOST, micros: 0, flushMicros: MOST, readMicros: 0 });
  }, 0, /"round trip"/, 'target'),
  { row: 'B7', name: 'bytes of a file lie at 2^63', words: GET, script: pretending(file(4), (exchange, _, connection) => { exchange.say({ kind: 'offer', size: MOST, mtime: 1, mode: 0o644 }); connection.write(beyond(exchange.id)); }), exit: 3, says: /an offset beyond 2\^53/, before: old, after: kept },
  { row: 'D1', name: 'a frame says that it is 4 GiB long', words: ['ls', 'evil:'], script: raw(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x31, 1, 0, 0, 0, 0, 0, 1])), exit: 3, says: /a frame of 4294967295 bytes, more than is allowed/ },
  { row: 'D1', name: 'data says that it is 4 GiB long', words: ['cat', 'evil:x'], script: raw(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x20, 1, 0, 0, 0, 0, 0, 1]), Buffer.alloc(8)), exit: 3, says: /a frame of 4294967295 bytes, more than is allowed/ },
  { row: 'D1', name: 'a text within a message is longer than the message', words: ['ls', 'evil:'], script: raw((id) => frame(0x09, id, Buffer.from([0x02, 0x01, 0x05, 0xff, 0xff, 0xff, 0x7f]))), exit: 3, says: /malformed message/ },
  { row: 'D1', name: 'a page has more entries than a page may', words: ['ls', 'evil:'], script: (exchange, _, connection) => { connection.write(encodeMessage(exchange.id, { kind: 'entries', entries: Array.from({ length: 1001 }, () => entry('a')), unlisted: 0 })); }, exit: 3, says: /more than 1000 values/ },
  { row: 'D1', name: 'a pack has more records than a pack may', words: ['get', 'evil:x', 'target/x'], script: treeOf(evilPack(Array.from({ length: 4097 }, (_, number) => ({ folder: `d${number}` })), digestOf)), exit: 3, says: /more than 4096 records/, after: (stand) => { expect(existsSync(join(stand.target, 'x'))).toBe(false); } },
  { row: 'D1', name: 'a file in a pack says that it is 4 GiB long', words: ['get', 'evil:x', 'target/x'], exit: 3, says: /a length beyond its end/, script: treeOf((() => {
    const pack = evilPack([{ folder: '' }, { file: 'f', data: 'evil' }], digestOf);
    new DataView(pack.buffer).setUint32(20 + 16, 0xffff_ffff);
    return pack;
  })()) },
  { row: 'D1', name: 'an empty frame of data', words: ['cat', 'evil:x'], script: pretending(file(4), (exchange, _, connection) => { exchange.say({ kind: 'offer', size: 4, mtime: 1, mode: 0o644 }); connection.write(frame(0x20, exchange.id, Buffer.alloc(8))); }), exit: 3, says: /a data frame without data/ },
  { row: 'D1', name: 'more bytes than there was credit for', words: ['find', 'evil:'], exit: 3, says: /more bytes than there was credit for/, script: (exchange, _, connection) => {
    const page = encodeMessage(exchange.id, { kind: 'entries', entries: Array.from({ length: 1000 }, (_unused, number) => entry(`${number}-${'n'.repeat(240)}`)), unlisted: 0 });
    for (let sent = 0; sent < 64 << 20; sent += page.byteLength) connection.write(page);
  } },
  { row: 'D7', name: 'compressed data expands to 2 GiB', words: GET, script: compressed({ kind: 'compressedData', offset: 0, size: 1 << 20, bytes: bomb() }), exit: 3, says: /compressed bytes that do not expand to what they should/, before: old, after: kept },
  { row: 'D7', name: 'a compressed pack expands to 2 GiB', words: ['get', 'evil:x', 'target/x'], script: compressed({ kind: 'compressedBatch', size: 1 << 20, bytes: bomb() }), exit: 3, says: /compressed bytes that do not expand to what they should/ },
  { row: 'D7', name: 'compressed data says that it is larger than any frame', words: GET, script: compressed({ kind: 'compressedData', offset: 0, size: 15 << 20, bytes: bomb() }), exit: 3, says: /more compressed bytes than fit a frame/, before: old, after: kept },
  { row: 'D7', name: 'compressed data says that it is larger than all credit', words: GET, script: compressed({ kind: 'compressedData', offset: 0, size: MOST - 8, bytes: bomb() }), exit: 3, says: /more bytes than there was credit for/, before: old, after: kept },
  { row: 'B7', name: 'more credit is given than there are numbers', words: ['put', 'big', 'evil:big', '--deadline', '2s'], exit: 12, says: /2 s|deadline/i, before: (stand) => writeFileSync(join(stand.local, 'big'), Buffer.alloc(64 << 20, 'b')), script: (exchange, message, connection) => {
    if (message.kind === 'stat') return exchange.say({ kind: 'entry' });
    exchange.say({ kind: 'accept', holds: 'none', basis: 0 });
    for (let count = 0; count < 1000; count += 1) connection.write(creditFrame(exchange.id, 0xffff_ffff));
    connection.hold();
  } },
  { row: 'B7', name: 'a pack has a mode, a size and a name that say the most', words: ['get', 'evil:x', 'target/x'], script: packed({ folder: '' }, { file: 'f'.repeat(255), data: 'evil', mode: 0o777 }), exit: 0, says: /1 file/ },
];
