/**
 * Identity: the Ed25519 keys by which devices, invites and servers are known, and the proof of having one.
 *
 * A proof signs what makes one connection unlike every other (the TLS exporter), the key of the server it is
 * meant for, and what is asked. So a proof that is overheard, or relayed by somebody in between, is worth
 * nothing on any other connection, and needs no challenge and no further round trip.
 * Pure and used by both ends; no files, no sockets. Who a key belongs to is told by `access/devices.ts`.
 */
import {
  createHash, createPrivateKey, createPublicKey, generateKeyPairSync, hkdfSync, type KeyObject, sign, verify, type X509Certificate,
} from 'node:crypto';
import { Failure } from './errors.ts';
import type { Secret } from './secret.ts';

/** Label and length of the exporter (RFC 8446 7.5) that both ends take from their TLS connection. */
export const EXPORTER_LABEL = 'EXPORTER-wherry-auth';
export const EXPORTER_BYTES = 32;

/** Bytes of a raw Ed25519 public key, of a signature (RFC 8032), and of a pin (SHA-256). */
export const KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;
export const PIN_BYTES = 32;
/** Bytes of what is exchanged for a spoken code: a point (ristretto255), and a confirmation (HMAC-SHA-512). */
export const POINT_BYTES = 32;
export const CONFIRMATION_BYTES = 64;

/** DER around a raw key (RFC 8410): PrivateKeyInfo and SubjectPublicKeyInfo have no variable part for Ed25519. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

/** Separates these signatures from any other use of the same key, and from later versions of the text. */
const PROOF_LABEL = 'wherry/1 sign-in';

/** `device`: a key the server knows. `invite`: the key in a ticket, which enrols a device key. `code`: a device key that comes with a spoken code. `token`: the key in a token, which is enough by itself. */
export type ProofKind = 'device' | 'invite' | 'code' | 'token';

const PROOF_KINDS: readonly string[] = ['device', 'invite', 'code', 'token'] satisfies ProofKind[];

/** What a peer presents to sign in. */
export interface Credentials {
  readonly kind: ProofKind;
  /** The raw public key that signed. */
  readonly key: Uint8Array;
  readonly signature: Uint8Array;
  /** Of this very connection, as this end computed it: never taken from the peer. */
  readonly exporter: Uint8Array;
  /** With an invite: the raw public key of the device to enrol. */
  readonly device?: Uint8Array;
  /** With an invite: the same proof by the device key, so that nobody enrols a key that is not theirs. */
  readonly deviceSignature?: Uint8Array;
  /** With an invite or a code: what the device calls itself. Not signed: TLS protects it, and nothing depends on it. */
  readonly label?: string;
  /** With a code: that both ends have the same (`cpace.ts`). */
  readonly confirmation?: Uint8Array;
}

/** By which key their peer is known from then on: that of its device or token, in base64url. */
export function keyOf({ kind, key, device }: Credentials): string {
  return Buffer.from((kind === 'invite' ? device : undefined) ?? key).toString('base64url');
}

/** What a proof is about. `device` goes with an invite, and only with one. */
export interface Claim {
  readonly kind: ProofKind;
  readonly exporter: Uint8Array;
  readonly serverPin: Uint8Array;
  readonly device?: Uint8Array | undefined;
}

/** A new private key. */
export function createKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}

/** The raw 32 bytes of the public half; takes a private key too. */
export function publicBytes(key: KeyObject): Uint8Array {
  const half = key.type === 'private' ? createPublicKey(key) : key;
  if (half.asymmetricKeyType !== 'ed25519') throw new Failure('UNSUPPORTED', 'this is not an Ed25519 key');
  return new Uint8Array(half.export({ type: 'spki', format: 'der' }).subarray(SPKI_HEAD.length));
}

/** The public key with these 32 bytes. Throws USAGE when there are more or fewer. */
export function publicKey(raw: Uint8Array): KeyObject {
  if (raw.byteLength !== KEY_BYTES) throw new Failure('USAGE', `a public key has ${KEY_BYTES} bytes, not ${raw.byteLength}`);
  // Not as DER: that takes OpenSSL seven times as long, which is more than the signature that is checked with it.
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(raw).toString('base64url') }, format: 'jwk' });
}

/** The private key that `secret` stands for: the same for the same secret and purpose, unrelated for any other (HKDF, RFC 5869). */
export function keyFromSecret(secret: Secret<Uint8Array>, purpose: string): KeyObject {
  const seed = Buffer.from(hkdfSync('sha256', secret.reveal(), new Uint8Array(0), `wherry/1 key ${purpose}`, KEY_BYTES));
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
}

/** SHA-256 of the public key in its standard wrapping (SPKI, as in RFC 7469): what tickets and known servers keep of a server. */
export function pinOf(key: KeyObject | X509Certificate): Uint8Array {
  const owner = 'publicKey' in key ? key.publicKey : key;
  const half = owner.type === 'private' ? createPublicKey(owner) : owner;
  return new Uint8Array(createHash('sha256').update(half.export({ type: 'spki', format: 'der' })).digest());
}

/** A pin as people compare it: `sha256:` and base64url. */
export function fingerprint(pin: Uint8Array): string {
  return `sha256:${Buffer.from(pin.buffer, pin.byteOffset, pin.byteLength).toString('base64url')}`;
}

/** The pin in a fingerprint. Throws USAGE for anything `fingerprint` does not make. */
export function parseFingerprint(text: string): Uint8Array {
  const pin = new Uint8Array(Buffer.from(text.slice('sha256:'.length), 'base64url'));
  if (pin.byteLength !== PIN_BYTES || fingerprint(pin) !== text) {
    throw new Failure('USAGE', 'this is not a fingerprint', { hint: 'a fingerprint reads sha256: and 43 letters, digits, - or _' });
  }
  return pin;
}

/** Signs `claim` with the private key of the device or the invite. */
export function signProof(privateKey: KeyObject, claim: Claim): Uint8Array {
  return new Uint8Array(sign(null, proofText(claim), privateKey));
}

/** Whether the credentials were signed by their key, on this connection, for the server with this pin. Garbage is false, never an error. */
export function verifyProof(credentials: Credentials, serverPin: Uint8Array): boolean {
  const { kind, key, signature, exporter, device, deviceSignature } = credentials;
  if (!PROOF_KINDS.includes(kind)) return false;
  if (key.byteLength !== KEY_BYTES || signature.byteLength !== SIGNATURE_BYTES || exporter.byteLength !== EXPORTER_BYTES) return false;
  const text = proofText({ kind, exporter, serverPin, device });
  try {
    if (!verify(null, text, publicKey(key), signature)) return false;
    if (kind !== 'invite') return device === undefined;
    if (device?.byteLength !== KEY_BYTES || deviceSignature?.byteLength !== SIGNATURE_BYTES) return false;
    return verify(null, text, publicKey(device), deviceSignature);
  } catch {
    return false; // not a point on the curve
  }
}

/** The bytes that are signed. Every part is preceded by its length, so that no two claims give the same bytes. */
function proofText({ kind, exporter, serverPin, device }: Claim): Buffer {
  const parts = [Buffer.from(PROOF_LABEL), Buffer.from(kind), exporter, serverPin, device ?? new Uint8Array(0)];
  return Buffer.concat(parts.flatMap((part) => [Uint8Array.of(part.byteLength), part]));
}
