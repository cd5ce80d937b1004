/**
 * Heard: names that a server told. A name that a person typed wrong is BADNAME; one that a server tells breaks the
 * protocol, because a server of ours leaves such names out and counts them.
 */
import { MODE_MASK, type Entry } from '../entry.ts';
import { Failure } from '../errors.ts';
import { baseName, checkName, parsePath, type RemotePath } from '../path.ts';

/** A path that the server told. Throws PROTOCOL. */
export function heardPath(text: string): RemotePath {
  try {
    return parsePath(text);
  } catch (error) {
    throw heard(error);
  }
}

/** A name in a folder that the server told. Throws PROTOCOL. */
export function heardName(text: string): string {
  try {
    return checkName(text);
  } catch (error) {
    throw heard(error);
  }
}

/** An entry that the server told, whose name was looked at: of its mode there is no more than a mode can have. */
export function heardEntry(entry: Entry): Entry {
  return (entry.mode & MODE_MASK) === entry.mode ? entry : { ...entry, mode: entry.mode & MODE_MASK };
}

/** What the server said of `path`, under its own name. Throws PROTOCOL: what is told of another one must not be taken for it. */
export function heardOf(path: RemotePath, entry: Entry | undefined): Entry | undefined {
  if (entry === undefined) return undefined;
  if (entry.name === baseName(path)) return heardEntry(entry);
  throw new Failure('PROTOCOL', 'the server told of another name than it was asked for', { who: 'server', hint: 'nothing was stored; ask the owner of the server' });
}

/** What went wrong with something that the server told: a bad name in it is the server's fault. */
export function heard(error: unknown): Failure {
  const failure = Failure.from(error);
  if (failure.code !== 'BADNAME') return failure;
  return new Failure('PROTOCOL', `the server told a name that is refused: ${failure.message}`, { who: 'server', hint: 'nothing was stored under it; ask the owner of the server', cause: failure });
}
