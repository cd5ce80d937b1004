/**
 * Linger: the connections of a process that another one has followed, let go on until they have nothing in hand.
 *
 * Who was in the middle of something may begin the next thing of it; who has done nothing for a while is told to go, and finds
 * the new process when they come again. Nothing that was begun is cut before the time is over.
 */
import { setTimeout as pause } from 'node:timers/promises';

/** How often it is looked who has nothing in hand (ms). */
const TICK_MS = 100;

/** A connection: since when it has nothing in hand (ms), and its end. */
interface Present { readonly idleMs: number; drain(graceMs: number): Promise<void> }

export interface Lingering {
  present(): readonly Present[];
  /** How many are just coming in. */
  coming(): number;
  /** Whether there is no more time after all. */
  isCut(): boolean;
}

/** Resolves when nobody is left, or `graceMs` are over. Each goes when it has had nothing in hand for `lingerMs`. */
export async function linger({ present, coming, isCut }: Lingering, graceMs: number, lingerMs: number): Promise<void> {
  const began = performance.now();
  const lasted = (ms: number): boolean => performance.now() - began >= ms;
  // At least once as long: somebody who was accepted may not have said anything yet.
  while (!isCut() && !lasted(graceMs) && (!lasted(lingerMs) || present().length > 0 || coming() > 0)) {
    await pause(TICK_MS);
    for (const one of present()) if (one.idleMs >= lingerMs) void one.drain(0);
  }
}
