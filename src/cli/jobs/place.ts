/**
 * Place: the folder of this device's jobs, and what is in it.
 *
 *     N.json        one job
 *     agent.sock    the agent's socket, while it runs
 *     agent.log     what the agent did, and `agent.log.1`, the one before
 *
 * One folder for each folder of keys, so that jobs use the servers they were started with: `jobs` in a home that was
 * named, else below the XDG state folder.
 */
import { join } from 'node:path';
import { Failure } from '../../errors.ts';
import { printable } from '../../printable.ts';
import { stateFolder } from '../state.ts';

/** `sun_path` holds 104 bytes on BSD and macOS, 108 on Linux, with a NUL at the end. */
const MAX_SOCKET_PATH = 103;
const SOCKET = 'agent.sock';

export function jobsFolder(home: string | undefined): string {
  return join(stateFolder(home), 'jobs');
}

/** The agent's socket in a folder of jobs. Throws where there cannot be one. */
export function socketIn(folder: string): string {
  if (process.platform === 'win32') throw new Failure('UNSUPPORTED', 'jobs need Unix sockets and sessions, which this system does not have', { who: 'here', hint: 'run the transfer in a terminal of its own' });
  const path = join(folder, SOCKET);
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return path;
  throw new Failure('USAGE', `the path of the folder for jobs is too long for a socket: ${printable(folder)}`, { who: 'here', hint: `choose a --home of at most ${MAX_SOCKET_PATH - SOCKET.length - 6} bytes` });
}
