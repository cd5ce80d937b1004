/** What became of the jobs of a prompt is told before its next line, once each. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Book } from '../../../src/cli/jobs/book.ts';
import type { Job } from '../../../src/cli/jobs/job.ts';
import { noticeOf, notices, told } from '../../../src/cli/jobs/notices.ts';
import { noise, plant } from '../../e2e/trees.ts';
import { proxied } from '../proxied.ts';

const WISH = { verb: 'put', server: 'lab', sources: ['/home/u/a'], typed: ['a'], target: '/', exclude: [], follow: false, update: false, ifAbsent: false, noSync: false, what: 'put big.bin', inLine: false } as const;
const JOB: Job = { ...WISH, number: 3, created: 1, begun: 1000, ended: 9800, asked: 1, state: 'done', tries: 1, fails: 0, said: [], unsaid: 0, exit: 0, reached: { name: 'big.bin', bytes: 286 << 20, files: 1, rate: 0 } };

test('a line says what became of a job, and where to see why', () => {
  expect(noticeOf(JOB)).toBe('[3] done: put big.bin (286 MiB in 8.8 s)');
  expect(noticeOf({ ...JOB, reached: undefined })).toBe('[3] done: put big.bin');
  expect(noticeOf({ ...JOB, state: 'killed' })).toBe('[3] killed: put big.bin');
  expect(noticeOf({ ...JOB, state: 'failed', failure: { code: 'NOSPACE', message: 'the disk is full' } })).toBe('[3] failed: put big.bin: the disk is full; jobs 3 shows why');
  expect(noticeOf({ ...JOB, state: 'failed', what: 'x'.repeat(200), failure: { code: 'IO', message: 'y'.repeat(500) } }).length).toBeLessThan(200);
});

test('of many, ten are told by name; none is told twice, nor after it was told otherwise', async () => {
  const home = await mkdtemp(join(tmpdir(), 'wherry-notices-'));
  try {
    const book = await Book.open(join(home, 'jobs'), () => undefined);
    const jobs: Job[] = [];
    for (let count = 0; count < 14; count += 1) {
      const job: Job = { ...await book.add(WISH, 1), state: count === 0 ? 'running' : 'done' };
      await book.save(job);
      jobs.push(job);
    }
    const session = { jobs: new Set([...jobs.map(({ number }) => number), 99]) };
    const at = { session, settings: { home, quiet: false, json: false } } as unknown as Parameters<typeof notices>[0];
    told(at, jobs[1]!);
    told(at, jobs[0]!); // is under way
    const lines = await notices(at);
    expect(lines).toHaveLength(11);
    expect([lines[0], lines.at(-1)]).toEqual(['[3] done: put big.bin', 'and 2 more jobs ended; jobs shows them']);
    expect([await notices(at), [...session.jobs]]).toEqual([[], [1]]);
  } finally {
    await rm(home, { recursive: true });
  }
});

const place = proxied();

test('at the prompt: before the next line, never in one that is being typed, and not what wait has told', async () => {
  const { rig } = place;
  plant(rig.local, { f: noise(12 << 20), g: 'g' });
  await using screen = place.open(['--no-rc']);
  await screen.see('wherry test:/> ');
  place.proxy.cutAfter({ up: 1 << 20, hold: true });
  screen.enter('put f &');
  await screen.see(/started; jobs shows it\n.*> $/);
  screen.type('pw');
  await screen.see(/> pw$/);
  await place.proxy.held();
  await place.proxy.release();
  expect((await rig.run(['wait', '1'])).code).toBe(0);
  expect(screen.lines.at(-1)).toBe('wherry test:/> pw');
  screen.enter('d');
  await screen.see(/> pwd\n\/\n\[1\] done: put f \(12 MiB in [\d.]+ m?s\)\n.*> $/);
  screen.enter('pwd');
  await screen.see(/> pwd\n\/\nwherry test:\/> $/);
  screen.enter('put -y f g . &');
  await screen.see(/\[2\] [^]*started; /);
  screen.enter('wait 2');
  await screen.see(/\[2\] put f g \. {2}done\n[^]*> $/);
  expect(screen.lines.join('\n').match(/\[2\] done: /g)?.length ?? 0).toBeLessThan(2);
  screen.enter('pwd');
  await screen.see(/done\n.*> pwd\n\/\nwherry test:\/> $/);
});

test('one that failed is told with why', async () => {
  const { rig } = place;
  plant(rig.local, { f: 'mine' });
  await using screen = place.open(['--no-rc']);
  await screen.see('wherry test:/> ');
  await rig.stop('SIGKILL');
  await screen.see(/lost\)> $/);
  screen.enter('put f &');
  await screen.see(/starts when the server answers[^]*> $/);
  plant(rig.served, { f: 'theirs' });
  await rig.serve();
  expect((await rig.run(['wait', '1'])).code).toBe(7);
  screen.enter('lpwd');
  await screen.see(/\n\[1\] failed: put f: already exists; jobs 1 shows why\n.*> $/);
  screen.enter('jobs 1');
  await screen.see(/failure: already exists[^]*> $/);
});
