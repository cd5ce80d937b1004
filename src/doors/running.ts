/**
 * Running: the requests of one connection, so many of them at a time as may hold memory or files open. The others wait for
 * their turn, also behind those of other connections where the process has not enough files for all.
 */
import type { Request } from '../session/rules.ts';
import type { Descriptors, Kind } from './descriptors.ts';
import { Places } from './places.ts';

/** Trees that are sent at once on one connection: each holds folders open, and up to four packs that come. */
const MAX_TREES = 4;

/** Listings at once on one connection: each holds two pages while its client does not read. More than a person or a walk asks for. */
const MAX_LISTINGS = 8;

/** Requests that have a file open as long as they run, and those that walk. What is not here opens and closes in one step. */
const HOLDING: Readonly<Partial<Record<Request, Kind>>> = { put: 'in', get: 'out', hash: 'out', measure: 'out', getTree: 'tree', putTree: 'tree' };

export class Running {
  readonly #own: Readonly<Record<Kind, Places>>;
  readonly #all: Readonly<Record<Kind, Places>>;
  readonly #listings = new Places((taken) => taken < MAX_LISTINGS);

  constructor(maxFiles: number, { places }: Descriptors) {
    const own = (most: number): Places => new Places((taken) => taken < most);
    this.#own = { in: own(maxFiles), out: own(maxFiles), tree: own(MAX_TREES) };
    this.#all = places;
  }

  /** Runs `action` when it is the turn of such a request. */
  async run(request: Request, action: () => Promise<void>): Promise<void> {
    const holds = HOLDING[request];
    const lines = holds !== undefined ? [this.#own[holds], this.#all[holds]] : request === 'list' ? [this.#listings] : [];
    const leave: (() => void)[] = [];
    for (const line of lines) leave.unshift(await line.take());
    try {
      await action();
    } finally {
      for (const one of leave) one();
    }
  }
}
