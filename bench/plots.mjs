/**
 * Plots as SVG, drawn by hand: ratios as bars with their quartiles, and costs against sizes. Colours follow the reader's light or
 * dark setting, the background is the page's. Pure: numbers in, text out, the same for the same numbers.
 */

const STYLE = `<style>
  text { font: 12px system-ui, sans-serif; fill: #24292f } .axis { stroke: #8c959f; stroke-width: 1 } .one { stroke: #24292f; stroke-width: 1.5 }
  .ahead { fill: #2da44e } .behind { fill: #cf222e } .range { stroke: #57606a; stroke-width: 2 }
  .line0 { stroke: #0969da; fill: none; stroke-width: 2 } .line1 { stroke: #bf8700; fill: none; stroke-width: 2 } .dot0 { fill: #0969da } .dot1 { fill: #bf8700 }
  .line2 { stroke: #8250df; fill: none; stroke-width: 2 } .dot2 { fill: #8250df }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .axis { stroke: #6e7681 } .one { stroke: #e6edf3 } .ahead { fill: #3fb950 } .behind { fill: #f85149 } .range { stroke: #b1bac4 }
    .line0 { stroke: #58a6ff } .line1 { stroke: #d29922 } .dot0 { fill: #58a6ff } .dot1 { fill: #d29922 }
    .line2 { stroke: #a371f7 } .dot2 { fill: #a371f7 }
  }
</style>`;

/** @typedef {{ label: string, low: number, middle: number, high: number }} Bar */
/** @typedef {{ name: string, points: { x: number, y: number }[] }} Series At most three are told apart. */

/** @param {string} text */
function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** @param {number} x */
function round(x) {
  return Number(x.toFixed(1));
}

/** @param {number} width @param {number} height @param {string} title @param {string[]} parts */
function svg(width, height, title, parts) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">\n${STYLE}\n`
    + `<text x="8" y="18" font-weight="600">${escaped(title)}</text>\n${parts.join('\n')}\n</svg>\n`;
}

/** A place on a logarithmic axis. @param {number} low @param {number} high @param {number} from @param {number} to @returns {(value: number) => number} */
function logarithmic(low, high, from, to) {
  const [start, span] = [Math.log(low), Math.max(1e-9, Math.log(high) - Math.log(low))];
  return (value) => round(from + ((Math.log(value) - start) / span) * (to - from));
}

/** Ratios on a logarithmic axis, so that twice as fast and half as fast are as far from 1. @param {string} title @param {readonly Bar[]} bars @returns {string} */
export function ratioPlot(title, bars) {
  const [left, right, top, step] = [430, 800, 44, 22];
  const bottom = top + bars.length * step;
  const [low, high] = [Math.min(0.5, ...bars.map((bar) => bar.low)), Math.max(2, ...bars.map((bar) => bar.high))];
  const at = logarithmic(low, high, left, right);
  const ticks = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].filter((tick) => tick >= low && tick <= high);
  const parts = ticks.map((tick) => `<line class="${tick === 1 ? 'one' : 'axis'}" x1="${at(tick)}" x2="${at(tick)}" y1="${top - 6}" y2="${bottom}"/><text x="${at(tick)}" y="${bottom + 16}" text-anchor="middle">${tick}</text>`);
  for (const [i, { label, low: from, middle, high: to }] of bars.entries()) {
    const y = top + i * step;
    const [x, one] = [at(middle), at(1)];
    parts.push(`<text x="${left - 8}" y="${y + 12}" text-anchor="end">${escaped(label)}</text>`,
      `<rect class="${middle >= 1 ? 'ahead' : 'behind'}" x="${Math.min(x, one)}" y="${y}" width="${round(Math.abs(x - one))}" height="14"/>`,
      `<line class="range" x1="${at(from)}" x2="${at(to)}" y1="${y + 7}" y2="${y + 7}"/><text x="${round(Math.max(at(to), one) + 6)}" y="${y + 12}">${middle.toFixed(2)}</text>`);
  }
  return svg(860, bottom + 28, title, parts);
}

/** @param {number} value */
function short(value) {
  const units = /** @type {const} */ ([[2 ** 30, 'Gi'], [2 ** 20, 'Mi'], [1e6, 'M'], [1e3, 'k']]);
  const unit = units.find(([size]) => value >= size && value % size === 0);
  if (unit !== undefined) return `${value / unit[0]}${unit[1]}`;
  return value >= 1 ? String(round(value)) : value.toPrecision(2);
}

/** Costs against sizes, both axes logarithmic. @param {string} title @param {string} below What the lower axis is. @param {readonly Series[]} series @returns {string} */
export function costPlot(title, below, series) {
  const points = series.flatMap((one) => one.points).filter(({ x, y }) => x > 0 && y > 0);
  const [left, right, top, bottom] = [90, 700, 60, 300];
  const [ys, xs] = [points.map(({ y }) => y), [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b)];
  const [low, high] = [Math.min(...ys) / 1.5, Math.max(...ys) * 1.5];
  const [across, up] = [logarithmic(xs[0] ?? 1, xs.at(-1) ?? 10, left, right), logarithmic(low, high, bottom, top)];
  const parts = [`<line class="axis" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/><line class="axis" x1="${left}" x2="${left}" y1="${top}" y2="${bottom}"/>`,
    ...xs.map((x) => `<text x="${across(x)}" y="${bottom + 18}" text-anchor="middle">${short(x)}</text>`),
    ...[Math.min(...ys), Math.max(...ys)].map((y) => `<text x="${left - 8}" y="${up(y) + 4}" text-anchor="end">${Number(y.toPrecision(2))}</text>`),
    `<text x="${(left + right) / 2}" y="${bottom + 38}" text-anchor="middle">${escaped(below)}</text>`];
  const wide = series.length > 2 ? 225 : 300;
  for (const [i, { name, points: some }] of series.entries()) {
    const drawn = some.filter(({ x, y }) => x > 0 && y > 0);
    parts.push(`<polyline class="line${i % 3}" points="${drawn.map(({ x, y }) => `${across(x)},${up(y)}`).join(' ')}"/>`,
      ...drawn.map(({ x, y }) => `<circle class="dot${i % 3}" cx="${across(x)}" cy="${up(y)}" r="3.5"/>`),
      `<rect class="dot${i % 3}" x="${left + i * wide}" y="32" width="12" height="4"/><text x="${left + 18 + i * wide}" y="38">${escaped(name)}</text>`);
  }
  return svg(760, 350, title, parts);
}
