/** Files that replace an older version: only what is new in them travels, wherever it is. */
import { describe, expect, test } from 'vitest';
import { digestOf, hex } from '../../src/digest.ts';
import { Failure } from '../../src/errors.ts';
import { receive } from '../../src/transfer/receive.ts';
import { blockFor } from '../../src/transfer/rolling.ts';
import { send } from '../../src/transfer/send.ts';
import { SKETCH_BYTES, type Message } from '../../src/wire/messages.ts';
import type { Exchange } from '../../src/session/exchange.ts';
import { Link, push } from '../session/link.ts';
import { ByteArraySink, move, noise, sourceOf, type Direction } from './bytes.ts';

const DIRECTIONS: readonly Direction[] = ['put', 'get'];
const MIB = 1 << 20;
/** The smallest blocks: those of all files here. */
const S = 16 << 10;

/** Moves `content` over `old`, sees that it arrived whole, and says how many bytes of it travelled. */
async function sentOf(direction: Direction, content: Uint8Array, old: Uint8Array, inPlace = false): Promise<number> {
  await using link = await Link.open();
  const sink = new ByteArraySink(old, inPlace);
  const { sent, stored } = await move(link, direction, sourceOf(content), sink, { size: content.byteLength, blockSize: S });
  if (sent.status === 'rejected') throw sent.reason;
  if (stored.status === 'rejected') throw stored.reason;
  expect(sink.state).toBe('committed');
  expect(sink.bytes.equals(content)).toBe(true);
  expect(hex(stored.value.digest)).toBe(hex(digestOf(content)));
  expect(sent.value.kept).toBe(stored.value.kept);
  await link.settled();
  expect([link.budget.used, link.client.active, link.server.connection.active]).toEqual([0, 0, 0]);
  return content.byteLength - stored.value.kept;
}

const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

/** `old` with other bytes at some places. */
function patched(old: Uint8Array, places: readonly number[], size: number): Uint8Array {
  const bytes = Uint8Array.from(old);
  for (const [seed, place] of places.entries()) bytes.set(noise(size, seed + 77), place);
  return bytes;
}

const old = noise(6 * MIB + 1234, 5);

describe.each(DIRECTIONS)('a %s over an older version', (direction) => {
  test.each([[false, 'copied'], [true, 'in place']])('that is the same sends nothing, however long it is (%s: what is kept is %s)', async (inPlace) => {
    for (const size of [MIB, MIB + 1, 6 * MIB - 1, old.byteLength]) expect(await sentOf(direction, old.subarray(0, size), old.subarray(0, size), inPlace)).toBe(0);
  });

  test.each([[false, 'copied'], [true, 'in place']])('sends the blocks that changed, and no more (%s: what is kept is %s)', async (inPlace) => {
    const places = [3 * S + 5, 10 * S, 11 * S + 100, 60 * S + 1, 300 * S];
    expect(await sentOf(direction, patched(old, places, 4096), old, inPlace)).toBe(5 * S);
    expect(await sentOf(direction, patched(old, [2 * MIB - 777], MIB), old, inPlace)).toBeLessThanOrEqual(MIB + 2 * S);
    expect(await sentOf(direction, patched(old, [old.byteLength - 10], 10), old, inPlace)).toBeLessThanOrEqual(S);
  });

  test.each([
    ['put in front', joined(noise(1000, 9), old), 1000],
    ['put in the middle', joined(old.subarray(0, 3 * MIB + 5), noise(1000, 9), old.subarray(3 * MIB + 5)), 1000 + S],
    ['put behind', joined(old, noise(100_000, 9)), 100_000 + S],
    ['taken off the front', old.subarray(1000), S],
    ['taken off the front, more than is told ahead,', old.subarray(5 * MIB + 1), S],
    ['taken out of the middle', joined(old.subarray(0, 2 * MIB + 5), old.subarray(4 * MIB + 9)), 2 * S],
    ['taken off the end', old.subarray(0, 2 * MIB + 5), S],
    ['moved', joined(old.subarray(3 * MIB), old.subarray(0, 3 * MIB)), S],
    ['swapped and repeated', joined(old.subarray(4 * MIB, 5 * MIB), old.subarray(0, 2 * MIB), old.subarray(0, 2 * MIB)), 2 * S],
  ])('finds what is old in what was %s', async (_what, content, most) => {
    expect(await sentOf(direction, content, old)).toBeLessThanOrEqual(most);
    expect(await sentOf(direction, content, old, true)).toBeLessThanOrEqual(most);
  });

  test('of which nothing is old sends all', async () => {
    for (const size of [0, 1, 31, S - 1, S, MIB + 1, 7 * MIB]) expect(await sentOf(direction, noise(size, 8), old)).toBe(size);
  });

  test('gives up looking when nothing is alike for long, and goes on as if there were no older version', async () => {
    const large = noise(70 * MIB + 99, 8);
    // What comes late is not found any more.
    expect(await sentOf(direction, joined(large, old.subarray(0, 3 * MIB)), old)).toBe(large.byteLength + 3 * MIB);
  });

  test('full of zeros, or of one short pattern, is no more work than any other', async () => {
    const zeros = new Uint8Array(4 * MIB);
    const pattern = Uint8Array.from({ length: 4 * MIB }, (_, at) => 'abcdefg'.charCodeAt(at % 7));
    expect(await sentOf(direction, zeros, zeros)).toBe(0);
    expect(await sentOf(direction, patched(zeros, [MIB + 5], 100), zeros)).toBeLessThanOrEqual(S);
    expect(await sentOf(direction, patched(pattern, [MIB + 5], 100), pattern)).toBeLessThanOrEqual(2 * S);
    expect(await sentOf(direction, joined(zeros.subarray(0, 1000), pattern), zeros)).toBeGreaterThan(0);
  });

  test('that changes under the receiver is refused, and the same again helps', async () => {
    await using link = await Link.open();
    class Changing extends ByteArraySink {
      override async basisChanged(): Promise<boolean> { return true; }
      override async readBasis(into: readonly Uint8Array[], position: number): Promise<number> {
        const size = await super.readBasis(into, position);
        if (position + into[0]!.byteLength >= old.byteLength) this.old = noise(old.byteLength, 3); // all was told
        return size;
      }
    }
    const sink = new Changing(Uint8Array.from(old), false);
    const { stored } = await move(link, direction, sourceOf(old), sink, { blockSize: S });
    expect(stored).toMatchObject({ reason: { code: 'BUSY', retry: true, message: 'the file that is to be replaced was changed by somebody else meanwhile' } });
    expect(sink.state).toBe('open');
  });

  test('that becomes shorter under the receiver does not leave the sender waiting', async () => {
    await using link = await Link.open();
    const sink = new ByteArraySink(old, false);
    sink.old = old.subarray(0, 2 * MIB + 5);
    const { stored } = await move(link, direction, sourceOf(old), sink, { blockSize: S });
    expect(stored).toMatchObject({ status: 'fulfilled' });
    expect(sink.bytes.equals(old)).toBe(true);
  });

  test('whose disk fails while what is kept is copied fails with that, and nothing is written any more', async () => {
    await using link = await Link.open();
    class Full extends ByteArraySink {
      override async write(): Promise<void> { throw new Failure('NOSPACE', 'no space left on the disk'); }
    }
    const { stored } = await move(link, direction, sourceOf(old), new Full(old, false), { blockSize: S });
    expect(stored).toMatchObject({ reason: { code: 'NOSPACE' } });
    await link.settled();
    expect(link.budget.used).toBe(0);
  });
});

describe('blocks of an older version', () => {
  test('are as small as 65,536 of them allow, and of 64 GiB at most', () => {
    expect([1, 1 << 30, (1 << 30) + 1, 2 ** 36, 2 ** 36 + 1].map(blockFor)).toEqual([S, S, 2 * S, MIB, undefined]);
  });
});

describe('a receiver that copies what is kept', () => {
  async function refusal(speak: (exchange: Exchange, told: () => Promise<void>) => Promise<void>): Promise<unknown> {
    await using link = await Link.open();
    const { from, to } = await link.putting();
    const receiving = receive(to, new ByteArraySink(old, false), { blockSize: S }).catch((error: unknown) => error);
    // All is told when the last block is.
    const told = async (): Promise<void> => {
      for (let blocks = 0; blocks < Math.ceil(old.byteLength / S);) {
        const received = await from.next();
        if (received.kind === 'message' && received.message.kind === 'hashes') blocks += received.message.sketches!.byteLength / SKETCH_BYTES;
      }
    };
    await speak(from, told);
    return await receiving;
  }

  test.each([
    ['more than it holds', { offset: 0, length: old.byteLength + 1 }],
    ['from beyond what it holds', { offset: 0, length: 1, from: old.byteLength }],
    ['from beyond 2^53', { offset: 0, length: 2, from: Number.MAX_SAFE_INTEGER - 1 }],
    ['nothing', { offset: 0, length: 0, from: 5 }],
    ['what leaves a gap', { offset: 5, length: 5, from: 5 }],
  ])('refuses to keep %s', async (_what, keep) => {
    expect(await refusal(async (exchange, told) => {
      await told();
      await exchange.sayBulk({ kind: 'keep', ...keep }, 27);
    })).toMatchObject({ code: 'PROTOCOL' });
  });

  test('refuses to keep what it has not told of', async () => {
    await using link = await Link.open();
    const { from, to } = await link.putting();
    class Large extends ByteArraySink {
      override readonly basis = { size: 2 ** 36 };
      override async readBasis([into]: readonly Uint8Array[]): Promise<number> {
        await new Promise(setImmediate); // as a disk does: the network gets its turn
        return into!.byteLength;
      }
    }
    const receiving = receive(to, new Large(), { blockSize: MIB });
    await from.sayBulk({ kind: 'keep', offset: 0, length: 2 ** 36 }, 27);
    await expect(receiving).rejects.toMatchObject({ code: 'PROTOCOL' });
  });

  test('refuses to keep bytes where there are some already', async () => {
    expect(await refusal(async (exchange, told) => {
      await told();
      push(exchange, 0, 10);
      await exchange.sayBulk({ kind: 'keep', offset: 5, length: 10 }, 27);
    })).toMatchObject({ code: 'PROTOCOL' });
  });

  test('keeps a part, where the whole is not what was meant: the next try finds out which block is wrong', async () => {
    await using link = await Link.open();
    const { from, to } = await link.putting();
    const sink = new ByteArraySink(old, false);
    const receiving = receive(to, sink, { blockSize: S });
    for (let first = 0; first === 0;) {
      const received = await from.next();
      if (received.kind === 'message' && received.message.kind === 'hashes') first = received.message.sketches!.byteLength;
    }
    await from.sayBulk({ kind: 'keep', offset: 0, length: S, from: S }, 27);
    from.say({ kind: 'commit', size: S, digest: digestOf(old.subarray(0, S)) });
    await expect(receiving).rejects.toMatchObject({ code: 'VERIFY', retry: true });
    expect(sink.state).toBe('open');
  });
});

describe('a sender that is told blocks', () => {
  async function refusal(hashes: Omit<Message<'hashes'>, 'kind'>, basis: number, blockSize: number): Promise<unknown> {
    await using link = await Link.open();
    const { from, to } = await link.putting();
    to.say({ kind: 'hashes', ...hashes });
    return await send(from, sourceOf(noise(MIB)), { basis, blockSize }).catch((error: unknown) => error);
  }
  const blocks = (count: number): Uint8Array => new Uint8Array(count * SKETCH_BYTES);

  test.each([
    ['that begin elsewhere', { first: 1, digests: [], sketches: blocks(1) }],
    ['that are too many', { first: 0, digests: [], sketches: blocks(65) }],
    ['that are cut', { first: 0, digests: [], sketches: new Uint8Array(SKETCH_BYTES + 1) }],
    ['by digests of the other kind', { first: 0, digests: [new Uint8Array(32)] }],
    ['in both ways', { first: 0, digests: [new Uint8Array(32)], sketches: blocks(1) }],
  ])('refuses those %s', async (_what, hashes) => {
    expect(await refusal(hashes, MIB, S)).toMatchObject({ code: 'PROTOCOL' });
  });

  test.each([[0, MIB], [S - 1, MIB], [S / 2, MIB], [3 * S, MIB], [2 * MIB, MIB], [S, 2 ** 31], [MIB, 2 ** 36 + 1], [MIB, Number.MAX_SAFE_INTEGER]])('refuses blocks of %d bytes of %d', async (blockSize, basis) => {
    expect(await refusal({ first: 0, digests: [], sketches: blocks(1) }, basis, blockSize)).toMatchObject({ code: 'PROTOCOL' });
  });

  test('is not misled by lies: what it keeps for them does not pass for what it sent', async () => {
    await using link = await Link.open();
    const { from, to } = await link.putting();
    const content = noise(MIB);
    const sketches = Buffer.alloc(SKETCH_BYTES * 64);
    for (let block = 0; block < 64; block += 1) sketches.set(digestOf(content.subarray(0, S)).subarray(0, 10), block * SKETCH_BYTES + 4);
    to.say({ kind: 'hashes', first: 0, digests: [], sketches });
    const sent = await send(from, sourceOf(content), { basis: MIB, blockSize: S });
    expect([sent.size, hex(sent.digest), sent.kept]).toEqual([MIB, hex(digestOf(content)), S]);
  });
});
