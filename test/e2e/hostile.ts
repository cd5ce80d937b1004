/**
 * A hostile server: it speaks the protocol well enough to be joined, and answers each request as its script says.
 * Scripts have the exchange, and the raw connection for what no server of ours could say.
 */
import type { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { createKey, pinOf } from '../../src/identity.ts';
import { ready } from '../../src/digest.ts';
import { PackWriter } from '../../src/pack.ts';
import type { RemotePath } from '../../src/path.ts';
import { selfSigned } from '../../src/server/certificate.ts';
import { Connection } from '../../src/session/connection.ts';
import type { Exchange } from '../../src/session/exchange.ts';
import type { Request } from '../../src/session/rules.ts';
import { encodeTicket, type Address } from '../../src/ticket.ts';
import { ALPN, type Message } from '../../src/wire/messages.ts';
import { Secret } from '../../src/secret.ts';

export type Script = (exchange: Exchange, message: Message<Request>, connection: Connection) => Promise<void> | void;

export interface Names { readonly agent?: string; readonly account?: string; readonly name?: string }

export class Hostile implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<TLSSocket>();
  readonly address: Address;
  readonly pin: Uint8Array;
  readonly ticket: string;
  script: Script = () => {};
  names: Names = {};
  /** In place of the protocol: what is done with a socket that has just been accepted. */
  naked: ((socket: TLSSocket) => void) | undefined;
  /** After the client has signed in. */
  welcomed: ((connection: Connection) => void) | undefined;
  /** Proofs that clients have shown. */
  proofs = 0;

  private constructor(server: Server, pin: Uint8Array) {
    this.#server = server;
    const { port } = server.address() as AddressInfo;
    this.address = { host: '127.0.0.1', port };
    this.pin = pin;
    this.ticket = encodeTicket({ addresses: [this.address], pin: pin.subarray(0, 16), secret: new Secret(new Uint8Array(16)) });
  }

  static async start(port = 0, key: KeyObject = createKey()): Promise<Hostile> {
    await ready();
    const server = createServer({
      key: key.export({ type: 'pkcs8', format: 'pem' }), cert: selfSigned(key, { name: 'hostile', hosts: ['localhost'] }),
      minVersion: 'TLSv1.3', ALPNProtocols: [ALPN],
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const hostile = new Hostile(server, pinOf(key));
    server.on('secureConnection', (socket) => hostile.#serve(socket));
    return hostile;
  }

  #serve(socket: TLSSocket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {}); // the client has had enough
    if (this.naked !== undefined) return this.naked(socket);
    const { agent = 'hostile', account = 'you', name = 'hostile' } = this.names;
    const connection = new Connection(socket, {
      side: 'server', agent,
      onWord: (message) => {
        if (message.kind !== 'auth') return;
        this.proofs += 1;
        connection.machine.trust();
        connection.say({ kind: 'ready', account, rights: ['list', 'read', 'create', 'overwrite', 'delete', 'rename', 'mkdir', 'setattr'], name });
        this.welcomed?.(connection);
      },
      onRequest: (exchange, message) => void this.#answer(exchange, message, connection),
      onEnd: () => {},
    });
  }

  async #answer(exchange: Exchange, message: Message<Request>, connection: Connection): Promise<void> {
    try {
      await this.script(exchange, message, connection);
    } catch {
      // the client has had enough
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export interface Evil { readonly folder?: string; readonly file?: string; readonly data?: string; readonly digest?: Uint8Array; readonly mode?: number }

/** A pack as `PackWriter` would never be asked for: names are taken as they are, and `mode` stands in every record. */
export function evilPack(records: readonly Evil[], digestOf: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  const writer = new PackWriter();
  const heads: [at: number, mode: number][] = [];
  for (const { folder, file, data = '', digest, mode } of records) {
    if (mode !== undefined) heads.push([writer.length, mode]);
    if (folder !== undefined) writer.folder(folder as RemotePath, 0o755);
    if (file === undefined) continue;
    const bytes = Buffer.from(data);
    writer.space(file, bytes.byteLength).set(bytes);
    writer.file(file, 0o644, 1, digest ?? digestOf(bytes), bytes.byteLength);
  }
  const pack = Uint8Array.from(writer.finish());
  for (const [at, mode] of heads) new DataView(pack.buffer).setUint16(at + 4, mode);
  return pack;
}
