/** The flag of every command that changes something, in the table of commands. */
import type { Flags } from '../arguments.ts';

export const DRY_RUN = { 'dry-run': { short: 'n', summary: 'say what would be done, and change nothing' } } as const satisfies Flags;
