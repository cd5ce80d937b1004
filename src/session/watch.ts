/**
 * Watch: tells a clock of waits what one exchange waits for. It decides nothing and holds nothing up; an exchange that
 * nobody watches has none.
 */
import { INITIAL_CREDIT } from './machine.ts';
import type { Listener, Sounding } from './sounding.ts';
import { Wait, type Waits } from './waits.ts';

/** How an exchange stands at present. */
export interface Standing {
  readonly wantsCredit: boolean;
  readonly wantsWords: boolean;
  /** Bytes that came and are not where they belong yet. */
  readonly held: number;
  /** The first bytes of a bulk frame have come. */
  readonly arriving: boolean;
}

/** Of all that may be held: from here on it is this end that is behind. */
const MUCH_HELD = INITIAL_CREDIT / 2;

export class Watch implements Listener {
  readonly waits: Waits;
  readonly #heedful: boolean;
  readonly #sounding: Sounding;
  readonly #standing: () => Standing;
  readonly #words: Wait;
  readonly #credit: Wait;
  readonly #socket: Wait;

  /** `heedful` false: words of the peer are not waited for, because their reader always waits for some and holds nothing up. */
  constructor(waits: Waits, heedful: boolean, sounding: Sounding, standing: () => Standing) {
    this.waits = waits;
    this.#heedful = heedful;
    this.#sounding = sounding;
    this.#standing = standing;
    this.#words = new Wait(waits);
    this.#credit = new Wait(waits);
    this.#socket = new Wait(waits);
    sounding.add(this);
    this.tell();
  }

  /** Whether the exchange waits for the network or the server, and cannot tell for which. */
  get wondering(): boolean {
    const { wantsCredit, wantsWords, held, arriving } = this.#standing();
    return wantsCredit || (this.#heedful && wantsWords && held < MUCH_HELD && !arriving);
  }

  /** Says for what the exchange waits now. */
  tell(): void {
    const { wantsCredit, wantsWords, held, arriving } = this.#standing();
    const theirs = this.#sounding.still ? 'server' : 'peer';
    this.#credit.for(wantsCredit ? theirs : undefined);
    if (!this.#heedful || !wantsWords) this.#words.for(undefined);
    // What the server has begun to send and is not here yet is on its way.
    else this.#words.for(held >= MUCH_HELD ? 'disk' : arriving ? 'network' : theirs);
    if (this.wondering) this.#sounding.wonder();
  }

  /** Whether the exchange waits for its socket. */
  socket(waiting: boolean): void {
    this.#socket.for(waiting ? 'network' : undefined);
  }

  /** The exchange is over, and waits for nothing. */
  end(): void {
    this.tell();
    this.#sounding.delete(this);
  }
}
