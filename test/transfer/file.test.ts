import { describe, expect, test } from 'vitest';
import { BLOCK_BYTES, digestOf, hex } from '../../src/digest.ts';
import { Failure } from '../../src/errors.ts';
import { INITIAL_CREDIT } from '../../src/session/machine.ts';
import { Budget } from '../../src/session/budget.ts';
import { receive } from '../../src/transfer/receive.ts';
import { send } from '../../src/transfer/send.ts';
import { Link, push } from '../session/link.ts';
import { ByteArraySink, move, noise, sourceOf, type Direction } from './bytes.ts';

const DIRECTIONS: readonly Direction[] = ['put', 'get'];
const B = BLOCK_BYTES;

/** Moves `content` over `basis`, and sees that it arrived whole. */
async function arrives(direction: Direction, content: Uint8Array, basis: Uint8Array = new Uint8Array()): Promise<{ sink: ByteArraySink; kept: number }> {
  await using link = await Link.open();
  const sink = new ByteArraySink(basis);
  const { sent, stored } = await move(link, direction, sourceOf(content), sink, { size: content.byteLength });
  if (sent.status === 'rejected') throw sent.reason;
  if (stored.status === 'rejected') throw stored.reason;
  expect(sink.state).toBe('committed');
  expect(sink.bytes.equals(content)).toBe(true);
  expect(hex(stored.value.digest)).toBe(hex(digestOf(content)));
  expect(sent.value).toMatchObject({ size: content.byteLength, kept: stored.value.kept });
  expect(sink.written + stored.value.kept).toBe(content.byteLength);
  await link.settled();
  expect([link.budget.used, link.client.active, link.server.connection.active]).toEqual([0, 0, 0]);
  return { sink, kept: stored.value.kept };
}

describe.each(DIRECTIONS)('a %s', (direction) => {
  test.each([0, 1, 2, 3, 511, 512, B / 16 - 1, B / 16, B - 20, B - 1, B, B + 1, 2 * B - 1, 2 * B, 2 * B + 1, 4 * B, 5 * B + 3])('of %d bytes arrives whole', async (size) => {
    const { kept } = await arrives(direction, noise(size));
    expect(kept).toBe(0);
  });

  test('larger than the credit arrives whole', async () => {
    await arrives(direction, noise(INITIAL_CREDIT + 3 * B + 17));
  });

  test.each([1, B - 1, B, B + 1, 3 * B, 3 * B + 5, 70 * B])('over the very same %d bytes sends none of them', async (size) => {
    const content = noise(size);
    const { sink, kept } = await arrives(direction, content, content);
    expect([sink.written, kept]).toEqual([0, size]);
  });

  test.each([
    ['within a block', 2 * B + 100, 2 * B],
    ['at the end of a block', 2 * B, 2 * B],
    ['within the first block', 100, 0],
  ])('that goes on where it was cut, %s, keeps whole blocks', async (_where, held, kept) => {
    const content = noise(4 * B + 9);
    expect((await arrives(direction, content, content.subarray(0, held))).kept).toBe(kept);
  });

  test('over a file of which every other block differs writes each of them where it belongs', async () => {
    const content = noise(11 * B + 5);
    const held = Buffer.from(content);
    for (let block = 0; block < 11; block += 2) held.fill(0, block * B, (block + 1) * B);
    const { sink, kept } = await arrives(direction, content, held);
    expect([sink.written, kept]).toEqual([6 * B, 5 * B + 5]);
  });

  test('over more than it has itself cuts the rest', async () => {
    const content = noise(3 * B);
    expect((await arrives(direction, content.subarray(0, 2 * B), content)).kept).toBe(2 * B);
    expect((await arrives(direction, content.subarray(0, B + 7), content)).kept).toBe(B);
    expect((await arrives(direction, new Uint8Array(), content)).kept).toBe(0);
  });

  test.each([0, B - 1, B, 2 * B + 12, 3 * B - 1])('finds one byte that differs, at %d, and sends its block again', async (at) => {
    const content = noise(3 * B);
    const basis = Uint8Array.from(content);
    basis[at]! ^= 1;
    const { sink, kept } = await arrives(direction, content, basis);
    expect([sink.written, kept]).toEqual([B, 2 * B]);
  });

  test('finds a change in the last block, which is not a full one', async () => {
    const content = noise(2 * B + 100);
    const basis = Uint8Array.from(content);
    basis[2 * B + 99]! ^= 1;
    const { sink } = await arrives(direction, content, basis);
    expect(sink.written).toBe(100);
  });

  test('whose kept bytes change while they are kept is found out by the digest of the whole', async () => {
    await using link = await Link.open();
    const content = noise(3 * B);
    class Rotting extends ByteArraySink {
      override async read(into: Uint8Array, position: number): Promise<number> {
        this.bytes[5]! ^= 1; // the digests have been taken
        return super.read(into, position);
      }
    }
    const sink = new Rotting(content);
    const { stored } = await move(link, direction, sourceOf(content), sink);
    expect(stored).toMatchObject({ reason: { code: 'VERIFY' } });
    expect(sink.state).toBe('discarded');
  });

  test('of more than was announced is refused as it comes', async () => {
    await using link = await Link.open();
    const sink = new ByteArraySink();
    const { stored } = await move(link, direction, sourceOf(noise(3 * B)), sink, { size: B });
    expect(stored).toMatchObject({ reason: { code: 'CHANGED' } });
    expect(sink.state).toBe('open');
  });
});

describe('a failure', () => {
  test.each(DIRECTIONS)('of the receiving disk stops the sender of a %s', async (direction) => {
    await using link = await Link.open();
    class Full extends ByteArraySink {
      override async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
        if (position >= 2 * B) throw new Failure('NOSPACE', 'no space left on the disk');
        await super.write(chunks, position);
      }
    }
    const sink = new Full();
    let read = 0;
    const endless = { read: async (into: Uint8Array) => { read += into.byteLength; return into.byteLength; } };
    const { sent, stored } = await move(link, direction, endless, sink);
    expect(stored).toMatchObject({ reason: { code: 'NOSPACE' } });
    // A server hears that the client cancelled, a client hears why.
    expect(sent).toMatchObject({ reason: { code: direction === 'put' ? 'NOSPACE' : 'CANCELLED' } });
    expect(sink.state).toBe('open');
    expect(read).toBeLessThan(INITIAL_CREDIT + 16 * B);
    await link.settled();
    expect([link.budget.used, link.client.active, link.server.connection.active]).toEqual([0, 0, 0]);
  });

  test.each(DIRECTIONS)('of the sending disk is told to the receiver of a %s', async (direction) => {
    await using link = await Link.open();
    const content = noise(4 * B);
    const failing = { read: async (into: Uint8Array, position: number) => {
      if (position === 2 * B) throw new Failure('IO', 'disk error EIO');
      return sourceOf(content).read(into, position);
    } };
    const sink = new ByteArraySink();
    const { sent, stored } = await move(link, direction, failing, sink);
    expect(sent).toMatchObject({ reason: { code: 'IO' } });
    expect(stored).toMatchObject({ reason: { code: direction === 'put' ? 'CANCELLED' : 'IO' } });
    expect(sink.state).toBe('open'); // what came is kept for another try
    await link.settled();
    expect([link.budget.used, link.client.active, link.server.connection.active]).toEqual([0, 0, 0]);
  });

  test.each(DIRECTIONS)('of the connection ends both sides of a %s', async (direction) => {
    await using link = await Link.open();
    const cutting = { read: async (into: Uint8Array, position: number) => {
      if (position === 3 * B) link.sockets.client.destroy();
      return into.byteLength;
    } };
    const { sent, stored } = await move(link, direction, cutting, new ByteArraySink());
    expect([sent, stored]).toMatchObject([{ reason: { code: 'LOST' } }, { reason: { code: 'LOST' } }]);
    expect(link.budget.used).toBe(0);
  });
});

describe('a receiver', () => {
  /** What a receiver says to words that no honest sender says. */
  async function answer(speak: (exchange: Awaited<ReturnType<Link['putting']>>['from']) => void, basis: Uint8Array = new Uint8Array()): Promise<{ failure: unknown; sink: ByteArraySink }> {
    await using link = await Link.open();
    const { from, to } = await link.putting();
    const sink = new ByteArraySink(basis);
    speak(from);
    const failure = await receive(to, sink).catch((error: unknown) => error);
    await expect((async () => { for (;;) await from.next(); })()).rejects.toMatchObject({ code: (failure as Failure).code });
    await link.settled(); // the connection is none the worse
    return { failure, sink };
  }

  test.each<readonly [string, (exchange: Parameters<Parameters<typeof answer>[0]>[0]) => void]>([
    ['with a gap', (exchange) => push(exchange, 10, 5)],
    ['twice', (exchange) => { push(exchange, 0, 5); push(exchange, 0, 5); }],
    ['backwards', (exchange) => { push(exchange, 0, 5); push(exchange, 3, 5); }],
  ])('refuses data %s', async (_what, speak) => {
    expect(await answer(speak)).toMatchObject({ failure: { code: 'PROTOCOL' }, sink: { state: 'open' } });
  });

  test.each([
    ['of what it does not hold', 0, 101],
    ['of nothing', 0, 0],
    ['out of order', 5, 10],
    ['beyond 2^53', 0, Number.MAX_SAFE_INTEGER],
  ])('refuses to keep bytes %s', async (_what, offset, length) => {
    const { failure } = await answer((exchange) => void exchange.sayBulk({ kind: 'keep', offset, length }, 18), noise(100));
    expect(failure).toMatchObject({ code: 'PROTOCOL' });
  });

  test('throws away what has another digest than was told', async () => {
    const { failure, sink } = await answer((exchange) => { push(exchange, 0, 5); exchange.say({ kind: 'commit', size: 5, digest: digestOf(noise(5)) }); });
    expect(failure).toMatchObject({ code: 'VERIFY', retry: true });
    expect(sink.state).toBe('discarded');
  });

  test('refuses another size than was told', async () => {
    const { failure, sink } = await answer((exchange) => { push(exchange, 0, 5); exchange.say({ kind: 'commit', size: 4, digest: digestOf(new Uint8Array(5)) }); });
    expect(failure).toMatchObject({ code: 'PROTOCOL' });
    expect(sink.state).toBe('open');
  });

  test('does not read on in what it holds when the sender has said all', async () => {
    await using link = await Link.open();
    class Slow extends ByteArraySink {
      override async readBasis(into: readonly Uint8Array[], position: number): Promise<number> {
        await new Promise(setImmediate); // as a disk does: the network gets its turn
        return super.readBasis(into, position);
      }
    }
    const sink = new Slow(new Uint8Array(500 * B));
    expect(await move(link, 'put', sourceOf(noise(5)), sink)).toMatchObject({ stored: { status: 'fulfilled' } });
    expect(sink.reads).toBeLessThan(500);
  });

  test('is done when the sender is, also when it has more digests to tell than there is credit for', async () => {
    await using link = await Link.open();
    const { from, to } = await link.getting();
    to.say({ kind: 'hashes', first: 0, digests: [] });
    while (link.client.machine.credit(to.id)! > 40_000) await to.sayBulk({ kind: 'hashes', first: 0, digests: Array.from({ length: 1000 }, () => new Uint8Array(32)) }, 33_100);
    const read = async (into: Uint8Array): Promise<number> => into.byteLength;
    const large = { basis: { size: 2 ** 40 }, inPlace: true, read, readBasis: async ([into]: readonly Uint8Array[]) => into!.byteLength, basisChanged: async () => false, write: async () => {}, commit: async () => {}, discard: async () => {} };
    const stored = receive(to, large);
    while (to.waitingSince === undefined || link.client.machine.credit(to.id)! > 3000) await new Promise(setImmediate);
    from.say({ kind: 'commit', size: 0, digest: digestOf(new Uint8Array()) });
    expect(await stored).toMatchObject({ size: 0 });
  });
});

describe('a sender', () => {
  test.each([
    ['that begin elsewhere', 1, 1],
    ['that are none', 0, 0],
  ])('refuses digests %s', async (_what, first, count) => {
    await using link = await Link.open();
    const { from, to } = await link.putting();
    to.say({ kind: 'hashes', first, digests: Array.from({ length: count }, () => new Uint8Array(32)) });
    await expect(send(from, sourceOf(noise(B)), { basis: B })).rejects.toMatchObject({ code: 'PROTOCOL' });
  });

  test('holds a few buffers, whatever the size of the file', async () => {
    await using link = await Link.open({ budget: new Budget(2 * B) });
    const buffers = new Set<ArrayBufferLike>();
    const source = { read: async (into: Uint8Array, position: number) => { buffers.add(into.buffer); return position < 30 * B ? into.byteLength : 0; } };
    await move(link, 'put', source, new ByteArraySink());
    expect([...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThanOrEqual(3 * B);
  });

  test('gives its buffers back, so that many small files take no new ones', async () => {
    await using link = await Link.open();
    const buffers = new Set<ArrayBufferLike>();
    const source = { read: async (into: Uint8Array) => { buffers.add(into.buffer); return 0; } };
    for (let file = 0; file < 30; file += 1) await move(link, 'put', source, new ByteArraySink());
    expect([...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThanOrEqual(3 * B);
  });
});
