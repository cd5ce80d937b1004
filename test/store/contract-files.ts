/** The part of the contract about single files: uploads, their continuation, reading. */
import { expect } from 'vitest';
import { createHasher, digestOf, hex } from '../../src/digest.ts';
import type { Failure } from '../../src/errors.ts';
import { ROOT } from '../../src/path.ts';
import { type Check, at, bytesOf, codeOf, contentOf, MTIME, namesIn, put, wanting } from './vaults.ts';

export function oneFile(check: Check): void {
  for (const level of ['visible', 'durable'] as const) {
    check(`an upload is invisible until it is committed, then whole, with its mode and time (${level})`, async (vault) => {
      await using upload = await vault.receive(at('a'), wanting({ level, mode: 0o600 }));
      await upload.write([Buffer.from('hel'), Buffer.from(''), Buffer.from('lo')], 0);
      expect(await vault.stat(at('a'))).toBeUndefined();
      expect(await namesIn(vault, '')).toEqual([]);
      await upload.commit(5);
      expect(await vault.stat(at('a'))).toEqual({ name: 'a', kind: 'file', size: 5, mtime: MTIME, mode: 0o600 });
      expect((await contentOf(vault, 'a')).toString()).toBe('hello');
    });
  }

  check('sizes around every boundary arrive as they are', async (vault) => {
    for (const around of [0, 1024, 65_536, 1 << 20]) {
      for (const size of [around - 1, around, around + 1, around + 3].filter((one) => one >= 0)) {
        await put(vault, `f${size}`, bytesOf(size));
        const hasher = createHasher();
        hasher.update(await contentOf(vault, `f${size}`));
        expect(Buffer.from(hasher.digest())).toEqual(Buffer.from(digestOf(bytesOf(size))));
      }
    }
  });

  check('an upload is written in any order, in as many chunks as there are', async (vault) => {
    const bytes = bytesOf(5000);
    await using upload = await vault.receive(at('a'), wanting({ size: 5000 }));
    await upload.write(Array.from({ length: 2500 }, (_, i) => bytes.subarray(2500 + i, 2501 + i)), 2500);
    await upload.write([bytes.subarray(0, 2500)], 0);
    await upload.commit(5000, MTIME + 1);
    expect((await contentOf(vault, 'a')).equals(bytes)).toBe(true);
    expect((await vault.stat(at('a')))?.mtime).toBe(MTIME + 1);
  });

  check('a commit cuts what is too long and refuses what is too short', async (vault) => {
    await using upload = await vault.receive(at('a'), wanting());
    await upload.write([Buffer.from('hello')], 0);
    expect(await codeOf(upload.commit(6))).toBe('VERIFY');
    expect(await vault.stat(at('a'))).toBeUndefined();
    await upload.commit(4);
    expect((await contentOf(vault, 'a')).toString()).toBe('hell');
  });

  check('what cannot become a file is refused before a byte is sent', async (vault) => {
    await vault.makeFolder(at('d'));
    await put(vault, 'f', 'x');
    expect(await codeOf(vault.receive(ROOT, wanting()))).toBe('ISDIR');
    expect(await codeOf(vault.receive(at('d'), wanting()))).toBe('ISDIR');
    expect(await codeOf(vault.receive(at('no/f'), wanting()))).toBe('NOTFOUND');
    expect(await codeOf(vault.receive(at('f/g'), wanting()))).toBe('NOTDIR');
    expect(await codeOf(vault.receive(at('f'), wanting({ condition: 'absent' })))).toBe('EXISTS');
    expect(await codeOf(vault.receive(at('d'), wanting({ condition: 'absent' })))).toBe('EXISTS');
  });

  check('with `absent` the first of two uploads wins, and the other changes nothing', async (vault) => {
    await using first = await vault.receive(at('a'), wanting({ condition: 'absent' }));
    await using second = await vault.receive(at('a'), wanting({ condition: 'absent', owner: 'bob' }));
    await first.write([Buffer.from('first')], 0);
    await second.write([Buffer.from('second')], 0);
    await second.commit(6);
    expect(await codeOf(first.commit(5))).toBe('EXISTS');
    expect((await contentOf(vault, 'a')).toString()).toBe('second');
    // What can never get its name does not wait for it.
    await first[Symbol.asyncDispose]();
    await using next = await vault.receive(at('a'), wanting());
    expect(next.basis).toEqual({ kind: 'none', size: 0 });
  });

  check('with a digest, only the file that has it is replaced, renamed or removed, and what is there is told', async (vault) => {
    await put(vault, 'a', 'old');
    await vault.makeFolder(at('d'));
    const [old, other] = [digestOf(Buffer.from('old')), digestOf(Buffer.from('other'))];
    const told = { code: 'PRECONDITION', message: expect.stringContaining(`blake3 ${hex(old)}`) as unknown };
    await expect(vault.receive(at('a'), wanting({ match: other }))).rejects.toMatchObject(told);
    await expect(vault.move(at('a'), at('b'), { match: other })).rejects.toMatchObject(told);
    await expect(vault.remove(at('a'), { match: other })).rejects.toMatchObject(told);
    expect(await codeOf(vault.receive(at('none'), wanting({ match: old })))).toBe('PRECONDITION');
    expect(await codeOf(vault.receive(at('d'), wanting({ match: old })))).toBe('ISDIR');
    expect((await contentOf(vault, 'a')).toString()).toBe('old');
    await put(vault, 'a', 'new', { match: old });
    expect((await contentOf(vault, 'a')).toString()).toBe('new');
    await vault.move(at('a'), at('b'), { match: digestOf(Buffer.from('new')) });
    await vault.remove(at('b'), { match: digestOf(Buffer.from('new')) });
    expect(await namesIn(vault, '')).toEqual(['d']);
  });

  check('with a digest, what was written to the file while the new one arrived is kept', async (vault) => {
    for (const meanwhile of ['new', 'longer than before', undefined]) {
      await put(vault, 'a', 'old');
      await using upload = await vault.receive(at('a'), wanting({ match: digestOf(Buffer.from('old')), owner: `o${meanwhile ?? ''}` }));
      await upload.write([Buffer.from('mine')], 0);
      if (meanwhile === undefined) await vault.remove(at('a'));
      else await put(vault, 'a', meanwhile);
      expect(await codeOf(upload.commit(4))).toBe('PRECONDITION');
      if (meanwhile === undefined) expect(await vault.stat(at('a'))).toBeUndefined();
      else expect((await contentOf(vault, 'a')).toString()).toBe(meanwhile);
    }
  });

  check('of two that replace the file of one digest at once, one succeeds', async (vault) => {
    const match = digestOf(Buffer.from('old'));
    await put(vault, 'a', 'old');
    const codes = await Promise.all(['x', 'y'].map((content) => codeOf(put(vault, 'a', content, { match, owner: content }))));
    expect(codes.toSorted()).toEqual(['PRECONDITION', 'done']);
    expect((await contentOf(vault, 'a')).toString()).toBe(['x', 'y'][codes.indexOf('done')]);
  });

  check('of many uploads to one name one whole one remains', async (vault) => {
    await Promise.all(Array.from({ length: 16 }, (_, i) => put(vault, 'a', bytesOf(3000, i), { owner: `o${i}` })));
    const content = await contentOf(vault, 'a');
    expect(content.equals(bytesOf(3000, content[0]))).toBe(true);
  });

  check('a folder removed meanwhile is a failure at the commit', async (vault) => {
    await vault.makeFolder(at('d'));
    await using upload = await vault.receive(at('d/a'), wanting());
    await upload.write([Buffer.from('x')], 0);
    await vault.remove(at('d'));
    expect(await codeOf(upload.commit(1))).toBe('NOTFOUND');
    await vault.makeFolder(at('d'));
    await upload.commit(1);
    expect(await namesIn(vault, 'd')).toEqual(['a']);
  });

  check('an open file is read as it was, and says when it is another one now', async (vault) => {
    await put(vault, 'a', 'hello');
    await using source = await vault.read(at('a'));
    expect(await source.changed()).toBe(false);
    const into = new Uint8Array(3);
    expect([await source.read(into, 3), await source.read(into, 5), await source.read(into, 99)]).toEqual([2, 0, 0]);
    const [first, second] = [new Uint8Array(2), new Uint8Array(4)];
    expect([await source.readv([first, second], 1), Buffer.from(first).toString(), Buffer.from(second).toString('latin1', 0, 2)]).toEqual([4, 'el', 'lo']);
    expect(await source.readv([first, second], 5)).toBe(0);
    expect(await codeOf(vault.read(at('b')))).toBe('NOTFOUND');
    expect(await codeOf(vault.read(ROOT))).toBe('ISDIR');
    expect(await codeOf(vault.read(at('a/b')))).toBe('NOTDIR');
  });
}

export function continuing(check: Check): void {
  check('an upload that was cut is continued by the same owner, and only by that one', async (vault) => {
    {
      await using upload = await vault.receive(at('a'), wanting());
      await upload.write([Buffer.from('hel')], 0);
    }
    expect(await vault.stat(at('a'))).toBeUndefined();
    await using other = await vault.receive(at('a'), wanting({ owner: 'bob' }));
    expect(other.basis).toEqual({ kind: 'none', size: 0 });
    await using again = await vault.receive(at('a'), wanting());
    expect([again.basis, again.inPlace]).toEqual([{ kind: 'part', size: 3 }, true]);
    const into = Buffer.alloc(8);
    expect([await again.readBasis([into], 1), into.toString('latin1', 0, 2)]).toEqual([2, 'el']);
    expect(await again.read(into, 0)).toBe(3);
    expect(into.toString('latin1', 0, 3)).toBe('hel');
    await again.write([Buffer.from('p')], 3);
    await again.commit(4);
    expect((await contentOf(vault, 'a')).toString()).toBe('help');
  });

  check('an upload that is open ends when its owner begins it again, which takes its part over', async (vault) => {
    await using first = await vault.receive(at('a'), wanting());
    await first.write([Buffer.from('firs')], 0);
    await using second = await vault.receive(at('a'), wanting());
    expect(second.basis).toEqual({ kind: 'part', size: 4 });
    expect(await codeOf(first.write([Buffer.from('X')], 0))).toBe('BUSY');
    expect(await codeOf(first.read(new Uint8Array(1), 0))).toBe('BUSY');
    expect(await codeOf(first.commit(4))).toBe('BUSY');
    await first.discard();
    await first[Symbol.asyncDispose]();
    await second.write([Buffer.from('t')], 4);
    await second.commit(5);
    expect((await contentOf(vault, 'a')).toString()).toBe('first');
    await using other = await vault.receive(at('b'), wanting());
    await using bob = await vault.receive(at('b'), wanting({ owner: 'bob' }));
    await bob.commit(0);
    await other.commit(0);
  });

  check('an upload that is begun again in the middle of a write, or at its end, leaves one whole file', async (vault) => {
    const [old, young] = [bytesOf(3 << 20, 1), bytesOf(3 << 20, 2)];
    for (const committing of [false, true]) {
      await using first = await vault.receive(at('a'), wanting());
      const writing = first.write([old.subarray(0, 1 << 20), old.subarray(1 << 20)], 0);
      if (committing) await writing;
      const last = committing ? first.commit(old.length) : writing;
      await using second = await vault.receive(at('a'), wanting());
      const ended = await last.then(() => 'done', (error: unknown) => (error as Failure).code);
      expect(['done', 'BUSY']).toContain(ended);
      if (committing && ended === 'done') expect((await contentOf(vault, 'a')).equals(old)).toBe(true);
      await second.write([young], 0);
      await second.commit(young.length);
      expect((await contentOf(vault, 'a')).equals(young)).toBe(true);
    }
  });

  check('of many begun at once by one owner the last one has the name', async (vault) => {
    const uploads = await Promise.all(Array.from({ length: 8 }, () => vault.receive(at('a'), wanting())));
    const outcomes = await Promise.allSettled(uploads.map(async (upload, index) => {
      await upload.write([bytesOf(5000, index)], 0);
      await upload.commit(5000);
    }));
    expect(outcomes.map(({ status }) => status)).toEqual([...Array.from({ length: 7 }, () => 'rejected'), 'fulfilled']);
    expect((await contentOf(vault, 'a')).equals(bytesOf(5000, 7))).toBe(true);
    for (const upload of uploads) await upload[Symbol.asyncDispose]();
  });

  check('what was discarded is gone, and so is a part once it is committed', async (vault) => {
    const cut = await vault.receive(at('a'), wanting());
    await cut.write([Buffer.from('x')], 0);
    await cut.discard();
    await put(vault, 'a', 'y');
    await using again = await vault.receive(at('a'), wanting());
    expect(again.basis.kind).toBe('none');
  });

  check('the file to be replaced is the basis where that is allowed and worth it, and stays until the commit', async (vault) => {
    const old = bytesOf(1 << 20);
    await put(vault, 'a', old, { mode: 0o400 });
    await put(vault, 'small', 'x');
    for (const [path, more] of [['a', {}], ['a', { reuseOld: true, size: 5 }], ['small', { reuseOld: true }]] as const) {
      await using upload = await vault.receive(at(path), wanting(more));
      expect(upload.basis.kind).toBe('none');
    }
    await using upload = await vault.receive(at('a'), wanting({ reuseOld: true, size: 1 << 20 }));
    expect(upload.basis).toEqual({ kind: 'old', size: 1 << 20 });
    const kept = Buffer.alloc((1 << 20) + 5);
    expect([await upload.readBasis([kept.subarray(0, 5), kept.subarray(5)], 0), await upload.readBasis([Buffer.alloc(5)], 1 << 20), await upload.readBasis([Buffer.alloc(5)], 1 << 21)]).toEqual([1 << 20, 0, 0]);
    expect(kept.subarray(0, 1 << 20).equals(old)).toBe(true);
    // Where the old bytes are staged already, the staged file has all of them; otherwise it has none.
    expect(await upload.read(Buffer.alloc(5), (1 << 20) - 5)).toBe(upload.inPlace ? 5 : 0);
    if (!upload.inPlace) await upload.write([kept.subarray(0, 1 << 20)], 0);
    await upload.write([Buffer.from([99])], 7);
    expect([await upload.readBasis([kept], 7), kept[0], await upload.basisChanged()]).toEqual([(1 << 20) - 7, old[7], false]);
    expect((await contentOf(vault, 'a')).equals(old)).toBe(true);
    await upload.commit(1 << 20);
    expect((await contentOf(vault, 'a')).equals(Buffer.from(old).fill(99, 7, 8))).toBe(true);
    expect((await vault.stat(at('a')))?.mode).toBe(0o644);
  });

  check('a probe says how long its bytes took, within its bounds, and leaves nothing', async (vault) => {
    const probed = await vault.probe(3_000_000, 60_000);
    expect(probed.bytes).toBe(3_000_000);
    expect(probed.micros).toBeGreaterThan(0);
    expect(await vault.probe(1 << 20, 0)).toMatchObject({ bytes: 0 });
    expect(await namesIn(vault, '', true)).toEqual([]);
    expect(await vault.sweep(Date.now() + 60_000)).toBe(0);
  });

  check('a sweep forgets what rests, and leaves what is in use', async (vault) => {
    await using used = await vault.receive(at('used'), wanting());
    await used.write([Buffer.from('x')], 0);
    {
      await using upload = await vault.receive(at('a'), wanting());
      await upload.write([Buffer.from('x')], 0);
    }
    expect(await vault.sweep(Date.now() - 60_000)).toBe(0);
    expect(await vault.sweep(Date.now() + 60_000)).toBe(1);
    await using again = await vault.receive(at('a'), wanting());
    expect(again.basis.kind).toBe('none');
    await used.commit(1);
  });
}
