/**
 * DiskUpload: one file on its way in. Its bytes are written here; opening, naming and removing are asked of the crew.
 *
 * Order of a commit: length, mode and times, then the flush, then the name, then the flush of the folder, so that a name
 * promised as `durable` never leads to bytes that are not on the disk. The first error of a flush is the last word on these
 * bytes: the kernel may have dropped them and report success the next time, so they are thrown away.
 */
import { constants, copyFile, ftruncate } from 'node:fs';
import { Failure, fromErrno } from '../../errors.ts';
import { MODE_MASK } from '../../entry.ts';
import type { RemotePath } from '../../path.ts';
import { begunAgain } from '../again.ts';
import type { Upload, Want } from '../vault.ts';
import type { Begun } from './admit.ts';
import { secondsOf } from './attributes.ts';
import type { Crew } from './crew.ts';
import { Descriptor } from './descriptor.ts';
import { identify } from './identity.ts';
import { DiskSource } from './source.ts';

/** After these the staged bytes are not to be trusted, or are themselves what fills the disk, unless the same may succeed later. */
const POISON: ReadonlySet<string> = new Set(['NOSPACE', 'QUOTA', 'IO']);

export class DiskUpload implements Upload {
  readonly basis: Upload['basis'];
  readonly #crew: Crew;
  readonly #path: RemotePath;
  readonly #want: Want;
  readonly #umask: number;
  readonly #live: string;
  readonly #file: Descriptor;
  /** The file that is about to be replaced, only read; undefined where it is not the basis. */
  readonly #old: DiskSource | undefined;
  readonly inPlace: boolean;
  /** Resolves when it is over. */
  readonly ended: Promise<void>;
  #end: () => void = () => {};
  /** Set when it is over: committed, discarded, or left to rest. */
  #over: Promise<void> | undefined;
  #committing: Promise<void> | undefined;
  /** The same owner has begun the upload again. */
  #taken = false;
  /** Why nothing more can be done. What fails after it, because the file is closed by then, fails for this reason. */
  #poison: Failure | undefined;

  private constructor(crew: Crew, path: RemotePath, want: Want, umask: number, begun: Begun, old: DiskSource | undefined, inPlace: boolean) {
    this.#crew = crew;
    this.#path = path;
    this.#want = want;
    this.#umask = umask;
    this.#live = begun.live;
    this.#file = new Descriptor(begun.fd);
    this.#old = old;
    this.basis = old === undefined ? { kind: begun.size > 0 ? 'part' : 'none', size: begun.size } : { kind: 'old', size: old.entry.size };
    this.inPlace = inPlace;
    this.ended = new Promise((resolve) => { this.#end = resolve; });
  }

  /** Stages a file for `path`. Where there is an old one as basis, it shares its blocks, if the disk can; it is never copied. */
  static async open(crew: Crew, path: RemotePath, want: Want, umask: number, readHere: boolean): Promise<DiskUpload> {
    const { alive, ...plain } = want; // a function goes into no thread
    if (want.match !== undefined) await identify(crew.call('open', path), path, want.match, alive);
    const begun = await crew.call('begin', path, plain);
    if (begun.old === undefined) return new DiskUpload(crew, path, want, umask, begun, undefined, begun.size > 0);
    const { fd, entry, changed, from, to } = begun.old;
    const old = new DiskSource(new Descriptor(fd), entry, changed, path, readHere);
    return new DiskUpload(crew, path, want, umask, begun, old, await share(from, to, begun.fd));
  }

  async readBasis(into: readonly Uint8Array[], position: number): Promise<number> {
    const buffers = firstOf(into, this.basis.size - position);
    // What is read at once is read buffer by buffer all the same.
    if (this.#old !== undefined && !this.#old.atOnce && !this.#taken) return await this.#old.readv(buffers, position);
    let done = 0;
    for (const one of buffers) done += await (this.#taken ? this : (this.#old ?? this)).read(one, position + done);
    return done;
  }

  async basisChanged(): Promise<boolean> {
    return (await this.#old?.changed()) ?? false;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    try {
      return await this.#file.read(into, position);
    } catch (error) {
      throw this.#taken ? begunAgain(this.#path) : (this.#poison ?? fromErrno(error, this.#path));
    }
  }

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    try {
      await this.#writeKeepingLess(chunks, position);
    } catch (error) {
      throw this.#taken ? begunAgain(this.#path) : await this.#failed(error);
    }
  }

  /** What is kept for undo goes before an upload fails for want of room. */
  async #writeKeepingLess(chunks: readonly Uint8Array[], position: number): Promise<void> {
    try {
      await this.#file.write(chunks, position);
    } catch (error) {
      const more = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
      if (fromErrno(error).code !== 'NOSPACE' || !(await this.#crew.call('makeRoom', more))) throw error;
      await this.#file.write(chunks, position);
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
    const { level, condition, mode, match, keep, alive } = this.#want;
    let folder: number | undefined;
    try {
      await this.#complete(size, mode, mtime);
      // As late as can be: what is done to the old file after this, up to the look of `publish`, is seen by its times.
      const expected = match === undefined ? undefined : await identify(this.#crew.call('open', this.#path), this.#path, match, alive);
      alive?.(); // flushing and reading may have taken long
      folder = await this.#crew.call('publish', this.#path, this.#live, { size, mtime, condition, level, expected, keep });
    } catch (error) {
      const failure = await this.#failed(error);
      if (failure.code === 'EXISTS' && (await this.#isBarred())) await this.discard();
      throw failure;
    }
    this.#over = this.#close().then(this.#end);
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
    if (this.#poison !== undefined) return this.#poison;
    const failure = fromErrno(error, this.#path);
    if (!POISON.has(failure.code) || failure.retry) return failure;
    this.#poison = failure;
    await this.discard();
    return failure;
  }

  /** Whether what is there keeps these bytes from ever getting its name. Where it is gone again, the next try goes on with them. */
  async #isBarred(): Promise<boolean> {
    return this.#want.condition === 'absent' && (await this.#crew.call('stat', this.#path).catch(() => undefined)) !== undefined;
  }

  async #close(): Promise<void> {
    await this.#old?.[Symbol.asyncDispose]();
    await this.#file[Symbol.asyncDispose]();
  }

  async #leave(how: 'discard' | 'release'): Promise<void> {
    try {
      // Closed before it can be found by the next upload, which may write to it at once.
      await this.#close();
      await this.#crew.call(how, this.#live);
    } catch {
      // The folder is gone, or the disk fails: why the upload ended is what has to be told. What is left is found by the next start.
    } finally {
      this.#end();
    }
  }
}

/** The first `most` bytes of `into`. */
function firstOf(into: readonly Uint8Array[], most: number): Uint8Array[] {
  let left = Math.max(0, most);
  return into.map((one) => {
    const part = one.subarray(0, left);
    left -= part.byteLength;
    return part;
  }).filter((part) => part.byteLength > 0);
}

/** Has the staged file share the blocks of the old one, never through a link: both paths name open files. False leaves it empty. */
async function share(from: string, to: string, staged: number): Promise<boolean> {
  // Elsewhere a failure may take the staged file's name away.
  if (process.platform !== 'linux') return false;
  const failed = await new Promise<boolean>((resolve) => { copyFile(from, to, constants.COPYFILE_FICLONE_FORCE, (error) => resolve(error !== null)); });
  // Most disks cannot: what is kept is then copied, piece by piece, when it is known what that is.
  if (failed) await new Promise<void>((resolve) => { ftruncate(staged, 0, () => resolve()); });
  return !failed;
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
