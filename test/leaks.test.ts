/** The search for leaked secrets, tried on leaks: what it is told of by a real server and real commands, and what it must find. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decodeTicket } from '../src/ticket.ts';
import { Rig } from './e2e/rig.ts';

interface Found { secrets: number; bytes: number; leaks: { kind: string; line: number; writer: { words: string[]; stream: string } }[] }
const { findLeaks, leakText } = await import(pathToFileURL(resolve(import.meta.dirname, '../scripts/leaks.mjs')).href) as { findLeaks(folder: string): Found; leakText(leak: unknown): string };

let folder: string;
let before: string | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-leaks-'));
  before = process.env['WHERRY_TEST_TRACES'];
  process.env['WHERRY_TEST_TRACES'] = folder;
});
afterEach(async () => {
  if (before === undefined) delete process.env['WHERRY_TEST_TRACES'];
  else process.env['WHERRY_TEST_TRACES'] = before;
  await rm(folder, { recursive: true });
});

const plant = (name: string, words: readonly string[], stream: string, text: string): Promise<void> => writeFile(join(folder, `${name}.out`), `${JSON.stringify({ words, stream })}\n${text}`);

test('E6: what a server and its owner do in earnest is recorded, and leaks nothing', async () => {
  const PASSWORD = 'nobody would guess this';
  let ticket: string;
  let token: string;
  let code: string;
  {
    await using rig = await Rig.start();
    const owner = (words: string[], input = ''): ReturnType<Rig['run']> => rig.run([...words, '--state', rig.state], { input });
    ({ ticket } = rig.listening);
    await owner(['account', 'add', 'ann', '--password-stdin'], `${PASSWORD}\n`);
    token = (await owner(['token', 'create', '--account', 'ann'])).stdout.trim();
    code = (await owner(['invite', '--code'])).stdout.trim();
    await rig.run(['ls', ':'], { env: { WHERRY_TOKEN: token, WHERRY_SERVER: `${rig.listening.address}#${rig.listening.fingerprint}` } });
    await rig.stop();
  }
  const { secrets, bytes, leaks } = findLeaks(folder);
  expect(leaks.map(leakText)).toEqual([]);
  expect(secrets).toBe(6); // a ticket, a token, a password, a code, the key of the server and that of the device
  expect(bytes).toBeGreaterThan(2000);
  const names = await readdir(folder);
  expect(names.filter((name) => name.endsWith('.out')).length).toBeGreaterThan(5);

  // The same with each of them said once where it must not be.
  const bare = Buffer.from(decodeTicket(ticket).secret.reveal());
  await plant('a', ['serve', 'x'], 'stdout', `{"event":"listening","ticket":"${ticket}"}\n{"event":"refused","ticket":"${ticket}"}\n`);
  await plant('b', ['join'], 'stderr', `no such ticket: ${ticket}`);
  await plant('c', ['serve', 'x'], 'stderr', `Uint8Array(16) [ ${bare.toString('hex')} ] ${bare.toString('base64')}`);
  await plant('d', ['token', 'list'], 'stdout', `of ann ${token}\n`);
  await plant('e', ['file'], '000001.jsonl', `{"values":{"password":"${PASSWORD}"}}\n`);
  const [, first, second] = code.split('-') as [string, string, string];
  await plant('f', ['serve', 'x'], 'stdout', `{"event":"code","spoken":"${code}"}\n{"event":"refused","message":"no ${code}"}\n`);
  await plant('g', ['serve', 'x'], 'stderr', `code  wherry join ${code} role=rw\n{ words: [ '${first}', '${second}' ] }\n`);
  await plant('h', ['file'], '000001.jsonl', `{"event":"code","spoken":["${first}","${second}"]}\n`);
  const found = findLeaks(folder).leaks;
  expect(found.map(({ kind, line, writer: { stream } }) => `${kind} ${stream}:${line}`)).toEqual(['ticket stdout:2', 'ticket stderr:1', 'ticket stderr:1', 'ticket stderr:1', 'token stdout:1', 'password 000001.jsonl:1', 'code stdout:2', 'code stderr:2', 'code 000001.jsonl:1']);
  for (const leak of found) expect(leakText(leak)).not.toMatch(new RegExp(`${ticket}|${token}|${PASSWORD}|${first}.+${second}`));
});

test('what is shown on purpose is no leak', async () => {
  await using rig = await Rig.start({ join: false });
  const { ticket } = rig.listening;
  await writeFile(join(folder, 'x.secrets'), `${JSON.stringify({ kind: 'ticket', values: [ticket] })}\n`);
  await plant('a', ['serve', 'x'], 'stdout', `{"event":"listening","ticket":"${ticket}"}\n`);
  await plant('b', ['serve', 'x'], 'stdout', `On the other machine: wherry join\n  ${ticket}\n`);
  await plant('c', ['invite', '--ro'], 'stdout', `${ticket}\n`);
  await plant('d', ['join'], 'terminal', `ticket: ${ticket}\n`);
  expect(findLeaks(folder).leaks).toEqual([]);
});
