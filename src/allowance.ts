/**
 * Allowance: so many at once, and so many a second after that. Pure, but for the clock.
 *
 * What is not used is saved up to the number that may come at once.
 */
export class Allowance {
  #atOnce: number;
  #perSecond: number;
  readonly #clock: () => number;
  #left: number;
  #counted: number;

  /** `clock` in milliseconds. */
  constructor(atOnce: number, perSecond: number, clock = () => performance.now()) {
    this.#atOnce = atOnce;
    this.#perSecond = perSecond;
    this.#clock = clock;
    this.#left = atOnce;
    this.#counted = clock();
  }

  /** Takes one, if there is one. */
  take(): boolean {
    this.#save();
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  /** From now on; what was saved up stays, up to the new number. */
  adjust(atOnce: number, perSecond: number): void {
    this.#save();
    this.#atOnce = atOnce;
    this.#perSecond = perSecond;
    this.#left = Math.min(atOnce, this.#left);
  }

  #save(): void {
    const now = this.#clock();
    this.#left = Math.min(this.#atOnce, this.#left + ((now - this.#counted) / 1000) * this.#perSecond);
    this.#counted = now;
  }

  /** How long until there is one (ms). */
  get waitMs(): number { return Math.max(0, ((1 - this.#left) / this.#perSecond) * 1000); }
}
