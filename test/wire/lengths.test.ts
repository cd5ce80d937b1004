/**
 * D1: every length field on the wire with the values that break parsers, before and after sign-in. Whatever it says, it is taken or
 * refused as the peer's fault, and no memory is taken for what has not come.
 */
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { readPack } from '../../src/pack.ts';
import { Machine } from '../../src/session/machine.ts';
import { DATA, HEADER_BYTES, MAX_BODY, MAX_CONTROL_BODY, MAX_GREETING_BODY, writeHeader } from '../../src/wire/frame.ts';
import { decodeMessage, encodeMessage, MESSAGES, type Kind } from '../../src/wire/messages.ts';
import { AUTH, HELLO, messageOf, Speakers } from '../session/speakers.ts';
import { KINDS } from './arbitraries.ts';
import { load } from './vectors.ts';

/** What one machine, and one message, may take beside what has come. */
const LITTLE = 1 << 20;

/** The failure of `read`, which must be the peer's; undefined when it is taken. */
function refused(read: () => unknown, code: readonly string[] = ['PROTOCOL']): string | undefined {
  const before = process.memoryUsage().arrayBuffers;
  try {
    read();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    expect(code).toContain((error as Failure).code);
    return (error as Failure).message;
  } finally {
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(LITTLE);
  }
}

/** With the offset, where it belongs to the head. */
function header(type: number, exchange: number, length: number): Buffer {
  const bytes = Buffer.alloc(type === DATA ? HEADER_BYTES + 8 : HEADER_BYTES);
  writeHeader(bytes, type, exchange, length);
  return bytes;
}

const TYPES = Object.entries(MESSAGES).map(([kind, { type }]) => [kind, type] as const);

describe('D1: the length of a frame', () => {
  test.each([...TYPES, ['data', 0x20], ['batch', 0x21], ['credit', 0x07]] as const)('of %s is refused above what is allowed at that time, from its header alone', (kind, type) => {
    const bulk = kind === 'data' || kind === 'batch';
    for (const side of ['server', 'client'] as const) {
      const signedIn = (): Machine => Speakers.opened()[side];
      const limit = bulk ? MAX_BODY : MAX_CONTROL_BODY;
      for (const [most, machine] of [[MAX_GREETING_BODY, () => new Machine(side)], [limit, signedIn]] as const) {
        for (const length of [most + 1, 2 ** 31, 2 ** 32 - 1]) expect(refused(() => machine().receive(header(type, 1, length))), `${side} ${length}`).toMatch(/frame of \d+ bytes, more than is allowed/);
        if (!bulk) for (const length of [1, most]) expect(refused(() => machine().receive(header(type, 1, length)))).toBeUndefined();
        refused(() => machine().receive(header(type, 1, 0)));
      }
    }
  });

  test.each([0, 1, 7, 8])('of a piece of a file is refused when it is %i, without a byte of data', (length) => {
    expect(refused(() => Speakers.opened().server.receive(header(DATA, 1, length)))).toMatch(/without data/);
  });
});

test.each([2 ** 53, 2 ** 63, 2 ** 64 - 1])('D1: an offset of %d is refused', (offset) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(offset === 2 ** 64 - 1 ? '18446744073709551615' : offset));
  const both = Speakers.opened();
  const exchange = both.ask('put');
  both.word('server', exchange, 'accept');
  expect(refused(() => both.server.receive(Buffer.concat([header(DATA, exchange, 9).subarray(0, HEADER_BYTES), bytes, Buffer.alloc(1)])))).toMatch(/beyond 2\^53/);
});

/** Base 128, also beyond what our own writer writes. */
function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

function readVarint(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  let scale = 1;
  let end = at;
  for (;; scale *= 128) {
    const byte = bytes[end++]!;
    value += (byte & 127) * scale;
    if (byte < 128) return { value, end };
  }
}

/** Where the numbers of a body stand: lengths of fields, and fields that are numbers. */
function numbersIn(body: Uint8Array): { start: number; end: number; value: number; isLength: boolean }[] {
  const found = [];
  for (let at = 0; at < body.byteLength;) {
    const key = readVarint(body, at);
    const number = readVarint(body, key.end);
    const isLength = key.value % 2 === 1;
    found.push({ start: key.end, end: number.end, value: number.value, isLength });
    at = number.end + (isLength ? number.value : 0);
  }
  return found;
}

const bodies = [
  ...load('messages').map(({ hex, message }) => [(message as { kind: Kind }).kind, Buffer.from(hex, 'hex').subarray(HEADER_BYTES)] as const),
  ...KINDS.map((kind) => [kind, encodeMessage(1, messageOf(kind)).subarray(HEADER_BYTES)] as const),
];

test.each(KINDS)('D1: every length and every number in %s is checked before anything is taken for it', (kind) => {
  let changed = 0;
  for (const [, body] of bodies.filter(([of]) => of === kind)) {
    for (const { start, end, value, isLength } of numbersIn(body)) {
      const rest = body.byteLength - end;
      for (const other of [0, value + 1, rest, rest + 1, MAX_CONTROL_BODY, MAX_CONTROL_BODY + 1, 2 ** 31, 2 ** 32 - 1, 2 ** 53 - 1, 2 ** 53, 2 ** 63]) {
        const bytes = Buffer.concat([body.subarray(0, start), varint(BigInt(other)), body.subarray(end)]);
        const why = refused(() => decodeMessage(kind, bytes));
        if (isLength && other > rest) expect(why, `${kind} ${other}`).toBeDefined();
        if (other >= 2 ** 53) expect(why).toBeDefined();
        changed += 1;
      }
    }
  }
  expect(changed > 0 || Object.keys(MESSAGES[kind].fields).length === 0).toBe(true);
});

describe('D1: the lengths in a pack', () => {
  const HEAD = 20;
  const folder = Buffer.from([1, ...Buffer.alloc(HEAD - 1)]);
  const file = Buffer.concat([Buffer.from([2, 0, 0, 1]), Buffer.alloc(HEAD - 4), Buffer.from('f'), Buffer.alloc(32)]);

  test.each([0, 1, 0x7fff, 0x8000, 0xffff])('of a name are refused when they are %i and it is not that long', (length) => {
    const bytes = Buffer.from(file);
    bytes.writeUInt16BE(length, 2);
    const why = refused(() => [...readPack(Buffer.concat([folder, bytes]))], ['PROTOCOL', 'BADNAME']);
    if (length === 1) expect(why).toBeUndefined();
    else expect(why).toBeDefined();
  });

  test.each([1, 256 << 10, (256 << 10) + 1, 2 ** 31, 2 ** 32 - 1])('of the data are refused when they are %i and there is none', (size) => {
    const bytes = Buffer.from(file);
    bytes.writeUInt32BE(size, 16);
    expect(refused(() => [...readPack(Buffer.concat([folder, bytes]))])).toMatch(/a length beyond its end/);
  });
});

test('D1: half a greeting before sign-in holds no more than the greeting may be', () => {
  const before = process.memoryUsage().arrayBuffers;
  const machines = Array.from({ length: 200 }, () => {
    const machine = new Machine('server');
    machine.receive(encodeMessage(0, HELLO));
    machine.receive(header(MESSAGES[AUTH.kind].type, 0, MAX_GREETING_BODY));
    machine.receive(Buffer.alloc(100));
    return machine;
  });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(machines.length * MAX_GREETING_BODY * 2 + LITTLE);
});
