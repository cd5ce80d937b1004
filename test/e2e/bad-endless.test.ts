/** A client against a server that never comes to an end: no memory without a bound, and an end when the person says so. */
import { test } from 'vitest';
import { ENDLESS } from './hostile/endless.ts';
import { play } from './hostile/stand.ts';

test.concurrent.each(ENDLESS.map((attack) => [`${attack.row}: ${attack.name}`, attack] as const))('%s', async (_, attack) => {
  await play(attack);
});
