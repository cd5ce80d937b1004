/**
 * Descriptors: what of the files that a process may have open its connections and their requests may take. Pure.
 *
 * A connection that finds no room is refused, and a request with a file waits for its turn, so that nothing fails in the
 * middle because it cannot open what it needs. Some are kept for what the process itself needs, and some for requests: however many
 * connections there are, a few files at a time go on, and so all do in the end.
 */
import { Places } from './places.ts';

/** Kept back: what a process with its threads has open by itself (some 40), and what follows. */
export const RESERVED_FILES = 64;
/** What a request needs that reads or writes a file: that and the old version of it. And a walk through a tree: a folder for each level of most trees, and a file. */
const FILES = { in: 2, out: 2, tree: 8 } as const;
/** Requests that always find a place, out of what is kept back. */
const ALWAYS = { in: 4, out: 4, tree: 1 } as const;

/** A request that receives a file, one that sends one, one that walks. They take turns apart, since a client may wait for one with another: it copies. */
export type Kind = keyof typeof FILES;

const KINDS = Object.keys(FILES) as readonly Kind[];

export class Descriptors {
  /** Connections that there is room for while little else is open. */
  readonly connections: number;
  readonly places: Readonly<Record<Kind, Places>>;
  #sockets = 0;

  /** `limit`: what the process may open. */
  constructor(limit = Infinity) {
    this.connections = limit - RESERVED_FILES;
    const places = (kind: Kind): Places => new Places((taken) => taken < ALWAYS[kind] || this.#room() >= FILES[kind], () => this.#next());
    this.places = { in: places('in'), out: places('out'), tree: places('tree') };
  }

  /** Room for a connection: what to call when it is closed, or undefined. */
  socket(): (() => void) | undefined {
    if (this.#room() < 1) return undefined;
    this.#sockets += 1;
    let open = true;
    return () => {
      if (open) this.#sockets -= 1;
      open = false;
      this.#next();
    };
  }

  #next(): void {
    for (const kind of KINDS) this.places[kind].next();
  }

  #room(): number {
    return KINDS.reduce((room, kind) => room - FILES[kind] * Math.max(0, this.places[kind].taken - ALWAYS[kind]), this.connections - this.#sockets);
  }
}
