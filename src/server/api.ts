/** Api: a running server, as whoever started it has it. Types alone. */
import type { Role } from '../rights.ts';
import type { Reachable } from './addresses.ts';

export interface Server extends AsyncDisposable {
  /** `host:port` of every socket, as really bound. */
  readonly addresses: readonly string[];
  /** Where others reach it, as far as this machine knows; those in the ticket first. */
  readonly reachable: readonly Reachable[];
  /** Of the server's key: what clients pin. */
  readonly fingerprint: string;
  /** The first ticket: single use, 10 minutes. Empty where none was wanted. */
  readonly ticket: string;
  /** The first spoken code, where one was asked for: single use, 10 minutes. */
  readonly code: string | undefined;
  /** The state folder. */
  readonly state: string;
  /** `host:port` where metrics and health are listened for, as really bound; undefined: nowhere. */
  readonly metricsAddress: string | undefined;
  /** Resolves when the server has stopped; rejects when it had to stop by itself, because its workers kept ending. */
  readonly ended: Promise<void>;
  /** A further ticket; by default with the rights of the first one, for 10 minutes. `forMs` is at most 30 days. */
  invite(options?: { role?: Role; forMs?: number }): Promise<string>;
  /**
   * Takes over what `reread` brings, without dropping a connection; the names of what changed. All or nothing: rejects with
   * USAGE for what cannot change while it runs, or with why it cannot be had, and everything is as it was then.
   */
  reload(): Promise<readonly string[]>;
  /** Takes nothing new, lets what runs end within `graceMs`, and closes. Calling it again waits for the same end. */
  stop(options?: { graceMs?: number }): Promise<void>;
}
