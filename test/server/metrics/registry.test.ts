import { describe, expect, test } from 'vitest';
import { Registry } from '../../../src/server/metrics/registry.ts';
import { parseMetrics } from './strict.ts';

describe('a registry', () => {
  test('prints counters, gauges and histograms as Prometheus reads them', () => {
    const registry = new Registry();
    const counter = registry.counter('a_total', 'How \\ often,\nin lines.', { way: ['in', 'out'] });
    counter.add({ way: 'in' }, 2);
    counter.add({ way: 'in' });
    registry.counter('b_total', 'None yet.', {});
    registry.gauge('c', 'Several.', () => [[{ worker: 1, name: 'a "b"\\\n' }, 0.5], [{ worker: 2, name: '' }, Infinity]]);
    const histogram = registry.histogram('d_seconds', 'How long.', [0.1, 1]);
    for (const value of [0.1, 0.5, 7]) histogram.observe(value);
    expect(registry.text()).toBe([
      '# HELP a_total How \\\\ often,\\nin lines.', '# TYPE a_total counter', 'a_total{way="in"} 3',
      '# HELP b_total None yet.', '# TYPE b_total counter', 'b_total 0',
      '# HELP c Several.', '# TYPE c gauge', 'c{worker="1",name="a \\"b\\"\\\\\\n"} 0.5', 'c{worker="2",name=""} +Inf',
      '# HELP d_seconds How long.', '# TYPE d_seconds histogram', 'd_seconds_bucket{le="0.1"} 1', 'd_seconds_bucket{le="1"} 2', 'd_seconds_bucket{le="+Inf"} 3', 'd_seconds_sum 7.6', 'd_seconds_count 3',
      '',
    ].join('\n'));
    expect(parseMetrics(registry.text()).get('c')!.samples[0]).toEqual({ name: 'c', labels: { worker: '1', name: 'a "b"\\\n' }, value: 0.5 });
  });

  test('has no more series than its lists of values, whatever is counted', () => {
    const registry = new Registry();
    const counter = registry.counter('a_total', 'x', { verb: ['read', 'list'] });
    for (let index = 0; index < 10_000; index++) counter.add({ verb: `made up ${index}` });
    counter.add({ verb: 'read' });
    expect(parseMetrics(registry.text()).get('a_total')!.samples.map(({ labels, value }) => [labels['verb'], value])).toEqual([['other', 10_000], ['read', 1]]);
  });

  test('refuses a name that is none, or is taken', () => {
    const registry = new Registry();
    registry.counter('a_total', 'x', {});
    expect(() => registry.gauge('a_total', 'x', () => 1)).toThrow('a_total');
    expect(() => registry.gauge('a b', 'x', () => 1)).toThrow('a b');
  });
});

describe('the reader of these tests refuses', () => {
  test.each([
    ['a sample of no family', 'a 1\n'],
    ['a type without help', '# TYPE a gauge\na 1\n'],
    ['no end of line', '# HELP a x\n# TYPE a gauge\na 1'],
    ['a series twice', '# HELP a x\n# TYPE a gauge\na 1\na 2\n'],
    ['a raw quote in a label', '# HELP a x\n# TYPE a gauge\na{b="c"d"} 1\n'],
    ['a counter of another name', '# HELP a x\n# TYPE a counter\na 1\n'],
    ['buckets that fall', '# HELP a x\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n'],
    ['an empty line', '# HELP a x\n# TYPE a gauge\n\na 1\n'],
  ])('%s', (_what, text) => {
    expect(() => parseMetrics(text)).toThrow(/./);
  });
});
