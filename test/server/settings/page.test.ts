import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { checkSettings } from '../../../src/server/settings/check.ts';
import { documentation, exampleFile, settledFile } from '../../../src/server/settings/page.ts';
import { settle } from '../../../src/server/settings/settle.ts';
import { KEYS, placeOf, usualOf } from '../../../src/server/settings/table.ts';

const root = resolve(import.meta.dirname, '../../..');

test('docs/configuration.md has the tables of this version (else run scripts/configuration-doc.mjs)', async () => {
  const { generate, PAGE } = await import(pathToFileURL(resolve(root, 'scripts/configuration-doc.mjs')).href) as { generate(page: string, build: string): Promise<string>; PAGE: string };
  const page = readFileSync(PAGE, 'utf8');
  expect(await generate(page, resolve(root, process.env['WHERRY_DIST'] ?? 'dist'))).toBe(page);
  expect(page).toContain(documentation());
  for (const key of KEYS) expect(page).toMatch(new RegExp(`^\\| \`${placeOf(key).name}\` \\|`, 'm'));
});

describe('the example file', () => {
  test('says nothing as it is', () => {
    expect(checkSettings(exampleFile())).toMatchObject({ values: {}, mistakes: [] });
  });

  test('shows the default of every key that has one, and a value that is right for the others', () => {
    const { values, written, mistakes } = checkSettings(exampleFile().replaceAll(/^#(\w+ = )/gm, '$1'));
    expect(mistakes).toEqual([]);
    expect([...written.keys()].toSorted()).toEqual(KEYS.toSorted());
    for (const key of KEYS) if (usualOf(key) !== undefined) expect(values[key], key).toEqual(usualOf(key));
  });

  test('fits a terminal of 100 columns', () => {
    for (const line of exampleFile().split('\n')) expect(line.length, line).toBeLessThanOrEqual(110);
  });
});

describe('what is settled, as a file', () => {
  const { values, written } = checkSettings('name = "ab"\ngrace = "1m"');
  const { origins } = settle({ workers: { value: 4, written: 4, flag: '--workers' } }, { file: '/w.toml', values, written });

  test('can be read again, and comes to the same', () => {
    const again = checkSettings(settledFile(origins, true).join('\n'));
    expect(again.mistakes).toEqual([]);
    expect(again.values).toMatchObject({ name: 'ab', grace: 60_000, workers: 4, 'limits.memory': usualOf('limits.memory') });
  });

  test('says where each comes from: a flag, a line of the file, or nowhere', () => {
    const lines = settledFile(origins, true);
    expect(lines).toContain('workers = 4  # --workers');
    expect(lines).toContain('grace = "1m"  # /w.toml:2');
    expect(lines).toContain('ticket = "none"  # default');
    expect(lines).toContain('# folder is not set: the DIR of the command line');
  });
});

test('a flag goes before the file, and the file before the default', () => {
  const { values, written } = checkSettings('grace = "1m"\nworkers = 2');
  expect(settle({ grace: { value: 1000, written: '1s', flag: '--grace' } }, { file: '/w.toml', values, written }).values).toMatchObject({ grace: 1000, workers: 2, ticket_life: 600_000 });
});
