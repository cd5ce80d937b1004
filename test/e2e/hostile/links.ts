/** Scripts with links, pipes and devices that are in the target before or while a transfer runs (B2): none is followed, opened or replaced by mistake. */
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { digestOf } from '../../../src/digest.ts';
import { evilPack, type Evil, type Script } from '../hostile.ts';
import { until } from '../traces.ts';
import { entry, folder, packed, pretending, sendFile, treeOf, wrongFile } from './answers.ts';
import type { Attack, Stand } from './stand.ts';

const GET = ['get', 'evil:x', 'target'];
const OUTSIDE = '../../../outside';

/** A folder `x` in the target, in which `link` leads outside. */
const linked = (to = OUTSIDE) => (stand: Stand): void => {
  mkdirSync(join(stand.target, 'x'));
  symlinkSync(to, join(stand.target, 'x/link'));
};
const stays = (stand: Stand): void => { expect(lstatSync(join(stand.target, 'x/link')).isSymbolicLink()).toBe(true); };
const replaced = (stand: Stand): void => {
  expect(lstatSync(join(stand.target, 'x/link')).isFile()).toBe(true);
  expect(readFileSync(join(stand.target, 'x/link'), 'utf8')).toBe('evil');
};

/** A way in which one name comes as a file and as a folder, in this order. */
const ORDERS: readonly (readonly [string, readonly Evil[], number, RegExp])[] = [
  ['a file, then a folder of its name', [{ folder: '' }, { file: 'd', data: 'evil' }, { folder: 'd' }, { file: 'in', data: 'evil' }], 1, /is a folder/],
  ['a folder, then a file of its name', [{ folder: 'd' }, { file: 'in', data: 'evil' }, { folder: '' }, { file: 'd', data: 'evil' }], 1, /is a folder/],
  ['a file twice', [{ folder: '' }, { file: 'd', data: 'one' }, { file: 'd', data: 'two' }], 0, /2 files/],
  ['a folder twice, and its file between', [{ folder: 'd' }, { folder: '' }, { file: 'e', data: 'evil' }, { folder: 'd' }, { file: 'in', data: 'evil' }], 0, /2 files/],
];

/** Has somebody else put a link to outside in the place of `x/d`, as soon as a file is in it; then `then` is said. */
function swapped(stand: Stand, then: (exchange: Parameters<Script>[0]) => Promise<void>): Script {
  return pretending(folder, async (exchange, message) => {
    if (message.kind === 'get') return sendFile(exchange, 'evil');
    const d = join(stand.target, 'x/d');
    await exchange.batch(evilPack([{ folder: '' }, { folder: 'd' }, { file: 'one', data: '1' }], digestOf));
    await until(() => existsSync(join(d, 'one')));
    renameSync(d, `${d}-old`);
    symlinkSync(OUTSIDE, d);
    await then(exchange);
    exchange.say({ kind: 'done' });
  });
}

const meanwhile = (name: string, exit: number, says: RegExp, then: (exchange: Parameters<Script>[0]) => Promise<void>, ...flags: string[]): Attack => ({
  row: 'B2', name: `somebody puts a link in the place of a folder meanwhile: ${name}`, words: [...GET, ...flags], script: () => {}, exit, says,
  serve: (hostile, stand) => { hostile.script = swapped(stand, then); },
});

export const LINKS: readonly Attack[] = [
  ...[[], ['--no-sync']].map((flags): Attack => ({
    row: 'B2', name: `a link stands where a folder goes${flags.length > 0 ? ', quickly' : ''}`, words: [...GET, ...flags], script: packed({ folder: '' }, { folder: 'link' }, { file: 'evil', data: 'evil' }), exit: 5, says: /symbolic link, which is never followed/, before: linked(), after: stays,
  })),
  ...[[], ['--no-sync']].map((flags): Attack => ({
    row: 'B2', name: `a link to a file stands where a file goes${flags.length > 0 ? ', quickly' : ''}: it is replaced`, words: [...GET, ...flags], script: packed({ folder: '' }, { file: 'link', data: 'evil' }), exit: 0, says: /1 file/, before: linked(`${OUTSIDE}/secret`), after: replaced,
  })),
  { row: 'B2', name: 'a link to a file stands where a large file goes: it is replaced', words: ['get', 'evil:x', 'target/x/link'], script: wrongFile({}), exit: 0, says: /verified/, before: linked(`${OUTSIDE}/secret`), after: replaced },
  { row: 'B2', name: 'a link that leads nowhere stands where a file goes: nothing is made there', words: ['get', 'evil:x', 'target/x/link'], script: wrongFile({}), exit: 0, says: /verified/, before: linked(`${OUTSIDE}/new`), after: replaced },
  { row: 'B2', name: 'a link stands where a folder is complete: its modes go nowhere', words: GET, exit: 5, says: /symbolic link, which is never followed/, before: linked(), after: stays, script: pretending(folder, async (exchange, request) => {
    if (request.kind === 'list') return exchange.say({ kind: 'done' });
    await exchange.batch(evilPack([{ folder: '' }], digestOf));
    await exchange.sayBulk({ kind: 'folders', folders: [{ path: 'link', mode: 0o777, mtime: 1 }, { path: 'link/sub', mode: 0o777, mtime: 1 }] }, 4096);
    exchange.say({ kind: 'done' });
  }) },
  { row: 'B2', name: 'a link stands where the folder itself goes', words: GET, script: packed({ folder: '' }, { file: 'evil', data: 'evil' }), exit: 5, says: /symbolic link, which is never followed/, before: (stand) => symlinkSync('../../outside', join(stand.target, 'x')) },
  { row: 'B2', name: 'a link stands where the stage goes', words: ['get', 'evil:x', 'target/y'], script: wrongFile({}), exit: 5, says: /symbolic link|never followed/, before: (stand) => symlinkSync('../../outside', join(stand.target, '.wherry')) },
  ...ORDERS.map(([name, records, exit, says]): Attack => ({ row: 'B2', name: `one name is ${name}`, words: GET, script: packed(...records), exit, says })),
  meanwhile('files for it do not go there', 1, /symbolic link, which is never followed/, (exchange) => exchange.batch(evilPack([{ folder: 'd' }, { file: 'two', data: 'evil' }], digestOf))),
  meanwhile('files for it do not go there, quickly', 1, /symbolic link, which is never followed/, (exchange) => exchange.batch(evilPack([{ folder: 'd' }, { file: 'two', data: 'evil' }], digestOf)), '--no-sync'),
  meanwhile('a folder in it is not made there', 1, /symbolic link, which is never followed/, (exchange) => exchange.batch(evilPack([{ folder: 'd/e' }, { file: 'two', data: 'evil' }], digestOf))),
  meanwhile('a large file for it does not go there', 1, /symbolic link, which is never followed/, (exchange) => exchange.sayBulk({ kind: 'large', files: [entry('d/two', { size: 4 })] }, 4096)),
  meanwhile('its mode is not set there', 1, /symbolic link, which is never followed/, (exchange) => exchange.sayBulk({ kind: 'folders', folders: [{ path: 'd', mode: 0o777, mtime: 1 }] }, 4096)),
  {
    row: 'B2', name: 'a pipe has the name that was typed: it is not opened, and stays', words: ['get', 'evil:x', 'target/pipe'], script: wrongFile({}), exit: 7, says: /neither a file nor a folder/,
    before: (stand) => { execFileSync('mkfifo', [join(stand.target, 'pipe')]); }, after: (stand) => { expect(lstatSync(join(stand.target, 'pipe')).isFIFO()).toBe(true); },
  },
  {
    row: 'B2', name: 'a link to a device has the name that was typed: both stay', words: ['get', 'evil:x', 'target/null'], script: wrongFile({}), exit: 7, says: /neither a file nor a folder/,
    before: (stand) => symlinkSync('/dev/null', join(stand.target, 'null')), after: (stand) => { expect(lstatSync(join(stand.target, 'null')).isSymbolicLink()).toBe(true); },
  },
  {
    row: 'B2', name: 'a pipe stands where a file of a folder goes: it is replaced, and never opened', words: GET, script: packed({ folder: '' }, { file: 'pipe', data: 'evil' }), exit: 0, says: /1 file/,
    before: (stand) => { mkdirSync(join(stand.target, 'x')); execFileSync('mkfifo', [join(stand.target, 'x/pipe')]); }, after: (stand) => { expect(readFileSync(join(stand.target, 'x/pipe'), 'utf8')).toBe('evil'); },
  },
  {
    row: 'B2', name: 'a pipe stands where a folder goes', words: GET, script: treeOf(evilPack([{ folder: 'pipe' }, { file: 'in', data: 'evil' }], digestOf)), exit: 7, says: /not a folder/,
    before: (stand) => { mkdirSync(join(stand.target, 'x')); execFileSync('mkfifo', [join(stand.target, 'x/pipe')]); }, after: (stand) => { expect(lstatSync(join(stand.target, 'x/pipe')).isFIFO()).toBe(true); },
  },
  {
    row: 'B2', name: 'a part of an earlier try has become a link: it is not written through', words: ['get', 'evil:x', 'target/y'], script: wrongFile({}), exit: 0, says: /verified/,
    before: (stand) => {
      mkdirSync(join(stand.target, '.wherry'), { mode: 0o700 });
      writeFileSync(join(stand.target, 'y'), 'old');
      const key = Buffer.from(digestOf(Buffer.from('0:y'))).toString('hex').slice(0, 32);
      symlinkSync('../../../outside/secret', join(stand.target, `.wherry/${key}.part`));
    },
    after: (stand) => { expect(readFileSync(join(stand.target, 'y'), 'utf8')).toBe('evil'); },
  },
];
