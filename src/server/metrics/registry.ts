/**
 * Registry: numbers about a server, as Prometheus reads them (text exposition format 0.0.4).
 *
 * Counters count up, gauges are read when somebody looks, histograms count in buckets. A label has a closed list of values, given
 * when its family is made; any other value counts as `other`. So there are never more series than these lists allow, whatever a
 * peer sends, and no name of a person or a file can become one. Whoever has something to count adds a family of its own.
 */

/** Each label with the values it may have. */
export type Labels = Readonly<Record<string, readonly string[]>>;
/** One value for each label. */
export type Chosen<L extends Labels> = { readonly [K in keyof L]: string };

export interface Counter<L extends Labels> { add(chosen: Chosen<L>, by?: number): void }
export interface Histogram { observe(value: number): void }
/** A value of a gauge, with its labels. */
export type Reading = readonly [labels: Readonly<Record<string, string | number>>, value: number];

interface Family { readonly head: string; lines(): string[] }

const OTHER = 'other';
const NAME = /^[a-z_][a-z0-9_]*$/;

/** The media type of `text`. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export class Registry {
  readonly #families = new Map<string, Family>();

  /** Something that only grows; `name` ends in `_total`. */
  counter<const L extends Labels>(name: string, help: string, labels: L): Counter<L> {
    const known = new Map(Object.entries(labels).map(([label, values]) => [label, new Set(values)]));
    const counts = new Map<string, number>();
    const plain = known.size === 0;
    if (plain) counts.set('', 0);
    this.#add(name, help, 'counter', () => [...counts].map(([series, value]) => `${name}${series} ${print(value)}`));
    return {
      add(chosen, by = 1) {
        const series = plain ? '' : printLabels([...known].map(([label, values]) => [label, values.has(chosen[label]!) ? chosen[label]! : OTHER]));
        counts.set(series, (counts.get(series) ?? 0) + by);
      },
    };
  }

  /** Something that is read when somebody looks: one number, or one for each of a bounded set of labels. */
  gauge(name: string, help: string, read: () => number | readonly Reading[]): void {
    this.#add(name, help, 'gauge', () => linesOf(name, read()));
  }

  /** As a gauge, for what is counted elsewhere and only grows. */
  counted(name: string, help: string, read: () => number): void {
    this.#add(name, help, 'counter', () => linesOf(name, read()));
  }

  /** How often a value was at most each of `bounds`, which ascend. */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram {
    const counts = bounds.map(() => 0);
    let [all, sum] = [0, 0];
    this.#add(name, help, 'histogram', () => [
      ...bounds.map((bound, index) => `${name}_bucket{le="${print(bound)}"} ${counts[index]}`),
      `${name}_bucket{le="+Inf"} ${all}`, `${name}_sum ${print(sum)}`, `${name}_count ${all}`,
    ]);
    return {
      observe(value) {
        all += 1;
        sum += value;
        for (const [index, bound] of bounds.entries()) if (value <= bound) counts[index]! += 1;
      },
    };
  }

  /** All of it, as text. */
  text(): string {
    return [...this.#families.values()].map(({ head, lines }) => [head, ...lines()].map((line) => `${line}\n`).join('')).join('');
  }

  #add(name: string, help: string, type: 'counter' | 'gauge' | 'histogram', lines: () => string[]): void {
    if (!NAME.test(name) || this.#families.has(name)) throw new TypeError(`${name}: not a name of a metric, or one that is taken`);
    this.#families.set(name, { head: `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}`, lines });
  }
}

function linesOf(name: string, read: number | readonly Reading[]): string[] {
  if (typeof read === 'number') return [`${name} ${print(read)}`];
  return read.map(([labels, value]) => `${name}${printLabels(Object.entries(labels).map(([label, text]) => [label, String(text)]))} ${print(value)}`);
}

function printLabels(pairs: readonly (readonly [string, string])[]): string {
  return `{${pairs.map(([label, value]) => `${label}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`).join(',')}}`;
}

function print(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
