/** Rights: what an account may do, one word each, and the named sets in which they are given. Checked in `drive.ts` and nowhere else. */

export const RIGHTS = ['list', 'read', 'create', 'overwrite', 'delete', 'rename', 'mkdir', 'setattr'] as const;
export type Right = (typeof RIGHTS)[number];

/** `ro` reads; `rw` does everything; `drop` adds new files and folders, and can neither see, read, replace nor remove what is there. */
export const ROLES = {
  ro: ['list', 'read'],
  rw: RIGHTS,
  drop: ['create', 'mkdir'],
} as const satisfies Record<string, readonly Right[]>;
export type Role = keyof typeof ROLES;
