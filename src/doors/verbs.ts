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
import type { Entry } from '../entry.ts';
import { Failure } from '../errors.ts';
import { parsePath } from '../path.ts';
import type { Exchange } from '../session/exchange.ts';
import type { Request } from '../session/rules.ts';
import { receive } from '../transfer/receive.ts';
import { send } from '../transfer/send.ts';
import { receiveTree, sendTree } from '../transfer/tree.ts';
import type { Message } from '../wire/messages.ts';

type Verbs = { readonly [R in Request]: (drive: Drive, exchange: Exchange, message: Message<R>) => Promise<void> };

/** Bytes of one page of a listing, at which it is sent: a page is a control frame, and those are bounded. */
const MAX_PAGE_BYTES = 256 << 10;

const VERBS: Verbs = {
  async stat(drive, exchange, { path }) {
    exchange.say({ kind: 'entry', entry: await drive.stat(parsePath(path)) });
  },

  async list(drive, exchange, { path, deep }) {
    for await (const { entries, unlisted } of drive.list(parsePath(path), { deep })) await sayEntries(exchange, entries, unlisted);
    exchange.say({ kind: 'done' });
  },

  async makeFolder(drive, exchange, { path, parents }) {
    await drive.makeFolder(parsePath(path), { parents });
    exchange.say({ kind: 'done' });
  },

  async remove(drive, exchange, { path, deep, only }) {
    await drive.remove(parsePath(path), only === undefined ? { deep } : { deep, kind: only });
    exchange.say({ kind: 'done' });
  },

  async move(drive, exchange, { from, to, replace }) {
    await drive.move(parsePath(from), parsePath(to), { replace });
    exchange.say({ kind: 'done' });
  },

  async usage(drive, exchange, { path }) {
    exchange.say({ kind: 'used', ...(await drive.usage(parsePath(path))) });
  },

  async space(drive, exchange) {
    exchange.say({ kind: 'room', ...(await drive.space()) });
  },

  async hash(drive, exchange, { path, algorithm }) {
    await using source = await drive.read(parsePath(path));
    const sha256 = algorithm === 'sha256' ? createHash('sha256') : undefined;
    const blake3 = createHasher();
    const slab = await exchange.slabs.take();
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

  async put(drive, exchange, { path, size, mtime, mode, level, ifAbsent }) {
    await using upload = await drive.receive(parsePath(path), { size, mtime, mode, level, condition: ifAbsent ? 'absent' : 'any' });
    exchange.say({ kind: 'accept', holds: upload.basis.kind, basis: upload.basis.size });
    const { digest } = await receive(exchange, upload, { size });
    exchange.say({ kind: 'stored', level, digest });
  },

  async get(drive, exchange, { path, basis }) {
    await using source = await drive.read(parsePath(path));
    const { size, mtime, mode } = source.entry;
    exchange.say({ kind: 'offer', size, mtime, mode });
    const sent = await send(exchange, source, { basis });
    if (sent.size !== size || (await source.changed())) throw new Failure('CHANGED', 'the file changed while it was read', { path, who: 'server', hint: 'fetch it again when nobody writes to it' });
    exchange.say({ kind: 'commit', size, digest: sent.digest });
  },

  async putTree(drive, exchange, { path, level, ifAbsent }) {
    await receiveTree(exchange, drive, parsePath(path), { level, condition: ifAbsent ? 'absent' : 'any' });
    exchange.say({ kind: 'done' });
  },

  async getTree(drive, exchange, { path, exclude, follow }) {
    await sendTree(exchange, drive.pack(parsePath(path), { exclude, follow: follow ?? false }));
    exchange.say({ kind: 'done' });
  },
};

/** Fulfils one request, to its last word. Never rejects. */
export async function fulfil(drive: Drive, exchange: Exchange, message: Message<Request>): Promise<void> {
  try {
    await (VERBS[message.kind] as (drive: Drive, exchange: Exchange, message: Message) => Promise<void>)(drive, exchange, message);
  } catch (error) {
    exchange.cancel(Failure.from(error));
  } finally {
    exchange[Symbol.dispose]();
  }
}

/** Says a page, in as many messages as fit their frames. */
async function sayEntries(exchange: Exchange, entries: readonly Entry[], unlisted: number): Promise<void> {
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
  await exchange.sayBulk({ kind: 'entries', entries: entries.slice(first), unlisted }, bytes + 40);
}
