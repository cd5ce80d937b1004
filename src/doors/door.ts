/** Door: what every door is told of who comes in, and what it tells. The doors themselves, and who listens, are elsewhere. */
import type { Drive } from '../drive.ts';
import type { Ended } from '../drive/account.ts';
import type { Right } from '../rights.ts';
import type { Tellable } from '../secret.ts';

/** `confirmation`: of the code that somebody came by. `ended`: why they may go on no longer, if so; `isPaced`: something waits for the rate at which they may move bytes. Both are asked now and then. */
export interface SignedIn { readonly drive: Drive; readonly account: string; readonly device: string; readonly rights: readonly Right[]; readonly confirmation?: Uint8Array | undefined; ended?(): Ended | undefined; isPaced?(): boolean }

/** `offence`: what it says about where it came from. */
export interface DoorEvent { readonly event: 'connected' | 'refused' | 'signed-in' | 'disconnected' | 'lane' | 'action' | 'warning'; readonly offence?: 'garbage' | 'slow' | undefined; readonly [key: string]: Tellable }

/** Somebody who comes in: whether they are known there, and what to call when they have signed in or are gone. */
export interface Newcomer { readonly known: boolean; settled(): void }
