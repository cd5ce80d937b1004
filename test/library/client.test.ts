/** The client as a program uses it. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, Failure, type Client, type Entry, type Item, type Progress, type TransferOptions } from '../../src/index.ts';
import { noise, plant } from '../e2e/trees.ts';
import { Place } from './place.ts';

const MIB = 1 << 20;

let place: Place;
let client: Client;
beforeAll(async () => {
  place = await Place.open();
  client = await place.connect();
});
afterAll(() => place[Symbol.asyncDispose]());

/** What a promise was rejected with: always a Failure. */
async function failure(promise: Promise<unknown>): Promise<Failure> {
  const error: unknown = await promise.then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(Failure);
  return error as Failure;
}

/** Sizes of the server's unfinished uploads: `.live` ones are written now, `.part` ones rest. One that ends meanwhile is left out. */
function staged(kind: '.live' | '.part'): number[] {
  const folder = place.served('.wherry');
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => name.endsWith(kind)).flatMap((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? []);
}

const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}

async function entriesOf(path: string, deep = false): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const page of client.list(path, { deep })) entries.push(...page.entries);
  return entries;
}

describe('questions', () => {
  test('the client knows the server it is connected to', () => {
    expect(client.server).toMatchObject({ name: 'place', address: place.server.addresses[0], fingerprint: place.server.fingerprint });
    expect(client.server.rights).toContain('create');
  });

  test('stat, list, usage, space and hash agree with the disk', async () => {
    const bytes = noise(3 * MIB + 1);
    plant(place.served('questions'), { file: bytes, 'sub/inner': 'x' });
    const stats = statSync(place.served('questions/file'));
    expect(await client.stat('questions/file')).toEqual({ name: 'file', kind: 'file', size: bytes.length, mode: stats.mode & 0o777, mtime: Math.floor(stats.mtimeMs * 1000 + 0.25) });
    expect(await client.stat('questions/nothing')).toBeUndefined();
    expect((await client.stat(''))?.kind).toBe('folder');
    expect((await entriesOf('questions')).map(({ name }) => name).sort()).toEqual(['file', 'sub']);
    expect((await entriesOf('/questions/', true)).map(({ name }) => name).sort()).toEqual(['file', 'sub', 'sub/inner']);
    expect(await client.usage('questions')).toEqual({ files: 2, folders: 2, bytes: bytes.length + 1 });
    const { free, total } = await client.space();
    expect(free).toBeGreaterThan(0);
    expect(total).toBeGreaterThan(free);
    expect(await client.hash('questions/file', { algorithm: 'sha256' })).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(await client.hash('questions/file')).toMatch(/^[0-9a-f]{64}$/);
  });

  test('folders are made, names changed and things removed', async () => {
    await client.makeFolder('made/deep/er', { parents: true });
    await client.change('made/deep', 'made/shallow');
    await client.remove('made/shallow/er', { kind: 'folder' });
    expect(readdirSync(place.served('made/shallow'))).toEqual([]);
    await client.remove('made', { deep: true });
    expect(existsSync(place.served('made'))).toBe(false);
  });

  test.each([
    ['NOTFOUND', () => client.hash('nothing')],
    ['NOTFOUND', () => client.change('nothing', 'something')],
    ['NOTFOUND', () => client.makeFolder('no/parent')],
    ['ISDIR', () => client.hash('')],
    ['BADNAME', () => client.stat('../outside')],
    ['BADNAME', () => client.remove('.wherry')],
    ['NOTFOUND', () => bytesOf(client.getStream('nothing'))],
    ['NOTFOUND', () => connect({ home: place.home, server: 'unknown' })],
  ] as const)('what goes wrong is a Failure with a code: %s', async (code, attempt) => {
    const wrong = await failure(attempt());
    expect(wrong.code).toBe(code);
    expect(wrong.message).not.toBe('');
  });

  test('a deep list that is left early gives its exchange up, and the client goes on', async () => {
    plant(place.served('many'), Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`${n % 10}/${n}`, ''])));
    // More often than requests may be open at once: none of them stays open.
    for (let round = 0; round < 300; round += 1) {
      for await (const page of client.list('many', { deep: true })) {
        expect(page.entries.length).toBeGreaterThan(0);
        break;
      }
    }
    expect((await entriesOf('many', true)).length).toBe(3010);
  });

  test('256 requests may run at once; one more is LIMIT, and nothing else suffers', async () => {
    const fresh = await place.connect(); // one on which nothing that was cancelled waits for its last word
    const asked = await Promise.allSettled(Array.from({ length: 300 }, () => fresh.stat('')));
    const refused = asked.filter((one) => one.status === 'rejected');
    expect(asked.length - refused.length).toBeGreaterThanOrEqual(256);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'LIMIT', retry: true });
    expect(await fresh.stat('nothing')).toBeUndefined();
  });
});

describe('transfers', () => {
  test('put and get resolve with what became of each source', async () => {
    plant(place.local('both'), { a: 'A', b: noise(MIB + 1) });
    const seen: Item[] = [];
    const put = await client.put([place.local('both'), place.local('missing')], '/', { onItem: (item) => seen.push(item) });
    expect(put).toMatchObject({ files: 2, failed: 1, bytes: MIB + 2 });
    expect(put.items[0]).toMatchObject({ kind: 'folder', target: '/both', files: 2, failure: undefined });
    expect(put.items[1]!.failure).toMatchObject({ code: 'NOTFOUND', who: 'here' });
    expect(seen).toEqual(put.items);
    const get = await client.get('both/b', place.local('b'));
    expect(get.items[0]).toMatchObject({ kind: 'file', bytes: MIB + 1, level: 'durable', digest: await client.hash('both/b') });
    expect(readFileSync(place.local('b')).equals(noise(MIB + 1))).toBe(true);
  });

  test('onProgress never goes back, and ends at the total', async () => {
    plant(place.local('progress'), { ...Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`s/${n}`, noise(2000, n)])), large: noise(24 * MIB) });
    for (const run of [(onProgress: (progress: Progress) => void) => client.put(place.local('progress'), '', { onProgress, countAfter: 0 }), (onProgress: (progress: Progress) => void) => client.get('progress', place.local('progress.back'), { onProgress, countAfter: 0 })]) {
      const told: Progress[] = [];
      await run((progress) => told.push(progress));
      expect(told.length).toBeGreaterThan(0);
      for (const [index, { bytes, files }] of told.entries()) {
        expect(bytes).toBeGreaterThanOrEqual(told[index - 1]?.bytes ?? 0);
        expect(files).toBeGreaterThanOrEqual(told[index - 1]?.files ?? 0);
      }
      expect(told.at(-1)).toMatchObject({ bytes: 24 * MIB + 1_000_000, files: 501, totalBytes: 24 * MIB + 1_000_000, totalFiles: 501 });
    }
  });

  test('onProgress counts several sources, and all their files and bytes before they are begun', async () => {
    plant(place.local('several'), { first: noise(24 * MIB), 'second/a': 'a', 'second/b': 'b', third: 'c' });
    const total = { totalSources: 3, totalFiles: 4, totalBytes: 24 * MIB + 3 };
    const names = ['first', 'second', 'third'];
    for (const run of [(options: TransferOptions) => client.put(names.map((name) => place.local(`several/${name}`)), '/', options), (options: TransferOptions) => client.get(names, `${place.local('several.back')}/`, options)]) {
      const told: Progress[] = [];
      mkdirSync(place.local('several.back'), { recursive: true });
      await run({ onProgress: (progress) => told.push(progress), countAfter: 0 });
      expect(told.at(-1)).toMatchObject({ ...total, sources: 3, files: 4, bytes: total.totalBytes });
      for (const { totalBytes } of told) expect([undefined, total.totalBytes]).toContain(totalBytes);
    }
  });

  test('onTarget is told where a folder goes before anything of it does, and whether that was there; what it rejects with, the folder fails with', async () => {
    plant(place.local('aimed'), { file: '1' });
    const told: unknown[] = [];
    const onTarget = async (source: string, target: string, there: boolean): Promise<void> => {
      // A turn of the loop: what does not wait would have gone on by then.
      await new Promise((resolve) => { setImmediate(resolve); });
      told.push([source, target, there, (await client.stat('aimed')) !== undefined, existsSync(place.local('aimed.back'))]);
    };
    await client.put([place.local('aimed')], 'aimed', { onTarget });
    await client.get('aimed', place.local('aimed.back'), { onTarget });
    await client.get('aimed/.', place.local('aimed.back'), { onTarget });
    expect(told).toEqual([
      [place.local('aimed'), '/aimed', false, false, false],
      ['aimed', place.local('aimed.back'), false, true, false], ['aimed/.', place.local('aimed.back'), true, true, true],
    ]);
    const refused = await client.put(place.local('aimed'), 'refused', { onTarget: async () => { throw new Failure('USAGE', 'not there'); } });
    expect([refused.items[0]!.failure?.code, await client.stat('refused')]).toEqual(['USAGE', undefined]);
  });

  test('onFile names every file of a folder, and those that fail with why', async () => {
    plant(place.local('named'), { good: '1', 'bad\nname': '2', 'sub/inner': '3', large: noise(MIB) });
    const files = new Map<string, string | undefined>();
    await client.put(place.local('named'), '', { onFile: (path, problem) => files.set(path, problem?.code) });
    expect(Object.fromEntries(files)).toMatchObject({ good: undefined, 'sub/inner': undefined, large: undefined });
    expect([...files.values()].filter((code) => code !== undefined)).toEqual(['BADNAME']);
  });

  test('an AbortSignal cancels, the part is kept, and the next put goes on', async () => {
    const bytes = noise(256 * MIB, 5);
    plant(place.local(), { abort: bytes });
    const controller = new AbortController();
    const putting = client.put(place.local('abort'), '', { signal: controller.signal });
    // What the server has of it is looked at, not what was told of it: that is 10 times a second, and this disk may be faster.
    while (!staged('.live').some((size) => size > 16 * MIB)) await turn();
    controller.abort();
    const put = await putting;
    expect(put.items[0]!.failure).toMatchObject({ code: 'CANCELLED' });
    expect(existsSync(place.served('abort'))).toBe(false);
    // The server hears of it a moment later; from then on the part rests.
    while (staged('.part').length === 0) await turn();
    const again = await client.put(place.local('abort'));
    expect(again.kept).toBeGreaterThan(0);
    expect(readFileSync(place.served('abort')).equals(bytes)).toBe(true);
  });

  test('a signal that was aborted before is answered at once, with nothing done', async () => {
    const signal = AbortSignal.abort();
    expect((await failure(client.stat('', { signal }))).code).toBe('CANCELLED');
    expect((await failure(bytesOf(client.getStream('both/a', { signal })))).code).toBe('CANCELLED');
    expect((await failure(connect({ home: place.home, signal }))).code).toBe('CANCELLED');
  });

  test('two transfers at once, and requests beside them, do not disturb each other', async () => {
    plant(place.local(), { one: noise(16 * MIB, 1), two: noise(16 * MIB, 2) });
    const [one, two, entry] = await Promise.all([client.put(place.local('one')), client.put(place.local('two')), client.stat('both')]);
    expect([one.failed, two.failed, entry?.kind]).toEqual([0, 0, 'folder']);
    const back = await Promise.all([client.get('one', place.local('one.back')), client.get('two', place.local('two.back'))]);
    expect(back.map(({ failed }) => failed)).toEqual([0, 0]);
    for (const [name, seed] of [['one', 1], ['two', 2]] as const) expect(readFileSync(place.local(`${name}.back`)).equals(noise(16 * MIB, seed))).toBe(true);
  });

  test('two puts to one name at the same time leave one of the two, whole', async () => {
    plant(place.local(), { 'same 1': noise(8 * MIB, 1), 'same 2': noise(8 * MIB, 2) });
    await Promise.all([client.put(place.local('same 1'), 'same'), client.put(place.local('same 2'), 'same')]);
    const there = readFileSync(place.served('same'));
    expect(there.equals(noise(8 * MIB, 1)) || there.equals(noise(8 * MIB, 2))).toBe(true);
  });
});

describe('streams', () => {
  test('putStream and getStream carry bytes of any chunking', async () => {
    const bytes = noise(5 * MIB + 3);
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (let at = 0, step = 1; at < bytes.length; at += step, step = (step * 3) % 999_983) yield bytes.subarray(at, at + step);
    }
    const item = await client.putStream(chunks(), 'stream');
    expect(item).toMatchObject({ kind: 'file', files: 1, bytes: bytes.length, digest: await client.hash('stream') });
    expect((await bytesOf(client.getStream('stream'))).equals(bytes)).toBe(true);
  });

  test('a stream that fails leaves nothing under the name, and its own error is told', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield noise(MIB);
      throw new Failure('IO', 'the tape is torn');
    }
    expect(await failure(client.putStream(broken(), 'torn'))).toMatchObject({ code: 'IO', message: 'the tape is torn' });
    expect(existsSync(place.served('torn'))).toBe(false);
  });

  test('a stream that is silent for ever can be cancelled', async () => {
    const controller = new AbortController();
    let begin!: () => void;
    const reading = new Promise<void>((resolve) => { begin = resolve; });
    const never = new Promise<never>(() => {});
    const silent = { [Symbol.asyncIterator]: () => ({ next: () => { begin(); return never; }, return: () => never }) };
    const put = failure(client.putStream(silent, 'silent', { signal: controller.signal }));
    await reading;
    controller.abort();
    expect((await put).code).toBe('CANCELLED');
    expect(existsSync(place.served('silent'))).toBe(false);
  });

  test('a getStream left early frees the connection for others', async () => {
    writeFileSync(place.served('long'), noise(64 * MIB));
    for (let round = 0; round < 5; round += 1) for await (const chunk of client.getStream('long')) { expect(chunk.length).toBeGreaterThan(0); break; }
    expect((await bytesOf(client.getStream('stream'))).length).toBe(5 * MIB + 3);
  });
});

describe('connections', () => {
  test('await using closes the client; afterwards requests fail and closed is settled', async () => {
    let left: Client;
    {
      await using inside = await connect({ home: place.home });
      left = inside;
      expect(await inside.stat('')).toBeDefined();
    }
    expect(await left.closed).toBeUndefined();
    expect(['CANCELLED', 'LOST']).toContain((await failure(left.stat(''))).code);
    await left.close(); // again, without harm
  });

  test('several clients in one process work side by side', async () => {
    const clients = await Promise.all(Array.from({ length: 30 }, () => connect({ home: place.home })));
    mkdirSync(place.served('side'));
    await Promise.all(clients.map((one, n) => one.putStream((async function* () { yield Buffer.from(`${n}`); })(), `side/${n}`)));
    expect(readdirSync(place.served('side')).length).toBe(30);
    await Promise.all(clients.map((one) => one.close()));
  });

  test('a server that goes away is told by closed, and requests fail with LOST or SHUTDOWN', async () => {
    await using other = await Place.open();
    const lone = await other.connect();
    await other.server.stop({ graceMs: 0 });
    expect((await lone.closed)?.code).toMatch(/^(LOST|SHUTDOWN)$/);
    expect((await failure(lone.stat(''))).code).toMatch(/^(LOST|SHUTDOWN)$/);
  });
});
