/** A server's own program and settings among what it serves: who may write there would write the server. */
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { MAIN, Rig } from './rig.ts';
import { failureOf } from './traces.ts';

const like = (pattern: RegExp): unknown => expect.stringMatching(pattern);

test('G: settings in the served folder are refused at the start, by config check, and at a reload, which changes nothing', async () => {
  await using rig = await Rig.start({ join: false });
  const [inside, outside, link] = [join(rig.served, 'wherry.toml'), join(rig.folder, 'wherry.toml'), join(rig.folder, 'link.toml')];
  const text = `folder = "${rig.served}"\nstate = "${rig.state}"\nlisten = ["127.0.0.1:0"]\n`;
  for (const file of [inside, outside]) await writeFile(file, text);
  await rig.stop();
  expect(await rig.run(['config', 'check', inside])).toMatchObject({ code: 2, stderr: like(/wherry\.toml:1:1: .* holds the configuration file, .*: who may write there would decide what this server does; move it to .* --config; if you do mean this one, add --yes-serve-this\n$/) });
  expect(failureOf(await rig.run(['serve', '--config', inside, '--json']))).toMatchObject({ code: 'USAGE', exit: 2, who: 'rule', message: like(/holds the configuration file/) });
  expect((await rig.run(['config', 'check', inside, '--yes-serve-this'])).code).toBe(0);
  await symlink(outside, link);
  const server = rig.spawn(['serve', '--config', link, '--json']);
  const log: string[] = [];
  await new Promise<void>((started) => { server.stdout!.on('data', (chunk: Buffer) => { if (log.push(chunk.toString()) > 0 && log.join('').includes('"listening"')) started(); }); });
  await writeFile(inside, `${text}[rates]\nserver = "1MiB"\n`);
  await symlink(inside, `${link}.new`);
  await rename(`${link}.new`, link);
  expect(failureOf(await rig.run(['reload', '--state', rig.state, '--json']))).toMatchObject({ code: 'USAGE', message: like(/holds the configuration file/) });
  await rm(link);
  await symlink(outside, link);
  // Against the old settings, which hold still, nothing is different.
  expect((await rig.run(['reload', '--state', rig.state])).stdout).toBe('read again: nothing has changed\n');
});

test('G: a folder that holds the program is not served, whichever way leads to it', async () => {
  await using rig = await Rig.start({ join: false });
  const app = join(rig.served, 'app');
  const main = join(app, 'wherry.mjs');
  await mkdir(app);
  await writeFile(main, `await import(${JSON.stringify(`file://${MAIN}`)});\n`);
  const words = (dir: string): string[] => ['serve', dir, '--listen', '127.0.0.1:0', '--state', join(rig.folder, 'other'), '--json'];
  expect(failureOf(await rig.run(words(rig.served), { main }))).toMatchObject({ code: 'USAGE', exit: 2, message: like(/holds the program of this server, .*app\/wherry\.mjs: who may write there would have anything run/), hint: like(/wherry serve share; .*--yes-serve-this/) });
  for (const cwd of [dirname(dirname(MAIN)), dirname(dirname(dirname(MAIN)))]) {
    expect(failureOf(await rig.run(words('.'), { cwd }))).toMatchObject({ code: 'USAGE', message: like(/the program of this server/) });
  }
});

test('G: npm start without a folder serves one of its own, below that of the program, and one that is named as it is', async () => {
  const { wordsFor } = await import(pathToFileURL(resolve(import.meta.dirname, '../../scripts/share.mjs')).href) as { wordsFor(typed: readonly string[], cwd: string): Promise<string[]> };
  const folder = await mkdtemp(join(tmpdir(), 'wherry-start-'));
  try {
    for (const typed of [['--listen', ':0', 'here'], ['--config', 'file'], ['--help'], ['--lisen', ':0']]) expect(await wordsFor(typed, folder)).toEqual(typed);
    expect(await readdir(folder)).toEqual([]);
    expect(await wordsFor(['--listen', ':0', '--json'], folder)).toEqual(['share', '--listen', ':0', '--json']);
    expect(await readdir(folder)).toEqual(['share']);
  } finally {
    await rm(folder, { recursive: true });
  }
});
