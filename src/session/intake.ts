/**
 * Intake: how much the peer may send on one exchange, decided by its receiver.
 *
 * Credit is given back for what has gone where it belongs, so that the receiver sets the pace. What may be on the way at
 * once, the window, begins small and doubles when the peer has said that it waits for credit and yet little of what it sent
 * is left here: then the rest is on the line, and it is the window that limits. A slow receiver always holds much of it, and
 * stays as it is. What windows take beyond their beginning is lent (`windows.ts`): what is called back is not given back as credit.
 */
import { INITIAL_CREDIT } from './machine.ts';
import type { Windows } from './windows.ts';

/** Credit is given back in portions, so that not every frame costs an answer. */
const GRANT_BYTES = 1 << 20;

export class Intake {
  readonly #windows: Windows;
  #entered = false;
  #lent = 0;
  #held = 0;
  #ungranted = 0;
  /** While above 0, the peer waits for credit as far as is known: as many more bytes may come as belong to before it did. */
  #waiting = 0;

  constructor(windows: Windows) {
    this.#windows = windows;
  }

  /** What came and is not where it belongs yet. */
  get held(): number { return this.#held; }

  came(bulk: number): void {
    this.#held += bulk;
    this.#waiting -= bulk;
    if (this.#entered || bulk === 0) return;
    this.#entered = true;
    this.#windows.enter();
  }

  /** So much is not held any more. */
  taken(bulk: number): void { this.#held -= bulk; }

  /** As many bytes may come again; how much credit is to be given for them now. */
  granted(bulk: number): number {
    this.#ungranted += bulk;
    if (this.#ungranted < GRANT_BYTES) return 0;
    const calledBack = Math.min(this.#lent, this.#windows.overdrawn, this.#ungranted);
    this.#giveBack(calledBack);
    const amount = this.#ungranted - calledBack;
    this.#ungranted = 0;
    return amount;
  }

  get #window(): number { return INITIAL_CREDIT + this.#lent; }

  /** The peer says that it waits for credit. It says so again after half a window. */
  stalled(): void { this.#waiting = this.#window / 2; }

  /** By how much the window is to be wider from now on. */
  more(): number {
    if (!this.#entered || this.#waiting <= 0 || this.#held > this.#window / 4) return 0;
    this.#waiting = 0;
    const more = this.#windows.lend(this.#window);
    this.#lent += more;
    return more;
  }

  /** Nothing is taken any more; what was held until now. */
  close(): number {
    const held = this.#held;
    this.#held = 0;
    this.#giveBack(this.#lent);
    if (this.#entered) this.#windows.leave();
    this.#entered = false;
    return held;
  }

  #giveBack(bytes: number): void {
    this.#lent -= bytes;
    this.#windows.giveBack(bytes);
  }
}
