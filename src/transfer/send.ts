/**
 * Send: one file from a source into an exchange, and over lanes where there are some; the half that has the bytes.
 *
 * Neither knows which end it is on, nor what a vault is. What is to be sent is decided step by step (`steps.ts`), in the order of
 * the file; each lane takes the next block when it has credit and its socket wants one, so that a slow lane gets little.
 * What a lane had not delivered when it failed is read again and goes over the exchange itself, without which there is no transfer.
 * Reading, hashing and sending overlap.
 */
import { BLOCK_BYTES } from '../digest.ts';
import { Failure } from '../errors.ts';
import { DATA_HEAD_BYTES } from '../wire/frame.ts';
import type { Exchange } from '../session/exchange.ts';
import type { Arriving } from './arriving.ts';
import { CompareSteps } from './compare.ts';
import { Delivery, OnTheWay } from './delivery.ts';
import type { Lane, Lanes } from './lanes.ts';
import type { Allowance, ByteSource } from './readahead.ts';
import { BlockSteps, type Step, type Steps } from './steps.ts';

export interface SendOptions {
  /** Bytes of this file that the receiver holds and will send digests of. */
  readonly basis: number;
  /** The size of the blocks it will tell, when they are looked for everywhere. */
  readonly blockSize?: number | undefined;
  /** Where further exchanges for this file join. */
  readonly lanes?: Lanes | undefined;
  /** Where it is counted what has arrived; left out: nobody wants to know. */
  readonly arriving?: Arriving | undefined;
  /** Called as bytes are dealt with, which is before they have arrived; `kept` of them are not sent. */
  onBytes?(bytes: number, kept: number): void;
}

export interface Sent { readonly size: number; readonly digest: Uint8Array; readonly kept: number }

/** A run of kept blocks is told at the latest after so many bytes, so that the receiver checks them meanwhile. */
const MAX_KEEP = 16 << 20;
/** What a lane has with its socket: one block being written, one behind it. */
const SLABS_EACH = 2;
/** The body of a DATA frame with a whole block. */
const BODY_BYTES = BLOCK_BYTES + 8;

/** Sends all bytes of `source`, but not the `commit`: whoever calls decides first whether the source stayed the same. */
export async function send(exchange: Exchange, source: ByteSource, options: SendOptions): Promise<Sent> {
  const sender = new Sender(exchange, source, options);
  using _lanes = options.lanes?.serve(exchange, (lane) => sender.serve(lane));
  return await sender.run();
}

type Data = Step & { kind: 'data' };

class Sender {
  readonly #exchange: Exchange;
  readonly #source: ByteSource;
  readonly #options: SendOptions;
  readonly #steps: Steps;
  readonly #keep: KeepRun;
  /** Lanes that have joined and not ended. */
  readonly #lanes = new Map<Lane, Delivery>();
  /** What lanes have lost. */
  readonly #again: Omit<Data, 'slab' | 'kind'>[] = [];
  /** Resolves when the next lane joins. */
  #changed: Promise<void>;
  #change: () => void = () => {};
  #taking: Promise<unknown> = Promise.resolve();
  /** Why there is no next block, whoever asks. */
  #failure: Failure | undefined;
  #position = 0;
  #over = false;

  constructor(exchange: Exchange, source: ByteSource, options: SendOptions) {
    this.#exchange = exchange;
    this.#source = source;
    this.#options = options;
    this.#keep = new KeepRun(exchange);
    this.#changed = new Promise((resolve) => { this.#change = resolve; });
    const allowance = options.lanes === undefined ? exchange : this.#allowance();
    const { basis, blockSize } = options;
    this.#steps = blockSize === undefined ? new BlockSteps(exchange, allowance, source, basis) : new CompareSteps(exchange, allowance, source, basis, blockSize);
  }

  /** Credit on any of the lanes lets the next block be read. */
  #allowance(): Allowance {
    const { slabs, waits, signal } = this.#exchange;
    const all = (): Lane[] => [this.#exchange, ...this.#lanes.keys()].filter((lane) => lane === this.#exchange || lane.open);
    const affords = (size: number, frames: number): boolean => all().some((lane) => lane.affords(size, frames));
    // A lane that fails is none to wait for; the exchange itself is.
    const credit = (lane: Lane, size: number): Promise<void> => (lane === this.#exchange ? lane.credit(size) : lane.credit(size).catch(() => {}));
    return {
      slabs, waits, signal, affords,
      credit: async (size) => {
        while (!affords(size, 1)) await Promise.race([this.#changed, ...all().map((lane) => credit(lane, size))]);
      },
    };
  }

  async run(): Promise<Sent> {
    try {
      const onTheWay = this.#options.arriving?.over(this.#exchange);
      await this.#pump(this.#exchange, undefined, onTheWay);
      // A lane that fails from here on has something to be sent again.
      while (this.#lanes.size > 0) {
        await Promise.race([...this.#lanes.values()].map((delivery) => delivery.ended));
        await this.#pump(this.#exchange, undefined, onTheWay);
      }
    } finally {
      this.#over = true;
      await this.#taking; // the source must not be closed under a read, of a lane either
      await this.#steps.close();
    }
    await this.#keep.flush();
    return { size: this.#position, digest: this.#steps.digest(), kept: this.#keep.total };
  }

  /** Sends over `lane`, until there is nothing more to send. */
  async serve(lane: Lane): Promise<void> {
    const delivery = new Delivery(lane, this.#options.arriving?.over(lane) ?? new OnTheWay());
    if (this.#over) throw new Failure('NOTFOUND', 'the transfer is over', { who: 'server' });
    this.#lanes.set(lane, delivery);
    this.#change();
    this.#changed = new Promise((resolve) => { this.#change = resolve; });
    this.#exchange.slabs.widen(SLABS_EACH);
    try {
      await this.#pump(lane, delivery);
      lane.say({ kind: 'finish' });
      await delivery.landed();
    } catch (error) {
      this.#again.push(...delivery.lost());
      throw error;
    } finally {
      this.#exchange.slabs.widen(-SLABS_EACH);
      this.#lanes.delete(lane);
      this.#options.arriving?.end(lane);
      delivery.end();
    }
  }

  /** Gives `lane` block after block. The main exchange asks for room with the block in hand: others wait for turns at its socket too. */
  async #pump(lane: Lane, delivery: Delivery | undefined, onTheWay?: OnTheWay): Promise<void> {
    for (;;) {
      if (delivery !== undefined) {
        await lane.room(BODY_BYTES);
        if (delivery.stopped || this.#options.lanes!.leaving(lane)) return;
      }
      const step = await this.#take();
      if (step === undefined) return;
      const { slab, offset, size } = step;
      try {
        if (delivery === undefined) await lane.room(size + 8);
      } catch (error) {
        this.#exchange.slabs.give(slab);
        throw error;
      }
      const cost = lane.data(slab, offset, size, () => this.#exchange.slabs.give(slab));
      delivery?.handed(offset, size, cost);
      onTheWay?.add({ offset, size, cost });
    }
  }

  /** The next block to be sent, one caller after the other: what was lost, before what comes next in the file. */
  #take(): Promise<Data | undefined> {
    const taken = this.#taking.then(() => this.#next());
    this.#taking = taken.catch((error) => { this.#failure ??= Failure.from(error); });
    return taken;
  }

  async #next(): Promise<Data | undefined> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#over) return undefined;
    const lost = this.#again.shift();
    if (lost !== undefined) return await this.#reread(lost.offset, lost.size);
    for (;;) {
      const step = await this.#steps.next();
      if (step === undefined) return undefined;
      const size = step.kind === 'keep' ? step.length : step.size;
      if (step.kind === 'keep') await this.#keep.add(step);
      else await this.#flushKept(step.slab);
      this.#position += size;
      this.#options.onBytes?.(size, step.kind === 'keep' ? size : 0);
      if (step.kind === 'data') return step;
    }
  }

  async #flushKept(slab: Buffer): Promise<void> {
    try {
      await this.#keep.flush();
    } catch (error) {
      this.#exchange.slabs.give(slab);
      throw error;
    }
  }

  async #reread(offset: number, size: number): Promise<Data> {
    const slab = await this.#exchange.slabs.take(this.#exchange.signal, size);
    try {
      const read = await this.#source.read(slab.subarray(DATA_HEAD_BYTES, DATA_HEAD_BYTES + size), offset);
      if (read !== size) throw new Failure('CHANGED', 'the file became shorter while it was sent', { hint: 'send it again when nobody writes to it' });
    } catch (error) {
      this.#exchange.slabs.give(slab);
      throw error;
    }
    return { kind: 'data', slab, offset, size };
  }
}

/** Neighbouring blocks that the receiver keeps, told as one. */
class KeepRun {
  readonly #exchange: Exchange;
  #offset = 0;
  #from = 0;
  #length = 0;
  total = 0;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  async add({ offset, length, from }: Step & { kind: 'keep' }): Promise<void> {
    if (this.#length > 0 && from !== this.#from + this.#length) await this.flush();
    if (this.#length === 0) [this.#offset, this.#from] = [offset, from];
    this.#length += length;
    this.total += length;
    if (this.#length >= MAX_KEEP) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#length === 0) return;
    const [offset, length, from] = [this.#offset, this.#length, this.#from];
    this.#length = 0;
    await this.#exchange.sayBulk({ kind: 'keep', offset, length, from: from === offset ? undefined : from }, 27);
  }
}
