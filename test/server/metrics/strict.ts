/**
 * A strict reader of Prometheus' text format 0.0.4, written from its description: every family has its HELP and TYPE before its
 * samples, stands in one piece, and has no series twice; counters end in `_total` and do not fall below zero; histograms
 * have ascending buckets up to +Inf, which is the count.
 */
export interface Sample { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: number }
export interface Family { readonly type: string; readonly samples: readonly Sample[] }

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\+Inf|-Inf|NaN|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;

function fail(line: string, why: string): never {
  throw new Error(`${why}: ${JSON.stringify(line)}`);
}

/** The families in a text, by name. Throws for anything that the format does not allow. */
export function parseMetrics(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) fail(text.slice(-40), 'the last line has no end');
  const families = new Map<string, { type: string; samples: Sample[] }>();
  let [helped, current] = ['', ''];
  for (const line of text.slice(0, -1).split('\n')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line) ?? [];
    if (kind === 'HELP') {
      if (families.has(name)) fail(line, 'a family twice');
      helped = name;
    } else if (kind === 'TYPE') {
      if (helped !== name || !['counter', 'gauge', 'histogram'].includes(rest)) fail(line, 'a type without its help, or none');
      families.set(name, { type: rest, samples: [] });
      current = name;
    } else {
      const family = families.get(current) ?? fail(line, 'a sample without a family');
      family.samples.push(sampleOf(line, current, family.type));
    }
  }
  for (const [name, family] of families) check(name, family);
  return families;
}

function sampleOf(line: string, family: string, type: string): Sample {
  const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? fail(line, 'no sample');
  const names = type === 'histogram' ? [`${family}_bucket`, `${family}_sum`, `${family}_count`] : [family];
  if (!names.includes(name)) fail(line, 'a sample of another family');
  return { name, labels: labelsOf(labels, line), value: Number(value.replace('Inf', 'Infinity')) };
}

function labelsOf(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (let rest = text; rest !== '';) {
    const [all, name, value] = LABEL.exec(rest) ?? fail(line, 'no label');
    if (Object.hasOwn(labels, name!)) fail(line, 'a label twice');
    labels[name!] = value!.replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter));
    rest = rest.slice(all.length);
  }
  return labels;
}

function check(name: string, { type, samples }: Family): void {
  const series = samples.map((sample) => JSON.stringify([sample.name, ...Object.entries(sample.labels).map(([label, value]) => `${label}=${value}`).toSorted()]));
  if (new Set(series).size !== series.length) fail(name, 'a series twice');
  if (type === 'counter' && (!name.endsWith('_total') || samples.some(({ value }) => !(value >= 0)))) fail(name, 'no counter');
  if (type !== 'histogram') return;
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
  const bounds = buckets.map(({ labels }) => Number(labels['le']!.replace('Inf', 'Infinity')));
  const ascends = (values: readonly number[], strictly: boolean): boolean => values.every((value, index) => index === 0 || (strictly ? value > values[index - 1]! : value >= values[index - 1]!));
  if (!ascends(bounds, true) || bounds.at(-1) !== Infinity || !ascends(buckets.map(({ value }) => value), false)) fail(name, 'no buckets');
  if (samples.find((sample) => sample.name === `${name}_count`)?.value !== buckets.at(-1)!.value) fail(name, 'the count is not that of the last bucket');
  if (!samples.some((sample) => sample.name === `${name}_sum`)) fail(name, 'no sum');
}
