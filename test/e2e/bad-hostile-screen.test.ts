/** A person at a terminal, and a server that lies: what TAB offers, what stands below while a transfer runs, and whom the client dials again. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf } from '../../src/digest.ts';
import { DATA_HEAD_BYTES } from '../../src/wire/frame.ts';
import { Screen } from '../cli/screen.ts';
import { entry, file, folder, listing, pretending } from './hostile/answers.ts';
import { Stand } from './hostile/stand.ts';
import { evilPack, Hostile, type Script } from './hostile.ts';

/** None of these is ever a word of ours. */
const EVIL = '\u001b]0;owned\u0007\u009b35m\u202e\u001b[35;7mred';
const NEVER = /\u001b\]0;owned|\u009b|\u202e|\u001b\[35;7m|\r?\nred/;

function seat(stand: Stand, words: readonly string[]): Screen {
  return new Screen(words, { cwd: stand.local, env: stand.env });
}

test('B4: TAB offers nothing of a folder with a name that is all escapes', async () => {
  await using stand = await Stand.set();
  stand.hostile.script = listing('fine', EVIL);
  await using screen = seat(stand, ['connect', 'evil']);
  await screen.see('> ');
  screen.type('get \t\t');
  screen.type('\u0015');
  screen.enter('ls');
  await screen.see('the server told a name that is refused');
  screen.enter('bye');
  await screen.exit;
  expect(screen.said).not.toMatch(NEVER);
  expect(screen.lines.join('\n')).not.toContain('fine');
});

test('B4: a name that is a command is completed as a name, and runs nothing', async () => {
  await using stand = await Stand.set();
  const name = 'x; !touch owned; $(touch owned) `touch owned` \'"\\ #';
  const asked: string[] = [];
  stand.hostile.script = (exchange, message, connection) => {
    if (message.kind === 'stat') asked.push(message.path);
    return listing(name)(exchange, message, connection);
  };
  await using screen = seat(stand, ['connect', 'evil']);
  await screen.see('> ');
  screen.enter('ls');
  await screen.see('touch owned');
  screen.type('stat x\t');
  await screen.see('$(touch owned)');
  screen.enter('');
  await screen.see(/stat: .*no such file/);
  screen.enter('bye');
  await screen.exit;
  expect(asked).toEqual([name]);
  expect(existsSync(join(stand.local, 'owned'))).toBe(false);
});

/** Sends half of a file, and then what it is told to. */
const half = (then: Script): Script => async (exchange, message, connection) => {
  exchange.say({ kind: 'offer', size: 2 << 20, mtime: 1, mode: 0o644 });
  await exchange.room((1 << 20) + 8);
  exchange.data(Buffer.alloc(DATA_HEAD_BYTES + (1 << 20)), 0, 1 << 20, () => {});
  return then(exchange, message, connection);
};

test('B4: what stands below while a folder comes shows no escape, and neither does its end', async () => {
  await using stand = await Stand.set();
  let end = (): void => {};
  const seen = new Promise<void>((resolve) => { end = resolve; });
  stand.hostile.script = pretending(folder, async (exchange, message, connection) => {
    if (message.kind !== 'getTree') return half((one) => void seen.then(() => one.say({ kind: 'error', code: 'IO', message: EVIL, retry: false, path: EVIL, hint: EVIL })))(exchange, message, connection);
    await exchange.batch(evilPack([{ folder: '' }, { file: 'small', data: 'small' }], digestOf));
    await exchange.sayBulk({ kind: 'large', files: [entry('large', { size: 2 << 20 })] }, 4096);
    await exchange.sayBulk({ kind: 'problems', problems: [{ path: EVIL, code: 'IO', message: EVIL }], skipped: 0 }, 4096);
    await seen;
    await exchange.sayBulk({ kind: 'large', files: [entry(EVIL, { size: 2 << 20 })] }, 4096);
  });
  await using screen = seat(stand, ['get', 'evil:x', 'target/x']);
  await screen.see(/large +.*1\.0 MiB|1\.0 MiB.*large/);
  end();
  expect(await screen.exit).toBe(3);
  expect(screen.said).not.toMatch(NEVER);
  expect(screen.lines.join('\n')).toContain('the server told a name that is refused');
});

test('B4: a failure in the middle of a file is one harmless line', async () => {
  await using stand = await Stand.set();
  stand.hostile.script = pretending(file(2 << 20), half((exchange) => exchange.say({ kind: 'error', code: 'IO', message: EVIL, retry: false, path: EVIL, hint: EVIL })));
  await using screen = seat(stand, ['get', 'evil:x', 'target/x']);
  expect(await screen.exit).toBe(1);
  expect(screen.said).not.toMatch(NEVER);
  expect(screen.lines.join('\n')).toContain('\\x1b]0;owned\\x07\\x9b35m\\u202e');
});

/** Ends the server, and has one with another key listen in its place. */
async function usurped(hostile: Hostile): Promise<Hostile> {
  await hostile[Symbol.asyncDispose]();
  return Hostile.start(hostile.address.port);
}

test.each([
  ['a prompt', ['connect', 'evil', '--retry', '20s'], 'ls\nls\n', pretending({ kind: 'entry' }, (exchange) => { exchange.say({ kind: 'done' }); })],
  ['a listing', ['ls', 'evil:', '--retry', '20s'], '', () => {}],
  ['a transfer', ['get', 'evil:x', 'target/x', '--retry', '20s'], '', pretending(file(2 << 20), half(() => {}))],
] as const)('B6: %s that is cut and finds another server in the place of its own says nothing to it, and ends with 4', async (_, words, typed, script) => {
  await using stand = await Stand.set();
  stand.typed = typed;
  let usurper: Promise<Hostile> | undefined;
  stand.hostile.script = async (exchange, message, connection) => {
    await script(exchange, message, connection);
    if (message.kind !== 'stat') usurper ??= usurped(stand.hostile);
  };
  const said = await stand.run(words);
  await using other = await usurper!;
  expect([said.code, said.text]).toEqual([4, expect.stringMatching(/has another key than the one that was joined/)]);
  expect([stand.hostile.proofs, other.proofs]).toEqual([1, 0]);
  expect(stand.arrived).toEqual([]);
});
