/**
 * A folder, either way: what its two halves, `puttree.ts` and `gettree.ts`, have in common.
 *
 * Small files go in packs, without a round trip each; large ones beside them, a few at a time, in exchanges of their
 * own. A folder gets its mode and time when everything in it has arrived. One file that fails is a problem of the
 * item and stops nothing; a connection that breaks, or a cancel, ends the whole. Memory does not grow with the tree.
 */
import { Failure, type Code } from '../errors.ts';
import type { RemotePath } from '../path.ts';
import type { HeldFile, Problem } from './api.ts';
import type { FileOptions } from './file.ts';
import type { Sent } from './sent.ts';

export interface TreeOptions extends Omit<FileOptions, 'onBytes' | 'onSent' | 'onLanes'> {
  readonly exclude: readonly string[];
  readonly follow: boolean;
  /** Whether the names of single files are of interest (they cost a look into every pack). */
  readonly names: boolean;
  /** Whether the target was there before and is not the folder that comes, so that it keeps its own mode and time. */
  readonly keepTop: boolean;
  /** Of what is sent: what has arrived already, and where that is noted. */
  readonly sent: Sent;
  /** With `ifAbsent`: files below the top that may be replaced all the same. */
  readonly replaceable: ReadonlySet<string> | undefined;
  /** Files below the top that stay as they are at the target. */
  readonly left: ReadonlySet<string>;
  /** Of what is fetched: the files that are in place already, with their sizes. */
  readonly fetched: Map<string, number> | undefined;
  /** Of what is fetched: small files that are here, and need not come if they are the same. */
  readonly held?: readonly HeldFile[];
}

/** Large files at once: enough to hide the round trips of their beginnings and ends. */
export const FILES_AT_ONCE = 4;

/** After these nothing more comes of the other files either: the folder fails with them, not one of its files. */
const ENDS: ReadonlySet<Code> = new Set<Code>(['LOST', 'SHUTDOWN', 'CANCELLED', 'TERMINATED', 'DEADLINE']);

/** Whether a file that has the name of a large one stays. */
export function isSpared(path: RemotePath, { ifAbsent, replaceable }: TreeOptions): boolean {
  return ifAbsent && replaceable?.has(path) !== true;
}

/** The failure, when it is one of the whole folder. */
export function endOf(error: unknown): Failure | undefined {
  const failure = Failure.from(error);
  return ENDS.has(failure.code) ? failure : undefined;
}

/** What failed at the server or on the way says so; the rest is this machine's. */
export function problemOf(path: RemotePath, error: unknown): Problem {
  const { code, message, who = 'here', hint } = Failure.from(error);
  return { path, code, message, who, hint };
}

