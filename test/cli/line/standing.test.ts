/** The line stays usable whatever the server does, and has the colours that were asked for. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Rig } from '../../e2e/rig.ts';
import { Screen } from '../screen.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
  await mkdir(join(rig.served, 'photos'));
});
afterAll(async () => rig[Symbol.asyncDispose]());

describe.each([[80, 24], [40, 10]] as const)('on a terminal of %d columns and %d rows', (columns, rows) => {
  const open = (words: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Screen => {
    return new Screen(words, { cwd: rig.local, columns, rows, env: { WHERRY_HOME: rig.home, HOME: rig.folder, ...env } });
  };

  test('TAB gives up on a server that stands still, so that the line can be typed on, and finds names when it goes on', async () => {
    await using screen = open([], { NO_COLOR: '1' });
    await screen.see('wherry test:/> ');
    rig.server!.kill('SIGSTOP');
    try {
      screen.type('stat ph\t');
      screen.type('o');
      await screen.see('> stat pho');
    } finally {
      rig.server!.kill('SIGCONT');
    }
    await screen.complete(/stat photos\//);
    screen.enter('');
    await screen.see(/photos[^]*folder[^]*> $/);
    screen.enter('bye');
    expect(await screen.exit).toBe(0);
  });

  test('TAB knows the names of the folder it is in before anybody asked, also while the server stands still', async () => {
    await using screen = open([], { NO_COLOR: '1' });
    await screen.see('wherry test:/> ');
    for (let known = false; !known;) {
      const from = screen.said.length;
      screen.enter('cache');
      await screen.drawn(from, /(?:no folder is kept|names?, )[^]*> (?:\u001b\[[\d;]*[A-Za-z])*$/);
      known = screen.said.slice(from).includes('1 name, ');
    }
    rig.server!.kill('SIGSTOP');
    try {
      screen.type('stat ph\t');
      await screen.see(/stat photos\/$/);
    } finally {
      rig.server!.kill('SIGCONT');
    }
    screen.enter('');
    await screen.see(/photos[^]*folder[^]*> $/);
    screen.enter('bye');
    expect(await screen.exit).toBe(0);
  });

  test('TAB names the servers that are known', async () => {
    await using screen = open([], { NO_COLOR: '1' });
    await screen.see('wherry test:/> ');
    screen.type('open te');
    await screen.complete(/open test /);
    screen.type('\u0015');
    screen.enter('bye');
    expect(await screen.exit).toBe(0);
  });

  test.each([[{}, true], [{ NO_COLOR: '1' }, false]] as const)('a folder has the colour of LS_COLORS with %j: %s', async (env, coloured) => {
    await using screen = open(['ls', ':'], { LS_COLORS: 'di=01;35', ...env });
    expect(await screen.exit).toBe(0);
    await screen.see('photos/');
    expect(screen.said.includes('\u001b[01;35m')).toBe(coloured);
    expect(/\u001b\[[\d;]*[1-9][\d;]*m/.test(screen.said)).toBe(coloured);
  });
});
