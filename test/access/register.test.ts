/** The book of a server while another process is about to write it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addAccount } from '../../src/access/accounts.ts';
import { openRegister, type Register } from '../../src/access/register.ts';
import { Failure } from '../../src/errors.ts';

let folder: string;
let register: Register;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-register-'));
  register = await openRegister({ file: join(folder, 'accounts.json') });
});
afterEach(async () => {
  await register[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const add = (name: string): Promise<string> => addAccount(register, name, {}).then(() => 'ok', (error: unknown) => Failure.from(error).code);
const written = async (): Promise<string> => readFile(join(folder, 'accounts.json'), 'utf8');

test('while it is held, what was begun before is on the disk and changes wait', async () => {
  const before = add('before');
  await register.hold();
  expect(await written()).toContain('before');
  const waiting = add('waiting');
  const first = await Promise.race([waiting, readFile(join(folder, 'accounts.json')).then(() => 'nothing yet')]);
  expect(first).toBe('nothing yet');
  register.resume();
  expect(await Promise.all([before, waiting])).toEqual(['ok', 'ok']);
  expect(await written()).toContain('waiting');
});

test('when it is retired, changes that wait and all others fail with BUSY, and nothing is written', async () => {
  expect(await add('before')).toBe('ok');
  await register.hold();
  const waiting = add('waiting');
  const text = await written();
  register.retire();
  expect([await waiting, await add('after')]).toEqual(['BUSY', 'BUSY']);
  await register[Symbol.asyncDispose]();
  expect(await written()).toBe(text);
});

test('it can be held again', async () => {
  await register.hold();
  register.resume();
  expect(await add('one')).toBe('ok');
  await register.hold();
  const two = add('two');
  register.resume();
  expect(await two).toBe('ok');
});
