import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CODES, Failure, type Code } from '../../src/errors.ts';
import { BATCH, CREDIT, DATA, GREASE, HEADER_BYTES, MAX_CONTROL_BODY, MAX_GREETING_BODY, STALLED, WIDER } from '../../src/wire/frame.ts';
import { cut, decodeMessage, encodeMessage, errorMessage, failureOf, kindOf, MAX_DIGESTS, MAX_ENTRIES, MAX_LISTED, MESSAGES, type Kind, type Message } from '../../src/wire/messages.ts';
import { anyMessage, KINDS } from './arbitraries.ts';
import { load, plain, reviveMessage } from './vectors.ts';

const vectors = load('messages');

function body(hex: string): Buffer {
  return Buffer.from(hex, 'hex').subarray(HEADER_BYTES);
}

describe('every message of the reference', () => {
  test.each(vectors.map((vector) => [vector.title, vector] as const))('%s: decodes as it says, and encodes to the same bytes', (_title, { hex, exchange, message }) => {
    const bytes = Buffer.from(hex, 'hex');
    const kind = kindOf(bytes[4]!)!;
    expect(plain(decodeMessage(kind, bytes.subarray(HEADER_BYTES)))).toEqual(message);
    expect(encodeMessage(exchange, reviveMessage(message)).toString('hex')).toBe(hex);
  });

  test('is there for every kind, with and without what is optional', () => {
    const seen = new Set(vectors.map(({ message }) => (message as Message).kind));
    expect(KINDS.filter((kind) => !seen.has(kind))).toEqual([]);
    for (const kind of KINDS) {
      const names = vectors.map(({ message }) => message as Message).filter((message) => message.kind === kind).map((message) => Object.keys(message));
      for (const [name, { optional }] of Object.entries(MESSAGES[kind].fields)) {
        expect(names.some((keys) => keys.includes(name)), `${kind}.${name} present`).toBe(true);
        if (optional) expect(names.some((keys) => !keys.includes(name)), `${kind}.${name} absent`).toBe(true);
      }
    }
  });

  test('has no shorter form: cut anywhere, its body is refused or says something else', () => {
    for (const { hex, message } of vectors) {
      const { kind } = message as Message;
      for (let length = 0; length < body(hex).byteLength; length += 1) {
        let said: unknown;
        try {
          said = plain(decodeMessage(kind, body(hex).subarray(0, length)));
        } catch (error) {
          expect((error as Failure).code).toBe('PROTOCOL');
        }
        expect(said).not.toEqual(message);
      }
    }
  });
});

describe('what a later version may add', () => {
  test.each(load('tolerated').map((vector) => [vector.title, vector] as const))('%s', (_title, { hex, message }) => {
    expect(plain(decodeMessage(message.kind as Kind, body(hex)))).toEqual(message);
  });
});

describe('any message', () => {
  test('decodes to what was encoded', () => {
    fc.assert(fc.property(anyMessage, fc.integer({ min: 0, max: 0xffff_ffff }), (message, exchange) => {
      const frame = encodeMessage(exchange, message);
      expect(frame.readUInt32BE(0)).toBe(frame.byteLength - HEADER_BYTES);
      expect(frame.readUInt32BE(8)).toBe(exchange);
      expect(plain(decodeMessage(message.kind, frame.subarray(HEADER_BYTES)))).toEqual(plain(message));
    }), { numRuns: 2_000 });
  });

  test('has one encoding: bytes that decode encode to themselves', () => {
    fc.assert(fc.property(anyMessage, fc.array(fc.record({ at: fc.nat(), value: fc.nat(255) }), { minLength: 1, maxLength: 3 }), (message, changes) => {
      const bytes = Buffer.from(encodeMessage(1, message).subarray(HEADER_BYTES));
      for (const { at, value } of changes) if (bytes.byteLength > 0) bytes[at % bytes.byteLength] = value;
      let decoded: Message;
      try {
        decoded = decodeMessage(message.kind, bytes);
      } catch (error) {
        expect((error as Failure).code).toBe('PROTOCOL');
        return;
      }
      const again = encodeMessage(1, decoded).subarray(HEADER_BYTES);
      // Fields and codes that are unknown are lost on the way; everything else must be the very same.
      expect(again.byteLength).toBeLessThanOrEqual(bytes.byteLength);
      expect(plain(decodeMessage(message.kind, again))).toEqual(plain(decoded));
      if (!JSON.stringify(plain(decoded)).includes('INTERNAL') && again.byteLength === bytes.byteLength) expect(again.equals(bytes)).toBe(true);
    }), { numRuns: 2_000 });
  });

  test('does not share memory with the bytes it was read from', () => {
    const frame = encodeMessage(1, { kind: 'digest', digest: new Uint8Array(32).fill(7) });
    const message = decodeMessage('digest', frame.subarray(HEADER_BYTES));
    frame.fill(0);
    expect(message.digest).toEqual(new Uint8Array(32).fill(7));
  });
});

describe('the table', () => {
  test('gives every kind a type of its own, and none that is reserved', () => {
    const types = [...Object.values(MESSAGES).map(({ type }) => type), DATA, BATCH, CREDIT, STALLED, WIDER, GREASE];
    expect(new Set(types).size).toBe(types.length);
    for (const { type } of Object.values(MESSAGES)) expect(type & 0x0f).not.toBe(0x0a);
  });

  test('lists fields in the order of their numbers', () => {
    for (const { fields } of Object.values(MESSAGES)) {
      const numbers = Object.values(fields).map(({ number }) => number);
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
      expect(new Set(numbers).size).toBe(numbers.length);
    }
  });

  test('has limits that fit a control frame, also with the longest names', () => {
    const longest = 'n'.repeat(255);
    const entries = Array.from({ length: MAX_ENTRIES }, () => ({ name: longest, kind: 'file' as const, size: Number.MAX_SAFE_INTEGER, mtime: 0, mode: 0o777 }));
    expect(encodeMessage(1, { kind: 'entries', entries, unlisted: 0 }).byteLength).toBeLessThan(MAX_CONTROL_BODY);
    const digests = Array.from({ length: MAX_DIGESTS }, () => new Uint8Array(32));
    expect(encodeMessage(1, { kind: 'hashes', first: 0, digests }).byteLength).toBeLessThan(MAX_CONTROL_BODY);
    const problems = Array.from({ length: MAX_LISTED }, () => ({ path: 'p'.repeat(4096), code: 'IO' as const, message: 'm'.repeat(1024) }));
    expect(encodeMessage(1, { kind: 'problems', problems, skipped: 0 }).byteLength).toBeLessThan(MAX_CONTROL_BODY);
    const auth: Message = { kind: 'auth', method: 'invite', key: new Uint8Array(32), signature: new Uint8Array(64), device: new Uint8Array(32), label: 'l'.repeat(128) };
    expect(encodeMessage(0, auth).byteLength).toBeLessThan(MAX_GREETING_BODY);
  });
});

describe('a failure on the wire', () => {
  test.each(Object.keys(CODES) as Code[])('%s arrives with all that people and programs need', (code) => {
    const failure = new Failure(code, 'what happened', { path: 'a/b', who: 'rule', retry: true, hint: 'what to do' });
    const { message, ...rest } = failureOf(decodeMessage('error', encodeMessage(1, errorMessage(failure)).subarray(HEADER_BYTES)));
    expect(rest).toMatchObject({ code, path: 'a/b', who: 'rule', retry: true, hint: 'what to do' });
    // What went wrong inside a server is for its log, not for its guests.
    expect(message === 'what happened').toBe(code !== 'INTERNAL');
  });

  test('has texts that fit, cut between characters', () => {
    const failure = new Failure('IO', '€'.repeat(2000), { path: 'é'.repeat(5000), hint: '🏞'.repeat(1000) });
    const arrived = failureOf(decodeMessage('error', encodeMessage(1, errorMessage(failure)).subarray(HEADER_BYTES)));
    expect(arrived.message).toMatch(/^€+…$/);
    expect(arrived.path).toMatch(/^é+…$/);
    expect(arrived.hint).toMatch(/^🏞+…$/u);
  });

  test('cut to any size is well-formed and no longer', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.integer({ min: 3, max: 100 }), (value, max) => {
      const short = cut(value, max);
      expect(Buffer.byteLength(short)).toBeLessThanOrEqual(max);
      expect(short.isWellFormed()).toBe(true);
      if (Buffer.byteLength(value.toWellFormed()) <= max) expect(short).toBe(value.toWellFormed());
    }));
  });
});
