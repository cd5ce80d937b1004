/**
 * Meter: the counts of an account as one session asks for them, and what its token is good for.
 *
 * Of a token so much is taken when a transfer begins, and given back when it ends without having moved it, also by a crash; what has moved is settled,
 * which is on the disk, before anybody is told. A use is a
 * connection that has begun to do something, be it a look at a name; one that only takes part in the transfer of another is none. What is said without an answer is about the past, so
 * that nobody has to wait for it.
 */
import { NOTHING_SPENT } from '../access/spending.ts';
import type { RemotePath } from '../path.ts';
import { type Admission, type Amount, type Issue, type Meter, NOTHING } from '../store/meter.ts';
import type { Accounting, Metered } from './accounting.ts';

/** `pacing` is told of each wait for the rate: 1 when it begins, -1 when it is over. */
export function meterFor(accounting: Accounting, who: Metered, active: () => boolean, pacing: (change: 1 | -1) => void = () => {}): Meter {
  const purse = new Purse(accounting, who);
  return {
    use: () => purse.use(),
    async admit(path, wanted, moving, part) {
      await purse.use();
      const taking = await purse.take({ bytes: wanted.bytes, files: moving });
      try {
        return new Room(accounting, purse, await accounting.keep(who, path, wanted, part), taking);
      } catch (error) {
        taking.end(NOTHING);
        throw error;
      }
    },
    async issue(wanted) {
      await purse.use();
      return purse.take(wanted);
    },
    change: (path: RemotePath, more: Amount) => void accounting.change(path, more).catch(ignored),
    moved: (way, bytes) => {
      pacing(1);
      return whileActive(accounting.pace(who, way, bytes), active).finally(() => pacing(-1));
    },
    left: () => accounting.left(who),
    quota: () => accounting.quota(who),
  };
}

/** How often somebody who waits for their turn is looked at (ms): at a low rate a turn takes minutes, and who is locked out is to be gone in one. */
const LOOK_MS = 1000;

/** Waits for a turn. Who is locked out waits no more; their next step is refused. */
function whileActive(turn: Promise<void>, active: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setInterval(() => { if (!active()) over(resolve); }, LOOK_MS).unref();
    const over = (then: () => void): void => { clearInterval(timer); then(); };
    turn.then(() => over(resolve), (error: unknown) => over(() => reject(error)));
  });
}

/** What is left of the token that the session came by, if it came by one that can be used up. */
class Purse {
  readonly #accounting: Accounting;
  readonly #who: Metered;
  #used: Promise<void> | undefined;

  constructor(accounting: Accounting, who: Metered) {
    this.#accounting = accounting;
    this.#who = who;
  }

  async take(amount: Amount): Promise<Taking> {
    await this.spend(amount, NOTHING);
    return new Taking(this, amount);
  }

  /** Takes `more`, of all that was taken settles `moved`. */
  async spend(more: Amount, moved: Amount): Promise<void> {
    if (this.#who.token !== undefined) await this.#accounting.spend(this.#who, { ...more, uses: 0 }, { ...moved, uses: 0 });
  }

  /** Once for each session: what is asked meanwhile waits for the same answer. */
  async use(): Promise<void> {
    if (this.#who.token === undefined) return;
    this.#used ??= this.#accounting.spend(this.#who, { ...NOTHING_SPENT, uses: 1 });
    try {
      await this.#used;
    } catch (error) {
      this.#used = undefined;
      throw error;
    }
  }
}

/** What is taken of it for one transfer. */
class Taking implements Issue {
  readonly #purse: Purse;
  #taken: Amount;
  #settled = NOTHING;
  #over = false;

  constructor(purse: Purse, taken: Amount) {
    this.#purse = purse;
    this.#taken = taken;
  }

  async extend(bytes: number): Promise<void> {
    await this.#purse.spend({ bytes: bytes - this.#taken.bytes, files: 0 }, NOTHING);
    this.#taken = { ...this.#taken, bytes };
  }

  async settle(moved: Amount): Promise<void> {
    const more = less(moved, this.#settled);
    this.#settled = moved;
    try {
      if (more.bytes !== 0 || more.files !== 0) await this.#purse.spend(NOTHING, more);
    } catch (error) {
      this.#settled = less(this.#settled, more);
      throw error;
    }
  }

  end(moved: Amount): void {
    if (this.#over) return;
    this.#over = true;
    void this.#purse.spend(less(moved, this.#taken), less(moved, this.#settled)).catch(ignored);
  }
}

class Room implements Admission {
  readonly #accounting: Accounting;
  readonly #purse: Purse;
  readonly #number: number;
  readonly #taking: Taking;
  #over = false;

  constructor(accounting: Accounting, purse: Purse, number: number, taking: Taking) {
    this.#accounting = accounting;
    this.#purse = purse;
    this.#number = number;
    this.#taking = taking;
  }

  async extend(bytes: number): Promise<void> {
    await this.#taking.extend(bytes);
    if (this.#number > 0) await this.#accounting.extend(this.#number, bytes);
  }

  async commit(moved: Amount): Promise<void> {
    await this.#purse.use();
    await this.#taking.settle(moved);
  }

  end(moved: Amount, resting: number): void {
    if (this.#over) return;
    this.#over = true;
    this.#taking.end(moved);
    if (this.#number > 0) void this.#accounting.end(this.#number, resting).catch(ignored);
  }
}

function less(one: Amount, other: Amount): Amount { return { bytes: one.bytes - other.bytes, files: one.files - other.files }; }

/** The process that keeps the counts is gone, and this one is about to be. */
function ignored(): void {}
