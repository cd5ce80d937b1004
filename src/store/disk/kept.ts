/**
 * Kept: what puts replace and removals take away, below the staging folder until `undo` brings it back or its time is over.
 *
 *     .wherry/kept/BY.ACTION/log     what the action did, a record for each request or pack of it
 *     .wherry/kept/BY.ACTION/NAME    a file or folder as it was
 *
 * BY is a digest of whose action it was; an action of `undo` itself ends in `.undo`. A file that is about to be replaced gets a second name
 * here, by `link`, so that its own name is never missing; what is removed is renamed to here. Nothing in here is ever a
 * reason for a request to fail: where it cannot be done, the request is done as if there were no undo, and that is noted.
 * The log is written after the deed and not flushed: whoever is killed between the two leaves a second name that nobody knows, which
 * goes with the rest of its action. Nothing is told of it through any path: the staging folder is private, and no path names it.
 * How much there may be is `room.ts`'s to say. Synchronous.
 */
import { constants, linkSync, mkdirSync, renameSync, writeSync, type Stats } from 'node:fs';
import { digestOf, hex } from '../../digest.ts';
import { Failure } from '../../errors.ts';
import { type Chosen, type Held, heldFor, type Keep, type Seen, type Step } from '../undo.ts';
import { closeQuietly, kindOf, mtimeOf } from './attributes.ts';
import { type KeepLimits, LOG, readRecords, recordOf, Room, stepsOf } from './room.ts';
import { KEPT, type Stage } from './stage.ts';
import type { Folder } from './walk.ts';

/** Steps of one action that are noted: as many as may be kept. What it does beyond is told as lost. */
const MAX_STEPS = 100_000;

const { O_APPEND, O_CREAT, O_WRONLY } = constants;

export class Kept {
  readonly #room: Room;
  readonly #stage: Stage;
  readonly #on: boolean;
  #serial = 0;

  constructor(stage: Stage, limits: KeepLimits) {
    this.#stage = stage;
    this.#on = limits.ms > 0 && limits.bytes > 0;
    this.#room = new Room(limits, (action) => this.#inside(action));
  }

  /** A part of the action, to be disposed when the request is over; undefined where nothing is to be kept. `undone`: it is an undo of that action, which must not go to make room for it. */
  open(keep: Keep | undefined, undone?: { readonly action: string; readonly redo: boolean }): Doing | undefined {
    if (keep === undefined || !this.#on) return undefined;
    const name = `${ownerOf(keep.by)}.${keep.action}${undone?.redo === false ? UNDONE : ''}`;
    return new Doing(name, undone && nameOf(keep.by, undone.action, undone.redo), this.#room, () => this.#inside((kept) => enterOrMake(kept, name)), () => this.#next());
  }

  /** Lets go of what is too old or too much. */
  expire(): void {
    if (this.#stage.hasKept) this.#room.logs();
  }

  /** Gives up what is kept until so many bytes are free; whether that changed anything. */
  makeRoom(bytes: number): boolean {
    return this.#stage.hasKept && this.#room.makeRoom(bytes);
  }

  /** The last action that `by` can undo, or with `redo` the last undo; undefined when there is none. */
  latest(by: string, redo: boolean): Chosen | undefined {
    let found: Chosen | undefined;
    if (!this.#stage.hasKept) return undefined;
    for (const [name, { at, steps }] of this.#room.logs()) {
      const [owner, action = '', kind] = name.split('.');
      if (owner !== ownerOf(by) || (kind !== undefined) !== redo || steps === 0) continue;
      // The clock of a disk is coarse; of two in one tick the tag tells which came later.
      if (found === undefined || at > found.at || (at === found.at && action > found.action)) found = { action, at, steps };
    }
    return found;
  }

  /** The steps of an action, in the order they were done. */
  read(by: string, action: string, redo: boolean): Step[] {
    return this.inAction(by, action, redo, (folder) => readRecords(folder).flatMap(stepsOf));
  }

  /** Notes that of an action only these steps are left to undo. */
  leave(by: string, action: string, redo: boolean, steps: readonly Step[]): void {
    if (steps.length === 0) return this.#room.remove(nameOf(by, action, redo));
    this.inAction(by, action, redo, (folder) => {
      const fresh = `${this.#next()}.log`;
      const fd = folder.open(fresh, O_WRONLY | O_CREAT, 0o600);
      try {
        const held = steps.map(heldFor);
        writeSync(fd, recordOf(steps, held.reduce((sum, { bytes }) => sum + bytes, 0), held.reduce((sum, { entries }) => sum + entries, 0)));
      } finally {
        closeQuietly(fd);
      }
      renameSync(folder.at(fresh), folder.at(LOG));
    });
  }

  /** Works in the folder of an action. Throws NOTFOUND when it is gone. */
  inAction<T>(by: string, action: string, redo: boolean, work: (folder: Folder) => T): T {
    return this.#inside((kept) => {
      using folder = entered(kept, nameOf(by, action, redo));
      return work(folder);
    });
  }

  #inside<T>(action: (kept: Folder) => T): T {
    return this.#stage.inside((stage) => {
      using kept = enterOrMake(stage, KEPT);
      return action(kept);
    });
  }

  #next(): string {
    this.#serial += 1;
    return `${this.#stage.instance}${this.#serial}`;
  }
}

const UNDONE = '.undo';

function ownerOf(by: string): string {
  return hex(digestOf(Buffer.from(`undo ${by}`))).slice(0, 32);
}

function nameOf(by: string, action: string, redo: boolean): string {
  return `${ownerOf(by)}.${action}${redo ? UNDONE : ''}`;
}

function entered(kept: Folder, name: string): Folder {
  try {
    return kept.enter(name);
  } catch (error) {
    throw unknownAction(error);
  }
}

function enterOrMake(folder: Folder, name: string): Folder {
  try {
    return folder.enter(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  try {
    mkdirSync(folder.at(name), 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return folder.enter(name);
}

export function seenOf(stats: Stats): Seen {
  const kind = kindOf(stats);
  return { kind, id: stats.ino, size: kind === 'file' ? stats.size : 0, mtime: mtimeOf(stats) };
}

/** What one request or pack does, noted as it happens and written down at its end. */
export class Doing implements Disposable {
  readonly #name: string;
  readonly #spare: string | undefined;
  readonly #room: Room;
  readonly #enter: () => Folder;
  readonly #next: () => string;
  readonly #steps: Step[] = [];
  #folder: Folder | undefined;
  #bytes = 0;
  #entries = 0;

  constructor(name: string, spare: string | undefined, room: Room, enter: () => Folder, next: () => string) {
    this.#name = name;
    this.#spare = spare;
    this.#room = room;
    this.#enter = enter;
    this.#next = next;
  }

  note(step: Step): void {
    this.#steps.push(step);
  }

  /** Gives a file or link that is about to be replaced a second name; undefined when it cannot be kept. */
  link(parent: Folder, name: string, stats: Stats): string | undefined {
    return this.#hold(stats, { bytes: stats.size, entries: 1 }, (to) => linkSync(parent.at(name), to));
  }

  /** Takes something away from its name; undefined when it was not. `amount`: of a folder, with all in it. */
  take(parent: Folder, name: string, stats: Stats, amount: Held = { bytes: stats.size, entries: 1 }): string | undefined {
    return this.#hold(stats, amount, (to) => renameSync(parent.at(name), to));
  }

  #hold(stats: Stats, { bytes, entries }: Held, work: (to: string | Buffer) => void): string | undefined {
    if (kindOf(stats) === 'other') return undefined;
    try {
      if (!this.#room.admit(this.#name, bytes, entries, this.#spare)) return undefined;
      const kept = this.#next();
      const folder = (this.#folder ??= this.#enter());
      try {
        work(folder.at(kept));
      } catch (error) {
        this.#room.giveBack(bytes, entries);
        throw error;
      }
      this.#bytes += bytes;
      this.#entries += entries;
      return kept;
    } catch {
      return undefined; // the disk knows no second names, forbids this one, or is full
    }
  }

  /** Writes down what was done. */
  [Symbol.dispose](): void {
    try {
      if (this.#steps.length > 0) this.#write();
    } catch {
      // A full disk: what was kept goes with its action, or with the next look at what there is.
    }
    this.#folder?.[Symbol.dispose]();
    this.#folder = undefined;
  }

  #write(): void {
    const left = MAX_STEPS - this.#room.stepsOf(this.#name);
    if (left < 0) return;
    const steps: readonly Step[] = this.#steps.length <= left ? this.#steps : [...this.#steps.slice(0, left), { does: 'lost', path: this.#steps[left]!.path }];
    const record = Buffer.from(recordOf(steps, this.#bytes, this.#entries));
    if (!this.#room.admit(this.#name, record.length, 0, this.#spare)) return;
    const folder = (this.#folder ??= this.#enter());
    const fd = folder.open(LOG, O_WRONLY | O_APPEND | O_CREAT, 0o600);
    try {
      writeSync(fd, record);
    } finally {
      closeQuietly(fd);
    }
    this.#room.settle(this.#name, { size: record.length, steps: steps.length, bytes: this.#bytes, entries: this.#entries });
  }
}

function unknownAction(cause: unknown): Failure {
  return new Failure('NOTFOUND', 'what was to be undone is no longer kept', { cause, hint: 'run the same command again: it takes what is the last action now' });
}
