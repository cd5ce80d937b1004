/** Disks that fill up and folders that go away in the middle: exit 8 or a clear word, the part thrown away, the old file whole. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, rmdir, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Client, connect, serve } from '../../src/index.ts';
import { askServer } from '../../src/server/admin.ts';
import { bytes, fed, MIB } from './feed.ts';
import { Rig } from './rig.ts';
import { contents, events, expectAlive, failureOf, nothingStaged, staged } from './traces.ts';

/** A small file system of its own, which only root can make. */
class Small implements AsyncDisposable {
  readonly folder: string;
  private constructor(folder: string) { this.folder = folder; }

  static async make(megabytes: number): Promise<Small> {
    const folder = await mkdtemp(join(tmpdir(), 'wherry-small-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]);
    return new Small(folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    execFileSync('umount', ['-l', this.folder]);
    await rmdir(this.folder);
  }
}

/** A folder of many files. */
class Many implements AsyncDisposable {
  readonly folder: string;
  private constructor(folder: string) { this.folder = folder; }

  static async make(folder: string, size = 160 << 10, count = 100): Promise<Many> {
    await mkdir(folder, { recursive: true });
    for (let index = 0; index < count; index += 1) await writeFile(join(folder, `file-${String(index).padStart(3, '0')}`), bytes(size, index));
    return new Many(folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}

async function mountable(): Promise<boolean> {
  try {
    await (await Small.make(1))[Symbol.asyncDispose]();
    return true;
  } catch {
    return false;
  }
}
const reason = (await mountable()) ? '' : ' [skipped: only root can mount a small disk]';

describe(`a full disk${reason}`, () => {
  test.skipIf(reason !== '')('of the server ends a put with 8, and the old file stays', async () => {
    await using small = await Small.make(8);
    await using rig = await Rig.start({ below: small.folder });
    await writeFile(join(rig.served, 'big'), 'old');
    for (const words of [['put', '-', ':big'], ['put', '-', ':new']]) {
      const ran = await rig.run([...words, '--json'], { input: bytes(16 * MIB) });
      expect([ran.code, failureOf(ran)]).toEqual([8, expect.objectContaining({ code: 'NOSPACE', who: 'server', exit: 8, hint: expect.stringMatching(/make room on the server.*df/) as string })]);
    }
    expect(Object.keys(await contents(rig.served))).toEqual(['big']);
    expect(await readFile(join(rig.served, 'big'), 'utf8')).toBe('old');
    await nothingStaged(rig.served);
    await expectAlive(rig);
    expect((await rig.run(['put', '-', ':small'], { input: 'fits' })).code).toBe(0);
  });

  test.skipIf(reason !== '').each(['put', 'get'] as const)('that a folder cannot fit on refuses it before its first byte, by %s', async (way) => {
    await using small = await Small.make(8);
    await using rig = await Rig.start(way === 'put' ? { below: small.folder } : {});
    await using many = await Many.make(way === 'put' ? await mkdtemp(join(tmpdir(), 'wherry-many-')) : join(rig.served, 'many'));
    const ran = await rig.run(way === 'put' ? ['put', many.folder, ':all', '--json'] : ['get', ':many', join(small.folder, 'all'), '--json']);
    expect([ran.code, failureOf(ran)]).toEqual([8, expect.objectContaining({ code: 'NOSPACE', who: way === 'put' ? 'server' : 'here', message: expect.stringMatching(/^\d+ bytes do not fit: the disk has \d+ bytes free$/) as string })]);
    expect(await contents(way === 'put' ? rig.served : small.folder)).toEqual(way === 'put' ? {} : expect.not.objectContaining({ 'all/file-000': expect.anything() as unknown }));
    expect(events(ran, 'summary')).toMatchObject([{ files: 0, exit: 8 }]);
    await expectAlive(rig);
  });

  test.skipIf(reason !== '').each([['put', 160 << 10], ['put', 300 << 10], ['get', 160 << 10], ['get', 300 << 10]] as const)('in the middle of a folder ends it with 8 after a few files that did not fit, by %s of files of %i bytes', async (way, size) => {
    await using small = await Small.make(8);
    await using rig = await Rig.start(way === 'put' ? { below: small.folder } : {});
    // More than is on its way at once.
    await using many = await Many.make(way === 'put' ? await mkdtemp(join(tmpdir(), 'wherry-many-')) : join(rig.served, 'many'), size, 400);
    // With a pattern nothing is counted before.
    const ran = await rig.run([...(way === 'put' ? ['put', many.folder, ':all'] : ['get', ':many', join(small.folder, 'all')]), '--exclude', 'none', '--json']);
    expect(ran.code).toBe(8);
    const failed = events(ran, 'error');
    expect(new Set(failed.map(({ code, who }) => `${code} ${who}`))).toEqual(new Set([`NOSPACE ${way === 'put' ? 'server' : 'here'}`]));
    expect(failed.length).toBeLessThan(200);
    expect(failed.at(-1)!.message).toMatch(/^the rest was not tried: /);
    if (way === 'put') await nothingStaged(rig.served);
    await expectAlive(rig);
  });

  test.skipIf(reason !== '')('has room for a folder that is there already, and for one that replaces what is there', async () => {
    await using small = await Small.make(8);
    await using rig = await Rig.start();
    await using many = await Many.make(join(rig.served, 'many'), 60 << 10);
    expect((await rig.run(['get', ':many', join(small.folder, 'all')])).code).toBe(0);
    await rm(join(many.folder, 'file-000'));
    await writeFile(join(many.folder, 'file-001'), bytes(60 << 10, 1000));
    expect((await rig.run(['get', ':many/.', join(small.folder, 'all')])).code).toBe(0);
  });

  test.skipIf(reason !== '')('here ends a get with 8, and the old file stays', async () => {
    await using small = await Small.make(8);
    await using rig = await Rig.start();
    await writeFile(join(rig.served, 'big'), bytes(16 * MIB));
    await writeFile(join(small.folder, 'big'), 'old');
    for (const target of ['big', 'new']) {
      const ran = await rig.run(['get', ':big', join(small.folder, target), '--json']);
      expect([ran.code, failureOf(ran)]).toEqual([8, expect.objectContaining({ code: 'NOSPACE', who: 'here', exit: 8, hint: expect.stringContaining('make room here') as string })]);
    }
    expect(await readFile(join(small.folder, 'big'), 'utf8')).toBe('old');
    expect(Object.keys(await contents(small.folder))).toEqual(['big']);
    expect(await staged(small.folder)).toEqual([]);
    await expectAlive(rig);
  });

  test.skipIf(reason !== '')('on which nothing of a folder fits ends with 8, and says whose it is', async () => {
    await using small = await Small.make(8);
    await using rig = await Rig.start();
    await mkdir(join(rig.served, 'tree'));
    for (const name of ['small', 'other', 'large']) await writeFile(join(rig.served, 'tree', name), bytes(name === 'large' ? 3 * MIB : 300 << 10));
    await writeFile(join(small.folder, 'fill'), bytes(8 * MIB - (200 << 10)));
    const ran = await rig.run(['get', ':tree', `${small.folder}/`, '--exclude', 'none', '--json']);
    expect(ran.code).toBe(8);
    expect(new Set(events(ran, 'error').map(({ code, who, hint }) => `${code} ${who} ${hint}`))).toEqual(new Set(['NOSPACE here make room here, then run the same command again']));
    expect(events(ran, 'error')).toHaveLength(3);
    expect(events(ran, 'summary')).toEqual([expect.objectContaining({ exit: 8, failed: 3, files: 0 })]);
    expect(await contents(join(small.folder, 'tree'))).toEqual({});
  });

  test.skipIf(reason !== '').each([1, 2])('E9: of the state folder keeps nobody in who is locked out, in a server of %i process(es)', async (workers) => {
    await using small = await Small.make(1);
    const folder = await mkdtemp(join(tmpdir(), 'wherry-locked-'));
    const clients: Client[] = [];
    try {
      const [share, state, fill] = [join(folder, 'share'), join(small.folder, 'state'), join(small.folder, 'fill')];
      await mkdir(share);
      await writeFile(join(share, 'large'), '');
      await truncate(join(share, 'large'), 4096 * MIB);
      await using server = await serve(share, { listen: ['127.0.0.1:0'], state, workers, rate: 64 * MIB });
      const runs = new Map<string, AsyncIterator<unknown>>();
      for (const name of ['ann', 'bob', 'cat']) {
        await askServer(state, { verb: 'account add', name, rights: 'rw' });
        const { token } = await askServer(state, { verb: 'token create', account: name, name: `of-${name}` });
        const client = await connect({ server: `${server.addresses[0]}#${server.fingerprint}`, token });
        clients.push(client);
        const stream = client.getStream('large')[Symbol.asyncIterator]();
        await stream.next();
        runs.set(name, stream);
      }
      await expect(writeFile(fill, bytes(2 * MIB))).rejects.toMatchObject({ code: 'ENOSPC' });
      for (const [name, request, code] of [
        ['ann', { verb: 'token revoke', name: 'of-ann' }, 'AUTH'], ['bob', { verb: 'account remove', name: 'bob' }, 'AUTH'], ['cat', { verb: 'account change', name: 'cat', rights: 'none' }, 'SHUTDOWN'],
      ] as const) {
        await expect(askServer(state, request)).rejects.toMatchObject({ code: 'NOSPACE', message: expect.stringMatching(/^the .* in the running server, but not on its disk yet: .*no space left/) as string, hint: expect.stringContaining('make room') as string });
        await expect((async () => { while ((await runs.get(name)!.next()).done !== true); })(), name).rejects.toMatchObject({ code });
      }
      await expect(askServer(state, { verb: 'account add', name: 'dan', rights: 'rw' })).rejects.toMatchObject({ code: 'NOSPACE' });
      await rm(fill);
      await server.stop({ graceMs: 0 });
      const { accounts, tokens } = JSON.parse(await readFile(join(state, 'accounts.json'), 'utf8')) as { accounts: { name: string; rights: string }[]; tokens: { name: string }[] };
      expect([accounts.map(({ name, rights }) => `${name}: ${rights}`), tokens.map(({ name }) => name)]).toEqual([['ann: rw', 'cat: none'], ['of-cat']]);
    } finally {
      for (const client of clients) await client.close();
      await rm(folder, { recursive: true });
    }
  });

  test.skipIf(reason !== '')('behind standard output is an error as well', async () => {
    await using rig = await Rig.start();
    await writeFile(join(rig.served, 'big'), bytes(1 * MIB));
    expect(() => execFileSync('sh', ['-c', 'exec "$0" "$1" cat :big > /dev/full', process.execPath, mainOf()], { env: { ...process.env, WHERRY_HOME: rig.home }, stdio: 'pipe' })).toThrow(expect.objectContaining({ status: expect.any(Number) as number }));
    await expectAlive(rig);
  });
});

function mainOf(): string {
  return join(import.meta.dirname, '../..', process.env['WHERRY_DIST'] ?? 'dist', 'cli/main.js');
}

describe('a folder that goes away while a file is on its way there', () => {
  test('on the server is told, and the server goes on', async () => {
    await using rig = await Rig.start();
    await mkdir(join(rig.served, 'target'));
    const { child, over } = await fed(rig, ':target/big', bytes(4 * MIB));
    await rmdir(join(rig.served, 'target'));
    child.stdin!.end();
    const ran = await over;
    const told = failureOf(ran);
    expect([ran.code, told.code, told.who]).toEqual([6, 'NOTFOUND', 'server']);
    expect(told.message).toMatch(/no such folder|removed meanwhile/);
    expect(told.hint).toBeTruthy();
    expect(await contents(rig.served)).toEqual({});
    await expectAlive(rig);
    await mkdir(join(rig.served, 'target'));
    expect((await rig.run(['put', '-', ':target/big'], { input: bytes(4 * MIB) })).code).toBe(0);
    await nothingStaged(rig.served);
  });

  test('even when it is the served folder itself', async () => {
    await using rig = await Rig.start();
    const { child, over } = await fed(rig, ':big', bytes(4 * MIB));
    await rm(rig.served, { recursive: true });
    child.stdin!.end();
    const ran = await over;
    expect(ran.code).not.toBe(0);
    expect(failureOf(ran).message).not.toMatch(/internal/);
    await mkdir(rig.served);
    const ls = await rig.run(['ls', ':', '--json']);
    expect(ls.stdout).not.toMatch(/internal/);
    expect([rig.server!.exitCode, rig.server!.signalCode]).toEqual([null, null]);
  });
});
