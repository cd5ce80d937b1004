import { describe, expect, test } from 'vitest';
import { contentsAgain, type Typed } from '../../src/cli/again.ts';

const put: Typed = { verb: 'put', flags: { exclude: ['*.o', '-x'], follow: true, 'no-sync': false, server: undefined, deadline: '1h' }, source: 'photos/', target: 'new one' };
const get: Typed = { verb: 'get', flags: {}, source: '-dash', target: '-here' };

describe('the command that goes on with a folder under a new name', () => {
  test.each([
    ['shell', undefined, put, "wherry put --exclude '*.o' --exclude=-x --follow --deadline 1h photos/. ':new one'"],
    ['shell', 'lab', put, "wherry put --exclude '*.o' --exclude=-x --follow --deadline 1h photos/. 'lab:new one'"],
    ['prompt', undefined, put, "put --exclude '*.o' --exclude=-x --follow --deadline 1h photos/. 'new one'"],
    ['shell', undefined, get, 'wherry get :-dash/. ./-here'],
    ['prompt', undefined, get, 'get ./-dash/. ./-here'],
  ] as const)('at the %s, of server %s', (place, server, typed, line) => expect(contentsAgain({ place, server }, typed)).toBe(line));
});
