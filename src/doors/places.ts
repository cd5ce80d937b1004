/**
 * Places: how many may do something at the same time; the others wait in line. Knows nothing about what is done.
 */
export class Places {
  readonly #fits: (taken: number) => boolean;
  readonly #freed: () => void;
  readonly #line: (() => void)[] = [];
  #taken = 0;

  /** `fits` says whether one more is possible when so many are taken. `freed` is told of each that is given back: others may wait for the same room. */
  constructor(fits: (taken: number) => boolean, freed: () => void = () => {}) {
    this.#fits = fits;
    this.#freed = freed;
  }

  get taken(): number { return this.#taken; }

  /** Resolves when there is a place, with what gives it back; calling that again does nothing. */
  async take(): Promise<() => void> {
    if (this.#line.length > 0 || !this.#fits(this.#taken)) await new Promise<void>((resolve) => { this.#line.push(resolve); });
    else this.#taken += 1;
    let here = true;
    return () => {
      if (here) this.#taken -= 1;
      here = false;
      this.next();
      this.#freed();
    };
  }

  /** There may be room for those who wait. */
  next(): void {
    while (this.#line.length > 0 && this.#fits(this.#taken)) {
      this.#taken += 1;
      this.#line.shift()!();
    }
  }
}
