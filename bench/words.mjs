/** What one comparison says, as lines for a terminal. */
import { mib } from './verdicts.mjs';

/** @typedef {import('./comparisons.mjs').Comparison} Comparison @typedef {import('./comparisons.mjs').Side} Side */

/** @param {import('./lines.mjs').Facts} facts @param {Side} side @returns {string} */
export function rate({ unit, amount }, { seconds }) {
  if (amount === 0 || unit === 's') return `${seconds.toFixed(2)} s`;
  const value = amount / seconds;
  return `${value < 10 ? value.toFixed(1) : String(Math.round(value))} ${unit}`;
}

/** CPU and peak are client + server. @param {import('./lines.mjs').Facts} facts @param {Side} side @returns {string} */
function costs(facts, side) {
  const cpu = `${side.clientCpu.toFixed(2)} + ${side.serverCpu.toFixed(2)} s`;
  const peak = `${mib(side.clientPeak)} + ${mib(side.serverPeak)} MiB`;
  return `${rate(facts, side).padStart(14)}  ${side.seconds.toFixed(2).padStart(7)} s   CPU ${cpu.padStart(15)}   peak ${peak.padStart(13)}`;
}

/** @param {Comparison} comparison @returns {string[]} */
export function describe({ facts, faults, pairs, disturbed, subject, peer, ratio }) {
  const lines = [`${facts.way} ${facts.title}${facts.peer === undefined ? '' : `, against ${facts.peer}`}`, ...faults.map((fault) => `  ${fault}`)];
  if (faults.length > 0) return lines;
  lines.push(`  ${facts.subject.padEnd(8)}${costs(facts, subject)}`);
  if (peer !== undefined) lines.push(`  ${(facts.peer ?? '').padEnd(8)}${costs(facts, peer)}`);
  if (ratio === undefined) return lines;
  const again = disturbed > 0 ? `, disturbed pairs run again: ${disturbed}` : '';
  return [...lines, `  ${ratio.middle.toFixed(2)} times as fast (quartiles ${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)}, ${pairs} pairs, sign test p = ${ratio.p.toFixed(3)}${again})${ratio.ahead ? ': ahead' : ''}`];
}
