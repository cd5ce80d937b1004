/** A client against a server that lies: nothing outside the target, nothing set-user-id, nothing unescaped on the terminal, no memory without a bound. */
import { expect, test } from 'vitest';
import { AMOUNTS } from './hostile/amounts.ts';
import { ENDLESS } from './hostile/endless.ts';
import { LINKS } from './hostile/links.ts';
import { PATHS } from './hostile/paths.ts';
import { play } from './hostile/stand.ts';
import { TALK } from './hostile/talk.ts';
import { WORDS } from './hostile/words.ts';

const HERE = [...PATHS, ...LINKS, ...AMOUNTS, ...TALK, ...WORDS];
/** With those of `bad-endless.test.ts`. */
const ALL = [...HERE, ...ENDLESS];

test.concurrent.each(HERE.map((attack) => [`${attack.row}: ${attack.name}`, attack] as const))('%s', async (_, attack) => { await play(attack); });

test(`${ALL.length} scripts in all, each another one, for every row`, () => {
  expect(ALL.length).toBeGreaterThanOrEqual(40);
  expect(new Set(ALL.map(({ name }) => name)).size).toBe(ALL.length);
  expect([...new Set(ALL.map(({ row }) => row))].toSorted()).toEqual(['B1', 'B2', 'B4', 'B5', 'B6', 'B7', 'D1', 'D7']);
});
