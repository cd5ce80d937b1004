/** Paste: what was pasted into the line, as lines that can each be looked at. Pure. */

/** Pasted text beyond this is an accident; the rest of it is dropped. */
export const MAX_PASTE = 65_536;

/** At least one; what is no letter is a space, and empty lines at the end are left out. */
export function pastedLines(text: string): [string, ...string[]] {
  const lines = text.split(/\r\n?|\n/).map((line) => line.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' '));
  while (lines.length > 1 && lines.at(-1)!.trim() === '') lines.pop();
  return lines as [string, ...string[]];
}
