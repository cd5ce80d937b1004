/** Part: bytes that the memory vault has staged. They grow as they come; what they were written over is gone. */
import type { Node } from './nodes.ts';
import type { Probed, Upload, Want } from './vault.ts';

/** What is copied at once to see how fast that is. */
const PROBE_PIECE = 1 << 20;
/** Smallest old file, and smallest new one, for which the old one serves as basis: one block. */
const MIN_BASIS = 1 << 20;

/** In use by one upload, or at rest. */
export class Part {
  inUse = true;
  /** Last written, in ms since 1970. */
  touched = Date.now();
  #store = new Uint8Array(0);
  #length = 0;

  get bytes(): Uint8Array {
    return this.#store.subarray(0, this.#length);
  }

  write(chunks: readonly Uint8Array[], position: number): void {
    const joined = Buffer.concat(chunks);
    this.#length = Math.max(this.#length, position + joined.length);
    if (this.#length > this.#store.length) {
      const larger = new Uint8Array(this.#length * 2);
      larger.set(this.#store);
      this.#store = larger;
    }
    this.#store.set(joined, position);
    this.touched = Date.now();
  }
}

/** Fills `into` with `bytes` from `position`; returns how many. */
export function copyInto(into: Uint8Array, bytes: Uint8Array, position: number): number {
  const part = bytes.subarray(position, position + into.length);
  into.set(part);
  return part.length;
}

/** What is there already; an old file is not copied. */
export function basisOf(part: Part, old: Node | undefined, want: Want): { readonly kind: Upload['basis']['kind']; readonly bytes: Uint8Array } {
  if (part.bytes.length > 0) return { kind: 'part', bytes: part.bytes };
  if (!want.reuseOld || old?.kind !== 'file' || old.bytes.length < MIN_BASIS || (want.size ?? MIN_BASIS) < MIN_BASIS) return { kind: 'none', bytes: new Uint8Array() };
  return { kind: 'old', bytes: old.bytes };
}

/** Copies at most so many bytes, for at most so long. */
export function copyingRate(bytes: number, milliseconds: number): Probed {
  const piece = Buffer.alloc(Math.min(bytes, PROBE_PIECE), 1);
  const began = performance.now();
  let done = 0;
  while (done < bytes && performance.now() - began < milliseconds) done += Buffer.from(piece.subarray(0, bytes - done)).byteLength;
  return { bytes: done, micros: Math.ceil((performance.now() - began) * 1000), flushMicros: 0, readMicros: 0 };
}
