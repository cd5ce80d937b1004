import { beforeEach, describe, expect, test } from 'vitest';
import { ready } from '../../src/digest.ts';
import { Failure } from '../../src/errors.ts';
import { createMemoryVault } from '../../src/store/memory.ts';
import type { Amount, Meter } from '../../src/store/meter.ts';
import { meteredVault } from '../../src/store/metered.ts';
import type { Vault } from '../../src/store/vault.ts';
import { vaultContract } from './contract.ts';
import { by, undo } from './contract-undo.ts';
import { at, codeOf, packOf, put, visible, wanting } from './vaults.ts';

/** A meter that writes down what it is told, and has so many bytes to give. */
class Book implements Meter {
  readonly lines: string[] = [];
  readonly totals = { bytes: 0, files: 0 };
  room = Infinity;
  isUsedUp = false;

  async use(): Promise<void> {
    if (this.isUsedUp) throw new Failure('QUOTA', 'no use is left');
  }

  async admit(path: string, wanted: Amount, moving: number): ReturnType<Meter['admit']> {
    await this.use();
    this.#need(wanted.bytes);
    this.lines.push(`admit ${path} ${wanted.bytes} ${wanted.files} ${moving}`);
    let over = false;
    return {
      extend: async (bytes) => this.#need(bytes),
      commit: async () => {},
      end: (moved, resting) => {
        if (!over) this.lines.push(`end ${moved.bytes} ${moved.files} ${resting}`);
        over = true;
      },
    };
  }

  async issue(wanted: Amount): ReturnType<Meter['issue']> {
    this.#need(wanted.bytes);
    return {
      settle: async (moved) => { this.lines.push(`settled ${moved.bytes} ${moved.files}`); },
      end: (moved) => { this.lines.push(`issued ${wanted.bytes} moved ${moved.bytes} ${moved.files}`); },
    };
  }

  change(_path: string, more: Amount): void {
    this.totals.bytes += more.bytes;
    this.totals.files += more.files;
  }

  async moved(): Promise<void> {}
  async quota(): Promise<number | undefined> { return this.room === Infinity ? undefined : 100; }
  async left(): Promise<number | undefined> { return this.room === Infinity ? undefined : this.room; }

  #need(bytes: number): void {
    if (bytes > this.room) throw new Failure('QUOTA', 'no room');
  }
}

vaultContract('metered', () => Promise.resolve(meteredVault(createMemoryVault(), new Book())));

let book: Book;
let inner: Vault;
let vault: Vault;
beforeEach(async () => {
  await ready();
  book = new Book();
  inner = createMemoryVault();
  vault = meteredVault(inner, book);
});

/** What was counted is what is there. */
async function expectTrue(): Promise<void> {
  const { bytes, files, folders } = await inner.usage(at(''));
  expect(book.totals).toEqual({ bytes, files: files + folders - 1 }); // but for the top itself
}

describe('what is counted is what is there', () => {
  test('after folders were made, alone, with those above, and by batches at once', async () => {
    await vault.makeFolder(at('one'));
    await vault.makeFolder(at('one/two/three'), { parents: true });
    await vault.makeFolder(at('one/two/three'), { parents: true });
    expect(await codeOf(vault.makeFolder(at('one')))).toBe('EXISTS');
    await expectTrue();
    await Promise.all(['x', 'y', 'z'].map((name) => vault.receiveBatch(at('new/top'), packOf({ 'sub/deep': [{ name, data: name }] }), visible)));
    await expectTrue();
    await vault.move(at('one'), at('new/one'));
    await vault.remove(at('new'), { deep: true });
    expect(book.totals).toEqual({ bytes: 0, files: 0 });
  });

  test('after files came, were replaced, renamed over each other and removed', async () => {
    await put(vault, 'a', 'aaaa');
    await put(vault, 'a', 'bb');
    await put(vault, 'b', 'c');
    await expectTrue();
    await vault.makeFolder(at('f'));
    await vault.receiveBatch(at('f'), packOf({ '': [{ name: 'x', data: 'xxx' }, { name: 'y', data: 'yyy' }], 'sub': [{ name: 'z', data: 'z' }] }), visible);
    await vault.receiveBatch(at('f'), packOf({ '': [{ name: 'x', data: 'x' }, { name: 'new', data: 'new' }] }), visible);
    await expectTrue();
    await vault.move(at('a'), at('f/x'), { replace: true });
    await vault.move(at('f/y'), at('y'));
    await expectTrue();
    await vault.remove(at('f'), { deep: true });
    await vault.remove(at('y'));
    await expectTrue();
    expect(book.totals).toEqual({ bytes: 1, files: 1 });
  });

  test('after what failed, in part or as a whole', async () => {
    await put(vault, 'a', 'aaaa');
    await vault.makeFolder(at('f'));
    expect(await codeOf(vault.remove(at('none')))).toBe('NOTFOUND');
    expect(await codeOf(vault.move(at('none'), at('b')))).toBe('NOTFOUND');
    expect(await codeOf(put(vault, 'f', 'x'))).toBe('ISDIR');
    await vault.receiveBatch(at('f'), packOf({ '': [{ name: 'bad', data: 'x', digest: new Uint8Array(32) }, { name: 'good', data: 'y' }] }), visible);
    await expectTrue();
  });
});

test('a folder gets its time after a batch that still waits to be counted', async () => {
  const waited = vault.receiveBatch(at('f'), packOf({ '': [{ name: 'x', data: 'x' }] }), visible);
  expect(await vault.finishFolders(at('f'), [{ path: at(''), mode: 0o755, mtime: 1_000_000 }], 'visible')).toEqual([]);
  expect((await waited).files).toBe(1);
  expect((await vault.stat(at('f')))?.mtime).toBe(1_000_000);
});

test('where no use is left, nothing is done and nothing told', async () => {
  await put(vault, 'a', 'aaaa');
  book.isUsedUp = true;
  const deeds = [
    vault.stat(at('a')), vault.read(at('a')), put(vault, 'b', 'b'), vault.makeFolder(at('f')), vault.setAttributes(at('a'), { mode: 0o600 }), vault.move(at('a'), at('b')),
    vault.remove(at('a')), vault.usage(at('')), vault.space(), vault.probe(1, 1), vault.finishFolders(at(''), [], 'visible'), vault.receiveBatch(at(''), packOf({ '': [{ name: 'x', data: 'x' }] }), visible),
    (async () => { for await (const page of vault.list(at(''))) void page; })(),
  ];
  expect(new Set(await Promise.all(deeds.map(codeOf)))).toEqual(new Set(['QUOTA']));
  expect(await inner.usage(at(''))).toMatchObject({ files: 1, folders: 1, bytes: 4 }); // the top itself
});

describe('room', () => {
  test('is asked for before a byte comes, and a file that is replaced is not a file more', async () => {
    await put(vault, 'a', 'aaaa');
    await put(vault, 'a', 'bb');
    expect(book.lines).toEqual(['admit a 4 1 1', 'end 4 1 0', 'admit a 2 0 1', 'end 2 1 0']);
  });

  test('is asked for where it is needed: in the nearest folder that has all of a batch, or of what comes back', async () => {
    await vault.receiveBatch(at(''), packOf({ '': [], 'a/b': [{ name: 'x', data: 'xx' }], 'a/bc': [{ name: 'y', data: 'yy' }] }), visible);
    await vault.receiveBatch(at(''), packOf({ 'a/b': [{ name: 'x', data: 'xx' }, { name: 'y', data: 'yy' }] }), visible);
    await vault.receiveBatch(at(''), packOf({ 'a/b': [{ name: 'x', data: 'xx' }], 'a/bc': [{ name: 'y', data: 'yy' }] }), visible);
    await vault.remove(at('a/b'), { deep: true, keep: by(1) });
    await undo(vault, 2);
    await vault.probe(1, 1);
    expect(book.lines.filter((line) => line.startsWith('admit'))).toEqual([
      expect.stringMatching(/^admit  4 /) as string, expect.stringMatching(/^admit a\/b 4 /) as string, expect.stringMatching(/^admit a 4 /) as string,
      expect.stringMatching(/^admit a\/b 4 /) as string, expect.stringMatching(/^admit \.wherry 1 /) as string,
    ]);
  });

  test('that is missing refuses a file and changes nothing', async () => {
    book.room = 3;
    expect(await codeOf(vault.receive(at('a'), wanting({ size: 4 })))).toBe('QUOTA');
    expect(await codeOf(vault.receiveBatch(at(''), packOf({ '': [{ name: 'x', data: 'xxxx' }] }), visible))).toBe('QUOTA');
    expect((await vault.usage(at(''))).files).toBe(0);
  });

  test('is asked for as it comes where the size is not known', async () => {
    book.room = 5;
    {
      await using upload = await vault.receive(at('a'), wanting());
      await upload.write([Buffer.from('1234')], 0);
      expect(await codeOf(upload.write([Buffer.from('56')], 4))).toBe('QUOTA');
    }
    expect(book.lines.at(-1)).toBe('end 0 0 0');
    await using again = await inner.receive(at('a'), wanting());
    expect(again.basis.kind).not.toBe('part'); // else it would rest, uncounted
  });

  test('of an upload that breaks off is kept for what rests of it', async () => {
    { await using upload = await vault.receive(at('a'), wanting({ size: 9 })); await upload.write([Buffer.from('1234')], 0); }
    { await using upload = await vault.receive(at('a'), wanting({ size: 9 })); await upload.discard(); }
    expect(book.lines.filter((line) => line.startsWith('end'))).toEqual(['end 0 0 4', 'end 0 0 0']);
  });

  test('shows as free space, where it is less', async () => {
    const { free } = await inner.space();
    expect((await vault.space()).free).toBeGreaterThan(5);
    book.room = 5;
    expect((await vault.space()).free).toBe(Math.min(5, free));
  });
});

test('a file that goes out is given back as far as it was not read', async () => {
  await put(inner, 'a', '0123456789');
  { await using source = await vault.read(at('a')); await source.read(new Uint8Array(4), 0); }
  { await using source = await vault.read(at('a')); await source.read(new Uint8Array(10), 0); }
  book.room = 9;
  expect(await codeOf(vault.read(at('a')))).toBe('QUOTA');
  expect(book.lines).toEqual(['issued 10 moved 4 0', 'settled 10 1', 'issued 10 moved 10 1']);
});
