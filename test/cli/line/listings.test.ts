import { describe, expect, test } from 'vitest';
import type { Entry, ListPage } from '../../../src/client/api.ts';
import { Listings } from '../../../src/cli/line/listings.ts';
import { parsePath, type RemotePath } from '../../../src/path.ts';

const entry = (name: string): Entry => ({ name, kind: 'file', size: 1, mtime: 0, mode: 0o644 });

/** Folders that are answered when told so, and the time as it is set. */
function stage() {
  const asked: string[] = [];
  const clock = { now: 0 };
  let open = (): void => {};
  const gate = { hold: undefined as Promise<void> | undefined, close() { gate.hold = new Promise((resolve) => { open = resolve; }); }, open() { open(); gate.hold = undefined; } };
  async function* ask(folder: RemotePath): AsyncIterable<ListPage> {
    asked.push(folder);
    await gate.hold;
    yield { entries: [entry(`in-${folder}`)], unlisted: 0 };
  }
  return { asked, clock, gate, listings: new Listings(ask, () => clock.now) };
}

describe('kept listings', () => {
  test('are asked for once, until they are old', async () => {
    const { listings, asked, clock } = stage();
    await listings.look(parsePath('a'));
    await listings.look(parsePath('a'));
    expect(asked).toEqual(['a']);
    clock.now = 31_000;
    await listings.look(parsePath('a'));
    expect(asked).toEqual(['a', 'a']);
  });

  test('come to nothing when they take too long, and are there the next time', async () => {
    const { listings, asked, gate } = stage();
    gate.close();
    expect(await listings.look(parsePath('a'), 1)).toBeUndefined();
    gate.open();
    expect((await listings.look(parsePath('a')))?.map(({ name }) => name)).toEqual(['in-a']);
    expect(asked).toEqual(['a']);
  });

  test('that are old are better than nothing', async () => {
    const { listings, gate, clock } = stage();
    await listings.look(parsePath('a'));
    clock.now = 60_000;
    gate.close();
    expect(await listings.look(parsePath('a'), 1)).toHaveLength(1);
    gate.open();
  });

  test('are forgotten, those on their way too', async () => {
    const { listings, asked } = stage();
    await listings.look(parsePath('a'));
    listings.prefetch(parsePath('b'));
    expect(listings.forget()).toBe(1);
    await listings.look(parsePath('a'));
    expect(asked).toEqual(['a', 'b', 'a']);
    expect(listings.folders.map(({ folder }) => folder)).toEqual(['a']);
  });

  test('are bounded', async () => {
    const { listings } = stage();
    for (let index = 0; index < 100; index += 1) await listings.look(parsePath(`f${index}`));
    expect(listings.folders).toHaveLength(64);
    expect(listings.folders.at(-1)?.folder).toBe('f99');
  });
});
