/**
 * `npm run bench [-- SUITE... [FLAGS]]`: measures Wherry against other tools on this machine. Suites: full (all that follow;
 * what is meant when none is named), large, small, trees, changed, resume, start, list, wan, growth, crowd; and quick,
 * large and small files against sftp alone.
 *
 * `npm run bench -- flood` measures what strangers who try to sign in all the time cost those who are; `flood.mjs` has its flags.
 *
 * `npm run bench -- report [FILE...]` writes the measured part of docs/performance.md and its plots from raw lines
 * (bench/results.jsonl when no file is named).
 *
 *   --pairs N         pairs of runs for each comparison (7, where the case says no other number)
 *   --ci              of `quick`: three ratios (large and small files against sftp, a changed file against rsync), each with a
 *                     wide alarm instead of a goal
 *   --workload NAME   only cases whose name, or whose file's, begins so     --direction put|get   only that way
 *   --peer NAME       the tools to compare with, instead of those of each case; more than once for several
 *   --subject NAME    the tool to be judged (wherry); sftp against sftp shows what the method itself adds
 *   --scale N         sizes times N; goals are for 1 and are not judged otherwise
 *   --entries N       of the folder that is listed (1000000)
 *   --max-files N, --max-bytes N   the largest of the sizes in `growth` (1000000, 8589934592)
 *   --disk DIR        where transfers to a disk are measured (the folder for temporary files)
 *   --congestion NAME what TCP uses on links (cubic)
 *   --keep FILE       append raw lines to FILE, to be committed, instead of a file in bench/results
 *   --note TEXT       kept with the raw lines: which machine, which version
 *
 * The last line is `N passed, N failed`, over copies, limits and goals.
 */
import { spawnSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { node, root } from '../scripts/prepare.mjs';
import { comparisons, figures, growths } from './comparisons.mjs';
import { machine, openLog } from './lines.mjs';
import { blockBytes } from './peers/wherry.mjs';
import { flood } from './flood.mjs';
import { writeReport } from './report.mjs';
import { runCase } from './runner.mjs';
import { CI, SUITES } from './suites.mjs';
import { judge } from './verdicts.mjs';

/** Load average above which something else is at work, and the rates say little. */
const QUIET_LOAD = 0.5;

const USAGE = `usage: npm run bench [-- SUITE... [FLAGS]]; suites: ${Object.keys(SUITES).join(', ')}, flood, report; flags: at the top of bench/main.mjs`;

/** A suite of another kind, with flags of its own. */
const isFlood = process.argv[2] === 'flood';

/** Reads flags; what cannot be understood is told with where they are explained.
 *  @template {import('node:util').ParseArgsConfig} T @param {T} config @returns {ReturnType<typeof parseArgs<T>>} */
function understood(config) {
  try {
    return parseArgs(config);
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
    process.exit(2);
  }
}

const { values: flags, positionals } = understood({
  args: isFlood ? ['flood'] : process.argv.slice(2),
  allowPositionals: true,
  options: {
    pairs: { type: 'string' }, ci: { type: 'boolean', default: false }, workload: { type: 'string' }, direction: { type: 'string' },
    subject: { type: 'string', default: 'wherry' }, peer: { type: 'string', multiple: true }, scale: { type: 'string' },
    entries: { type: 'string', default: '1000000' }, 'max-files': { type: 'string', default: '1000000' }, 'max-bytes': { type: 'string', default: String(8 * 2 ** 30) },
    help: { type: 'boolean', default: false }, disk: { type: 'string' }, congestion: { type: 'string', default: 'cubic' }, keep: { type: 'string' }, note: { type: 'string', default: '' },
  },
});

/** @param {string} line */
const say = (line) => process.stdout.write(`${line}\n`);

/** A number of a flag. @param {string} name @param {string | undefined} text @param {number} otherwise */
function number(name, text, otherwise) {
  const value = text === undefined ? otherwise : Number(text);
  if (!(value > 0)) throw new Error(`--${name} takes a number above 0`);
  return value;
}

/** Takes out of a raw line what is only of this machine: where Node is, where the clone is, names made up for one run. @param {string} text */
function plain(text) {
  return text.replaceAll(/(?:\/[^/"'\s:=]+)*\/wherry-bench-\w{6}/g, 'WORK').replaceAll(node, 'node').replaceAll(`${root}/`, '').replaceAll(/\/usr\/sbin\/|\/sbin\//g, '').replaceAll(/\bwb-(far|near)-\d+/g, 'wb-$1');
}

/** The cases that were asked for, with the suite they are of. */
function chosen() {
  const scale = number('scale', flags.scale, 1);
  const sizes = { scale, entries: number('entries', flags.entries, 1), maxFiles: number('max-files', flags['max-files'], 1), maxBytes: number('max-bytes', flags['max-bytes'], 1) };
  const cases = (positionals.length === 0 ? ['full'] : positionals).flatMap((name) => {
    const suite = name === 'quick' && flags.ci ? CI : SUITES[name];
    if (suite === undefined) throw new Error(`no such suite: ${name}; there are ${Object.keys(SUITES).join(', ')}, and report`);
    return suite(sizes).map((one) => ({ suite: name, one }));
  });
  return { scale, cases: cases.filter(({ one }) => flags.workload === undefined || [one.id, one.workload.name].some((name) => name.startsWith(flags.workload ?? ''))) };
}

/** @returns {Promise<import('./verdicts.mjs').Verdict[]>} */
async function bench() {
  const { scale, cases } = chosen();
  const run = new Date().toISOString();
  const file = flags.keep === undefined ? join(import.meta.dirname, 'results', `${run.replaceAll(/[:.]/g, '-')}.jsonl`) : resolve(flags.keep);
  const log = openLog(file, run, plain);
  const block = await blockBytes();
  log.add(machine(run, block, flags.note));
  const [load = 0] = loadavg();
  if (load > QUIET_LOAD) say(`note: the load average was ${load.toFixed(1)} before the start; rates will be too low and uneven`);
  /** @type {import('./verdicts.mjs').Verdict[]} */
  const broken = [];
  const pairs = flags.pairs === undefined ? undefined : number('pairs', flags.pairs, 1);
  const choices = { disk: flags.disk === undefined ? undefined : resolve(flags.disk), congestion: flags.congestion };
  for (const { suite, one } of cases) {
    try {
      await runCase(one, { log, say, suite, subject: flags.subject, peers: flags.peer, pairs, way: flags.direction, fullSize: scale === 1, choices, blockBytes: block });
    } catch (error) {
      broken.push({ text: `${one.id} broke off: ${error instanceof Error ? error.message : String(error)}`, met: false });
      say(broken.at(-1)?.text ?? '');
    }
  }
  say(`\nraw lines: ${file}`);
  if (scale !== 1) say('note: goals and alarms are for the full sizes and were not judged');
  const all = comparisons(log.all);
  return [...judge({ comparisons: all, figures: figures(log.all), growths: growths(all) }), ...broken];
}

/** @returns {Promise<import('./verdicts.mjs').Verdict[]>} */
async function attempt() {
  if (process.platform !== 'linux' || spawnSync('bash', ['-c', 'true']).status !== 0) {
    say('skipped: the benchmark reads /proc and needs bash, so it runs on Linux only');
    return [];
  }
  try {
    return await (isFlood ? flood(process.argv.slice(3)) : bench());
  } catch (error) {
    return [{ text: `the benchmark broke off: ${error instanceof Error ? error.message : String(error)}`, met: false }];
  }
}

if (flags.help) say(USAGE);
else if (positionals[0] === 'report') {
  for (const file of writeReport(positionals.slice(1))) say(file);
} else {
  const verdicts = await attempt();
  say('');
  for (const { text, met } of verdicts) say(`${met ? 'met    ' : 'NOT MET'}  ${text}`);
  const failed = verdicts.filter(({ met }) => !met).length;
  say(`${verdicts.length - failed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}
