/**
 * Refusals: keeps a flood of connections that are not let in from being a flood in the log.
 *
 * The first refusal of an address and kind is told at once, what follows as one line a minute with a count, as long as more come.
 * From then on that a connection was made from there is told when it has signed in; of one that is only counted nothing
 * else is. Addresses that are counted at a time are bounded: those beyond are counted together.
 */
import { networkOf } from '../network.ts';
import type { ServerEvent } from './log.ts';

const MINUTE_MS = 60_000;
/** More than anybody reads. */
const MAX_COUNTED = 1000;
const OTHERS = 'other addresses';

interface Counted { last: ServerEvent; count: number }

export class Refusals implements Disposable {
  readonly #emit: (event: ServerEvent) => void;
  readonly #everyMs: number;
  /** Since the minute began, by address, and there by what happened. */
  readonly #counted = new Map<string, Map<string, Counted>>();
  /** Connections that were not told of and are not signed in, by session; as many as there may be connections. */
  readonly #held = new Map<unknown, ServerEvent>();
  /** Sessions of which nothing is told any more, until their end. */
  readonly #muted = new Set<unknown>();
  #timer: NodeJS.Timeout | undefined;

  constructor(emit: (event: ServerEvent) => void, everyMs = MINUTE_MS) {
    this.#emit = emit;
    this.#everyMs = everyMs;
  }

  tell(event: ServerEvent): void {
    const { event: name, session } = event;
    if (name === 'connected' && this.#counted.has(this.#placeOf(event))) return void this.#held.set(session, event);
    if (name === 'disconnected' && this.#muted.delete(session)) return;
    const connected = this.#held.get(session);
    this.#held.delete(session);
    if (name === 'refused' || (name === 'disconnected' && connected !== undefined)) {
      if (!this.#isFirst(event)) return name === 'refused' && connected !== undefined ? void this.#muted.add(session) : undefined;
    }
    if (connected !== undefined) this.#emit(connected);
    this.#emit(event);
  }

  /** Tells what was counted so far. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [place, kinds] of [...this.#counted]) {
      for (const [kind, counted] of [...kinds]) {
        if (counted.count === 0) kinds.delete(kind);
        else this.#sum(place, counted);
      }
      if (kinds.size === 0) this.#counted.delete(place);
      else this.#later();
    }
  }

  [Symbol.dispose](): void {
    this.flush();
    clearTimeout(this.#timer);
  }

  #sum(place: string, counted: Counted): void {
    const { session, active, ...rest } = counted.last;
    void [session, active]; // of the last one alone
    this.#emit({ ...rest, ...(place === OTHERS && { address: OTHERS }), count: counted.count });
    counted.count = 0;
  }

  #later(): void {
    this.#timer ??= setTimeout(() => this.flush(), this.#everyMs).unref();
  }

  #placeOf({ address }: ServerEvent): string {
    const network = networkOf(typeof address === 'string' ? address : 'unknown');
    return this.#counted.has(network) || this.#counted.size < MAX_COUNTED ? network : OTHERS;
  }

  /** False: it was counted. */
  #isFirst(event: ServerEvent): boolean {
    const place = this.#placeOf(event);
    const kinds = this.#counted.get(place) ?? new Map<string, Counted>();
    const kind = `${event.event} ${typeof event['code'] === 'string' ? event['code'] : ''}`; // codes are few
    const counted = kinds.get(kind);
    this.#counted.set(place, kinds.set(kind, { last: event, count: counted === undefined ? Number(place === OTHERS) : counted.count + 1 }));
    this.#later();
    return counted === undefined && place !== OTHERS;
  }
}
