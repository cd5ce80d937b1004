/**
 * Two machines in one network, as network namespaces of this one: a code is found by multicast DNS, and only while it is open.
 * Skipped where namespaces cannot be made: that needs root and iproute2.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn, type ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ran, finished, MAIN } from '../e2e/rig.ts';

const [NEAR, FAR, LINK] = [`wh-near-${process.pid}`, `wh-far-${process.pid}`, `wh${process.pid}`];

const ip = (line: string): void => { execFileSync('ip', line.split(' '), { stdio: 'ignore' }); };

/** Two namespaces with a cable between them; a second cable, that of a container, has no other end that listens. */
function connected(): boolean {
  try {
    for (const name of [NEAR, FAR]) ip(`netns add ${name}`);
    ip(`link add ${LINK}a type veth peer name ${LINK}b`);
    for (const [name, end, host] of [[NEAR, `${LINK}a`, 1], [FAR, `${LINK}b`, 2]] as const) {
      ip(`link set ${end} netns ${name}`);
      ip(`-n ${name} link set ${end} name eth0`);
      ip(`-n ${name} addr add 10.77.0.${host}/24 dev eth0`);
      for (const link of ['eth0', 'lo']) ip(`-n ${name} link set ${link} up`);
    }
    return true;
  } catch {
    disconnect();
    return false;
  }
}

function disconnect(): void {
  for (const name of [NEAR, FAR]) {
    try { ip(`netns del ${name}`); } catch { /* was never made */ }
  }
}

const possible = connected();

describe.skipIf(!possible)('a code in the local network', () => {
  let folder: string;
  let server: ChildProcess;
  let spoken: string;
  const events: Record<string, unknown>[] = [];

  const inside = (name: string, words: readonly string[], home: string): ChildProcess =>
    spawn('ip', ['netns', 'exec', name, process.execPath, MAIN, ...words], { env: { PATH: process.env['PATH'], HOME: folder, WHERRY_HOME: join(folder, home) }, stdio: ['ignore', 'pipe', 'pipe'] });
  const run = (words: readonly string[], home: string): Promise<Ran> => finished(inside(FAR, words, home));

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wherry-nearby-'));
    await mkdir(join(folder, 'served'));
    server = inside(NEAR, ['serve', join(folder, 'served'), '--state', join(folder, 'state'), '--code', '--json'], 'server');
    spoken = await new Promise((done) => {
      createInterface({ input: server.stdout! }).on('line', (line) => {
        const event = JSON.parse(line) as Record<string, unknown>;
        events.push(event);
        if (event['event'] === 'listening') done(String(event['spoken']));
      });
    });
  });

  afterAll(async () => {
    const ended = once(server, 'exit');
    server.kill();
    await ended;
    disconnect();
    await rm(folder, { recursive: true });
  });

  test('is not found by another number', async () => {
    const number = Number.parseInt(spoken, 10) === 7 ? 8 : 7;
    const { code, stdout } = await run(['join', `${number}-crater-lantern`, '--json'], 'stranger');
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ code: 'CONNECT', message: `no server with an open code of number ${number} answers on this network` });
  });

  test('joins the server from another machine, which reaches it from then on', async () => {
    const joined = await run(['join', spoken, '--json'], 'device');
    expect(joined).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(joined.stdout)).toMatchObject({ event: 'joined', address: '10.77.0.1:9437', fingerprint: events[0]!['fingerprint'] });
    expect((await run(['ls', ':'], 'device')).code).toBe(0);
  });

  test('is found no more when it was used', async () => {
    const { code, stdout } = await run(['join', spoken, '--json'], 'late');
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ code: 'CONNECT' });
  });
});
