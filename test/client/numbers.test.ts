/** B7: whatever number a server tells, in whichever field, is refused or can be worked with: nothing is ever NaN, infinite, or a mode that no file can have. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../src/client/api.ts';
import { connect } from '../../src/client/client.ts';
import { openHome } from '../../src/client/trust.ts';
import { entryEvent, listingLines } from '../../src/cli/listing.ts';
import { formatCount, formatDate, formatSize } from '../../src/cli/measures.ts';
import { FieldWriter, writeFields, type Fields } from '../../src/wire/fields.ts';
import { decodeMessage, MESSAGES, type Message } from '../../src/wire/messages.ts';
import { Hostile } from '../e2e/hostile.ts';
import { KINDS, ofKind } from '../wire/arbitraries.ts';

/** Varints that are too large, by a little and by much, or have no end. */
const TOO_LARGE = [[...Array<number>(7).fill(0x80), 0x10], [...Array<number>(9).fill(0x80), 0x01], [...Array<number>(9).fill(0xff), 0x01], Array<number>(12).fill(0xff)].map((bytes) => Buffer.from(bytes));
/** The same of signed numbers: eight bytes behind their length. */
const TOO_FAR = ['7fffffffffffffff', '8000000000000000', '0020000000000000', 'ffdfffffffffffff'].map((hex) => Buffer.concat([Buffer.from([8]), Buffer.from(hex, 'hex')]));

const NUMERIC = KINDS.flatMap((kind) => Object.entries(MESSAGES[kind].fields as Fields)
  .filter(([, { type }]) => ['uint', 'integer', 'flag', 'code', 'choice'].includes(type.about.is))
  .map(([name, { type }]) => [kind, name, type.about.is === 'integer' ? TOO_FAR : TOO_LARGE] as const));

/** The body of a message in which `bytes` stand for the value of one field. */
function withBytes(message: Message, name: string, bytes: Uint8Array): Buffer {
  return Buffer.concat(Object.entries(MESSAGES[message.kind].fields as Fields).map(([own, field]) => {
    const writer = new FieldWriter();
    if (own !== name) writeFields(writer, { [own]: field }, message as never);
    else writer.varint(field.number * 2 + field.type.wire);
    return own === name ? Buffer.concat([writer.finish(), bytes]) : writer.finish();
  }));
}

test.each(NUMERIC)('a %s whose %s is beyond all numbers is refused', (kind, name, values) => {
  const message = fc.sample(ofKind(kind), { numRuns: 1, seed: 7 })[0]!;
  for (const value of values) expect(() => decodeMessage(kind, withBytes(message, name, value))).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
});

describe('an answer with any numbers', () => {
  const home = mkdtempSync(join(tmpdir(), 'wherry-numbers-'));
  let hostile: Hostile;
  let client: Client;

  beforeAll(async () => {
    hostile = await Hostile.start();
    await (await openHome(home)).remember({ name: 'evil', addresses: [hostile.address], pin: hostile.pin, account: 'you', joined: '' });
    client = await connect({ home });
  });
  afterAll(async () => {
    await client.close();
    await hostile[Symbol.asyncDispose]();
    rmSync(home, { recursive: true });
  });

  const counts = (values: object): void => {
    for (const value of Object.values(values)) {
      expect(value).toSatisfy((one) => Number.isSafeInteger(one) && Number(one) >= 0);
      expect(`${formatSize(value as number)} ${formatCount(value as number)}`).not.toMatch(/NaN|Infinity|undefined|e\+/);
    }
  };

  test('to du and df is a count', async () => {
    await fc.assert(fc.asyncProperty(ofKind('used'), ofKind('room'), async (used, room) => {
      hostile.script = (exchange, { kind }) => exchange.say(kind === 'usage' ? used : room);
      counts(await client.usage('x'));
      counts(await client.space());
    }), { numRuns: 200 });
  });

  test('to stat and ls has a date, a size and a mode that can be shown', async () => {
    await fc.assert(fc.asyncProperty(ofKind('entry'), async (answer) => {
      const told = (answer as Message<'entry'>).entry;
      fc.pre(told !== undefined);
      const entry = { ...told, name: 'x' };
      hostile.script = async (exchange, { kind }) => {
        if (kind === 'stat') return exchange.say({ kind: 'entry', entry });
        await exchange.sayBulk({ kind: 'entries', entries: [entry], unlisted: Number.MAX_SAFE_INTEGER }, 4096);
        exchange.say({ kind: 'done' });
      };
      const listed = [];
      for await (const { entries } of client.list('')) listed.push(...entries);
      for (const found of [(await client.stat('x'))!, ...listed]) {
        expect(found.mode).toBe(found.mode & 0o777);
        const shown = [JSON.stringify(entryEvent(found, '/x')), ...listingLines([found], { long: true, human: false }, 80), ...listingLines([found], { long: true, human: true }, 20), formatDate(found.mtime)];
        expect(shown.join('\n')).not.toMatch(/NaN|Infinity|undefined|unknown|Invalid/);
      }
    }), { numRuns: 200 });
  });

  test('to a measurement gives a rate', async () => {
    await fc.assert(fc.asyncProperty(ofKind('measured'), async (measured) => {
      hostile.script = (exchange) => exchange.say(measured);
      const { bytes, milliseconds, ...rest } = await client.measure('disk', { bytes: 1, milliseconds: 1 });
      expect(milliseconds).toBeGreaterThan(0);
      expect(Object.values({ bytes, ...rest }).every(Number.isFinite)).toBe(true);
      expect(Number.isFinite((await client.askTime()).aheadMilliseconds)).toBe(true);
    }), { numRuns: 100 });
  });
});
