/**
 * Pairs of runs. Two tools run in turn on the same data in the same minutes, and who goes first
 * changes from pair to pair, because what a noisy machine does to one it then does to the other. The result is
 * the median of the pairwise ratios with its quartiles, never the best of anything. Where there is nobody to compare
 * with, a tool runs alone.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { machineTicks, measure } from './processes.mjs';

/** A pair during which the host took more than this share of the machine is run again. */
const MAX_STEAL = 0.03;
const CHUNK = 1 << 20;

/**
 * @typedef {import('./processes.mjs').Cost} Cost @typedef {import('./processes.mjs').Command} Command @typedef {import('./tasks.mjs').Task} Task
 * @typedef {'fresh' | 'changed' | 'resume'} Purpose What the target holds before: nothing, an older version, or a part.
 * @typedef {{ put: (source: string, name: string) => Command, get: (name: string, into: string) => Command }} Copying
 *   `put` sends a local file or folder into the served folder, where it is called `name` too; `get` fetches one into a local folder.
 * @typedef {object} Tool One tool: a running server and the commands of its client.
 * @property {string} name @property {string} version @property {string} remark What it verifies, and what else sets it apart.
 * @property {string} folder What the server serves.
 * @property {number} pid The server's main process.
 * @property {boolean} [filesOnly] Whether it cannot send folders.
 * @property {boolean} [flushes] Whether it flushes to the disk where the place asks for it.
 * @property {(name: string) => Command} [list] One name a line, and whatever else it prints.
 * @property {Copying} [resume] How it goes on with a part, where that is another command.
 * @property {(connections: number, direction: 'put' | 'get' | 'stay', source: string, into: string) => Command} [crowd] Many connections at once, a copy each or nothing.
 * @property {() => Promise<void>} close
 * @typedef {Tool & Copying} Peer
 * @typedef {(work: string, place: import('./places.mjs').Place, purpose: Purpose) => Promise<Peer | { skipped: string }>} Open
 *   Starts a tool in a folder of its own.
 * @typedef {Cost & { tool: string, pair: number, first: boolean, fault: string | undefined, command: Command | undefined }} Run
 * @typedef {{ subject: Run, peer: Run | undefined, steal: number }} Pair
 */

/**
 * Writes and removes twice as many bytes as a run will write. Virtual machines whose host takes back freed memory pay for
 * fresh pages, 0.5 to 3 s a GiB and more or less at random; after this, the pages are there for whoever comes next.
 * @param {string} folder On the file system that will be written to. @param {number} bytes Of the workload.
 */
export function warmMemory(folder, bytes) {
  const path = join(folder, 'warm');
  const chunk = Buffer.alloc(CHUNK, 1);
  const file = openSync(path, 'w');
  try {
    for (let left = 2 * bytes; left > 0; left -= CHUNK) writeSync(file, chunk, 0, Math.min(left, CHUNK));
  } finally {
    closeSync(file);
    rmSync(path);
  }
}

/** One run of one tool, from a prepared target to a checked result; only the client's command is timed.
 *  @param {Peer} peer @param {Task} task @param {string} work @returns {Promise<Cost & { fault: string | undefined, command: Command }>} */
export async function run(peer, task, work) {
  task.clear(peer);
  warmMemory(work, task.bytes);
  task.prepare(peer);
  spawnSync('sync');
  const command = task.command(peer);
  const cost = await measure(command, peer.pid, task.output);
  const fault = cost.code === 0 ? task.fault(peer) : `exit code ${cost.code}: ${cost.words.trim()}`;
  task.clear(peer);
  return { ...cost, fault, command };
}

/** The subject and the peer, or the subject alone, in the order of this pair.
 *  @param {{ subject: Peer, peer: Peer | undefined, task: Task, work: string }} plan @param {number} pair @returns {Promise<Pair>} */
async function runPair({ subject, peer, task, work }, pair) {
  const before = machineTicks();
  /** @type {Map<Peer, Run>} */
  const runs = new Map();
  const both = peer === undefined ? [subject] : [subject, peer];
  for (const one of pair % 2 === 0 ? both : both.toReversed()) {
    const done = await run(one, task, work);
    // The command line is kept once: it is the same in every run.
    runs.set(one, { tool: one.name, pair, first: runs.size === 0, ...done, command: pair === 0 ? done.command : undefined });
  }
  const after = machineTicks();
  const steal = (after.steal - before.steal) / Math.max(1, after.all - before.all);
  const mine = runs.get(subject);
  if (mine === undefined) throw new Error('no run of the subject');
  return { subject: mine, peer: peer === undefined ? undefined : runs.get(peer), steal };
}

/** Runs `pairs` pairs after one of warming up, and as many again at most in place of disturbed ones.
 *  @param {{ subject: Peer, peer: Peer | undefined, task: Task, work: string, pairs: number, onPair: (pair: Pair, discarded: boolean) => void }} plan */
export async function compare({ pairs, onPair, ...plan }) {
  let [kept, disturbed] = [0, 0];
  for (let number = 0; kept < pairs; number += 1) {
    const pair = await runPair(plan, number);
    const failed = [pair.subject, pair.peer].some((one) => one?.fault !== undefined);
    // The first pair fills caches. A failed run is a result and is never thrown away.
    const discarded = !failed && (number === 0 || (pair.steal > MAX_STEAL && disturbed < pairs));
    if (discarded && number > 0) disturbed += 1;
    if (!discarded) kept += 1;
    onPair(pair, discarded);
    if (failed) break;
  }
}
