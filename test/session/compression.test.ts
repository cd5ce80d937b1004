import { describe, expect, test } from 'vitest';
import { Compression, type Part } from '../../src/session/compression.ts';
import { compress, expand, hasZstd } from '../../src/session/zstd.ts';
import { noise } from '../transfer/bytes.ts';

const MIB = 1 << 20;
const TEXT = Buffer.from('A wherry is a light boat, rowed on rivers to carry passengers and goods.\n'.repeat(15_000)).subarray(0, MIB);
const NOISE = noise(MIB);

/** A line of so many bytes a millisecond, and a processor that takes `cpu` ms for each look at its clock. */
class Sending {
  now = 0;
  readonly compression: Compression;
  readonly #rate: number;

  constructor(rate: number, cpu = 0) {
    this.#rate = rate;
    this.compression = new Compression(() => { this.now += cpu; return this.now; });
  }

  /** Sends `bytes` so many times; how many bytes went over the line. */
  send(bytes: Uint8Array, times: number): number {
    let sent = 0;
    for (let time = 0; time < times; time += 1) {
      const parts = this.compression.parts(bytes, MIB / 2);
      const length = parts?.reduce((sum, part) => sum + part.bytes.byteLength, 0) ?? bytes.byteLength;
      sent += length;
      this.now += length / this.#rate;
      this.compression.waited(length / this.#rate);
    }
    return sent;
  }
}

describe.skipIf(!hasZstd)('what goes over a line (this Node has no zstd: skipped)', () => {
  test('is compressed as soon as it is known that the line is the limit', () => {
    const sending = new Sending(10_000); // 10 MB/s
    expect(sending.send(TEXT, 2)).toBe(2 * MIB);
    sending.send(TEXT, 6);
    expect(sending.send(TEXT, 10)).toBeLessThan(MIB);
  });

  test('in parts that make it up', () => {
    const sending = new Sending(10_000);
    sending.send(TEXT, 8);
    const parts = sending.compression.parts(TEXT, MIB / 2)!;
    expect(Buffer.concat(parts.map((part: Part) => expand(part.bytes, part.size))).equals(TEXT)).toBe(true);
    expect(parts.map(({ size }) => size)).toEqual([MIB / 2, MIB / 2]);
  });

  test('goes as it is where it does not shrink', () => {
    const sending = new Sending(10_000);
    expect(sending.send(NOISE, 40)).toBe(40 * MIB);
  });

  test('goes as it is while nobody waits for the line', () => {
    const compression = new Compression(() => 0);
    for (let time = 0; time < 20; time += 1) expect(compression.parts(TEXT, MIB)).toBeUndefined();
  });

  test('goes as it is where the processor would take longer than the line', () => {
    const sending = new Sending(1_000_000, 1); // a megabyte takes the line 1 ms, and the processor many times that
    expect(sending.send(TEXT, 40)).toBe(40 * MIB);
  });

  test('is not given up because the processor was taken away while it was looked at', () => {
    let [now, looks] = [0, 0];
    // Away for a second at every second look, but for the last pair of each three.
    const compression = new Compression(() => { looks += 1; if (looks % 6 === 2 || looks % 6 === 4) now += 1000; return now; });
    let sent = 0;
    for (let time = 0; time < 20; time += 1) {
      const parts = compression.parts(TEXT, MIB);
      if (time >= 10) sent += parts?.[0]!.bytes.byteLength ?? MIB;
      now += 100;
      compression.waited(100);
    }
    expect(sent).toBeLessThan(10 * MIB);
  });

  test('is looked at again when it shrinks later on', () => {
    const sending = new Sending(10_000);
    sending.send(NOISE, 40);
    sending.send(TEXT, 40);
    expect(sending.send(TEXT, 10)).toBeLessThan(MIB);
  });

  test('goes as it is again when the line has become quicker', () => {
    const sending = new Sending(10_000);
    sending.send(TEXT, 10);
    const { compression } = sending;
    let sent = 0;
    for (let time = 0; time < 400; time += 1) {
      const parts = compression.parts(TEXT, MIB);
      if (time >= 300) sent += parts?.[0]!.bytes.byteLength ?? MIB;
      sending.now += 10; // not a wait for the line
    }
    expect(sent).toBe(100 * MIB);
  });
});

describe('expanding', () => {
  test('refuses what is not compressed bytes', () => {
    expect(() => expand(NOISE.subarray(0, 1000), 5000)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
    expect(() => expand(new Uint8Array(), 0)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
  });

  test.skipIf(!hasZstd)('refuses what expands to more, or to less, than it says (this Node has no zstd: skipped)', () => {
    const bomb = compress(new Uint8Array(64 * MIB));
    expect(bomb.byteLength).toBeLessThan(64 << 10);
    for (const size of [1, MIB, 64 * MIB - 1, 64 * MIB + 1]) expect(() => expand(bomb, size)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
    expect(expand(compress(TEXT), MIB).equals(TEXT)).toBe(true);
  });
});
