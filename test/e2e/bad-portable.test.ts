/** A8: a server that was told to take only names that Windows could store too, and one that was not; there and back. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type Client } from '../../src/index.ts';
import { PORTABLE, UNPORTABLE } from '../windows-names.ts';
import { Rig } from './rig.ts';
import { failureOf, nothingStaged } from './traces.ts';

/** What has to be a file's name here is no problem for the names themselves: they hold what they are called. */
const names = Object.values(UNPORTABLE).flat();

async function* text(words: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(words);
}

/** The names in a folder, without the stage. */
function inside(folder: string): string[] {
  return readdirSync(folder).filter((name) => name !== '.wherry').toSorted();
}

function plant(folder: string, all: readonly string[]): void {
  mkdirSync(folder, { recursive: true });
  for (const name of all) writeFileSync(join(folder, name), name);
}

describe('A8: a server with --portable-names', () => {
  let rig: Rig;
  let client: Client;
  beforeAll(async () => {
    rig = await Rig.start({ serve: ['--portable-names', '--allow-similar-names'] });
    client = await connect({ home: rig.home });
    writeFileSync(join(rig.served, 'old'), 'old');
  });
  afterAll(async () => {
    await client.close();
    await rig[Symbol.asyncDispose]();
  });

  test.each(Object.entries(UNPORTABLE))('makes nothing that is named as %s, by no verb', async (_, refused) => {
    for (const name of refused) {
      await expect(client.putStream(text('new'), name), name).rejects.toMatchObject({ code: 'BADNAME' });
      await expect(client.makeFolder(name), name).rejects.toMatchObject({ code: 'BADNAME' });
      await expect(client.change('old', name), name).rejects.toMatchObject({ code: 'BADNAME' });
    }
    expect(inside(rig.served)).toEqual(['old']);
    await nothingStaged(rig.served);
  });

  test('takes of a folder what it can, and names each of the others', async () => {
    plant(join(rig.local, 'mixed'), [...names, ...PORTABLE]);
    for (const level of ['visible', 'durable'] as const) {
      const { items: [item], failed } = await client.put(join(rig.local, 'mixed'), `mixed-${level}`, { level });
      expect(failed).toBe(names.length);
      expect(item!.problems.map(({ path, code }) => `${code} ${path}`).toSorted()).toEqual(names.map((name) => `BADNAME ${name}`).toSorted());
      expect(inside(join(rig.served, `mixed-${level}`))).toEqual([...PORTABLE].toSorted());
    }
  });

  test('gives away, replaces and removes what has such a name already', async () => {
    plant(join(rig.served, 'before'), names);
    const { failed, files } = await client.get('before', rig.local);
    expect([failed, files]).toEqual([0, names.length]);
    expect(inside(join(rig.local, 'before'))).toEqual(names.toSorted());
    for (const name of names) {
      expect([name, (await client.putStream(text('newer'), `before/${name}`)).failure]).toEqual([name, undefined]);
      await client.remove(`before/${name}`);
    }
    expect(inside(join(rig.served, 'before'))).toEqual([]);
  });

  test('says what failed, why, and what to do', async () => {
    const told = failureOf(await rig.run(['put', '-', ':NUL.txt', '--json'], { input: 'x' }));
    expect(told).toMatchObject({ code: 'BADNAME', message: 'the name "NUL.txt" is that of the device NUL, and Windows could not store it', hint: expect.stringContaining('another name') as string });
  });
});

test('A8: a server that was not told so takes all of them, and gives them back as they are', async () => {
  await using rig = await Rig.start({ serve: ['--allow-similar-names'] });
  plant(join(rig.local, 'all'), [...names, ...PORTABLE]);
  expect(await rig.run(['put', 'all', ':'])).toMatchObject({ code: 0 });
  expect(inside(join(rig.served, 'all'))).toEqual([...names, ...PORTABLE].toSorted());
  expect(await rig.run(['get', ':all', 'back'])).toMatchObject({ code: 0 });
  expect(inside(join(rig.local, 'back'))).toEqual([...names, ...PORTABLE].toSorted());
});
