/** A client against a server that lies: nothing outside the target, nothing set-user-id, nothing unescaped on the terminal. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../src/client/client.ts';
import { digestOf } from '../../src/digest.ts';
import { DATA_HEAD_BYTES } from '../../src/wire/frame.ts';
import type { Message } from '../../src/wire/messages.ts';
import { evilPack, Hostile, type Script } from './hostile.ts';
import { Rig, type Ran } from './rig.ts';
import { contents, failureOf, staged } from './traces.ts';

let rig: Rig;
let hostile: Hostile;

beforeAll(async () => {
  rig = await Rig.start({ join: false });
  hostile = await Hostile.start();
  const joined = await rig.run(['join', '--as', 'evil'], { input: hostile.ticket });
  expect(joined.code, joined.stderr).toBe(0);
  await mkdir(join(rig.local, 'target'));
  await writeFile(join(rig.local, 'victim'), 'mine');
});
afterAll(async () => {
  await hostile[Symbol.asyncDispose]();
  await rig[Symbol.asyncDispose]();
});
beforeEach(() => { hostile.names = {}; });

const folder: Message<'entry'> = { kind: 'entry', entry: { name: 'x', kind: 'folder', size: 0, mtime: 1, mode: 0o755 } };
const file = (size: number): Message<'entry'> => ({ kind: 'entry', entry: { name: 'x', kind: 'file', size, mtime: 1, mode: 0o6777 } });

/** Answers `stat` with what `there` says, and everything else with `then`. */
function pretending(there: Message<'entry'>, then: Script): Script {
  return (exchange, message, connection) => (message.kind === 'stat' ? exchange.say(there) : then(exchange, message, connection));
}

/** Runs a command and looks at the person's folder and terminal afterwards. */
async function attacked(script: Script, words: readonly string[] = ['get', ':x', 'target/x']): Promise<Ran> {
  hostile.script = script;
  const before = await contents(rig.folder);
  const ran = await rig.run(words);
  const after = await contents(rig.folder);
  for (const [name, what] of Object.entries(after)) {
    if (!name.startsWith('local/target')) expect([name, before[name]]).toEqual([name, what]);
    expect(Number.parseInt(what, 8) & 0o7000, `${name} ${what}`).toBe(0);
  }
  // Good bytes may rest for the next try; their digests decide then whether any are kept.
  for (const name of await staged(join(rig.local, 'target'))) expect(name).toMatch(/\.part$/);
  expect(ran.stdout + ran.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]|internal/);
  return ran;
}

const pack = (...records: Parameters<typeof evilPack>[0]): Script => pretending(folder, async (exchange) => {
  await exchange.batch(evilPack(records, digestOf));
  exchange.say({ kind: 'done' });
});

describe('a folder from a hostile server', () => {
  const NAMES = ['../victim', '/etc/victim', 'a/../../victim', '.wherry/x', '.WHERRY', 'x\u001b[2J', 'x\0y'];

  test.each(NAMES)('with a folder called %j in a pack puts nothing anywhere', async (name) => {
    const ran = await attacked(pack({ folder: name }, { file: 'victim', data: 'evil' }), ['get', ':x', 'target/named']);
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringMatching(/^get: x: the server told a name that is refused: [^\n]+\n$/)]);
  });

  test.each(NAMES)('with a file called %j in a pack puts nothing anywhere', async (name) => {
    const ran = await attacked(pack({ folder: '' }, { file: name, data: 'evil' }));
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringMatching(/^get: x: the server told a name that is refused: [^\n]+\n$/)]);
    expect(Object.keys(await contents(join(rig.local, 'target/x')).catch(() => ({})))).toEqual([]);
  });

  test.each(['../victim', '/etc/victim', '.wherry/part', 'x\u001b[2J'])('with a large file called %j asks for nothing and stores nothing', async (name) => {
    const asked: string[] = [];
    const ran = await attacked(pretending(folder, async (exchange, message) => {
      asked.push(message.kind);
      await exchange.batch(evilPack([{ folder: '' }], digestOf));
      await exchange.sayBulk({ kind: 'large', files: [{ name, kind: 'file', size: 1 << 20, mtime: 1, mode: 0o6777 }] }, 4096);
      exchange.say({ kind: 'done' });
    }));
    expect([ran.code, asked.includes('get')]).toEqual([3, false]);
  });

  test.each(['..', '../../local', '/etc'])('cannot change the mode of %j', async (path) => {
    const ran = await attacked(pretending(folder, async (exchange) => {
      await exchange.sayBulk({ kind: 'folders', folders: [{ path, mode: 0o777, mtime: 1 }] }, 4096);
      exchange.say({ kind: 'done' });
    }));
    expect(ran.code).not.toBe(0);
  });

  test('makes nothing set-user-id: modes of packs are refused, those of folders and large files are cut', async () => {
    const packed = await attacked(pack({ folder: '', mode: 0o755 }, { file: 'tool', data: '#!/bin/sh', mode: 0o6777 }));
    expect([packed.code === 0, packed.stderr]).toEqual([false, expect.stringContaining('mode')]);
    await attacked(pretending(folder, async (exchange) => {
      await exchange.batch(evilPack([{ folder: 'suid' }], digestOf));
      await exchange.sayBulk({ kind: 'folders', folders: [{ path: 'suid', mode: 0o7777, mtime: 1 }] }, 4096);
      exchange.say({ kind: 'done' });
    }));
    const large = await attacked(pretending(file(4), (exchange) => sendFile(exchange, 'evil', { mode: 0o6777 })), ['get', ':x', 'target/large']);
    expect(large.code, large.stderr).toBe(0);
  });

  test('with a digest that is not that of the bytes leaves the old file', async () => {
    await mkdir(join(rig.local, 'target/kept/x'), { recursive: true });
    await writeFile(join(rig.local, 'target/kept/x/f'), 'old');
    const ran = await attacked(pack({ folder: '' }, { file: 'f', data: 'evil', digest: new Uint8Array(32) }), ['get', ':x', 'target/kept']);
    expect([ran.code, ran.stderr]).toEqual([9, expect.stringMatching(/what arrived is not what was sent/)]);
    expect(await readFile(join(rig.local, 'target/kept/x/f'), 'utf8')).toBe('old');
  });
});

type Exchange = Parameters<Script>[0];

/** Sends a file in one piece, with what is wrong about it. */
async function sendFile(exchange: Exchange, text: string, wrong: { size?: number; mode?: number; offset?: number; commit?: number; digest?: Uint8Array } = {}): Promise<void> {
  const bytes = Buffer.from(text);
  exchange.say({ kind: 'offer', size: wrong.size ?? bytes.byteLength, mtime: 1, mode: wrong.mode ?? 0o644 });
  const frame = Buffer.concat([Buffer.alloc(DATA_HEAD_BYTES), bytes]);
  await exchange.room(bytes.byteLength + 8);
  exchange.data(frame, wrong.offset ?? 0, bytes.byteLength, () => {});
  exchange.say({ kind: 'commit', size: wrong.commit ?? bytes.byteLength, digest: wrong.digest ?? digestOf(bytes) });
}

describe('a file from a hostile server', () => {
  test.each<[string, Parameters<typeof sendFile>[2], number, RegExp]>([
    ['a digest that is not its own', { digest: new Uint8Array(32) }, 9, /digest/],
    ['more bytes than it said', { size: 2 }, 10, /grew/],
    ['fewer bytes than it says at the end', { commit: 9 }, 3, /bytes came/],
    ['bytes out of order', { offset: 5 }, 3, /out of order/],
  ])('with %s does not replace the old one', async (_, wrong, exit, message) => {
    await writeFile(join(rig.local, 'target/old'), 'old');
    const before = await contents(join(rig.local, 'target'));
    const ran = await attacked(pretending(file(4), (exchange) => sendFile(exchange, 'evil', wrong)), ['get', ':x', 'target/old']);
    expect([ran.code, ran.stderr]).toEqual([exit, expect.stringMatching(message)]);
    expect(await contents(join(rig.local, 'target'))).toEqual(before);
  });

  test('that claims bytes the client does not hold is refused', async () => {
    const ran = await attacked(pretending(file(4), async (exchange) => {
      exchange.say({ kind: 'offer', size: 1 << 30, mtime: 1, mode: 0o644 });
      await exchange.sayBulk({ kind: 'keep', offset: 0, length: 1 << 30 }, 32);
    }), ['get', ':x', 'target/y']);
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining('out of order')]);
  });

  test('whose bytes are not those it promised ends `cat` with 9', async () => {
    const ran = await attacked((exchange) => sendFile(exchange, 'evil', { digest: new Uint8Array(32) }), ['cat', ':x']);
    expect([ran.code, ran.stderr]).toEqual([9, expect.stringMatching(/^cat: .*digest/)]);
  });
});

describe('words of a hostile server', () => {
  test.each(['x\u001b[31mred', 'two\nlines', '../up', '/abs', '.wherry', 'rtl\u202etxt'])('a name like %j in a listing is not shown', async (name) => {
    const script: Script = async (exchange) => {
      await exchange.sayBulk({ kind: 'entries', entries: [{ name, kind: 'file', size: 1, mtime: 1, mode: 0o6777 }], unlisted: 0 }, 4096);
      exchange.say({ kind: 'done' });
    };
    for (const words of [['ls', ':'], ['find', ':']]) {
      const ran = await attacked(script, words);
      expect([ran.code, ran.stdout, ran.stderr]).toEqual([3, '', expect.stringMatching(/^(ls|find): .+\n$/)]);
    }
  });

  test('an error is one harmless line, whatever it says', async () => {
    const ran = await attacked((exchange) => {
      exchange.say({ kind: 'error', code: 'NOTFOUND', message: 'no\u001b[2J\r\nline', path: 'p\u0007', who: 'server', retry: false, hint: 'type\u009b2J\nrm -rf' });
    }, ['cat', ':x']);
    expect([ran.code, ran.stderr.split('\n').length]).toEqual([6, 2]);
  });

  test('what it calls itself and the account are harmless too', async () => {
    hostile.names = { agent: 'a\u001b[2J', account: 'b\u001b[2J\n', name: 'c\u001b[2J\n' };
    const ran = await rig.run(['join'], { input: hostile.ticket, env: { WHERRY_HOME: join(rig.folder, 'other') } });
    expect([ran.code, ran.stdout]).toEqual([0, expect.not.stringMatching(/\u001b/)]);
    const prompt = await rig.run(['connect', '--json'], { input: 'pwd\n' });
    expect(prompt.stdout + prompt.stderr).not.toContain('\u001b');
  });

  test('an answer to another question ends the connection', async () => {
    const ran = await attacked((_, message, connection) => {
      // Straight to the wire: the machine of a server refuses to say this.
      connection.write(Buffer.from([0, 0, 0, 0, 0x45, 1, 0, 0, 0, 0, 0, 1]));
      void message;
    }, ['ls', ':', '--json']);
    expect(failureOf(ran)).toMatchObject({ code: 'PROTOCOL', exit: 3, hint: expect.any(String) as string });
  });

  test.each([['4 GiB', Buffer.from([0xff, 0xff, 0xff, 0xff, 0x31, 1, 0, 0, 0, 0, 0, 1])], ['garbage', Buffer.alloc(4096, 0xa5)]])('%s is refused, and takes no memory', async (_, bytes) => {
    const ran = await attacked((exchange, message, connection) => { void [exchange, message]; connection.write(bytes); }, ['ls', ':', '--json']);
    expect(failureOf(ran)).toMatchObject({ code: 'PROTOCOL', exit: 3 });
  });

  test('a listing without an end is taken page by page, and ends when the reader has had enough', async () => {
    let pages = 0;
    hostile.script = async (exchange) => {
      const entries = Array.from({ length: 1000 }, (_, index) => ({ name: `file-${index}-${'x'.repeat(100)}`, kind: 'file' as const, size: 1, mtime: 1, mode: 0o644 }));
      for (;; pages += 1) await exchange.sayBulk({ kind: 'entries', entries, unlisted: 0 }, 256 << 10);
    };
    await using client = await connect({ home: rig.home });
    let read = 0;
    for await (const page of client.list('')) {
      read += page.entries.length;
      if (read >= 20_000) break;
    }
    expect(pages).toBeLessThan(20 + 2 * 128); // what was read, and what 16 MiB of credit allow beyond it
    const ran = await rig.run(['find', ':', '--deadline', '1s', '--quiet']);
    expect(ran.code).toBe(12);
  });

  test('a server that leaves in the middle is told as a lost connection', async () => {
    const ran = await attacked(pretending(file(1 << 20), (exchange, _, connection) => {
      exchange.say({ kind: 'offer', size: 1 << 20, mtime: 1, mode: 0o644 });
      connection.end(undefined);
    }), ['get', ':x', 'target/z', '--json']);
    expect(failureOf(ran)).toMatchObject({ code: 'LOST', exit: 11, retry: true, hint: expect.stringContaining('same command again') as string });
  });
});
