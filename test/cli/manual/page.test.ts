/** wherry(1): everything of the table is on it, nothing in it is taken for a command of roff, and the readers of man pages agree. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { EXITS } from '../../../src/cli/exits.ts';
import { blockRoff, roffText } from '../../../src/cli/manual/roff.ts';
import { manPage } from '../../../src/cli/manual/page.ts';
import { isShown, subjectsOf } from '../../../src/cli/manual/subjects.ts';
import { EXIT_MEANINGS, TOPICS } from '../../../src/cli/manual/topics.ts';

const page = manPage(COMMANDS);

function reader(program: string, words: readonly string[]) {
  const missing = spawnSync(program, ['--version']).error !== undefined;
  return { missing, read: () => spawnSync(program, words, { input: page, encoding: 'utf8', env: { ...process.env, MANWIDTH: '80', LC_ALL: 'C.UTF-8' } }) };
}
const groff = reader('groff', ['-man', '-Tutf8', '-ww', '-P-c']);
const man = reader('man', ['--warnings', '-l', '-']);
const mandoc = reader('mandoc', ['-T', 'lint', '-W', 'style']);

describe('the manual page', () => {
  test('is the one that the build wrote', () => {
    expect(readFileSync(resolve(import.meta.dirname, '../../..', process.env['WHERRY_DIST'] ?? 'dist', 'man/wherry.1'), 'utf8')).toBe(page);
  });

  test('has every command that people are told of, with its flags, and every topic', () => {
    for (const { name, flags } of COMMANDS.filter(isShown)) {
      expect(page).toContain(`.SS "${roffText(name)}"`);
      for (const [flag, { summary }] of Object.entries(flags)) if (summary !== '') expect(page).toContain(roffText(`--${flag}`));
    }
    for (const { title } of TOPICS) expect(page).toContain(`.SH "${title.toUpperCase()}"`);
  });

  test.skipIf(groff.missing)('is formatted by groff without a warning, and shows flags with hyphens that can be copied', () => {
    const { stdout, stderr } = groff.read();
    expect(stderr).toBe('');
    // Bold is a letter struck twice.
    expect(stdout.replaceAll(/.\u0008/g, '')).toContain('--if-absent');
    expect(stdout).toMatch(/WHERRY\(1\)/);
  });

  test.skipIf(man.missing)('is shown by man without a warning', () => {
    const { stdout, stderr, status } = man.read();
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('EXIT CODES');
  });

  test.skipIf(mandoc.missing)('has nothing that mandoc would have otherwise', () => {
    const { stdout, stderr, status } = mandoc.read();
    expect([stdout, stderr, status]).toEqual(['', '', 0]);
  });
});

describe('text in roff', () => {
  test.each([
    ['.so /etc/passwd', '\\&.so /etc/passwd'], ["'br", '\\(aqbr'], ['a\\nb', 'a\\enb'], ['--no-sync', '\\-\\-no\\-sync'], ['~/.config', '\\(ti/.config'],
    ['two\n.SH lines', 'two .SH lines'], ['Łódź', '\\[u0141]\\[u00F3]d\\[u017A]'], ['`x^', '\\(gax\\(ha'],
  ])('%j is %j', (text, roff) => {
    expect(roffText(text)).toBe(roff);
  });

  test('never begins a line with a request, wherever it is broken', () => {
    const text = Array.from({ length: 200 }, () => '.TP').join(' ');
    const lines = blockRoff({ text });
    expect(lines.filter((line) => line.startsWith('.'))).toEqual(['.PP']);
    expect(lines.length).toBeGreaterThan(5);
  });
});

describe('the table by subjects', () => {
  test('has each command that people are told of once', () => {
    const names = subjectsOf(COMMANDS).flatMap(({ commands }) => commands.map(({ name }) => name));
    expect(names.toSorted()).toEqual(COMMANDS.filter(isShown).map(({ name }) => name).toSorted());
  });

  test('explains every exit code there is', () => {
    for (const [code, exit] of Object.entries(EXITS)) expect(EXIT_MEANINGS.get(exit), code).toMatch(/./);
  });
});
