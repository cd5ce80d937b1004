/** Again: what the calls of an upload meet once the same owner has begun it anew: the other one has its part now. */
import { Failure } from '../errors.ts';
import type { RemotePath } from '../path.ts';

export function begunAgain(path: RemotePath): Failure {
  return new Failure('BUSY', 'the same upload was begun again by this account, and goes on there', { path, hint: 'let only one of them run' });
}
