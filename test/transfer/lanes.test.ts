import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BLOCK_BYTES, digestOf, hex } from '../../src/digest.ts';
import { Failure } from '../../src/errors.ts';
import type { Exchange } from '../../src/session/exchange.ts';
import { Lanes, MAX_LANES } from '../../src/transfer/lanes.ts';
import { send } from '../../src/transfer/send.ts';
import { DATA_HEAD_BYTES } from '../../src/wire/frame.ts';
import { LANE_KEY_BYTES } from '../../src/wire/messages.ts';
import { Link, push } from '../session/link.ts';
import { ByteArraySink, move, noise, sourceOf, type Direction } from './bytes.ts';

const DIRECTIONS: readonly Direction[] = ['put', 'get'];
const B = BLOCK_BYTES;
const KEY = new Uint8Array(LANE_KEY_BYTES);

/** One file on its way over a connection and lanes, each a connection of its own. */
class Road implements AsyncDisposable {
  readonly direction: Direction;
  readonly main: Link;
  readonly links: Link[] = [];
  readonly lanes = { from: new Lanes(), to: new Lanes() };
  /** How each lane ended, at its sender and at its receiver. */
  readonly ends: Promise<PromiseSettledResult<void>[]>[] = [];

  private constructor(direction: Direction, main: Link) {
    this.direction = direction;
    this.main = main;
  }

  static async open(direction: Direction): Promise<Road> {
    return new Road(direction, await Link.open());
  }

  /** One more lane, as `client/lanes.ts` and `doors/verbs.ts` make it; its ends. */
  async lane(): Promise<{ link: Link; client: Exchange; server: Exchange }> {
    const link = await Link.open();
    this.links.push(link);
    const client = link.client.request({ kind: this.direction === 'put' ? 'putLane' : 'getLane', key: KEY });
    const server = await link.server.next();
    server.say({ kind: 'lent' });
    await client.expect('lent');
    const [near, far] = this.direction === 'put' ? [this.lanes.from, this.lanes.to] : [this.lanes.to, this.lanes.from];
    this.ends.push(Promise.allSettled([this.#client(client, near), this.#server(server, far)]));
    return { link, client, server };
  }

  async #client(lane: Exchange, lanes: Lanes): Promise<void> {
    using _ends = lane;
    await lanes.join(lane);
    if (this.direction === 'put') return;
    lane.say({ kind: 'landed' });
    await lane.expect('done');
  }

  async #server(lane: Exchange, lanes: Lanes): Promise<void> {
    using _ends = lane;
    await lanes.join(lane);
    lane.say({ kind: 'done' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.ends);
    const all = [this.main, ...this.links];
    // What a lane has with its socket are slabs of the first connection: all have to be settled before any is looked at.
    for (const link of all) if (!link.client.over && !link.server.connection.over) await link.settled();
    for (const link of all) {
      expect([link.budget.used, link.client.active, link.server.connection.active]).toEqual([0, 0, 0]);
      await link[Symbol.asyncDispose]();
    }
  }
}

/** A gate that a source or a sink waits at. */
class Gate {
  open: () => void = () => {};
  readonly passed = new Promise<void>((resolve) => { this.open = resolve; });
}

/** A sink that says when so much was written. */
class CountingSink extends ByteArraySink {
  onWrite: () => void = () => {};
  override async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    await super.write(chunks, position);
    this.onWrite();
  }
}

/** A sink that keeps nothing, for so many writes that growing would take long. */
class Sinkhole extends CountingSink {
  override write(): Promise<void> {
    this.onWrite();
    return Promise.resolve();
  }
}

/** A source that hands out nothing from `held` on before the gate is open. */
function held(content: Uint8Array, at: number, gate: Gate): { read: (into: Uint8Array, position: number) => Promise<number> } {
  const source = sourceOf(content);
  return {
    async read(into, position) {
      if (position >= at) await gate.passed;
      return source.read(into, position);
    },
  };
}

describe.each(DIRECTIONS)('a %s over several connections', (direction) => {
  let road: Road;
  beforeEach(async () => { road = await Road.open(direction); });
  afterEach(async () => { await road[Symbol.asyncDispose](); });

  async function arrives(content: Uint8Array, sink: ByteArraySink, source = sourceOf(content)): Promise<number> {
    const { sent, stored } = await move(road.main, direction, source, sink, { size: content.byteLength, lanes: road.lanes });
    if (sent.status === 'rejected') throw sent.reason;
    if (stored.status === 'rejected') throw stored.reason;
    expect(hex(stored.value.digest)).toBe(hex(digestOf(content)));
    expect(sink.state).toBe('committed');
    expect(sink.bytes.equals(content)).toBe(true);
    return stored.value.kept;
  }

  /** Moves `content`, with `count` lanes that join before it goes on behind its first block. */
  async function arrivesOver(count: number, content: Uint8Array, sink = new ByteArraySink(), during?: (lanes: Awaited<ReturnType<Road['lane']>>[]) => Promise<void> | void): Promise<number> {
    const gate = new Gate();
    const arriving = arrives(content, sink, held(content, B, gate));
    const lanes = [];
    for (let lane = 0; lane < count; lane += 1) lanes.push(await road.lane());
    const doing = during?.(lanes);
    gate.open();
    const kept = await arriving;
    await doing;
    return kept;
  }

  test.each([1, 3, MAX_LANES])('%d further ones: arrives whole', async (count) => {
    await arrivesOver(count, noise(60 * B + 17));
    for (const end of road.ends) expect((await end).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
  });

  test('uses all of them', async () => {
    const used = new Set<Exchange>();
    await arrivesOver(3, noise(60 * B), undefined, (lanes) => {
      for (const { client, server } of lanes) {
        const receiver = direction === 'put' ? server : client;
        const deliver = receiver.deliver.bind(receiver);
        receiver.deliver = (received) => { if (received.kind === 'data') used.add(receiver); deliver(received); };
      }
    });
    expect(used.size).toBe(3);
  });

  test('keeps what is there, and sends the rest over all of them', async () => {
    const content = noise(40 * B + 5);
    const basis = Buffer.from(content);
    for (let block = 0; block < 40; block += 3) basis.fill(0, block * B, (block + 1) * B);
    const sink = new ByteArraySink(basis);
    const kept = await arrivesOver(3, content, sink);
    expect(kept).toBe(content.byteLength - 14 * B);
    expect(sink.written).toBe(14 * B);
  });

  test('a connection that breaks costs nothing but what was on its way over it', async () => {
    const sink = new CountingSink();
    await arrivesOver(3, noise(80 * B + 1), sink, async (lanes) => {
      await new Promise<void>((resolve) => { sink.onWrite = () => { if (sink.written > 20 * B) resolve(); }; });
      lanes[0]!.link.sockets.client.destroy();
      await new Promise<void>((resolve) => { sink.onWrite = () => { if (sink.written > 40 * B) resolve(); }; });
      lanes[1]!.link.sockets.server.destroy();
    });
    expect(sink.written).toBe(80 * B + 1); // what comes again is not written again
  });

  test('all of them but the first may break', async () => {
    const sink = new CountingSink();
    await arrivesOver(2, noise(60 * B), sink, async (lanes) => {
      await new Promise<void>((resolve) => { sink.onWrite = () => { if (sink.written > 10 * B) resolve(); }; });
      for (const { link } of lanes) link.sockets.server.destroy();
    });
  });

  test('when the first one breaks, all end', async () => {
    const sink = new CountingSink();
    const gate = new Gate();
    const moving = move(road.main, direction, held(noise(60 * B), 30 * B, gate), sink, { size: 60 * B, lanes: road.lanes });
    await road.lane();
    await new Promise<void>((resolve) => { sink.onWrite = () => { if (sink.written > 10 * B) resolve(); }; });
    road.main.sockets.client.destroy();
    gate.open();
    const { sent, stored } = await moving;
    expect(sent).toMatchObject({ reason: { code: 'LOST' } });
    expect(stored).toMatchObject({ reason: { code: 'LOST' } });
    for (const end of await Promise.all(road.ends)) expect(end.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(sink.state).toBe('open');
  });

  test('one that is not wanted any more ends when all on its way has arrived', async () => {
    const sink = new CountingSink();
    await arrivesOver(2, noise(60 * B), sink, async (lanes) => {
      await new Promise<void>((resolve) => { sink.onWrite = () => { if (sink.written > 10 * B) resolve(); }; });
      const { client } = lanes[0]!;
      if (direction === 'put') road.lanes.from.leave(client);
      else client.say({ kind: 'enough' });
      expect((await road.ends[0]!).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    });
    expect(sink.written).toBe(60 * B);
  });

  test('a disk that fails ends all of them, and both sides hear of it', async () => {
    class Full extends CountingSink {
      override async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
        if (position >= 20 * B) throw new Failure('NOSPACE', 'no space left on the disk');
        await super.write(chunks, position);
      }
    }
    const gate = new Gate();
    const moving = move(road.main, direction, held(noise(60 * B), B, gate), new Full(), { size: 60 * B, lanes: road.lanes });
    await road.lane();
    await road.lane();
    gate.open();
    const { sent, stored } = await moving;
    expect(stored).toMatchObject({ reason: { code: 'NOSPACE' } });
    expect(sent).toMatchObject({ reason: { code: direction === 'put' ? 'NOSPACE' : 'CANCELLED' } });
  });

  test('one that comes too late is told so', async () => {
    await arrives(noise(3 * B), new ByteArraySink());
    await road.lane();
    expect(await road.ends[0]).toMatchObject([{ reason: { code: 'NOTFOUND' } }, { reason: { code: 'NOTFOUND' } }]);
  });
});

test('a sender that has failed is done when its source is not read any more, for what a lane had lost either', async () => {
  await using main = await Link.open();
  const { from } = await main.putting(); // nobody takes what comes: it soon waits for credit
  const again = new Gate();
  const ready = new Gate();
  let furthest = -1;
  const source = { read: async (into: Uint8Array, position: number) => {
    if (position <= furthest) {
      again.open();
      await ready.passed;
    }
    furthest = Math.max(furthest, position);
    return into.byteLength;
  } };
  const lanes = new Lanes();
  let over = false;
  const sending = send(from, source, { basis: 0, lanes }).finally(() => { over = true; });
  sending.catch(() => {}); // looked at below
  const lane = async (): Promise<{ link: Link; client: Exchange; server: Exchange; joined: Promise<unknown> }> => {
    const link = await Link.open();
    const client = link.client.request({ kind: 'putLane', key: KEY });
    const server = await link.server.next();
    server.say({ kind: 'lent' });
    await client.expect('lent');
    return { link, client, server, joined: lanes.join(client).catch(() => {}) };
  };
  const lost = await lane();
  await lost.server.next();
  const quick = await lane();
  const taking = (async () => { for (;;) quick.server.consumed((await quick.server.next()).bulk); })().catch(() => {});
  lost.link.sockets.client.destroy();
  await again.passed;
  from.cancel(new Failure('CANCELLED', 'not wanted any more'));
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => { setImmediate(resolve); });
  expect(over).toBe(false);
  ready.open();
  await expect(sending).rejects.toMatchObject({ code: 'CANCELLED' });
  from[Symbol.dispose]();
  await Promise.all([lost.joined, quick.joined]);
  for (const { link } of [lost, quick]) await link[Symbol.asyncDispose]();
  await taking;
});

describe('a sender that lies', () => {
  test.each([
    ['leaves tens of thousands of gaps', async (lane: Exchange) => {
      for (let at = 1; at < 40_000; at += 1) {
        await lane.room(9);
        push(lane, 2 * B + at * 10, 1);
      }
    }],
    ['sends more than there is to come', async (lane: Exchange) => { push(lane, 90 * B, B); }],
  ])('and %s over a lane ends the transfer', async (_what, lie) => {
    await using road = await Road.open('put');
    const gate = new Gate();
    const sink = new Sinkhole();
    const first = new Promise<void>((resolve) => { sink.onWrite = resolve; });
    const moving = move(road.main, 'put', held(noise(60 * B), B, gate), sink, { size: 60 * B, lanes: road.lanes });
    const link = await Link.open();
    road.links.push(link);
    const liar = link.client.request({ kind: 'putLane', key: KEY });
    const server = await link.server.next();
    server.say({ kind: 'lent' });
    await liar.expect('lent');
    const joined = road.lanes.to.join(server);
    await first;
    const lying = lie(liar).catch(() => {}); // cut short
    await expect(joined).rejects.toMatchObject({ code: expect.stringMatching(/PROTOCOL|CHANGED/) });
    gate.open();
    const { stored } = await moving;
    expect(stored).toMatchObject({ reason: { code: expect.stringMatching(/PROTOCOL|CHANGED/) } });
    expect(sink.state).toBe('open');
    server[Symbol.dispose]();
    liar[Symbol.dispose]();
    await lying;
    await link.settled();
  });
});

test.each([
  ['the same bytes', true],
  ['other bytes', false],
])('what comes over two lanes in part, %s, is taken once, and what came first decides', async (_what, same) => {
  await using road = await Road.open('put');
  const gate = new Gate();
  const content = noise(4 * B);
  const sink = new CountingSink();
  const first = new Promise<void>((resolve) => { sink.onWrite = resolve; });
  const moving = move(road.main, 'put', held(content, B, gate), sink, { size: 4 * B, lanes: road.lanes });
  const link = await Link.open();
  road.links.push(link);
  const lane = link.client.request({ kind: 'putLane', key: KEY });
  const server = await link.server.next();
  server.say({ kind: 'lent' });
  await lane.expect('lent');
  const joined = road.lanes.to.join(server);
  await first;
  // Of the frame, the first half has come already, and the second will come again.
  const frame = Buffer.alloc(DATA_HEAD_BYTES + B);
  if (same) frame.set(content.subarray(B / 2, B + B / 2), DATA_HEAD_BYTES);
  await lane.room(B + 8);
  lane.data(frame, B / 2, B, () => {});
  lane.say({ kind: 'finish' });
  await joined;
  server[Symbol.dispose]();
  lane[Symbol.dispose]();
  gate.open();
  const { stored } = await moving;
  if (same) expect(sink.bytes.equals(content)).toBe(true);
  else expect(stored).toMatchObject({ reason: { code: 'VERIFY' } });
  expect(sink.state).toBe(same ? 'committed' : 'discarded');
  await link.settled();
});
