/**
 * Raw lines: one JSON object for each thing that happened, written as it happens. Everything that is printed or drawn
 * comes from these and nothing else, so that a figure can always be taken back to its runs.
 */
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { dirname } from 'node:path';

/**
 * @typedef {{ clientPeak?: number, serverPeak?: number }} Limits Bytes.
 * @typedef {object} Facts What a comparison is about.
 * @property {string} suite @property {string} id The case. @property {string} title Of the workload.
 * @property {string} place @property {string} placeTitle @property {import('./tasks.mjs').Way} way
 * @property {'MB/s' | 'files/s' | 's'} unit @property {number} amount What a run moves: megabytes or files; 0 where seconds are told.
 * @property {string} subject @property {string | undefined} peer
 * @property {number | undefined} goal How many times as fast as the peer the subject means to be.
 * @property {{ measured: number, below: number } | undefined} alarm Instead of a goal: how many times as fast as the peer the subject was when last
 *   measured, and what its upper quartile must not fall below.
 * @property {Limits} limits Of the subject.
 * @property {{ of: 'files' | 'bytes' | 'connections', size: number } | undefined} growth In a row of sizes: which.
 *
 * @typedef {{ kind: 'run', run: string, node: string, kernel: string, cpu: string, cores: number, memory: number, load: number, tcp: string, blockBytes: number, note: string }} RunLine
 * @typedef {{ kind: 'tool', run: string, name: string, version: string, remark: string }} ToolLine
 * @typedef {{ kind: 'pair', run: string, facts: Facts, discarded: boolean, pair: import('./measure.mjs').Pair }} PairLine
 * @typedef {{ kind: 'figure', run: string, suite: string, id: string, place: string, title: string, way: string, tool: string, what: string, value: number,
 *    unit: 'bytes' | 'times', most: number | undefined, fault: string | undefined }} FigureLine Something counted instead of timed.
 * @typedef {{ kind: 'skipped', run: string, what: string, why: string }} SkippedLine
 * @typedef {RunLine | ToolLine | PairLine | FigureLine | SkippedLine} Line
 * @typedef {{ add: (line: Line) => void, all: Line[], run: string }} Log
 */

/** A setting of the kernel; namespaces get the same. @param {string} name */
function setting(name) {
  return readFileSync(`/proc/sys/net/ipv4/${name}`, 'utf8').trim().replaceAll(/\s+/g, ' ');
}

/** What the figures depend on. @param {string} run @param {number} blockBytes @param {string} note @returns {RunLine} */
export function machine(run, blockBytes, note) {
  return {
    kind: 'run', run, node: process.version, kernel: release(), cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism(),
    memory: totalmem(), load: loadavg()[0] ?? 0, tcp: `rmem ${setting('tcp_rmem')}, wmem ${setting('tcp_wmem')}, ${setting('tcp_congestion_control')}`, blockBytes, note,
  };
}

/** A file for raw lines, and all of them so far. @param {string} file @param {string} run When it was, ISO 8601. @param {(text: string) => string} plain Takes out what is only of
 *  this machine. @returns {Log} */
export function openLog(file, run, plain) {
  mkdirSync(dirname(file), { recursive: true });
  /** @type {Line[]} */
  const all = [];
  return {
    all, run,
    add(line) {
      const text = plain(JSON.stringify(line));
      all.push(/** @type {Line} */ (JSON.parse(text)));
      appendFileSync(file, `${text}\n`);
    },
  };
}

/** @param {readonly string[]} files @returns {Line[]} */
export function readLines(files) {
  return files.flatMap((file) => readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => /** @type {Line} */ (JSON.parse(line))));
}
