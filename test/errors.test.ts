import { execFileSync } from 'node:child_process';
import { closeSync, constants, fdatasyncSync, mkdtempSync, openSync, readFileSync, renameSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromErrno } from '../src/errors.ts';

let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'wherry-errors-')); });
afterAll(() => rmSync(folder, { recursive: true }));

/** What an action threw, as a failure. */
function failed(action: () => unknown): { code: string; message: string } {
  try {
    action();
  } catch (error) {
    return fromErrno(error, 'x', 'here');
  }
  throw new Error('it did not fail');
}

describe('what the operating system says', () => {
  test('of a flush that the disk cannot do is no fault of the name', () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const fd = openSync(join(folder, 'pipe'), constants.O_RDWR | constants.O_NONBLOCK);
    try {
      expect(failed(() => fdatasyncSync(fd))).toMatchObject({ code: 'IO', message: 'disk error EINVAL', path: 'x', who: 'here' });
    } finally {
      closeSync(fd);
    }
  });

  test('of a name that cannot be given is', () => {
    mkdirSync(join(folder, 'a'));
    expect(failed(() => renameSync(join(folder, 'a'), join(folder, 'a/b')))).toMatchObject({ code: 'BADNAME', path: 'x' });
    expect(failed(() => readFileSync(join(folder, 'x'.repeat(300))))).toMatchObject({ code: 'BADNAME', message: 'the name is too long for this disk' });
  });

  test('without a name of the call, as a worker passes it on, is the disk\'s', () => {
    expect(fromErrno(Object.assign(new Error('flush failed'), { code: 'EINVAL' }))).toMatchObject({ code: 'IO' });
  });

  test('in words nobody knows is told with those', () => {
    expect(fromErrno(Object.assign(new Error('x'), { code: 'EWHATEVER' }))).toMatchObject({ code: 'IO', message: 'disk error EWHATEVER' });
    expect(fromErrno(undefined)).toMatchObject({ code: 'INTERNAL' });
  });
});
