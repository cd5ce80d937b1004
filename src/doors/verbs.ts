/**
 * Verbs: what each request of our own protocol does to a drive. One function a request, nothing else.
 *
 * A verb parses the paths it was given, calls the drive (which says yes or no) and answers. It never sees a vault,
 * a socket or a right. Whatever it throws becomes the exchange's `error`; leaving early gives up what was staged
 * to the same account's next try.
 */
import { createHash } from 'node:crypto';
import { createHasher } from '../digest.ts';
import type { Drive } from '../drive.ts';
import { Failure } from '../errors.ts';
import { MAX_PATH_BYTES, parsePath } from '../path.ts';
import type { Exchange } from '../session/exchange.ts';
import type { Request } from '../session/rules.ts';
import type { Lanes } from '../transfer/lanes.ts';
import { blockSizeOf, receive } from '../transfer/receive.ts';
import { send } from '../transfer/send.ts';
import { receiveTree, sendTree, type TreeSink } from '../transfer/tree.ts';
import type { ListPage } from '../store/vault.ts';
import { cut, MAX_HIDDEN, type Message } from '../wire/messages.ts';
import type { AccountLanes } from './lanes.ts';
import { measure } from './measure.ts';
import { sayUndone, tagOf } from './undone.ts';

type Verbs = { readonly [R in Request]: (drive: Drive, exchange: Exchange, message: Message<R>, account: AccountLanes) => Promise<void> };

/** Bytes of one page of a listing, at which it is sent: a page is a control frame, and those are bounded. */
const MAX_PAGE_BYTES = 256 << 10;

const VERBS: Verbs = {
  async stat(drive, exchange, { path }) {
    exchange.say({ kind: 'entry', entry: await drive.stat(parsePath(path)) });
  },

  async list(drive, exchange, { path, deep }) {
    for await (const page of drive.list(parsePath(path), { deep })) await sayEntries(exchange, page);
    exchange.say({ kind: 'done' });
  },

  async makeFolder(drive, exchange, { path, parents, action }) {
    await drive.makeFolder(parsePath(path), { parents, action: tagOf(action) });
    exchange.say({ kind: 'done' });
  },

  async remove(drive, exchange, { path, deep, only, ifMatch: match, action }) {
    await drive.remove(parsePath(path), { deep, match, action: tagOf(action), ...(only !== undefined && { kind: only }) });
    exchange.say({ kind: 'done' });
  },

  async move(drive, exchange, { from, to, replace, ifMatch: match, action }) {
    await drive.move(parsePath(from), parsePath(to), { replace, match, action: tagOf(action) });
    exchange.say({ kind: 'done' });
  },

  undo: sayUndone,


  async setAttributes(drive, exchange, { path, mode, mtime }) {
    await drive.setAttributes(parsePath(path), { mode, mtime });
    exchange.say({ kind: 'done' });
  },

  async usage(drive, exchange, { path }) {
    exchange.say({ kind: 'used', ...(await drive.usage(parsePath(path))) });
  },

  async space(drive, exchange) {
    exchange.say({ kind: 'room', ...(await drive.space()) });
  },

  measure,

  async hash(drive, exchange, { path, algorithm }) {
    await using source = await drive.read(parsePath(path));
    const sha256 = algorithm === 'sha256' ? createHash('sha256') : undefined;
    const blake3 = createHasher();
    const slab = await exchange.slabs.take(exchange.signal);
    try {
      for (let at = 0, size = 0; (size = await source.read(slab, at)) > 0; at += size) {
        if (exchange.failure !== undefined) throw exchange.failure;
        (sha256 ?? blake3).update(slab.subarray(0, size));
      }
    } finally {
      exchange.slabs.give(slab);
    }
    exchange.say({ kind: 'digest', digest: sha256?.digest() ?? blake3.digest() });
  },

  async put(drive, exchange, { path, size, mtime, mode, level, ifAbsent, ifMatch: match, lanes: key, again, action }, account) {
    if (again !== undefined && (await drive.holds(parsePath(path), again, level))) return exchange.say({ kind: 'stored', level, digest: again });
    using joining = account.open('put', parsePath(path), key);
    await using upload = await drive.receive(parsePath(path), { size, mtime, mode, level, condition: ifAbsent ? 'absent' : 'any', match, action: tagOf(action) });
    const blockSize = blockSizeOf(upload.basis);
    exchange.say({ kind: 'accept', holds: upload.basis.kind, basis: upload.basis.size, blockSize });
    const { digest } = await receive(exchange, upload, { size, blockSize, lanes: joining?.lanes });
    drive.received(parsePath(path), digest, level);
    exchange.say({ kind: 'stored', level, digest });
  },

  async get(drive, exchange, { path, basis, blockSize, lanes: key }, account) {
    using joining = account.open('get', parsePath(path), key);
    await using source = await drive.read(parsePath(path));
    const { size, mtime, mode } = source.entry;
    exchange.say({ kind: 'offer', size, mtime, mode });
    const sent = await send(exchange, source, { basis, blockSize, lanes: joining?.lanes });
    if (sent.size !== size || (await source.changed())) throw new Failure('CHANGED', 'the file changed while it was read', { path, who: 'server', hint: 'fetch it again when nobody writes to it' });
    exchange.say({ kind: 'commit', size, digest: sent.digest });
  },

  async putLane(_drive, exchange, { key }, account) {
    await lend(exchange, account.find('put', key));
  },

  async getLane(_drive, exchange, { key }, account) {
    await lend(exchange, account.find('get', key));
  },

  async putTree(drive, exchange, { path, level, ifAbsent, replaceable, action }) {
    const sink: TreeSink = {
      receiveBatch: (top, pack, options) => drive.receiveBatch(top, pack, { ...options, action: tagOf(action) }),
      finishFolders: (top, folders, how) => drive.finishFolders(top, folders, how),
    };
    await receiveTree(exchange, sink, parsePath(path), { level, condition: ifAbsent ? 'absent' : 'any', replaceable });
    exchange.say({ kind: 'done' });
  },

  async getTree(drive, exchange, { path, exclude, follow, leave, held }) {
    await sendTree(exchange, (room) => drive.pack(parsePath(path), { exclude, follow: follow ?? false, leave, held, room }));
    exchange.say({ kind: 'done' });
  },
};

/** Lets `exchange` be a lane until nothing goes over it any more. */
async function lend(exchange: Exchange, lanes: Lanes): Promise<void> {
  exchange.say({ kind: 'lent' });
  await lanes.join(exchange);
  exchange.say({ kind: 'done' });
}

/** Fulfils one request, to its last word; `account` finds other requests of the same one, `onMistake` hears of our own mistakes. Never rejects. */
export async function fulfil(drive: Drive, exchange: Exchange, message: Message<Request>, account: AccountLanes, onMistake: (failure: Failure) => void): Promise<void> {
  try {
    if (exchange.failure !== undefined) return; // it is over, and nothing was done yet
    await (VERBS[message.kind] as (drive: Drive, exchange: Exchange, message: Message, account: AccountLanes) => Promise<void>)(drive, exchange, message, account);
  } catch (error) {
    const failure = Failure.from(error);
    // The peer is told that the log says more.
    if (failure.code === 'INTERNAL') onMistake(failure);
    exchange.cancel(failure);
  } finally {
    exchange[Symbol.dispose]();
  }
}

/** Says a page, in as many messages as fit their frames. */
async function sayEntries(exchange: Exchange, { entries, unlisted, hidden: escaped }: ListPage): Promise<void> {
  let first = 0;
  let bytes = 0;
  for (const [index, { name }] of entries.entries()) {
    const size = name.length * 3 + 40;
    if (bytes + size > MAX_PAGE_BYTES) {
      await exchange.sayBulk({ kind: 'entries', entries: entries.slice(first, index), unlisted: 0 }, bytes);
      first = index;
      bytes = 0;
    }
    bytes += size;
  }
  const hidden = escaped?.slice(0, MAX_HIDDEN).map((path) => cut(path, MAX_PATH_BYTES));
  await exchange.sayBulk({ kind: 'entries', entries: entries.slice(first), unlisted, hidden }, (hidden ?? []).reduce((sum, path) => sum + path.length * 3 + 3, bytes + 40));
}
