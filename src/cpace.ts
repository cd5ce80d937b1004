/**
 * CPace: from a short secret that two people share to a long key, over a line that others control.
 *
 * The balanced exchange of draft-irtf-cfrg-cpace-21 with the group ristretto255 and SHA-512, the client as initiator.
 * Each side sends one point. Who has another secret, session or channel gets another key, and learns no more than that its one
 * guess was wrong: there is nothing in the points that guesses could be tried against afterwards. The session id is
 * what makes one TLS connection unlike every other and the channel holds the pin of the server's key, so that whoever stands between two
 * connections has two keys that differ. Pure, but for the random scalar. The only file that knows the curve library, which is
 * not written for constant time: a scalar is used for one exchange and forgotten.
 */
import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js';
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Failure } from './errors.ts';
import { CONFIRMATION_BYTES } from './identity.ts';
import type { Secret } from './secret.ts';

/** The input block of SHA-512. */
const BLOCK_BYTES = 128;
const DSI = Buffer.from('CPaceRistretto255');
const DSI_ISK = Buffer.from('CPaceRistretto255_ISK');

/** What both sides must have in common. */
export interface Agreed {
  /** The short secret, as bytes. */
  readonly secret: Secret<Uint8Array>;
  readonly channel: Uint8Array;
  readonly session: Uint8Array;
}

/** What one side sends: a point, and what else it says beside it. */
export interface Share { readonly point: Uint8Array; readonly data: Uint8Array }

/** Parts one after the other, each preceded by its length in LEB128: no two lists give the same bytes. */
export function joined(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts.flatMap((part) => [lengthOf(part.byteLength), part]));
}

function lengthOf(length: number): Uint8Array {
  const bytes: number[] = [];
  let rest = length;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Uint8Array.from([...bytes, rest]);
}

/** The generator that the secret stands for, on this channel and in this session. */
export function generatorOf({ secret, channel, session }: Agreed): Uint8Array {
  const padding = Math.max(0, BLOCK_BYTES - 1 - joined(secret.reveal()).byteLength - joined(DSI).byteLength);
  const text = joined(DSI, secret.reveal(), new Uint8Array(padding), channel, session);
  return ristretto255_hasher.deriveToCurve!(sha512(text)).toBytes();
}

/** A scalar for one exchange: 64 random bytes, so that what the order cuts off does not show. */
export function newScalar(): Uint8Array {
  const scalar = ristretto255.Point.Fn.create(BigInt(`0x${randomBytes(64).toString('hex')}`));
  return ristretto255.Point.Fn.toBytes(scalar);
}

/** `scalar` (little endian) times the point. Throws PROTOCOL for what is no point in its one encoding, and for the neutral element. */
export function multiply(scalar: Uint8Array, point: Uint8Array): Uint8Array {
  const Point = ristretto255.Point;
  let product;
  try {
    product = Point.fromBytes(Uint8Array.from(point)).multiply(Point.Fn.fromBytes(Uint8Array.from(scalar)));
  } catch {
    throw refused();
  }
  if (product.is0()) throw refused();
  return product.toBytes();
}

function refused(): Failure {
  return new Failure('PROTOCOL', 'the other side broke the protocol: its share of the code is no usable point', { who: 'network' });
}

/** The key of the exchange, from the product that both have; `client` is the initiator. */
export function sharedKey({ session }: Pick<Agreed, 'session'>, product: Uint8Array, client: Share, server: Share): Uint8Array {
  return sha512(Buffer.concat([joined(DSI_ISK, session, product), joined(client.point, client.data), joined(server.point, server.data)]));
}

/** Proof of having the key: by the side that sent `share`, and for what it `claims` besides. */
export function confirmationOf({ session }: Pick<Agreed, 'session'>, key: Uint8Array, share: Share, claims: Uint8Array): Uint8Array {
  const macKey = sha512(Buffer.concat([Buffer.from('CPaceMac'), session, key]));
  return new Uint8Array(createHmac('sha512', macKey).update(joined(share.point, share.data, claims)).digest());
}

/** In a time that does not depend on where they differ. */
export function sameConfirmation(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === CONFIRMATION_BYTES && other.byteLength === CONFIRMATION_BYTES && timingSafeEqual(one, other);
}

function sha512(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha512').update(bytes).digest());
}
