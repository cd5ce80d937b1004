/** Proof: who this is, for one connection: a device by its key, or whoever was given a token. */
import type { KeyObject } from 'node:crypto';
import { publicBytes, signProof } from '../identity.ts';
import type { Message } from '../wire/messages.ts';

export interface Holder {
  readonly method: 'device' | 'token';
  /** Its private key. */
  readonly key: KeyObject;
}

export function proofOf({ method, key }: Holder, exporter: Uint8Array, serverPin: Uint8Array): Message<'auth'> {
  return { kind: 'auth', method, key: publicBytes(key), signature: signProof(key, { kind: method, exporter, serverPin }) };
}
