/** Goals against what was reached: each is met or it is not. Pure: comparisons in, verdicts out. */
import { median } from './statistics.mjs';

/** @typedef {import('./comparisons.mjs').Comparison} Comparison @typedef {import('./lines.mjs').FigureLine} FigureLine */
/** @typedef {{ text: string, met: boolean }} Verdict */

const MIB = 1 << 20;
/** How much more one more may cost at the largest size than at the sizes before. */
const FLAT = 1.1;
/** In rows that end below, start-up and noise hide what one more costs. */
const LONG_ROW = { files: 100_000, bytes: 2 ** 30 };

/** @param {number} bytes */
export function mib(bytes) {
  return Math.round(bytes / MIB);
}

/** @param {Comparison} comparison @returns {Verdict[]} */
function judgeSpeed({ facts, faults, pairs, ratio }) {
  const what = `${facts.way} ${facts.title}${facts.place === 'memory' ? '' : `, ${facts.place}`}`;
  const right = faults.length === 0 && pairs > 0;
  const verdicts = [{ text: `${what}: every ${{ ls: 'listing', stay: 'connection' }[/** @type {string} */ (facts.way)] ?? 'copy'} is right${facts.peer === undefined ? '' : `, also by ${facts.peer}`}`, met: right }];
  if (!right || ratio === undefined) return verdicts;
  if (facts.alarm !== undefined) {
    const { below, measured } = facts.alarm;
    const is = ratio.high.toFixed(2);
    verdicts.push(ratio.high >= below
      ? { text: `${what}: no alarm, not below ${below} times as fast as ${facts.peer}: upper quartile ${is}`, met: true }
      : { text: `${what}: ALARM, below ${below} times as fast as ${facts.peer}: upper quartile ${is}, and ${measured} when last measured; something became much slower`, met: false });
  } else if (facts.goal !== undefined) {
    verdicts.push({ text: `${what}: at least ${facts.goal} times as fast as ${facts.peer}: ${ratio.middle.toFixed(2)}`, met: ratio.middle >= facts.goal });
  }
  return verdicts;
}

/** Memory, once for each limit of each side: the largest peak of all comparisons that it was set for. @param {readonly Comparison[]} list @returns {Verdict[]} */
function judgeMemory(list) {
  /** @type {Verdict[]} */
  const verdicts = [];
  for (const side of /** @type {const} */ (['client', 'server'])) {
    const limits = new Set(list.flatMap(({ facts }) => facts.limits[`${side}Peak`] ?? []));
    for (const limit of limits) {
      const under = list.filter(({ facts }) => facts.limits[`${side}Peak`] === limit);
      const worst = under.reduce((a, b) => (b.subject[`${side}Peak`] > a.subject[`${side}Peak`] ? b : a));
      const peak = worst.subject[`${side}Peak`];
      verdicts.push({ text: `${side} below ${mib(limit)} MiB: ${mib(peak)} MiB (${worst.facts.way} ${worst.facts.title})`, met: peak < limit });
    }
  }
  return verdicts;
}

/** @param {FigureLine} figure @returns {Verdict[]} */
function judgeFigure({ way, title, place, tool, what, value, unit, most, fault }) {
  const words = `${way} ${title}, ${place}: ${tool}, ${what}`;
  if (fault !== undefined) return [{ text: `${words}: ${fault}`, met: false }];
  if (most === undefined) return [];
  const [is, may] = unit === 'bytes' ? [`${(value / MIB).toFixed(1)} MiB`, `${mib(most)} MiB`] : [value.toFixed(2), String(most)];
  return [{ text: `${words}: at most ${may}: ${is}`, met: value <= most }];
}

/** Whether the last step of a row costs no more than those before it. @param {import('./comparisons.mjs').Growth} growth @returns {Verdict[]} */
function judgeGrowth({ of, subject, runs, marginal: steps }) {
  const [last, before] = [steps.at(-1), steps.slice(0, -1)];
  if (last === undefined || before.length === 0 || last.size < LONG_ROW[of]) return [];
  const times = last.cost / median(before.map(({ cost }) => cost));
  return [{ text: `${subject}: one more of ${of} costs the same at ${runs.at(-1)?.size} as before, within 10 %: ${times.toFixed(2)} times`, met: times <= FLAT }];
}

/** What was asked and whether it holds.
 *  @param {{ comparisons: readonly Comparison[], figures: readonly FigureLine[], growths: readonly import('./comparisons.mjs').Growth[] }} all @returns {Verdict[]} */
export function judge({ comparisons, figures, growths }) {
  return [...comparisons.flatMap(judgeSpeed), ...judgeMemory(comparisons), ...figures.flatMap(judgeFigure), ...growths.flatMap(judgeGrowth)];
}
