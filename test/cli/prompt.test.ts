import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Rig } from '../e2e/rig.ts';
import { keep } from './kept.ts';
import { nextSignIn, Screen, type ScreenOptions } from './screen.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
  await writeFile(join(rig.local, 'report.pdf'), 'a report');
  await writeFile(join(rig.local, 'two words.txt'), 'two');
  await writeFile(join(rig.local, '日本語.txt'), 'wide');
  await mkdir(join(rig.local, 'photos'));
  await writeFile(join(rig.local, 'photos', 'one.jpg'), 'one');
});
afterAll(async () => rig[Symbol.asyncDispose]());

function open(words: readonly string[] = [], options: Partial<ScreenOptions> = {}): Screen {
  return new Screen(words, { cwd: rig.local, env: { WHERRY_HOME: rig.home, HOME: rig.folder }, ...options });
}

const SIZES = [[80, 24], [40, 10]] as const;

describe.each(SIZES)('a session on a terminal of %d columns and %d rows', (columns, rows) => {
  test('puts, changes, gets and says bye', async () => {
    await using screen = open([], { columns, rows });
    await screen.see('wherry test:/> ');
    expect(screen.lines[0]).toMatch(/^connected to test \(127\.0\.0\.1:\d+\) as \S+, read and write/);
    const folder = `d${columns}`;
    screen.enter(`mkdir ${folder}`);
    await screen.see(new RegExp(`made ${folder}\n.*> $`));
    screen.enter(`cd ${folder}`);
    await screen.see(`wherry test:/${folder}> `);
    screen.enter('put report.pdf');
    await screen.see(/report\.pdf {2}8 B in .*verified.*> $/s);
    screen.enter('CHANGE report.pdf final.pdf');
    await screen.see(/renamed report\.pdf to final\.pdf\n.*> $/);
    screen.enter(`get final.pdf copy-${columns}.pdf`);
    await screen.see(/final\.pdf {2}8 B in .*verified.*> $/s);
    screen.enter('put "two words.txt" 日本語.txt photos .');
    await screen.see(/photos\/ {2}1 file, 3 B in[^]*> $/);
    screen.enter('ls');
    await screen.see(columns === 80 ? 'final.pdf  photos/  two words.txt  日本語.txt' : 'final.pdf  two words.txt\nphotos/    日本語.txt');
    await screen.see(/> $/);
    await screen.see(new RegExp(`日本語\\.txt\\nwherry test:/${folder}> $`));
    keep(screen, 'first-session', columns, rows);
    screen.enter('bye');
    expect(await screen.exit).toBe(0);
    expect(await readFile(join(rig.local, `copy-${columns}.pdf`), 'utf8')).toBe('a report');
    for (const line of screen.lines) expect(line).not.toMatch(/\u001b/);
  });
});

describe('the prompt', () => {
  test('says what a mistyped word may have meant, and what was missing, and goes on', async () => {
    await using screen = open();
    await screen.see('wherry test:/> ');
    screen.enter('gte x');
    await screen.see('there is no command gte; did you mean get?');
    screen.enter('join');
    await screen.see('join is typed outside of the prompt; say bye, then type in the shell: wherry join');
    screen.enter('wherry ls');
    await screen.see('at the prompt, commands are typed without the word wherry');
    screen.enter('put nothing.txt');
    await screen.see('put: nothing.txt: no such file or folder here; check the name; lls lists');
    screen.enter('change nothing else');
    await screen.see('change: nothing: no such file or folder on the server');
    screen.enter('put');
    await screen.see('usage: put LOCAL... [REMOTE]');
    screen.enter('put "a');
    // Typed before the prompt is back, ^D is the terminal's own, and lost.
    await screen.see(/a quote " is opened and not closed[^]*\nwherry test:\/> $/);
    screen.type('\u0004');
    expect(await screen.exit).toBe(0);
  });

  test('helps', async () => {
    await using screen = open([], { rows: 50 });
    await screen.see('wherry test:/> ');
    screen.enter('help');
    await screen.see('!COMMAND runs a command here.');
    for (const word of ['put', 'get', 'change', 'help', 'bye']) expect(screen.lines.some((line) => line.startsWith(word))).toBe(true);
    screen.enter('help change');
    await screen.see('usage: change OLD NEW');
    await screen.see('change draft.txt final.txt');
    screen.enter('exit');
    expect(await screen.exit).toBe(0);
  });

  test('drops the line at ^C, and completes a command at TAB', async () => {
    await using screen = open();
    await screen.see('wherry test:/> ');
    screen.type('rm -r everything\u0003');
    await screen.see(/rm -r everything\^C\nwherry test:\/> /);
    screen.type('lpw\t');
    await screen.see('wherry test:/> lpwd');
    screen.enter('');
    await screen.see(rig.local);
    screen.enter('quit');
    expect(await screen.exit).toBe(0);
    expect(screen.lines.join('\n')).not.toContain('removed');
  });

  test('asks before it removes a folder, and takes silence for no', async () => {
    await using screen = open();
    await screen.see('wherry test:/> ');
    screen.enter('mkdir kept');
    await screen.see('made kept');
    screen.enter('rm kept');
    await screen.see('rm -r removes a folder with all in it');
    screen.enter('rm -r kept');
    await screen.see('remove the folder kept with 0 files, 0 B? [y/N/a/q]');
    screen.enter('');
    await screen.see(/\[y\/N\/a\/q\] *\nwherry test:\/> $/);
    screen.enter('stat kept');
    await screen.see('kind:    folder');
    screen.enter('rm -r kept');
    await screen.see(/(\[y\/N\/a\/q\][^]*){2}/);
    screen.enter('y');
    await screen.see('removed kept');
    screen.enter('bye');
    expect(await screen.exit).toBe(0);
  });

  test('runs commands of this machine in the local folder', async () => {
    await using screen = open();
    await screen.see('wherry test:/> ');
    screen.enter('lcd photos');
    await screen.see(join(rig.local, 'photos'));
    screen.enter('!ls; echo "[$PWD]"');
    await screen.see(`[${join(rig.local, 'photos')}]`);
    await screen.see('one.jpg');
    screen.enter('lls ..');
    await screen.see('report.pdf');
    screen.enter('!true');
    await screen.see(/> !true\n.*> $/); // what is typed ahead is echoed where it happens to stand
    screen.enter('!exit 3');
    await screen.see(/> !true\n.*> !exit 3\n!exit 3: exit code 3\n.*> $/);
    screen.enter('bye');
    expect(await screen.exit).toBe(0);
  });
});

describe('^C during a transfer', () => {
  test('cancels it, says how to go on, and gives the prompt back; nothing is there', async () => {
    // Takes no space here, and far longer to send than the test needs.
    await writeFile(join(rig.local, 'huge.bin'), '');
    await truncate(join(rig.local, 'huge.bin'), 16 * 1024 ** 3);
    await using screen = open();
    await screen.see('wherry test:/> ');
    screen.enter('put huge.bin');
    await screen.see(/huge\.bin {2}\d+%/);
    screen.type('\u0003');
    await screen.see('interrupted; run "put huge.bin" to resume');
    await screen.see(/interrupted[^]*\nwherry test:\/> $/);
    screen.enter('stat huge.bin');
    await screen.see('stat: huge.bin: no such file or folder on the server');
    expect(screen.lines.filter((line) => /huge\.bin {2}\d+%/.test(line))).toEqual([]);
    screen.enter('put -  x');
    await screen.see('standard input is where the commands come from');
    screen.enter('bye');
    expect(await screen.exit).toBe(0);
  });

  test('ends a one-shot command with 130', async () => {
    const signedIn = nextSignIn(rig);
    await using screen = open(['put', '-', ':endless.bin']);
    screen.enter('some data');
    await signedIn;
    screen.type('\u0003');
    expect(await screen.exit).toBe(130);
    expect(screen.lines.join('\n')).toContain('run the same command again to resume');
  });
});

describe('join at a terminal', () => {
  test('asks for the ticket, and says what to type next', async () => {
    const invited = await rig.run(['invite', '--ro', '--state', rig.state]);
    await using screen = open(['join', '--as', 'reader'], { env: { WHERRY_HOME: join(rig.folder, 'reader'), HOME: rig.folder } });
    await screen.see('ticket or code: ');
    screen.enter(invited.stdout.trim());
    await screen.see('joined reader at 127.0.0.1');
    await screen.see('next: wherry, or wherry get :FILE');
    expect(await screen.exit).toBe(0);
    await using second = open([], { rows: 50, env: { WHERRY_HOME: join(rig.folder, 'reader'), HOME: rig.folder } });
    await second.see('read only');
    second.enter('help');
    await second.see(/put LOCAL\.\.\. \[REMOTE\] +send files or folders \(not allowed for this account\)/);
    second.enter('put report.pdf');
    await second.see(/put: .*report\.pdf/);
    second.enter('bye');
    expect(await second.exit).toBe(0);
  });
});

describe('a server at a terminal', () => {
  test('shows the ticket alone on its line, and drains at ^C', async () => {
    await using screen = open(['serve', rig.local, '--listen', '127.0.0.1:0', '--state', join(rig.folder, 'other-state'), '--ro'], { columns: 200 });
    await screen.see('^C stops the server');
    const ticket = screen.lines.find((line) => line.startsWith('wherry1-'));
    expect(ticket).toMatch(/^wherry1-[0-9A-Z-]+$/);
    const joined = await rig.run(['join', '--as', 'second'], { input: ticket!, env: { WHERRY_HOME: join(rig.folder, 'second') } });
    expect(joined.code).toBe(0);
    await screen.see('new device');
    screen.type('\u0003');
    expect(await screen.exit).toBe(0);
  });
});

test('help is no wider than a terminal of 40 columns, its end and that of a command included', async () => {
  for (const [words, end] of [[['help'], /places,\s+syntax,\s+environment,\s+files\./], [['help', 'put'], 'wherry put notes.txt :notes-old.txt'], [['put', '--help'], 'wherry put notes.txt :notes-old.txt']] as const) {
    await using screen = open(words, { columns: 40, rows: 60 });
    await screen.see(end);
    for (const line of screen.lines) expect(line.length, line).toBeLessThanOrEqual(40);
  }
});
