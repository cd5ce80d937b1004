/**
 * Running: which servers of this user run on this machine, so that their owner need not say which one is meant.
 *
 * A server's own socket in its state folder is the proof that it runs. State folders of the usual place are found by
 * looking there; a server with a folder elsewhere leaves a link to it in that place while it runs, `KEY.SERIAL.at`.
 * One that was killed leaves its link behind: whoever finds that nobody listens where it leads removes it. No name
 * is used twice, so that the link of a server that just starts is never removed for that of the one before.
 * The number of links is bounded: at most one of each state folder outlives its server, until somebody looks.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readdir, realpath, rm, symlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { Failure, fromErrno } from '../errors.ts';
import { privateFolder } from '../private.ts';
import type { ServerEvent } from './log.ts';

/** The name of the administration socket in a state folder. */
export const SOCKET = 'admin.sock';
const LINK = '.at';

/** Whether a server listens on the socket; undefined: there is something, and it cannot be told. */
export function isAnswered(path: string): Promise<boolean | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on('connect', () => { socket.destroy(); resolve(true); });
    socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ENOENT' || code === 'ECONNREFUSED' ? false : undefined));
  });
}

/** Lets the server on `state` be found below `servers` until it is disposed. Only whoever holds the socket in `state` may call it. */
export async function announce(servers: string, state: string): Promise<AsyncDisposable> {
  if (dirname(state) === servers) return { [Symbol.asyncDispose]: async () => undefined };
  await privateFolder(servers);
  const key = createHash('sha256').update(state).digest('hex').slice(0, 16);
  // All others of this folder are of servers that are gone: it belongs to one at a time.
  for (const name of await namesIn(servers)) if (name.startsWith(`${key}.`) && name.endsWith(LINK)) await rm(join(servers, name), { force: true });
  const link = join(servers, `${key}.${randomBytes(6).toString('hex')}${LINK}`);
  try {
    await symlink(state, link);
  } catch (error) {
    throw fromErrno(error, link, 'here');
  }
  return { [Symbol.asyncDispose]: () => rm(link, { force: true }) };
}

/** The same; a server that its owner's commands do not find by themselves serves all the same. */
export async function announceOrWarn(servers: string, state: string, onEvent: (event: ServerEvent) => void): Promise<AsyncDisposable> {
  try {
    return await announce(servers, state);
  } catch (error) {
    onEvent({ event: 'warning', message: `"wherry invite" and "wherry devices" will find this server only by --state: ${Failure.from(error).message}` });
    return { [Symbol.asyncDispose]: async () => undefined };
  }
}

/** The state folders of the servers that run, in no order. */
export async function runningServers(servers: string): Promise<string[]> {
  const running = new Set<string>();
  for (const name of await namesIn(servers)) {
    const place = join(servers, name);
    // Asked by its real name: a link in the way would count for the length of the socket's.
    const state = await realpath(place).catch(() => place);
    const answered = await isAnswered(join(state, SOCKET));
    if (answered === true) running.add(state);
    else if (answered === false && name.endsWith(LINK)) await rm(place, { force: true }).catch(() => undefined);
  }
  return [...running];
}

async function namesIn(servers: string): Promise<string[]> {
  try {
    return await readdir(servers);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fromErrno(error, servers, 'here');
  }
}
