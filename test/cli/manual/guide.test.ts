/** help on a terminal: by subject, by command, by topic, at its width, and through a pager where it is longer than the screen. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { sectionLines } from '../../../src/cli/manual/blocks.ts';
import { isShown } from '../../../src/cli/manual/subjects.ts';
import { TOPICS } from '../../../src/cli/manual/topics.ts';
import { columnsOf } from '../../../src/cli/width.ts';
import { MAIN, Rig } from '../../e2e/rig.ts';
import { keep } from '../kept.ts';
import { Screen, type ScreenOptions } from '../screen.ts';

let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'wherry-help-')); });
afterAll(() => { rmSync(folder, { recursive: true }); });

function open(words: readonly string[], options: Partial<ScreenOptions> = {}): Screen {
  return new Screen(words, { cwd: folder, ...options, env: { WHERRY_HOME: folder, HOME: folder, ...options.env } });
}
test('help files names every file and folder that is kept for a person', async () => {
  await using screen = open(['help', 'files'], { columns: 160, rows: 60 });
  expect(await screen.exit).toBe(0);
  for (const name of ['wherry/rc', 'bookmarks.json', 'wherry/history/', 'wherry/jobs/']) expect(screen.lines.join('\n')).toContain(name);
});

test.each([[['exit', 'codes'], '130  interrupted'], [['Exit', 'codes'], '130  interrupted'], [['lines', 'of', 'the', 'prompt'], 'A && B'], [['environment'], 'LS_COLORS'], [['environment'], 'VISUAL']])('help %j finds its topic', (words, wanted) => {
  expect(spawnSync(process.execPath, [MAIN, 'help', ...words], { encoding: 'utf8' }).stdout).toContain(wanted);
});

test('help of several words that are no topic says so', () => {
  const { status, stderr } = spawnSync(process.execPath, [MAIN, 'help', 'put', 'files'], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([2, expect.stringContaining('there is no topic put files; help takes one command or topic')]);
});

const hasLess = spawnSync('less', ['--version']).error === undefined;

describe.each([[80, 24], [40, 10]] as const)('help on a terminal of %d columns and %d rows', (columns, rows) => {
  test('about one command ends with how it is typed', async () => {
    await using screen = open(['help', 'change'], { columns, rows });
    expect(await screen.exit).toBe(0);
    for (const line of screen.lines) expect(columnsOf(line), line).toBeLessThanOrEqual(columns);
    expect(screen.lines.join('\n')).toContain('wherry change :draft.txt final.txt');
    keep(screen, 'help-change', columns, rows);
  });

  test('has a line for each command that people are told of, below its subject', async () => {
    await using screen = open(['help'], { columns, rows });
    expect(await screen.exit).toBe(0);
    const lines = screen.lines;
    for (const line of lines) expect(columnsOf(line), line).toBeLessThanOrEqual(columns);
    for (const { name } of COMMANDS.filter((command) => isShown(command) && command.where !== 'prompt')) expect(lines.some((line) => line.startsWith(name)), name).toBe(true);
    for (const { name } of COMMANDS.filter((command) => !isShown(command))) expect(lines.some((line) => line.startsWith(name)), name).toBe(false);
    expect(lines).toContain('files and folders on the server:');
  });

  test.skipIf(!hasLess)('goes through the pager where it is longer than the screen', async () => {
    await using screen = open(['help', 'put'], { columns, rows, env: { PAGER: 'less' } });
    await screen.see(/:$/);
    expect(screen.glass.join('\n')).toContain('usage: wherry put');
    expect(screen.glass.join('\n')).not.toContain('notes-old.txt');
    screen.type('q');
    expect(await screen.exit).toBe(0);
  });
});

test('a pager that is not there hides nothing', async () => {
  await using screen = open(['help', 'put'], { env: { PAGER: 'no-such-pager-anywhere' } });
  expect(await screen.exit).toBe(0);
  expect(screen.lines.join('\n')).toContain('wherry put notes.txt :notes-old.txt');
});

test('--help behind a command at the prompt is its help there', async () => {
  await using rig = await Rig.start();
  const ran = await rig.run([], { input: 'change --help\nhelp exit\n' });
  expect([ran.code, ran.stderr]).toEqual([0, '']);
  expect(ran.stdout).toMatch(/^usage: change OLD NEW\n/);
  expect(ran.stdout).toContain('see also: help put, help get');
  expect(ran.stdout).toContain('Exit codes\n');
});

test('every module that is loaded on demand is named as it is called in the build', () => {
  const built = dirname(dirname(MAIN));
  const files = readdirSync(built, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'));
  expect(files.filter((file) => /\bimport\('[^']*\.ts'\)/.test(readFileSync(join(built, file), 'utf8')))).toEqual([]);
});

describe('topics', () => {
  test.each(TOPICS.map((topic) => [topic.name, topic] as const))('%s fits a narrow terminal and a usual one, and says the same', (_, topic) => {
    const words = (width: number) => sectionLines(topic, width).join(' ').split(/\s+/);
    for (const width of [40, 80]) for (const line of sectionLines(topic, width)) expect(columnsOf(line), line).toBeLessThanOrEqual(width);
    expect(words(40)).toEqual(words(80));
  });

  test('are shown by name, also exit, which is a word of the prompt too', () => {
    const { stdout } = spawnSync(process.execPath, [MAIN, 'help', 'exit'], { encoding: 'utf8' });
    expect(stdout).toMatch(/^Exit codes\n/);
    expect(stdout).toContain('  12   the time of --deadline has passed');
  });
});
