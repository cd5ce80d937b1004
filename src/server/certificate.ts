/**
 * Certificate: the server's Ed25519 key in the X.509 wrapping that TLS asks for, signed by itself.
 *
 * Wherry's own clients look at the key alone (its pin), so that a certificate may be made anew at every start and
 * says nothing by itself. It never expires, as RFC 5280 4.1.2.5 writes "no well-defined expiration date", and cannot
 * sign others. The DER writer below knows just the parts of X.690 that this needs. Pure; the key comes from the caller.
 */
import { createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { Failure } from '../errors.ts';

export interface CertificateOptions {
  /** The common name, for people who look at it. */
  readonly name: string;
  /** DNS names and IPv4 addresses that it is for. */
  readonly hosts: readonly string[];
  /** From when on it is valid; a day earlier is written, for clocks that are behind. */
  readonly from?: Date;
}

const TAG = {
  boolean: 0x01, integer: 0x02, bits: 0x03, octets: 0x04, oid: 0x06, utf8: 0x0c, time: 0x18, sequence: 0x30, set: 0x31,
  version: 0xa0, extensions: 0xa3, dnsName: 0x82, ipAddress: 0x87,
} as const;

/** Object identifiers, already encoded: RFC 8410 (Ed25519), X.520 (common name) and RFC 5280 (extensions). */
const OID = {
  ed25519: '2b6570',
  commonName: '550403',
  keyUsage: '551d0f',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  extendedKeyUsage: '551d25',
  serverAuth: '2b06010505070301',
} as const;

const DAY_MS = 86_400_000;
const NEVER = '99991231235959Z';
/** Upper bound of a common name (RFC 5280, ub-common-name). */
const MAX_COMMON_NAME = 64;

/** A certificate in PEM for this private key. */
export function selfSigned(key: KeyObject, { name, hosts, from = new Date() }: CertificateOptions): string {
  if (key.asymmetricKeyType !== 'ed25519') throw new Failure('UNSUPPORTED', 'the key of the server is not an Ed25519 key', { who: 'here' });
  const algorithm = sequence(oid(OID.ed25519));
  const who = sequence(der(TAG.set, sequence(oid(OID.commonName), der(TAG.utf8, Buffer.from(name.slice(0, MAX_COMMON_NAME))))));
  const since = new Date(from.getTime() - DAY_MS);
  const body = sequence(
    der(TAG.version, der(TAG.integer, Buffer.of(2))), // version 3
    der(TAG.integer, serialNumber()),
    algorithm,
    who,
    sequence(der(TAG.time, Buffer.from(generalized(since))), der(TAG.time, Buffer.from(NEVER))),
    who,
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    der(TAG.extensions, sequence(...extensions(hosts))),
  );
  const whole = sequence(body, algorithm, bits(sign(null, body, key)));
  const lines = whole.toString('base64').match(/.{1,64}/g)!;
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function extensions(hosts: readonly string[]): Buffer[] {
  const names = hosts.map((host) => (isIPv4(host) ? der(TAG.ipAddress, Buffer.from(host.split('.').map(Number))) : der(TAG.dnsName, Buffer.from(host, 'latin1'))));
  return [
    extension(OID.basicConstraints, sequence(), true), // an empty one says: not an authority
    extension(OID.keyUsage, der(TAG.bits, Buffer.of(7, 0x80)), true), // digitalSignature, the first of 8 bits
    extension(OID.extendedKeyUsage, sequence(oid(OID.serverAuth))),
    ...(names.length > 0 ? [extension(OID.subjectAltName, sequence(...names))] : []),
  ];
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [der(TAG.boolean, Buffer.of(0xff))] : []), der(TAG.octets, value));
}

/** 127 random bits: unique without a register, positive, and of the same length always. */
function serialNumber(): Buffer {
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return serial;
}

function generalized(time: Date): string {
  return `${time.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
}

/** Tag, length in its shortest form, value. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(parts);
  const { length } = value;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), value]);
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(TAG.sequence, ...parts);
}

function oid(encoded: string): Buffer {
  return der(TAG.oid, Buffer.from(encoded, 'hex'));
}

function bits(value: Uint8Array): Buffer {
  return der(TAG.bits, Buffer.of(0), value);
}
