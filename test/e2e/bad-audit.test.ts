/** An audit that somebody takes away from under a server, or between two starts: said in the log, by health, in the numbers and by verify; nobody is served the less. */
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Rig } from './rig.ts';
import { expectAlive, failureOf, until } from './traces.ts';

const audit = (rig: Rig): string => join(rig.state, 'audit');
const warned = (rig: Rig): string[] => rig.log.filter((line) => line.includes('"warning"') && line.includes('of the audit are not in'));

async function expectSaid(rig: Rig): Promise<void> {
  await until(() => warned(rig).length === 1);
  const health = await rig.run(['health', '--state', rig.state]);
  expect([health.code, health.stdout]).toEqual([0, expect.stringMatching(/ok {2}audit: it can be written; \d+ of its records are not where they were written: see "wherry audit verify"/)]);
  expect((await rig.run(['metrics', '--state', rig.state])).stdout).toMatch(/^wherry_audit_records_missing [1-9]\d*$/m);
  const verified = await rig.run(['audit', 'verify', '--state', rig.state, '--json']);
  expect(verified.code).toBe(9);
  expect(failureOf(verified)).toMatchObject({ code: 'VERIFY', message: expect.stringMatching(/^records 1 to \d+ are missing, as the audit says itself: .*; the other \d+ are as written/) as unknown });
}

test('a file that is moved away while the server runs is missed, and the audit whole with it', async () => {
  await using rig = await Rig.start();
  const moved = join(rig.folder, 'moved.jsonl');
  await rename(join(audit(rig), '000000000001.jsonl'), moved);
  await expectSaid(rig);
  await expectAlive(rig);
  await rig.stop();
  const files = (await readdir(audit(rig))).toSorted().map((name) => join(audit(rig), name));
  expect(await rig.run(['audit', 'verify', moved, ...files])).toMatchObject({ code: 0 });
});

test('one that is cleared away between two starts is missed, and goes on behind it', async () => {
  await using rig = await Rig.start();
  await rig.stop();
  for (const name of await readdir(audit(rig))) await rm(join(audit(rig), name));
  await rig.serve();
  await expectSaid(rig);
  const [first] = await readdir(audit(rig));
  expect(Number.parseInt(first!, 10)).toBeGreaterThan(1);
  await rig.stop();
  await rig.serve();
  expect(warned(rig)).toHaveLength(1);
});
