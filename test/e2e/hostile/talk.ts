/** Scripts that break the protocol itself (B7): words that nobody asked for, words out of turn, lies about what was sent, other servers in the place of the one that was joined. */
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeMessage, VERSION, type Message } from '../../../src/wire/messages.ts';
import { digestOf } from '../../../src/digest.ts';
import type { Script } from '../hostile.ts';
import { blurt, entry, file, folder, frame, pretending, raw, sendFile, takingFolder, turn, upTo } from './answers.ts';
import type { Attack, Stand } from './stand.ts';

const PROTOCOL = 3;
const LS = ['ls', 'evil:'];
const out = /the other side broke the protocol: /;

const talk = (name: string, words: readonly string[], script: Script, exit: number, says: RegExp, before?: (stand: Stand) => void): Attack => ({ row: 'B7', name, words, script, exit, says, ...(before !== undefined && { before }) });
/** This, and nothing else, is said on the exchange. */
const said = (...messages: readonly Message[]): Script => (exchange, _, connection) => { for (const message of messages) blurt(connection, exchange.id, message); };
/** This is said on exchange 0. */
const told = (...messages: readonly Message[]): Script => (_, __, connection) => { for (const message of messages) blurt(connection, 0, message); };
const done: Message = { kind: 'done' };
const page: Message = { kind: 'entries', entries: [entry('a')], unlisted: 0 };
const stored = (digest: Uint8Array): Message => ({ kind: 'stored', level: 'durable', digest });

const big = (stand: Stand): void => writeFileSync(join(stand.local, 'big'), Buffer.alloc(3 << 20, 'b'));
/** More than is sent before somebody takes it. */
const huge = (stand: Stand): void => { big(stand); truncateSync(join(stand.local, 'big'), 48 << 20); };
const src = (stand: Stand): void => {
  mkdirSync(join(stand.local, 'src'));
  for (const name of ['a', 'b']) writeFileSync(join(stand.local, 'src', name), name);
};
const PUT = ['put', 'big', 'evil:x'];

/** Takes a file, of which it says that it holds this, and then answers the commit so. */
const taking = (accept: Omit<Message<'accept'>, 'kind'>, then: Script): Script => (exchange, message, connection) => {
  if (message.kind === 'stat') return exchange.say({ kind: 'entry' });
  exchange.say({ kind: 'accept', ...accept });
  return then(exchange, message, connection);
};
const NEW = { holds: 'none', basis: 0 } as const;

/** Takes a folder: says so of what comes, and `done` at the end of it. */
const takingTree = (...answers: readonly Message[]): Script => takingFolder(async (exchange, message, connection) => {
  for (const answer of answers) await exchange.sayBulk(answer, 4096);
  await upTo('finish', done)(exchange, message, connection);
});
const batched = (files: number, bytes: number): Message => ({ kind: 'batched', files, bytes });

export const TALK: readonly Attack[] = [
  talk('an answer to another question comes', LS, said(stored(new Uint8Array(32))), PROTOCOL, out),
  talk('an answer comes that is none', LS, said({ kind: 'commit', size: 1, digest: new Uint8Array(32) }), PROTOCOL, out),
  talk('an answer comes on an exchange that was never opened', LS, (_, __, connection) => { blurt(connection, 99, done); }, PROTOCOL, /exchange 99, which was never opened/),
  talk('an answer comes on an even exchange', LS, (_, __, connection) => { blurt(connection, 2, done); }, PROTOCOL, /exchange 2, which was never opened/),
  talk('an answer comes twice: the second is too late', LS, said(page, done, done), 0, /^a\n$/),
  talk('the server asks the client', LS, (_, __, connection) => { blurt(connection, 1, { kind: 'stat', path: 'victim' }); }, PROTOCOL, out),
  talk('the server opens an exchange', LS, (_, __, connection) => { blurt(connection, 101, { kind: 'get', path: 'victim', basis: 0 }); }, PROTOCOL, /never opened/),
  talk('a word comes on the connection that belongs to an exchange', LS, told(done), PROTOCOL, out),
  talk('the server says hello again', LS, told({ kind: 'hello', version: VERSION, agent: 'again', maxBody: 1, credit: 1 }), PROTOCOL, out),
  talk('the server says ready again, to another account', LS, told({ kind: 'ready', account: 'root', rights: ['read'], name: 'evil' }), PROTOCOL, out),
  talk('the server proves a code that nobody asked for', LS, told({ kind: 'codeAnswer', point: new Uint8Array(32) }), PROTOCOL, out),
  talk('a frame has a type that is not known, and must be', LS, raw((id) => frame(0x7e, id)), PROTOCOL, /an unknown frame of type 126/),
  talk('a frame has a type that is not known, and need not be', LS, (exchange, _, connection) => { connection.write(frame(0x7e, exchange.id, Buffer.alloc(100), 0)); for (const message of [page, done]) exchange.say(message); }, 0, /^a\n$/),
  talk('a frame sets what is reserved', LS, raw(Buffer.from([0, 0, 0, 0, 0x32, 1, 0xff, 0xff, 0, 0, 0, 1])), PROTOCOL, /reserved bytes are set/),
  talk('credit is not a number', LS, raw((id) => frame(0x07, id, Buffer.alloc(3))), PROTOCOL, /credit that is not 4 bytes/),
  talk('bytes come that are nothing', LS, raw(Buffer.alloc(4096, 0xa5)), PROTOCOL, /a frame whose reserved bytes are set|more than is allowed/),
  talk('the server leaves in the middle', ['get', 'evil:x', 'target/z'], pretending(file(1 << 20), (exchange, _, connection) => { exchange.say({ kind: 'offer', size: 1 << 20, mtime: 1, mode: 0o644 }); connection.end(undefined); }), 11, /same command again/),
  talk('the server says goodbye, for as long as there are numbers', LS, (exchange, _, connection) => {
    for (let times = 0; times < 1000; times += 1) connection.say({ kind: 'goaway', code: 'SHUTDOWN', graceMs: Number.MAX_SAFE_INTEGER });
    exchange.say(page);
    exchange.say(done);
  }, 0, /^a\n$/),
  talk('the server says goodbye, and then nothing', [...LS, '--deadline', '1s'], (_, __, connection) => { connection.say({ kind: 'goaway', code: 'SHUTDOWN', graceMs: Number.MAX_SAFE_INTEGER }); }, 12, /deadline/),
  { ...talk('another version answers', LS, () => {}, PROTOCOL, /speaks version 99 of the protocol/), serve: (hostile) => { hostile.naked = (socket) => { socket.write(encodeMessage(0, { kind: 'hello', version: 99, agent: 'evil', maxBody: Number.MAX_SAFE_INTEGER, credit: Number.MAX_SAFE_INTEGER, takes: Number.MAX_SAFE_INTEGER })); }; } },
  { ...talk('the server gives all credit there is, and answers before it was asked', LS, () => {}, PROTOCOL, /never opened|out of turn/), serve: (hostile) => { hostile.naked = (socket) => { socket.write(Buffer.concat([
    encodeMessage(0, { kind: 'hello', version: VERSION, agent: 'evil', maxBody: Number.MAX_SAFE_INTEGER, credit: Number.MAX_SAFE_INTEGER, takes: Number.MAX_SAFE_INTEGER }),
    encodeMessage(0, { kind: 'ready', account: 'you', rights: [], name: 'evil' }), encodeMessage(1, done),
  ])); }; } },
  talk('what is stored has another digest', PUT, taking(NEW, upTo('commit', stored(new Uint8Array(32)))), 9, /what was sent has the digest/, big),
  talk('what is stored has the digest of another file', ['put', '-', 'evil:x'], taking(NEW, upTo('commit', stored(digestOf(Buffer.from('other'))))), 9, /what was sent has the digest/),
  talk('it is stored before it was sent', PUT, taking(NEW, said(stored(new Uint8Array(32)))), PROTOCOL, out, huge),
  talk('the server holds a part that is larger than any file, and tells nothing of it', [...PUT, '--deadline', '1s'], taking({ holds: 'part', basis: Number.MAX_SAFE_INTEGER }, () => {}), 12, /deadline/, big),
  talk('the server holds an old file in blocks of no bytes', PUT, taking({ holds: 'old', basis: 1 << 20, blockSize: 0 }, () => {}), PROTOCOL, /blocks of 0 bytes/, big),
  talk('the server holds an old file in blocks of one byte', PUT, taking({ holds: 'old', basis: 1 << 20, blockSize: 1 }, () => {}), PROTOCOL, /blocks of 1 bytes/, big),
  talk('the server holds an old file in blocks that are no power of two', PUT, taking({ holds: 'old', basis: 1 << 20, blockSize: 100_000 }, () => {}), PROTOCOL, /blocks of 100000 bytes/, big),
  talk('the server holds an old file that is larger than any', PUT, taking({ holds: 'old', basis: Number.MAX_SAFE_INTEGER, blockSize: 1 << 20 }, () => {}), PROTOCOL, /blocks of 1048576 bytes/, big),
  talk('the server tells digests out of order', PUT, taking({ holds: 'part', basis: 2 << 20 }, (exchange) => exchange.sayBulk({ kind: 'hashes', first: 7, digests: [new Uint8Array(32)] }, 64)), PROTOCOL, /digests out of order/, big),
  talk('the server tells of more blocks than it holds', PUT, taking({ holds: 'old', basis: 1 << 20, blockSize: 1 << 20 }, (exchange) => exchange.sayBulk({ kind: 'hashes', first: 0, digests: [], sketches: new Uint8Array(14 * 2) }, 64)), PROTOCOL, /digests out of order/, big),
  talk('the server tells half of a block', PUT, taking({ holds: 'old', basis: 1 << 20, blockSize: 1 << 20 }, (exchange) => exchange.sayBulk({ kind: 'hashes', first: 0, digests: [], sketches: new Uint8Array(15) }, 64)), PROTOCOL, /digests out of order/, big),
  talk('the server claims to hold every block, and it is not so', PUT, taking({ holds: 'part', basis: 3 << 20 }, async (exchange, message, connection) => {
    await exchange.sayBulk({ kind: 'hashes', first: 0, digests: Array.from({ length: 3 }, () => digestOf(Buffer.alloc(1 << 20, 'b'))) }, 200);
    await upTo('commit', stored(digestOf(Buffer.alloc(3 << 20, 'x'))))(exchange, message, connection);
  }), 9, /what was sent has the digest/, big),
  talk('a folder is answered for before it was sent', ['put', 'src', 'evil:t'], takingTree(batched(0, 0), batched(0, 0), batched(0, 0)), PROTOCOL, /answered for a pack that was not sent|stored less than was sent/, src),
  talk('more files are stored than were sent', ['put', 'src', 'evil:t'], takingTree(batched(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)), PROTOCOL, /stored more than was sent|not sent/, src),
  talk('fewer files are stored than were sent, and nobody says why', ['put', 'src', 'evil:t'], takingFolder(async (exchange, message, connection) => { await exchange.next(); await exchange.sayBulk(batched(1, 1), 32); await upTo('finish', done)(exchange, message, connection); }), PROTOCOL, /stored less than was sent, and does not say why/, src),
  talk('a folder is done before all was answered for', ['put', 'src', 'evil:t'], takingTree(), PROTOCOL, /ended before it had answered for everything/, src),
  talk('a lane is lent that nobody asked for', ['get', 'evil:x', 'target/x'], said({ kind: 'lent' }), PROTOCOL, out),
  talk('a folder comes where a file was announced', ['get', 'evil:x', 'target/x'], pretending(file(4), (exchange, _, connection) => { blurt(connection, exchange.id, { kind: 'folders', folders: [{ path: '', mode: 0o777, mtime: 1 }] }); }), PROTOCOL, out),
  talk('a file comes where a folder was announced', ['get', 'evil:x', 'target/x'], pretending(folder, (exchange, _, connection) => { blurt(connection, exchange.id, { kind: 'offer', size: 4, mtime: 1, mode: 0o644 }); }), PROTOCOL, out),
  talk('a pack comes in the middle of a file', ['get', 'evil:x', 'target/x'], pretending(file(4), (exchange, _, connection) => { exchange.say({ kind: 'offer', size: 4, mtime: 1, mode: 0o644 }); connection.write(frame(0x21, exchange.id, Buffer.from('pack'))); }), PROTOCOL, out),
  talk('cat is sent a pack', ['cat', 'evil:x'], (exchange, _, connection) => { connection.write(frame(0x21, exchange.id, Buffer.from('pack'))); }, PROTOCOL, out),
  talk('a file ends, and goes on', ['get', 'evil:x', 'target/x'], pretending(file(4), async (exchange, _, connection) => { await sendFile(exchange, 'evil'); await turn(); blurt(connection, exchange.id, { kind: 'commit', size: 9, digest: new Uint8Array(32) }); }), 0, /verified/),
];
