import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS, resolveLimits } from '../../../src/server/limits.ts';
import { checkSettings } from '../../../src/server/settings/check.ts';
import { optionsOf, settle } from '../../../src/server/settings/settle.ts';
import { type Key, KEYS, placeOf } from '../../../src/server/settings/table.ts';

/** The options that a file comes to. */
function optionsFor(text: string): ReturnType<typeof optionsOf> {
  const { values, written, mistakes } = checkSettings(text);
  expect(mistakes).toEqual([]);
  return optionsOf(settle({}, { file: '/w.toml', values, written }).values);
}

test('without a key all limits are those that a program gets that starts a server', () => {
  expect(resolveLimits(optionsFor('').limits)).toEqual(DEFAULT_LIMITS);
});

/** A value that is no default, as it is written. Those that are left out are not for the server. */
const OTHER: Readonly<Record<Exclude<Key, 'folder' | 'log.format'>, string>> = {
  'serve_this': 'true', 'listen': '[":1"]', 'state': '"/x"', 'name': '"other"', 'workers': '2', 'grace': '"11s"', 'upgrade_grace': '"11s"', 'portable_names': 'true', 'allow_similar_names': 'true', 'ticket': '"ro"', 'ticket_life': '"11m"', 'audit': 'false',
  'undo.keep': '"11h"', 'undo.space': '"2GiB"', 'rates.server': '"1MiB"', 'rates.account': '"1MiB"', 'metrics.listen': '"9438"', 'metrics.from_anywhere': 'true',
  'limits.max_connections': '11', 'limits.max_connections_per_address': '11', 'limits.max_unauthenticated_per_address': '11', 'limits.unauthenticated_from': '11', 'limits.unauthenticated_percent': '11',
  'limits.unauthenticated_full': '1111', 'limits.strangers_at_once': '11', 'limits.strangers_per_second': '11', 'limits.max_files_per_connection': '11', 'limits.handshake': '"11s"', 'limits.sign_in': '"11s"',
  'limits.ping_after': '"11s"', 'limits.dead_after': '"46s"', 'limits.progress': '"11s"', 'limits.unread': '"11s"', 'limits.slow_after': '"11s"', 'limits.least_rate': '"11"', 'limits.idle': '"11s"', 'limits.memory': '"64MiB"',
  'bans.points': '11', 'bans.points_where_known': '1111', 'bans.within': '"11s"', 'bans.length': '"11s"', 'bans.longest': '"25h"', 'bans.never': '["10.0.0.0/8"]',
};

describe('each key that is written changes one thing that the server is given', () => {
  const usual = leaves(optionsFor(''));
  const changed = new Map<string, string>();

  test.each(Object.entries(OTHER))('%s', (key, written) => {
    const { table, name } = placeOf(key as Key);
    const now = leaves(optionsFor(`${table === undefined ? '' : `[${table}]\n`}${name} = ${written}`));
    const different = [...now.keys()].filter((path) => now.get(path) !== usual.get(path));
    expect(different).toHaveLength(key === 'ticket' ? 2 : 1);
    expect(changed.get(different[0]!), `${key} and another key are the same`).toBeUndefined();
    changed.set(different[0]!, key);
  });

  test('and none is missing here', () => {
    expect([...Object.keys(OTHER), 'folder', 'log.format'].toSorted()).toEqual(KEYS.toSorted());
  });
});

/** Every value of a tree, by where it is. */
function leaves(tree: object, above = ''): Map<string, string> {
  return new Map(Object.entries(tree).flatMap(([name, value]: [string, unknown]) =>
    (typeof value === 'object' && value !== null && !Array.isArray(value) ? [...leaves(value, `${above}${name}.`)] : [[`${above}${name}`, JSON.stringify(value) ?? '']] as const)));
}
