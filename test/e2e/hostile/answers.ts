/** Answers: what hostile scripts are made of. Each says something that a server of ours could not, or would not. */
import { digestOf } from '../../../src/digest.ts';
import type { Connection } from '../../../src/session/connection.ts';
import type { Exchange } from '../../../src/session/exchange.ts';
import { DATA_HEAD_BYTES } from '../../../src/wire/frame.ts';
import { encodeMessage, type Message } from '../../../src/wire/messages.ts';
import { evilPack, type Evil, type Script } from '../hostile.ts';

type EntryMessage = Message<'entry'>;
type Entry = NonNullable<EntryMessage['entry']>;

export const entry = (name: string, more: Partial<Entry> = {}): Entry => ({ name, kind: 'file', size: 1, mtime: 1, mode: 0o644, ...more });
export const folder: EntryMessage = { kind: 'entry', entry: entry('x', { kind: 'folder', size: 0, mode: 0o755 }) };
export const file = (size: number, more: Partial<Entry> = {}): EntryMessage => ({ kind: 'entry', entry: entry('x', { size, ...more }) });

/** Answers `stat` with what `there` says, under the name that was asked for where that says `x`, and everything else with `then`. */
export function pretending(there: EntryMessage, then: Script): Script {
  return (exchange, message, connection) => {
    if (message.kind !== 'stat') return then(exchange, message, connection);
    const found = there.entry;
    exchange.say(found?.name === 'x' ? { kind: 'entry', entry: { ...found, name: message.path.slice(message.path.lastIndexOf('/') + 1) } } : there);
  };
}

/** Where a folder is sent to: nothing has its name, there is room for everything, and `then` has the rest. */
export function takingFolder(then: Script): Script {
  return pretending({ kind: 'entry' }, (exchange, message, connection) => (message.kind === 'space' ? exchange.say({ kind: 'room', free: 2 ** 40, total: 2 ** 40 }) : then(exchange, message, connection)));
}

/** A folder `x` that comes in one pack. */
export const packed = (...records: readonly Evil[]): Script => treeOf(evilPack(records, digestOf));

/** A folder `x` that comes in these packs, one after the other. */
export const treeOf = (...packs: readonly Uint8Array[]): Script => pretending(folder, async (exchange, request) => {
  if (request.kind === 'list') return exchange.say({ kind: 'done' });
  for (const pack of packs) await exchange.batch(pack);
  exchange.say({ kind: 'done' });
});

/** A folder `x` of which a word is told, behind a pack with these records. */
export const telling = (message: Message, ...records: readonly Evil[]): Script => pretending(folder, async (exchange, request) => {
  if (request.kind !== 'getTree') return exchange.say({ kind: 'error', code: 'NOTFOUND', message: 'nothing', retry: false });
  await exchange.batch(evilPack([{ folder: '' }, ...records], digestOf));
  await exchange.sayBulk(message, 4096);
  exchange.say({ kind: 'done' });
});

export interface Wrong { readonly size?: number; readonly mode?: number; readonly offset?: number; readonly commit?: number; readonly digest?: Uint8Array; readonly mtime?: number }

/** Sends a file in one piece, with what is wrong about it. */
export async function sendFile(exchange: Exchange, text: string, wrong: Wrong = {}): Promise<void> {
  const bytes = Buffer.from(text);
  exchange.say({ kind: 'offer', size: wrong.size ?? bytes.byteLength, mtime: wrong.mtime ?? 1, mode: wrong.mode ?? 0o644 });
  const frame = Buffer.concat([Buffer.alloc(DATA_HEAD_BYTES), bytes]);
  await exchange.room(bytes.byteLength + 8);
  exchange.data(frame, wrong.offset ?? 0, bytes.byteLength, () => {});
  exchange.say({ kind: 'commit', size: wrong.commit ?? bytes.byteLength, digest: wrong.digest ?? digestOf(bytes) });
}

/** A file `x` with what is wrong about it. */
export const wrongFile = (wrong: Wrong, said = file(4)): Script => pretending(said, (exchange) => sendFile(exchange, 'evil', wrong));

/** A listing of one page. */
export const listing = (...names: readonly (string | Entry)[]): Script => pretending({ kind: 'entry' }, async (exchange) => {
  await exchange.sayBulk({ kind: 'entries', entries: names.map((name) => (typeof name === 'string' ? entry(name) : name)), unlisted: 0 }, 64 << 10);
  exchange.say({ kind: 'done' });
});

/** More than any bound, and as good as no end: so much is said, and then that it is enough. */
const ENOUGH = 64 << 20;

/** Says `word` again and again; `size` is an upper bound of each. */
export async function again(exchange: Exchange, size: number, word: (number: number) => Message): Promise<void> {
  for (let number = 0; number * size < ENOUGH; number += 1) {
    await exchange.sayBulk(word(number), size);
    await turn();
  }
  exchange.say({ kind: 'error', code: 'IO', message: 'that was enough', retry: false });
}

/** A listing without an end, of pages that `page` makes. */
export const endless = (page: (number: number) => readonly Entry[]): Script => pretending(folder, (exchange) => again(exchange, 256 << 10, (number) => ({ kind: 'entries', entries: page(number), unlisted: 0 })));

/** Lets other servers of this process have their say. */
export const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

/** Straight to the wire: the machine of a server refuses to say this. */
export const raw = (...bytes: readonly (Uint8Array | ((exchange: number) => Uint8Array))[]): Script => (exchange, _, connection) => {
  for (const one of bytes) connection.write(typeof one === 'function' ? one(exchange.id) : one);
};

export const frame = (type: number, exchange: number, body: Uint8Array = new Uint8Array(), flags = 1): Buffer => {
  const head = Buffer.from([0, 0, 0, 0, type, flags, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(body.byteLength, 0);
  head.writeUInt32BE(exchange, 8);
  return Buffer.concat([head, body]);
};

/** Reads on until the client has said this, and says then what is to be said. */
export const upTo = (kind: Message['kind'], ...answers: readonly Message[]): Script => async (exchange) => {
  for (;;) {
    const received = await exchange.next();
    exchange.consumed(received.bulk);
    if (received.kind === 'message' && received.message.kind === kind) break;
  }
  for (const answer of answers) exchange.say(answer);
};

/** A message without regard to what may be said now. */
export function blurt(connection: Connection, exchange: number, message: Message): void {
  connection.write(encodeMessage(exchange, message));
}
