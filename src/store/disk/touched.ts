/** Touched: folders in which names have changed, and those on the way to them, open until they are flushed together. */
import { closeQuietly } from './attributes.ts';
import { refuseUnflushed, type Flush, type Flushed } from './flush.ts';
import type { Folder } from './walk.ts';

export class Touched {
  /** By their number on the disk. */
  readonly #fds = new Map<string, number>();

  get size(): number {
    return this.#fds.size;
  }

  add(folder: Folder): void {
    const { dev, ino } = folder.stats();
    const id = `${dev}:${ino}`;
    if (!this.#fds.has(id)) this.#fds.set(id, folder.openSelf());
  }

  /** One that fails takes the promise back from all. */
  *flush(): Generator<Flush, void, Flushed> {
    if (this.#fds.size === 0) return;
    const flushed = yield { fds: [...this.#fds.values()], whole: true };
    this.close();
    refuseUnflushed(flushed.find((errno) => errno !== undefined));
  }

  close(): void {
    for (const fd of this.#fds.values()) closeQuietly(fd);
    this.#fds.clear();
  }
}
