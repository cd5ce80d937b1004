/**
 * A watcher looks at the served folder all the time, as another program on the server would, and remembers every
 * content of a visible name that is not one of those allowed for it. The staging folder is the server's own.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export class Watcher {
  readonly #folder: string;
  readonly #allowed = new Map<string, Set<string>>();
  readonly #done: Promise<void>;
  #stopped = false;
  /** Names with a content that nobody sent. */
  readonly wrong: string[] = [];
  /** Rounds through the folder. */
  rounds = 0;

  constructor(folder: string) {
    this.#folder = folder;
    this.#done = this.#watch();
  }

  /** From now on `name` may have this content too. */
  allow(name: string, bytes: Uint8Array): void {
    const digests = this.#allowed.get(name);
    if (digests === undefined) this.#allowed.set(name, new Set([digestOf(bytes)]));
    else digests.add(digestOf(bytes));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      for (const entry of readdirSync(this.#folder, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name).slice(this.#folder.length + 1);
        if (!entry.isFile() || path.startsWith('.wherry/')) continue;
        this.#look(path);
        await new Promise((resolve) => { setImmediate(resolve); });
      }
      this.rounds += 1;
      await new Promise((resolve) => { setImmediate(resolve); });
    }
  }

  #look(path: string): void {
    let bytes: Buffer;
    try {
      bytes = readFileSync(join(this.#folder, path)); // one open file: a rename meanwhile does not mix two
    } catch {
      return; // replaced or removed since it was listed
    }
    if (this.#allowed.get(path)?.has(digestOf(bytes)) !== true) this.wrong.push(`${path}: ${bytes.length} bytes`);
  }
}
