import { expect, test } from 'vitest';
import { digestOf, ready } from '../../src/digest.ts';
import { Recent } from '../../src/drive/recent.ts';
import { parsePath } from '../../src/path.ts';

await ready();
const [A, B] = [parsePath('a'), parsePath('b')];
const X = digestOf(Buffer.from('x'));
const Y = digestOf(Buffer.from('y'));

test('an account is known by what it put where, and by nothing else', () => {
  const recent = new Recent();
  recent.note('ann', A, X, 'visible');
  expect(recent.has('ann', A, X, 'visible')).toBe(true);
  expect([recent.has('bob', A, X, 'visible'), recent.has('ann', B, X, 'visible'), recent.has('ann', A, Y, 'visible')]).toEqual([false, false, false]);
});

test('what was promised as visible is not taken for durable', () => {
  const recent = new Recent();
  recent.note('ann', A, X, 'visible');
  recent.note('ann', B, X, 'durable');
  expect([recent.has('ann', A, X, 'durable'), recent.has('ann', B, X, 'durable'), recent.has('ann', B, X, 'visible')]).toEqual([false, true, true]);
});

test('after a week it is forgotten, and makes room', () => {
  let now = 0;
  const recent = new Recent(() => now, { account: 10, files: 1 });
  recent.note('ann', A, X, 'visible');
  now = 7 * 86_400_000 - 1;
  recent.note('bob', A, X, 'visible');
  expect([recent.has('ann', A, X, 'visible'), recent.has('bob', A, X, 'visible')]).toEqual([true, false]);
  now += 1;
  recent.note('bob', A, X, 'visible');
  expect([recent.has('ann', A, X, 'visible'), recent.has('bob', A, X, 'visible')]).toEqual([false, true]);
});

test('an account pushes out its own oldest, and never those of others', () => {
  const recent = new Recent(() => 0, { account: 2, files: 3 });
  recent.note('ann', A, X, 'visible');
  for (const digest of [X, Y, digestOf(Buffer.from('z'))]) recent.note('bob', A, digest, 'visible');
  expect([recent.has('ann', A, X, 'visible'), recent.has('bob', A, X, 'visible'), recent.has('bob', A, Y, 'visible')]).toEqual([true, false, true]);
  recent.note('eve', A, X, 'visible');
  expect([recent.has('ann', A, X, 'visible'), recent.has('eve', A, X, 'visible')]).toEqual([true, false]);
});
