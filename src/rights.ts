/** Rights: what an account may do, one word each, and the named sets in which tickets give them. Checked in `drive.ts` and nowhere else. */

export const RIGHTS = ['list', 'read', 'create', 'overwrite', 'delete', 'rename', 'mkdir', 'setattr'] as const;
export type Right = (typeof RIGHTS)[number];

/** `ro` reads; `rw` does everything; `drop` adds new files and folders, and can neither see, read, replace nor remove what is there. */
export const ROLES = {
  ro: ['list', 'read'],
  rw: RIGHTS,
  drop: ['create', 'mkdir'],
} as const satisfies Record<string, readonly Right[]>;
export type Role = keyof typeof ROLES;

/** What to do without these rights: the tickets that would give them, as their owner makes them. */
export function askForTicket(wanted: readonly Right[]): string {
  const roles = (Object.keys(ROLES) as Role[]).filter((role) => wanted.every((right) => (ROLES[role] as readonly Right[]).includes(right)));
  return `ask the owner of the server for a ticket made with ${roles.map((role) => `--${role}`).join(' or ')} (wherry invite), then: wherry join`;
}
