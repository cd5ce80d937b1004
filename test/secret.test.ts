import { format, inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Failure } from '../src/errors.ts';
import { Secret, type Tellable } from '../src/secret.ts';

const WORD = 'planted-9f2c';
const secret = new Secret(WORD);

describe('a secret', () => {
  test('is revealed to who asks for it', () => {
    expect(secret.reveal()).toBe(WORD);
  });

  test.each<[string, () => string]>([
    ['a template', () => `secret: ${String(secret)}`],
    ['joined text', () => [secret].join(' ')],
    ['JSON', () => JSON.stringify({ deep: [{ secret }] })],
    ['inspect', () => inspect({ deep: { secret } }, { depth: Infinity, showHidden: true, showProxy: true })],
    ['format', () => format('%s %o %O %j', secret, secret, secret, secret)],
    ['an error that has it as its cause', () => inspect(new Failure('INTERNAL', 'x', { cause: { secret } }), { depth: Infinity })],
    ['its keys and values', () => JSON.stringify([Object.entries(secret), Object.assign({}, secret)])],
    ['a copy for another process', () => inspect(structuredClone({ secret }))],
  ])('is not in %s', (_where, text) => {
    expect(text()).not.toContain(WORD);
  });

  test('cannot be told to a log: it does not compile, alone, in a list, or in an object', () => {
    const tell = (value: Tellable): Tellable => value;
    // @ts-expect-error a secret is not tellable
    tell(secret);
    // @ts-expect-error nor are several
    tell([secret]);
    // @ts-expect-error nor one inside of something
    tell({ secret });
    expect(tell({ plain: ['text', 1, undefined] })).toEqual({ plain: ['text', 1, undefined] });
  });
});
