/** What the runs say, as text for people and as verdicts that can be counted. Pure: numbers in, lines out. */
import { median, quantile, signTest } from './measure.mjs';

/** Bytes: a server and a client of ours must run on a small machine, whatever is transferred. */
const MAX_PEAK = 250 * (1 << 20);
/** A claim "ahead" needs the lower quartile beyond this, and enough pairs for quartiles to mean something. */
const AHEAD = 1.05;
const ENOUGH_PAIRS = 7;
/** In a short run, start-up hides the rate and noise is large (a tool against itself gave 0.82): there, only an upper
 *  quartile below this counts, which says that the tool has fallen behind. */
const SHORT_RUN_FLOOR = 0.85;

/** @typedef {import('./measure.mjs').Result} Result @typedef {import('./measure.mjs').Run} Run */
/** @typedef {{ text: string, met: boolean }} Verdict */

/** @param {Result} result @returns {number[]} How many times as fast the subject was, pair by pair. */
function ratios(result) {
  return result.pairs.map(({ subject, peer }) => peer.seconds / subject.seconds);
}

/** @param {Result} result @param {Run[]} runs @returns {string} */
function rate({ workload }, runs) {
  const work = workload.unit === 'MB/s' ? workload.bytes / 1e6 : workload.files;
  return `${Math.round(median(runs.map(({ seconds }) => work / seconds)))} ${workload.unit}`;
}

/** @param {Result} result @param {Run[]} runs @returns {string} */
function costs(result, runs) {
  const seconds = median(runs.map((run) => run.seconds)).toFixed(2);
  const cpu = `${median(runs.map((run) => run.clientCpu)).toFixed(2)} + ${median(runs.map((run) => run.serverCpu)).toFixed(2)} s`;
  const peak = `${mib(Math.max(...runs.map((run) => run.clientPeak)))} + ${mib(Math.max(...runs.map((run) => run.serverPeak)))} MiB`;
  return `${rate(result, runs).padStart(14)}  ${seconds.padStart(7)} s   CPU ${cpu.padStart(15)}   peak ${peak.padStart(13)}`;
}

/** @param {number} bytes */
function mib(bytes) {
  return Math.round(bytes / (1 << 20));
}

/** The lines for one comparison. CPU and peak are client + server. @param {Result} result @returns {string[]} */
export function describe(result) {
  const { workload, direction, pairs, discarded, peer } = result;
  const lines = [`${direction} ${workload.title}, against ${peer}`];
  const faults = pairs.flatMap(({ subject, peer }) => [subject, peer]).filter((run) => run.fault !== undefined);
  for (const run of faults) lines.push(`  ${run.tool} failed in pair ${run.pair}: ${run.fault}`);
  if (faults.length > 0) return lines;
  for (const side of /** @type {const} */ (['subject', 'peer'])) {
    const runs = pairs.map((pair) => pair[side]);
    lines.push(`  ${(runs[0]?.tool ?? '').padEnd(8)}${costs(result, runs)}`);
  }
  const values = ratios(result);
  const [low, middle, high] = [0.25, 0.5, 0.75].map((at) => quantile(values, at));
  const again = discarded > 0 ? `, disturbed pairs run again: ${discarded}` : '';
  lines.push(`  ${(middle ?? 0).toFixed(2)} times as fast (quartiles ${(low ?? 0).toFixed(2)} to ${(high ?? 0).toFixed(2)}, ${values.length} pairs, sign test p = ${signTest(values).toFixed(3)}${again})`
    + ((low ?? 0) > AHEAD && values.length >= ENOUGH_PAIRS ? ': ahead' : ''));
  return lines;
}

/** What was asked and whether it holds. @param {Result[]} results @param {boolean} short Whether the runs are too short for the goals. @returns {Verdict[]} */
export function judge(results, short) {
  const verdicts = results.flatMap((result) => judgeOne(result, short));
  const runs = results.flatMap(({ pairs }) => pairs.map(({ subject }) => subject));
  for (const side of /** @type {const} */ (['client', 'server'])) {
    const peak = Math.max(...runs.map((run) => run[`${side}Peak`]));
    verdicts.push({ text: `${side} below ${mib(MAX_PEAK)} MiB: ${mib(peak)} MiB`, met: runs.length > 0 && peak < MAX_PEAK });
  }
  return verdicts;
}

/** @param {Result} result @param {boolean} short @returns {Verdict[]} */
function judgeOne(result, short) {
  const { workload, direction, peer, pairs } = result;
  const what = `${direction} ${workload.title}`;
  const right = pairs.length > 0 && pairs.every((pair) => pair.subject.fault === undefined && pair.peer.fault === undefined);
  const verdicts = [{ text: `${what}: every copy is right`, met: right }];
  const goal = workload.goals[peer]?.[direction];
  if (!right) return verdicts;
  if (short) {
    const best = quantile(ratios(result), 0.75);
    verdicts.push({ text: `${what}: not slower than ${peer}: upper quartile ${best.toFixed(2)}`, met: best >= SHORT_RUN_FLOOR });
  } else if (goal !== undefined) {
    const reached = median(ratios(result));
    verdicts.push({ text: `${what}: at least ${goal} times as fast as ${peer}: ${reached.toFixed(2)}`, met: reached >= goal });
  }
  return verdicts;
}
