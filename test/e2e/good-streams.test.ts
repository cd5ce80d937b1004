/** Standard input and output in place of a local file: bytes as they are, and a file only when the input has ended well. */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { finished, Rig, type Ran } from './rig.ts';
import { noise, plant, sha256 } from './trees.ts';

const MIB = 1 << 20;

let rig: Rig;
beforeAll(async () => { rig = await Rig.start(); });
afterAll(() => rig[Symbol.asyncDispose]());

/** What a command wrote to standard output, as bytes. */
async function output(words: readonly string[]): Promise<{ code: number | null; bytes: Buffer; stderr: string }> {
  const child = rig.spawn(words);
  child.stdin!.end();
  const chunks: Buffer[] = [];
  const words2: Buffer[] = [];
  child.stdout!.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr!.on('data', (chunk: Buffer) => words2.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, bytes: Buffer.concat(chunks), stderr: Buffer.concat(words2).toString() };
}

describe('put -', () => {
  test.each([['empty', Buffer.alloc(0)], ['of one byte', Buffer.from([0])], ['of every byte', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))], ['of 20 MiB', noise(20 * MIB)]])('an input %s becomes the file', async (name, bytes) => {
    const put = await rig.run(['put', '-', `:${name}`], { input: bytes });
    expect(put).toMatchObject({ code: 0, stderr: '' });
    expect(put.stdout).toMatch(new RegExp(`^${name}  .*verified \\(blake3 [0-9a-f]{8}…\\)`));
    expect(readFileSync(join(rig.served, name)).equals(bytes)).toBe(true);
  });

  test('an input that ends early because its writer was killed cannot be told from one that ended; the bytes are whole', async () => {
    const child = rig.spawn(['put', '-', ':stream']);
    const ran = finished(child);
    child.stdin!.write('half a line');
    child.stdin!.destroy();
    expect((await ran).code).toBe(0);
    expect(readFileSync(join(rig.served, 'stream'), 'utf8')).toBe('half a line');
  });

  test('that waits says with --json, now and then, how far it is and what it waits for', async () => {
    const child = rig.spawn(['put', '-', ':waits', '--json']);
    const ran = finished(child);
    child.stdin!.write('the beginning, ');
    const [first] = (await once(child.stdout!, 'data')) as [Buffer];
    expect(JSON.parse(first.toString())).toMatchObject({ event: 'progress', name: '-', bytes: 0, files: 0, totalBytes: null, limit: 'input' });
    child.stdin!.end('and the end');
    expect((await ran).code).toBe(0);
    expect(readFileSync(join(rig.served, 'waits'), 'utf8')).toBe('the beginning, and the end');
  });

  test('needs a name for the file', async () => {
    for (const target of [[], [':'], [':folder/']]) expect((await rig.run(['put', '-', ...target], { input: 'x' })).code).toBe(2);
  });

  test('ends when the server is gone, though the input stays open and silent', async () => {
    await using other = await Rig.start();
    const child = other.spawn(['put', '-', ':never']);
    child.stdin!.write('the beginning');
    const ran = finished(child);
    while (!existsSync(join(other.served, '.wherry'))) await new Promise((resolve) => { setImmediate(resolve); });
    await other.stop('SIGKILL');
    expect((await ran).code).toBe(11); // and not: waits for ever
    expect(existsSync(join(other.served, 'never'))).toBe(false);
  });
});

describe('get - and cat', () => {
  test.each([['nothing', 0], ['one byte', 1], ['20 MiB', 20 * MIB]])('a file of %s is exactly what comes out', async (name, size) => {
    plant(rig.served, { [name]: noise(size) });
    for (const words of [['get', `:${name}`, '-'], ['cat', `:${name}`]]) {
      const { code, bytes, stderr } = await output(words);
      expect([code, stderr]).toEqual([0, '']);
      expect(bytes.equals(noise(size))).toBe(true);
    }
  });

  test('several files come one after the other', async () => {
    plant(rig.served, { a: 'first\n', b: 'second\n' });
    expect((await rig.run(['cat', ':a', ':b'])).stdout).toBe('first\nsecond\n');
  });

  test('a reader that goes away ends it quietly', async () => {
    plant(rig.served, { log: noise(20 * MIB) });
    const child = rig.spawn(['cat', ':log']);
    const errors: Buffer[] = [];
    child.stderr!.on('data', (chunk: Buffer) => errors.push(chunk));
    await once(child.stdout!, 'data');
    child.stdout!.destroy();
    await once(child, 'exit');
    expect(Buffer.concat(errors).toString()).toBe('');
  });

  test('a file that is not there is an error, and nothing comes out', async () => {
    expect(await rig.run(['get', ':missing', '-'])).toMatchObject({ code: 6, stdout: '' } satisfies Partial<Ran>);
  });

  test('a pipe from server to server changes nothing', async () => {
    plant(rig.served, { source: noise(5 * MIB + 1) });
    const get = rig.spawn(['get', ':source', '-']);
    const put = rig.spawn(['put', '-', ':copy']);
    get.stdout!.pipe(put.stdin!);
    expect((await finished(put)).code).toBe(0);
    expect(sha256(join(rig.served, 'copy'))).toBe(sha256(join(rig.served, 'source')));
  });
});
