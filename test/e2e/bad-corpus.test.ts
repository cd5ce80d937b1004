/** A client that sends paths as it likes: each is refused with the right code, or what is done with it is done in the served folder, under just that name. */
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/digest.ts';
import type { Connection } from '../../src/session/connection.ts';
import type { Request } from '../../src/session/rules.ts';
import { DATA_HEAD_BYTES } from '../../src/wire/frame.ts';
import type { Message } from '../../src/wire/messages.ts';
import { refused, taken, type Sample } from './corpus.ts';
import { signIn } from './raw.ts';
import { Rig } from './rig.ts';
import { expectAlive, nothingStaged } from './traces.ts';

let rig: Rig;
let connection: Connection;
let secret: string;
let before: { inside: string[]; outside: string[] };
/** Older than the files, so that the first read of one would be noted by the disk. */
const LONG_AGO = 1e9;

beforeAll(async () => {
  rig = await Rig.start();
  secret = join(rig.folder, 'outside/secret');
  mkdirSync(join(rig.folder, 'outside'));
  for (const path of [secret, join(rig.folder, 'secret'), join(rig.folder, 'seen')]) {
    writeFileSync(path, 'secret');
    utimesSync(path, LONG_AGO, LONG_AGO + 1);
  }
  mkdirSync(join(rig.served, 'folder'));
  writeFileSync(join(rig.served, 'folder/in'), 'in');
  writeFileSync(join(rig.served, 'old'), 'old');
  connection = await signIn(rig);
  before = { inside: inside(), outside: outside() };
});
afterAll(async () => {
  await connection.drain(0);
  await rig[Symbol.asyncDispose]();
});

const walk = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => !/^\.wherry(?:\/|$)/.test(path)).toSorted();
const inside = (): string[] => walk(rig.served);
/** What lies beside the served folder, with the times of the last change and of the last read. */
function outside(): string[] {
  return ['secret', 'outside', 'outside/secret'].map((path) => {
    const { mtimeMs, atimeMs, mode, size } = statSync(join(rig.folder, path));
    return `${path} ${mode} ${size} ${mtimeMs} ${path === 'outside' ? '' : atimeMs}`;
  }).concat(readdirSync(join(rig.folder, 'outside')));
}

/** Every request that names a path: the nine verbs, and those that no person types. */
const REQUESTS: Readonly<Record<string, (path: string) => Message<Request>>> = {
  get: (path) => ({ kind: 'get', path, basis: 0 }),
  put: (path) => ({ kind: 'put', path, size: 4, mtime: 0, mode: 0o644, level: 'visible', ifAbsent: false }),
  stat: (path) => ({ kind: 'stat', path }),
  list: (path) => ({ kind: 'list', path, deep: true }),
  mkdir: (path) => ({ kind: 'makeFolder', path, parents: true }),
  'rename from': (path) => ({ kind: 'move', from: path, to: 'moved', replace: true }),
  'rename to': (path) => ({ kind: 'move', from: 'old', to: path, replace: true }),
  delete: (path) => ({ kind: 'remove', path, deep: true }),
  setattr: (path) => ({ kind: 'setAttributes', path, mode: 0o777, mtime: 1 }),
  hash: (path) => ({ kind: 'hash', path, algorithm: 'blake3' }),
  du: (path) => ({ kind: 'usage', path }),
  'get a folder': (path) => ({ kind: 'getTree', path, exclude: [] }),
  'put a folder': (path) => ({ kind: 'putTree', path, level: 'visible', ifAbsent: false }),
};

/** What becomes of a request: the code of its failure, or the kind of its first answer. */
async function outcome(message: Message<Request>): Promise<string> {
  using exchange = connection.request(message);
  try {
    const received = await exchange.next();
    return received.kind === 'message' ? received.message.kind : received.kind;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test('A1: the corpus has at least 400 names, no two alike, of both kinds', () => {
  const all = [...refused(secret), ...taken].map(({ path }) => path);
  expect(new Set(all).size).toBe(all.length);
  expect([all.length >= 400, taken.length >= 100, Object.keys(REQUESTS).length]).toEqual([true, true, 13]);
});

test.each(Object.keys(REQUESTS))('A1, A5, A9: %s of every path that leads elsewhere, or cannot be a name, is BADNAME and does nothing', async (verb) => {
  const found = await Promise.all(refused(secret).map(async ({ path, what }) => `${JSON.stringify(path.slice(0, 60))} (${what}): ${await queued(() => outcome(REQUESTS[verb]!(path)))}`));
  expect(found.filter((line) => !line.endsWith(': BADNAME'))).toEqual([]);
  expect({ inside: inside(), outside: outside() }).toEqual(before);
  await nothingStaged(rig.served);
});

/** A few at a time: a connection has a bounded number of requests. */
const places = Array.from({ length: 64 }, () => Promise.resolve());
let next = 0;
function queued<T>(job: () => Promise<T>): Promise<T> {
  const place = next++ % places.length;
  const turn = places[place]!.then(job);
  places[place] = turn.then(() => {}, () => {});
  return turn;
}

async function ask(message: Message<Request>): Promise<Message> {
  using exchange = connection.request(message);
  const received = await exchange.next();
  if (received.kind !== 'message') throw new Error(received.kind);
  return received.message;
}

async function send(path: string, text: string): Promise<void> {
  using exchange = connection.request(REQUESTS['put']!(path));
  await exchange.expect('accept');
  exchange.data(Buffer.concat([Buffer.alloc(DATA_HEAD_BYTES), Buffer.from(text)]), 0, text.length, () => {});
  exchange.say({ kind: 'commit', size: text.length, digest: digestOf(Buffer.from(text)) });
  await exchange.expect('stored');
}

async function fetched(path: string): Promise<string> {
  using exchange = connection.request(REQUESTS['get']!(path));
  await exchange.expect('offer');
  const received = await exchange.next();
  return received.kind === 'data' ? Buffer.from(received.bytes).toString() : received.kind;
}

/** All verbs on one name, each looked at on the disk. */
async function used({ path }: Sample): Promise<void> {
  const folders = path.split('/').slice(0, -1).map((_, index, parts) => path.split('/').slice(0, index + 1).join('/') || parts[0]!);
  if (folders.length > 0) await ask(REQUESTS['mkdir']!(folders.at(-1)!));
  const now = (more: readonly string[]): string[] => [...before.inside, ...folders, ...more].toSorted();
  await send(path, 'data');
  expect(inside()).toEqual(now([path]));
  expect(readFileSync(join(rig.served, path), 'utf8')).toBe('data');
  expect(await ask(REQUESTS['stat']!(path))).toMatchObject({ entry: { name: path.slice(path.lastIndexOf('/') + 1), kind: 'file', size: 4 } });
  expect(await ask(REQUESTS['hash']!(path))).toMatchObject({ digest: new Uint8Array(digestOf(Buffer.from('data'))) });
  expect(await fetched(path)).toBe('data');
  expect(await outcome(REQUESTS['list']!(path))).toBe('NOTDIR');
  await ask({ kind: 'setAttributes', path, mode: 0o600 });
  expect(statSync(join(rig.served, path)).mode & 0o777).toBe(0o600);
  await ask(REQUESTS['rename from']!(path));
  expect(inside()).toEqual(now(['moved']));
  await ask({ kind: 'move', from: 'moved', to: path, replace: false });
  expect(inside()).toEqual(now([path]));
  await ask(REQUESTS['delete']!(path));
  expect(inside()).toEqual(now([]));
  await ask(REQUESTS['mkdir']!(path));
  expect(statSync(join(rig.served, path)).isDirectory()).toBe(true);
  await ask(REQUESTS['delete']!(folders[0] ?? path));
}

describe.each([...new Set(taken.map(({ what }) => what))])('A1, A7, A8: a name of the kind: %s', (what) => {
  test('is made, read, listed, renamed and removed in the served folder, as it stands', async () => {
    for (const sample of taken.filter((one) => one.what === what)) await used(sample);
    expect({ inside: inside(), outside: outside() }).toEqual(before);
    await nothingStaged(rig.served);
  });
});

test('A1: that nobody read what lies outside is something the disk would have told', async (context) => {
  const path = join(rig.folder, 'seen');
  readFileSync(path);
  if (statSync(path).atimeMs === LONG_AGO * 1000) context.skip('this disk does not note when a file is read');
  expect(outside()).toEqual(before.outside);
  await expectAlive(rig);
});
