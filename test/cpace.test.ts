/** The exchange behind spoken codes, against the vectors of draft-irtf-cfrg-cpace-21, section B.3. */
import { describe, expect, test } from 'vitest';
import { confirmationOf, generatorOf, joined, multiply, newScalar, sameConfirmation, sharedKey, type Agreed } from '../src/cpace.ts';
import { Secret } from '../src/secret.ts';

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replace(/\s/g, ''), 'hex'));
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');

const AGREED: Agreed = {
  secret: new Secret(Buffer.from('Password')),
  channel: joined(Buffer.from('A_initiator'), Buffer.from('B_responder')),
  session: bytes('7e4b4791d6a8ef019b936c79fb7f2c57'),
};
const G = '222b6b195fe84b1652badb6f6a3ae3d24341e7306967f0b8115b40d5698c7e56';
const YA_SCALAR = bytes('da3d23700a9e5699258aef94dc060dfda5ebb61f02a5ea77fad53f4ff0976d08');
const YB_SCALAR = bytes('d2316b454718c35362d83d69df6320f38578ed5984651435e2949762d900b80d');
const YA = 'd6bac480f2c386c394efc7c47adb9925dcd2630b64f240c50f8d0eec482b9157';
const YB = '3ea7e0b19560d7c0b0f5734f63b955286dfa8232b5ebe63324e2d9e7433f7258';
const K = '80b69a8a76457ab6a4d7f887a4bf6b55a2f80ac19c333f917a05fc9887c8b40f';
const ISK = 'b69effbf61b51d56401c0f65601abe428de8206feaaf0e32198896dcae7b35cd2b38950a39dfd5d4a79164614c2984f7daa460b588c1e80c3fa2068af7900447';

describe('the vectors of the draft', () => {
  test('give the generator', () => {
    expect(hex(AGREED.channel)).toBe('0b415f696e69746961746f720b425f726573706f6e646572');
    expect(hex(generatorOf(AGREED))).toBe(G);
  });

  test('give what each side sends', () => {
    expect(hex(multiply(YA_SCALAR, bytes(G)))).toBe(YA);
    expect(hex(multiply(YB_SCALAR, bytes(G)))).toBe(YB);
  });

  test('give the product and the key, on both sides', () => {
    expect(hex(multiply(YA_SCALAR, bytes(YB)))).toBe(K);
    expect(hex(multiply(YB_SCALAR, bytes(YA)))).toBe(K);
    const [client, server] = [{ point: bytes(YA), data: Buffer.from('ADa') }, { point: bytes(YB), data: Buffer.from('ADb') }];
    expect(hex(sharedKey(AGREED, bytes(K), client, server))).toBe(ISK);
  });

  test('give the product of B.3.10', () => {
    const s = bytes('7cd0e075fa7955ba52c02759a6c90dbbfc10e6d40aea8d283e407d88cf538a05');
    const x = bytes('2c3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c');
    expect(hex(multiply(s, x))).toBe('7c13645fe790a468f62c39beb7388e541d8405d1ade69d1778c5fe3e7f6b600e');
  });

  test.each([
    ['that is no encoding of a point', '2b3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c'],
    ['that is the neutral element', '00'.repeat(32)],
  ])('refuse a point %s (B.3.11)', (_what, point) => {
    const s = bytes('7cd0e075fa7955ba52c02759a6c90dbbfc10e6d40aea8d283e407d88cf538a05');
    expect(() => multiply(s, bytes(point))).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
  });
});

describe('a point from the other side', () => {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const little = (value: bigint): Uint8Array => bytes(value.toString(16).padStart(64, '0')).toReversed();

  test.each([
    ['the order of the field, which is zero again', little(2n ** 255n - 19n)],
    ['two with the top bit set', little(2n + 2n ** 255n)],
    ['a negative number', little(1n)],
    ['all bits set', new Uint8Array(32).fill(0xff)],
    ['too short', new Uint8Array(31)],
    ['too long', new Uint8Array(33)],
  ])('is refused when it is %s', (_what, point) => {
    expect(() => multiply(newScalar(), point)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
  });

  test.each([['zero', 0n], ['the order of the group', order]])('is multiplied with no scalar that is %s', (_what, scalar) => {
    expect(() => multiply(little(scalar), bytes(G))).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
  });
});

describe('two sides', () => {
  function keyOf(mine: Agreed, theirs: Agreed): [string, string] {
    const [a, b] = [newScalar(), newScalar()];
    const client = { point: multiply(a, generatorOf(mine)), data: Buffer.from('c') };
    const server = { point: multiply(b, generatorOf(theirs)), data: Buffer.from('s') };
    return [hex(sharedKey(mine, multiply(a, server.point), client, server)), hex(sharedKey(theirs, multiply(b, client.point), client, server))];
  }

  test('have one key, and another one each time', () => {
    const [one, other] = [keyOf(AGREED, AGREED), keyOf(AGREED, AGREED)];
    expect(one[0]).toBe(one[1]);
    expect(one[0]).not.toBe(other[0]);
  });

  test.each([
    ['secret', { ...AGREED, secret: new Secret(Buffer.from('password')) }],
    ['session', { ...AGREED, session: bytes('7e4b4791d6a8ef019b936c79fb7f2c58') }],
    ['channel', { ...AGREED, channel: joined(Buffer.from('A_initiator'), Buffer.from('C_responder')) }],
  ])('have two keys when the %s differs', (_what, other) => {
    const [mine, theirs] = keyOf(AGREED, other);
    expect(mine).not.toBe(theirs);
  });

  test('confirm the key, what they sent and what they claim', () => {
    const share = { point: bytes(YA), data: Buffer.from('c') };
    const key = bytes(ISK);
    const right = confirmationOf(AGREED, key, share, Buffer.from('me'));
    expect(sameConfirmation(right, confirmationOf(AGREED, key, share, Buffer.from('me')))).toBe(true);
    expect(sameConfirmation(right, confirmationOf(AGREED, key, share, Buffer.from('you')))).toBe(false);
    expect(sameConfirmation(right, confirmationOf(AGREED, key, { ...share, point: bytes(YB) }, Buffer.from('me')))).toBe(false);
    expect(sameConfirmation(right, right.subarray(1))).toBe(false);
  });
});
