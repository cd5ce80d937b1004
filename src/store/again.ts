/** Again: what the calls of an upload meet once the same owner has begun one of the same name, of the same file or another: that one has its part now. */
import { Failure } from '../errors.ts';
import type { RemotePath } from '../path.ts';

export function begunAgain(path: RemotePath): Failure {
  return new Failure('BUSY', 'another upload of this name was begun by this account, and goes on in place of this one', { path, hint: 'let only one of them run' });
}
