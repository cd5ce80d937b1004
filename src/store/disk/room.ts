/**
 * Room: how much may be kept for `undo`, and for how long; what is too much goes, the oldest action first.
 *
 * Several threads and processes keep things in one folder and share no memory: each counts what the logs say, again when it
 * has added a good part itself or some time has passed, so that together they may be over the bound by a little for a
 * moment. An action goes as a whole: it is renamed first, so that nobody finds half of it. Of one action that
 * is too large by itself, what came first stays. Synchronous.
 */
import { chmodSync, constants, fstatSync, readSync, renameSync, rmdirSync, statfsSync, unlinkSync } from 'node:fs';
import type { Step } from '../undo.ts';
import { closeQuietly } from './attributes.ts';
import { textOf } from './names.ts';
import type { Folder, Name } from './walk.ts';

/** How long, and how many bytes; either 0: nothing is kept. */
export interface KeepLimits { readonly ms: number; readonly bytes: number }

/** The log of an action, in its folder. */
export const LOG = 'log';

/** Names that are kept: each takes an inode of the disk. */
const MAX_ENTRIES = 100_000;
/** Actions that are kept: each is looked at when the next is counted. */
const MAX_ACTIONS = 1000;
/** Of what is free on the disk, what is kept may be so much: uploads come first. */
const SHARE = 10;
/** What was counted is believed for so long (ms), and until so much of the bound was added. */
const BELIEVED_MS = 1000;
const ADDED_SHARE = 64;
/** A log that is larger is not read: 100,000 steps with long paths. */
const MAX_LOG_BYTES = 32 << 20;

/** What is known of an action: the size of its log, when that was written (ms since 1970), and what it says. */
interface Log { readonly size: number; readonly at: number; readonly bytes: number; readonly entries: number; readonly steps: number }

const EMPTY: Log = { size: 0, at: 0, bytes: 0, entries: 0, steps: 0 };

export class Room {
  readonly #limits: KeepLimits;
  readonly #inside: <T>(action: (kept: Folder) => T) => T;
  readonly #logs = new Map<string, Log>();
  /** Bytes there may be, with what is free now. */
  #limit = 0;
  /** What the logs said, and what this thread has added since. */
  #sum = { bytes: 0, entries: 0 };
  /** Of that, what is in no log yet. */
  readonly #open = { bytes: 0, entries: 0 };
  #added = 0;
  #counted = -Infinity;

  constructor(limits: KeepLimits, inside: <T>(action: (kept: Folder) => T) => T) {
    this.#limits = limits;
    this.#inside = inside;
  }

  /** Makes room for so much of the action `name`; false when there is none even without all others, but for the one to `spare`. */
  admit(name: string, bytes: number, entries: number, spare?: string): boolean {
    if (bytes > this.#limits.bytes || entries > MAX_ENTRIES) return false;
    if (this.#added + bytes > this.#limit / ADDED_SHARE || performance.now() - this.#counted > BELIEVED_MS) this.#count();
    if (!this.#shrink(this.#limit - bytes, MAX_ENTRIES - entries, [name, spare])) return false;
    this.#add(bytes, entries);
    return true;
  }

  /** What was admitted was not used. */
  giveBack(bytes: number, entries: number): void {
    this.#add(-bytes, -entries);
  }

  /** What was admitted is in the log now. */
  settle(name: string, { size, bytes, entries, steps }: Omit<Log, 'at'>): void {
    this.#open.bytes -= bytes + size;
    this.#open.entries -= entries;
    const log = this.#logs.get(name) ?? EMPTY;
    // Where another thread has written too, the size tells the next count.
    this.#logs.set(name, { size: log.size + size, at: Date.now(), bytes: log.bytes + bytes, entries: log.entries + entries, steps: log.steps + steps });
  }

  stepsOf(name: string): number {
    return this.#logs.get(name)?.steps ?? 0;
  }

  /** Every action, as of now: those whose time is over are gone. */
  logs(): ReadonlyMap<string, Log> {
    this.#count();
    this.#shrink(this.#limit, MAX_ENTRIES);
    return this.#logs;
  }

  /** Gives up what is kept, the oldest first, until so many bytes are free on the disk; whether that changed anything. */
  makeRoom(bytes: number): boolean {
    this.#count();
    let removed = false;
    while (this.#free() < bytes) {
      const oldest = this.#oldest();
      if (oldest === undefined) break;
      this.remove(oldest);
      removed = true;
    }
    return removed;
  }

  /** Removes an action, and all that it has kept. */
  remove(name: string): void {
    const gone = `${name}${GONE}`;
    this.#inside((kept) => {
      try {
        renameSync(kept.at(name), kept.at(gone));
      } catch {
        return; // somebody else removes it
      }
      removeTree(kept, gone);
    });
    const { bytes, entries, size } = this.#logs.get(name) ?? EMPTY;
    this.#sum = { bytes: Math.max(0, this.#sum.bytes - bytes - size), entries: Math.max(0, this.#sum.entries - entries) };
    this.#logs.delete(name);
  }

  #add(bytes: number, entries: number): void {
    this.#sum.bytes += bytes;
    this.#sum.entries += entries;
    this.#open.bytes += bytes;
    this.#open.entries += entries;
    this.#added += bytes;
  }

  #free(): number {
    const { bavail, bsize } = this.#inside((kept) => statfsSync(kept.base));
    return bavail * bsize;
  }

  #shrink(bytes: number, entries: number, except: readonly (string | undefined)[] = []): boolean {
    while (this.#sum.bytes > bytes || this.#sum.entries > entries || this.#logs.size > MAX_ACTIONS) {
      const oldest = this.#oldest(except);
      if (oldest === undefined) return this.#sum.bytes <= bytes && this.#sum.entries <= entries;
      this.remove(oldest);
    }
    return true;
  }

  #oldest(except: readonly (string | undefined)[] = []): string | undefined {
    let found: [string, Log] | undefined;
    for (const one of this.#logs) if (!except.includes(one[0]) && (found === undefined || one[1].at < found[1].at)) found = one;
    return found?.[0];
  }

  /** Reads what the logs say that was not read before, and removes what is too old. */
  #count(): void {
    const there = new Set<string>();
    this.#inside((kept) => {
      for (const { name: raw } of kept.names()) {
        const name = textOf(raw) ?? '';
        if (name.endsWith(GONE)) removeTree(kept, name); // whoever began to did not end
        else if (this.#look(kept, name)) there.add(name);
      }
    });
    this.#sum = { ...this.#open };
    for (const [name, { at, bytes, entries, size }] of this.#logs) {
      if (!there.has(name)) this.#logs.delete(name);
      else {
        this.#sum.bytes += bytes + size;
        this.#sum.entries += entries;
        if (at < Date.now() - this.#limits.ms) this.remove(name);
      }
    }
    this.#limit = Math.min(this.#limits.bytes, this.#free() / SHARE);
    this.#added = 0;
    this.#counted = performance.now();
  }

  /** Looks at one action; false when it is gone. */
  #look(kept: Folder, name: string): boolean {
    try {
      using folder = kept.enter(name);
      const stats = folder.look(LOG);
      const known = this.#logs.get(name) ?? EMPTY;
      if (stats === undefined) this.#logs.set(name, { ...EMPTY, at: folder.stats().mtimeMs });
      else if (known.size === stats.size) this.#logs.set(name, { ...known, at: stats.mtimeMs });
      else this.#logs.set(name, sumOf(readRecords(folder), stats.size, stats.mtimeMs));
      return true;
    } catch {
      return false;
    }
  }
}

/** Ends the name of an action that is being removed. */
const GONE = '.gone';

interface LogRecord { readonly bytes: number; readonly entries: number; readonly count: number; readonly text: string }

function sumOf(records: readonly LogRecord[], size: number, at: number): Log {
  const log = { size, at, bytes: 0, entries: 0, steps: 0 };
  for (const { bytes, entries, count } of records) {
    log.bytes += bytes;
    log.entries += entries;
    log.steps += count;
  }
  return log;
}

/** A record of a log: what it adds to what is kept, in front of what it says, so that counting need not read that. */
export function recordOf(steps: readonly Step[], bytes: number, entries: number): string {
  return `${bytes} ${entries} ${steps.length} ${JSON.stringify(steps)}\n`;
}

/** The records of an action. One that was cut off by a crash is passed over. */
export function readRecords(folder: Folder): LogRecord[] {
  const fd = folder.open(LOG, constants.O_RDONLY);
  try {
    const text = Buffer.alloc(Math.min(MAX_LOG_BYTES, fstatSync(fd).size));
    const size = readSync(fd, text, 0, text.length, 0);
    return text.toString('utf8', 0, size).split('\n').flatMap((line) => {
      const match = /^(\d+) (\d+) (\d+) (\[.*\])$/s.exec(line);
      return match === null ? [] : [{ bytes: Number(match[1]), entries: Number(match[2]), count: Number(match[3]), text: match[4]! }];
    });
  } finally {
    closeQuietly(fd);
  }
}

export function stepsOf({ text }: LogRecord): readonly Step[] {
  return JSON.parse(text) as Step[];
}

/** Removes a folder with all in it, also where its modes would forbid it: nobody else is in here. */
function removeTree(parent: Folder, name: Name): void {
  try {
    using folder = parent.enter(name);
    if ((folder.stats().mode & 0o700) !== 0o700) chmodSync(`${folder.base}/.`, 0o700);
    // Twice, because some disks pass over names when others are removed while the folder is read.
    for (let pass = 0; pass < 2; pass += 1) {
      for (const entry of folder.names()) {
        if (entry.isDirectory()) removeTree(folder, entry.name);
        else unlinkSync(folder.at(entry.name));
      }
    }
    rmdirSync(parent.at(name));
  } catch {
    // A disk that fails, or somebody who does the same: the next look goes on with it.
  }
}
