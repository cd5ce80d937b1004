/** The pieces of a client, taken apart: a connection that says what no real client would, with or without signing in. */
import { once } from 'node:events';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { dial } from '../../src/client/dial.ts';
import { openHome } from '../../src/client/trust.ts';
import { ready } from '../../src/digest.ts';
import { publicBytes, signProof } from '../../src/identity.ts';
import type { Connection } from '../../src/session/connection.ts';
import { ALPN } from '../../src/wire/messages.ts';
import type { Rig } from './rig.ts';

/** Where the rig's server listens. */
export function placeOf({ listening }: Rig): { host: string; port: number } {
  const cut = listening.address.lastIndexOf(':');
  return { host: listening.address.slice(0, cut), port: Number(listening.address.slice(cut + 1)) };
}

/** A connection that is signed in as the rig's device. */
export async function signIn(rig: Rig): Promise<Connection> {
  await ready();
  const home = await openHome(rig.home);
  const { addresses, pin } = await home.find(undefined);
  const key = await home.deviceKey();
  const { connection } = await dial({
    addresses, pin,
    prove: (exporter, serverPin) => ({ kind: 'auth', method: 'device', key: publicBytes(key), signature: signProof(key, { kind: 'device', exporter, serverPin }) }),
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
