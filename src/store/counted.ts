/**
 * Counted: open files and uploads of a vault that counts (`metered.ts`).
 *
 * An upload has room for its size from the beginning, and more as it comes where that was not known; what it leaves behind when it
 * breaks off stays counted. A file is issued whole when it is opened, and what was not read of it is given back; what was read
 * is settled now and then, and with its last bytes, before those are given away.
 */
import { type Code, Failure } from '../errors.ts';
import type { RemotePath } from '../path.ts';
import { type Admission, type Amount, type Issue, type Meter, NOTHING } from './meter.ts';
import type { Source, Upload } from './vault.ts';

/** After these nothing of an upload is kept for another try. */
const LOST: ReadonlySet<Code> = new Set<Code>(['NOSPACE', 'QUOTA', 'IO']);

/** So many bytes of a file that is read may go uncounted when the server crashes (a settlement takes a flush). */
const SETTLE_BYTES = 64 << 20;

/** What an upload is about. */
export interface Counted {
  readonly path: RemotePath;
  readonly size: number | undefined;
  /** The size of the file that is about to be replaced. */
  before(): Promise<number | undefined>;
}

export class CountedUpload implements Upload {
  readonly basis: Upload['basis'];
  readonly inPlace: boolean;
  readonly #upload: Upload;
  readonly #meter: Meter;
  readonly #admission: Admission;
  readonly #about: Counted;
  /** Bytes that there is room for. */
  #admitted: number;
  /** Bytes that are staged. */
  #reach: number;

  constructor(upload: Upload, meter: Meter, admission: Admission, about: Counted) {
    this.basis = upload.basis;
    this.inPlace = upload.inPlace;
    this.#upload = upload;
    this.#meter = meter;
    this.#admission = admission;
    this.#about = about;
    this.#admitted = about.size ?? 0;
    this.#reach = upload.basis.kind === 'part' ? upload.basis.size : 0;
  }

  readBasis(into: readonly Uint8Array[], position: number): Promise<number> { return this.#upload.readBasis(into, position); }
  basisChanged(): Promise<boolean> { return this.#upload.basisChanged(); }
  read(into: Uint8Array, position: number): Promise<number> { return this.#upload.read(into, position); }

  write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    return this.#watch(async () => {
      const bytes = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
      const end = position + bytes;
      if (end > this.#admitted) {
        await this.#admission.extend(end);
        this.#admitted = Math.max(this.#admitted, end);
      }
      await this.#meter.moved('in', bytes);
      await this.#upload.write(chunks, position);
      this.#reach = Math.max(this.#reach, end);
    });
  }

  commit(size: number, mtime?: number): Promise<void> {
    return this.#watch(async () => {
      const replaced = await this.#about.before();
      await this.#admission.commit({ bytes: size, files: 1 });
      await this.#upload.commit(size, mtime);
      this.#meter.change(this.#about.path, { bytes: size - (replaced ?? 0), files: replaced === undefined ? 1 : 0 });
      this.#admission.end({ bytes: size, files: 1 }, 0);
    });
  }

  async discard(): Promise<void> {
    await this.#upload.discard();
    this.#admission.end(NOTHING, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#upload[Symbol.asyncDispose]();
    this.#admission.end(NOTHING, this.#reach);
  }

  async #watch<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      const { code } = Failure.from(error);
      if (LOST.has(code)) this.#reach = 0;
      // The store does so by itself when its disk says so; what has no room here must not rest uncounted, nor use up the quota.
      if (code === 'QUOTA') await this.#upload.discard().catch(() => undefined); // gone or not, this is why
      throw error;
    }
  }
}

export class CountedSource implements Source {
  readonly entry: Source['entry'];
  readonly #source: Source;
  readonly #meter: Meter;
  readonly #issue: Issue;
  #read = 0;
  #settled = NOTHING;

  /** Rejects with QUOTA; the source stays whoever's it is then. */
  static async of(source: Source, meter: Meter): Promise<CountedSource> {
    const counted = new CountedSource(source, meter, await meter.issue({ bytes: source.entry.size, files: 1 }));
    try {
      await counted.#settle(); // an empty file has gone already
    } catch (error) {
      counted.#issue.end(NOTHING);
      throw error;
    }
    return counted;
  }

  private constructor(source: Source, meter: Meter, issue: Issue) {
    this.entry = source.entry;
    this.#source = source;
    this.#meter = meter;
    this.#issue = issue;
  }

  read(into: Uint8Array, position: number): Promise<number> { return this.#counted(this.#source.read(into, position)); }
  readv(into: readonly Uint8Array[], position: number): Promise<number> { return this.#counted(this.#source.readv(into, position)); }
  changed(): Promise<boolean> { return this.#source.changed(); }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#issue.end(this.#gone());
    await this.#source[Symbol.asyncDispose]();
  }

  async #counted(reading: Promise<number>): Promise<number> {
    const bytes = await reading;
    this.#read += bytes;
    await this.#settle();
    await this.#meter.moved('out', bytes);
    return bytes;
  }

  #gone(): Amount {
    const { size } = this.entry;
    return { bytes: Math.min(this.#read, size), files: this.#read >= size ? 1 : 0 };
  }

  async #settle(): Promise<void> {
    const [gone, before] = [this.#gone(), this.#settled];
    if (gone.files === before.files && gone.bytes - before.bytes < SETTLE_BYTES) return;
    this.#settled = gone;
    try {
      await this.#issue.settle(gone);
    } catch (error) {
      this.#settled = before; // it gets no further by asking again
      throw error;
    }
  }
}
