/**
 * Share: what `npm start` serves where neither a DIR nor a configuration file says what: the folder `share` in the current one, made if
 * need be. The current folder itself is that of the program there, and who may write to that would write the program.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './prepare.mjs';

/** Served where nothing else is named. */
const SHARE = 'share';

/** What follows `serve`, once it has been built. Makes the folder. @param {readonly string[]} typed @param {string} [cwd] @returns {Promise<readonly string[]>} */
export async function wordsFor(typed, cwd = process.cwd()) {
  // Only the table of commands knows which word is the value of a flag.
  const { SERVERS } = /** @type {{ SERVERS: { name: string, flags: unknown }[] }} */ (await load('table/servers.js'));
  const { parseArguments } = /** @type {{ parseArguments(flags: unknown, words: readonly string[], shell: boolean): { words: string[], values: Record<string, unknown> } }} */ (await load('arguments.js'));
  try {
    const { words, values } = parseArguments(SERVERS.find(({ name }) => name === 'serve')?.flags, typed, true);
    if (words.length > 0 || values['config'] !== undefined || values['help'] === true) return typed;
  } catch {
    return typed; // the command itself says what is wrong with them
  }
  mkdirSync(join(cwd, SHARE), { recursive: true });
  return [SHARE, ...typed];
}

/** A module of the command, as built. @param {string} file @returns {Promise<Record<string, unknown>>} */
const load = async (file) => /** @type {Record<string, unknown>} */ (await import(pathToFileURL(join(root, 'dist', 'cli', file)).href));
