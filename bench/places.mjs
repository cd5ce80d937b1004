/**
 * Where a transfer happens: which file system holds both copies, and what lies between server and client. A peer is
 * given a place and asks it for everything about machines and addresses, so that one file per tool serves them all.
 */
import { fork } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leave } from './cleanup.mjs';
import { openLink } from './links.mjs';

/** What statfs(2) calls a file system in memory. */
const TMPFS = 0x01021994;

/**
 * @typedef {object} Place
 * @property {string} name For raw lines: the same name, the same conditions.
 * @property {string} title For people.
 * @property {string} base A folder on the file system that is meant.
 * @property {boolean} durable Whether tools are told to flush to the disk.
 * @property {string} host The server's address, seen from both ends.
 * @property {(argv: readonly string[]) => readonly string[]} far A command as it runs on the server's machine.
 * @property {(argv: readonly string[]) => readonly string[]} near And on the client's.
 * @property {(port: number) => Promise<number>} door The port that a client dials to reach the server at `port`.
 * @property {() => Promise<void>} close
 *
 * @typedef {{ rate?: string, rtt?: number, loss?: number }} Line Rate cap, milliseconds there and back, share of packets lost.
 * @typedef {{ on: 'memory' | 'disk', line?: Line }} Where
 * @typedef {{ disk: string | undefined, congestion: string }} Choices
 */

/** Memory, so that it is the programs that are measured and not a disk; where there is none, whatever holds temporary files. */
const inMemory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** @param {Where} where @param {Choices} choices @returns {Promise<Place | { skipped: string }>} */
export async function openPlace({ on, line }, { disk = tmpdir(), congestion }) {
  if (line !== undefined) {
    const link = await openLink(line, congestion);
    return 'skipped' in link ? link : { ...link, base: inMemory, durable: false };
  }
  const local = { host: '127.0.0.1', far: same, near: same, door: (/** @type {number} */ port) => Promise.resolve(port), close: () => Promise.resolve() };
  if (on === 'memory') return { ...local, name: 'memory', title: 'loopback, files in memory, nothing flushed', base: inMemory, durable: false };
  if (statfsSync(disk).type === TMPFS) return { skipped: `${disk} is in memory; name a folder on a disk: --disk DIR` };
  return { ...local, name: 'disk', title: 'loopback, files on a disk, flushed before success is reported', base: disk, durable: true };
}

/** @param {readonly string[]} argv */
function same(argv) {
  return argv;
}

/** @typedef {Place & { passed: (reset?: boolean) => Promise<{ up: number, down: number }>, cutAt: (way: 'up' | 'down', bytes: number, kill?: () => void) => Promise<void> }} CountingPlace */

/**
 * The same place with a proxy in front of every server, in a process of its own: it counts what passes, and at a chosen byte
 * breaks all connections or has somebody killed. Never used for anything that is timed.
 * @param {Place} place @returns {CountingPlace}
 */
export function counting(place) {
  const proxy = fork(join(import.meta.dirname, 'proxy.mjs'), [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const gone = leave(() => proxy.kill('SIGKILL'));
  /** @param {object} question @returns {Promise<{ port: number, up: number, down: number }>} */
  const ask = (question) => new Promise((resolve, reject) => {
    proxy.once('message', (answer) => resolve(/** @type {{ port: number, up: number, down: number }} */ (answer)));
    proxy.send(question, (error) => { if (error !== null) reject(error); });
  });
  return {
    ...place,
    name: `${place.name}, through a proxy`,
    door: async (port) => (await ask({ ask: 'open', host: place.host, port })).port,
    passed: (reset = false) => ask({ ask: 'count', reset }),
    async cutAt(way, bytes, kill) {
      await ask({ ask: 'cut', way, bytes, hold: kill !== undefined });
      kill?.();
      if (kill !== undefined) await ask({ ask: 'release' });
    },
    async close() {
      const ended = new Promise((resolve) => { proxy.once('exit', resolve); });
      if (proxy.kill()) await ended;
      gone();
      await place.close();
    },
  };
}
