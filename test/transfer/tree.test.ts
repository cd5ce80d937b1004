import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { LEAST_PACK_BYTES, PACK_HEADROOM, PackWriter } from '../../src/pack.ts';
import { parsePath, ROOT } from '../../src/path.ts';
import { digestOf, ready } from '../../src/digest.ts';
import type { Exchange } from '../../src/session/exchange.ts';
import { createMemoryVault } from '../../src/store/memory.ts';
import type { PackStep, Problem } from '../../src/store/vault.ts';
import { receiveTree, sayProblems, sendTree, type TreeSink } from '../../src/transfer/tree.ts';
import type { Message } from '../../src/wire/messages.ts';
import { Link } from '../session/link.ts';

await ready();
const OPTIONS = { level: 'visible', condition: 'absent' } as const;

function packOf(...names: string[]): Uint8Array {
  const writer = new PackWriter();
  writer.folder(ROOT, 0o755);
  for (const name of names) {
    const data = Buffer.from(`content of ${name}`);
    writer.space(name, data.byteLength).set(data);
    writer.file(name, 0o644, 1_000_000, digestOf(data), data.byteLength);
  }
  return writer.finish();
}

/** A `putTree` on both sides; the server stores into a memory vault, by way of `sink` where there is one. */
async function putting(link: Link, sink = (vault: TreeSink): TreeSink => vault): Promise<{ exchange: Exchange; vault: ReturnType<typeof createMemoryVault>; stored: Promise<void> }> {
  const exchange = link.client.request({ kind: 'putTree', path: '', level: 'visible', ifAbsent: true });
  const other = await link.server.next();
  const vault = createMemoryVault();
  const stored = (async () => {
    try {
      await receiveTree(other, sink(vault), ROOT, OPTIONS);
      other.say({ kind: 'done' });
    } catch (error) {
      other.cancel(Failure.from(error));
    } finally {
      other[Symbol.dispose]();
    }
  })();
  return { exchange, vault, stored };
}

/** Everything that comes, up to `done`. */
async function answers(exchange: Exchange): Promise<Message[]> {
  const all: Message[] = [];
  for (;;) {
    const received = await exchange.next();
    exchange.consumed(received.bulk);
    if (received.kind !== 'message') continue;
    if (received.message.kind === 'done') return all;
    all.push(received.message);
  }
}

const problem = (path: string, message = 'already exists'): Problem => ({ path: parsePath(path), code: 'EXISTS', message });

describe('a tree that is received', () => {
  test('is stored pack by pack, each acknowledged after what went wrong in it', async () => {
    await using link = await Link.open();
    const { exchange, vault, stored } = await putting(link);
    await exchange.batch(packOf('a', 'b'));
    await exchange.batch(packOf('b', 'c'));
    await exchange.sayBulk({ kind: 'folders', folders: [{ path: '', mode: 0o700, mtime: 5 }, { path: 'gone', mode: 0o700, mtime: 5 }] }, 100);
    exchange.say({ kind: 'finish' });
    expect(await answers(exchange)).toMatchObject([
      { kind: 'batched', files: 2 },
      { kind: 'problems', problems: [{ path: 'b', code: 'EXISTS' }] },
      { kind: 'batched', files: 1 },
      { kind: 'problems', problems: [{ path: 'gone', code: 'NOTFOUND' }] },
    ]);
    await stored;
    expect((await vault.usage(ROOT)).files).toBe(3);
    expect(await vault.stat(ROOT)).toMatchObject({ mode: 0o700 });
    await link.settled();
    expect([link.budget.used, link.client.active, link.server.connection.active]).toEqual([0, 0, 0]);
  });

  test('has its folders finished when what is in them has come, also where a pack waits for room before it is stored', async () => {
    await using link = await Link.open();
    const { exchange, vault, stored } = await putting(link, (inner) => ({
      receiveBatch: async (...pack) => { await new Promise((resolve) => { setImmediate(resolve); }); return inner.receiveBatch(...pack); },
      finishFolders: (...folders) => inner.finishFolders(...folders),
    }));
    await exchange.batch(packOf('a'));
    await exchange.sayBulk({ kind: 'folders', folders: [{ path: '', mode: 0o700, mtime: 5 }] }, 100);
    exchange.say({ kind: 'finish' });
    expect(await answers(exchange)).toMatchObject([{ kind: 'batched', files: 1 }]);
    await stored;
    // What arrives in a folder changes its time: that it has this one says what came last.
    expect(await vault.stat(ROOT)).toMatchObject({ mode: 0o700, mtime: 5 });
  });

  test.each([
    ['a pack that is none', (exchange: Exchange) => exchange.batch(new Uint8Array(50).fill(9)), 'PROTOCOL'],
    ['a folder with a name that leads elsewhere', (exchange: Exchange) => exchange.sayBulk({ kind: 'folders', folders: [{ path: '../x', mode: 0, mtime: 0 }] }, 100), 'BADNAME'],
  ])('is refused for %s, and the connection goes on', async (_what, speak, code) => {
    await using link = await Link.open();
    const { exchange, stored } = await putting(link);
    await speak(exchange);
    await expect(answers(exchange)).rejects.toMatchObject({ code });
    await stored;
    await link.settled();
    expect(link.budget.used).toBe(0);
  });
});

describe('a tree that is sent', () => {
  const step: PackStep = { pack: new Uint8Array(), files: 0, bytes: 0, large: [], folders: [], problems: [], skipped: 0 };

  async function sent(steps: readonly PackStep[]): Promise<{ words: Message[]; packs: number }> {
    await using link = await Link.open();
    const exchange = link.client.request({ kind: 'getTree', path: '', exclude: [] });
    const from = await link.server.next();
    const sending = sendTree(from, async function* () { yield* steps; }).then(() => { from.say({ kind: 'done' }); });
    const words: Message[] = [];
    let packs = 0;
    for (;;) {
      const received = await exchange.next();
      exchange.consumed(received.bulk);
      if (received.kind === 'batch') packs += 1;
      else if (received.kind === 'message' && received.message.kind === 'done') break;
      else if (received.kind === 'message') words.push(received.message);
    }
    await sending;
    expect(link.budget.used).toBe(0);
    return { words, packs };
  }

  test('tells packs, large files, problems, folders, in this order', async () => {
    const large = { name: 'big', path: parsePath('sub/big'), kind: 'file' as const, size: 9e9, mtime: 7, mode: 0o600 };
    const { words, packs } = await sent([{ ...step, pack: packOf('a'), large: [large], problems: [problem('p')], skipped: 3, folders: [{ path: ROOT, mode: 0o755, mtime: 1 }] }]);
    expect(packs).toBe(1);
    expect(words).toEqual([
      { kind: 'large', files: [{ name: 'sub/big', kind: 'file', size: 9e9, mtime: 7, mode: 0o600 }] },
      { kind: 'problems', problems: [{ path: 'p', code: 'EXISTS', message: 'already exists' }], skipped: 0 },
      { kind: 'problems', problems: [], skipped: 3 },
      { kind: 'folders', folders: [{ path: '', mode: 0o755, mtime: 1 }] },
    ]);
  });

  test('of more bytes than the credit arrives whole', async () => {
    const { packs } = await sent(Array.from({ length: 40 }, () => ({ ...step, pack: new Uint8Array(1 << 20) })));
    expect(packs).toBe(40);
  });

  test('splits what is too long for one message, also when every text has the greatest length', async () => {
    const deep = Array.from({ length: 16 }, () => 'é'.repeat(127)).join('/');
    const problems = Array.from({ length: 300 }, (_, number) => problem(`${deep}/${number}`, '写'.repeat(2000)));
    const { words } = await sent([{ ...step, problems, folders: problems.map(({ path }) => ({ path, mode: 0, mtime: Number.MIN_SAFE_INTEGER })) }]);
    const told = words.flatMap((word) => (word.kind === 'problems' ? word.problems.map(({ path }) => path) : []));
    expect(told).toEqual(problems.map(({ path }) => path));
    expect(words.flatMap((word) => (word.kind === 'folders' ? word.folders : []))).toHaveLength(300);
  });

  test('is made in slabs of the budget, which are given back, and where it has nothing left in one small one at a time', async () => {
    await using link = await Link.open();
    link.budget.reserve(link.budget.limit, 0, () => {});
    const exchange = link.client.request({ kind: 'getTree', path: '', exclude: [] });
    const from = await link.server.next();
    const sizes: number[] = [];
    const sending = sendTree(from, async function* (room) {
      for (let made = 0; made < 3; made += 1) {
        const memory = await room();
        sizes.push(memory.byteLength);
        const writer = new PackWriter(memory);
        writer.folder(ROOT, 0o755);
        yield { ...step, pack: writer.finish() };
      }
      sizes.push((await room()).byteLength);
    });
    for (let packs = 0; packs < 3; packs += 1) exchange.consumed((await exchange.next()).bulk);
    await sending;
    expect(sizes).toEqual([1, 2, 3, 4].map(() => PACK_HEADROOM + LEAST_PACK_BYTES));
    expect(link.budget.used).toBe(link.budget.limit);
    from.say({ kind: 'done' });
  });

  test('stops when nobody listens any more', async () => {
    await using link = await Link.open();
    const exchange = link.client.request({ kind: 'getTree', path: '', exclude: [] });
    const from = await link.server.next();
    let steps = 0;
    const endless = (async function* () { for (;; steps += 1) yield { ...step, pack: new Uint8Array(1 << 20) }; })();
    const sending = sendTree(from, () => endless);
    exchange.consumed((await exchange.next()).bulk);
    exchange.cancel(new Failure('CANCELLED', 'enough'));
    await expect(sending).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(steps).toBeLessThan(100);
    from[Symbol.dispose]();
    await link.settled();
    expect(link.server.connection.active).toBe(0);
  });

  test('tells no problem that was not there', async () => {
    await using link = await Link.open();
    link.client.request({ kind: 'getTree', path: '', exclude: [] });
    const from = await link.server.next();
    const before = link.server.connection.machine.credit(from.id);
    await sayProblems(from, []);
    expect(link.server.connection.machine.credit(from.id)).toBe(before);
  });
});
