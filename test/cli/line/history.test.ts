import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Failure } from '../../../src/errors.ts';
import { History, isKept } from '../../../src/cli/line/history.ts';

let folder: string;
let path: string;
let troubles: Failure[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-history-'));
  path = join(folder, 'deeper', 'test.lines');
  troubles = [];
});
afterEach(async () => rm(folder, { recursive: true }));

const open = () => History.open(path, (failure) => troubles.push(failure));

describe('history', () => {
  test('is there again in the next session, newest first, and only for its owner', async () => {
    const history = await open();
    for (const line of ['ls', 'cd photos', 'cd photos', 'ls']) history.add(line);
    await history.settled();
    expect((await open()).lines).toEqual(['ls', 'cd photos', 'ls']);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(troubles).toEqual([]);
  });

  test.each(['join wherry1-K7QM2-9TRAX', 'x WHERRY1-K7', 'token wherry_abc', 'join 7-crater-lantern', '!mysql --password=hunter2', ' ls', '', 'a\u001b[2J', 'x'.repeat(5000)])('does not keep %j', async (line) => {
    expect(isKept(line)).toBe(false);
    const history = await open();
    history.add(line);
    await history.settled();
    expect((await open()).lines).toEqual([]);
  });

  test('forgets what an earlier version kept of secrets', async () => {
    const first = await open();
    first.add('first');
    await first.settled();
    await writeFile(path, 'ls\n!export GITHUB_TOKEN=abc\n');
    const history = await open();
    expect(history.lines).toEqual(['ls']);
    history.add('put token.txt');
    await history.settled();
    expect(await readFile(path, 'utf8')).toBe('ls\nput token.txt\n');
  });

  test('loses no line of several prompts at once', async () => {
    const prompts = await Promise.all(Array.from({ length: 4 }, open));
    for (let line = 0; line < 5; line += 1) for (const [index, prompt] of prompts.entries()) prompt.add(`prompt ${index} line ${line}`);
    await Promise.all(prompts.map((prompt) => prompt.settled()));
    expect(new Set((await open()).lines).size).toBe(20);
  });

  test('is bounded', async () => {
    const first = await open();
    first.add('first');
    await first.settled();
    await writeFile(path, Array.from({ length: 3000 }, (_, index) => `line ${index}\n`).join(''));
    const history = await open();
    history.add('last');
    await history.settled();
    const kept = (await readFile(path, 'utf8')).trimEnd().split('\n');
    expect(kept).toHaveLength(1000);
    expect(kept.at(-1)).toBe('last');
  });

  test('that others can read is told once, and not used', async () => {
    const first = await open();
    first.add('ls');
    await first.settled();
    const { chmod } = await import('node:fs/promises');
    await chmod(path, 0o644);
    const history = await open();
    history.add('pwd');
    await history.settled();
    expect(troubles.map(({ code }) => code)).toEqual(['IO']);
    expect(history.lines).toEqual(['pwd']);
  });
});
