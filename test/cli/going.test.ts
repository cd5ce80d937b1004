/** A transfer whose connection breaks goes on by itself where somebody can look, or until a deadline; else it ends as it always did. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contents, events, failureOf } from '../e2e/traces.ts';
import { noise, plant } from '../e2e/trees.ts';
import { proxied } from './proxied.ts';

const MIB = 1 << 20;

const place = proxied();
const { open } = place;

interface Counted { readonly kept: number; readonly milliseconds: number }

const SOURCES = { first: 'first', 'photos/one': 'one', 'photos/large': noise(24 * MIB), last: 'last' };

test.each([[80, 24], [40, 10], [20, 10]])('put and get of files and a folder outlast a server that is killed, on %d columns and %d rows', async (columns, rows) => {
  for (const verb of ['put', 'get'] as const) {
    plant(join(verb === 'put' ? place.rig.local : place.rig.served, `here-${verb}`), SOURCES);
    mkdirSync(join(verb === 'put' ? place.rig.served : place.rig.local, `there-${verb}`));
    const names = ['first', 'photos', 'last'];
    place.proxy.cutAfter(verb === 'put' ? { up: 8 * MIB, hold: true } : { down: 8 * MIB, hold: true });
    await using screen = open([verb, ...names.map((name) => (verb === 'put' ? `here-put/${name}` : `:here-get/${name}`)), verb === 'put' ? ':there-put' : 'there-get'], columns, rows);
    await place.proxy.held();
    place.proxy.cutAfter();
    await place.rig.stop('SIGKILL');
    place.proxy.sever();
    await screen.see(/lost; (trying )?again in/);
    screen.resize(columns + 7, rows);
    await place.rig.serve();
    await screen.see('connected again');
    expect(await screen.exit).toBe(0);
    expect(await contents(join(verb === 'put' ? place.rig.served : place.rig.local, `there-${verb}`))).toEqual(await contents(join(verb === 'put' ? place.rig.local : place.rig.served, `here-${verb}`)));
    const all = screen.lines.join('\n');
    expect([all.match(/first {2}5 B in/g)?.length, all.match(/last {2}4 B in/g)?.length]).toEqual([1, 1]);
    expect(all).not.toMatch(/trying again|and \d+ more|total {2}/);
  }
});

test('^C during the countdown gives up, and ends with 130', async () => {
  plant(place.rig.local, { big: noise(24 * MIB) });
  place.proxy.cutAfter({ up: 8 * MIB, hold: true });
  await using screen = open(['put', 'big', ':'], 80, 24);
  await place.proxy.held();
  await place.rig.stop('SIGKILL');
  await screen.see(/connection lost; trying again in/);
  screen.type('\u0003');
  expect(await screen.exit).toBe(130);
  expect(screen.lines.join('\n')).toContain('big: interrupted; run "wherry put big :" to resume');
});

test('without a terminal it goes on only with a deadline', async () => {
  plant(place.rig.local, { big: noise(24 * MIB), 'fork/large': noise(24 * MIB) });
  place.proxy.cutAfter({ up: 8 * MIB });
  const once = await place.rig.run(['put', 'big', ':', '--json']);
  expect([once.code, failureOf(once).code]).toEqual([11, 'LOST']);
  const whole = await place.rig.run(['put', 'fork', ':other', '--json', '--deadline', '10m']);
  expect(whole.code).toBe(0);
  const [item, summary] = [...events<Counted>(whole, 'item'), ...events<Counted>(whole, 'summary')];
  expect(item).toMatchObject({ source: 'fork', files: 1, bytes: 24 * MIB, kept: 0, failed: 0 });
  expect(place.proxy.broken).toBeGreaterThan(2);
  // As long as the command, with the waits between its connections.
  expect(summary!.milliseconds - item!.milliseconds).toBeLessThan(100);
  expect(summary).toMatchObject({ files: 1, bytes: 24 * MIB, kept: 0 });
  expect(await contents(join(place.rig.served, 'other'))).toEqual(await contents(join(place.rig.local, 'fork')));
});

test.each(['put', 'get'] as const)('what was there before a %s that is broken is kept, and what its own tries brought is not', async (verb) => {
  const large = noise(24 * MIB);
  const [from, to] = verb === 'put' ? [place.rig.local, place.rig.served] : [place.rig.served, place.rig.local];
  plant(from, { 'many/large': large, 'many/small': 'small', single: large });
  plant(to, { 'many/large': large.subarray(0, 4 * MIB), 'many/small': 'small', single: large.subarray(0, 4 * MIB) });
  place.proxy.cutAfter(verb === 'put' ? { up: 12 * MIB } : { down: 12 * MIB });
  const ran = await place.rig.run([verb, ...(verb === 'put' ? ['many', 'single', ':'] : [':many', ':single', '.']), '--json', '--retry', '10m']);
  expect(ran.code).toBe(0);
  expect(place.proxy.broken).toBeGreaterThan(2);
  expect(events(ran, 'summary')).toMatchObject([{ files: 3, bytes: 48 * MIB + 5 }]);
  for (const { kept } of events<Counted>(ran, 'item')) {
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThanOrEqual(4 * MIB + 5);
  }
});

test('while the connection is away, the line of a folder bears the name of the folder', async () => {
  plant(place.rig.local, { 'many/large': noise(24 * MIB), 'many/small': 'small' });
  place.proxy.cutAfter({ up: 8 * MIB, hold: true });
  await using screen = open(['put', 'many', ':'], 80, 24);
  await place.proxy.held();
  place.proxy.cutAfter();
  await place.rig.stop('SIGKILL');
  place.proxy.sever();
  await screen.see(/many +\d[^\n]*\nconnection lost; trying again in/);
  await place.rig.serve();
  expect(await screen.exit).toBe(0);
  expect(screen.lines.join('\n')).toMatch(/many\/ {2}2 files, 24 MiB in [^,]*, [^,]*, verified\n/);
});
