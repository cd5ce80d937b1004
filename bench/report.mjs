/**
 * The measured part of docs/performance.md, and its plots, from raw lines: where Wherry is behind first, then a table for
 * each place, what was counted, what was skipped, and under which conditions. Nothing is written there by hand; the rest of the page
 * is left as it is.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { root } from '../scripts/prepare.mjs';
import { comparisons, figures, growths, memories } from './comparisons.mjs';
import { readLines } from './lines.mjs';
import { costPlot, ratioPlot } from './plots.mjs';
import { judge, mib } from './verdicts.mjs';
import { rate } from './words.mjs';

/** @typedef {import('./comparisons.mjs').Comparison} Comparison @typedef {import('./lines.mjs').Line} Line */
/** @typedef {{ markdown: string, plots: Map<string, string> }} Report Plots by file name. */

const [BEGIN, END] = ['<!-- measured: begin. Made by `npm run bench -- report`; changes here are lost. -->', '<!-- measured: end -->'];
const KEPT = join(root, 'bench', 'results.jsonl');
const MEMORY = 'memory.svg';
const PAGE = join(root, 'docs', 'performance.md');

/** @param {string} place */
function fileOf(place) {
  return `ratio-${place.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '')}.svg`;
}

/** @param {readonly string[]} heads @param {readonly (readonly string[])[]} rows */
function table(heads, rows) {
  const bar = (/** @type {readonly string[]} */ cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return rows.length === 0 ? [] : [bar(heads), `|${heads.map((_, i) => (i === 0 ? '---' : '--:')).join('|')}|`, ...rows.map(bar), ''];
}

/** @param {Comparison} one @returns {string[]} */
function row({ facts, subject, peer, ratio, pairs, faults }) {
  const what = `${facts.way} ${facts.title}`;
  if (peer === undefined || ratio === undefined) return [what, facts.peer ?? '', `failed: ${faults[0] ?? 'nothing was kept'}`, '', '', '', '', ''];
  const goal = facts.goal === undefined ? '' : `${facts.goal}${ratio.middle >= facts.goal ? '' : ', not met'}`;
  const cost = (/** @type {typeof subject} */ side) => `${side.clientCpu.toFixed(2)} + ${side.serverCpu.toFixed(2)} s`;
  const peak = (/** @type {typeof subject} */ side) => `${mib(side.clientPeak)} + ${mib(side.serverPeak)}`;
  return [what, facts.peer ?? '', `**${ratio.middle.toFixed(2)}** (${ratio.low.toFixed(2)}-${ratio.high.toFixed(2)})`, `${pairs}, p = ${ratio.p.toFixed(3)}`, goal,
    `${rate(facts, subject)}, against ${rate(facts, peer)}`, `${cost(subject)}, against ${cost(peer)}`, `${peak(subject)}, against ${peak(peer)}`];
}

/** A table for each place; tools that do not encrypt stand apart. @param {readonly Comparison[]} list @param {ReadonlySet<string>} clear @returns {string[]} */
function tables(list, clear) {
  const heads = ['workload', 'against', 'times as fast (quartiles)', 'pairs, sign test', 'goal', 'rate', 'CPU, client + server', 'peak MiB, client + server'];
  const places = new Map(list.filter(({ facts }) => facts.peer !== undefined).map(({ facts }) => [facts.place, facts.placeTitle]));
  return [...places].flatMap(([place, title]) => {
    const here = list.filter(({ facts }) => facts.place === place && facts.peer !== undefined);
    const [closed, open] = [here.filter(({ facts }) => !clear.has(facts.peer ?? '')), here.filter(({ facts }) => clear.has(facts.peer ?? ''))];
    const drawn = here.some(({ ratio }) => ratio !== undefined) ? [`![How many times as fast, ${place}](performance/${fileOf(place)})`, ''] : [];
    return [`### ${title.charAt(0).toUpperCase()}${title.slice(1)}`, '', ...drawn, ...table(heads, closed.map(row)),
      ...(open.length === 0 ? [] : ['Apart, because nothing of it is encrypted and nobody proves who they are:', '', ...table(heads, open.map(row))])];
  });
}

/** What ran without a peer. @param {readonly Comparison[]} list @returns {string[]} */
function alone(list) {
  const rows = list.filter(({ facts }) => facts.peer === undefined).map(({ facts, subject, pairs, faults }) => (faults.length > 0 ? [`${facts.way} ${facts.title}`, `failed: ${faults[0]}`, '', '', ''] : [
    `${facts.way} ${facts.title}`, rate(facts, subject), `${subject.clientCpu.toFixed(2)} + ${subject.serverCpu.toFixed(2)} s`, `${mib(subject.clientPeak)} + ${mib(subject.serverPeak)}`, String(pairs),
  ]));
  return rows.length === 0 ? [] : ['### By itself', '', ...table(['workload', 'rate', 'CPU, client + server', 'peak MiB, client + server', 'runs'], rows)];
}

/** @param {readonly Line[]} lines @returns {string[]} */
function counted(lines) {
  const rows = figures(lines).map(({ way, title, tool, what, value, unit, most, fault }) => {
    const shown = unit === 'bytes' ? `${(value / (1 << 20)).toFixed(2)} MiB` : value.toFixed(2);
    const goal = most === undefined ? '' : `${unit === 'bytes' ? `${mib(most)} MiB` : most}${value <= most ? '' : ', not met'}`;
    return [`${way} ${title}`, tool, what, fault ?? shown, goal];
  });
  return rows.length === 0 ? [] : ['### Counted', '', 'Through a proxy, both directions, without the headers of TCP and IP.', '', ...table(['workload', 'tool', 'what', 'value', 'at most'], rows)];
}

/** Machines, versions, command lines and what was left out. @param {readonly Line[]} lines @param {readonly Comparison[]} list @returns {string[]} */
function conditions(lines, list) {
  const used = new Set([...list.map(({ run }) => run), ...figures(lines).map(({ run }) => run)]);
  const machines = lines.flatMap((line) => (line.kind !== 'run' || !used.has(line.run) ? [] : [
    `- ${line.run}${line.note === '' ? '' : `, ${line.note}`}: ${line.cpu}, ${line.cores} cores, ${mib(line.memory)} MiB, Linux ${line.kernel}, Node ${line.node}, load ${line.load.toFixed(1)} before the start, TCP ${line.tcp}`]));
  const tools = new Set(lines.flatMap((line) => (line.kind === 'tool' && used.has(line.run) ? [`- ${line.name}: ${line.version}; ${line.remark}`] : [])));
  const skipped = new Set(lines.flatMap((line) => (line.kind === 'skipped' && used.has(line.run) ? [`- ${line.what}: ${line.why}`] : [])));
  const commands = list.flatMap(({ facts, commands: some }) => some.map(({ tool, line }) => `${facts.way} ${facts.title}, ${facts.place}, ${tool}:\n    ${line}`));
  return [...(skipped.size === 0 ? [] : ['### Skipped', '', ...skipped, '']), '### Under which conditions', '', ...machines, '', ...tools, '',
    ...(commands.length === 0 ? [] : ['<details><summary>Every command line; WORK is a folder made for the case.</summary>', '', '```', ...new Set(commands), '```', '', '</details>', ''])];
}

/** @param {readonly Comparison[]} list @returns {Map<string, string>} */
function plotsOf(list) {
  const places = new Map(list.filter(({ ratio }) => ratio !== undefined).map(({ facts }) => [facts.place, facts.placeTitle]));
  const ratios = [...places.keys()].map((place) => /** @type {const} */ ([fileOf(place), ratioPlot(`How many times as fast as each tool, ${place}`, list.flatMap(({ facts, ratio }) => (
    facts.place !== place || ratio === undefined ? [] : [{ label: `${facts.way} ${facts.title}, ${facts.peer}`, ...ratio }])))]));
  const costs = growths(list).map(({ id, subject, of, runs, marginal }) => {
    // Microseconds a file; milliseconds a mebibyte.
    const [scale, unit] = of === 'files' ? [1e6, 'µs a file'] : [1e3 * (1 << 20), 'ms a MiB'];
    return /** @type {const} */ ([`${id}.svg`, costPlot(`${subject}: cost against ${of === 'files' ? 'the number of files' : 'the size of a file'}`, of, [
      { name: `all of the time, ${unit}`, points: runs.map(({ size, seconds }) => ({ x: size, y: (seconds / size) * scale })) },
      { name: `CPU of both sides for one more, ${unit}`, points: marginal.map(({ size, cost }) => ({ x: size, y: cost * scale })) },
    ])]);
  });
  const doing = /** @type {Readonly<Record<string, string>>} */ ({ stay: 'idle', get: 'each fetches', put: 'each sends' });
  const rows = memories(list).map(({ way, peaks }) => ({ name: `${doing[way] ?? way}, MiB`, points: peaks.map(({ connections, bytes }) => ({ x: connections, y: bytes / (1 << 20) })) }));
  const memory = rows.length === 0 ? [] : [/** @type {const} */ ([MEMORY, costPlot('Peak memory of the server against the number of connections', 'connections', rows)])];
  return new Map([...ratios, ...costs, ...memory]);
}

/** @param {readonly Line[]} lines @returns {Report} */
export function reportOf(lines) {
  const list = comparisons(lines);
  if (list.length === 0 && figures(lines).length === 0) {
    return { markdown: 'No runs of the whole benchmark are kept yet; `npm run bench -- --keep bench/results.jsonl` makes them.\n', plots: new Map() };
  }
  const clear = new Set(lines.flatMap((line) => (line.kind === 'tool' && line.remark.startsWith('IN THE CLEAR') ? [line.name] : [])));
  const rows = growths(list);
  const verdicts = judge({ comparisons: list, figures: figures(lines), growths: rows });
  const unmet = verdicts.filter(({ met }) => !met).map(({ text }) => `- not met: ${text}`);
  const slower = list.filter(({ ratio, facts }) => ratio !== undefined && ratio.middle < 1 && facts.goal === undefined)
    .map(({ facts, ratio }) => `- slower: ${facts.way} ${facts.title}, ${facts.place}: ${ratio?.middle.toFixed(2)} times as fast as ${facts.peer}`);
  const plots = plotsOf(list);
  const drawn = [...rows.map(({ id, of }) => `![Cost against ${of}](performance/${id}.svg)`), ...(plots.has(MEMORY) ? [`![Memory against connections](performance/${MEMORY})`] : [])];
  return {
    plots,
    markdown: ['### Where it is behind', '', ...(unmet.length + slower.length === 0 ? ['Nowhere in these runs.'] : [...unmet, ...slower]), '',
      `Of ${verdicts.length} copies, limits and goals ${verdicts.length - unmet.length} are met.`, '',
      ...tables(list, clear), ...counted(lines), ...alone(list), ...(drawn.length === 0 ? [] : [...drawn, '']), ...conditions(lines, list)].join('\n'),
  };
}

/** Writes the report into the page, and the plots beside it. @param {readonly string[]} files Of raw lines. @param {string} page @returns {string[]} What was written. */
export function writeReport(files, page = PAGE) {
  const { markdown, plots } = reportOf(readLines(files.length > 0 ? files.map((file) => resolve(file)) : [KEPT].filter((file) => existsSync(file))));
  const text = readFileSync(page, 'utf8');
  const [start, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`${page} lacks the lines between which the report goes: ${BEGIN} and ${END}`);
  writeFileSync(page, `${text.slice(0, start + BEGIN.length)}\n\n${markdown.trimEnd()}\n\n${text.slice(end)}`);
  const folder = join(dirname(page), 'performance');
  if (plots.size > 0) mkdirSync(folder, { recursive: true });
  // Of an older report nothing stays: the page would not show it.
  for (const old of existsSync(folder) ? readdirSync(folder) : []) if (old.endsWith('.svg') && !plots.has(old)) rmSync(join(folder, old));
  for (const [name, svg] of plots) writeFileSync(join(folder, name), svg);
  return [page, ...[...plots.keys()].map((name) => join(folder, name))];
}
