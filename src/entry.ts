/**
 * Entry: what is known of one name in a tree, the word every layer shares.
 * No paths of one machine, no device or user numbers: only what both ends understand.
 */

/** `link` is a symbolic link, `other` a device, FIFO or socket: both are listed and never opened. */
export const KINDS = ['file', 'folder', 'link', 'other'] as const;
export type Kind = (typeof KINDS)[number];

export interface Entry {
  /** One component in a listing of one folder; components joined by `/`, below the listed folder, in a deep listing. */
  readonly name: string;
  readonly kind: Kind;
  /** Bytes; 0 for anything but a file. */
  readonly size: number;
  /** Microseconds since 1970, rounded down: the finest step that Node can both read and set exactly. */
  readonly mtime: number;
  /** Permission bits, at most 0o777. */
  readonly mode: number;
}

/** The bits of a mode that are ever sent or set: never set-user-id, set-group-id or sticky. */
export const MODE_MASK = 0o777;
