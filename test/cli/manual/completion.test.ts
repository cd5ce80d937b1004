/** Completion: what is answered at each place of a line, and that bash makes of it what a person expects, colons included. */
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { wantedAt } from '../../../src/cli/manual/candidates.ts';
import { isShown } from '../../../src/cli/manual/subjects.ts';
import { finished, Rig } from '../../e2e/rig.ts';
import { wherryInPath } from './shells.ts';

const at = (...typed: string[]) => wantedAt(COMMANDS, typed, () => false);
const words = (...typed: string[]) => at(...typed).words.map(([word]) => word);

describe('at each place of a line is asked for', () => {
  test('the commands of the shell that people are told of, at its start', () => {
    expect(words('')).toEqual(COMMANDS.filter((one) => isShown(one) && one.where !== 'prompt').map(({ name }) => name));
    expect(words('--json', 'pu')).toContain('put');
  });

  test('flags behind a command, those with an empty summary not', () => {
    expect(words('put', '-')).toContain('--if-absent');
    expect(words('put', '-')).not.toContain('--recursive');
    expect(words('put', '--', '-')).not.toContain('--if-absent');
  });

  test('what the value of a flag is', () => {
    expect([at('put', '--server', '').servers, at('serve', '--state', '').files, words('ls', '--deadline', '')]).toEqual(['names', true, ['30s', '10m', '1h']]);
  });

  test('files here and places there, as the command takes them', () => {
    expect(at('put', '')).toMatchObject({ files: true, servers: 'places' });
    expect(at('get', '')).toMatchObject({ files: false, servers: 'places' });
    expect(at('get', ':a', '')).toMatchObject({ files: true, servers: 'places' });
    expect(at('rm', '')).toMatchObject({ files: false, servers: 'places' });
    expect(at('doctor', '').servers).toBe('names');
    expect(words('help', '')).toEqual(expect.arrayContaining(['put', 'cd', 'places']));
    expect(words('completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  test('a folder of a server, with what stands before its names', () => {
    expect(at('ls', 'lab:photos/2026/su').remote).toEqual({ server: 'lab', folder: 'photos/2026/', prefix: 'lab:photos/2026/' });
    expect(at('get', ':ph').remote).toEqual({ server: '', folder: '', prefix: ':' });
  });

  test('nothing behind a word that is no command', () => {
    expect(at('frob', '')).toEqual({ words: [], files: false, servers: undefined, remote: undefined });
  });
});

describe('with a server', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await Rig.start();
    await mkdir(join(rig.served, 'photos'));
    await writeFile(join(rig.served, 'photos', 'two words.jpg'), '');
    await writeFile(join(rig.served, 'plan.txt'), '');
    await writeFile(join(rig.served, 'evil\u001b[2Jname'), '').catch(() => undefined);
    await writeFile(join(rig.local, 'plain.txt'), '');
  });
  afterAll(async () => { await rig[Symbol.asyncDispose](); });
  const answers = async (...typed: string[]) => (await rig.run(['__complete', '--', ...typed])).stdout.split('\n').filter((line) => line !== '').toSorted();

  test('its names are answered live, folders so that they go on', async () => {
    // A server is not waited for long; where everything is slow, whoever types asks again.
    const soon = { timeout: 20_000 };
    await expect.poll(() => answers('ls', ':p'), soon).toEqual([':photos/', ':plan.txt']);
    await expect.poll(() => answers('get', 'test:photos/'), soon).toEqual(['test:photos/two words.jpg']);
    expect(await answers('get', 'te')).toEqual(['test:\tthe default server']);
  });

  test('nothing is said of a server that is not there, and it is not waited for long', async () => {
    const ran = await rig.run(['__complete', '--', 'ls', 'nowhere:p']);
    expect(ran).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  test.skipIf(spawnSync('bash', ['--version']).error !== undefined)('bash completes commands, flags, files and places', async () => {
    const path = await wherryInPath(rig);
    const script = `source <(wherry completion bash)
complete_line() { COMP_LINE=$1; COMP_POINT=\${#1}; shift; COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _wherry; printf '%s|' "\${COMPREPLY[@]}"; echo; }
complete_line 'wherry pu' wherry pu
complete_line 'wherry put --if-a' wherry put --if-a
complete_line 'wherry put pl' wherry put pl
complete_line 'wherry ls test:ph' wherry ls test : ph
complete_line 'wherry ls :pl' wherry ls : pl
complete_line 'wherry get test:photos/' wherry get test : photos/
`;
    const child = rig.spawn([], { under: ['env', `PATH=${path}`, 'bash', '-c', script, 'bash'] });
    child.stdin!.end();
    expect((await finished(child)).stdout.split('\n').slice(0, 6)).toEqual(['put|', '--if-absent|', 'plain.txt|', 'photos/|', 'plan.txt|', String.raw`photos/two\ words.jpg|`]);
  });
});
