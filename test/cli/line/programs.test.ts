import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { programNames } from '../../../src/cli/line/programs.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wherry-programs-'));
  for (const name of ['one', 'two']) mkdirSync(join(folder, name));
  for (const name of ['one/sort', 'one/sorted', 'two/sort', 'two/soap', 'two/\u001bso']) {
    writeFileSync(join(folder, name), '');
    chmodSync(join(folder, name), 0o755);
  }
  writeFileSync(join(folder, 'one', 'sonnet'), '');
  mkdirSync(join(folder, 'one', 'songs'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('programs are what can be run in the folders of the PATH, each once', async () => {
  const path = [join(folder, 'one'), join(folder, 'nowhere'), '', 'relative', join(folder, 'two')].join(delimiter);
  expect((await programNames('so', path)).map(({ word }) => word)).toEqual(['soap', 'sort', 'sorted']);
  expect(await programNames('./so', path)).toEqual([]);
  expect(await programNames('so', '')).toEqual([]);
});
