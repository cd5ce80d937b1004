/**
 * Resizing: a terminal that has got another width while a line is typed.
 *
 * Most terminals break the rows of the line anew, so that it takes more rows or fewer above the cursor than it was drawn in;
 * readline redraws it as if they did not, and at any time, also over what a running command shows. So it is not left to it. The few
 * terminals that leave the cursor's line as it was drawn are known by their environment: none of them can be asked in time.
 */
import type { Interface } from 'node:readline';
import type { LineStreams } from './lines.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether a terminal breaks the line with the cursor anew when its width changes. */
export function breaksAnew({ TERM = '', TERM_PROGRAM, TMUX, XTERM_VERSION }: Environment): boolean {
  if (TMUX !== undefined || TERM_PROGRAM === 'tmux') return true; // what stands around it does not matter
  return TERM !== 'linux' && !TERM.startsWith('screen') && TERM_PROGRAM !== 'vscode' && XTERM_VERSION === undefined;
}

/** Makes a reader that does not listen for other widths by itself: `resized` is told of them until it is closed. */
export function resizable(output: LineStreams['output'], make: () => Interface, resized: () => void): Interface {
  const before = new Set(output.listeners('resize'));
  const reader = make();
  for (const listener of output.listeners('resize')) if (!before.has(listener)) output.off('resize', listener as () => void);
  output.on('resize', resized);
  return reader.once('close', () => output.off('resize', resized));
}

/** Draws the line of `reader` in the width that the terminal has now. */
export function redrawn(reader: Interface, environment: Environment): void {
  // How many rows above the cursor it was drawn in: readline goes up so many before it draws.
  if (breaksAnew(environment)) (reader as Interface & { prevRows?: number }).prevRows = reader.getCursorPos().rows;
  reader.prompt(true);
}
