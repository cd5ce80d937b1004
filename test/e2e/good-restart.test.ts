/** P19: a server that was killed with very many uploads under way starts again by itself, and keeps what may still be continued. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { partKey } from '../../src/store/disk/stage.ts';
import { Rig } from './rig.ts';

const UPLOADS = 10_000;
const EIGHT_DAYS_MS = 8 * 86_400_000;
/** The module as built: a process of its own tells its mark, and is gone. */
const LIVING = new URL('../../dist/store/disk/living.js', import.meta.url).href;

test('P19: 10,000 uploads of a process that was killed are put to rest at the start, and those of more than a week are forgotten', async () => {
  await using rig = await Rig.start();
  await rig.stop('SIGKILL');
  const mark = execFileSync(process.execPath, ['--input-type=module', '-e', `console.log((await import('${LIVING}')).ownMark())`]).toString().trim();
  const stage = join(rig.served, '.wherry');
  mkdirSync(stage, { mode: 0o700, recursive: true });
  const old = new Date(Date.now() - EIGHT_DAYS_MS);
  for (let at = 0; at < UPLOADS; at += 1) {
    const file = join(stage, `${partKey('somebody', `upload-${at}` as Parameters<typeof partKey>[1])}.${mark}.${at}.live`);
    writeFileSync(file, 'begun', { mode: 0o600 });
    if (at % 2 === 0) utimesSync(file, old, old);
  }
  await rig.serve();
  const left = readdirSync(stage);
  expect([left.length, left.every((name) => name.endsWith('.part'))]).toEqual([UPLOADS / 2, true]);
  expect((await rig.run(['ls', ':'])).code).toBe(0);
});
