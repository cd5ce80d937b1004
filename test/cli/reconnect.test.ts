/** A connection that breaks while the prompt waits is said, and the next command has a new one; what cannot be mended ends the tries. */
import { mkdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contents, failureOf } from '../e2e/traces.ts';
import { noise, plant } from '../e2e/trees.ts';
import { proxied } from './proxied.ts';
import type { Screen } from './screen.ts';

const MIB = 1 << 20;

const place = proxied();
const { open } = place;

test.each(['SIGTERM', 'SIGKILL'] as const)('a prompt whose server ended by %s says so, and its next command waits for the server with a countdown', async (signal) => {
  mkdirSync(join(place.rig.served, 'docs'));
  await using screen = open();
  await screen.see('wherry test:/> ');
  screen.enter('cd docs');
  await screen.see('wherry test:/docs> ');
  await place.rig.stop(signal);
  await screen.see('(connection lost)> ');
  screen.enter('pwd'); // asks nothing of the server
  await screen.see(/pwd\n\/docs\n/);
  screen.enter('mkdir back');
  await screen.see(/connection lost; trying again in \d+ s \(try 2; \^C gives up\)/);
  await place.rig.serve();
  await screen.see(/made back\n.*> $/);
  expect(Object.keys(await contents(place.rig.served)).toSorted()).toEqual(['docs', 'docs/back']);
});

test('^C gives up the countdown, and the prompt is back; bye needs no connection', async () => {
  await using screen = open();
  await screen.see('> ');
  await place.rig.stop();
  await screen.see('(connection lost)> ');
  screen.enter('ls');
  await screen.see(/trying again in/);
  screen.type('\u0003');
  await screen.see(/ls: interrupted[^]*> $/);
  screen.enter('bye');
  expect(await screen.exit).toBe(0);
});

test('a remote folder that is gone after the break is left for the nearest one above it', async () => {
  mkdirSync(join(place.rig.served, 'a/b/c'), { recursive: true });
  await using screen = open();
  await screen.see('> ');
  screen.enter('cd a/b/c');
  await screen.see('/a/b/c> ');
  await place.rig.stop();
  rmSync(join(place.rig.served, 'a/b'), { recursive: true });
  await place.rig.serve();
  await screen.see('(connection lost)> ');
  screen.enter('mkdir here');
  await screen.see('the folder /a/b/c is gone; now in /a');
  await screen.see(/made here\nwherry test:\/a> $/);
});

test.each([
  ['another key', async () => rm(place.rig.state, { recursive: true }), 4, 'has another key'],
  ['no place for this device', async () => rm(join(place.rig.state, 'accounts.json')), 5, 'not'],
] as const)('a server that comes back with %s ends the tries of a put', async (_, spoil, exit, told) => {
  plant(place.rig.local, { big: noise(24 * MIB), other: 'other' });
  place.proxy.cutAfter({ up: 8 * MIB, hold: true });
  await using screen = open(['put', 'big', 'other', ':']);
  await place.proxy.held();
  place.proxy.cutAfter();
  await place.rig.stop('SIGKILL');
  place.proxy.sever();
  await spoil();
  await screen.see(/trying again in/);
  await place.rig.serve();
  expect(await screen.exit).toBe(exit);
  expect(screen.lines.join('\n')).toContain(told);
});

test('at the prompt a command has a deadline of its own, also in a batch, where it covers the tries to connect', async () => {
  plant(place.rig.local, { big: noise(64 * MIB) });
  place.proxy.cutAfter({ up: 8 * MIB, hold: true });
  const late = await place.rig.run(['connect', '--json'], { input: 'put --deadline 2s big\nmkdir never\n' });
  expect([late.code, failureOf(late).code]).toEqual([12, 'DEADLINE']);
  place.proxy.cutAfter({ up: 8 * MIB });
  const between = await place.rig.run(['connect', '--json'], { input: '-put --deadline 1s big new\nmkdir --retry 20s after\n' });
  expect(between.code).toBe(0);
});

test('with --retry a script goes on after a break, for that long', async () => {
  plant(place.rig.local, { big: noise(24 * MIB) });
  place.proxy.cutAfter({ up: 8 * MIB });
  const whole = await place.rig.run(['put', 'big', ':', '--json', '--retry', '10m']);
  expect(whole.code).toBe(0);
  expect(place.proxy.broken).toBeGreaterThan(1);
  expect((await place.rig.run(['put', 'big', ':', '--retry', 'soon'])).code).toBe(2);
});

/** A prompt at which a line was typed whose answer never came: the server stands still, and the connection broke. */
async function unanswered(line: string): Promise<Screen> {
  const screen = open();
  await screen.see('> ');
  place.rig.server!.kill('SIGSTOP');
  screen.enter(line);
  await screen.see(`> ${line}\n`);
  place.proxy.sever();
  return screen;
}

test.each([['mkdir new', 'stat /new'], ['rm -y file', 'stat /file'], ['change file other', 'stat /file /other']])('of %s whose answer is lost nothing is claimed, and it is told how to see', async (line, look) => {
  plant(place.rig.served, { file: 'file' });
  await using screen = await unanswered(line);
  await screen.see('the connection broke before the answer: it is not known whether it was done');
  place.rig.server!.kill('SIGCONT');
  await screen.see(`to see: ${look}`);
});

test.each([['ls', 'file'], ['stat file', 'size: '], ['df', 'free of'], ['hash file', '  file'], ['cd docs', '/docs> ']])('%s is asked again when the connection breaks before its answer', async (line, answer) => {
  plant(place.rig.served, { file: 'file', 'docs/x': '' });
  await using screen = await unanswered(line);
  await screen.see('trying again in');
  place.rig.server!.kill('SIGCONT');
  await screen.see(/connected again\n[^]*> $/);
  expect(screen.lines.join('\n').split('connected again')[1]).toContain(answer);
});
