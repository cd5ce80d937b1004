/**
 * Compression: whether what goes out on one exchange is worth compressing, and doing it; never slower than sending it as it is.
 *
 * It is told how long each piece waited for the socket. While that is most of the time, the line is the limit, and its rate is known;
 * then a sample says how far the bytes shrink and how long that takes, and a piece is compressed when the line and the
 * processor together are quicker so by a tenth. Bytes that do not shrink are left alone for a while. From time to
 * time some go as they are, so that a line that became quicker is noticed.
 */
import { MAX_COMPRESSED } from '../wire/messages.ts';
import { compress } from './zstd.ts';

/** A part of what was to be sent: so many bytes, compressed. */
export interface Part { readonly size: number; readonly bytes: Buffer }

const SAMPLE = 64 << 10;
/** A sample is compressed so often, and the quickest counts: a busy machine takes the processor away for longer than one takes. */
const TRIES = 3;
/** What is left of bytes that are worth compressing. */
const WORTH = 0.9;
/** Bytes after which is asked again whether they shrink, and how quick the line is. */
const AGAIN = 32 << 20;
/** The same, at the soonest, where they shrink and only the time that took was against it. */
const SOON = 4 << 20;
/** Looking then takes at most this share of what the line takes. */
const LOOKING = 0.01;
/** Over so long the rate of the line is measured (ms), and over as many bytes at least. */
const WINDOW_MS = 50;
const WINDOW_BYTES = 2 << 20;

export class Compression {
  readonly #clock: () => number;
  /** Bytes a millisecond of the line; Infinity while it is not the limit. */
  #rate = Infinity;
  /** What is left of a byte, and how long it takes (ms). */
  #ratio = 1;
  #cost = 0;
  /** Bytes until the next sample, and until the next measuring with everything as it is. */
  #unsampled = 0;
  #unmeasured = AGAIN;
  #compressing = false;
  #began: number | undefined;
  #waited = 0;
  #sent = 0;

  constructor(clock = () => performance.now()) {
    this.#clock = clock;
  }

  /** A piece waited `ms` for the socket. */
  waited(ms: number): void {
    this.#waited += ms;
  }

  /** `bytes` compressed, in parts of at most `most` bytes; undefined: better as they are. They count as sent either way. */
  parts(bytes: Uint8Array, most: number): readonly Part[] | undefined {
    this.#measure();
    const parts = this.#worthwhile(bytes) ? this.#compress(bytes, most) : undefined;
    this.#compressing = parts !== undefined;
    this.#sent += parts?.reduce((sum, part) => sum + part.bytes.byteLength, 0) ?? bytes.byteLength;
    return parts;
  }

  /** Looks at the rate of the line once a window. */
  #measure(): void {
    const now = this.#clock();
    this.#began ??= now;
    const elapsed = now - this.#began;
    if (elapsed < WINDOW_MS || this.#sent < (this.#compressing ? 0 : WINDOW_BYTES)) return;
    if (this.#waited > elapsed / 2) this.#rate = this.#sent / elapsed;
    else if (!this.#compressing) this.#rate = Infinity; // while compressing it may be that which takes the time
    this.#began = now;
    this.#waited = 0;
    this.#sent = 0;
  }

  #worthwhile(bytes: Uint8Array): boolean {
    if (this.#rate === Infinity) return false;
    this.#unmeasured -= bytes.byteLength;
    if (this.#unmeasured < -2 * WINDOW_BYTES) this.#unmeasured = AGAIN;
    if (this.#unmeasured < 0) return false;
    this.#unsampled -= bytes.byteLength;
    if (this.#unsampled < 0) {
      this.#sample(bytes.subarray(0, SAMPLE));
      this.#unsampled = this.#ratio <= WORTH && !this.#pays ? this.#soon : AGAIN;
    }
    return this.#pays;
  }

  /** Whether line and processor together are quicker so. */
  get #pays(): boolean {
    const line = 1 / this.#rate;
    return this.#ratio <= WORTH && Math.max(this.#cost, this.#ratio * line) < WORTH * line;
  }

  /** Bytes until it is looked at again: asking often must not be what makes it slower. */
  get #soon(): number {
    return Math.min(AGAIN, Math.max(SOON, TRIES * SAMPLE * this.#cost * this.#rate / LOOKING));
  }

  #sample(bytes: Uint8Array): void {
    let [length, least] = [bytes.byteLength, Infinity];
    for (let tries = 0; tries < TRIES; tries += 1) {
      const began = this.#clock();
      length = compress(bytes).byteLength;
      least = Math.min(least, this.#clock() - began);
    }
    this.#learn(bytes.byteLength, length, least, 1);
  }

  #compress(bytes: Uint8Array, most: number): Part[] | undefined {
    const began = this.#clock();
    const parts: Part[] = [];
    for (let at = 0; at < bytes.byteLength; at += most) {
      const piece = bytes.subarray(at, at + most);
      parts.push({ size: piece.byteLength, bytes: compress(piece) });
    }
    const length = parts.reduce((sum, part) => sum + part.bytes.byteLength, 0);
    this.#learn(bytes.byteLength, length, this.#clock() - began, 0.25);
    return length <= bytes.byteLength * WORTH && parts.every((part) => part.bytes.byteLength <= MAX_COMPRESSED) ? parts : undefined;
  }

  #learn(size: number, length: number, ms: number, weight: number): void {
    this.#ratio += (length / size - this.#ratio) * weight;
    this.#cost += (ms / size - this.#cost) * weight;
  }
}
