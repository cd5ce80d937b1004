import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { createKey } from '../../src/identity.ts';
import { selfSigned } from '../../src/server/certificate.ts';
import { Inlet, type Reader } from '../../src/session/inlet.ts';
import { pair } from './link.ts';

const open: { destroy(): unknown }[] = [];
afterEach(() => { for (const socket of open.splice(0)) socket.destroy(); });

/** A TLS connection: the side that opened it, and the one that was accepted, which `accept` sees before anything is read. */
async function secured(accept: (socket: TLSSocket) => void): Promise<{ near: TLSSocket; far: TLSSocket }> {
  const key = createKey();
  const server = createServer({ key: key.export({ type: 'pkcs8', format: 'pem' }), cert: selfSigned(key, { name: 'test', hosts: [] }) });
  const accepted = new Promise<TLSSocket>((resolve) => { server.on('secureConnection', (socket) => { accept(socket); resolve(socket); }); });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const near = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', rejectUnauthorized: false });
  const far = await accepted;
  open.push(near, far, { destroy: () => server.close() });
  return { near, far };
}

/** A reader that has no place of its own for what comes. */
function reading(receive: (chunk: Uint8Array) => void): Reader {
  return { receive, landing: () => undefined };
}

/** All that comes until the end, and the largest piece of it. */
function collect(inlet: Inlet, socket: Socket): Promise<{ digest: string; bytes: number; largest: number }> {
  const hash = createHash('sha256');
  let [bytes, largest] = [0, 0];
  inlet.listen(reading((chunk) => {
    hash.update(chunk);
    bytes += chunk.byteLength;
    largest = Math.max(largest, chunk.byteLength);
  }));
  return new Promise((resolve) => { socket.once('end', () => resolve({ digest: hash.digest('hex'), bytes, largest })); });
}

describe('an accepted socket', () => {
  test('is taken over on this Node, and gives all bytes and the end', async () => {
    const inlet = new Inlet();
    let taken = false;
    const { near, far } = await secured((socket) => { taken = inlet.takeOver(socket); });
    expect(taken).toBe(true);
    const sent = randomBytes(3_000_017);
    const all = collect(inlet, far);
    near.end(sent);
    expect(await all).toEqual({ digest: createHash('sha256').update(sent).digest('hex'), bytes: sent.byteLength, largest: 16 << 10 });
  });

  test('that is paused takes no more than what was read already, and goes on when it is resumed', async () => {
    const inlet = new Inlet();
    const { near, far } = await secured((socket) => { inlet.takeOver(socket); });
    let bytes = 0;
    const paused = new Promise<void>((resolve) => {
      inlet.listen(reading((chunk) => {
        bytes += chunk.byteLength;
        if (bytes === chunk.byteLength) { far.pause(); resolve(); }
      }));
    });
    const size = 64 << 20; // more than the sockets of both sides hold
    near.write(Buffer.alloc(size));
    await paused;
    // When what was written cannot be taken any more, the writing side has nothing left to do but wait.
    for (let before = -1; before !== near.bytesWritten + bytes;) {
      before = near.bytesWritten + bytes;
      for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => { setImmediate(resolve); });
    }
    expect(bytes).toBeLessThanOrEqual(256 << 10);
    expect(near.writableLength).toBeGreaterThan(0);
    far.resume();
    const ended = once(far, 'end');
    near.end();
    await ended;
    expect(bytes).toBe(size);
  });

  test('puts what comes where its reader wants it', async () => {
    const inlet = new Inlet();
    const { near, far } = await secured((socket) => { inlet.takeOver(socket); });
    const sent = randomBytes(1_000_003);
    const whole = Buffer.alloc(sent.byteLength);
    let [filled, landed] = [0, 0];
    inlet.listen({
      landing: () => (filled === whole.byteLength ? undefined : whole.subarray(filled)),
      receive: (chunk) => {
        // The first bytes came where nobody had named a place yet.
        if (chunk.buffer === whole.buffer && chunk.byteOffset === whole.byteOffset + filled) landed += chunk.byteLength;
        else whole.set(chunk, filled);
        filled += chunk.byteLength;
      },
    });
    near.end(sent);
    await once(far, 'end');
    expect([filled, whole.equals(sent)]).toEqual([sent.byteLength, true]);
    expect(landed).toBeGreaterThan(sent.byteLength - 2 * (16 << 10));
  });

  test('of which something was read already is left as it is', async () => {
    const { near, far } = await pair();
    open.push(near, far);
    near.write('early');
    await once(far, 'readable');
    expect(new Inlet().takeOver(far)).toBe(false);
    expect(String(far.read())).toBe('early');
  });
});

test('an object that is not a socket of this Node is left as it is', () => {
  const stranger = Object.freeze({ readableLength: 0 }) as unknown as Socket;
  expect(new Inlet().takeOver(stranger)).toBe(false);
});

test('what comes before somebody listens is kept', () => {
  const inlet = new Inlet();
  const heard: string[] = [];
  const buffer = Buffer.from(inlet.onread.buffer().buffer);
  buffer.write('first');
  inlet.onread.callback(5, buffer);
  buffer.write('other');
  inlet.listen(reading((chunk) => { heard.push(Buffer.from(chunk).toString()); }));
  expect(heard).toEqual(['first']);
});
