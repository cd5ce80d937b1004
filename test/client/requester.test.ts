import { getEventListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Requester } from '../../src/client/requester.ts';
import { Failure } from '../../src/errors.ts';
import type { Exchange } from '../../src/session/exchange.ts';
import { MAX_EXCHANGES } from '../../src/session/machine.ts';
import { Link } from '../session/link.ts';
import { Place } from '../library/place.ts';
import { noise, plant } from '../e2e/trees.ts';

let link: Link;
let requester: Requester;
beforeEach(async () => {
  link = await Link.open();
  requester = new Requester(link.client, link.end);
});
afterEach(() => link[Symbol.asyncDispose]());

const room = (signal?: AbortSignal) => requester.ask({ kind: 'space' }, 'room', signal);
const tree = (): Promise<Exchange> => requester.open({ kind: 'getTree', path: '', exclude: [] }, undefined);

/** All places taken by requests that the server has not answered. */
function fill(): Promise<unknown>[] {
  return Array.from({ length: MAX_EXCHANGES }, () => room());
}

/** The server answers the request that has waited longest. */
async function answer(): Promise<void> {
  const exchange = await link.server.next();
  exchange.say({ kind: 'room', free: 1, total: 2 });
}

describe('a request beyond what a connection holds', () => {
  test('waits for its turn, and all are answered', async () => {
    const all = Array.from({ length: 3 * MAX_EXCHANGES }, () => room());
    for (let count = 0; count < all.length; count += 1) await answer();
    expect(new Set((await Promise.all(all)).map(({ free }) => free))).toEqual(new Set([1]));
    expect(link.client.active).toBe(0);
  });

  test('leaves the queue when its signal is aborted, with the signal\'s reason, and keeps nobody', async () => {
    const filling = fill();
    const stop = new AbortController();
    const given = room(stop.signal);
    const kept = room();
    stop.abort(new Failure('DEADLINE', 'the deadline has passed'));
    await expect(given).rejects.toMatchObject({ code: 'DEADLINE' });
    for (let count = 0; count <= MAX_EXCHANGES; count += 1) await answer();
    expect(await kept).toMatchObject({ total: 2 });
    await Promise.all(filling);
    expect(link.server.asked).toEqual([]);
  });

  test('takes the place of one that was cancelled, once the server has said its last word on that', async () => {
    const stop = new AbortController();
    const cancelled = Array.from({ length: MAX_EXCHANGES }, () => room(stop.signal));
    const kept = room();
    stop.abort();
    for (const one of cancelled) await expect(one).rejects.toMatchObject({ code: 'CANCELLED' });
    for (let count = 0; count < MAX_EXCHANGES; count += 1) (await link.server.next()).cancel(new Failure('CANCELLED', 'as the client wished'));
    await answer();
    expect(await kept).toMatchObject({ total: 2 });
  });

  test('fails with the connection', async () => {
    const all = [...fill(), room(), room()];
    link.server.connection.end(undefined);
    for (const one of all) await expect(one).rejects.toMatchObject({ code: 'LOST' });
  });

  test('is refused when very many wait already', async () => {
    const all = Array.from({ length: MAX_EXCHANGES + 16_384 }, () => room());
    await expect(room()).rejects.toMatchObject({ code: 'LIMIT', retry: true });
    link.server.connection.end(undefined);
    expect((await Promise.allSettled(all)).every(({ status }) => status === 'rejected')).toBe(true);
  });
});

test('trees leave places for the requests they wait for', async () => {
  const trees = Array.from({ length: MAX_EXCHANGES }, () => tree());
  const open = await Promise.all(trees.slice(0, MAX_EXCHANGES / 2));
  expect(link.client.active).toBe(open.length);
  const asked = room();
  for (let count = 0; count < open.length; count += 1) await link.server.next();
  await answer();
  expect(await asked).toMatchObject({ free: 1 });
  // One that ends makes room for the next.
  open[0]![Symbol.dispose]();
  using next = await trees[open.length]!;
  expect(next.open).toBe(true);
  link.server.connection.end(undefined);
  await link.end;
  expect((await Promise.allSettled(trees.slice(open.length + 1))).every(({ status }) => status === 'rejected')).toBe(true);
});

test('requests that share a signal have one listener at it, none when they have ended, and all hear it', async () => {
  await using place = await Place.open();
  await using client = await place.connect();
  plant(place.local('many'), Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`${index}`, noise(300_000, index)])));
  const warnings: string[] = [];
  const warn = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', warn);
  try {
    const { signal } = new AbortController();
    const sent = await Promise.all(Array.from({ length: 50 }, (_, index) => client.put(place.local(`many/${index}`), `${index}`, { signal })));
    expect(sent.map(({ failed }) => failed)).toEqual(sent.map(() => 0));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    const stop = new AbortController();
    const all = Promise.all(Array.from({ length: 50 }, () => client.list('', { signal: stop.signal })).map(async (pages) => { for await (const _ of pages) stop.abort(); }));
    await expect(all).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
    await new Promise((done) => { setImmediate(done); }); // warnings are told in a turn of their own
    expect(warnings).toEqual([]);
  } finally {
    process.off('warning', warn);
  }
});

test('a program that copies 300 files within the server at once gets all of them', async () => {
  await using place = await Place.open();
  await using client = await place.connect();
  const content = noise(70_000);
  plant(place.served(), Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`from/${index}`, content])));
  await client.makeFolder('to');
  await Promise.all(Array.from({ length: 300 }, (_, index) => client.putStream(client.getStream(`from/${index}`), `to/${index}`, { level: 'visible' })));
  for (let index = 0; index < 300; index += 1) expect(readFileSync(place.served(`to/${index}`)).equals(content)).toBe(true);
});
