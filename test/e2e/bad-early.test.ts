/** E3: requests that come before somebody is signed in, or behind a proof that is wrong: nothing is done, and nothing is told. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createKey, publicBytes } from '../../src/identity.ts';
import type { Request } from '../../src/session/rules.ts';
import { FrameDecoder, GREASE, MAX_BODY } from '../../src/wire/frame.ts';
import { decodeMessage, encodeMessage, kindOf, VERSION, type Message } from '../../src/wire/messages.ts';
import { shake } from './raw.ts';
import { Rig } from './rig.ts';
import { contents, expectAlive, staged } from './traces.ts';
import { closed } from '../closed.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
  await writeFile(join(rig.served, 'secret-name'), 'secret content');
});
afterAll(async () => { await rig[Symbol.asyncDispose](); });

const HELLO = encodeMessage(0, { kind: 'hello', version: VERSION, agent: 'early', maxBody: 1 << 20, credit: 0x7fff_ffff });
const WRONG = encodeMessage(0, { kind: 'auth', method: 'device', key: publicBytes(createKey()), signature: new Uint8Array(64) });
const key = new Uint8Array(16);
const path = 'secret-name';

/** One of each: the compiler asks for those that are added. */
const REQUESTS: { readonly [R in Request]: Message<R> } = {
  stat: { kind: 'stat', path },
  list: { kind: 'list', path: '', deep: true },
  makeFolder: { kind: 'makeFolder', path: 'made', parents: true },
  remove: { kind: 'remove', path, deep: true },
  undo: { kind: 'undo', redo: false, force: true, rehearse: false, action: new Uint8Array(8) },
  move: { kind: 'move', from: path, to: 'moved', replace: true },
  setAttributes: { kind: 'setAttributes', path, mode: 0o600, mtime: 1 },
  usage: { kind: 'usage', path: '' },
  space: { kind: 'space' },
  hash: { kind: 'hash', path, algorithm: 'sha256' },
  measure: { kind: 'measure', what: 'disk', bytes: 1 << 20, milliseconds: 100 },
  put: { kind: 'put', path: 'put', mtime: 0, mode: 0o644, level: 'durable', ifAbsent: false },
  get: { kind: 'get', path, basis: 0 },
  putLane: { kind: 'putLane', key },
  getLane: { kind: 'getLane', key },
  putTree: { kind: 'putTree', path: 'tree', level: 'durable', ifAbsent: false },
  getTree: { kind: 'getTree', path: '', exclude: [] },
};

/** What a server says to these bytes, until it hangs up. */
async function answerTo(bytes: Uint8Array): Promise<{ said: string[]; raw: Buffer }> {
  const socket = await shake(rig);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(bytes);
  await closed(socket);
  const decoder = new FrameDecoder();
  decoder.limit = MAX_BODY;
  const raw = Buffer.concat(chunks);
  const said = decoder.push(raw).map((event) => {
    if (event.kind !== 'frame') return event.kind;
    if (event.header.type === GREASE) return 'grease';
    const message = decodeMessage(kindOf(event.header.type)!, event.body);
    return `${message.kind}${message.kind === 'error' ? ` ${message.code}` : ''} on ${event.header.exchange}`;
  });
  return { said, raw };
}

describe.each(Object.entries(REQUESTS))('E3: %s', (_, request) => {
  test.each([
    ['before the greeting', [], 'error PROTOCOL on 0'],
    ['before the proof', [HELLO], 'error PROTOCOL on 0'],
    ['behind a proof that is wrong', [HELLO, WRONG], 'error AUTH on 0'],
  ])('%s does nothing and tells nothing', async (_when, first, error) => {
    const before = await contents(rig.served);
    const { said, raw } = await answerTo(Buffer.concat([...first, encodeMessage(1, request), encodeMessage(3, REQUESTS.stat)]));
    // A server that has heard no greeting may say nothing at all.
    expect(said.filter((word) => word !== 'hello on 0' && word !== 'grease')).toEqual(first.length === 0 ? expect.toSatisfy((all: string[]) => all.every((word) => word === error)) : [error]);
    expect(raw.includes('secret')).toBe(false);
    expect(await contents(rig.served)).toEqual(before);
    expect(await staged(rig.served)).toEqual([]);
  });
});

test('E3: all of them at once behind a proof that is wrong do nothing, and the log has no action', async () => {
  const before = await contents(rig.served);
  const all = Object.values(REQUESTS).map((request, index) => encodeMessage(2 * index + 1, request));
  const { said } = await answerTo(Buffer.concat([HELLO, WRONG, ...all]));
  expect(said.at(-1)).toBe('error AUTH on 0');
  expect(await contents(rig.served)).toEqual(before);
  expect(rig.log.filter((line) => line.includes('"action"'))).toEqual([]);
  await expectAlive(rig);
});
