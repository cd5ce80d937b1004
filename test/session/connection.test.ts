import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { Budget } from '../../src/session/budget.ts';
import type { Exchange } from '../../src/session/exchange.ts';
import { FRAME_COST, INITIAL_CREDIT, MAX_EXCHANGES } from '../../src/session/machine.ts';
import { PIECE_BYTES } from '../../src/session/slabs.ts';
import { DATA_HEAD_BYTES, FrameDecoder, MAX_BODY, writeDataHead } from '../../src/wire/frame.ts';
import { encodeMessage, kindOf, type Kind, type Message } from '../../src/wire/messages.ts';
import { Link, pair, push, Served, stranger } from './link.ts';
import { AUTH, dataFrame, frameOf, HELLO } from './speakers.ts';

const MIB = 1 << 20;
/** What a DATA frame with 1 MiB costs. */
const COST = MIB + 8 + FRAME_COST;
const failing = (code: string): unknown => expect.objectContaining({ name: 'Failure', code });

/** The bulk bytes of the next `count` things that arrive. */
async function take(exchange: Exchange, count: number): Promise<number[]> {
  const bulk: number[] = [];
  while (bulk.length < count) bulk.push((await exchange.next()).bulk);
  return bulk;
}

describe('a request', () => {
  test('is answered on its own exchange, whatever else runs', async () => {
    await using link = await Link.open({
      onRequest: (exchange, message) => exchange.say({ kind: 'entry', entry: { name: (message as Message<'stat'>).path, kind: 'file', size: 1, mtime: 2, mode: 3 } }),
    });
    const names = Array.from({ length: 100 }, (_, number) => `file ${number}`);
    const answers = await Promise.all(names.map(async (path) => {
      using exchange = link.client.request({ kind: 'stat', path });
      return (await exchange.expect('entry')).entry?.name;
    }));
    expect(answers).toEqual(names);
    expect([link.client.active, link.server.connection.active]).toEqual([0, 0]);
  });

  test('that fails tells the client why, and nothing else suffers', async () => {
    await using link = await Link.open();
    using exchange = link.client.request({ kind: 'usage', path: 'x' });
    (await link.server.next()).cancel(new Failure('NOTFOUND', 'no such file', { path: 'x' }));
    await expect(exchange.expect('used')).rejects.toMatchObject({ code: 'NOTFOUND', message: 'no such file', path: 'x' });
    await link.settled();
  });

  test('too many is refused here, where it costs nobody the connection', async () => {
    await using link = await Link.open();
    const all = Array.from({ length: MAX_EXCHANGES }, () => link.client.request({ kind: 'space' }));
    expect(() => link.client.request({ kind: 'space' })).toThrow(failing('LIMIT'));
    for (const exchange of all) (await link.server.next()).say({ kind: 'room', free: exchange.id, total: 0 });
    for (const exchange of all) expect((await exchange.expect('room')).free).toBe(exchange.id);
    await link.settled();
  });
});

describe('a receiver', () => {
  test('that takes nothing stops its sender at the credit, and lets it go on by as much as it has taken', async () => {
    await using link = await Link.open();
    const { from, to } = await link.putting();
    const most = Math.floor(INITIAL_CREDIT / COST);
    for (let number = 0; number < most; number += 1) {
      await from.room(MIB + 8);
      push(from, number * MIB, MIB);
    }
    let room = false;
    const more = from.room(MIB + 8).then(() => { room = true; });
    const bulk = await take(to, most);
    await link.settled();
    expect([room, bulk.length]).toEqual([false, most]);
    for (const each of bulk.slice(0, 2)) to.consumed(each);
    await more;
    push(from, most * MIB, MIB);
    expect(await take(to, 1)).toEqual([COST]);
    expect(link.budget.used).toBe((most - 1) * COST);
  });

  test('of another exchange is not held up by it', async () => {
    await using link = await Link.open();
    const { from } = await link.putting();
    while (link.client.machine.credit(from.id)! >= COST) push(from, 0, MIB);
    const second = await link.putting();
    push(second.from, 0, MIB);
    expect(await take(second.to, 1)).toEqual([COST]);
  });
});

describe('a peer that does not read', () => {
  test('is not sent more than a little, however much credit it gives', async () => {
    let sent = 0;
    const { socket, served } = await stranger({
      limits: { progressMs: 150, unreadMs: 150 },
      onRequest: (exchange) => {
        void (async () => { for (;; sent += 1) await exchange.batch(new Uint8Array(MIB)); })().catch(() => {});
        void (async () => { for (;; sent += 0.1) await exchange.sayBulk({ kind: 'problems', problems: [], skipped: 0 }, 100); })().catch(() => {});
      },
    }, true, 2 ** 31 - 1);
    socket.pause();
    socket.write(encodeMessage(1, { kind: 'getTree', path: '', exclude: [] }));
    await expect(served.end).resolves.toMatchObject({ code: 'TIMEOUT' });
    expect(sent).toBeLessThan(64); // what fits into the buffers of two sockets
    socket.destroy();
  });

  test('D3: stops being read, and is ended, when it asks and asks', async () => {
    const budget = new Budget();
    const { socket, served } = await stranger({ limits: { progressMs: 150, unreadMs: 150 }, budget }, true);
    socket.pause();
    const pings = Buffer.concat(Array.from({ length: 50_000 }, () => encodeMessage(0, { kind: 'ping', token: 1 })));
    const more = (): void => { if (!socket.destroyed) socket.write(pings, more); };
    more();
    await expect(served.end).resolves.toMatchObject({ code: 'TIMEOUT', message: 'the other side takes nothing any more' });
    socket.destroy();
  });

  test('D3: is read no further than until some MiB of answers wait for it, however much it asks', async () => {
    const { socket, far, served } = await stranger({}, true);
    socket.pause();
    const paused = once(far, 'pause');
    const pings = Buffer.concat(Array.from({ length: MIB / 16 }, () => encodeMessage(0, { kind: 'ping', token: 1 })));
    const all = 64 * MIB;
    for (let sent = 0; sent < all; sent += pings.byteLength) socket.write(pings);
    await Promise.race([paused, new Promise<void>((written) => { socket.write(encodeMessage(0, { kind: 'ping', token: 1 }), () => written()); })]);
    expect(far.isPaused()).toBe(true);
    // The answers that wait, and what the buffers of two sockets took of them.
    expect(far.bytesRead).toBeLessThan(all / 2);
    for (const one of [socket, far]) one.destroy();
    await served.end;
  });

  test('does not keep a waiting sender from its turn when others before it have failed', async () => {
    await using link = await Link.open();
    const [full, first, second, third] = [await link.putting(), await link.putting(), await link.putting(), await link.putting()];
    link.sockets.server.pause();
    // Until two frames are on their way that the sockets' buffers have no room for.
    for (let pushed = 0; pushed - link.sockets.client.bytesWritten <= MIB + 20; pushed += MIB + 20) {
      push(full.from, 0, MIB);
      await new Promise(setImmediate);
    }
    const waits = [first, second, third].map(({ from }) => from.room(MIB + 8));
    first.from.cancel(new Failure('CANCELLED', 'no more'));
    second.from.cancel(new Failure('CANCELLED', 'no more'));
    const outcome = Promise.allSettled(waits);
    link.sockets.server.resume();
    expect((await outcome).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  });
});

describe('a cancel', () => {
  test('reaches the server, and with its last word both sides have forgotten the exchange', async () => {
    await using link = await Link.open();
    const { from, to } = await link.putting();
    push(from, 0, MIB);
    await take(to, 1);
    from.cancel(new Failure('CANCELLED', 'no more'));
    await expect(to.next()).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(to.signal.aborted).toBe(true);
    expect(link.budget.used).toBe(0);
    to.cancel(new Failure('IO', 'whatever the server makes of it'));
    await link.settled();
    expect([link.client.active, link.server.connection.active]).toEqual([0, 0]);
    expect([link.client.machine.open, link.server.connection.machine.open]).toEqual([0, 0]);
  });

  test('many times over does not use up the connection', async () => {
    await using link = await Link.open({ onRequest: (exchange, { kind }) => {
      if (kind === 'stat') exchange.say({ kind: 'entry' });
      else void exchange.next().catch((error: unknown) => exchange.cancel(Failure.from(error)));
    } });
    for (let round = 0; round < 2 * MAX_EXCHANGES; round += 1) {
      link.client.request({ kind: 'putTree', path: '', level: 'visible', ifAbsent: false })[Symbol.dispose]();
      if (round % 100 === 0) await link.settled();
    }
    await link.settled();
    expect([link.client.active, link.server.connection.active]).toEqual([0, 0]);
  });

  test('by the server ends what the client waits for', async () => {
    await using link = await Link.open();
    const { from, to } = await link.putting();
    while (link.client.machine.credit(from.id)! >= COST) push(from, 0, MIB);
    const room = from.room(MIB + 8);
    to.cancel(new Failure('NOSPACE', 'no space left'));
    await expect(room).rejects.toMatchObject({ code: 'NOSPACE' });
    await link.settled();
    expect([link.budget.used, link.server.connection.active]).toEqual([0, 0]);
  });

  test('that nobody said happens when an exchange is left before its end', async () => {
    await using link = await Link.open();
    const { from, to } = await link.putting();
    from[Symbol.dispose]();
    await expect(to.next()).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('a connection that is cut', () => {
  test.each(['client', 'server'] as const)('at the %s fails every exchange with LOST, and gives up what they held', async (side) => {
    await using link = await Link.open();
    const [put, get] = [await link.putting(), await link.getting()];
    push(put.from, 0, MIB);
    await take(put.to, 1);
    const waits = [put.from.next(), put.to.next(), get.from.next(), get.to.next()];
    const outcomes = Promise.allSettled(waits);
    link.sockets[side].destroy();
    expect(await outcomes).toMatchObject(waits.map(() => ({ status: 'rejected', reason: { code: 'LOST', retry: true } })));
    expect(await Promise.all([link.end, link.server.end])).toMatchObject([{ code: 'LOST' }, { code: 'LOST' }]);
    expect(() => link.client.request({ kind: 'space' })).toThrow(failing('LOST'));
    expect(link.budget.used).toBe(0);
  });

  test('in the middle of a frame gives up what was reserved for it', async () => {
    const budget = new Budget();
    const { socket, served } = await stranger({ budget }, true);
    socket.write(encodeMessage(1, { kind: 'put', path: 'x', mtime: 0, mode: 0, level: 'visible', ifAbsent: false }));
    (await served.next()).say({ kind: 'accept', holds: 'none', basis: 0 });
    socket.write(Buffer.concat([dataFrame(1, 0, new Uint8Array(10)), dataFrame(1, 10, new Uint8Array(MIB)).subarray(0, 5000)]));
    while (budget.used < COST) await new Promise(setImmediate); // until the second head has been read
    socket.destroy();
    await served.end;
    expect(budget.used).toBe(0);
  });
});

describe('silence', () => {
  /** The kinds of messages that come out of a socket. */
  async function* words(socket: AsyncIterable<Buffer>): AsyncGenerator<Kind> {
    const decoder = new FrameDecoder();
    decoder.limit = MAX_BODY;
    for await (const chunk of socket) {
      for (const event of decoder.push(chunk)) {
        const kind = event.kind === 'frame' ? kindOf(event.header.type) : undefined;
        if (kind !== undefined) yield kind;
      }
    }
  }

  test('is asked about, and an answer is enough', async () => {
    const { socket, served } = await stranger({ limits: { pingAfterMs: 10, deadAfterMs: 5_000 } }, true);
    let pings = 0;
    for await (const kind of words(socket)) {
      if (kind !== 'ping') continue;
      if ((pings += 1) === 3) break;
      socket.write(encodeMessage(0, { kind: 'pong', token: 0 }));
    }
    expect(pings).toBe(3);
    served.connection.end(undefined);
  });

  test('for too long ends the connection', async () => {
    const { socket, served } = await stranger({ limits: { pingAfterMs: 20, deadAfterMs: 60 } }, true);
    socket.resume();
    await expect(served.end).resolves.toMatchObject({ code: 'LOST' });
  });

  test('in an exchange ends it at both sides, and the connection goes on', async () => {
    await using link = await Link.open({ limits: { progressMs: 60, unreadMs: 60 } });
    const { from, to } = await link.putting();
    const [here, there] = await Promise.allSettled([from.next(), to.next()]);
    expect([here, there]).toMatchObject([{ reason: { code: 'TIMEOUT' } }, { reason: { code: 'TIMEOUT' } }]);
    await link.settled();
    expect(link.server.connection.active).toBe(0);
  });

  test('in an exchange that waits for its rate is no lack of progress, at either end, as long as it does', async () => {
    let paced = true;
    await using link = await Link.open({ limits: { progressMs: 60, unreadMs: 60 }, clientLimits: { progressMs: 500 }, isPaced: () => paced });
    await using other = await Link.open({ limits: { progressMs: 60, unreadMs: 60 } });
    const { from, to } = await link.putting();
    const waiting = Promise.allSettled([from.next(), to.next()]);
    const until = performance.now() + 1000; // longer than either limit
    while (performance.now() < until) await expect((await other.putting()).to.next()).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect([from.failure, to.failure]).toEqual([undefined, undefined]);
    paced = false;
    expect(await waiting).toMatchObject([{ reason: { code: 'TIMEOUT' } }, { reason: { code: 'TIMEOUT' } }]);
  });

  test('in an exchange whose peer may take its time ends it only from when it should hurry', async () => {
    await using link = await Link.open({ limits: { progressMs: 60, unreadMs: 60 } });
    await using other = await Link.open({ limits: { progressMs: 60, unreadMs: 60 } });
    const { to: patient } = await link.putting();
    const waiting = patient.next(true);
    const { to: impatient } = await other.putting();
    await expect(impatient.next()).rejects.toMatchObject({ code: 'TIMEOUT' }); // so long, it has taken here
    expect(patient.failure).toBeUndefined();
    patient.hurry();
    await expect(waiting).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  test('of a client that asks for nothing ends the connection, and tells it why', async () => {
    await using link = await Link.open({ limits: { idleMs: 60 } });
    await expect(link.end).resolves.toMatchObject({ code: 'TIMEOUT', who: 'rule' });
  });
});

describe('bytes that are said to be compressed', () => {
  test('and are not end the connection, and nothing of them is handed on', async () => {
    const { socket, served } = await stranger({}, true);
    socket.resume();
    socket.write(encodeMessage(1, { kind: 'put', path: 'file', mtime: 0, mode: 0o644, level: 'visible', ifAbsent: false }));
    const exchange = await served.next();
    exchange.say({ kind: 'accept', holds: 'none', basis: 0 });
    socket.write(encodeMessage(1, { kind: 'compressedData', offset: 0, size: 1 << 20, bytes: new Uint8Array(1000) }));
    await expect(exchange.next()).rejects.toMatchObject({ code: 'PROTOCOL' });
    await expect(served.end).resolves.toMatchObject({ code: 'PROTOCOL' });
  });
});

describe('holding', () => {
  const first = Buffer.concat([encodeMessage(0, HELLO), encodeMessage(0, AUTH), encodeMessage(1, { kind: 'stat', path: 'a' }), encodeMessage(3, { kind: 'stat', path: 'b' })]);

  test('keeps back what came behind, in order, until it is released', async () => {
    const seen: string[] = [];
    const { near, far } = await pair();
    let decide = (): void => {};
    const held = new Promise<void>((resolve) => { decide = resolve; });
    const both = new Promise<void>((resolve) => {
      const served: Served = new Served(far, {
        onWord: (connection, { kind }) => { seen.push(kind); if (kind === 'auth') { connection.hold(); decide(); } },
        onRequest: (exchange, message) => { seen.push((message as Message<'stat'>).path); exchange.say({ kind: 'entry' }); if (seen.length === 5) resolve(); },
      });
      near.write(first);
      void held.then(() => { seen.push('decided'); served.welcome(); served.connection.release(); });
    });
    await both;
    expect(seen).toEqual(['hello', 'auth', 'decided', 'a', 'b']);
    near.destroy();
  });

  test('and releasing at once deals with everything once', async () => {
    const seen: string[] = [];
    const { socket, served } = await stranger({
      onWord: (connection, { kind }) => { seen.push(kind); connection.hold(); connection.release(); },
      onRequest: (exchange, message) => { seen.push((message as Message<'stat'>).path); exchange.say({ kind: 'entry' }); if (seen.length === 4) served.connection.end(undefined); },
    }, false);
    socket.write(first);
    await served.end;
    expect(seen).toEqual(['hello', 'auth', 'a', 'b']);
    socket.destroy();
  });
});

describe('the budget', () => {
  test('when it is short, lets frames come in pieces, and reading goes on as memory comes free', async () => {
    const budget = new Budget(3 * MIB);
    await using link = await Link.open({ budget });
    const { from, to } = await link.putting();
    for (let number = 0; number < 10; number += 1) push(from, number * MIB, MIB);
    const sizes = new Set<number>();
    let came = 0;
    while (came < 10 * MIB) {
      let held = 0;
      do {
        const received = await to.next();
        if (received.kind !== 'data') throw new Error('data was sent');
        expect(received.offset).toBe(came);
        came += received.bytes.byteLength;
        held += received.bulk;
        sizes.add(received.bytes.byteLength);
      } while (came < 10 * MIB && held < MIB + PIECE_BYTES);
      expect(budget.used).toBeLessThanOrEqual(budget.limit);
      to.consumed(held);
    }
    expect([...sizes].toSorted((one, other) => one - other)).toEqual([PIECE_BYTES, MIB]);
    expect(budget.used).toBe(0);
  });

  test('used up by others leaves everybody one piece at a time', async () => {
    const budget = new Budget(2 * MIB);
    await using modest = await Link.open({ budget });
    budget.reserve(2 * MIB, 0, () => {});
    const { from, to } = await modest.putting();
    for (let number = 0; number < 4; number += 1) push(from, number * MIB, MIB);
    for (let number = 0; number < 4 * MIB / PIECE_BYTES; number += 1) {
      const [bulk] = await take(to, 1);
      expect(bulk).toBeLessThanOrEqual(PIECE_BYTES + 8 + FRAME_COST);
      expect(budget.used).toBe(2 * MIB + bulk!);
      to.consumed(bulk!);
    }
  });

  test('that was taken by a part of a frame is free again when the connection ends', async () => {
    const budget = new Budget();
    await using link = await Link.open({ budget });
    const { to } = await link.putting();
    const head = Buffer.alloc(DATA_HEAD_BYTES + 100_000);
    writeDataHead(head, to.id, 0, MIB);
    link.sockets.client.write(head);
    while (budget.used === 0) await new Promise(setImmediate);
    link.client.end(undefined);
    await expect(to.next()).rejects.toMatchObject({ name: 'Failure' });
    expect(budget.used).toBe(0);
  });

  test('counts nothing when everything was taken, and never less', async () => {
    await using link = await Link.open();
    const { from, to } = await link.putting();
    for (let number = 0; number < 20; number += 1) {
      await from.room(MIB + 8);
      push(from, number * MIB, MIB);
      to.consumed((await take(to, 1))[0]!);
    }
    expect(link.budget.used).toBe(0);
    to.cancel(new Failure('IO', 'enough'));
    to.consumed(COST); // late
    expect(link.budget.used).toBe(0);
  });
});

describe('a hostile peer', () => {
  const request = encodeMessage(1, { kind: 'put', path: 'x', mtime: 0, mode: 0, level: 'visible', ifAbsent: false });
  const tiny = dataFrame(1, 0, new Uint8Array(1));
  const random = Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * at * 31 + at) & 0xff));

  test.each<readonly [string, boolean, Buffer, string]>([
    ['random bytes', false, random, 'PROTOCOL'],
    ['random bytes after the opening', true, random, 'PROTOCOL'],
    ['an announced body of 4 GiB', false, Buffer.from('ffffffff00010000000000000000', 'hex'), 'PROTOCOL'],
    ['an announced body of 4 GiB after the opening', true, Buffer.from('ffffffff2101000000000001', 'hex'), 'PROTOCOL'],
    ['half a frame, and then nothing', true, frameOf('ping', 0).subarray(0, 7), 'LOST'],
    ['a hundred thousand tiny frames', true, Buffer.concat([request, ...Array.from({ length: 100_000 }, () => tiny)]), 'PROTOCOL'],
    ['a request again and again', true, Buffer.concat(Array.from({ length: 400 }, (_, at) => encodeMessage(2 * at + 1, { kind: 'space' }))), 'PROTOCOL'],
  ])('with %s loses its connection, and nobody else does', async (_what, opening, bytes, code) => {
    const budget = new Budget();
    await using link = await Link.open({ budget });
    const { socket, served } = await stranger({ budget, limits: { pingAfterMs: 50, deadAfterMs: 200 } }, opening);
    socket.resume();
    void served.next().then((exchange) => exchange.say({ kind: 'accept', holds: 'none', basis: 0 }), () => {}).catch(() => {});
    socket.write(bytes);
    await expect(served.end).resolves.toMatchObject({ code });
    expect(budget.used).toBe(0);
    await link.settled();
    socket.destroy();
  });
});

describe('a drain', () => {
  test('lets what runs come to its end, and takes nothing new', async () => {
    await using link = await Link.open();
    const exchange = link.client.request({ kind: 'space' });
    const asked = await link.server.next();
    const drained = link.server.connection.drain(60_000);
    while (!(await refused(link))) await link.settled().catch(() => {});
    asked.say({ kind: 'room', free: 1, total: 2 });
    expect(await exchange.expect('room')).toMatchObject({ free: 1 });
    await drained;
    expect(await Promise.all([link.end, link.server.end])).toEqual([undefined, undefined]);
  });

  test('ends what takes longer, so that it can be continued', async () => {
    await using link = await Link.open();
    const { from, to } = await link.putting();
    const outcomes = Promise.allSettled([from.next(), to.next()]);
    await link.server.connection.drain(20);
    expect(await outcomes).toMatchObject([{ reason: { code: 'SHUTDOWN', retry: true } }, { reason: { code: 'SHUTDOWN' } }]);
    expect(await Promise.all([link.end, link.server.end])).toEqual([undefined, undefined]);
  });

  test('of a connection without requests is over at once', async () => {
    await using link = await Link.open();
    await link.server.connection.drain(60_000);
    expect(await link.end).toBeUndefined();
  });

  async function refused(link: Link): Promise<boolean> {
    try {
      using exchange = link.client.request({ kind: 'stat', path: '' });
      await exchange.expect('entry');
      return false;
    } catch (error) {
      return error instanceof Failure && error.code === 'SHUTDOWN';
    }
  }
});
