/**
 * Register: the book of a server while it is open, and the one way to change it.
 *
 * Changes are made one after the other, on the disk first and in memory then, so that a failed write changes nothing. What only
 * takes from somebody is the other way round: it holds at once, also where the disk is full, and is written as soon as that can be (`owed.ts`). An entry
 * that a change leaves alone stays the same object, so that whoever holds one sees by that whether it still holds. When devices
 * and tokens were last seen is exact in memory and now and then written; what a token has spent goes into a journal (`journal.ts`), many at once, and with each
 * write of the book into that. It holds public keys only, of invites and tokens
 * too: whoever reads a stolen copy is not let in by it. What the entries mean is for `devices.ts`, `accounts.ts` and `tokens.ts`.
 */
import { dirname, join } from 'node:path';
import { setImmediate as aTurn } from 'node:timers/promises';
import { Failure } from '../errors.ts';
import { readPrivate, writePrivate } from '../private.ts';
import { parseBook, printBook } from './book.ts';
import { type Account, type Book, type Device, EMPTY_BOOK, type Gone, type Invite, type Spent, type Token } from './entries.ts';
import { Journal } from './journal.ts';
import { notStored, Owed } from './owed.ts';
import { Spending } from './spending.ts';

/** How long a used or expired invite is remembered, for its holder to be told which it is. */
const REMEMBER_MS = 24 * 3_600_000;
/** Names of devices that are no more: more than anybody still has in a list of their own. */
const MAX_GONE = 1000;
/** How old `lastSeen` may be in the file: a write per connection would be a flush per connection. In memory it is exact. */
const SEEN_MS = 60_000;

export interface RegisterOptions {
  readonly file: string;
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
  /** Something that was taken away cannot be written, or is written after all. */
  readonly onTrouble?: ((message: string) => void) | undefined;
  /** Until what could not be written is tried again for the first time (ms). */
  readonly againMs?: number | undefined;
  /** Writes the text of the book; into the file, unless it says otherwise. */
  readonly write?: ((text: string) => Promise<void>) | undefined;
}

type Notes = Pick<Journal, 'isEmpty' | 'isFull' | 'append' | 'empty' | typeof Symbol.asyncDispose>;

/** The journal of a rehearsal. */
const NO_NOTES: Notes = { isEmpty: true, isFull: false, append: async () => {}, empty: async () => {}, [Symbol.asyncDispose]: async () => {} };

/** What was taken away: it holds already. */
export interface Taken {
  /** Resolves when it is on the disk; with why it is not there yet, for the owner. Never rejects. */
  readonly stored: Promise<Failure | undefined>;
}

/** Reads the book, or starts an empty one, and the journal beside it. Throws when a file cannot be understood or others may read it. */
export async function openRegister(options: RegisterOptions): Promise<Register> {
  const text = await readPrivate(options.file);
  const book = text === undefined ? EMPTY_BOOK : parseBook(text, options.file);
  // A code is known to the process that opened it alone.
  const without = { ...book, invites: book.invites.filter(({ spoken }) => spoken !== true) };
  return new Register(options, without, await Journal.open(join(dirname(options.file), 'spent')));
}

export class Register implements AsyncDisposable {
  readonly now: () => number;
  readonly #file: string;
  readonly #store: (text: string) => Promise<void>;
  #accounts = new Map<string, Account>();
  #devices = new Map<string, Device>();
  #tokens = new Map<string, Token>();
  #invites = new Map<string, Invite>();
  #gone: readonly Gone[] = [];
  #hasQuotas = false;
  /** When devices and tokens signed in that the file does not say so of, at most one each. */
  readonly #sightings = new Map<string, number>();
  readonly #spending: Spending;
  readonly #journal: Notes;
  /** The write that will tell of all of them, while it waits for its turn. */
  #noting: Promise<void> | undefined;
  /** The write that will tell of all that is due, while it waits for its turn. */
  #writing: Promise<void> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  /** While it is held: what lets changes go on, or fail. */
  #held: { readonly over: Promise<void>; release(): void } | undefined;
  #isRetired = false;
  readonly #owed: Owed;

  constructor({ file, now, onTrouble, againMs, write }: RegisterOptions, book: Book, { journal, spent }: { readonly journal: Notes; readonly spent: ReadonlyMap<string, Spent> }) {
    this.#file = file;
    this.#store = write ?? ((text) => writePrivate(file, text));
    this.now = now ?? Date.now;
    this.#owed = new Owed({ again: () => this.#turn(() => this.#settle()), onTrouble, firstMs: againMs });
    this.#journal = journal;
    this.#spending = new Spending(new Map(book.tokens.map((token) => [token.key, token])), spent);
    this.#adopt(book);
  }

  /** By name. */
  get accounts(): ReadonlyMap<string, Account> { return this.#accounts; }
  /** By key. */
  get devices(): ReadonlyMap<string, Device> { return this.#devices; }
  /** By key. */
  get tokens(): ReadonlyMap<string, Token> { return this.#tokens; }
  /** Whether any account has a quota. */
  get hasQuotas(): boolean { return this.#hasQuotas; }
  /** By key. */
  get invites(): ReadonlyMap<string, Invite> { return this.#invites; }

  lastSeen({ key, lastSeen }: Device | Token): number | undefined {
    return this.#sightings.get(key) ?? lastSeen;
  }

  /** With what is taken for transfers that run. */
  spent(token: Token): Spent {
    return this.#spending.of(token);
  }

  /** While another process may take over the book: resolves when it has, or has not. Nothing is to be spent until then. */
  get held(): Promise<void> | undefined { return this.#held?.over; }

  /** Somebody signed in; resolves when the file says so, where it has to. */
  async see({ key, lastSeen }: Device | Token): Promise<void> {
    this.#sightings.set(key, this.now());
    if (lastSeen === undefined || this.now() - lastSeen >= SEEN_MS) await this.note();
  }

  /** Counts what a token is used for: `more` in all, of which so much is `moved` for good. It holds at once; a file says so of what is moved when `written` resolves. */
  spend(token: Token, more: Spent, moved: Spent): void {
    this.#spending.add(token, more, moved);
  }

  /** Resolves when all that was moved until now is on the disk: one write for whoever asks while another one runs. Rejects when the disk takes nothing. */
  written(): Promise<void> {
    this.#writing ??= this.#turn(() => {
      this.#writing = undefined;
      return this.#writeSpent();
    });
    return this.#writing;
  }

  /** Writes what was seen and spent: all of it by one write, also what is seen while it waits for its turn. */
  note(): Promise<void> {
    this.#noting ??= this.change((book) => {
      this.#noting = undefined;
      return { ...book, devices: book.devices.map((device) => this.#upToDate(device)), tokens: book.tokens.map((token) => this.#upToDate(token)) };
    }).catch(() => {}); // a full disk must not keep people from fetching their files
    return this.#noting;
  }

  /** Makes one change: asks `change` for the new book, writes it, and only then believes it. */
  change(change: (book: Book, now: number) => Book): Promise<void> {
    return this.#turn(async () => this.#write(this.#next(change)));
  }

  /**
   * Makes a change that takes something from somebody, `what` in words: it holds when this resolves, and is on the disk when
   * `stored` does. Where `isLess` says that it gives something too, it is made as any other, the disk first.
   */
  async take(what: string, change: (book: Book, now: number) => Book, isLess: (before: Book, after: Book) => boolean = () => true): Promise<Taken> {
    const taken = this.#turn(async () => {
      const next = this.#next(change);
      if (!isLess(this.#book(), next)) return this.#write(next);
      this.#adopt(next);
      this.#owed.add(what);
    });
    const stored = this.#turn(() => this.#settle()).then((failure) => failure && notStored(what, failure));
    await taken;
    return { stored };
  }

  /** Writes what is to be written, and nothing more until `resume` or `retire`: changes wait. Rejects when what was taken away cannot be written: whoever reads the file next would give it back. */
  async hold(): Promise<void> {
    let release!: () => void;
    const over = new Promise<void>((resolve) => { release = resolve; });
    this.#held = { over, release };
    if (this.#isBehind) void this.note();
    const before = this.#last;
    this.#last = Promise.all([before, over]);
    await before;
    await aTurn(); // whoever waited for it has heard
    const failure = await this.#settle();
    if (failure !== undefined) throw new Failure(failure.code, `what was taken away is not on the disk yet: ${failure.message}`, { who: 'server', hint: 'make room for the state folder', cause: failure });
  }

  /** A copy of which nothing is ever written: what is done to it shows what would come of that here. */
  rehearsal(): Register {
    const copy = new Register({ file: this.#file, now: this.now, write: async () => {} }, this.#book(), { journal: NO_NOTES, spent: new Map() });
    if (this.#isRetired) copy.retire();
    return copy;
  }

  /** Another process writes the file from now on: every change fails with BUSY, also those that waited. */
  retire(): void {
    this.#isRetired = true;
    this.resume();
  }

  /** It is written here still. */
  resume(): void {
    this.#held?.release();
    this.#held = undefined;
  }

  /** Resolves when every change that was begun is on the disk, or has failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isBehind) await this.note();
    const failure = await this.#turn(() => this.#settle());
    this.#owed[Symbol.dispose]();
    await this.#journal[Symbol.asyncDispose]();
    if (failure !== undefined) this.#owed.lost();
  }

  /** Whether the book does not say all yet. */
  get #isBehind(): boolean { return this.#sightings.size > 0 || this.#spending.isOpen || !this.#journal.isEmpty; }

  #upToDate<T extends Device | Token>(entry: T): T {
    const seen = this.#sightings.get(entry.key);
    return seen === undefined || seen <= (entry.lastSeen ?? 0) ? entry : { ...entry, lastSeen: seen };
  }

  /** In the journal while there is room in it, else with the book. */
  async #writeSpent(): Promise<void> {
    if (this.#isRetired) return; // it is told to the process that writes the book now
    if (!this.#spending.isDue) return;
    if (this.#journal.isFull) return this.#write(this.#book());
    const due = this.#spending.takeDue();
    try {
      await this.#journal.append(due);
    } catch {
      this.#spending.putBack(due);
      await this.#write(this.#book());
    }
  }

  /** What is to be done when what was begun before is over. */
  #turn<T>(step: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(step);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  #book(): Book {
    return { accounts: [...this.#accounts.values()], devices: [...this.#devices.values()], tokens: [...this.#tokens.values()], invites: [...this.#invites.values()], gone: this.#gone };
  }

  #next(change: (book: Book, now: number) => Book): Book {
    if (this.#isRetired) throw new Failure('BUSY', 'the server has just been upgraded', { who: 'server', hint: 'try again in a moment' });
    const now = this.now();
    const before = this.#book();
    const next = change(before, now);
    return { ...next, gone: goneAfter(before, next), invites: next.invites.filter((invite) => Math.min(invite.used ?? Infinity, invite.expires) > now - REMEMBER_MS) };
  }

  /** With what tokens have spent. */
  async #write(given: Book): Promise<void> {
    const book = { ...given, tokens: given.tokens.map((token) => this.#spending.upToDate(token)) };
    const due = this.#spending.takeDue();
    try {
      await this.#store(printBook(book));
    } catch (error) {
      this.#spending.putBack(due);
      throw error;
    }
    this.#owed.paid();
    this.#adopt(book);
    await this.#journal.empty().catch(() => undefined); // it is tried again with the next write
  }

  /** Writes what holds already, where it has to be; why that failed. Only in a turn. */
  async #settle(): Promise<Failure | undefined> {
    if (this.#isRetired || !this.#owed.isOwed) return undefined;
    try {
      await this.#write(this.#book());
      return undefined;
    } catch (error) {
      const failure = Failure.from(error);
      this.#owed.failed(failure);
      return failure;
    }
  }

  #adopt(book: Book): void {
    this.#accounts = new Map(book.accounts.map((account) => [account.name, account]));
    this.#hasQuotas = book.accounts.some(({ quota }) => quota !== undefined);
    this.#devices = new Map(book.devices.map((device) => [device.key, device]));
    this.#tokens = new Map(book.tokens.map((token) => [token.key, token]));
    this.#gone = book.gone ?? [];
    this.#invites = new Map(book.invites.map((invite) => [invite.key, invite]));
    const entry = (key: string): Device | Token | undefined => this.#devices.get(key) ?? this.#tokens.get(key);
    for (const [key, seen] of this.#sightings) if (seen <= (entry(key)?.lastSeen ?? Infinity)) this.#sightings.delete(key);
    this.#spending.adopt(this.#tokens);
  }
}

/** The devices that are no more, after a change. One that comes again, by its key, is there. */
function goneAfter(before: Book, after: Book): readonly Gone[] {
  const { gone = [] } = before;
  const keys = new Set(after.devices.map(({ key }) => key));
  const left = before.devices.filter(({ key }) => !keys.has(key)).map(({ name, key }) => ({ name, key }));
  return [...gone.filter(({ key }) => !keys.has(key)), ...left].slice(-MAX_GONE);
}
