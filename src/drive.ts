/**
 * Drive: a vault as one account sees it. The only place that says yes or no.
 *
 * Doors are given a drive and never a vault, so that no door can forget a check. Every method first asks whether
 * the account is still let in and has the rights, then calls the vault's method of the same name, and tells the log
 * once, when the action is over. Open files and uploads ask again with every call, long work between its steps: what was revoked ends.
 * It holds no bytes and no state of its own. Sweeping and closing the vault belong to who opened it.
 */
import { type Deed, may, missing, refusal, type Action as Rule } from './access/rules.ts';
import { Territory } from './access/territory.ts';
import { Failure } from './errors.ts';
import type { Entry } from './entry.ts';
import type { DriveAccount } from './drive/account.ts';
import { type Action, once, type Over, type Verb } from './drive/action.ts';
import { isOwn, type Own, receiveOwn } from './drive/kept.ts';
import { partition } from './drive/partition.ts';
import { type Memory, Recent } from './drive/recent.ts';
import { rehearsed, undone, type UndoHow } from './drive/undoing.ts';
import { accessEnded, denied, explained } from './drive/refusals.ts';
import { unsent, visible, visibleUsage } from './drive/visible.ts';
import { watchedSource, watchedUpload } from './drive/watched.ts';
import { below, parentOf, type RemotePath, ROOT } from './path.ts';
import type { Right } from './rights.ts';
import type { Keep, UndoPage } from './store/undo.ts';
import type { Attributes, BatchOptions, BatchResult, FolderAttributes, Level, ListPage, MoveOptions, PackOptions, PackStep, Probed, Problem, RemoveOptions, Source, Space, Upload, Usage, Vault, Want } from './store/vault.ts';

export type { DriveAccount };

export interface DriveOptions {
  readonly vault: Vault;
  readonly principal: DriveAccount;
  /** The key of the device or token by which the account came; by default the account has but one. */
  readonly by?: string;
  readonly onAction?: (action: Action) => void;
  /** What accounts without the right to replace have put lately; by default this one alone, as long as the drive lasts. */
  readonly recent?: Memory;
}

/** A request as part of an action of its device, which can be undone as a whole: 16 hexadecimal digits. Left out: it cannot be. */
type Tagged<T> = Omit<T, 'keep'> & { readonly action?: string | undefined };

/** A file to be received; whose it is and what may be replaced is for the drive to say. */
export type DriveWant = Tagged<Omit<Want, 'owner' | 'reuseOld'>>;

/** What else there is to know of an action: `rule` where the verb's own does not fit, what of its result is file bytes. */
interface About<T> {
  readonly rule?: Rule;
  readonly to?: RemotePath;
  readonly deep?: boolean | undefined;
  readonly rights?: readonly Right[];
  bytes?(result: T): number;
}

export class Drive {
  readonly #vault: Vault;
  readonly #recent: Memory;
  readonly #principal: DriveAccount;
  /** Owner of what it puts where it may not read. */
  readonly #apart: string;
  readonly #territory: Territory;
  readonly #onAction: (action: Action) => void;

  constructor({ vault, principal, by = '', onAction, recent = new Recent() }: DriveOptions) {
    this.#vault = vault;
    this.#recent = recent;
    this.#principal = principal;
    this.#apart = `${principal.name}\0${by}`;
    this.#territory = new Territory(principal.grants);
    this.#onAction = onAction ?? (() => undefined);
  }

  stat(path: RemotePath): Promise<Entry | undefined> {
    return this.#run('stat', path, () => this.#vault.stat(path));
  }

  /** All rights that the account has anywhere. */
  get rights(): readonly Right[] { return this.#territory.anywhere; }

  list(path: RemotePath, options?: { deep?: boolean }): AsyncIterable<ListPage> {
    return this.#stream('list', path, () => this.#listed(path, options));
  }

  #listed(path: RemotePath, options?: { deep?: boolean }): AsyncIterable<ListPage> {
    const pages = this.#vault.list(path, options);
    return this.#territory.bordersBelow(path).length === 0 ? pages : visible(this.#territory, path, pages);
  }

  pack(top: RemotePath, options?: PackOptions): AsyncIterable<PackStep> {
    const without = unsent(this.#territory, top); // a link may lead to where the account has no right to read
    const narrowed = without.length === 0 ? options : { ...options, without, follow: false };
    return this.#stream('pack', top, () => this.#vault.pack(top, narrowed), (step) => step.bytes);
  }

  usage(path: RemotePath): Promise<Usage> {
    return this.#run('usage', path, () => (this.#territory.bordersBelow(path).length > 0 ? visibleUsage(this.#territory, path, this.#vault.list(path, { deep: true }), this.#steps(path).alive) : this.#vault.usage(path, this.#steps(path))));
  }

  space(): Promise<Space> {
    return this.#run('space', ROOT, () => this.#vault.space());
  }

  /** Opens a file. The log hears of it when the source is disposed. */
  async read(path: RemotePath): Promise<Source> {
    const over = once(this.#onAction, 'read', path);
    const source = await this.#open('read', path, () => this.#vault.read(path), over);
    return watchedSource(source, { alive: () => this.#alive(path), over });
  }

  /**
   * Stages a file of this account. An account that may not replace files gets EXISTS for a name that is taken,
   * and one that may not read never learns, by way of reuse, what an old file held, or what another device of it has begun.
   */
  async receive(path: RemotePath, want: DriveWant): Promise<Upload> {
    const rights = this.#territory.at(path);
    const condition = may(rights, 'replace') ? want.condition : 'absent';
    const [told, reuseOld] = [explained(rights, want.condition), may(rights, 'read')];
    const over = once(this.#onAction, 'receive', path);
    const upload = await this.#open('receive', path, async () => {
      try {
        return await this.#vault.receive(path, { ...want, condition, owner: this.#ownerAt(path), reuseOld, keep: this.#keep(want), ...this.#steps(path) });
      } catch (error) {
        throw told(Failure.from(error));
      }
    }, over, { rule: want.match === undefined ? 'receive' : 'receiveMatched' });
    return watchedUpload(upload, { alive: () => this.#alive(path), over }, told);
  }

  /** A file of this account has its name, and this digest: where it may not replace it, it may offer it again. */
  received(path: RemotePath, digest: Uint8Array, level: Level): void {
    if (!may(this.#territory.at(path), 'replace')) this.#recent.note(this.#ownerAt(path), path, digest, level);
  }

  /** Whether what this account offers, and may not replace, is there already because it put it there itself. */
  async holds(path: RemotePath, digest: Uint8Array, level: Level): Promise<boolean> {
    this.#allow({ action: 'receive', path });
    return !may(this.#territory.at(path), 'replace') && (await isOwn(this.#ownAt(path), path, digest, level));
  }

  /** As `receive`, for many small files: a name that may not be replaced, and a folder that takes none, is a problem of those files. */
  async receiveBatch(top: RemotePath, pack: Uint8Array, { action, ...wanted }: Tagged<BatchOptions>): Promise<BatchResult> {
    const options = { ...wanted, keep: this.#keep({ action }) };
    if (this.#territory.bordersBelow(top).length === 0) return this.#batch(top, pack, options, this.#territory.at(top));
    this.#alive(top);
    const { parts, unmade, problems } = partition(pack, (folder) => this.#territory.at(below(top, folder)));
    const sum = { files: 0, bytes: 0, kept: 0, problems: [...problems] };
    for (const { rights, pack: part } of parts) {
      const done = await this.#batch(top, part, options, rights);
      sum.files += done.files;
      sum.bytes += done.bytes;
      sum.kept += done.kept ?? 0;
      sum.problems.push(...done.problems);
    }
    for (const path of unmade) {
      if ((await this.#vault.stat(below(top, path))) === undefined) sum.problems.push({ path, code: 'DENIED', message: 'this account may not make this folder' });
    }
    return sum;
  }

  async #batch(top: RemotePath, pack: Uint8Array, options: BatchOptions, rights: readonly Right[]): Promise<BatchResult> {
    const told = explained(rights, options.condition);
    const put = (): Promise<BatchResult> => (may(rights, 'replace')
      ? this.#vault.receiveBatch(top, pack, options)
      : receiveOwn(this.#ownAt(top), top, pack, { ...options, condition: 'absent', replaceable: undefined }, options.condition === 'any'));
    const result = await this.#run('receiveBatch', top, put, { rights, bytes: (done) => done.bytes });
    const problems = result.problems.map((problem): Problem => (problem.code === 'EXISTS' ? { ...problem, message: told(new Failure('EXISTS', problem.message)).message } : problem));
    return { ...result, problems };
  }

  /**
   * Sets mode and time of folders. An account with `mkdir` and without `setattr` may ask, and nothing is changed: which of the
   * folders were there before cannot be told from here, and it must not be able to close another's folder by its mode.
   */
  finishFolders(top: RemotePath, folders: readonly FolderAttributes[], level: Level): Promise<readonly Problem[]> {
    const even = this.#territory.bordersBelow(top).length === 0;
    const rightsOf = ({ path }: FolderAttributes): readonly Right[] => this.#territory.at(even ? top : below(top, path));
    const allowed = folders.filter((folder) => may(rightsOf(folder), 'changeAttributes'));
    const rights = even ? this.#territory.at(top) : folders.flatMap(rightsOf);
    return this.#run('finishFolders', top, async () => (allowed.length > 0 ? this.#vault.finishFolders(top, allowed, level) : []), { rights });
  }

  makeFolder(path: RemotePath, options?: Tagged<{ parents?: boolean; mode?: number }>): Promise<void> {
    return this.#run('makeFolder', path, async () => {
      if (options?.parents === true) await this.#allowParents(path);
      await this.#vault.makeFolder(path, { ...options, keep: this.#keep(options) });
    });
  }

  /** A folder above that the account may not make has to be there. */
  async #allowParents(path: RemotePath): Promise<void> {
    for (let above = parentOf(path); above !== ROOT; above = parentOf(above)) {
      const refused = refusal(this.#territory, { action: 'makeFolder', path: above });
      if (refused === undefined) continue;
      if ((await this.#vault.stat(above)) === undefined) throw denied(refused, this.#principal);
      return;
    }
  }

  setAttributes(path: RemotePath, attributes: Attributes): Promise<void> {
    return this.#run('setAttributes', path, () => this.#vault.setAttributes(path, attributes));
  }

  /** Renames; replacing what is at `to` takes the right to overwrite as well. */
  move(from: RemotePath, to: RemotePath, options?: Tagged<MoveOptions>): Promise<void> {
    const deed = options?.replace === true ? 'moveOver' : 'move';
    return this.#run('move', from, () => this.#vault.move(from, to, { ...options, keep: this.#keep(options), ...this.#steps(from) }), { rule: options?.match === undefined ? deed : `${deed}Matched`, to });
  }

  remove(path: RemotePath, options?: Tagged<RemoveOptions>): Promise<void> {
    return this.#run('remove', path, () => this.#vault.remove(path, { ...options, keep: this.#keep(options), ...this.#steps(path) }), { deep: options?.deep, rule: options?.match === undefined ? 'remove' : 'removeMatched' });
  }

  /** How the last action of this device or token would be undone. */
  rehearseUndo(how: UndoHow): AsyncIterable<UndoPage> {
    return this.#stream('rehearseUndo', ROOT, () => rehearsed(this.#undoing(), how));
  }

  /** Undoes it, as an action of its own. */
  undo(how: UndoHow, action: string): AsyncIterable<UndoPage> {
    return this.#stream('undo', ROOT, () => undone(this.#undoing(), { by: this.#apart, action }, how));
  }

  #undoing(): Parameters<typeof rehearsed>[0] {
    return { vault: this.#vault, by: this.#apart, allow: (deed) => this.#allow(deed) };
  }

  /** Whoever could not undo it has no use for what would be kept. */
  #keep(tagged: { readonly action?: string | undefined } = {}): Keep | undefined {
    return tagged.action === undefined || !may(this.#territory.anywhere, 'undo') ? undefined : { by: this.#apart, action: tagged.action };
  }

  probe(bytes: number, milliseconds: number): Promise<Probed> {
    return this.#run('probe', ROOT, () => this.#vault.probe(bytes, milliseconds), { bytes: (done) => done.bytes });
  }

  /** Lets `action` move bytes that are nobody's; with each step it asks whether so many more may go. */
  measure<T extends { bytes: number }>(way: 'measureUp' | 'measureDown', action: (goOn: (bytes: number) => Promise<void>) => Promise<T>): Promise<T> {
    const pass = async (bytes: number): Promise<void> => { this.#alive(ROOT); await this.#vault.pass?.(way === 'measureUp' ? 'in' : 'out', bytes); };
    return this.#run(way, ROOT, () => action(pass), { bytes: (done) => done.bytes });
  }

  /** Throws AUTH when the account is gone, SHUTDOWN when it was changed, and DENIED when a right is missing; `rights`: those that hold where it happens, where that is not at `path`. */
  #allow(deed: Deed, rights?: readonly Right[]): void {
    this.#alive(deed.path);
    const lacking = rights === undefined ? refusal(this.#territory, deed) : { path: deed.path, lacking: missing(rights, deed.action) };
    if (lacking !== undefined && (rights === undefined || lacking.lacking.length > 0)) throw denied(lacking, this.#principal);
  }

  /** Whose what it puts is: who may read can go on with what others of the account began, since that tells its bytes; another device or token must not learn of them. */
  #ownerAt(path: RemotePath): string {
    return may(this.#territory.at(path), 'read') ? this.#principal.name : this.#apart;
  }

  #ownAt(path: RemotePath): Own {
    return { vault: this.#vault, owner: this.#ownerAt(path), recent: this.#recent, ...this.#steps(path) };
  }

  #steps(path: RemotePath): { alive(): void } { return { alive: () => this.#alive(path) }; }

  #alive(path: RemotePath): void {
    if (this.#principal.active?.() === false) throw accessEnded(this.#principal.ended?.() ?? 'revoked', path);
  }

  /** Checks and calls; the log hears of a failure only, since what was opened is not over yet. */
  async #open<T>(verb: Verb, path: RemotePath, action: () => Promise<T>, over: Over, { rule = verb, to, deep, rights }: About<T> = {}): Promise<T> {
    try {
      this.#allow({ action: rule, path, to, deep }, rights);
      return await action();
    } catch (error) {
      over(Failure.from(error).code);
      throw error;
    }
  }

  async #run<T>(verb: Verb, path: RemotePath, action: () => Promise<T>, about: About<T> = {}): Promise<T> {
    const over = once(this.#onAction, verb, path, about.to);
    const result = await this.#open(verb, path, action, over, about);
    over('ok', about.bytes?.(result));
    return result;
  }

  async *#stream<T>(verb: Verb, path: RemotePath, open: () => AsyncIterable<T>, bytesOf?: (item: T) => number): AsyncGenerator<T> {
    const over = once(this.#onAction, verb, path);
    let bytes = 0;
    try {
      this.#allow({ action: verb, path });
      for await (const item of open()) {
        this.#alive(path);
        bytes += bytesOf?.(item) ?? 0;
        yield item;
      }
      over('ok', bytesOf && bytes);
    } catch (error) {
      over(Failure.from(error).code, bytesOf && bytes);
      throw error;
    } finally {
      over('CANCELLED', bytesOf && bytes); // the reader left before the end
    }
  }
}
