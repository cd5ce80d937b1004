/**
 * Secured: how every connection of a door is encrypted: TLS 1.3, with the server's key, in ciphers that this file chooses.
 * It listens nowhere: connections are given to it, as they were accepted.
 */
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { addressOf } from './peer.ts';

/** AES-128 first: on machines with AES instructions the fastest, and what peers are measured with; ChaCha20 for those without. */
const CIPHERS = 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384';

export interface SecuredOptions {
  /** PEM. */
  readonly key: string;
  readonly certificate: string;
  /** The protocol that clients have to ask for. */
  readonly protocol: string;
  readonly handshakeMs: number;
  onSecure(socket: TLSSocket): void;
  /** There was no handshake, for `reason`; the socket is closed. */
  onRefused(address: string, reason: string, offence: 'garbage' | 'slow' | undefined): void;
}

export function securedServer({ key, certificate, protocol, handshakeMs, onSecure, onRefused }: SecuredOptions): Server {
  const tls = createServer({ key, cert: certificate, minVersion: 'TLSv1.3', ciphers: CIPHERS, honorCipherOrder: true, ALPNProtocols: [protocol], handshakeTimeout: handshakeMs });
  tls.on('secureConnection', onSecure);
  tls.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    onRefused(addressOf(socket), `no TLS handshake (${error.code ?? 'failed'})`, offenceIn(error));
    socket.destroy();
  });
  return tls;
}

/** A client that leaves, or that says no by itself (a browser does not know the certificate), has broken no rule. */
function offenceIn({ code = '' }: NodeJS.ErrnoException): 'garbage' | 'slow' | undefined {
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'slow';
  return code.startsWith('ERR_SSL') && !code.includes('ALERT') ? 'garbage' : undefined;
}
