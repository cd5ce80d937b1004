/**
 * Windows: by how much the windows of all exchanges of a process may be wider than they began, in one number.
 *
 * An exchange on which bulk has come has its fair share of the budget, whatever the others do; only what these shares
 * leave of it is lent, and taken back when more exchanges come. So windows that grew never use up what others may hold.
 */
import { INITIAL_CREDIT } from './machine.ts';

export class Windows {
  readonly #limit: number;
  /** Exchanges on which bulk has come. */
  #shares = 0;
  #lent = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that are lent beyond what there is to lend: others have come since. */
  get overdrawn(): number { return Math.max(0, this.#lent - this.#spare); }
  get #spare(): number { return Math.max(0, this.#limit - this.#shares * INITIAL_CREDIT); }

  /** Another exchange takes bulk. */
  enter(): void { this.#shares += 1; }
  leave(): void { this.#shares -= 1; }

  /** Lends up to `most` bytes; how many. */
  lend(most: number): number {
    const lent = Math.max(0, Math.min(most, this.#spare - this.#lent));
    this.#lent += lent;
    return lent;
  }

  giveBack(bytes: number): void { this.#lent -= bytes; }
}
