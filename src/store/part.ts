/** Part: bytes that the memory vault has staged. They grow as they come; what they were written over is gone. */

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
