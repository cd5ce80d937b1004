/**
 * Counted: the counts of a process from the moment that another one takes its place. They are kept once, by the newest: the older
 * one asks it before anything is admitted, taken or paced there, so that no limit is worth more for the time that two run.
 *
 * Until then a process counts for itself, and knows what is kept and taken at the moment, which is what it hands over. A call that
 * was under way meanwhile is made at the new one as well. When that one does not come up, or is gone, this one counts for itself again.
 */
import type { Accounting } from '../accounting.ts';
import { AskedCounts } from '../counts.ts';
import { type Answering, type Asking, told } from '../talk.ts';
import { Takings } from '../takings.ts';
import type { Counted } from './words.ts';

type Kept = Parameters<Accounting['keep']>;

/** Room that is kept for one upload: as what it was asked for, and its number here and there; 0: it has none. */
interface Room { given: Kept; here: number; there: number }

export class HandedCounts {
  readonly accounting: Accounting;
  readonly #own: Accounting;
  /** By the number that whoever asked for it has: as many as uploads are open. */
  readonly #rooms = new Map<number, Room>();
  readonly #takings = new Takings();
  #numbered = 0;
  #asked: AskedCounts | undefined;
  /** Whether the state folder was left to another process. */
  #isLeft = false;

  constructor(own: Accounting) {
    this.#own = own;
    this.accounting = {
      keep: (...given) => this.#keep(given),
      probe: () => own.probe(),
      extend: (number, bytes) => this.#extend(number, bytes),
      end: (number, resting) => this.#end(number, resting),
      change: (...given) => this.#both(({ change }) => change(...given)),
      spend: async (...given) => { await this.#newest(({ spend }) => spend(...given)); this.#takings.note(...given); },
      pace: (...given) => this.#newest(({ pace }) => pace(...given), false),
      left: (...given) => this.#newest(({ left }) => left(...given)),
      quota: (...given) => this.#newest(({ quota }) => quota(...given)),
      remember: (...given) => this.#newest(async (counts) => (counts === own && this.#isLeft ? undefined : counts.remember(...given))),
      recall: (...given) => this.#newest(({ recall }) => recall(...given)),
    };
  }

  /** From now on `say` takes what is asked of the process that takes the place, which is answered by `answered`; what is kept and taken at the moment is returned. */
  hand(say: (asking: Asking) => void): Counted[] {
    this.#asked = new AskedCounts(say);
    this.#isLeft = true;
    const kept = [...this.#rooms].map(([number, room]) => {
      room.there = -number;
      return { call: 'keep' as const, given: room.given, number: -number };
    });
    return [...kept, ...this.#takings.all.map((given) => ({ call: 'spend' as const, given }))];
  }

  answered(answering: Answering): void { this.#asked?.answered(answering); }

  /** Nobody has its place, or not any more. `isBack`: nor did anybody, and the state folder is this one's still. */
  async keepToItself(isBack: boolean): Promise<void> {
    const asked = this.#asked;
    this.#asked = undefined;
    if (isBack) this.#isLeft = false;
    // What was admitted elsewhere goes on, whether or not there is room for it here.
    const rooms = [...this.#rooms.values()].filter(({ here }) => here === 0);
    asked?.over();
    await Promise.all(rooms.map(async (room) => { room.here = await this.#own.keep(...room.given).catch(() => 0); }));
  }

  /** Made where the counts are kept. One that began here goes there too if they have gone meanwhile, with `isCounted`. */
  async #newest<T>(call: (counts: Accounting) => Promise<T>, isCounted = true): Promise<T> {
    const asked = this.#asked;
    if (asked !== undefined) {
      try {
        return await call(asked.accounting);
      } catch (error) {
        if (this.#asked === asked) throw error;
      }
    }
    const value = await call(this.#own);
    return isCounted && asked === undefined && this.#asked !== undefined ? call(this.#asked.accounting) : value;
  }

  /** What has happened is noted here too, for when this process counts for itself again. */
  async #both(call: (counts: Accounting) => Promise<void>): Promise<void> {
    await Promise.all([call(this.#own), this.#asked === undefined ? undefined : call(this.#asked.accounting).catch(() => undefined)]);
  }

  async #keep(given: Kept): Promise<number> {
    const room: Room = { given, here: 0, there: 0 };
    await this.#newest(async (counts) => {
      const number = await counts.keep(...given);
      room[counts === this.#own ? 'here' : 'there'] = number;
    });
    this.#numbered += 1;
    this.#rooms.set(this.#numbered, room);
    return this.#numbered;
  }

  async #extend(number: number, bytes: number): Promise<void> {
    const room = this.#rooms.get(number);
    if (room === undefined) return;
    await this.#newest((counts) => counts.extend(counts === this.#own ? room.here : room.there, bytes));
    const [who, path, amount, ...part] = room.given;
    room.given = [who, path, { ...amount, bytes: Math.max(amount.bytes, bytes) }, ...part];
  }

  async #end(number: number, resting: number): Promise<void> {
    const room = this.#rooms.get(number);
    if (room === undefined) return this.#own.end(number, resting); // the disk was measured
    this.#rooms.delete(number);
    await this.#both((counts) => counts.end(counts === this.#own ? room.here : room.there, resting));
  }
}

/** In the process that has taken the place: what the older one asks, made here. */
export class HeardCounts {
  readonly #accounting: Accounting;
  readonly #answer: (answering: Answering) => void;
  /** What its numbers are here; 0: there was no room any more, and nothing to do about it. */
  readonly #numbers = new Map<number, Promise<number>>();
  readonly #takings = new Takings();

  constructor(accounting: Accounting, answer: (answering: Answering) => void) {
    this.#accounting = accounting;
    this.#answer = answer;
  }

  /** What was kept and taken there before. */
  inherit({ call, given, number = 0 }: Counted): void {
    if (call === 'keep') this.#numbers.set(number, this.#accounting.keep(...(given as Kept)).catch(() => 0));
    if (call === 'spend') void this.#spend(given as Parameters<Accounting['spend']>).catch(() => undefined);
  }

  hear(asking: Asking): void {
    const { asked } = asking;
    void this.#made(asking).then(
      (value) => this.#answer({ asked, value: typeof value === 'number' ? value : undefined }),
      (error: unknown) => this.#answer({ asked, failure: told(error) }),
    );
  }

  /** The older one has ended: what it kept is kept no more. */
  over(): void {
    for (const own of this.#numbers.values()) void own.then((number) => this.#accounting.end(number, 0), () => undefined);
    this.#numbers.clear();
    this.#takings.giveBack(this.#accounting);
  }

  async #made({ asked, call, given }: Asking): Promise<unknown> {
    if (call === 'spend') return this.#spend(given as Parameters<Accounting['spend']>);
    if (call === 'keep') return this.#keep(asked, given as Kept);
    if (call !== 'extend' && call !== 'end') return (this.#accounting[call] as (...words: readonly unknown[]) => Promise<unknown>)(...given);
    const [there, bytes] = given as [number, number];
    const own = this.#numbers.get(there);
    if (call === 'end') this.#numbers.delete(there);
    return this.#accounting[call]((await own) ?? 0, bytes);
  }

  /** Room is known there by the number of the question. */
  async #keep(asked: number, given: Kept): Promise<number> {
    const own = this.#accounting.keep(...given);
    this.#numbers.set(asked, own);
    try {
      await own;
      return asked;
    } catch (error) {
      this.#numbers.delete(asked);
      throw error;
    }
  }

  async #spend(given: Parameters<Accounting['spend']>): Promise<void> {
    await this.#accounting.spend(...given);
    this.#takings.note(...given);
  }
}
