/**
 * Room: the memory that comparing by content may take in this process, whoever compares: windows over files, tables of blocks.
 *
 * Nobody waits for it, because who has some may wait for a peer for as long as that likes. Where there is none left, a file is
 * sent whole.
 */

/** Some six receivers that compare at once, or twenty senders: as much as the budget for what is on its way. */
const LIMIT = 128 << 20;

let used = 0;

/** The part of one transfer. */
export class Room implements Disposable {
  #held = 0;

  /** Takes `bytes` more; false, and nothing taken, when there are not so many. */
  take(bytes: number): boolean {
    if (used + bytes > LIMIT) return false;
    used += bytes;
    this.#held += bytes;
    return true;
  }

  /** Gives all back. */
  [Symbol.dispose](): void {
    used -= this.#held;
    this.#held = 0;
  }
}
