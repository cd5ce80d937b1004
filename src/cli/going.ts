/**
 * Going on: a put or get whose connection breaks is begun again over a new one, with the sources that were not done.
 *
 * What arrived of large files is kept by the receiver, and of small files it is remembered here, so that nothing of it is sent twice. Sources that are done, or failed
 * for reasons of their own, are over; what the caller hears of each comes once. A folder that took the target as its name
 * goes on as `FOLDER/.`, which leads to the same place. Progress never runs backwards.
 * What was asked about replaces only what it was asked about on the first connection: on the next, what arrived itself would be in the way.
 */
import type { Client, Item, Progress, Remembered, Summary, TransferOptions } from '../client/api.ts';
import type { Code, Failure } from '../errors.ts';
import { meansContents } from '../path.ts';

/** After these the same again over a new connection is safe, and may succeed. */
const CUT: ReadonlySet<Code> = new Set<Code>(['LOST', 'TIMEOUT', 'SHUTDOWN']);

export type Move = (client: Client, sources: readonly string[], target: string, options: TransferOptions) => Promise<Summary>;

export interface Errand {
  readonly sources: readonly string[];
  readonly target: string;
  readonly move: Move;
  /** Whether it is worth remembering what arrived: there may be another connection. */
  readonly lasting: boolean;
  /** The target is that of an earlier command that was cut: a new folder all the same, which gets the mode and time of its source. */
  readonly begun?: string | undefined;
  /** A new connection in place of the one that broke for `reason`; undefined: the transfer ends as it is. */
  reconnect(reason: Failure): Promise<Client | undefined>;
}

export function isCut(failure: Failure | undefined): failure is Failure {
  return failure !== undefined && CUT.has(failure.code);
}

/** What the tries of one command leave for each other, before the first; `begun` as of an errand. */
export function remembering(begun?: string): Remembered {
  return { sent: new Set(), tops: new Set(begun === undefined ? [] : [begun]), fetched: new Map(), left: new Map(), held: new Map() };
}

export async function goOn(first: Client, { sources, target, move, lasting, begun, reconnect }: Errand, options: TransferOptions): Promise<Summary> {
  const began = performance.now();
  const done = new Map<string, Item>();
  const told = new Steady(options, done, sources.length);
  const tries = new Tries(sources.length === 1 ? began : undefined);
  const remembered = lasting || begun !== undefined ? remembering(begun) : undefined;
  let client = first;
  let left: readonly Left[] = sources.map((source) => ({ source, typed: source }));
  let at = target;
  for (;;) {
    const typed = new Map(left.map((one) => [one.source, one.typed]));
    const held: Item[] = [];
    const onItem = (item: Item): void => {
      const whole = tries.add({ ...item, source: typed.get(item.source) ?? item.source });
      if (isCut(item.failure)) held.push(whole);
      else finish(done, whole, options);
    };
    const summary = await move(client, left.map(({ source }) => source), at, { ...options, ...(client !== first && options.replaceable !== undefined && { ifAbsent: false }), onItem, onProgress: told.listener, remembered });
    const reason = held.map(({ failure }) => failure).find(isCut);
    const next = reason === undefined || options.signal?.aborted === true ? undefined : await reconnect(reason);
    if (next === undefined) {
      for (const item of held) finish(done, item, options);
      return summed(summary, sources, done, performance.now() - began);
    }
    client = next;
    told.again();
    // Several sources went into a folder, and so does the last of them.
    if (sources.length > 1 && !at.endsWith('/')) at = `${at}/`;
    left = held.map((item) => again(item.source, item, at));
    if (sources.length === 1 && held[0]?.kind === 'folder' && held[0].target !== '') at = left[0]!.source.endsWith('/.') ? held[0].target : at;
  }
}

interface Left { readonly source: string; readonly typed: string }

/** The only source of a command, a folder whose target is known, goes on there by its contents. */
function again(typed: string, item: Item, at: string): Left {
  const whole = item.kind === 'folder' && item.target !== '' && !at.endsWith('/') && !meansContents(typed);
  return { source: whole ? `${typed.replace(/\/+$/, '')}/.` : typed, typed };
}

function finish(done: Map<string, Item>, item: Item, { onItem }: TransferOptions): void {
  done.set(item.source, item);
  onItem?.(item);
}

/**
 * The items of the tries as those of the whole command. A try counts as kept what the ones before it brought; only what was there
 * before the first was kept by the command. The least that this can be is what a try kept beyond all that was given to the connection before.
 */
class Tries {
  /** When the only source was begun. */
  readonly #alone: number | undefined;
  readonly #before = new Map<string, { readonly began: number; readonly moved: number; readonly kept: number; readonly files: number; readonly bytes: number }>();

  constructor(alone: number | undefined) {
    this.#alone = alone;
  }

  /** What became of a source in one more try, together with those before. */
  add(item: Item): Item {
    const { source, kind, files, bytes, moved, unfinished, milliseconds } = item;
    const before = this.#before.get(source);
    const now = performance.now();
    const all = {
      began: before?.began ?? this.#alone ?? now - milliseconds, moved: (before?.moved ?? 0) + moved, files: Math.max(files, before?.files ?? 0), bytes: Math.max(bytes, before?.bytes ?? 0),
      kept: Math.max(before?.kept ?? 0, bytes + unfinished - moved - (before?.moved ?? 0)),
    };
    // One that was not begun when the connection broke has not taken any time either.
    if (kind !== undefined || this.#alone !== undefined) this.#before.set(source, all);
    return before === undefined ? item : { ...item, files: all.files, bytes: all.bytes, kept: Math.min(all.kept, all.bytes), moved: all.moved, milliseconds: now - all.began };
  }
}

/** Readings over all connections: what is done adds up, and no number goes back. */
class Steady {
  readonly listener: TransferOptions['onProgress'];
  readonly #done: ReadonlyMap<string, Item>;
  #most: Progress | undefined;
  #last = { bytes: 0, kept: 0 };
  /** What sources that are over brought on earlier connections, and what moved on them. */
  #before = { files: 0, bytes: 0, moved: 0 };

  constructor({ onProgress }: TransferOptions, done: ReadonlyMap<string, Item>, sources: number) {
    this.#done = done;
    this.listener = onProgress === undefined ? undefined : (now) => onProgress(this.#add(now, sources));
  }

  /** Another connection begins to count from nothing. */
  again(): void {
    const items = [...this.#done.values()];
    const moved = this.#before.moved + this.#last.bytes - this.#last.kept;
    this.#before = { files: items.reduce((sum, { files }) => sum + files, 0), bytes: items.reduce((sum, { bytes }) => sum + bytes, 0), moved };
    this.#last = { bytes: 0, kept: 0 };
  }

  #add(now: Progress, sources: number): Progress {
    const [before, most] = [this.#before, this.#most];
    this.#last = now;
    const more = (count: number | undefined, base: number, least: number | undefined) => (count === undefined ? least : Math.max(count + base, least ?? 0));
    const bytes = Math.max(now.bytes + before.bytes, most?.bytes ?? 0);
    this.#most = {
      ...now, bytes, kept: Math.max(0, bytes - before.moved - (now.bytes - now.kept)), files: Math.max(now.files + before.files, most?.files ?? 0),
      totalBytes: more(now.totalBytes, before.bytes, most?.totalBytes), totalFiles: more(now.totalFiles, before.files, most?.totalFiles),
      sources: this.#done.size, totalSources: sources,
    };
    return this.#most;
  }
}

function summed(last: Summary, sources: readonly string[], done: ReadonlyMap<string, Item>, milliseconds: number): Summary {
  const items = sources.map((source) => done.get(source)).filter((item) => item !== undefined);
  const sum = (pick: (item: Item) => number): number => items.reduce((total, item) => total + pick(item), 0);
  return {
    ...last, items, files: sum((item) => item.files), bytes: sum((item) => item.bytes), kept: sum((item) => item.kept), skipped: sum((item) => item.skipped), left: sum((item) => item.left),
    failed: sum((item) => item.failed + (item.failure === undefined ? 0 : 1)), milliseconds,
  };
}
