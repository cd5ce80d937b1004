/**
 * `npm run bench -- quick [FLAGS]`: measures Wherry against other tools on this machine, in memory-backed files.
 *
 *   --pairs N       pairs of runs for each comparison (7)
 *   --ci            3 pairs and a quarter of the data; goals are replaced by "not slower"
 *   --workload NAME only that workload     --direction put|get   only that way
 *   --peer NAME     a tool to compare with (sftp); more than once for several
 *   --subject NAME  the tool to be judged (wherry); sftp against sftp shows what the method itself adds
 *
 * Raw lines go to `bench/results/`, one JSON object a run. The last line is `N passed, N failed`, over copies and goals.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compare } from './measure.mjs';
import { open as openSftp } from './peers/sftp.mjs';
import { open as openWherry } from './peers/wherry.mjs';
import { describe, judge } from './report.mjs';
import { SUITES } from './workloads.mjs';

/** @typedef {import('./measure.mjs').Peer} Peer @typedef {import('./workloads.mjs').Workload} Workload */

/** A tool is a file in `peers/`, named here. */
const PEERS = { wherry: openWherry, sftp: openSftp };

/** The source, what a peer received and room for the system. @param {number} bytes Largest workload. */
const spaceFor = (bytes) => bytes * 3;

/** Load average above which something else is at work, and the rates say little. */
const QUIET_LOAD = 0.5;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: { type: 'string' }, ci: { type: 'boolean', default: false }, workload: { type: 'string' },
    direction: { type: 'string' }, subject: { type: 'string', default: 'wherry' },
    peer: { type: 'string', multiple: true, default: ['sftp'] },
  },
});

/** @param {string} line */
const say = (line) => process.stdout.write(`${line}\n`);

/** Opens a tool, or says why not. @param {string} name @param {string} work @param {string} as */
async function openPeer(name, work, as) {
  const open = Object.entries(PEERS).find(([known]) => known === name)?.[1];
  if (open === undefined) throw new Error(`no such tool: ${name}; there are ${Object.keys(PEERS).join(', ')}`);
  mkdirSync(join(work, as));
  const peer = await open(join(work, as));
  if (!('skipped' in peer)) return peer;
  say(`skipped: ${name}: ${peer.skipped}`);
  return undefined;
}

/** What the numbers depend on. @param {Peer[]} peers */
function environment(peers) {
  return {
    date: new Date().toISOString(), node: process.version, kernel: release(), cpu: cpus()[0]?.model, cores: cpus().length, load: loadavg()[0],
    tools: peers.map((peer) => ({ name: peer.name, version: peer.version, put: peer.put('SOURCE').argv, get: peer.get('NAME', 'INTO').argv })),
  };
}

/** A file for raw lines, named for the time. @returns {{ file: string, keep: (line: object) => void }} */
function openResults() {
  const folder = join(import.meta.dirname, 'results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${new Date().toISOString().replaceAll(/[:.]/g, '-')}.jsonl`);
  return { file, keep: (line) => appendFileSync(file, `${JSON.stringify(line)}\n`) };
}

/** Every workload, both ways, against every peer. @param {string} work @param {Workload[]} workloads @param {Peer} subject @param {Peer[]} peers */
async function compareAll(work, workloads, subject, peers) {
  const { file, keep } = openResults();
  const [load = 0] = loadavg();
  if (load > QUIET_LOAD) say(`note: the load average was ${load.toFixed(1)} before the start; rates will be too low and uneven`);
  keep(environment([subject, ...peers]));
  for (const one of [subject, ...peers]) say(`${one.name}: ${one.version}`);
  /** @type {import('./measure.mjs').Result[]} */
  const results = [];
  for (const workload of workloads) {
    workload.make(join(work, 'source'));
    for (const direction of /** @type {const} */ (['put', 'get'])) {
      if (flags.direction !== undefined && flags.direction !== direction) continue;
      for (const peer of peers) {
        const onPair = (/** @type {object} */ pair, /** @type {boolean} */ discarded) => keep({ workload: workload.name, direction, discarded, ...pair });
        const pairs = Number(flags.pairs ?? (flags.ci ? 3 : 7));
        const result = await compare({ subject, peer, workload, direction, work, pairs, onPair });
        results.push(result);
        say(`\n${describe(result).join('\n')}`);
      }
    }
    rmSync(join(work, 'source', workload.name), { recursive: true, force: true });
  }
  say(`\nraw lines: ${file}`);
  return results;
}

/** Opens the tools, compares, and ends them whatever happens. @param {string} work @param {Workload[]} workloads */
async function withTools(work, workloads) {
  const subject = await openPeer(flags.subject, work, 'subject');
  /** @type {Peer[]} */
  const peers = [];
  try {
    if (subject !== undefined) {
      for (const name of flags.peer) peers.push(...[await openPeer(name, work, `peer-${name}`)].filter((peer) => peer !== undefined));
    }
    return subject === undefined || peers.length === 0 ? [] : await compareAll(work, workloads, subject, peers);
  } finally {
    for (const peer of [subject, ...peers]) await peer?.close();
  }
}

async function bench() {
  const suite = SUITES[positionals[0] ?? 'quick'];
  if (suite === undefined) throw new Error(`no such suite: ${positionals[0]}; there are ${Object.keys(SUITES).join(', ')}`);
  const workloads = suite(flags.ci ? { large: 0.25, small: 0.25 } : { large: 1, small: 1 })
    .filter(({ name }) => flags.workload === undefined || name.startsWith(flags.workload));
  // Memory, so that it is the programs that are measured and not a disk; where there is none, whatever holds temporary files.
  const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const { bavail, bsize } = statfsSync(base);
  const needed = spaceFor(Math.max(0, ...workloads.map(({ bytes }) => bytes)));
  if (bavail * bsize < needed) throw new Error(`${base} has too little room: ${needed} bytes are needed`);
  const work = mkdtempSync(join(base, 'wherry-bench-'));
  try {
    mkdirSync(join(work, 'source'));
    return await withTools(work, workloads);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (process.platform !== 'linux' || spawnSync('bash', ['-c', 'true']).status !== 0) {
  say('skipped: the benchmark reads /proc and needs bash, so it runs on Linux only');
  say('0 passed, 0 failed');
} else {
  /** @type {import('./report.mjs').Verdict[]} */
  let verdicts;
  try {
    const results = await bench();
    verdicts = results.length === 0 ? [] : judge(results, flags.ci);
  } catch (error) {
    verdicts = [{ text: `the benchmark broke off: ${error instanceof Error ? error.message : String(error)}`, met: false }];
  }
  say('');
  for (const { text, met } of verdicts) say(`${met ? 'met    ' : 'NOT MET'}  ${text}`);
  const failed = verdicts.filter(({ met }) => !met).length;
  say(`${verdicts.length - failed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}
