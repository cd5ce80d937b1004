/**
 * Hasher: the entry of the one thread that works passwords. Started by `hashing.ts`, never imported.
 * The password's memory was moved here, not copied, and is zeroed as soon as its key is known.
 */
import { parentPort } from 'node:worker_threads';
import { derive, type Recipe } from './derive.ts';

export interface Order { readonly recipe: Recipe; readonly password: Uint8Array }
/** Why it failed is OpenSSL's word (no memory), which knows nothing of the password. */
export type Answer = { readonly key: Uint8Array } | { readonly failure: string };

const port = parentPort!;

port.on('message', (order: Order | 'close') => {
  if (order === 'close') port.close();
  else port.postMessage(answer(order));
});

function answer({ recipe, password }: Order): Answer {
  try {
    return { key: derive(recipe, password) };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  } finally {
    password.fill(0);
  }
}
