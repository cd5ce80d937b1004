import { expect, test } from 'vitest';
import { LaneBook } from '../../src/doors/lanes.ts';
import { fulfil } from '../../src/doors/verbs.ts';
import { Drive } from '../../src/drive.ts';
import type { Failure } from '../../src/errors.ts';
import { everywhere, ROLES } from '../../src/rights.ts';
import { createMemoryVault } from '../../src/store/memory.ts';
import { Link } from '../session/link.ts';

test('a mistake of ours is told to whoever keeps the log, with where it was made, and to the client without that', async () => {
  await using vault = createMemoryVault();
  vault.stat = () => Promise.reject(new Error('a bug in the vault'));
  const drive = new Drive({ vault, principal: { name: 'ann', grants: everywhere(ROLES.rw) } });
  const mistakes: Failure[] = [];
  await using link = await Link.open({ onRequest: (exchange, message) => { void fulfil(drive, exchange, message, new LaneBook().of('ann', 1, () => {}), (failure) => mistakes.push(failure)); } });
  using exchange = link.client.request({ kind: 'stat', path: 'a' });
  await expect(exchange.expect('entry')).rejects.toMatchObject({ code: 'INTERNAL', message: expect.not.stringContaining('vault') });
  expect(mistakes).toHaveLength(1);
  expect(mistakes[0]!.cause).toMatchObject({ message: 'a bug in the vault', stack: expect.stringContaining('verbs.test') });
});

test('what is no mistake is not told', async () => {
  await using vault = createMemoryVault();
  const drive = new Drive({ vault, principal: { name: 'ann', grants: everywhere(ROLES.rw) } });
  const mistakes: Failure[] = [];
  await using link = await Link.open({ onRequest: (exchange, message) => { void fulfil(drive, exchange, message, new LaneBook().of('ann', 1, () => {}), (failure) => mistakes.push(failure)); } });
  using exchange = link.client.request({ kind: 'hash', path: 'missing', algorithm: 'blake3' });
  await expect(exchange.expect('digest')).rejects.toMatchObject({ code: 'NOTFOUND' });
  expect(mistakes).toEqual([]);
});
