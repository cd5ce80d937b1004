/** Open files: how many this process may have, as the system says. Node raises it to what the system allows when it starts. */
import { readFileSync } from 'node:fs';

/** Undefined where the system does not tell (only Linux does), or where there is no bound. */
export function openFilesLimit(read: () => string = () => readFileSync('/proc/self/limits', 'latin1')): number | undefined {
  let limits: string;
  try {
    limits = read();
  } catch {
    return undefined;
  }
  const soft = /^Max open files\s+(\d+)\s/m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}
