/**
 * Aborts: who wants to hear of the abort of which signal. However many requests share a signal, it gets one listener:
 * Node takes more than ten for a leak, and takes longer to remove one the more there are.
 */
export class Aborts {
  readonly #listeners = new Map<AbortSignal, Set<{ tell(): void }>>();

  /** `tell` is called when the signal aborts, once, unless the answer is disposed before. Without a signal never. */
  on(signal: AbortSignal | undefined, tell: () => void): Disposable {
    if (signal === undefined) return { [Symbol.dispose]: () => {} };
    const waiting = this.#listeners.get(signal) ?? this.#listen(signal);
    const one = { tell };
    waiting.add(one);
    return { [Symbol.dispose]: () => { waiting.delete(one); if (waiting.size === 0) this.#rest(signal, waiting); } };
  }

  #listen(signal: AbortSignal): Set<{ tell(): void }> {
    const waiting = new Set<{ tell(): void }>();
    this.#listeners.set(signal, waiting);
    signal.addEventListener('abort', this.#heard, { once: true });
    return waiting;
  }

  #rest(signal: AbortSignal, waiting: Set<{ tell(): void }>): void {
    if (this.#listeners.get(signal) !== waiting) return;
    this.#listeners.delete(signal);
    signal.removeEventListener('abort', this.#heard);
  }

  readonly #heard = ({ target }: Event): void => {
    const signal = target as AbortSignal;
    const waiting = this.#listeners.get(signal);
    this.#listeners.delete(signal);
    for (const one of waiting ?? []) one.tell();
  };
}
