/** The flags of put and get, which jobs understand as well. */
import type { Flags } from '../arguments.ts';

export const TRANSFER = {
  yes: { short: 'y', summary: 'replace what is there without asking' },
  'dry-run': { short: 'n', summary: 'say what would be done, and change nothing' },
  into: { short: 'O', value: 'DIR', summary: 'the folder that everything goes into; all other words are sources' },
  exclude: { value: 'GLOB', many: true, summary: 'leave out what matches, as *.o or node_modules or build/**' },
  follow: { summary: 'send what links lead to, where that is in the same folder' },
  update: { short: 'u', summary: 'leave out files that are not older at the other end' },
  'if-absent': { summary: 'fail where a file exists instead of replacing it' },
  failed: { value: 'FILE', completes: ['local'], summary: 'keep a list of what failed in a file here' },
  'retry-failed': { value: 'FILE', completes: ['local'], summary: 'try again what such a list names, and nothing else' },
  'no-sync': { summary: 'do not wait for the disk to have everything' },
  // Folders are always sent whole; the flag is what fingers type.
  recursive: { short: 'r', summary: '' },
  deep: { short: 'R', summary: '' },
  // As are times and modes, and a transfer that was cut goes on where it was, and the disk has it when it is done.
  preserve: { short: 'p', summary: '' },
  times: { short: 'P', summary: '' },
  flush: { short: 'f', summary: '' },
  resume: { short: 'a', summary: '' },
  target: { short: 't', value: 'DIR', summary: '' },
} as const satisfies Flags;

export const MATCH = { 'if-match': { value: 'DIGEST', summary: 'replace only the file that has this BLAKE3 digest, as hash shows it' } } as const satisfies Flags;

export const BACKGROUND = { background: { summary: 'make it a job, which goes on without this terminal; jobs shows it' } } as const satisfies Flags;
