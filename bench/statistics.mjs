/** The few statistics that stand behind every figure: quantiles and the sign test. Numbers in, numbers out. */

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

/**
 * What one more costs, at each size: the slope between a size and the one before it. Start-up is in every run and
 * drops out. The first size has none. @param {readonly { size: number, cost: number }[]} points By rising size.
 * @returns {{ size: number, cost: number }[]}
 */
export function marginal(points) {
  return points.slice(1).map(({ size, cost }, i) => {
    const before = points[i] ?? { size: 0, cost: 0 };
    return { size, cost: (cost - before.cost) / (size - before.size) };
  });
}
