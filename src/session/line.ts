/**
 * Line: what stands between a connection and its exchanges: what comes out of one, and what each needs of the connection. Types only.
 */
import type { Message } from '../wire/messages.ts';
import type { Budget } from './budget.ts';
import type { Machine } from './machine.ts';
import type { SlabShare } from './slabs.ts';
import type { Sounding } from './sounding.ts';
import type { Turns } from './turns.ts';

export type Received =
  | { readonly kind: 'message'; readonly message: Message; readonly bulk: number }
  /** Bytes of a file from `offset` on, often in a slab (`slabs.ts`). */
  | { readonly kind: 'data'; readonly offset: number; readonly bytes: Uint8Array; readonly bulk: number }
  /** A pack, in a buffer of its own. */
  | { readonly kind: 'batch'; readonly pack: Uint8Array; readonly bulk: number };

/** What an exchange needs of its connection. */
export interface Line {
  readonly machine: Machine;
  /** What is held for consumers, and how much the peer may send. */
  readonly budget: Budget;
  /** Buffers for what is sent. */
  readonly slabs: SlabShare;
  /** Buffers for packs: others, since whoever waits for a folder's large files has the next packs waiting for it. */
  readonly packs: SlabShare;
  /** When the socket wants another bulk frame, and whose it is. */
  readonly turns: Turns;
  readonly sounding: Sounding;
  /** Writes a whole frame; `written` is called when its bytes may change again. */
  write(frame: Uint8Array, written?: () => void): void;
  /** The exchange has given up `bytes` of what it held. */
  released(bytes: number): void;
  /** The exchange has said its last word. */
  ended(id: number): void;
}
