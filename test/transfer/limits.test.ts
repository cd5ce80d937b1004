/** What a transfer waits for, on real connections: one end is held, and this end has to name it. Only the clock is the test's. */
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { BLOCK_BYTES } from '../../src/digest.ts';
import type { Exchange } from '../../src/session/exchange.ts';
import { INITIAL_CREDIT } from '../../src/session/machine.ts';
import { Waits, type Limit } from '../../src/session/waits.ts';
import { receive } from '../../src/transfer/receive.ts';
import { send } from '../../src/transfer/send.ts';
import type { ByteSource } from '../../src/transfer/readahead.ts';
import { Link } from '../session/link.ts';
import { ByteArraySink, noise, sourceOf } from './bytes.ts';

/** More than the credit. */
const CONTENT = noise(INITIAL_CREDIT + 8 * BLOCK_BYTES);

/** A gate, shut until it is opened. */
class Gate {
  readonly passed: Promise<void>;
  open!: () => void;

  constructor() {
    this.passed = new Promise((resolve) => { this.open = resolve; });
  }
}

/** A source that has its first bytes at once, and the rest behind a gate. */
function heldSource(gate: Gate): ByteSource {
  const { read } = sourceOf(CONTENT);
  return { read: async (into, position) => {
    if (position >= 2 * BLOCK_BYTES) await gate.passed;
    return read(into, position);
  } };
}

/** A sink that writes nothing before a gate is open. */
class HeldSink extends ByteArraySink {
  readonly #gate: Gate;

  constructor(gate: Gate) {
    super();
    this.#gate = gate;
  }

  override async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    await this.#gate.passed;
    await super.write(chunks, position);
  }
}

/** Counts the waits of one exchange, second by second, until they say what is wanted; in vain until the test is over. */
async function see(exchange: Exchange, wanted: Limit): Promise<void> {
  let now = 0;
  const waits = new Waits({ now: () => now, busy: () => 0, computed: () => 0 });
  exchange.watch(waits);
  do {
    await turn();
    now += 1000;
  } while (waits.limit() !== wanted);
}

async function sendAll(exchange: Exchange, source: ByteSource): Promise<void> {
  const { size, digest } = await send(exchange, source, { basis: 0 });
  exchange.say({ kind: 'commit', size, digest });
}

async function arrives(sink: ByteArraySink, all: readonly Promise<unknown>[]): Promise<void> {
  await Promise.all(all);
  expect(sink.bytes.equals(CONTENT)).toBe(true);
}

describe('a put', () => {
  test('waits for the disk here when its source has nothing', async () => {
    await using link = await Link.open();
    const { from, to } = await link.putting();
    const [gate, sink] = [new Gate(), new ByteArraySink()];
    const waits = see(from, 'disk');
    const all = [sendAll(from, heldSource(gate)), receive(to, sink)];
    await waits;
    gate.open();
    await arrives(sink, all);
  });

  test('waits for the server when its disk takes nothing', async () => {
    await using link = await Link.open();
    const { from, to } = await link.putting();
    const gate = new Gate();
    const sink = new HeldSink(gate);
    const waits = see(from, 'server');
    const all = [sendAll(from, sourceOf(CONTENT)), receive(to, sink)];
    await waits;
    gate.open();
    await arrives(sink, all);
  });

  test('waits for the network when the socket takes nothing', async () => {
    await using link = await Link.open();
    const [sinks, all]: [ByteArraySink[], Promise<unknown>[]] = [[], []];
    // Several have more credit than any socket has room for.
    const puts = [await link.putting(), await link.putting(), await link.putting(), await link.putting()];
    link.sockets.server.pause();
    const waits = see(puts[0]!.from, 'network');
    for (const { from, to } of puts) {
      const sink = new ByteArraySink();
      sinks.push(sink);
      all.push(sendAll(from, sourceOf(CONTENT)), receive(to, sink));
    }
    await waits;
    link.sockets.server.resume();
    for (const sink of sinks) await arrives(sink, all);
  });

  test('waits for the network or the server when nothing says which', async () => {
    await using link = await Link.open();
    const { from } = await link.putting();
    link.sockets.server.pause();
    const word = from.expect('stored');
    await see(from, 'peer');
    from[Symbol.dispose]();
    await expect(word).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('a get', () => {
  test('waits for the disk here when that takes nothing', async () => {
    await using link = await Link.open();
    const { from, to } = await link.getting();
    const gate = new Gate();
    const sink = new HeldSink(gate);
    const waits = see(to, 'disk');
    const all = [sendAll(from, sourceOf(CONTENT)), receive(to, sink)];
    await waits;
    gate.open();
    await arrives(sink, all);
  });

  test('waits for the server when its disk has nothing', async () => {
    await using link = await Link.open();
    const { from, to } = await link.getting();
    const [gate, sink] = [new Gate(), new ByteArraySink()];
    const waits = see(to, 'server');
    const all = [sendAll(from, heldSource(gate)), receive(to, sink)];
    await waits;
    gate.open();
    await arrives(sink, all);
  });
});

test('an exchange that is over waits for nothing', async () => {
  await using link = await Link.open();
  const { from } = await link.putting();
  let now = 0;
  const waits = new Waits({ now: () => now, busy: () => 0, computed: () => 0 });
  from.watch(waits);
  const word = from.expect('stored');
  from[Symbol.dispose]();
  await expect(word).rejects.toMatchObject({ code: 'CANCELLED' });
  now += 1000;
  expect(waits.limit()).toBeUndefined();
});
