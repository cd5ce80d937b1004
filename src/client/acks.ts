/**
 * PackAcks: what the server says of the packs of a folder that is sent. It answers in order, one answer a pack, and names
 * before it what of the pack failed; so nothing has to be remembered but the names in packs that are on their way. What it
 * says has to add up: every file that was sent is stored or has failed, and nothing else is.
 */
import { Failure } from '../errors.ts';
import { MAX_PACK_RECORDS } from '../pack.ts';
import type { RemotePath } from '../path.ts';
import type { Exchange } from '../session/exchange.ts';
import type { Message } from '../wire/messages.ts';
import { heardPath } from './heard.ts';
import type { Sent } from './sent.ts';
import type { ItemTally } from './tally.ts';

/** Names that failed since the last answer: those of one pack, and of the folders that are told between two. */
const MAX_FAILED = 4 * MAX_PACK_RECORDS;

interface SentPack { readonly names: readonly RemotePath[] | undefined; readonly key: string | undefined; readonly files: number; readonly bytes: number }

export class PackAcks {
  readonly #exchange: Exchange;
  readonly #item: ItemTally;
  readonly #arrived: Sent;
  readonly #sent: SentPack[] = [];
  #count = 0;
  #failed = new Set<string>();
  #waiting: { count: number; resolve: () => void; reject: (error: unknown) => void }[] = [];

  /** `arrived` is where it is noted which packs are whole at the server. */
  constructor(exchange: Exchange, item: ItemTally, arrived: Sent) {
    this.#exchange = exchange;
    this.#item = item;
    this.#arrived = arrived;
  }

  /** A pack is about to be sent, with so many files and, where they are of interest, these names; to be noted under `key`. */
  sent(pack: SentPack): void {
    this.#sent.push(pack);
  }

  /** Resolves when `count` packs have been acknowledged. */
  reached(count: number): Promise<void> {
    if (this.#count >= count) return Promise.resolve();
    if (this.#exchange.failure !== undefined) return Promise.reject(this.#exchange.failure);
    return new Promise((resolve, reject) => { this.#waiting.push({ count, resolve, reject }); });
  }

  /** Takes answers until the last one. */
  async run(): Promise<void> {
    try {
      for (;;) {
        const received = await this.#exchange.next();
        if (received.kind !== 'message') throw new Failure('INTERNAL', 'unexpected bytes in answer to a tree');
        this.#exchange.consumed(received.bulk);
        if (received.message.kind === 'done') return this.#end();
        if (received.message.kind === 'problems') this.#problems(received.message);
        else if (received.message.kind === 'batched') this.#batched(received.message);
      }
    } catch (error) {
      this.#item.lost(this.#sent.reduce((sum, { bytes }) => sum + bytes, 0));
      for (const { reject } of this.#waiting.splice(0)) reject(error);
      throw error;
    }
  }

  #problems({ problems }: Message<'problems'>): void {
    for (const { path, code, message } of problems) {
      if (this.#failed.size < MAX_FAILED) this.#failed.add(path);
      this.#item.problem({ path: heardPath(path), code, message, who: 'server' });
    }
  }

  #batched({ files, bytes, kept = 0 }: Message<'batched'>): void {
    const sent = this.#sent.shift();
    if (sent === undefined) throw wrong('answered for a pack that was not sent');
    if (files > sent.files || bytes > sent.bytes || kept > bytes) throw wrong('stored more than was sent');
    if (files + this.#failed.size < sent.files) throw wrong('stored less than was sent, and does not say why');
    this.#count += 1;
    this.#item.stored(files, bytes, kept);
    const { names = [], key } = sent;
    for (const path of names) if (!this.#failed.has(path)) this.#item.fileDone(path);
    if (this.#failed.size === 0) this.#arrived.note(key);
    this.#failed.clear();
    this.#waiting = this.#waiting.filter((waiter) => {
      if (waiter.count > this.#count) return true;
      waiter.resolve();
      return false;
    });
  }

  #end(): void {
    if (this.#sent.length > 0) throw wrong('ended before it had answered for everything');
  }
}

function wrong(what: string): Failure {
  return new Failure('PROTOCOL', `the server ${what}`, { who: 'server', hint: 'look at what is there, and send it again' });
}
