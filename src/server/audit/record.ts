/**
 * Record: one line of the audit, and the chain that ties each line to the one before.
 *
 *     {"seq":7,"prev":"<SHA-256 of line 6, hex>","time":"2030-01-02T03:04:05.678Z","event":"action","account":"laptop",…}
 *
 * `prev` is the digest of the bytes of the line before, without its line break; of the very first line it is 64 zeros. Who
 * changes, removes or adds a line has to write every later one anew, and the last digest, if it was noted elsewhere, tells.
 * Pure.
 */
import { createHash } from 'node:crypto';

/** Where a chain stands: the number of its last record, and the digest of that line. */
export interface Head { readonly seq: number; readonly digest: string }

/** Before the first record. */
export const START: Head = { seq: 0, digest: '0'.repeat(64) };

/** What is recorded, without its place in the chain. */
export interface Body { readonly time: string; readonly event: string; readonly [key: string]: unknown }

export interface AuditRecord extends Body { readonly seq: number; readonly prev: string }

/** The record of what a crash has left of a line: `bytes` of them before it, with the digest `sha256`. */
export const TORN = 'audit-torn';

/** The record of what was written and is there no more: those from `first` to `last`. It begins a file. */
export const MISSING = 'audit-missing';

/** The line for `body` behind `head`, without its line break, and where the chain stands then. */
export function chained({ seq, digest }: Head, body: string): { readonly line: string; readonly head: Head } {
  const line = `{"seq":${seq + 1},"prev":"${digest}",${body.slice(1)}`;
  return { line, head: { seq: seq + 1, digest: digestOf(line) } };
}

export function digestOf(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The record in a line; undefined when it is none. What else is in it is not checked. */
export function parseRecord(line: string): AuditRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { seq, prev, time, event } = Object(value) as Partial<Record<keyof AuditRecord, unknown>>;
  const isRecord = Number.isSafeInteger(seq) && typeof prev === 'string' && /^[0-9a-f]{64}$/.test(prev) && typeof time === 'string' && typeof event === 'string';
  return isRecord ? (value as AuditRecord) : undefined;
}

/** What is wrong with `record` behind `head`, in words; undefined: it is the next one. */
export function misfit(head: Head, { seq, prev }: AuditRecord): string | undefined {
  if (seq !== head.seq + 1) return `it is record ${seq}, and ${head.seq + 1} was to come`;
  if (prev !== head.digest) return `it does not follow from the line before: that has the digest ${head.digest}, and it names ${prev}`;
  return undefined;
}
