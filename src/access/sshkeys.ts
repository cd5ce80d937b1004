/** SshKeys: a public key as OpenSSH writes it (`ssh-ed25519 AAAA… comment`), of the one kind that signs here. Pure. */
import { Failure } from '../errors.ts';
import { KEY_BYTES } from '../identity.ts';
import { printable } from '../printable.ts';

const KIND = 'ssh-ed25519';

/** The raw key in base64url, and its comment. Throws USAGE, and UNSUPPORTED for keys of other kinds. */
export function parseSshKey(line: string): { readonly key: string; readonly label: string } {
  const [kind = '', body = '', ...comment] = line.trim().split(/\s+/);
  if (kind.startsWith('-----BEGIN')) throw new Failure('USAGE', 'this is a private key, which stays where it is', { who: 'here', hint: 'give the public one, whose file ends in .pub' });
  if (/^(ssh|ecdsa|sk)-/.test(kind) && kind !== KIND) throw new Failure('UNSUPPORTED', `a key of the kind ${printable(kind)} cannot be used`, { who: 'here', hint: 'make one with: ssh-keygen -t ed25519' });
  const bytes = Buffer.from(body, 'base64');
  // RFC 8709: two strings, each with its length before it, the name of the kind and the key.
  const head = Buffer.concat([Buffer.from([0, 0, 0, KIND.length]), Buffer.from(KIND), Buffer.from([0, 0, 0, KEY_BYTES])]);
  if (kind !== KIND || bytes.byteLength !== head.byteLength + KEY_BYTES || !bytes.subarray(0, head.byteLength).equals(head)) {
    throw new Failure('USAGE', 'this is not a public key of OpenSSH', { who: 'here', hint: 'it is one line: ssh-ed25519 AAAA… name' });
  }
  return { key: bytes.subarray(head.byteLength).toString('base64url'), label: comment.join(' ').split('@')[0] || 'ssh-key' };
}
