import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { brief, readJob, readWish, saying, type Job } from '../../../src/cli/jobs/job.ts';
import { Failure } from '../../../src/errors.ts';

const WISH = {
  verb: 'put', server: 'lab', sources: ['/home/u/a', '/home/u/b'], typed: ['a', 'b'], target: '/', exclude: ['*.o'], follow: false, update: false, ifAbsent: false, noSync: false,
  what: 'put a b :', inLine: false,
} as const;
const JOB: Job = { ...WISH, number: 3, created: 1, asked: 2, state: 'running', tries: 1, fails: 0, said: ['one'], unsaid: 0 };

describe('a job that is read', () => {
  test('is what was written', () => {
    expect(readJob(JSON.parse(JSON.stringify(JOB)))).toEqual(JOB);
  });

  test('has the answers that were given, a source each', () => {
    const answers = [{ replace: Buffer.alloc(28).toString('base64'), leave: '' }, { replace: '', leave: '' }];
    expect(readJob(JSON.parse(JSON.stringify({ ...JOB, answers })))).toEqual({ ...JOB, answers });
    expect(brief({ ...JOB, answers }).answers).toBeUndefined();
  });

  test('has nothing that a job has not', () => {
    expect(readWish({ ...WISH, secret: 'x' })).toEqual(WISH);
  });

  test.each([
    ['another verb', { verb: 'rm' }], ['a server that is no name', { server: '../x' }], ['no sources', { sources: [], typed: [] }], ['a relative local path', { sources: ['a', '/b'] }],
    ['a relative target', { target: 'x' }], ['words for other sources', { typed: ['a'] }], ['a number in place of a word', { what: 3 }], ['a NUL', { target: '/\0' }],
    ['answers for other sources', { answers: [] }], ['answers that are none', { answers: [{ replace: 'x' }, {}] }], ['answers that are too long', { answers: ['replace', 'leave'].map(() => ({ replace: Buffer.alloc(16 + 12 * 30_000).toString('base64'), leave: '' })) }],
    ['too many words', { sources: Array(1001).fill('/a'), typed: Array(1001).fill('a') }], ['words that are too long', { sources: Array(100).fill(`/${'a'.repeat(4000)}`), typed: Array(100).fill('a') }],
  ])('with %s is refused', (_, wrong) => {
    expect(() => readWish({ ...WISH, ...wrong })).toThrow(Failure);
  });

  test('is refused with PROTOCOL or is a job, whatever it is made of', () => {
    fc.assert(fc.property(fc.record(Object.fromEntries(Object.entries(JOB).map(([name, value]) => [name, fc.oneof(fc.constant(value), fc.anything())]))), (value) => {
      try {
        const job = readJob(value);
        expect(JSON.stringify(job).length).toBeLessThan(2 << 20);
      } catch (error) {
        expect(error).toMatchObject({ name: 'Failure', code: 'PROTOCOL' });
      }
    }));
  });
});

test('of what a job says, the newest lines are kept, printable, and older ones counted', () => {
  let job: Job = { ...JOB, said: [] };
  for (let line = 0; line < 250; line += 1) job = saying(job, `line ${line}\u001b[2J`);
  expect(job.said).toHaveLength(200);
  expect(job.unsaid).toBe(50);
  expect(job.said.join('')).not.toContain('\u001b');
  expect(saying(job, 'x'.repeat(10_000)).said.at(-1)).toHaveLength(500);
});

test('in a list a job has its first words only, and is still one', () => {
  expect(brief(JOB)).toMatchObject({ sources: ['/home/u/a'], typed: ['a'], said: [] });
  expect(readJob(brief(JOB))).toEqual(brief(JOB));
});
