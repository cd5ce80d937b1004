/**
 * File: the configuration file, where it is and what it says; never of one that another user could have changed, since
 * it decides which files are served to whom. Reads; writes nothing. A file with a mistake says nothing at all.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { Failure, fromErrno } from '../../errors.ts';
import { printable } from '../../printable.ts';
import { mustBeOurs } from '../owners.ts';
import { type Checked, checkSettings } from './check.ts';
import type { Mistake } from './parse.ts';
import type { Source } from './settle.ts';

/** Every key with its comment is below 10 KiB; what is larger is another file. */
const MAX_BYTES = 256 << 10;
/** On Linux, people begin here; below are root and services. */
const FIRST_PERSON = 1000;

/** Stands for the usual place, as in `--config auto`. */
export const USUAL = 'auto';

/** Where a configuration file usually is: one for the machine for root and services, one of its own for a person. */
export function usualPlace(env: NodeJS.ProcessEnv): string {
  const { WHERRY_HOME: home, XDG_CONFIG_HOME: config } = env;
  if (home) return resolve(home, 'server.toml');
  const user = process.getuid?.();
  if (user !== undefined && user < FIRST_PERSON && process.platform !== 'darwin') return '/etc/wherry/wherry.toml';
  return resolve(config || join(homedir(), '.config'), 'wherry', 'server.toml');
}

/** `FILE:3:1: there is no key lisen`. */
export function mistakeText(file: string, { line, column, message }: Mistake): string {
  return `${printable(file)}:${line}:${column}: ${message}`;
}

/** What the file says. Throws USAGE with the first mistake, and how many more there are; else as `checkFile`. */
export async function readSettings(file: string): Promise<Source> {
  const { values, written, mistakes: [first, ...more] } = await checkFile(file);
  if (first === undefined) return { file, values, written };
  const further = more.length === 0 ? '' : `; ${more.length} more: wherry config check ${printable(file)}`;
  throw new Failure('USAGE', mistakeText(file, first), { who: 'here', hint: `${first.hint}${further}` });
}

/** The file with all its mistakes. Throws NOTFOUND, or IO for one that another user could change, or USAGE for what is no text. */
export async function checkFile(path: string): Promise<Checked> {
  let file;
  try {
    // A FIFO under this name must not make us wait for somebody to write to it.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const why = fromErrno(error, path, 'here');
    throw new Failure(why.code, `cannot read the configuration file ${printable(path)}: ${why.message}`, { path, who: 'here', hint: 'type: wherry config example, to see what one looks like', cause: error });
  }
  try {
    const about = await file.stat();
    if (!about.isFile() || about.size > MAX_BYTES) throw new Failure('USAGE', `${printable(path)} is not a configuration file`, { path, who: 'rule', hint: 'type: wherry config example, to see what one looks like' });
    await mustBeOurs('the configuration file', path, about);
    return checkSettings(textOf(await file.readFile(), path));
  } finally {
    await file.close();
  }
}

function textOf(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Failure('USAGE', `${printable(path)}: this is not text in UTF-8`, { path, who: 'here', hint: 'save it as UTF-8 in your editor' });
  }
}
