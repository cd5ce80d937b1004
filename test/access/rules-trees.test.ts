/** Rules where a tree has rules of its own inside. */
import { describe, expect, test } from 'vitest';
import { type Deed, refusal } from '../../src/access/rules.ts';
import { Territory } from '../../src/access/territory.ts';
import { parsePath } from '../../src/path.ts';
import { type Right, ROLES } from '../../src/rights.ts';

const at = parsePath;
const territory = (...table: readonly [path: string, rights: readonly Right[]][]): Territory => new Territory(table.map(([path, rights]) => ({ path: at(path), rights })));
const without = (...gone: readonly Right[]): readonly Right[] => ROLES.rw.filter((right) => !gone.includes(right));

describe('a rename', () => {
  test.each<[string, Territory, Deed, readonly [string, readonly Right[]] | undefined]>([
    ['within a folder takes rename and create', territory(['', ['rename', 'create']]), { action: 'move', path: at('a'), to: at('b') }, undefined],
    ['out of a folder takes delete there too', territory(['', ['rename', 'create']]), { action: 'move', path: at('a/x'), to: at('b/x') }, ['a/x', ['delete']]],
    ['into a folder takes create there', territory(['', ROLES.rw], ['b', ROLES.ro]), { action: 'move', path: at('a/x'), to: at('b/x') }, ['b/x', ['create']]],
    ['over a file takes overwrite there', territory(['', ROLES.rw], ['b', without('overwrite')]), { action: 'moveOver', path: at('a/x'), to: at('b/x') }, ['b/x', ['overwrite']]],
    ['never makes readable what was not', territory(['', ROLES.rw], ['blind', without('read')]), { action: 'move', path: at('blind/x'), to: at('x') }, ['blind/x', ['read']]],
    ['of a folder with rules inside is refused', territory(['', ROLES.rw], ['a/private', []]), { action: 'move', path: at('a'), to: at('b') }, ['a', []]],
    ['onto a name with rules below is refused', territory(['', ROLES.rw], ['b/private', []]), { action: 'move', path: at('a'), to: at('b') }, ['b', []]],
  ])('%s', (_, where, deed, refused) => {
    expect(refusal(where, deed)).toEqual(refused === undefined ? undefined : { path: refused[0], lacking: refused[1] });
  });
});

describe('a deep removal', () => {
  test('takes delete in all of the tree', () => {
    const where = territory(['', ROLES.rw], ['a/keep', ROLES.ro]);
    expect(refusal(where, { action: 'remove', path: at('a'), deep: true })).toEqual({ path: 'a/keep', lacking: ['delete'] });
    expect(refusal(where, { action: 'remove', path: at('a/other'), deep: true })).toBeUndefined();
  });
});

test('what concerns no folder takes its right anywhere', () => {
  expect(refusal(territory(['a', ROLES.ro]), { action: 'space', path: at('') })).toBeUndefined();
  expect(refusal(territory(['a', ROLES.drop]), { action: 'space', path: at('') })?.lacking).toEqual(['list']);
});
