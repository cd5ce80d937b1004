/** Keys: what is pressed at a terminal, one after the other, until whoever is told of them has enough. What comes behind that key in the same moment is dropped. */
import { emitKeypressEvents, type Key } from 'node:readline';
import type { LineStreams } from './lines.ts';

/** Resolves when `press` says that it was the last key, or at the end of the input. */
export function readKeys(input: LineStreams['input'], press: (text: string | undefined, key: Key) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      input.off('keypress', pressed);
      input.off('end', end);
      input.setRawMode?.(false);
      input.pause();
      resolve();
    };
    const pressed = (text: string | undefined, key: Key): void => { if (press(text, key)) end(); };
    emitKeypressEvents(input);
    input.on('keypress', pressed);
    input.on('end', end);
    input.setRawMode?.(true);
    input.resume();
  });
}
