/**
 * A device at another address of this machine: everything it says to the rig's server goes through a relay that dials
 * from 127.0.0.N. On Linux every one of these is the machine itself.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Client } from '../../src/client/api.ts';
import { connect as connectClient, join as enrol } from '../../src/client/client.ts';
import { decodeTicket, encodeTicket } from '../../src/ticket.ts';
import { placeOf } from './raw.ts';
import { finished, type Ran, type Rig, type RunOptions } from './rig.ts';

/** What the server's log says of a connection or a worker. */
export interface Logged {
  readonly event: string;
  readonly session?: number;
  readonly address?: string;
  readonly worker?: number;
  readonly pid?: number;
  readonly memory?: number;
  readonly active?: number;
  readonly message?: string;
  readonly reason?: string;
  readonly code?: string;
}

/** What the log has said so far, of one kind. */
export function logged(rig: Rig, event: string): Logged[] {
  const lines = rig.log.filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as Logged).filter((entry) => entry.event === event);
}

/** The process that a worker is now. */
export function workerPid(rig: Rig, worker: number): number {
  return logged(rig, 'worker-started').findLast((started) => started.worker === worker)!.pid!;
}

export class Neighbour implements AsyncDisposable {
  readonly address: string;
  readonly home: string;
  readonly #rig: Rig;
  readonly #relay: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(rig: Rig, address: string, relay: Server) {
    this.#rig = rig;
    this.#relay = relay;
    this.address = address;
    this.home = join(rig.folder, `home of ${address}`);
  }

  /** A machine at `address` that knows no server. */
  static async at(rig: Rig, address: string): Promise<Neighbour> {
    const relay = createServer();
    relay.listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const neighbour = new Neighbour(rig, address, relay);
    relay.on('connection', (client) => neighbour.#forward(client, connect({ ...placeOf(rig), localAddress: address })));
    return neighbour;
  }

  /** One that has joined, as a device of its own. */
  static async joined(rig: Rig, address: string): Promise<Neighbour> {
    const neighbour = await Neighbour.at(rig, address);
    await neighbour.join(await ticketOf(rig));
    return neighbour;
  }

  /** One that has the key of the rig's device: the same account at another address. */
  static async twin(rig: Rig, address: string): Promise<Neighbour> {
    const neighbour = await Neighbour.at(rig, address);
    await mkdir(neighbour.home);
    await cp(rig.home, neighbour.home, { recursive: true });
    const book = join(neighbour.home, 'servers.json');
    await writeFile(book, (await readFile(book, 'utf8')).replace(`"port": ${placeOf(rig).port}`, `"port": ${neighbour.#port}`));
    return neighbour;
  }

  get served(): string { return this.#rig.served; }
  get #port(): number { return (this.#relay.address() as AddressInfo).port; }

  /** Uses a ticket, through the relay. */
  async join(ticket: string): Promise<void> {
    const { pin, secret } = decodeTicket(ticket);
    await enrol({ ticket: encodeTicket({ addresses: [{ host: '127.0.0.1', port: this.#port }], pin, secret }), home: this.home, as: 'test' });
  }

  connect(): Promise<Client> {
    return connectClient({ home: this.home });
  }

  spawn(words: readonly string[], options: RunOptions = {}): ChildProcess {
    return this.#rig.spawn(words, { ...options, env: { ...options.env, WHERRY_HOME: this.home } });
  }

  run(words: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const child = this.spawn(words, options);
    child.stdin!.on('error', () => {});
    child.stdin!.end(options.input ?? '');
    return finished(child);
  }

  /** Which worker this address is served by; it must have been there. */
  get worker(): number {
    return logged(this.#rig, 'connected').findLast(({ address }) => address === this.address)!.worker!;
  }

  #forward(client: Socket, server: Socket): void {
    for (const [from, to] of [[client, server], [server, client]] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.on('error', () => to.destroy());
      from.on('close', () => { this.#sockets.delete(from); to.destroy(); });
      from.pipe(to);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#relay, 'close');
    this.#relay.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** A new ticket of the rig's server. */
export async function ticketOf(rig: Rig): Promise<string> {
  const invited = await rig.run(['invite', '--state', rig.state]);
  if (invited.code !== 0) throw new Error(invited.stderr);
  return invited.stdout.trim();
}
