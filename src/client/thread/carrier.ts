/**
 * Carrier: the entry of a thread that carries lanes. Started by `threads.ts`, never imported.
 *
 * A lane here is a connection of its own, dialled and signed in by this thread, and a port to the transfer: what the one
 * says goes to the other. It reads no file and knows no digest. It ends when it was told to and its last connection is gone.
 */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { Failure } from '../../errors.ts';
import { Budget } from '../../session/budget.ts';
import type { Exchange } from '../../session/exchange.ts';
import type { Received } from '../../session/line.ts';
import { giveSlab, shareSlabs } from '../../session/slabs.ts';
import { OnTheWay } from '../../transfer/delivery.ts';
import { DATA_HEAD_BYTES } from '../../wire/frame.ts';
import { dial, type Dialled } from '../dial.ts';
import { proofOf } from '../proof.ts';
import { THREAD_BYTES, type Order, type Pass, type Purpose, type Task, type Word } from './words.ts';

const budget = new Budget(THREAD_BYTES);
shareSlabs();

class Carried {
  readonly #port: MessagePort;
  readonly #way: 'put' | 'get';
  readonly #stop = new AbortController();
  readonly #onTheWay = new OnTheWay();
  #dialled: Dialled | undefined;
  #lane: Exchange | undefined;
  /** What is to be said waits for what is to be sent before it. */
  #saying: Promise<void> = Promise.resolve();

  constructor(port: MessagePort, way: 'put' | 'get') {
    this.#port = port;
    this.#way = way;
    port.on('message', (order: Order) => this.#obey(order));
  }

  /** Resolves when the lane has ended, however. */
  async run(pass: Pass, { key }: Purpose): Promise<void> {
    try {
      this.#dialled = await dial({ ...pass, budget, signal: this.#stop.signal, prove: (exporter, serverPin) => proofOf(pass, exporter, serverPin) });
      this.#lane = this.#dialled.connection.request({ kind: this.#way === 'put' ? 'putLane' : 'getLane', key });
      await this.#lane.expect('lent');
      this.#tell({ said: 'lent' });
      for (;;) this.#came(await this.#lane.next(this.#way === 'put'));
    } catch (error) {
      const { code, message } = Failure.from(error);
      this.#tell({ said: 'failed', code, message });
    }
  }

  #tell(word: Word): void { this.#port.postMessage(word); }

  /** What was compressed has expanded into memory of its own, which moves to the other thread. */
  #came(received: Received): void {
    const own = received.kind === 'data' ? received.bytes.buffer : undefined;
    const moves = own instanceof ArrayBuffer && received.kind === 'data' && own.byteLength === received.bytes.byteLength;
    this.#port.postMessage({ said: 'received', received } satisfies Word, moves ? [own] : []);
  }

  #obey(order: Order): void {
    switch (order.do) {
      case 'send': return this.#then(() => this.#send(order));
      case 'say': return this.#then(() => this.#lane?.say(order.message));
      case 'hurry': return this.#then(() => this.#lane?.hurry());
      case 'reuse': return giveSlab(new Uint8Array(order.memory));
      case 'consumed': return this.#lane?.consumed(order.bulk);
      case 'cancel': return this.#cancel(new Failure(order.code, order.message, { who: 'here' }));
      case 'close': return void this.#close();
    }
  }

  #then(action: () => Promise<void> | void): void {
    this.#saying = this.#saying.then(action).catch(() => {}); // what fails is told by `run`
  }

  async #send({ memory, offset, size }: Order & { do: 'send' }): Promise<void> {
    const lane = this.#lane!;
    await lane.room(size + 8);
    const cost = lane.data(Buffer.from(memory, 0, DATA_HEAD_BYTES + size), offset, size, () => {
      this.#onTheWay.settle(lane.unpaid);
      this.#tell({ said: 'sent', memory, arrived: this.#onTheWay.arrived });
    });
    this.#onTheWay.add({ offset, size, cost });
  }

  #cancel(failure: Failure): void {
    this.#stop.abort(failure);
    this.#lane?.cancel(failure);
  }

  async #close(): Promise<void> {
    this.#cancel(new Failure('CANCELLED', 'cancelled', { who: 'here' }));
    await this.#dialled?.connection.drain(0);
    this.#port.close();
  }
}

parentPort!.on('message', (task: Task) => {
  if (task.do === 'leave') parentPort!.close();
  else void new Carried(task.port, task.purpose.way).run(task.pass, task.purpose);
});
