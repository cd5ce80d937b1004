/** Every message there can be, for fast-check: built from what the table of messages says of its fields, so that a new one is tested at once. */
import fc from 'fast-check';
import { CODES } from '../../src/errors.ts';
import type { Fields, FieldType } from '../../src/wire/fields.ts';
import { MESSAGES, type Kind, type Message } from '../../src/wire/messages.ts';

/** Numbers, with those at the edges of a byte more often than chance would have them. */
const uint = fc.oneof(fc.nat(300), fc.constantFrom(0x7f, 0x80, 0x3fff, 0x4000, 0xffff_ffff, 2 ** 32, Number.MAX_SAFE_INTEGER), fc.maxSafeNat());

function text(max: number): fc.Arbitrary<string> {
  return fc.string({ unit: 'binary', maxLength: Math.min(max, 40) }).map((value) => value.toWellFormed()).filter((value) => Buffer.byteLength(value) <= max);
}

export function ofType({ about }: FieldType<unknown>): fc.Arbitrary<unknown> {
  switch (about.is) {
    case 'uint': return uint;
    case 'integer': return fc.oneof(fc.maxSafeInteger(), fc.constantFrom(0, -1, -(2 ** 32), 2 ** 32 - 1, Number.MIN_SAFE_INTEGER));
    case 'flag': return fc.boolean();
    case 'code': return fc.constantFrom(...Object.keys(CODES));
    case 'choice': return fc.constantFrom(...about.of);
    case 'text': return fc.oneof({ weight: 20, arbitrary: text(about.max) }, { weight: 1, arbitrary: fc.constant('a'.repeat(about.max)) });
    case 'bytes': return fc.uint8Array({ minLength: about.min, maxLength: Math.min(about.max, 200) });
    case 'list': return fc.array(ofType(about.of), { maxLength: Math.min(about.max, 5) });
    case 'record': return ofFields(about.fields);
  }
}

function ofFields(fields: Fields): fc.Arbitrary<Record<string, unknown>> {
  const required = Object.entries(fields).filter(([, { optional }]) => !optional).map(([name]) => name);
  const values = Object.fromEntries(Object.entries(fields).map(([name, { type }]) => [name, ofType(type)]));
  return fc.record(values, { requiredKeys: required, noNullPrototype: true });
}

export function ofKind(kind: Kind): fc.Arbitrary<Message> {
  return ofFields(MESSAGES[kind].fields).map((fields) => ({ kind, ...fields }) as Message);
}

export const KINDS = Object.keys(MESSAGES) as Kind[];
export const anyMessage: fc.Arbitrary<Message> = fc.constantFrom(...KINDS).chain(ofKind);
