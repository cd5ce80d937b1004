/**
 * Servers of the tools, as processes of this benchmark: found, started, waited for until they answer, and ended
 * whatever happens. Which machine they seem to run on is said by the place.
 */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { leave } from './cleanup.mjs';

/** The slowest, nginx on a loaded machine, takes half a second. */
const START_MS = 10_000;

/** @typedef {import('./places.mjs').Place} Place */
/** @typedef {{ pid: number, close: () => Promise<void> }} Server */

/** Servers insist on an absolute path, and are often outside a person's own. @param {string} program @returns {string | undefined} */
export function find(program) {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, program)).find((file) => existsSync(file));
}

/** @param {readonly string[]} programs @returns {{ skipped: string } | undefined} */
export function lacking(programs) {
  const gone = programs.filter((program) => find(program) === undefined);
  return gone.length === 0 ? undefined : { skipped: `${gone.join(' and ')} ${gone.length === 1 ? 'is' : 'are'} not installed` };
}

/** What a program says about its version, in one line. @param {readonly string[]} argv @returns {string} */
export function versionOf([program = '', ...args]) {
  const { stdout, stderr } = spawnSync(find(program) ?? program, args, { encoding: 'utf8' });
  return (stdout + stderr).trim().split('\n', 1)[0]?.trim().replace(/\s+/g, ' ') ?? '';
}

/** A port that is free now, for servers that cannot choose one themselves and tell. @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Takes charge of a process: `close` ends it and waits; so does the end of this process, without waiting.
 *  @param {import('node:child_process').ChildProcess} child @returns {Server} */
export function own(child) {
  const gone = leave(() => child.kill('SIGKILL'));
  const ended = new Promise((resolve) => { child.once('exit', resolve); });
  return {
    pid: child.pid ?? 0,
    async close() {
      if (child.exitCode === null && child.signalCode === null && child.kill()) await ended;
      gone();
    },
  };
}

/** Starts a server at the far end and waits until `port` answers from the near one.
 *  @param {Place} place @param {readonly string[]} argv @param {number} port @param {string} log Where its words go.
 *  @returns {Promise<Server | { skipped: string }>} */
export async function startServer(place, argv, port, log) {
  const words = openSync(log, 'w');
  const [program = '', ...args] = place.far(argv);
  const child = spawn(program, args, { stdio: ['ignore', words, words] });
  closeSync(words);
  const server = own(child);
  const [shell = '', ...script] = place.near(['bash', '-c', `exec 3<>/dev/tcp/${place.host}/${port}`]);
  for (const until = performance.now() + START_MS; spawnSync(shell, script, { stdio: 'ignore' }).status !== 0; await delay(20)) {
    if (child.exitCode === null && performance.now() < until) continue;
    await server.close();
    return { skipped: `${argv[0] ?? ''} did not start: ${readFileSync(log, 'utf8').trim().split('\n').slice(-3).join(' ')}` };
  }
  return server;
}
