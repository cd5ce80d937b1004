/** Books: which file of a state folder has the accounts and devices. */
import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';

/** The file of accounts and devices; that of an earlier version, which had only devices, gets the new name. */
export async function bookFile(state: string): Promise<string> {
  const [file, old] = [join(state, 'accounts.json'), join(state, 'devices.json')];
  if (!existsSync(file) && existsSync(old)) await rename(old, file);
  return file;
}
