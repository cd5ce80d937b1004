/**
 * DiskUpload: one file on its way in. Its bytes are written here; opening, naming and removing are asked of the crew.
 *
 * Order of a commit: length, mode and times, then the flush, then the name, then the flush of the folder, so that a name
 * promised as `durable` never leads to bytes that are not on the disk. The first error of a flush is the last word on these
 * bytes: the kernel may have dropped them and report success the next time, so they are thrown away.
 */
import { copyFile, constants } from 'node:fs';
import { Failure, fromErrno } from '../../errors.ts';
import { MODE_MASK } from '../../entry.ts';
import type { RemotePath } from '../../path.ts';
import { begunAgain } from '../again.ts';
import type { Upload, Want } from '../vault.ts';
import type { Begun } from './admit.ts';
import { secondsOf } from './attributes.ts';
import type { Crew } from './crew.ts';
import { Descriptor } from './descriptor.ts';

/** After these the staged bytes are not to be trusted, or are themselves what fills the disk. */
const POISON: ReadonlySet<string> = new Set(['NOSPACE', 'QUOTA', 'IO']);

export class DiskUpload implements Upload {
  readonly basis: Upload['basis'];
  readonly #crew: Crew;
  readonly #path: RemotePath;
  readonly #want: Want;
  readonly #umask: number;
  readonly #live: string;
  readonly #file: Descriptor;
  /** Resolves when it is over. */
  readonly ended: Promise<void>;
  #end: () => void = () => {};
  /** Set when it is over: committed, discarded, or left to rest. */
  #over: Promise<void> | undefined;
  #committing: Promise<void> | undefined;
  /** The same owner has begun the upload again. */
  #taken = false;

  private constructor(crew: Crew, path: RemotePath, want: Want, umask: number, begun: Begun, basis: Upload['basis'], file: Descriptor) {
    this.#crew = crew;
    this.#path = path;
    this.#want = want;
    this.#umask = umask;
    this.#live = begun.live;
    this.basis = basis;
    this.#file = file;
    this.ended = new Promise((resolve) => { this.#end = resolve; });
  }

  /** Stages a file for `path`; where the old file may serve as basis, copies it (shares its blocks, where the disk can) first. */
  static async open(crew: Crew, path: RemotePath, want: Want, umask: number): Promise<DiskUpload> {
    const begun = await crew.call('begin', path, want);
    const file = new Descriptor(begun.fd);
    let basis: Upload['basis'] = { kind: begun.size > 0 ? 'part' : 'none', size: begun.size };
    if (begun.old !== undefined && (await copied(begun.old, file))) basis = { kind: 'old', size: (await file.stats()).size };
    return new DiskUpload(crew, path, want, umask, begun, basis, file);
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    try {
      return await this.#file.read(into, position);
    } catch (error) {
      throw this.#taken ? begunAgain(this.#path) : fromErrno(error, this.#path);
    }
  }

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    try {
      await this.#file.write(chunks, position);
    } catch (error) {
      throw this.#taken ? begunAgain(this.#path) : await this.#failed(error);
    }
  }

  commit(size: number, mtime: number = this.#want.mtime): Promise<void> {
    return (this.#committing = this.#commit(size, mtime));
  }

  /** Ends it for the owner's next upload of the path. When this resolves, nothing is written here any more, and the part rests. */
  async handOver(): Promise<void> {
    this.#taken = true;
    // A file that is about to get its name gets it: what comes next replaces it.
    await this.#committing?.catch(() => undefined);
    await this[Symbol.asyncDispose]();
  }

  async #commit(size: number, mtime: number): Promise<void> {
    if (this.#taken) throw begunAgain(this.#path);
    if (this.#over !== undefined) throw new Failure('INTERNAL', 'the upload is over', { path: this.#path });
    const { level, condition, mode } = this.#want;
    let folder: number | undefined;
    try {
      await this.#complete(size, mode, mtime);
      folder = await this.#crew.call('publish', this.#path, this.#live, condition, level);
    } catch (error) {
      throw await this.#failed(error);
    }
    this.#over = this.#file[Symbol.asyncDispose]().then(this.#end);
    await this.#over;
    if (folder !== undefined) await flushFolder(folder, this.#path);
  }

  discard(): Promise<void> {
    return (this.#over ??= this.#leave('discard'));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#over ??= this.#leave('release'));
  }

  async #complete(size: number, mode: number, mtime: number): Promise<void> {
    const there = (await this.#file.stats()).size;
    if (there < size) throw new Failure('VERIFY', `${size - there} bytes are missing`, { path: this.#path });
    await this.#file.truncate(size);
    await this.#file.chmod(mode & MODE_MASK & ~this.#umask);
    await this.#file.utimes(secondsOf(mtime));
    if (this.#want.level === 'durable') await this.#flush();
  }

  async #flush(): Promise<void> {
    try {
      await this.#file.flush(false);
    } catch (error) {
      // Whatever its name: a disk that made itself read-only after an error says so here.
      await this.discard();
      throw error;
    }
  }

  /** What `error` means; where going on cannot help, the staged bytes are gone when this resolves. */
  async #failed(error: unknown): Promise<Failure> {
    const failure = fromErrno(error, this.#path);
    if (POISON.has(failure.code)) await this.discard();
    return failure;
  }

  async #leave(how: 'discard' | 'release'): Promise<void> {
    try {
      // Closed before it can be found by the next upload, which may write to it at once.
      await this.#file[Symbol.asyncDispose]();
      await this.#crew.call(how, this.#live);
    } finally {
      this.#end();
    }
  }
}

/** Copies the old file into the staged one, never through a link: both paths name open files. False leaves an empty staged file. */
async function copied(old: NonNullable<Begun['old']>, file: Descriptor): Promise<boolean> {
  await using _source = new Descriptor(old.fd);
  try {
    await new Promise<void>((resolve, reject) => {
      copyFile(old.from, old.to, constants.COPYFILE_FICLONE, (error) => { if (error === null) resolve(); else reject(error); });
    });
    return true;
  } catch {
    // No room for a second copy, most often: the upload then brings all its bytes.
    await file.truncate(0);
    return false;
  }
}

/** The file has its name already; a failure here says that a power cut may still undo it. */
async function flushFolder(fd: number, path: RemotePath): Promise<void> {
  await using folder = new Descriptor(fd);
  try {
    await folder.flush(true);
  } catch (error) {
    throw fromErrno(error, path);
  }
}
