/** Flush: what a synchronous operation asks of whoever runs it, who has many flushes under way at once, and what it is told. */
import { fromErrno } from '../../errors.ts';

/** Descriptors to be flushed, files by fdatasync and folders by fsync; they stay the operation's. */
export interface Flush { readonly fds: readonly number[]; readonly whole: boolean }

/** What became of each, in the same order: undefined when it is on the disk, else the system's name of the error. */
export type Flushed = readonly (string | undefined)[];

/** Throws what a flush ended with, if it did not end well. */
export function refuseUnflushed(errno: string | undefined): void {
  if (errno !== undefined) throw fromErrno(Object.assign(new Error('flush failed'), { code: errno }));
}
