/** Rights: what an account may do, one word each, the named sets in which they are given, and the folders they are given for. Checked in `drive.ts` and nowhere else. */
import { Failure } from './errors.ts';
import { type RemotePath, ROOT } from './path.ts';
import { printable } from './printable.ts';

/** `share`: to hand on access to others. The order is that of the wire: new ones go to the end. */
export const RIGHTS = ['list', 'read', 'create', 'overwrite', 'delete', 'rename', 'mkdir', 'setattr', 'share'] as const;
export type Right = (typeof RIGHTS)[number];

/**
 * `ro`, the reader, reads; `rw`, the writer, does everything with files; `drop`, the drop-box, adds new files and folders, and can
 * neither see, read, replace nor remove what is there; `owner` does everything, and may hand it on.
 */
export const ROLES = {
  ro: ['list', 'read'],
  rw: ['list', 'read', 'create', 'overwrite', 'delete', 'rename', 'mkdir', 'setattr'],
  drop: ['create', 'mkdir'],
  owner: RIGHTS,
} as const satisfies Record<string, readonly Right[]>;
export type Role = keyof typeof ROLES;

/** The long names of the roles, which are understood wherever the short ones are. */
const LONG_NAMES: Readonly<Record<string, Role>> = { reader: 'ro', writer: 'rw', 'drop-box': 'drop' };

/** What may be done in one folder and below. */
export interface Grant { readonly path: RemotePath; readonly rights: readonly Right[] }

/** The same rights in all that is served. */
export function everywhere(rights: readonly Right[]): readonly Grant[] {
  return [{ path: ROOT, rights }];
}

/** Reads a role (`rw`, `writer`) or a list of rights (`list,read`); `none` is the empty one. Throws USAGE. */
export function parseRights(text: string): readonly Right[] {
  const role = roleOf(text);
  if (role !== undefined) return ROLES[role];
  if (text === 'none') return [];
  const words = text.split(',');
  const strange = words.find((word) => !(RIGHTS as readonly string[]).includes(word));
  if (strange !== undefined) {
    throw new Failure('USAGE', `"${printable(strange)}" is no right`, { who: 'here', hint: `give a role (${Object.keys(ROLES).join(', ')}), none, or rights with commas between: ${RIGHTS.join(', ')}` });
  }
  return RIGHTS.filter((right) => words.includes(right));
}

/** The role of this name, short or long; undefined when it is none. */
export function roleOf(text: string): Role | undefined {
  const name = Object.hasOwn(LONG_NAMES, text) ? LONG_NAMES[text]! : text;
  return Object.hasOwn(ROLES, name) ? (name as Role) : undefined;
}

/** The rights as `parseRights` reads them: by the name of their role where they are one. */
export function formatRights(rights: readonly Right[]): string {
  const role = (Object.keys(ROLES) as Role[]).find((name) => ROLES[name].length === rights.length && rights.every((right) => (ROLES[name] as readonly Right[]).includes(right)));
  return role ?? (rights.length === 0 ? 'none' : RIGHTS.filter((right) => rights.includes(right)).join(','));
}

/** The roles that a ticket for nobody in particular may give. */
const TICKET_ROLES = ['ro', 'rw', 'drop'] as const satisfies readonly Role[];

/** What to do without these rights: the tickets that would give them, as their owner makes them. */
export function askForTicket(wanted: readonly Right[]): string {
  const roles = TICKET_ROLES.filter((role) => wanted.every((right) => (ROLES[role] as readonly Right[]).includes(right)));
  if (roles.length === 0) return 'ask the owner of the server, who can change it: wherry account change';
  return `ask the owner of the server for a ticket made with ${roles.map((role) => `--${role}`).join(' or ')} (wherry invite), then: wherry join`;
}
