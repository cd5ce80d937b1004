/** Account: whose a drive is, as far as a drive is about it. Types alone. */
import type { Ended } from '../access/entries.ts';
import type { Grant } from '../rights.ts';

export type { Ended };

/** Whose drive it is. */
export interface DriveAccount {
  readonly name: string;
  /** What it may do, and where. */
  readonly grants: readonly Grant[];
  /** Whether who speaks for it came by a token, which may allow less than the account does. */
  readonly byToken?: boolean | undefined;
  /** Whether it was made by the owner of the server, and what it may do is not that of a ticket. */
  readonly byOwner?: boolean | undefined;
  /** Whether the account still exists; asked before everything. Without it the account lasts as long as the drive. */
  active?(): boolean;
  /** Why it does no more; without it, because it was revoked. */
  ended?(): Ended;
}
