/**
 * Words: what the two ends of a lane in a thread say to each other, over a port that each lane has to itself.
 *
 * Bytes of files are never in a word, but in memory that both threads see: whoever named it does not touch it until it comes
 * back. Both ends are of one build, so nothing here is checked.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Code } from '../../errors.ts';
import type { Received } from '../../session/line.ts';
import type { Address } from '../../ticket.ts';
import type { Message } from '../../wire/messages.ts';
import type { Holder } from '../proof.ts';

/** What a thread must know to sign in like the first connection: the address that answered, the pin, the key as a handle. */
export interface Pass extends Holder {
  readonly addresses: readonly Address[];
  readonly pin: Uint8Array;
}

/**
 * What the connections of one thread may hold together: half of it one alone, a write of blocks. It is
 * taken from the budget of the clients, of which four threads leave half to the thread that reads and writes the file.
 */
export const THREAD_BYTES = 8 << 20;

/** Which transfer the lane is of. */
export interface Purpose { readonly way: 'put' | 'get'; readonly key: Uint8Array }

/** To a thread: carry this lane; or, carry no more. */
export type Task = { readonly do: 'carry'; readonly pass: Pass; readonly purpose: Purpose; readonly port: MessagePort } | { readonly do: 'leave' };

/** To a lane in a thread. */
export type Order =
  /** Send `size` bytes of the file, which stand in `memory` behind the headroom of a DATA frame. */
  | { readonly do: 'send'; readonly memory: SharedArrayBuffer; readonly offset: number; readonly size: number }
  /** What was received into `memory` has gone where it belongs. */
  | { readonly do: 'reuse'; readonly memory: SharedArrayBuffer }
  | { readonly do: 'consumed'; readonly bulk: number }
  | { readonly do: 'say'; readonly message: Message }
  | { readonly do: 'hurry' }
  /** End it: what is said besides `code` stays in the other thread. */
  | { readonly do: 'cancel'; readonly code: Code; readonly message: string }
  /** Nothing is left to do: sign off. */
  | { readonly do: 'close' };

/** From a lane in a thread. */
export type Word =
  | { readonly said: 'lent' }
  /** The bytes of data are a view of shared memory, where they came over the socket as they are. */
  | { readonly said: 'received'; readonly received: Received }
  /** A block is with the socket, its memory free; of all that was sent, so many bytes are known to have arrived. */
  | { readonly said: 'sent'; readonly memory: SharedArrayBuffer; readonly arrived: number }
  | { readonly said: 'failed'; readonly code: Code; readonly message: string };
