/** What answers is not the server that was joined, or nobody answers: nothing is said to it, and the person is told which. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dial } from '../../src/client/dial.ts';
import { ready } from '../../src/digest.ts';
import { createKey, publicBytes, signProof } from '../../src/identity.ts';
import { selfSigned } from '../../src/server/certificate.ts';
import { ALPN } from '../../src/wire/messages.ts';
import { placeOf } from './raw.ts';
import { finished, Rig } from './rig.ts';
import { contents, failureOf } from './traces.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
  await writeFile(join(rig.local, 'secret.txt'), 'secret');
  await rig.stop();
});
afterAll(async () => { await rig[Symbol.asyncDispose](); });

/** Something else at the address of the rig's server, which is stopped, while `test` runs. */
async function instead(server: Server, test: () => Promise<void>): Promise<void> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => { sockets.add(socket.on('error', () => {})); });
  server.listen({ ...placeOf(rig) });
  await once(server, 'listening');
  try {
    await test();
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  }
}

function tlsServer(alpn: string | undefined, heard: (bytes: Buffer) => void = () => {}): Server {
  const key = createKey();
  const server = createTlsServer({ key: key.export({ type: 'pkcs8', format: 'pem' }), cert: selfSigned(key, { name: 'other', hosts: ['localhost'] }), ...(alpn !== undefined && { ALPNProtocols: [alpn] }) });
  server.on('secureConnection', (socket) => socket.on('error', () => {}).on('data', heard));
  server.on('tlsClientError', () => {});
  return server;
}

describe('at the address of the server', () => {
  test('nothing listens: exit 3, and what to check', async () => {
    const told = failureOf(await rig.run(['put', 'secret.txt', ':', '--json']));
    expect(told).toMatchObject({ code: 'CONNECT', exit: 3, who: 'network', retry: true });
    expect(told.message).toBe(`cannot connect to ${rig.listening.address}: nothing listens there`);
    expect(told.hint).toContain('wherry serve');
  });

  const others: readonly [string, () => Server, number, string, RegExp][] = [
    ['a server that says everything back', () => createServer((socket) => socket.pipe(socket)), 3, 'PROTOCOL', /something other than a Wherry server/],
    ['a web server', () => createHttpServer((_, answer) => answer.end('hello')), 3, 'PROTOCOL', /something other than a Wherry server/],
    ['a server that hangs up', () => createServer((socket) => socket.end()), 3, 'CONNECT', /^the server at 127\.0\.0\.1:\d+ closed the connection before it answered$/],
    ['a server that hangs up at the first word', () => createServer((socket) => socket.once('data', () => socket.resetAndDestroy())), 3, 'CONNECT', /closed the connection before it answered$/],
    ['a server that talks first', () => createServer((socket) => socket.write('220 ready\r\n')), 3, 'PROTOCOL', /something other than a Wherry server/],
    ['TLS with another protocol', () => tlsServer('h2'), 3, 'PROTOCOL', /something other than a Wherry server/],
    ['TLS without a protocol', () => tlsServer(undefined), 3, 'PROTOCOL', /something other than a Wherry server/],
  ];

  test.each(others)('%s answers', async (_, make, exit, code, message) => {
    await instead(make(), async () => {
      const ran = await rig.run(['put', 'secret.txt', ':', '--json']);
      const told = failureOf(ran);
      expect([ran.code, told.code, told.who, told.retry]).toEqual([exit, code, 'network', code === 'CONNECT']);
      expect(told.message).toMatch(message);
      expect(told.hint).toContain('wherry serve');
    });
  });

  test('the right protocol with another key answers: exit 4, and it hears nothing', async () => {
    let heard = 0;
    await instead(tlsServer(ALPN, (bytes) => { heard += bytes.byteLength; }), async () => {
      for (const words of [['put', 'secret.txt', ':'], ['ls', ':'], ['connect']]) {
        const ran = await rig.run([...words, '--json']);
        const told = failureOf(ran);
        expect([ran.code, told.code, told.retry]).toEqual([4, 'IDENTITY', false]);
        expect(told.message).toMatch(/has another key than the one that was joined: its fingerprint is sha256:/);
        expect(told.hint).toMatch(/ask its owner/);
      }
    });
    expect(heard).toBe(0);
  });

  test('the same server set up anew answers: exit 4, nothing is sent', async () => {
    await rename(rig.state, `${rig.state}-away`);
    await rig.serve();
    const ran = await rig.run(['put', 'secret.txt', ':', '--json']);
    expect([ran.code, failureOf(ran).code]).toEqual([4, 'IDENTITY']);
    expect(await contents(rig.served)).toEqual({});
    await rig.stop();
  });
});

describe('a server that is silent', () => {
  const key = createKey();
  const attempt = (connectMs: number, signInMs: number) => dial({
    addresses: [placeOf(rig)], pin: new Uint8Array(0), limits: { connectMs, signInMs },
    prove: (exporter, serverPin) => ({ kind: 'auth', method: 'device', key: publicBytes(key), signature: signProof(key, { kind: 'device', exporter, serverPin }) }),
  });

  test('before TLS is given up after a while', async () => {
    await ready();
    await instead(createServer(() => {}), async () => {
      await expect(attempt(200, 10_000)).rejects.toMatchObject({ code: 'CONNECT', message: `no answer from ${rig.listening.address} within 0.2 s`, hint: 'check the address, and firewalls in between' });
    });
  });

  test('after TLS is given up after a while', async () => {
    await instead(tlsServer(ALPN), async () => {
      await expect(attempt(10_000, 200)).rejects.toMatchObject({ code: 'CONNECT', message: `the server at ${rig.listening.address} does not answer`, hint: 'try again; the log of the server says why' });
    });
  });

  test('is left at once by ^C: exit 130', async () => {
    let met: () => void = () => {};
    const connected = new Promise<void>((resolve) => { met = resolve; });
    await instead(createServer(() => met()), async () => {
      const child = rig.spawn(['put', 'secret.txt', ':', '--json']);
      const over = finished(child);
      await connected;
      child.kill('SIGINT');
      const ran = await over;
      expect([ran.code, failureOf(ran)]).toEqual([130, expect.objectContaining({ code: 'CANCELLED', exit: 130, message: 'interrupted' })]);
    });
  });

  test('is left at the deadline that was asked for', async () => {
    await instead(createServer(() => {}), async () => {
      const ran = await rig.run(['ls', ':', '--json', '--deadline', '300ms']);
      expect([ran.code, failureOf(ran).code]).toEqual([12, 'DEADLINE']);
    });
  });
});
