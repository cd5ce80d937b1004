/**
 * Pairs of runs and what they say. Two tools run in turn on the same data in the same minutes, and who goes first
 * changes from pair to pair, because what a noisy machine does to one it then does to the other. The result is
 * the median of the pairwise ratios with its quartiles, never the best of anything.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { machineTicks, measure } from './processes.mjs';

/** A pair during which the host took more than this share of the machine is run again. */
const MAX_STEAL = 0.03;

/**
 * @typedef {import('./processes.mjs').Cost} Cost @typedef {import('./processes.mjs').Command} Command
 * @typedef {import('./workloads.mjs').Workload} Workload @typedef {import('./workloads.mjs').Direction} Direction
 * @typedef {object} Peer One tool: a running server and the commands of its client.
 * @property {string} name @property {string} version
 * @property {string} folder What the server serves.
 * @property {number} pid The server's main process.
 * @property {(source: string) => Command} put Sends a local file or folder into the served folder.
 * @property {(name: string, into: string) => Command} get Fetches a file or folder into a local folder.
 * @property {() => Promise<void>} close
 * @typedef {Cost & { tool: string, pair: number, first: boolean, fault: string | undefined }} Run
 * @typedef {{ subject: Run, peer: Run, steal: number }} Pair
 * @typedef {{ workload: Workload, direction: Direction, peer: string, pairs: Pair[], discarded: number }} Result
 */

/** Why the copy differs from the original, if it does: names and bytes, by the system's own tools.
 *  @param {string} original @param {string} copy @returns {string | undefined} */
function difference(original, copy) {
  const { status, stdout, stderr } = spawnSync('diff', ['-r', '-q', '--no-dereference', original, copy], { encoding: 'utf8' });
  return status === 0 ? undefined : `the copy is wrong: ${(stdout + stderr).trim().split('\n', 1)[0] ?? ''}`;
}

/** One run of one tool, from an empty target to a checked copy; only the client's command is timed.
 *  @param {Peer} peer @param {Workload} workload @param {Direction} direction @param {string} work @returns {Promise<Cost & { fault: string | undefined }>} */
async function run(peer, workload, direction, work) {
  const source = join(work, 'source', workload.name);
  const served = join(peer.folder, workload.name);
  const local = join(work, 'local');
  for (const folder of [served, local]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(local);
  // Hard links: the server reads the very same pages for every tool.
  if (direction === 'get') spawnSync('cp', ['-al', source, served]);
  spawnSync('sync');
  const command = direction === 'put' ? peer.put(source) : peer.get(workload.name, local);
  const cost = await measure(command, peer.pid);
  const copy = direction === 'put' ? served : join(local, workload.name);
  const fault = cost.code === 0 ? difference(source, copy) : `exit code ${cost.code}: ${cost.words.trim()}`;
  for (const folder of [served, local]) rmSync(folder, { recursive: true, force: true });
  return { ...cost, fault };
}

/** Runs `pairs` pairs after one of warming up, and as many again at most in place of disturbed ones.
 *  @param {{ subject: Peer, peer: Peer, workload: Workload, direction: Direction, pairs: number, work: string, onPair: (pair: Pair, discarded: boolean) => void }} plan
 *  @returns {Promise<Result>} */
export async function compare({ subject, peer, workload, direction, pairs, work, onPair }) {
  /** @type {Result} */
  const result = { workload, direction, peer: peer.name, pairs: [], discarded: 0 };
  for (let pair = 0; result.pairs.length < pairs; pair += 1) {
    const before = machineTicks();
    const order = pair % 2 === 0 ? [subject, peer] : [peer, subject];
    /** @type {Run[]} */
    const runs = [];
    for (const one of order) runs.push({ tool: one.name, pair, first: one === order[0], ...(await run(one, workload, direction, work)) });
    const after = machineTicks();
    const steal = (after.steal - before.steal) / Math.max(1, after.all - before.all);
    const [first, second] = runs;
    if (first === undefined || second === undefined) break;
    const done = order[0] === subject ? { subject: first, peer: second, steal } : { subject: second, peer: first, steal };
    const failed = runs.some((one) => one.fault !== undefined);
    // The first pair fills caches. A failed run is a result and is never thrown away.
    const discarded = !failed && (pair === 0 || (steal > MAX_STEAL && result.discarded < pairs));
    if (discarded && pair > 0) result.discarded += 1;
    if (!discarded) result.pairs.push(done);
    onPair(done, discarded);
    if (failed) break;
  }
  return result;
}

/** A quantile by linear interpolation between the two nearest values. @param {readonly number[]} values @param {number} at @returns {number} */
export function quantile(values, at) {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * at;
  const [low, high] = [sorted[Math.floor(place)] ?? Number.NaN, sorted[Math.ceil(place)] ?? Number.NaN];
  return low + (high - low) * (place - Math.floor(place));
}

/** @param {readonly number[]} values @returns {number} */
export function median(values) {
  return quantile(values, 0.5);
}

/** How likely pairs of equal tools would lean to one side at least as much: the two-sided sign test.
 *  @param {readonly number[]} ratios @returns {number} */
export function signTest(ratios) {
  const decided = ratios.filter((ratio) => ratio !== 1);
  const wins = decided.filter((ratio) => ratio > 1).length;
  const most = Math.max(wins, decided.length - wins);
  let [ways, tail] = [1, 0]; // ways: n over k
  for (let k = 0; k <= decided.length; k += 1) {
    if (k >= most) tail += ways;
    ways = (ways * (decided.length - k)) / (k + 1);
  }
  return Math.min(1, (2 * tail) / 2 ** decided.length);
}
