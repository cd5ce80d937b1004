/** undo at a terminal: what is asked, what is shown, and what is not done without a yes. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { Rig } from '../e2e/rig.ts';
import { plant } from '../e2e/trees.ts';
import { keep } from './kept.ts';
import { Screen } from './screen.ts';

let rig: Rig | undefined;
beforeEach(async () => {
  await rig?.[Symbol.asyncDispose]();
  rig = await Rig.start();
  plant(rig.local, { 'a.txt': 'new a', 'b.txt': 'new b' });
  plant(rig.served, { 'a.txt': 'old', 'big/x': 'xx', 'big/y': 'y' });
});
afterAll(() => rig?.[Symbol.asyncDispose]());

const served = (path: string): string => join(rig!.served, path);

describe.each([[80, 24], [40, 10]])('at a terminal of %d columns and %d rows', (columns, rows) => {
  test('what was removed and replaced comes back; what was new goes only after a yes', async () => {
    await using screen = new Screen([], { cwd: rig!.local, columns, rows, env: { WHERRY_HOME: rig!.home, HOME: rig!.folder } });
    await screen.see('wherry test:/> ');
    screen.enter('put -y a.txt b.txt .');
    await screen.see(/2 sources: 2 files[^]*> $/);
    screen.enter('rm -rf big');
    await screen.see(/removed big[^]*> $/);
    screen.enter('undo');
    await screen.see(/brought back the folder[^]*undone: 1 name[^]*> $/);
    screen.enter('undo');
    await screen.see(/remove \/b\.txt[^]*\[y\/N\/a\/q\]/);
    screen.enter('');
    await screen.see(/\[y\/N\/a\/q\][^]*> $/);
    expect([readFileSync(served('a.txt'), 'utf8'), existsSync(served('b.txt'))]).toEqual(['new a', true]);
    screen.enter('undo');
    await screen.see(/([^]*\[y\/N\/a\/q\]){2}/);
    screen.enter('y');
    await screen.see(/undone: 2 names[^]*> $/);
    expect([readFileSync(served('a.txt'), 'utf8'), existsSync(served('b.txt')), readFileSync(served('big/x'), 'utf8')]).toEqual(['old', false, 'xx']);
    screen.enter('undo');
    await screen.see(/nothing to undo[^]*> $/);
    keep(screen, 'undo', columns, rows);
    screen.enter('bye');
    expect(await screen.exit).toBe(0);
  });
});
