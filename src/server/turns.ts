/**
 * Turns: what changes a whole server, one after the other: reloads, and being followed by a new version.
 *
 * A reload in the middle of a handover would give the new version another configuration than this one has, or open ports
 * that are just being passed on; so it waits. Who asks for a reload while one waits for its turn is answered by that one.
 */
export class Turns<T> {
  #last: Promise<unknown> = Promise.resolve();
  #waiting: Promise<T> | undefined;

  /** As soon as what was asked for before is over, however that ends. */
  next<R>(step: () => Promise<R>): Promise<R> {
    const turn = this.#last.then(step);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** The same, together with all who ask before it begins. */
  joined(step: () => Promise<T>): Promise<T> {
    this.#waiting ??= this.next(() => {
      this.#waiting = undefined;
      return step();
    });
    return this.#waiting;
  }
}
