/** What is hardly ever meant to be served: by its name, by its number on the disk, and where what the server runs or reads lies in it. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Circumstances, mayBeServed } from '../../src/server/served.ts';
import { MAIN } from '../e2e/rig.ts';

let folder: string;
let share: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'wherry-served-')));
  share = join(folder, 'share');
  await mkdir(share);
});
afterEach(() => rm(folder, { recursive: true }));

const REPOSITORY = resolve(import.meta.dirname, '../..');
const asked = (circumstances: Circumstances = {}, dir = share): Promise<string> => mayBeServed(dir, false, circumstances).then(() => 'served', (error: unknown) => (error as Error).message.replaceAll(folder, ''));

describe('what is hardly ever meant', () => {
  test('the whole disk, homes, and what holds or is of the system', async () => {
    const users = join(folder, 'passwd');
    await writeFile(users, `ann:x:1000:1000::${folder}/homes/ann:/bin/sh\nwww:x:33:33::${folder}/www:/usr/sbin/nologin\n`);
    const at = (dir: string): Promise<string> => asked({ users }, dir);
    expect(await Promise.all([at('/'), at(homedir()), at(`${folder}/homes/ann`), at(`${folder}/homes`), at(folder), at('/usr'), at('/etc/ssl')])).toEqual([
      expect.stringMatching(/^\/ is the whole disk/), expect.stringContaining(' is a home folder'), expect.stringMatching(/^\/homes\/ann is a home folder/),
      expect.stringMatching(/^\/homes holds the home folder \/homes\/ann/), expect.stringContaining(' holds the home folder'), expect.stringContaining('/usr is a folder of the system'), expect.stringContaining('/etc/ssl lies in /etc'),
    ]);
    expect(await Promise.all([at(`${folder}/www`), at(`${folder}/homes/ann/share`), at(share)])).toEqual(['served', 'served', 'served']);
  });

  const canMount = spawnSync('unshare', ['-m', 'true']).status === 0;
  test.skipIf(!canMount)(`the same shown at a second place by a mount${canMount ? '' : ' (skipped: needs the right to mount)'}`, async () => {
    await Promise.all(['disk', 'home', 'system', 'homes', 'homes/me', 'above'].map((name) => mkdir(join(folder, name), { recursive: true })));
    const script = join(folder, 'ask.mjs');
    await writeFile(script, `import { serve } from ${JSON.stringify(`file://${join(dirname(MAIN), '../index.js')}`)};
for (const name of ['disk', 'home', 'system', 'above']) await serve(${JSON.stringify(folder)} + '/' + name, { listen: ['127.0.0.1:0'], state: ${JSON.stringify(folder)} + '/state' }).then((server) => { console.log('served', name); return server.stop(); }, (error) => console.log(error.message));\n`);
    const mounts = `cd "$1" && mount --bind / disk && mount --bind homes/me home && mount --bind /usr system && mount --bind homes above && exec "$2" ask.mjs`;
    const { stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', mounts, 'sh', folder, process.execPath], { encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: `${folder}/homes/me` } });
    expect(stdout.replaceAll(folder, '').split('\n'), stderr).toEqual([
      expect.stringMatching(/^\/disk is the whole disk/), expect.stringMatching(/^\/home is a home folder/), expect.stringMatching(/^\/system is a folder of the system/),
      expect.stringMatching(/^\/above holds the home folder \/homes\/me/), '',
    ]);
  });
});

describe('G: what this server runs or reads is not served', () => {
  test('its settings, by every place that leads to them', async () => {
    await mkdir(join(folder, 'etc'));
    await writeFile(join(folder, 'etc/wherry.toml'), '');
    await writeFile(join(share, 'wherry.toml'), '');
    await symlink('../etc', join(share, 'way'));
    await symlink('share/wherry.toml', join(folder, 'link'));
    const settingsFile = (name: string): Promise<string> => asked({ settingsFile: join(folder, name) });
    expect(await settingsFile('share/wherry.toml')).toMatch(/^\/share holds the configuration file, \/share\/wherry\.toml: who may write there would decide/);
    expect(await settingsFile('link')).toMatch(/^\/share holds the configuration file, \/share\/wherry\.toml/);
    expect(await settingsFile('share/way/wherry.toml')).toMatch(/^\/share holds a link on the way to the configuration file, \/share\/way/);
    expect(await asked({ state: join(share, 'way/state') })).toMatch(/^\/share holds a link on the way to the state folder/);
    expect(await Promise.all([settingsFile('etc/wherry.toml'), settingsFile('none/wherry.toml'), asked({ state: join(folder, 'state') })])).toEqual(['served', 'served', 'served']);
  });

  test('its program, Node and its libraries, and what holds them', async () => {
    await mkdir(join(folder, 'app'));
    await writeFile(join(folder, 'app/main.mjs'), '');
    await symlink('../app/main.mjs', join(share, 'wherry'));
    const program = (main: string | undefined, node = process.execPath): Promise<string> => asked({ program: { main, node } });
    expect(await program(join(share, 'wherry'))).toMatch(/^\/share holds the program of this server, \/share\/wherry: who may write there would have anything run as the user of this server/);
    expect(await program(undefined, join(share, 'node'))).toMatch(/^\/share holds the program of this server, \/share\/node/);
    expect(await Promise.all([program(undefined), program(join(folder, 'app/main.mjs')), program(join(folder, 'gone'))])).toEqual(['served', 'served', 'served']);
    expect(await Promise.all(['', 'dist', 'dist/server', 'node_modules', 'node_modules/pino'].map((name) => asked({}, join(REPOSITORY, name))))).toEqual([
      expect.stringMatching(/ holds the program of this server/), expect.stringMatching(/ is the program of this server/), expect.stringMatching(/ lies in .*dist, the program of this server/),
      expect.stringMatching(/ is the folder of its libraries/), expect.stringMatching(/ lies in .*node_modules, the folder of its libraries/),
    ]);
    expect(await asked({}, join(REPOSITORY, 'docs'))).toBe('served');
  });

  test('but by who says that it is meant', async () => {
    await expect(mayBeServed(REPOSITORY, true, {})).resolves.toBeUndefined();
    await expect(mayBeServed(REPOSITORY, false, {})).rejects.toMatchObject({ code: 'USAGE', who: 'rule', hint: expect.stringContaining('add --yes-serve-this') as string });
  });
});
