/**
 * Drive: a vault as one account sees it. The only place that says yes or no.
 *
 * Doors are given a drive and never a vault, so that no door can forget a check. Every method first asks whether
 * the account is still let in and has the rights, then calls the vault's method of the same name, and tells the log
 * once, when the action is over. Open uploads and files ask again with every call, so that what was revoked ends.
 * It holds no bytes and no state of its own. Sweeping and closing the vault belong to who opened it.
 */
import { may, missing, type Action as Rule } from './access/rules.ts';
import { type Code, Failure } from './errors.ts';
import type { Entry } from './entry.ts';
import { type RemotePath, ROOT } from './path.ts';
import { askForTicket, type Right } from './rights.ts';
import type {
  BatchOptions, BatchResult, FolderAttributes, Level, ListPage, PackOptions, PackStep, Problem, Source, Space, Upload, Usage, Vault, Want,
} from './store/vault.ts';

/** Whose drive it is. */
export interface DriveAccount {
  readonly name: string;
  readonly rights: readonly Right[];
  /** Whether the account still exists; asked before everything. Without it the account lasts as long as the drive. */
  active?(): boolean;
}

export type Verb =
  | 'stat' | 'list' | 'read' | 'receive' | 'pack' | 'receiveBatch' | 'finishFolders' | 'makeFolder' | 'move' | 'remove' | 'usage' | 'space';

/** One finished action, for the log. */
export interface Action {
  readonly verb: Verb;
  readonly path: RemotePath;
  /** The new name, of a move. */
  readonly to?: RemotePath;
  readonly outcome: 'ok' | Code;
  /** File bytes that went in or out. */
  readonly bytes?: number;
}

export interface DriveOptions {
  readonly vault: Vault;
  readonly principal: DriveAccount;
  readonly onAction?: (action: Action) => void;
}

/** A file to be received; whose it is and what may be replaced is for the drive to say. */
export type DriveWant = Omit<Want, 'owner' | 'reuseOld'>;

/** What an account without the right may not do, in the words of the message. */
const DEEDS: Readonly<Record<Right, string>> = {
  list: 'see what is here',
  read: 'read files here',
  create: 'add files here',
  overwrite: 'replace files here',
  delete: 'delete here',
  rename: 'rename here',
  mkdir: 'make folders here',
  setattr: 'change times and permissions here',
};

export class Drive {
  readonly #vault: Vault;
  readonly #principal: DriveAccount;
  readonly #onAction: (action: Action) => void;

  constructor({ vault, principal, onAction }: DriveOptions) {
    this.#vault = vault;
    this.#principal = principal;
    this.#onAction = onAction ?? (() => undefined);
  }

  stat(path: RemotePath): Promise<Entry | undefined> {
    return this.#run('stat', path, () => this.#vault.stat(path));
  }

  list(path: RemotePath, options?: { deep?: boolean }): AsyncIterable<ListPage> {
    return this.#stream('list', path, () => this.#vault.list(path, options));
  }

  pack(top: RemotePath, options?: PackOptions): AsyncIterable<PackStep> {
    return this.#stream('pack', top, () => this.#vault.pack(top, options), (step) => step.bytes);
  }

  usage(path: RemotePath): Promise<Usage> {
    return this.#run('usage', path, () => this.#vault.usage(path));
  }

  space(): Promise<Space> {
    return this.#run('space', ROOT, () => this.#vault.space());
  }

  /** Opens a file. The log hears of it when the source is disposed. */
  async read(path: RemotePath): Promise<Source> {
    const source = await this.#open('read', path, () => this.#vault.read(path));
    const over = this.#once('read', path);
    let bytes = 0;
    let outcome: 'ok' | Code = 'ok';
    const watch = noting((code) => { outcome = code; });
    const reading = (read: () => Promise<number>): Promise<number> => watch(async () => {
      this.#alive(path);
      const count = await read();
      bytes += count;
      return count;
    });
    return {
      entry: source.entry,
      read: (into, position) => reading(() => source.read(into, position)),
      readv: (into, position) => reading(() => source.readv(into, position)),
      changed: () => watch(async () => {
        const changed = await source.changed();
        if (changed) outcome = 'CHANGED';
        return changed;
      }),
      async [Symbol.asyncDispose]() {
        over(outcome, bytes);
        await source[Symbol.asyncDispose]();
      },
    };
  }

  /**
   * Stages a file of this account. An account that may not replace files gets EXISTS for a name that is taken,
   * and one that may not read never learns, by way of reuse, what an old file held.
   */
  async receive(path: RemotePath, want: DriveWant): Promise<Upload> {
    const { rights, name } = this.#principal;
    const condition = may(rights, 'replace') ? want.condition : 'absent';
    const told = this.#explain(want.condition);
    const upload = await this.#open('receive', path, async () => {
      try {
        return await this.#vault.receive(path, { ...want, condition, owner: name, reuseOld: may(rights, 'read') });
      } catch (error) {
        throw told(Failure.from(error));
      }
    });
    return this.#watched(upload, path, told);
  }

  /** As `receive`, for many small files: a name that may not be replaced is a problem of that one file. */
  async receiveBatch(top: RemotePath, pack: Uint8Array, options: BatchOptions): Promise<BatchResult> {
    const condition = may(this.#principal.rights, 'replace') ? options.condition : 'absent';
    const told = this.#explain(options.condition);
    const result = await this.#run('receiveBatch', top, () => this.#vault.receiveBatch(top, pack, { ...options, condition }), { bytes: (done) => done.bytes });
    const problems = result.problems.map((problem): Problem => {
      if (problem.code !== 'EXISTS') return problem;
      return { ...problem, message: told(new Failure('EXISTS', problem.message)).message };
    });
    return { ...result, problems };
  }

  /**
   * Sets mode and time of folders. An account with `mkdir` and without `setattr` may ask, and nothing is changed: which of the
   * folders were there before cannot be told from here, and it must not be able to close another's folder by its mode.
   */
  finishFolders(top: RemotePath, folders: readonly FolderAttributes[], level: Level): Promise<readonly Problem[]> {
    const allowed = may(this.#principal.rights, 'changeAttributes');
    return this.#run('finishFolders', top, async () => (allowed ? this.#vault.finishFolders(top, folders, level) : []));
  }

  makeFolder(path: RemotePath, options?: { parents?: boolean; mode?: number }): Promise<void> {
    return this.#run('makeFolder', path, () => this.#vault.makeFolder(path, options));
  }

  /** Renames; replacing what is at `to` takes the right to overwrite as well. */
  move(from: RemotePath, to: RemotePath, options?: { replace?: boolean }): Promise<void> {
    const rule = options?.replace === true ? 'moveOver' : 'move';
    return this.#run('move', from, () => this.#vault.move(from, to, options), { rule, to });
  }

  remove(path: RemotePath, options?: { deep?: boolean; kind?: 'file' | 'folder' }): Promise<void> {
    return this.#run('remove', path, () => this.#vault.remove(path, options));
  }

  /** Throws AUTH when the account is gone, and DENIED when a right is missing. */
  #allow(rule: Rule, path: RemotePath): void {
    this.#alive(path);
    const lacking = missing(this.#principal.rights, rule);
    const [first] = lacking;
    if (first === undefined) return;
    throw new Failure('DENIED', `this account may not ${DEEDS[first]}`, { path, who: 'rule', hint: askForTicket(lacking) });
  }

  #alive(path: RemotePath): void {
    if (this.#principal.active?.() !== false) return;
    throw new Failure('AUTH', 'the access of this device was revoked', { path, who: 'rule', hint: 'ask the owner of the server for a new ticket, then: wherry join' });
  }

  /** Reports the end of one action, the first time it is called and never again. */
  #once(verb: Verb, path: RemotePath, to?: RemotePath): (outcome: 'ok' | Code, bytes?: number) => void {
    let told = false;
    return (outcome, bytes) => {
      if (told) return;
      told = true;
      this.#onAction({ verb, path, ...(to !== undefined && { to }), outcome, ...(bytes !== undefined && { bytes }) });
    };
  }

  /** Checks and calls; the log hears of a failure only, since what was opened is not over yet. */
  async #open<T>(verb: Verb, path: RemotePath, action: () => Promise<T>, { rule = verb, to }: { rule?: Rule; to?: RemotePath } = {}): Promise<T> {
    try {
      this.#allow(rule, path);
      return await action();
    } catch (error) {
      this.#once(verb, path, to)(Failure.from(error).code);
      throw error;
    }
  }

  async #run<T>(verb: Verb, path: RemotePath, action: () => Promise<T>, about: { rule?: Rule; to?: RemotePath; bytes?: (result: T) => number } = {}): Promise<T> {
    const result = await this.#open(verb, path, action, about);
    this.#once(verb, path, about.to)('ok', about.bytes?.(result));
    return result;
  }

  async *#stream<T>(verb: Verb, path: RemotePath, open: () => AsyncIterable<T>, bytesOf?: (item: T) => number): AsyncGenerator<T> {
    const over = this.#once(verb, path);
    let bytes = 0;
    try {
      this.#allow(verb, path);
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

  /** The upload as this account sees it: asks again with every write, and tells the log once how it ended. */
  #watched(upload: Upload, path: RemotePath, told: (failure: Failure) => Failure): Upload {
    const over = this.#once('receive', path);
    let written = 0;
    let outcome: Code = 'CANCELLED';
    const watch = noting((code) => { outcome = code; });
    return {
      basis: upload.basis,
      read: (into, position) => watch(() => upload.read(into, position)),
      write: (chunks, position) => watch(async () => {
        this.#alive(path);
        await upload.write(chunks, position);
        for (const chunk of chunks) written += chunk.byteLength;
      }),
      commit: async (size, mtime) => {
        try {
          this.#alive(path);
          await upload.commit(size, mtime);
        } catch (error) {
          over(Failure.from(error).code, written);
          throw told(Failure.from(error));
        }
        over('ok', size);
      },
      async discard() {
        over(outcome, written);
        await upload.discard();
      },
      async [Symbol.asyncDispose]() {
        over(outcome, written);
        await upload[Symbol.asyncDispose]();
      },
    };
  }

  /** EXISTS in the words that fit the account: why it was not replaced, and without the other name where names are not its to see. */
  #explain(asked: Want['condition']): (failure: Failure) => Failure {
    const { rights } = this.#principal;
    return (failure) => {
      if (failure.code !== 'EXISTS') return failure;
      const { path, who } = failure;
      if (asked === 'any' && !may(rights, 'replace')) {
        const message = 'this name is taken, and the rights of this account do not allow to replace it';
        return new Failure('EXISTS', message, { path, who: 'rule', hint: 'choose another name' });
      }
      return may(rights, 'list') ? failure : new Failure('EXISTS', 'this name is taken', { path, who, hint: 'choose another name' });
    };
  }
}

/** Runs calls and notes the code of one that failed. */
function noting(note: (code: Code) => void): <T>(action: () => Promise<T>) => Promise<T> {
  return async (action) => {
    try {
      return await action();
    } catch (error) {
      note(Failure.from(error).code);
      throw error;
    }
  };
}
