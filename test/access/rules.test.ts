import { describe, expect, test } from 'vitest';
import { ACTIONS, type Action, may, missing } from '../../src/access/rules.ts';
import { type Right, RIGHTS, ROLES } from '../../src/rights.ts';

describe('the rules', () => {
  const ALLOWED: Record<keyof typeof ROLES, readonly Action[]> = {
    ro: ['stat', 'list', 'usage', 'space', 'read', 'pack', 'measureDown'],
    rw: ACTIONS,
    owner: ACTIONS,
    drop: ['receive', 'receiveBatch', 'makeFolder', 'finishFolders', 'measureUp', 'probe'],
  };

  test.each(Object.keys(ROLES) as (keyof typeof ROLES)[])('allow the role %s exactly this', (role) => {
    expect(ACTIONS.filter((action) => may(ROLES[role], action))).toEqual(ACTIONS.filter((action) => ALLOWED[role].includes(action)));
  });

  test.each(ACTIONS)('allow nobody without rights to %s', (action) => {
    expect(may([], action)).toBe(false);
  });

  test.each(ACTIONS)('never take %s away when a right is added', (action) => {
    for (let set = 0; set < 1 << RIGHTS.length; set++) {
      const rights = RIGHTS.filter((_, index) => set & (1 << index));
      if (!may(rights, action)) continue;
      for (const right of RIGHTS) expect(may([...rights, right], action)).toBe(true);
    }
  });

  test.each<[Action, Right[], Right[]]>([
    ['read', ['list'], ['read']], ['receiveBatch', ['create'], ['mkdir']], ['moveOver', ['rename'], ['overwrite']], ['finishFolders', ['list'], ['mkdir']], ['finishFolders', ['setattr'], []],
  ])('say what is missing for %s with %j', (action, rights, lacking) => {
    expect(missing(rights, action)).toEqual(lacking);
  });
});
