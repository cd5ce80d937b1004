import { createHash, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Failure } from '../src/errors.ts';
import {
  type Claim, type Credentials, createKey, fingerprint, keyFromSecret, parseFingerprint, pinOf, publicBytes, publicKey, signProof, verifyProof,
} from '../src/identity.ts';
import { Secret } from '../src/secret.ts';

const device = createKey();
const serverPin = pinOf(createKey());
const exporter = new Uint8Array(32).fill(7);

function signed(claim: Partial<Claim> = {}, key = device): Credentials {
  const whole: Claim = { kind: 'device', exporter, serverPin, ...claim };
  return { kind: whole.kind, key: publicBytes(key), signature: signProof(key, whole), exporter: whole.exporter, ...(whole.device && { device: whole.device }) };
}

describe('a key', () => {
  test('survives as its 32 public bytes', () => {
    const raw = publicBytes(device);
    expect(raw.byteLength).toBe(32);
    expect(publicBytes(publicKey(raw))).toEqual(raw);
  });

  test('made from a secret is the same for the same purpose and another for any other', () => {
    const secret = new Secret(Buffer.from('0123456789abcdef'));
    const one = publicBytes(keyFromSecret(secret, 'invite'));
    expect(publicBytes(keyFromSecret(secret, 'invite'))).toEqual(one);
    expect(publicBytes(keyFromSecret(secret, 'token'))).not.toEqual(one);
    expect(publicBytes(keyFromSecret(new Secret(Buffer.from('0123456789abcdeg')), 'invite'))).not.toEqual(one);
  });

  test('made from a secret never changes between versions', () => {
    expect(Buffer.from(publicBytes(keyFromSecret(new Secret(new Uint8Array(16)), 'invite'))).toString('hex')).toBe('ab4abb7f0cee86001902d58c2598de210ad39ac2761471c2961290c1c8939380');
  });

  test('of another kind is refused', () => {
    expect(() => publicBytes(generateKeyPairSync('x25519').publicKey)).toThrow(Failure);
    expect(() => publicKey(new Uint8Array(31))).toThrow(Failure);
  });
});

describe('a pin', () => {
  test('is SHA-256 of the SPKI, for the private and the public half alike', () => {
    const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicBytes(device)]);
    expect(Buffer.from(pinOf(device))).toEqual(createHash('sha256').update(spki).digest());
    expect(pinOf(publicKey(publicBytes(device)))).toEqual(pinOf(device));
  });

  test('is shown as a fingerprint and read back', () => {
    expect(fingerprint(serverPin)).toMatch(/^sha256:[A-Za-z0-9_-]{43}$/);
    expect(parseFingerprint(fingerprint(serverPin))).toEqual(serverPin);
  });

  test.each(['', 'sha256:', 'sha256:abc', 'SHA256:' + 'A'.repeat(43), 'sha256:' + 'A'.repeat(44), 'sha256:' + 'A'.repeat(42) + '=', 'sha256:' + 'A'.repeat(42) + 'B'])(
    'is not read from %j', (text) => { expect(() => parseFingerprint(text)).toThrow(Failure); },
  );
});

/** What a ticket's holder presents to enrol the device with this key. */
function enrolling(owner = device): Credentials {
  const claim = { kind: 'invite', exporter, serverPin, device: publicBytes(owner) } as const;
  return { ...signed(claim), deviceSignature: signProof(owner, claim) };
}

describe('a proof', () => {
  test('of a device holds for its connection and its server', () => {
    expect(verifyProof(signed(), serverPin)).toBe(true);
  });

  test('of an invite names the device to enrol', () => {
    expect(verifyProof(enrolling(), serverPin)).toBe(true);
  });

  test('of an invite enrols no key of somebody else', () => {
    const { deviceSignature: _, ...unsigned } = enrolling();
    expect(verifyProof(unsigned, serverPin)).toBe(false);
    expect(verifyProof({ ...enrolling(), deviceSignature: enrolling(createKey()).deviceSignature! }, serverPin)).toBe(false);
  });

  test('relayed to another connection is worth nothing', () => {
    expect(verifyProof({ ...signed(), exporter: new Uint8Array(32).fill(8) }, serverPin)).toBe(false);
  });

  test('meant for one server is refused by another', () => {
    expect(verifyProof(signed(), pinOf(createKey()))).toBe(false);
  });

  test('of one kind is not one of the other, and the enrolled device cannot be exchanged', () => {
    const invite = enrolling();
    expect(verifyProof({ ...signed(), kind: 'invite', device: publicBytes(device) }, serverPin)).toBe(false);
    expect(verifyProof({ ...invite, device: publicBytes(createKey()) }, serverPin)).toBe(false);
    const { device: _, ...without } = invite;
    expect(verifyProof(without, serverPin)).toBe(false);
    expect(verifyProof({ ...invite, kind: 'device' }, serverPin)).toBe(false);
  });

  test('fails when any single bit of it is changed', () => {
    const good = signed();
    for (let bit = 0; bit < 512; bit++) {
      const signature = good.signature.slice();
      signature[bit >> 3]! ^= 1 << (bit & 7);
      expect(verifyProof({ ...good, signature }, serverPin)).toBe(false);
    }
  });

  test('of garbage is false and never an error', () => {
    const good = signed();
    const garbage = [0, 1, 31, 33, 64].map((length) => new Uint8Array(length)).concat([new Uint8Array(32).fill(255), new Uint8Array(64).fill(255)]);
    for (const bytes of garbage) {
      for (const field of ['key', 'signature', 'exporter'] as const) expect(verifyProof({ ...good, [field]: bytes }, serverPin)).toBe(false);
    }
    expect(verifyProof({ ...good, kind: 'admin' as 'device' }, serverPin)).toBe(false);
  });
});
