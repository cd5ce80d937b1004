/** From raw lines to comparisons: the pairs of one subject and one peer under one set of conditions, and what they say. Pure: lines in, numbers out. */
import { marginal, median, quantile, signTest } from './statistics.mjs';

/** A claim "ahead" needs the lower quartile beyond this, and enough pairs for quartiles to mean something. */
const AHEAD = 1.05;
const ENOUGH_PAIRS = 7;

/** @typedef {import('./lines.mjs').Line} Line @typedef {import('./lines.mjs').Facts} Facts @typedef {import('./measure.mjs').Run} Run */
/** @typedef {{ seconds: number, clientCpu: number, serverCpu: number, clientPeak: number, serverPeak: number }} Side Medians, but for the peaks. */
/** @typedef {{ low: number, middle: number, high: number, p: number, ahead: boolean }} Ratio How many times as fast the subject was, pair by pair. */
/** @typedef {object} Comparison
 *  @property {Facts} facts @property {string} run When. @property {number} pairs @property {number} disturbed Pairs that were run again.
 *  @property {string[]} faults @property {Side} subject @property {Side | undefined} peer @property {Ratio | undefined} ratio
 *  @property {{ tool: string, line: string }[]} commands */

/** @param {readonly Run[]} runs @returns {Side} */
function side(runs) {
  /** @param {(run: Run) => number} pick */
  const middle = (pick) => median(runs.map(pick));
  return {
    seconds: middle((run) => run.seconds), clientCpu: middle((run) => run.clientCpu), serverCpu: middle((run) => run.serverCpu),
    clientPeak: Math.max(...runs.map((run) => run.clientPeak)), serverPeak: Math.max(...runs.map((run) => run.serverPeak)),
  };
}

/** @param {readonly number[]} values @returns {Ratio} */
function ratioOf(values) {
  const low = quantile(values, 0.25);
  return { low, middle: median(values), high: quantile(values, 0.75), p: signTest(values), ahead: low > AHEAD && values.length >= ENOUGH_PAIRS };
}

/** A command line as a person could type it. @param {import('./measure.mjs').Command} command */
function typed({ argv, says }) {
  const line = argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`)).join(' ');
  return says === undefined ? line : `${line}   (the batch: ${says})`;
}

/** @param {readonly import('./lines.mjs').PairLine[]} lines Of one comparison. @returns {Comparison | undefined} */
function comparison(lines) {
  const [first] = lines;
  if (first === undefined) return undefined;
  const kept = lines.filter((line) => !line.discarded).map(({ pair }) => pair);
  const peers = kept.flatMap(({ peer }) => (peer === undefined ? [] : [peer]));
  const subjects = kept.map(({ subject }) => subject);
  const runs = lines.flatMap(({ pair }) => (pair.peer === undefined ? [pair.subject] : [pair.subject, pair.peer]));
  const faults = runs.flatMap(({ tool, pair, fault }) => (fault === undefined ? [] : [`${tool} failed in pair ${pair}: ${fault}`]));
  const whole = faults.length === 0 && peers.length === kept.length && peers.length > 0;
  return {
    facts: first.facts, run: first.run, pairs: kept.length, faults,
    // The first pair is never counted.
    disturbed: lines.filter(({ discarded, pair }) => discarded && pair.subject.pair > 0).length,
    subject: side(subjects), peer: peers.length === 0 ? undefined : side(peers),
    ratio: whole ? ratioOf(kept.map(({ subject, peer }) => (peer?.seconds ?? Number.NaN) / subject.seconds)) : undefined,
    commands: runs.flatMap(({ tool, command }) => (command === undefined ? [] : [{ tool, line: typed(command) }])),
  };
}

/** @param {Facts} facts */
function keyOf({ id, title, place, way, peer, subject, growth }) {
  return JSON.stringify([id, title, place, way, subject, peer ?? '', growth?.size ?? 0]);
}

/** All comparisons, in the order they were first made. Of one that was made more than once, the newest run counts: runs
 *  of different versions are never mixed. @param {readonly Line[]} lines @returns {Comparison[]} */
export function comparisons(lines) {
  /** @type {Map<string, Map<string, import('./lines.mjs').PairLine[]>>} */
  const found = new Map();
  for (const line of lines) {
    if (line.kind !== 'pair') continue;
    /** @type {Map<string, import('./lines.mjs').PairLine[]>} */
    const runs = found.get(keyOf(line.facts)) ?? new Map([]);
    found.set(keyOf(line.facts), runs.set(line.run, [...(runs.get(line.run) ?? []), line]));
  }
  return [...found.values()].flatMap((runs) => {
    const newest = [...runs.keys()].sort().at(-1) ?? '';
    const one = comparison(runs.get(newest) ?? []);
    return one === undefined ? [] : [one];
  });
}

/** Things that were counted, the newest of each. @param {readonly Line[]} lines @returns {import('./lines.mjs').FigureLine[]} */
export function figures(lines) {
  /** @type {Map<string, import('./lines.mjs').FigureLine>} */
  const found = new Map();
  for (const line of lines) {
    if (line.kind !== 'figure') continue;
    const key = JSON.stringify([line.id, line.title, line.place, line.way, line.tool, line.what]);
    const before = found.get(key);
    if (before === undefined || before.run <= line.run) found.set(key, line);
  }
  return [...found.values()];
}

/** @typedef {{ id: string, subject: string, of: 'files' | 'bytes', runs: { size: number, seconds: number, cpu: number }[], marginal: { size: number, cost: number }[] }} Growth
 *  CPU seconds of both sides; `marginal` is CPU seconds for one more. */

/** Rows of sizes, by rising size. @param {readonly Comparison[]} list @returns {Growth[]} */
export function growths(list) {
  /** @type {Map<string, Comparison[]>} */
  const rows = new Map();
  for (const one of list) if (one.facts.growth !== undefined && one.facts.growth.of !== 'connections' && one.faults.length === 0) rows.set(one.facts.id, [...(rows.get(one.facts.id) ?? []), one]);
  return [...rows].map(([id, row]) => {
    const runs = row.map(({ facts, subject }) => ({ size: facts.growth?.size ?? 0, seconds: subject.seconds, cpu: subject.clientCpu + subject.serverCpu })).toSorted((a, b) => a.size - b.size);
    return { id, subject: row[0]?.facts.subject ?? '', of: row[0]?.facts.growth?.of === 'bytes' ? 'bytes' : 'files', runs, marginal: marginal(runs.map(({ size, cpu }) => ({ size, cost: cpu }))) };
  });
}

/** What a server's memory grew to with so many connections, by what they did: bytes, by rising number. @param {readonly Comparison[]} list
 *  @returns {{ way: import('./tasks.mjs').Way, peaks: { connections: number, bytes: number }[] }[]} */
export function memories(list) {
  const rows = list.filter(({ facts, faults }) => facts.growth?.of === 'connections' && faults.length === 0);
  return [...new Set(rows.map(({ facts }) => facts.way))].map((way) => ({
    way, peaks: rows.filter(({ facts }) => facts.way === way).map(({ facts, subject }) => ({ connections: facts.growth?.size ?? 0, bytes: subject.serverPeak })).toSorted((a, b) => a.connections - b.connections),
  }));
}
