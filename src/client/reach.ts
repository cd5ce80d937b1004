/**
 * Reach: the steps of connecting one by one, each for itself, to say which one fails. `dial.ts` does them all at once, for
 * transfers; this is for whoever asks why. It says nothing to the server: the connection ends after the handshake.
 */
import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { sameDigest } from '../digest.ts';
import { Failure } from '../errors.ts';
import { fingerprint, pinOf } from '../identity.ts';
import { printable } from '../printable.ts';
import { formatAddress, type Address } from '../ticket.ts';
import { ALPN } from '../wire/messages.ts';
import { openHome, type KnownServer } from './trust.ts';

/** A server at the other end of the world answers in one second (ms). */
const WAIT_MS = 5_000;

/** What is known here of the server, by its name or as the default one. Throws NOTFOUND. */
export async function known(name: string | undefined, home: string | undefined): Promise<KnownServer> {
  return (await openHome(home)).find(name);
}

/** The numeric addresses of a host. Throws CONNECT. */
export async function resolveHost({ host }: Address): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  const found = await lookup(host, { all: true }).catch((cause: unknown) => {
    throw new Failure('CONNECT', `${printable(host)} has no address`, { path: host, who: 'network', hint: 'check the name, and that this machine can ask a name server; a new ticket has the address of today: wherry invite there, wherry join here', cause });
  });
  return found.map(({ address }) => address);
}

/** How long TCP took (ms), and the address of this machine on that way. Throws CONNECT. */
export function knock(address: Address, signal: AbortSignal): Promise<{ milliseconds: number; local: string }> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host: address.host, port: address.port, signal: AbortSignal.any([signal, AbortSignal.timeout(WAIT_MS)]) });
    socket.once('connect', () => {
      resolve({ milliseconds: performance.now() - began, local: socket.localAddress ?? 'unknown' });
      socket.destroy();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => reject(signal.aborted ? error : closedPort(error, formatAddress(address))));
  });
}

function closedPort(error: NodeJS.ErrnoException, where: string): Failure {
  const refused = error.code === 'ECONNREFUSED';
  const message = refused ? `nothing listens at ${where}` : `no answer from ${where} (${error.code ?? 'failed'})`;
  return new Failure('CONNECT', message, {
    path: where, who: 'network', cause: error,
    hint: refused ? 'start the server there: wherry serve DIR; it prints its port' : 'check the address, that both machines are in one network, and firewalls in between',
  });
}

export interface Shaken {
  readonly milliseconds: number;
  readonly protocol: string;
  readonly cipher: string;
  /** Of the key that the server showed. */
  readonly fingerprint: string;
  /** Whether that is the key that was joined. */
  readonly isKnown: boolean;
}

/** The TLS handshake. Throws PROTOCOL where something else answers. */
export function shake(address: Address, pin: Uint8Array, signal: AbortSignal): Promise<Shaken> {
  const where = formatAddress(address);
  const began = performance.now();
  const other = (cause?: unknown): Failure => new Failure('PROTOCOL', `something other than a Wherry server answers at ${where}`, { path: where, who: 'network', hint: 'check the port: `wherry serve` prints it', cause });
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connectTls({ host: address.host, port: address.port, minVersion: 'TLSv1.3', ALPNProtocols: [ALPN], rejectUnauthorized: false });
    const limit = AbortSignal.any([signal, AbortSignal.timeout(WAIT_MS)]);
    const stop = (): void => { socket.destroy(new Failure('CONNECT', `${where} takes connections and says nothing`, { path: where, who: 'network', hint: 'the server may be busy or stopped: look at it there' })); };
    limit.addEventListener('abort', stop, { once: true });
    socket.once('error', (error) => reject(error instanceof Failure ? error : other(error)));
    socket.once('close', () => { limit.removeEventListener('abort', stop); reject(other()); });
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate();
      const found = certificate === undefined ? undefined : pinOf(certificate);
      if (socket.alpnProtocol === ALPN && found !== undefined) {
        resolve({
          milliseconds: performance.now() - began, protocol: socket.getProtocol() ?? 'unknown', cipher: socket.getCipher().name,
          fingerprint: fingerprint(found), isKnown: sameDigest(found.subarray(0, pin.byteLength), pin),
        });
      }
      socket.destroy();
    });
  });
}
