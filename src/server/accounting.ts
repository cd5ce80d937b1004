/**
 * Accounting: what accounts and tokens have left, and what they put lately, for the whole server.
 *
 * The counts are kept once, in the process that has the books. A session's meter (`meter.ts`) speaks to them by plain calls, which can
 * be sent from another process just as well (`counts.ts`); a number stands for room that is kept.
 */
import { Ledger } from '../access/ledger.ts';
import { Pace, type Way } from '../access/pace.ts';
import type { Spent } from '../access/entries.ts';
import type { Register } from '../access/register.ts';
import { spendToken } from '../access/tokens.ts';
import { Failure } from '../errors.ts';
import type { RemotePath } from '../path.ts';
import { openDisk } from '../store/disk/disk.ts';
import { partKey, type RestingPart } from '../store/disk/stage.ts';
import { type Amount, NOTHING } from '../store/meter.ts';
import type { Level } from '../store/vault.ts';
import type { Puts } from './puts.ts';

/** Whose counts they are. */
export interface Metered {
  readonly account: string;
  /** The token by which they came, where that can be used up. */
  readonly token: string | undefined;
}

/** Each call with what it is given; all of it plain. */
export interface Accounting {
  /** Keeps room; the number under which it is kept. `part`: whose part of the path it is for, if for one. Rejects with QUOTA. */
  keep(who: Metered, path: RemotePath, amount: Amount, part?: string): Promise<number>;
  /** The disk is about to be measured; the number under which it is, until `end`. Rejects with BUSY while it is for somebody else. */
  probe(): Promise<number>;
  extend(number: number, bytes: number): Promise<void>;
  end(number: number, resting: number): Promise<void>;
  change(path: RemotePath, more: Amount): Promise<void>;
  /** Takes from what a token is good for; less than nothing gives back. What is `moved` of it for good, by default all, is on the disk when this resolves, where it is limited. Rejects with QUOTA, and IO. */
  spend(who: Metered, more: Spent, moved?: Spent): Promise<void>;
  /** Resolves when so many bytes more may have moved. */
  pace(who: Metered, way: Way, bytes: number): Promise<void>;
  left(who: Metered): Promise<number | undefined>;
  quota(who: Metered): Promise<number | undefined>;
  /** The owner, who may replace nothing, has put files with these keys (`drive/recent.ts`). */
  remember(owner: string, keys: readonly string[], level: Level): Promise<void>;
  /** 1: it has lately. */
  recall(owner: string, key: string, level: Level): Promise<number>;
}

/** Bytes a second, each way; undefined: as fast as it goes. */
export interface Rates {
  /** Of all transfers together. */
  readonly rate: number | undefined;
  /** Of each account that has none of its own. */
  readonly accountRate: number | undefined;
}

export interface AccountingOptions {
  readonly register: Register;
  /** The served folder. */
  readonly dir: string;
  readonly number: string | undefined;
  readonly puts: Pick<Puts, 'remember' | 'recall'>;
  /** As they are now. */
  rates(): Rates;
}

/** Whether a session has to be counted: it has limits of its own, or others' folders are counted. */
export function isMetered(register: Register, { account, token }: Metered, { rate, accountRate }: Rates): boolean {
  const own = register.accounts.get(account);
  return rate !== undefined || accountRate !== undefined || token !== undefined || own?.rate !== undefined || register.hasQuotas;
}

/** Stands for the one that may measure the disk; no number of the ledger. */
const PROBE = -1;

/** Of the process that keeps the counts. */
export interface OwnAccounting extends Accounting {
  /** An account was changed, or is gone, and nothing further is done for those who were not counted. */
  forget(account: string): void;
}

export function openAccounting({ register, dir, number, puts, rates }: AccountingOptions): OwnAccounting {
  const ledger = new Ledger({ account: (name) => register.accounts.get(name), measure: (path) => measure(dir, number, path), resting: (account) => resting(dir, number, account), keyOf: partKey, now: register.now });
  const pace = new Pace();
  let isProbed = false;
  return {
    keep: (who, path, amount, part) => ledger.keep(who.account, path, amount, part),
    extend: (number, bytes) => ledger.extend(number, bytes),
    async probe() {
      if (isProbed) throw new Failure('BUSY', 'the disk of the server is being measured for somebody else', { who: 'server', hint: 'try again in a moment' });
      isProbed = true;
      return PROBE;
    },
    async end(number, resting) {
      if (number === PROBE) isProbed = false;
      else ledger.end(number, resting);
    },
    change: async (path, more) => ledger.change(path, more),
    forget: (account) => ledger.forget(account),
    spend: async ({ token }, more, moved) => { if (token !== undefined) await spendToken(register, token, more, moved); },
    async pace({ account }, way, bytes) {
      const { rate, accountRate } = rates();
      const own = register.accounts.get(account)?.rate ?? accountRate;
      await Promise.all([own === undefined ? undefined : pace.take(`account ${account}`, way, bytes, own), rate === undefined ? undefined : pace.take('all', way, bytes, rate)]);
    },
    quota: async ({ account }) => register.accounts.get(account)?.quota?.bytes,
    remember: async (...given) => puts.remember(...given),
    recall: async (...given) => Number(puts.recall(...given)),
    async left({ account }) {
      const limit = register.accounts.get(account)?.quota?.bytes;
      const used = await ledger.used(account);
      return limit === undefined || used === undefined ? undefined : Math.max(0, limit - used.bytes);
    },
  };
}

/** In a thread of its own: the stage may have many parts. */
async function resting(dir: string, number: string | undefined, account: string): Promise<ReadonlyMap<string, RestingPart>> {
  await using vault = await openDisk(dir, { number, workers: 1 });
  return await vault.resting(account);
}

async function measure(dir: string, number: string | undefined, path: RemotePath): Promise<Amount> {
  await using vault = await openDisk(dir, { number });
  if ((await vault.stat(path)) === undefined) return NOTHING;
  const { bytes, files, folders } = await vault.usage(path);
  return { bytes, files: files + Math.max(0, folders - 1) }; // the folder itself was given
}
