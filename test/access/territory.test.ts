import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Territory } from '../../src/access/territory.ts';
import { below, isWithin, parsePath } from '../../src/path.ts';
import { type Grant, type Right, RIGHTS, ROLES } from '../../src/rights.ts';

const grants = (...table: readonly [path: string, rights: readonly Right[]][]): Grant[] => table.map(([path, rights]) => ({ path: parsePath(path), rights }));
const at = (territory: Territory, path: string): readonly Right[] => territory.at(parsePath(path));

describe('the longest path decides', () => {
  const territory = new Territory(grants(['', ROLES.ro], ['a', ROLES.rw], ['a/b', []], ['a/b/c', ROLES.drop]));

  test.each<[string, readonly Right[]]>([
    ['', ROLES.ro], ['x', ROLES.ro], ['a', ROLES.rw], ['a/x/y', ROLES.rw], ['a/b', []], ['a/b/x', []], ['a/b/c', ROLES.drop], ['a/b/c/d', ROLES.drop],
  ])('at %j', (path, rights) => {
    expect(at(territory, path)).toEqual(rights);
  });

  test('by whole components: a rule for a/b says nothing about a/bc (A11)', () => {
    expect(at(territory, 'a/bc')).toEqual(ROLES.rw);
    expect(at(territory, 'ab')).toEqual(ROLES.ro);
  });

  test('and where none reaches there are no rights', () => {
    expect(at(new Territory([]), 'a')).toEqual([]);
    expect(at(new Territory(grants(['a', ROLES.rw])), '')).toEqual([]);
    expect(at(new Territory(grants(['a', ROLES.rw])), 'b')).toEqual([]);
  });
});

describe('another spelling of a path', () => {
  test.each(['PRIVATE', 'Private/x', 'ｐrivate', 'priva\u0074e'])('%s does not get around a rule that takes rights away', (path) => {
    expect(at(new Territory(grants(['', ROLES.rw], ['private', []])), path)).toEqual([]);
  });

  test('gets none of what another spelling was given', () => {
    const territory = new Territory(grants(['', []], ['Inbox', ROLES.rw]));
    expect(at(territory, 'Inbox')).toEqual(ROLES.rw);
    expect(at(territory, 'INBOX')).toEqual([]);
  });

  test('of which there are two rules has only what both give', () => {
    const territory = new Territory(grants(['', []], ['a', ROLES.rw], ['A', ROLES.ro]));
    expect([at(territory, 'a'), at(territory, 'A')]).toEqual([ROLES.ro, ROLES.ro].map((rights) => [...rights]));
  });
});

describe('borders', () => {
  test('are where other rights begin below a path', () => {
    const territory = new Territory(grants(['', ROLES.rw], ['a', ROLES.rw], ['a/b', ROLES.ro], ['c', []]));
    expect(territory.bordersBelow(parsePath(''))).toEqual(['a/b', 'c']);
    expect(territory.bordersBelow(parsePath('a'))).toEqual(['a/b']);
    expect(territory.bordersBelow(parsePath('a/b'))).toEqual([]);
  });

  test('anywhere is the sum of all', () => {
    expect(new Territory(grants(['a', ROLES.ro], ['b', ROLES.drop])).anywhere).toEqual(['list', 'read', 'create', 'mkdir']);
  });
});

test('never are there more rights at a path than the nearest grant above it gives', () => {
  const name = fc.constantFrom('a', 'A', 'b', 'é', 'e\u0301');
  const path = fc.array(name, { maxLength: 4 }).map((names) => parsePath(names.join('/')));
  const grant = fc.record({ path, rights: fc.subarray([...RIGHTS]) });
  fc.assert(fc.property(fc.array(grant, { maxLength: 8 }), path, (table, asked) => {
    const given = new Territory(table).at(asked);
    const above = table.filter((one) => isWithin(asked, one.path));
    const nearest = above.reduce<Grant | undefined>((best, one) => (best === undefined || one.path.length >= best.path.length ? one : best), undefined);
    // The last of two grants for one path holds.
    expect(given.every((right) => nearest?.rights.includes(right))).toBe(true);
  }));
});

describe('within a folder', () => {
  test.each<[string, Grant[]]>([
    ['of a rule below another spelling of it', grants(['', ROLES.rw], ['M/pub', []])],
    ['of two rules below two spellings of it, whichever is last', grants(['', ROLES.rw], ['M/pub', []], ['m/pub', ROLES.rw])],
    ['of two rules below two spellings of it, whichever is first', grants(['', ROLES.rw], ['m/pub', ROLES.rw], ['M/pub', []])],
  ])('holds what is said %s', (_, table) => {
    const within = new Territory(table).within(parsePath('m'), parsePath('mine'));
    expect(at(new Territory(within), 'mine/pub/x')).toEqual([]);
    expect(at(new Territory(within), 'mine/x')).toEqual(ROLES.rw);
    expect(at(new Territory(within), 'pub')).toEqual([]);
  });

  test('is nothing that a rule gives to another spelling of it', () => {
    const within = new Territory(grants(['', ROLES.ro], ['M/pub', ROLES.rw])).within(parsePath('m'));
    expect(at(new Territory(within), 'm/pub')).toEqual(ROLES.ro);
    expect(at(new Territory(within), 'M/pub')).toEqual([]);
  });

  test('there never are more rights than there are seen from above', () => {
    const path = fc.array(fc.constantFrom('a', 'A', 'b', 'B'), { maxLength: 4 }).map((names) => parsePath(names.join('/')));
    const table = fc.array(fc.record({ path, rights: fc.subarray([...RIGHTS]) }), { maxLength: 8 });
    fc.assert(fc.property(table, path, path, (given, top, tail) => {
      const [whole, within] = [new Territory(given), new Territory(new Territory(given).within(top, parsePath('x')))];
      const above = whole.at(below(top, tail));
      expect(within.at(below(parsePath('x'), tail)).every((right) => above.includes(right))).toBe(true);
    }), { numRuns: 2000 });
  });
});
