import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Failure } from '../../src/errors.ts';
import { BATCH, creditFrame, DATA, DATA_HEAD_BYTES, FrameDecoder, greaseFrame, HEADER_BYTES, MAX_BODY, MAX_CONTROL_BODY, MAX_GREETING_BODY, stalledFrame, widerFrame, writeDataHead, writeHeader } from '../../src/wire/frame.ts';
import { encodeMessage } from '../../src/wire/messages.ts';
import { anyMessage } from './arbitraries.ts';
import { decodeAll, load, plain } from './vectors.ts';

const frames = load('frames');
/** Every stream of the reference that decodes, and all of one side's words of a transcript as one. */
const streams: readonly (readonly [string, Buffer])[] = [
  ...frames.map(({ title, hex }) => [title, Buffer.from(hex, 'hex')] as const),
  ...load('messages').map(({ title, hex }) => [title, Buffer.from(hex, 'hex')] as const),
  ...load('transcripts').flatMap(({ title, words }) => (['client', 'server'] as const).map((side) =>
    [`${title}, the ${side}`, Buffer.from(words.filter(({ from }) => from === side).map(({ hex }) => hex).join(''), 'hex')] as const)),
];

describe('every frame of the reference', () => {
  test.each(frames.map((vector) => [vector.title, vector] as const))('%s', (_title, { hex, events }) => {
    expect(decodeAll([Buffer.from(hex, 'hex')])).toEqual(events);
  });

  test.each(streams)('%s: cut at any place, gives the same', (_title, bytes) => {
    const whole = decodeAll([bytes]);
    for (let at = 0; at <= bytes.byteLength; at += 1) {
      expect(decodeAll([bytes.subarray(0, at), bytes.subarray(at)]), `cut at ${at}`).toEqual(whole);
    }
    expect(decodeAll(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole);
  });

  test('is what our own side writes', () => {
    const hexOf = (title: string): string => frames.find((vector) => vector.title === title)!.hex;
    const data = Buffer.concat([Buffer.alloc(DATA_HEAD_BYTES), Buffer.from('abc')]);
    writeDataHead(data, 3, 0x1_0000_0001, 3);
    expect(data.toString('hex')).toBe(hexOf('data beyond 4 GiB'));
    const batch = Buffer.concat([Buffer.alloc(HEADER_BYTES), Buffer.from('abc')]);
    writeHeader(batch, BATCH, 5, 3);
    expect(batch.toString('hex')).toBe(hexOf('a pack'));
    expect(creditFrame(7, 0x0100_0000).toString('hex')).toBe(hexOf('credit'));
    expect(stalledFrame(7).toString('hex')).toBe(hexOf('a sender that waits for credit'));
    expect(widerFrame(7, 0x0100_0000).toString('hex')).toBe(hexOf('a wider window'));
    expect(greaseFrame().toString('hex')).toBe(hexOf('a frame without a meaning'));
  });
});

describe('any sequence of frames', () => {
  const data = fc.tuple(fc.integer({ min: 0, max: 0xffff_ffff }), fc.maxSafeNat(), fc.uint8Array({ minLength: 1, maxLength: 50 })).map(([exchange, offset, bytes]) => {
    const frame = Buffer.concat([Buffer.alloc(DATA_HEAD_BYTES), bytes]);
    writeDataHead(frame, exchange, offset, bytes.byteLength);
    return { frame, says: { kind: 'data', exchange, offset, bytes: plain(bytes) } };
  });
  const message = fc.tuple(fc.nat(99), anyMessage).map(([exchange, message]) => {
    const frame = encodeMessage(exchange, message);
    return { frame, says: { kind: 'frame', type: frame[4], critical: true, exchange, body: plain(frame.subarray(HEADER_BYTES)) } };
  });

  test('cut into any chunks, is what was written', () => {
    fc.assert(fc.property(fc.array(fc.oneof(data, message), { maxLength: 8 }), fc.array(fc.nat(200)), (written, sizes) => {
      const bytes = Buffer.concat(written.map(({ frame }) => frame));
      const chunks: Buffer[] = [];
      let at = 0;
      for (const size of sizes) { chunks.push(bytes.subarray(at, at + size)); at += size; }
      expect(decodeAll([...chunks, bytes.subarray(at)])).toEqual(written.map(({ says }) => says));
    }), { numRuns: 300 });
  });
});

describe('a length', () => {
  /** What a decoder says to a head with this type and length: `taken`, or the code of the failure. */
  function verdict(type: number, length: number, limit: number): string {
    const head = Buffer.alloc(DATA_HEAD_BYTES);
    writeHeader(head, type, 1, length);
    const decoder = new FrameDecoder();
    decoder.limit = limit;
    try {
      decoder.push(type === DATA ? head : head.subarray(0, HEADER_BYTES));
      return 'taken';
    } catch (error) {
      return (error as Failure).code;
    }
  }
  const extremes = [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

  test.each([
    ['before sign-in', 0x00, MAX_GREETING_BODY, MAX_GREETING_BODY],
    ['of a control frame', 0x10, MAX_BODY, MAX_CONTROL_BODY],
    ['of an unknown frame', 0xee, MAX_BODY, MAX_CONTROL_BODY],
    ['of data', DATA, MAX_BODY, MAX_BODY],
    ['of a pack', BATCH, MAX_BODY, MAX_BODY],
  ])('%s is taken up to its limit and refused from there on, before anything is allocated', (_what, type, limit, most) => {
    expect(verdict(type, most, limit)).toBe('taken');
    const before = process.memoryUsage.rss();
    for (const length of [most + 1, ...extremes]) expect(verdict(type, length, limit)).toBe('PROTOCOL');
    expect(process.memoryUsage.rss() - before).toBeLessThan(256 << 20); // the smallest of the extremes is 2 GiB
  });
});

describe('what is not a frame', () => {
  const ofFrames = load('refused').filter(({ title }) => /limit|reserved|2\^3|without data|shorter than|empty pack|data at/.test(title));

  test.each(ofFrames.map((vector) => [vector.title, vector] as const))('%s: is refused wherever it is cut', (_title, { hex, phase }) => {
    const bytes = Buffer.from(hex, 'hex');
    for (let at = 0; at <= bytes.byteLength; at += 1) {
      const decoder = new FrameDecoder();
      if (phase === 'open') decoder.limit = MAX_BODY;
      const push = (): void => { decoder.push(bytes.subarray(0, at)); decoder.push(bytes.subarray(at)); };
      expect(push).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
    }
  });
});
