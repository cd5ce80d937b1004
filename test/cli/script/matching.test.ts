import { describe, expect, test } from 'vitest';
import { isMagic, literal, matches, type Tree } from '../../../src/cli/script/matching.ts';

const PATHS = ['a.txt', 'b.txt', '.hidden', 'photos/one.jpg', 'photos/two.jpg', 'photos/.secret', 'photos/2026/three.jpg', 'a*b', 'docs/a.txt'];

/** The paths above, asked folder by folder. */
const TREE: Tree = {
  async *names(folder) {
    const below = PATHS.filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length));
    const names = new Map(below.map((path) => [path.split('/')[0]!, path.includes('/')]));
    yield [...names].map(([name, isFolder]) => ({ name, isFolder }));
  },
  has: async (path) => PATHS.some((one) => one === path || one.startsWith(`${path.replace(/\/$/, '')}/`)),
};

const found = async (pattern: string) => (await matches(TREE, pattern)).map(({ path }) => path);

describe('a pattern of several names', () => {
  test.each([
    ['*.txt', ['a.txt', 'b.txt']],
    ['*', ['a*b', 'a.txt', 'b.txt', 'docs', 'photos']],
    ['.*', ['.hidden']],
    ['?.txt', ['a.txt', 'b.txt']],
    ['[!a].txt', ['b.txt']],
    ['*/*.txt', ['docs/a.txt']],
    ['photos/*', ['photos/2026', 'photos/one.jpg', 'photos/two.jpg']],
    ['photos/*/', ['photos/2026/']],
    ['*/', ['docs/', 'photos/']],
    ['**/*.jpg', ['photos/2026/three.jpg', 'photos/one.jpg', 'photos/two.jpg']],
    ['**/**/*.jpg', ['photos/2026/three.jpg', 'photos/one.jpg', 'photos/two.jpg']],
    ['**', ['a*b', 'a.txt', 'b.txt', 'docs/a.txt', 'photos/2026/three.jpg', 'photos/one.jpg', 'photos/two.jpg']],
    ['photos/**', ['photos/2026/three.jpg', 'photos/one.jpg', 'photos/two.jpg']],
    ['**/a.txt', ['a.txt', 'docs/a.txt']],
    ['*/a.txt', ['docs/a.txt']],
    ['a\\**', ['a*b']],
    ['*.pdf', []],
    ['nowhere/*', []],
  ])('%s stands for %j', async (pattern, paths) => {
    expect(await found(pattern)).toEqual(paths);
  });

  test.each([['a', false], ['a\\*', false], ['a\\\\*', true], ['[a]', true], ['?', true]])('%s has magic: %s', (pattern, is) => {
    expect(isMagic(pattern)).toBe(is);
  });

  test('without magic is a name', () => {
    expect(literal('a\\*\\\\b')).toBe('a*\\b');
  });

  test('that would match without end is refused', async () => {
    const endless: Tree = { ...TREE, async *names() { yield [{ name: 'again', isFolder: true }, ...Array.from({ length: 50_000 }, (_, at) => ({ name: `f${at}`, isFolder: false }))]; } };
    await expect(matches(endless, '**')).rejects.toMatchObject({ code: 'LIMIT' });
    await expect(matches(endless, '**/nothing*')).rejects.toMatchObject({ code: 'LIMIT' });
  });
});
