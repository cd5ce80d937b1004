/** A process that is to be ended only as long as it is the one that was meant. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const ELDER = pathToFileURL(join(import.meta.dirname, '..', '..', '..', 'dist', 'server', 'handover', 'elder.js')).href;

/** A process, of which a child does `script` with what it takes for its elder, by `pid`. What the child says, and the process. */
function family(pid: string, script: string): { said: Promise<string>; parent: ChildProcess; ended: Promise<[number | null, string | null]> } {
  const child = `import { Elder } from ${JSON.stringify(ELDER)}; const elder = Elder.of(${pid}); ${script}`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', `
    import { spawn } from 'node:child_process';
    process.on('SIGTERM', () => {});
    const child = spawn(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(child)}], { stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.pipe(process.stdout);
    setInterval(() => {}, 1000);
  `], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(parent, 'exit') as Promise<[number | null, string | null]>;
  const said = new Promise<string>((resolve) => { parent.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())); });
  return { said, parent, ended };
}

test.skipIf(process.platform !== 'linux')('the parent that hangs is ended, however it likes to be', async () => {
  const { ended } = family('process.ppid', 'elder.end();');
  expect(await ended).toEqual([null, 'SIGKILL']);
});

test.skipIf(process.platform !== 'linux')('nobody else is: not by a number that is not that of the parent', async () => {
  const { said, parent, ended } = family('1', `
    const real = Elder.of(process.ppid);
    console.log(JSON.stringify([elder === undefined, Elder.of(String(process.ppid)) === undefined, Elder.of(process.pid) === undefined, real !== undefined]));
  `);
  expect(JSON.parse(await said)).toEqual([true, true, true, true]);
  expect(parent.exitCode).toBe(null);
  parent.kill('SIGKILL');
  await ended;
});
