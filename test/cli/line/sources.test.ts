/** What TAB offers, from the places that know: here the jobs of this user, one that is over and one that is not. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import type { Session } from '../../../src/cli/command.ts';
import { complete } from '../../../src/cli/line/complete.ts';
import { Listings } from '../../../src/cli/line/listings.ts';
import { sourcesOf } from '../../../src/cli/line/sources.ts';
import { Rig } from '../../e2e/rig.ts';

test('jobs that are over are offered to be shown, and not to be ended, paused or waited for', async () => {
  // So slow that the second is on its way for as long as it takes to look.
  await using rig = await Rig.start({ serve: ['--rate', '64K'] });
  writeFileSync(join(rig.local, 'x.txt'), 'x');
  writeFileSync(join(rig.local, 'long'), randomBytes(4 << 20));
  expect((await rig.run(['put', '--background', 'x.txt', ':'])).code).toBe(0);
  expect((await rig.run(['wait', '1'])).code).toBe(0);
  expect((await rig.run(['put', '--background', 'long', ':'])).code).toBe(0);
  // Nothing of a connection is asked for here.
  const sources = sourcesOf({ session: {} as Session, listings: {} as Listings, commands: COMMANDS, home: rig.home });
  // On a busy machine a TAB may come to nothing in its time; the next one asks again.
  await expect.poll(async () => (await complete('jobs ', COMMANDS, sources)).matches.map(({ word }) => word)).toEqual(['1', '2']);
  for (const command of ['kill', 'pause', 'wait', 'fg', 'bg']) await expect.poll(async () => (await complete(`${command} `, COMMANDS, sources)).text, { message: command }).toMatch(/^2 ?$/);
  await rig.run(['kill', '2']);
  await rig.run(['agent', '--stop']);
});

test('a place on the server that is typed with the colon of the shell is completed with it', async () => {
  const entry = (name: string, kind: 'file' | 'folder') => ({ name, kind, size: 1, mtime: 0, mode: 0o644 });
  const listings = new Listings(async function* (folder) {
    yield { entries: folder === '' ? [entry('docs', 'folder'), entry('.dot', 'file'), entry('one', 'file')] : [entry('two', 'file')], unlisted: 0 };
  });
  const session = { client: { server: { rights: ['list'] } }, cwd: '', localFolder: '/nowhere' } as unknown as Session;
  const sources = sourcesOf({ session, listings, commands: COMMANDS, home: undefined });
  expect((await complete('put x :d', COMMANDS, sources)).text).toBe(':docs/');
  expect((await complete('cat :docs/', COMMANDS, sources)).text).toBe(':docs/two ');
  expect((await complete('get :one :o', COMMANDS, sources)).text).toBe(':one ');
  expect((await complete('cat :.', COMMANDS, sources)).text).toBe(':.dot ');
  expect((await complete('ls :', COMMANDS, sources)).matches.map(({ word }) => word)).toEqual([':docs', ':one']);
});
