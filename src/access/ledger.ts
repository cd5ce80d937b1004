/**
 * Ledger: how much of its quota each account has used, and what is kept for files on their way.
 *
 * Used is what is in an account's folders, whoever put it there; kept is what was offered for them and has not got its name yet, by
 * whomever, and what rests of uploads of the account that broke off. A file is admitted when all three together stay within the quota, before a byte of it is
 * sent, and counts with its full size while it comes, since the file that it replaces is still there. So no account is given
 * room beyond its quota, however many uploads run, and however many accounts share a folder. The folders are counted once, when an account first needs it, and again now and
 * then while nothing is on its way, because other programs may have changed them, and whenever the account was changed; with the first count goes what rests from before. Knows no files: `measure` counts.
 */
import { Failure } from '../errors.ts';
import { PART_DAYS } from '../keeping.ts';
import { isWithin, type RemotePath } from '../path.ts';
import type { Account } from './entries.ts';

export interface Amount { readonly bytes: number; readonly files: number }

/** Rests of uploads that broke off, by owner and path: more are counted with the next one. Bounds the memory of an account that begins and never ends. */
const MAX_RESTING = 10_000;
/** How old a count may get while others can change the folders (ms). */
const COUNT_MS = 3_600_000;

export interface LedgerOptions {
  /** The account as it is now; undefined: it is gone. */
  account(name: string): Account | undefined;
  /** Counts what is at and below a path of the served folder; nothing there is nothing. */
  measure(path: RemotePath): Promise<Amount>;
  /** What rests of the uploads of an account from before, whoever of it began them, by `keyOf` of each. */
  resting?(account: string): Promise<ReadonlyMap<string, Resting>>;
  keyOf?(owner: string, path: RemotePath): string;
  readonly now?: (() => number) | undefined;
}

/** What is left of an upload, and since when (ms). */
export interface Resting { readonly bytes: number; readonly since: number }

/** What is known of one account. */
interface Pool {
  /** As it was counted: one that was changed since is another object, and is counted anew. */
  readonly account: Account;
  readonly used: { bytes: number; files: number };
  /** What is on its way, and what rests. */
  readonly kept: { bytes: number; files: number };
  readonly resting: Map<string, Resting>;
  /** How many of those on their way are for its folders. */
  open: number;
  /** Whether more is taken for used than may be there. */
  isGuess: boolean;
  /** Whether it is still being counted. */
  isCounting: boolean;
  readonly counted: number;
  readonly ready: Promise<void>;
}
interface Kept extends Amount { readonly account: string; readonly path: RemotePath; part: string | undefined; bytes: number; readonly pools: Set<Pool> }

export class Ledger {
  readonly #options: LedgerOptions;
  readonly #now: () => number;
  readonly #pools = new Map<string, Pool>();
  /** By number, as it is known to whoever asked for it, maybe in another process. As many as uploads are open. */
  readonly #kept = new Map<number, Kept>();
  /** Of each part that is being continued, who does. */
  readonly #continued = new Map<string, Kept>();
  #numbered = 0;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Keeps room for files that are about to come, `owner`: to whose part of the path; returns the number under which it is kept. Rejects with QUOTA where the account has one. */
  async keep(account: string, path: RemotePath, { bytes, files }: Amount, owner?: string): Promise<number> {
    const part = owner === undefined ? undefined : (this.#options.keyOf?.(owner, path) ?? `${owner}\0${path}`);
    // What rests of it is continued: its bytes are part of what comes.
    const more = (pool: Pool): Amount => ({ bytes: bytes - restOf(pool, part), files });
    let pool = await this.#current(account);
    if (pool?.isGuess === true && whyNot(pool, more(pool)) !== undefined) pool = await this.#current(account, true);
    if (pool !== undefined) {
      check(pool, more(pool));
      if (part !== undefined) this.#rest(pool, part, 0);
    }
    const kept: Kept = { account, path, part, bytes, files, pools: new Set() };
    for (const one of this.#pools.values()) if (isFor(kept, one)) add(kept, one);
    this.#continue(kept);
    this.#numbered += 1;
    this.#kept.set(this.#numbered, kept);
    return this.#numbered;
  }

  /** Keeps room for `bytes` in all, where the size was not known before. Rejects with QUOTA. */
  async extend(number: number, bytes: number): Promise<void> {
    const kept = this.#kept.get(number);
    if (kept === undefined || bytes <= kept.bytes) return;
    const more = (): Amount => ({ bytes: Math.max(0, bytes - kept.bytes), files: 0 });
    let pool = await this.#current(kept.account);
    if (pool?.isGuess === true && whyNot(pool, more()) !== undefined) pool = await this.#current(kept.account, true);
    if (!this.#kept.has(number)) return; // it ended meanwhile
    const { bytes: added } = more();
    if (pool !== undefined) check(pool, more());
    for (const one of kept.pools) one.kept.bytes += added;
    kept.bytes += added;
  }

  /** The files have their names, or never will: `resting` bytes of them stay until they are continued. */
  end(number: number, resting = 0): void {
    const kept = this.#kept.get(number);
    if (kept === undefined) return;
    this.#kept.delete(number);
    for (const pool of kept.pools) {
      pool.kept.bytes -= kept.bytes;
      pool.kept.files -= kept.files;
      pool.open -= 1;
    }
    const own = this.#pools.get(kept.account);
    if (kept.part === undefined) return;
    this.#continued.delete(kept.part);
    if (own !== undefined) this.#rest(own, kept.part, resting);
  }

  /** One that is begun again before it is over leaves its rest to the new one, whichever of them ends first. */
  #continue(kept: Kept): void {
    if (kept.part === undefined) return;
    const before = this.#continued.get(kept.part);
    if (before !== undefined) before.part = undefined;
    this.#continued.set(kept.part, kept);
  }

  /** What is at and below `path` of the served folder has become more or less, by whomever. */
  change(path: RemotePath, { bytes, files }: Amount): void {
    for (const pool of this.#pools.values()) {
      const isInside = pool.account.roots.some((root) => isWithin(path, root.path));
      if (!isInside && !pool.account.roots.some((root) => isWithin(root.path, path))) continue;
      // Above its folders nobody knows how much of it is in them, nor while they are counted whether that has seen it: all that came is, and nothing of what went.
      const isKnown = isInside && !pool.isCounting;
      pool.isGuess ||= !isKnown;
      pool.used.bytes = Math.max(0, pool.used.bytes + (isKnown ? bytes : Math.max(0, bytes)));
      pool.used.files = Math.max(0, pool.used.files + (isKnown ? files : Math.max(0, files)));
    }
  }

  /** What an account has used of its quota; undefined where it has none. */
  async used(account: string): Promise<Amount | undefined> {
    let pool = await this.#current(account);
    if (pool?.isGuess === true) pool = await this.#current(account, true);
    return pool && { bytes: pool.used.bytes + pool.kept.bytes, files: pool.used.files + pool.kept.files };
  }

  /** Forgets what was counted of an account that was changed, or is gone: until nothing further was done for those who were not counted, some of it may have been missed. */
  forget(account: string): void {
    this.#pools.delete(account);
  }

  /** What is known of an account with a quota, as it is now; `anew`: counted from now on. */
  async #current(name: string, anew = false): Promise<Pool | undefined> {
    for (let isLate = anew; ; isLate = false) {
      const account = this.#options.account(name);
      if (account?.quota === undefined) return undefined;
      const pool = this.#pool(account, isLate);
      await pool.ready;
      // Changed while it was counted, by one of few who may.
      if (this.#pools.get(name) === pool && this.#options.account(name) === account) return pool;
    }
  }

  #pool(account: Account, anew: boolean): Pool {
    const { name } = account;
    const known = this.#pools.get(name);
    const isKnown = known?.account === account;
    if (known !== undefined && isKnown && !(anew && known.isGuess) && (known.open > 0 || this.#now() - known.counted < COUNT_MS)) return known;
    const resting = isKnown ? this.#lasting(known.resting) : new Map<string, Resting>();
    const kept = { bytes: [...resting.values()].reduce((sum, { bytes }) => sum + bytes, 0), files: 0 };
    const used = { bytes: 0, files: 0 };
    const ready = Promise.all([this.#count(account, used), isKnown ? undefined : this.#recall(name, { kept, resting })]).then(() => { pool.isCounting = false; });
    const pool: Pool = { account, used, kept, resting, open: 0, isGuess: false, isCounting: true, counted: this.#now(), ready };
    for (const one of this.#kept.values()) {
      if (known !== undefined) one.pools.delete(known);
      if (isFor(one, pool)) add(one, pool);
    }
    ready.catch(() => { if (this.#pools.get(name) === pool) this.#pools.delete(name); }); // told to whoever waits for it; the next one counts anew
    this.#pools.set(name, pool);
    return pool;
  }

  /** So many bytes rest of an upload now. */
  #rest(pool: Pool, part: string, bytes: number): void {
    const before = restOf(pool, part);
    pool.resting.delete(part);
    const rests = pool.resting.size < MAX_RESTING ? bytes : 0;
    if (rests > 0) pool.resting.set(part, { bytes: rests, since: this.#now() });
    pool.kept.bytes += rests - before;
  }

  /** Without what rests for longer than the store keeps it, which is gone. */
  #lasting(resting: ReadonlyMap<string, Resting>): Map<string, Resting> {
    return new Map([...resting].filter(([, { since }]) => this.#now() - since < PART_DAYS * 86_400_000));
  }

  /** What rested before the account was known here. */
  async #recall(account: string, { kept, resting }: Pick<Pool, 'kept' | 'resting'>): Promise<void> {
    for (const [key, part] of (await this.#options.resting?.(account)) ?? []) {
      if (resting.has(key)) continue; // it has come to rest meanwhile
      resting.set(key, part);
      kept.bytes += part.bytes;
    }
  }

  async #count({ roots }: Account, used: { bytes: number; files: number }): Promise<void> {
    for (const { path } of roots) {
      const { bytes, files } = await this.#options.measure(path);
      used.bytes += bytes;
      used.files += files;
    }
  }
}

/** Whether what is kept may become part of what is in the account's folders, or is the account's own; a batch may have its top above them. */
function isFor({ account, path }: Kept, pool: Pool): boolean {
  return account === pool.account.name || pool.account.roots.some((root) => isWithin(path, root.path) || isWithin(root.path, path));
}

function add(kept: Kept, pool: Pool): void {
  kept.pools.add(pool);
  pool.kept.bytes += kept.bytes;
  pool.kept.files += kept.files;
  pool.open += 1;
}

function restOf({ resting }: Pool, part: string | undefined): number {
  return (part === undefined ? undefined : resting.get(part)?.bytes) ?? 0;
}

/** Why there is no room for so much more; undefined: there is. */
function whyNot({ account: { quota = {} }, used, kept }: Pool, { bytes, files }: Amount): { readonly message: string; readonly flag: string } | undefined {
  const free = { bytes: (quota.bytes ?? Infinity) - used.bytes - kept.bytes, files: (quota.files ?? Infinity) - used.files - kept.files };
  if (bytes > free.bytes) return { message: `${bytes} bytes do not fit into what is left of the quota, ${Math.max(0, free.bytes)} of ${quota.bytes} bytes`, flag: '--quota SIZE' };
  return files > free.files ? { message: `the quota of ${quota.files} files and folders is used up`, flag: '--quota-files N' } : undefined;
}

function check(pool: Pool, more: Amount): void {
  const why = whyNot(pool, more);
  if (why !== undefined) throw new Failure('QUOTA', why.message, { who: 'rule', hint: `remove something, or ask the owner of the server: wherry account change ${pool.account.name} ${why.flag}` });
}
