/** Disks that fill up and folders that go away in the middle: exit 8 or a clear word, the part thrown away, the old file whole. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
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

  test.skipIf(reason !== '')('of the server stops the files of a folder that do not fit, and says which', async () => {
    await using small = await Small.make(8);
    await using served = await Rig.start({ below: small.folder });
    const source = await mkdtemp(join(tmpdir(), 'wherry-many-'));
    try {
      for (let index = 0; index < 100; index += 1) await writeFile(join(source, `file-${String(index).padStart(3, '0')}`), bytes(160 << 10, index));
      const ran = await served.run(['put', source, ':all', '--json']);
      expect(ran.code).toBe(1);
      const failed = events(ran, 'error');
      expect(failed.length).toBeGreaterThan(40);
      expect(new Set(failed.map(({ code, who }) => `${code} ${who}`))).toEqual(new Set(['NOSPACE server']));
      await nothingStaged(served.served);
      await expectAlive(served);
    } finally {
      await rm(source, { recursive: true });
    }
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
    const ran = await rig.run(['get', ':tree', `${small.folder}/`, '--json']);
    expect(ran.code).toBe(8);
    expect(new Set(events(ran, 'error').map(({ code, who, hint }) => `${code} ${who} ${hint}`))).toEqual(new Set(['NOSPACE here make room here, then run the same command again']));
    expect(events(ran, 'error')).toHaveLength(3);
    expect(events(ran, 'summary')).toEqual([expect.objectContaining({ exit: 8, failed: 3, files: 0 })]);
    expect(await contents(join(small.folder, 'tree'))).toEqual({});
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
