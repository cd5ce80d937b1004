/**
 * Ports: all sockets that a server listens at, and how these change while it runs.
 *
 * A change is whole or none: what is new is opened first, and when that fails all is as before. A socket that is wanted no
 * more takes nothing new, and the connections it took go on to their own end. Where the new one needs the place of an old one,
 * as every address instead of one at the same port, the old one is closed first, and opened again if the new one fails.
 */
import type { Server as Listening } from 'node:net';
import { Adopted, type Port } from '../doors/port.ts';
import type { Listen } from './listen.ts';

interface Opened { readonly listen: Listen; readonly port: Port }

export class Ports implements AsyncDisposable {
  readonly #openOne: (listen: Listen, adopted?: Adopted) => Promise<Port>;
  /** From the process before this one, until they are opened. */
  #adopted: { readonly listen: Listen; readonly socket: Adopted }[] = [];
  #opened: Opened[] = [];
  /** Those that take nothing new, until their last connection ends; at most as many as there are connections. */
  readonly #retired = new Set<Port>();

  constructor(openOne: (listen: Listen, adopted?: Adopted) => Promise<Port>) {
    this.#openOne = openOne;
  }

  /** `host:port` of each, as really bound. */
  get addresses(): string[] { return this.#opened.map(({ port }) => port.address); }
  /** What was asked for, with the ports it really has. */
  get bound(): Listen[] { return this.#opened.map(({ listen: { host }, port: { port } }) => ({ host, port })); }

  /** What was asked for, with the sockets, for another process to listen at as well. */
  get sockets(): (readonly [Listen, Listening])[] { return this.#opened.map(({ listen, port }) => [listen, port.listening] as const); }

  /** A socket of the process before this one, at which `change` listens where it is wanted. */
  adopt(listen: Listen, arrived: Listening): void {
    this.#adopted.push({ listen, socket: new Adopted(arrived) });
  }

  /** Listens at these, and at no others. Rejects with CONNECT; it listens where it did before then. */
  async change(wanted: readonly Listen[]): Promise<void> {
    const leaving = [...this.#opened];
    const kept = wanted.map((listen) => {
      const at = leaving.findIndex((one) => isSame(one.listen, listen));
      return at < 0 ? undefined : leaving.splice(at, 1)[0];
    });
    const fresh: Opened[] = [];
    const inTheWay = leaving.filter(({ port }) => wanted.some((listen, index) => kept[index] === undefined && listen.port === port.port));
    for (const { port } of inTheWay) this.#retire(port);
    try {
      for (const [index, listen] of wanted.entries()) if (kept[index] === undefined) fresh.push({ listen, port: await this.#openOne(listen, this.#take(listen)) });
    } catch (error) {
      for (const { port } of fresh) await port[Symbol.asyncDispose]();
      await this.#reopen(inTheWay);
      throw error;
    }
    for (const one of leaving) if (!inTheWay.includes(one)) this.#retire(one.port);
    this.#opened = kept.map((one) => one ?? fresh.shift()!);
    for (const { socket } of this.#adopted.splice(0)) socket.server.close(); // wanted no more
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#opened.map(({ port }) => port), ...this.#retired].map((port) => port[Symbol.asyncDispose]()));
  }

  #take(wanted: Listen): Adopted | undefined {
    const at = this.#adopted.findIndex(({ listen }) => isSame(listen, wanted));
    return at < 0 ? undefined : this.#adopted.splice(at, 1)[0]!.socket;
  }

  async #reopen(gone: readonly Opened[]): Promise<void> {
    for (const one of gone) {
      // At the port that it really had.
      const port = await this.#openOne({ ...one.listen, port: one.port.port });
      this.#opened = this.#opened.map((other) => (other === one ? { listen: one.listen, port } : other));
    }
  }

  #retire(port: Port): void {
    this.#retired.add(port);
    void port.retire().then(() => this.#retired.delete(port));
  }
}

function isSame(one: Listen, other: Listen): boolean {
  return one.host === other.host && one.port === other.port;
}
