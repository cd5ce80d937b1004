/** What can lie in a served folder, and what can be sent as a path, beside ordinary names: odd spellings, bytes that are no text, pipes and devices, too much of everything. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connection } from '../../src/session/connection.ts';
import type { Request } from '../../src/session/rules.ts';
import { encodeMessage, MESSAGES, type Message } from '../../src/wire/messages.ts';
import { frame } from './hostile/answers.ts';
import { UNSAFE } from './hostile/stand.ts';
import { dialAs, pages, signIn } from './raw.ts';
import { Rig } from './rig.ts';
import { contents, events, expectAlive, failureOf, nothingStaged } from './traces.ts';

let rig: Rig;
beforeAll(async () => { rig = await Rig.start(); });
afterAll(async () => { await rig[Symbol.asyncDispose](); });

/** The code of the failure of a request, or the kind of its answer. */
async function outcome(connection: Connection, message: Message<Request>): Promise<string> {
  using exchange = connection.request(message);
  try {
    const received = await exchange.next();
    return received.kind === 'message' ? received.message.kind : received.kind;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const onPath: readonly ((path: string) => Message<Request>)[] = [
  (path) => ({ kind: 'stat', path }), (path) => ({ kind: 'list', path, deep: false }), (path) => ({ kind: 'get', path, basis: 0 }), (path) => ({ kind: 'hash', path, algorithm: 'blake3' }),
  (path) => ({ kind: 'usage', path }), (path) => ({ kind: 'getTree', path, exclude: [] }), (path) => ({ kind: 'setAttributes', path, mode: 0o777 }),
  (path) => ({ kind: 'put', path, size: 0, mtime: 0, mode: 0o644, level: 'visible', ifAbsent: false }), (path) => ({ kind: 'putTree', path, level: 'visible', ifAbsent: false }),
  (path) => ({ kind: 'makeFolder', path, parents: true }), (path) => ({ kind: 'remove', path, deep: true }), (path) => ({ kind: 'move', from: path, to: 'z', replace: true }), (path) => ({ kind: 'move', from: 'file', to: path, replace: true }),
];

test('A4: a file, a folder and links with anything behind them are no names, for every request', async () => {
  await using own = await Rig.start();
  mkdirSync(join(own.served, 'folder'));
  writeFileSync(join(own.served, 'file'), 'file');
  symlinkSync('..', join(own.served, 'up'));
  symlinkSync('file', join(own.served, 'link'));
  const before = await contents(own.served);
  const connection = await signIn(own);
  for (const name of ['file', 'folder', 'up', 'link']) {
    for (const tail of ['/', '//', '/.', '/..', '/./', '\0', '/\0']) {
      for (const request of onPath) expect(await outcome(connection, request(name + tail)), `${request(name).kind} ${name}${tail}`).toBe('BADNAME');
    }
  }
  await connection.drain(0);
  expect(await contents(own.served)).toEqual(before);
});

test('A4: a slash that a person types behind a name asks for a folder, and is no part of the name', async () => {
  mkdirSync(join(rig.served, 'a4/in'), { recursive: true });
  writeFileSync(join(rig.served, 'a4/file'), 'file');
  for (const tail of ['/', '//', '/.']) {
    expect((await rig.run(['ls', `:a4${tail}`])).stdout).toBe('file\nin/\n');
    expect(failureOf(await rig.run(['ls', `:a4/file${tail}`, '--json'])).code).toBe('NOTDIR');
  }
  expect((await rig.run(['rm', ':a4/in/'])).code).toBe(7);
  expect(readdirSync(join(rig.served, 'a4')).toSorted()).toEqual(['file', 'in']);
});

test('A5: names with each control character there is, and with what turns text, reach no terminal, no JSON and no log', async () => {
  await using own = await Rig.start();
  const codes = [...Array.from({ length: 0x9f }, (_, at) => at + 1), 0x2028, 0x2029, 0x202e, 0x2066, 0x200f].filter((code) => code < 0x20 || code > 0x7e);
  mkdirSync(join(own.served, 'odd'));
  for (const code of codes) writeFileSync(join(own.served, 'odd', `x${String.fromCodePoint(code)}[2J`), 'odd');
  for (const words of [['ls', '-lR', ':'], ['find', ':'], ['du', ':'], ['get', '-v', ':odd'], ['stat', ':odd'], ['rm', '-r', ':odd']]) {
    for (const more of [[], ['--json']]) {
      const ran = await own.run([...words, ...more]);
      expect(ran.stdout + ran.stderr, words.join(' ')).not.toMatch(UNSAFE);
      if (words[0] === 'find' && more.length > 0) expect(events<{ names: number }>(ran, 'unlisted')).toMatchObject([{ names: codes.length }]);
    }
  }
  expect(own.log.join('')).not.toMatch(UNSAFE);
  expect(own.log.length).toBeGreaterThan(5);
});

describe('A6: a path that is no text', () => {
  const BYTES: readonly (readonly [string, number[]])[] = [
    ['a byte that never begins a letter', [0x61, 0xff]], ['another one', [0x61, 0xfe]], ['half of a letter', [0xc3]], ['an overlong slash', [0x2e, 0x2e, 0xc0, 0xaf, 0x78]], ['overlong dots', [0xc0, 0xae, 0xc0, 0xae]],
    ['an overlong NUL', [0x78, 0xc0, 0x80]], ['half of a surrogate pair', [0xed, 0xa0, 0x80]], ['a letter beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
  ];

  test.each(BYTES)('%s ends the connection of whoever sends it, and names nothing', async (_, bytes) => {
    const { connection, closed } = await dialAs(rig);
    const request = connection.request({ kind: 'stat', path: 'none' }); // the next exchange is 3
    await request.next();
    const { type, fields } = MESSAGES.makeFolder;
    connection.write(frame(type, request.id + 2, Buffer.from([fields.path.number * 2 + 1, bytes.length, ...bytes, fields.parents.number * 2, 0])));
    expect(await closed).toMatchObject({ code: 'PROTOCOL', message: expect.stringMatching(/text that is not UTF-8/) as string });
    expect(readdirSync(rig.served).filter((name) => /[^\u0020-\u007e]/.test(name))).toEqual([]);
    await expectAlive(rig);
  });
});

test('A10: pipes and devices in the served folder hold nobody up, and are not read', async () => {
  await using own = await Rig.start();
  execFileSync('mkfifo', [join(own.served, 'pipe')]);
  const odd = ['pipe'];
  if (process.geteuid?.() === 0) {
    execFileSync('mknod', [join(own.served, 'zero'), 'c', '1', '5']);
    execFileSync('mknod', [join(own.served, 'full'), 'c', '1', '7']);
    odd.push('zero', 'full');
  }
  symlinkSync('/dev/zero', join(own.served, 'link'));
  const connection = await signIn(own);
  for (const path of [...odd, 'link']) {
    for (const request of [{ kind: 'get', path, basis: 0 }, { kind: 'hash', path, algorithm: 'blake3' }] as const) expect(await outcome(connection, request), path).toMatch(/^(?:UNSUPPORTED|DENIED)$/);
    for (const request of [{ kind: 'list', path, deep: true }, { kind: 'getTree', path, exclude: [] }] as const) expect(await outcome(connection, request), path).toMatch(/^(?:NOTDIR|DENIED)$/);
    expect(await outcome(connection, { kind: 'setAttributes', path, mode: 0o777 }), path).toMatch(/^(?:UNSUPPORTED|DENIED)$/);
    expect(await outcome(connection, { kind: 'put', path: `${path}/x`, size: 0, mtime: 0, mode: 0o644, level: 'visible', ifAbsent: false }), path).toMatch(/^(?:NOTDIR|DENIED)$/);
  }
  await connection.drain(0);
  const got = await own.run(['get', ':', 'all']);
  expect([got.code, got.stdout]).toEqual([0, expect.stringMatching(/skipped/)]);
  await expectAlive(own);
});

describe('A12: too much', () => {
  test.each([['10,000 folders deep', `${'d/'.repeat(9_999)}d`], ['of 64 KiB', 'n'.repeat(64 << 10)], ['of 4,097 bytes', 'n'.repeat(4097)], ['of 500,000 bytes', 'n'.repeat(500_000)]])('a path %s is refused before anything is made of it', async (_, path) => {
    // Of its own: who breaks the protocol so often is banned in the end.
    await using own = await Rig.start();
    for (const request of onPath) {
      const { connection, closed } = await dialAs(own);
      connection.write(encodeMessage(1, request(path)));
      expect(await closed).toMatchObject({ code: 'PROTOCOL', message: expect.stringMatching(/bytes where at most 4096 are allowed/) as string });
    }
    await expectAlive(own);
  });

  test('a folder of 50,000 names is listed page by page, and all of it', async () => {
    await using own = await Rig.start();
    for (let number = 0; number < 50_000; number += 1) writeFileSync(join(own.served, `file-${number}`), '');
    const connection = await signIn(own);
    using exchange = connection.request({ kind: 'list', path: '', deep: false });
    const names = new Set<string>();
    for await (const page of pages(exchange)) for (const name of page) names.add(name);
    expect(names.size).toBe(50_000);
    await connection.drain(0);
    await nothingStaged(own.served);
  });
});
