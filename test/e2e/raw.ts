/** The pieces of a client, taken apart: a connection that says what no real client would, with or without signing in. */
import { once } from 'node:events';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { dial, type Dialled } from '../../src/client/dial.ts';
import { openHome } from '../../src/client/trust.ts';
import { ready } from '../../src/digest.ts';
import { parseFingerprint, publicBytes, signProof } from '../../src/identity.ts';
import { Budget } from '../../src/session/budget.ts';
import type { Connection } from '../../src/session/connection.ts';
import type { Exchange } from '../../src/session/exchange.ts';
import { parseToken, tokenKey } from '../../src/token.ts';
import { ALPN } from '../../src/wire/messages.ts';
import type { Rig } from './rig.ts';

/** Where the rig's server listens. */
export function placeOf({ listening }: Rig): { host: string; port: number } {
  const cut = listening.address.lastIndexOf(':');
  return { host: listening.address.slice(0, cut), port: Number(listening.address.slice(cut + 1)) };
}

/** A connection that is signed in as the rig's device. */
export async function signIn(rig: Rig): Promise<Connection> {
  return (await dialAs(rig)).connection;
}

/** The same, with all that is known of it. It has memory of its own, as a client on another machine has. */
export async function dialAs(rig: Rig, signal?: AbortSignal, budget = new Budget()): Promise<Dialled> {
  await ready();
  const home = await openHome(rig.home);
  const { addresses, pin } = await home.find(undefined);
  const key = await home.deviceKey();
  return dial({
    addresses, pin, signal, budget,
    prove: (exporter, serverPin) => ({ kind: 'auth', method: 'device', key: publicBytes(key), signature: signProof(key, { kind: 'device', exporter, serverPin }) }),
  });
}

/** A connection that is signed in by a token. */
export async function signInWith(rig: Rig, token: string): Promise<Connection> {
  await ready();
  const key = tokenKey(parseToken(token));
  const { connection } = await dial({
    addresses: [placeOf(rig)], pin: parseFingerprint(rig.listening.fingerprint), signal: undefined,
    prove: (exporter, serverPin) => ({ kind: 'auth', method: 'token', key: publicBytes(key), signature: signProof(key, { kind: 'token', exporter, serverPin }) }),
  });
  return connection;
}

/** A TLS connection that has said nothing yet. */
export async function shake(rig: Rig, protocol = ALPN): Promise<TLSSocket> {
  const socket = connectTls({ ...placeOf(rig), ALPNProtocols: [protocol], rejectUnauthorized: false, minVersion: 'TLSv1.3' });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

/** The names of a listing as they come, page by page. */
export async function* pages(exchange: Exchange): AsyncGenerator<readonly string[]> {
  for (;;) {
    const received = await exchange.next();
    if (received.kind !== 'message' || received.message.kind !== 'entries') return;
    yield received.message.entries.map(({ name }) => name);
    exchange.consumed(received.bulk);
  }
}
