/**
 * Heard: names that a server told. A name that a person typed wrong is BADNAME; one that a server tells breaks the
 * protocol, because a server of ours leaves such names out and counts them.
 */
import { Failure } from '../errors.ts';
import { parsePath, type RemotePath } from '../path.ts';

/** A path that the server told. Throws PROTOCOL. */
export function heardPath(text: string): RemotePath {
  try {
    return parsePath(text);
  } catch (error) {
    throw heard(error);
  }
}

/** What went wrong with something that the server told: a bad name in it is the server's fault. */
export function heard(error: unknown): Failure {
  const failure = Failure.from(error);
  if (failure.code !== 'BADNAME') return failure;
  return new Failure('PROTOCOL', `the server told a name that is refused: ${failure.message}`, { who: 'server', hint: 'nothing was stored under it; ask the owner of the server', cause: failure });
}
