/**
 * The native door of a real server, over real TLS, in every state a peer can be in: whatever bytes come, whoever sent them is told
 * PROTOCOL (or what their words deserve) or is hung up on, the server is the same process, and it serves others as before.
 *
 * Each round is made from a seed, which a failure names; `WHERRY_FUZZ_SEED` repeats the rounds of one, `WHERRY_FUZZ_ROUNDS` makes more.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openHome } from '../../src/client/trust.ts';
import { EXPORTER_BYTES, EXPORTER_LABEL, pinOf, publicBytes, signProof } from '../../src/identity.ts';
import { FrameDecoder, GREASE, HEADER_BYTES, MAX_BODY, writeHeader } from '../../src/wire/frame.ts';
import { decodeMessage, encodeMessage, kindOf, type Message, VERSION } from '../../src/wire/messages.ts';
import { placeOf, shake } from '../e2e/raw.ts';
import { Rig } from '../e2e/rig.ts';
import { expectAlive, staged } from '../e2e/traces.ts';
import { noise } from '../e2e/trees.ts';
import { anyMessage } from '../wire/arbitraries.ts';

const SEED = Number(process.env['WHERRY_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const ROUNDS = Number(process.env['WHERRY_FUZZ_ROUNDS'] ?? 8);
/** At the same time: a server serves others meanwhile. */
const AT_ONCE = 8;

let folder: string;
let rig: Rig;
let device: Awaited<ReturnType<Awaited<ReturnType<typeof openHome>>['deviceKey']>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-fuzz-'));
  await writeFile(join(folder, 'server.toml'), 'ticket = "rw"\n[bans]\nnever = ["127.0.0.0/8"]\n[limits]\nmax_unauthenticated_per_address = 1000\nstrangers_at_once = 100000\nhandshake = "1s"\n');
  rig = await Rig.start({ serve: ['--config', join(folder, 'server.toml')] });
  device = await (await openHome(rig.home)).deviceKey();
  await writeFile(join(rig.served, 'file'), noise(4 << 20));
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const HELLO = encodeMessage(0, { kind: 'hello', version: VERSION, agent: 'fuzz', maxBody: MAX_BODY, credit: 2 << 20 });

/** A socket in a state, and all that was said to it. */
interface Peer { readonly socket: Socket; readonly heard: Buffer[] }

async function signedIn(): Promise<Peer> {
  const socket = await shake(rig);
  const peer = listening(socket);
  const exporter = new Uint8Array(socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0)));
  const serverPin = pinOf(socket.getPeerX509Certificate()!);
  socket.write(Buffer.concat([HELLO, encodeMessage(0, { kind: 'auth', method: 'device', key: publicBytes(device), signature: signProof(device, { kind: 'device', exporter, serverPin }) })]));
  while (!said(peer.heard).some(({ kind }) => kind === 'ready')) await once(socket, 'data');
  return peer;
}

function listening(socket: Socket): Peer {
  const heard: Buffer[] = [];
  socket.on('error', () => {}).on('data', (chunk: Buffer) => heard.push(chunk));
  return { socket, heard };
}

async function busyWith(request: Message<'get' | 'put' | 'getTree'>): Promise<Peer> {
  const peer = await signedIn();
  const before = said(peer.heard).length;
  peer.socket.write(encodeMessage(1, request));
  while (said(peer.heard).length === before) await once(peer.socket, 'data');
  return peer;
}

const STATES: Readonly<Record<string, () => Promise<Peer>>> = {
  'before TLS': async () => {
    const peer = listening(connectTcp(placeOf(rig)));
    await once(peer.socket, 'connect');
    return peer;
  },
  'before the greeting': async () => listening(await shake(rig)),
  'before the proof': async () => {
    const peer = listening(await shake(rig));
    peer.socket.write(HELLO);
    return peer;
  },
  'signed in': signedIn,
  'while a file is fetched': () => busyWith({ kind: 'get', path: 'file', basis: 0 }),
  'while a file is sent': () => busyWith({ kind: 'put', path: 'sent', size: 1 << 20, mtime: 0, mode: 0o644, level: 'visible', ifAbsent: false }),
  'while a folder is fetched': () => busyWith({ kind: 'getTree', path: '', exclude: [] }),
};

/** The messages in what was heard; what is not whole yet is left out. */
function said(heard: readonly Buffer[]): Message[] {
  const decoder = new FrameDecoder();
  decoder.limit = MAX_BODY;
  return decoder.push(Buffer.concat(heard)).flatMap((event) => {
    if (event.kind !== 'frame' || event.header.type === GREASE) return [];
    const kind = kindOf(event.header.type);
    return kind === undefined ? [] : [decodeMessage(kind, event.body)];
  });
}

const exchange = fc.oneof(fc.constantFrom(0, 1, 2, 3, 5, 0xffff_ffff), fc.nat(300));
const valid = fc.tuple(exchange, anyMessage).map(([id, message]) => encodeMessage(id, message));
const frames = fc.array(valid, { minLength: 1, maxLength: 12 }).map((all) => Buffer.concat(all));
const header = fc.tuple(fc.nat(255), exchange, fc.constantFrom(0, 1, 8, 64 << 10, MAX_BODY, MAX_BODY + 1, 2 ** 31, 2 ** 32 - 1), fc.uint8Array({ maxLength: 200 })).map(([type, id, length, body]) => {
  const bytes = Buffer.alloc(HEADER_BYTES);
  writeHeader(bytes, type, id, length);
  return Buffer.concat([bytes, body]);
});

const ATTACKS: Readonly<Record<string, fc.Arbitrary<Buffer>>> = {
  'random bytes': fc.uint8Array({ minLength: 1, maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
  'valid messages in any order': frames,
  'a frame that is cut, and others behind it': fc.tuple(frames, fc.nat(), frames).map(([first, at, second]) => Buffer.concat([first.subarray(0, at % first.byteLength), second])),
  'headers that promise anything': header,
};

/** What happens to whoever says this; resolves when the server has hung up. */
async function outcome(state: string, bytes: Uint8Array): Promise<string[]> {
  const { socket, heard } = await STATES[state]!();
  const begin = said(heard).length;
  const closed = new Promise((resolve) => { socket.once('close', resolve); });
  socket.end(bytes);
  await closed;
  if (state === 'before TLS') return [];
  return said(heard).slice(begin).flatMap((message) => (message.kind === 'error' ? [message.code] : []));
}

const resident = (): number => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${rig.server!.pid}/status`, 'utf8'))?.[1]) * 1024;

describe.each(Object.keys(STATES))('D11: %s', (state) => {
  test.each(Object.keys(ATTACKS))('%s: whoever says so is answered and hung up on, and nobody else notices', async (attack) => {
    const name = `WHERRY_FUZZ_SEED=${SEED}`;
    const all = fc.sample(ATTACKS[attack]!, { seed: SEED + Object.keys(STATES).indexOf(state), numRuns: ROUNDS });
    for (let at = 0; at < all.length; at += AT_ONCE) {
      const codes = await Promise.all(all.slice(at, at + AT_ONCE).map((bytes) => outcome(state, bytes)));
      expect(codes.flat().filter((code) => code === 'INTERNAL'), name).toEqual([]);
    }
    expect([rig.server!.exitCode, rig.server!.signalCode], name).toEqual([null, null]);
    expect(rig.log.filter((line) => line.includes('a mistake in Wherry')), name).toEqual([]);
  });

  test.skipIf(state === 'before TLS')('a frame longer than any is answered with PROTOCOL, by a server that hangs up first', async () => {
    const { socket, heard } = await STATES[state]!();
    const bytes = Buffer.alloc(HEADER_BYTES);
    writeHeader(bytes, 1, 0, 2 ** 32 - 1);
    const closed = new Promise((resolve) => { socket.once('close', resolve); });
    socket.write(bytes);
    await closed;
    const codes = said(heard).flatMap((message) => (message.kind === 'error' ? [message.code] : []));
    // Who has not even greeted may be told nothing.
    expect(codes).toEqual(state === 'before the greeting' ? expect.toSatisfy((some: string[]) => some.every((code) => code === 'PROTOCOL')) : ['PROTOCOL']);
  });
});

test.runIf(process.platform === 'linux')('the server has not grown by 128 MiB, leaves nothing open in the stage, and answers a client', async () => {
  const before = resident();
  for (const state of ['before the greeting', 'signed in']) for (const bytes of fc.sample(frames, { seed: SEED, numRuns: 40 })) await outcome(state, bytes);
  expect(resident() - before, `WHERRY_FUZZ_SEED=${SEED}`).toBeLessThan(128 << 20);
  for (const name of await staged(rig.served)) expect(name).toMatch(/\.part$/);
  await expectAlive(rig);
});
