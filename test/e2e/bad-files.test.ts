/** D5: a server that may open 256 files, and more connections than that: some are refused, nothing ends, and what was begun is finished. */
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Client } from '../../src/client/api.ts';
import { connect } from '../../src/client/client.ts';
import { bytes, MIB } from './feed.ts';
import { logged } from './neighbour.ts';
import { placeOf } from './raw.ts';
import { Rig } from './rig.ts';
import { expectAlive, staged, until } from './traces.ts';

const FILES = 256;
const WHOLE = bytes(2 * MIB);

let rig: Rig;
let clients: Client[];
let sockets: Socket[];
beforeEach(() => { [clients, sockets] = [[], []]; });
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(clients.map((client) => client.close()));
  await rig[Symbol.asyncDispose]();
});

async function connected(count: number): Promise<Client[]> {
  const more: Client[] = [];
  for (let one = 0; one < count; one += 1) more.push(await connect({ home: rig.home }));
  clients.push(...more);
  return more;
}

/** A file of which the second half comes when `rest` resolves. */
async function* halves(rest: Promise<void>): AsyncGenerator<Uint8Array> {
  yield WHOLE.subarray(0, MIB);
  await rest;
  yield WHOLE.subarray(MIB);
}

/** Connections from several addresses that begin a handshake and leave it at that. */
async function crowd(count: number): Promise<void> {
  for (let one = 0; one < count; one += 1) {
    const socket = connectTcp({ ...placeOf(rig), localAddress: `127.0.0.${10 + (one % 4)}` }).on('error', () => {}).resume();
    sockets.push(socket);
    socket.once('connect', () => socket.write(Buffer.from([0x16])));
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
  }
}

test.each([['one process', []], ['workers', ['--workers', '2']]])('D5: 500 connections at 256 files, in %s: some are refused, and every file that was begun or asked for meanwhile is stored', async (_, serve) => {
  rig = await Rig.start({ under: ['prlimit', `--nofile=${FILES}:${FILES}`], serve });
  expect(logged(rig, 'warning').map(({ message }) => message)).toContainEqual(expect.stringContaining('at most 192 connections, not 1000'));
  const [early, late] = [await connected(20), await connected(20)];
  let goOn = (): void => {};
  const rest = new Promise<void>((resolve) => { goOn = resolve; });
  const begun = early.map((client, at) => client.putStream(halves(rest), `early-${at}`));
  await until(async () => (await staged(rig.served)).length === begun.length);
  await crowd(500);
  await until(() => logged(rig, 'refused').some(({ code }) => code === 'LIMIT'));
  const meanwhile = late.map((client, at) => client.putStream(halves(Promise.resolve()), `late-${at}`));
  expect((await readdir(`/proc/${rig.server!.pid}/fd`)).length).toBeLessThan(FILES);
  goOn();
  for (const item of await Promise.all([...begun, ...meanwhile])) expect(item).toMatchObject({ failure: undefined, bytes: WHOLE.byteLength });
  const names = (await readdir(rig.served)).filter((name) => name !== '.wherry');
  expect(names).toHaveLength(40);
  for (const name of names) expect((await readFile(join(rig.served, name))).equals(WHOLE), name).toBe(true);
  for (const socket of sockets) socket.destroy();
  await expectAlive(rig);
  expect(rig.log.join('\n')).not.toMatch(/EMFILE|internal error/);
  expect(logged(rig, 'worker-ended')).toEqual([]);
});

test('D5: requests beyond the files that one connection may have open wait for their turn, and all are answered', async () => {
  rig = await Rig.start({ under: ['prlimit', `--nofile=${FILES}:${FILES}`] });
  const [client] = await connected(1);
  await client!.putStream(halves(Promise.resolve()), 'file');
  const digests = await Promise.all(Array.from({ length: 200 }, () => client!.hash('file')));
  expect(new Set(digests.map((digest) => JSON.stringify(digest))).size).toBe(1);
});
