/** Completion in the shells themselves: fish is asked by its own command, bash and zsh get a TAB in a terminal. */
import { spawn } from '@lydell/node-pty';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { wherryInPath } from '../cli/manual/shells.ts';
import { Rig } from '../e2e/rig.ts';

let rig: Rig;
let path: string;
beforeAll(async () => {
  rig = await Rig.start();
  await mkdir(join(rig.served, 'photos'));
  await writeFile(join(rig.served, 'photos', 'one.jpg'), '');
  path = await wherryInPath(rig);
});
afterAll(async () => { await rig[Symbol.asyncDispose](); });

const missing = (shell: string) => spawnSync(shell, ['--version']).error !== undefined;
const environment = () => ({ PATH: path, HOME: rig.folder, WHERRY_HOME: rig.home, TERM: 'dumb', LANG: 'C.UTF-8', PS1: 'READY ' });

test.skipIf(missing('fish'))('fish', () => {
  const ask = (line: string) => execFileSync('fish', ['--no-config', '-c', `wherry completion fish | source; complete -C '${line}'`], { cwd: rig.local, env: environment(), encoding: 'utf8' }).trim().split('\n');
  expect(ask('wherry pu')).toEqual(['put\tsend files or folders']);
  expect(ask('wherry put --if-a')).toEqual([expect.stringMatching(/^--if-absent\t/)]);
  expect(ask('wherry ls test:ph')).toEqual(['test:photos/']);
});

/** Types a line and a TAB into a shell, and waits for what becomes of it. */
async function press(shell: string, words: readonly string[], setUp: string, line: string, wanted: string): Promise<string> {
  const pty = spawn(shell, [...words], { cols: 200, rows: 40, cwd: rig.local, env: environment() });
  let seen = '';
  let look = (): void => {};
  pty.onData((data) => { seen += data; look(); });
  const see = (text: string) => new Promise<void>((resolve) => { look = () => { if (seen.includes(text)) resolve(); }; look(); });
  try {
    await see('READY ');
    pty.write(`${setUp}; echo SET''UP\r`);
    await see('SETUP\r\n');
    seen = '';
    pty.write(`${line}\t`);
    await see(wanted);
    return seen;
  } finally {
    pty.kill('SIGKILL');
  }
}

test.skipIf(missing('bash'))('bash', async () => {
  expect(await press('bash', ['--norc', '--noprofile'], 'source <(wherry completion bash)', 'wherry ls test:ph', 'test:photos/')).toContain('wherry ls test:photos/');
});

test.skipIf(missing('zsh'))('zsh', async () => {
  expect(await press('zsh', ['-f'], 'autoload -Uz compinit; compinit -D; source <(wherry completion zsh)', 'wherry ls test:ph', 'otos/')).toContain('otos/');
});
