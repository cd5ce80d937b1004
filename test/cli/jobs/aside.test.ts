/** At a terminal: ^Z makes a job of a transfer, the prompt asks before it leaves jobs behind, and a terminal that is closed ends none. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Proxy } from '../../e2e/proxy.ts';
import { Rig } from '../../e2e/rig.ts';
import { until } from '../../e2e/traces.ts';
import { noise, plant, sameBytes } from '../../e2e/trees.ts';
import { keep } from '../kept.ts';
import { Screen } from '../screen.ts';

const MIB = 1 << 20;
const SIZE = 48 * MIB + 12_345;
const SIZES = [[80, 24], [40, 10]] as const;

let rig: Rig;
let proxy: Proxy;
beforeEach(async () => {
  rig = await Rig.start();
  proxy = await Proxy.before(rig);
  plant(rig.local, { 'big.iso': noise(SIZE) });
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

function open(words: readonly string[] = [], [columns, rows]: readonly [number, number] = [80, 24]): Screen {
  return new Screen(words, { cwd: rig.local, columns, rows, env: { WHERRY_HOME: rig.home, HOME: rig.folder, NO_COLOR: '1' } });
}

/** Resolves when the connection is held and the server has most of what was sent. */
async function halfway(): Promise<void> {
  await proxy.held();
  const stage = join(rig.served, '.wherry');
  await until(() => existsSync(stage) && readdirSync(stage).some((name) => (statSync(join(stage, name), { throwIfNoEntry: false })?.size ?? 0) >= 20 * MIB));
}

async function said(number: number): Promise<string> {
  const { stdout } = await rig.run(['jobs', '-l', String(number)]);
  return stdout;
}

describe.each(SIZES)('on a terminal of %d columns and %d rows', (columns, rows) => {
  test('^Z hands a put to a job that keeps what has arrived, and the prompt is back', async () => {
    proxy.cutAfter({ up: 36 * MIB, hold: true });
    await using screen = open([], [columns, rows]);
    await screen.see('wherry test:/> ');
    screen.enter('put big.iso');
    await halfway();
    screen.type('\u001a');
    await screen.see(/\[1\] put big\.iso {2}goes on as a job; jobs\s+shows it\n.*> $/);
    proxy.cutAfter();
    expect((await rig.run(['wait', '1'])).code).toBe(0);
    // The connection that was held is broken, if it is not by now, so that the screen is the same each time.
    await rig.stop('SIGKILL');
    await screen.see(/lost\)> $/);
    await rig.serve();
    screen.enter('jobs');
    await screen.see(/\[1\] done\s+put big\.iso\n.*> $/);
    keep(screen, 'jobs-aside', columns, rows);
    expect(Number(/([\d.]+) MiB kept from before/.exec(await said(1))?.[1])).toBeGreaterThan(15);
    expect(sameBytes(join(rig.local, 'big.iso'), join(rig.served, 'big.iso'))).toBe(true);
  });

  test('bye with a job under way asks, and does as it is told', async () => {
    proxy.cutAfter({ up: 36 * MIB, hold: true });
    expect((await rig.run(['put', 'big.iso', ':', '--background'])).code).toBe(0);
    await proxy.held();
    await proxy.bypass(rig);
    await using screen = open([], [columns, rows]);
    await screen.see('wherry test:/> ');
    screen.enter('bye');
    await screen.see('[s]tay: ');
    screen.enter('x');
    await screen.see(/\[s\]tay: x\n[^]*\[s\]tay: $/);
    screen.enter('s');
    await screen.see(/tay: s\n.*> $/);
    screen.type('\u0004');
    await screen.see(/\[s\]tay: s\n[^]*\[s\]tay: $/);
    screen.enter('p');
    expect(await screen.exit).toBe(0);
    keep(screen, 'jobs-bye', columns, rows);
    expect((await rig.run(['jobs', '--json'])).stdout).toContain('"state":"paused"');
  });

  test('bye ends jobs where that is wanted, so that the same command goes on', async () => {
    proxy.cutAfter({ up: 36 * MIB, hold: true });
    expect((await rig.run(['put', 'big.iso', ':', '--background'])).code).toBe(0);
    await halfway();
    await proxy.bypass(rig);
    await using screen = open([], [columns, rows]);
    await screen.see('wherry test:/> ');
    screen.enter('bye');
    await screen.see('[s]tay: ');
    screen.enter('e');
    expect(await screen.exit).toBe(0);
    expect(screen.lines.join(' ')).toContain('[1] put big.iso :  killed; the same command again goes on where it was');
    expect((await rig.run(['jobs', '--json'])).stdout).toContain('"state":"killed"');
    expect((await rig.run(['put', 'big.iso', ':'])).stdout).toMatch(/MiB kept from before/);
  });
});

test('a job goes on when the terminal that it was started from is closed', async () => {
  proxy.cutAfter({ up: 36 * MIB, hold: true });
  {
    await using screen = open();
    await screen.see('wherry test:/> ');
    screen.enter('put big.iso --background');
    await screen.see('[1] put big.iso  started; jobs shows it');
    await proxy.held();
  }
  await proxy.release();
  expect((await rig.run(['wait', '1'])).code).toBe(0);
  expect(await said(1)).toContain('begun:   1 time\n');
  expect(sameBytes(join(rig.local, 'big.iso'), join(rig.served, 'big.iso'))).toBe(true);
});

test('^Z in the shell does the same, and the exit code is that of a command that was stopped', async () => {
  proxy.cutAfter({ up: 36 * MIB, hold: true });
  await using screen = open(['put', 'big.iso', ':']);
  await halfway();
  screen.type('\u001a');
  await screen.see('[1] put big.iso :  goes on as a job; wherry jobs shows it');
  expect(await screen.exit).toBe(148);
  proxy.cutAfter();
  expect((await rig.run(['wait', '1'])).code).toBe(0);
  expect(sameBytes(join(rig.local, 'big.iso'), join(rig.served, 'big.iso'))).toBe(true);
});

test.each([['', 'tree'], [' new', 'new'], [' there', 'there/tree']])('^Z of a folder: put tree%s goes on as %s', async (to, arrives) => {
  plant(rig.local, { 'tree/big': noise(SIZE), 'tree/small': 'small' });
  plant(rig.served, { 'there/x': 'x' });
  proxy.cutAfter({ up: 36 * MIB, hold: true });
  await using screen = open();
  await screen.see('wherry test:/> ');
  screen.enter(`put tree${to}`);
  await halfway();
  screen.type('\u001a');
  await screen.see('goes on as a job');
  proxy.cutAfter();
  expect((await rig.run(['wait', '1'])).code).toBe(0);
  expect(new Set(readdirSync(rig.served).filter((name) => name !== '.wherry'))).toEqual(new Set(['there', arrives.split('/')[0]]));
  expect(sameBytes(join(rig.local, 'tree/big'), join(rig.served, arrives, 'big'))).toBe(true);
});

test('fg shows how far a job is, and ^C leaves it running', async () => {
  proxy.cutAfter({ up: 36 * MIB, hold: true });
  expect((await rig.run(['put', 'big.iso', ':', '--background'])).code).toBe(0);
  await proxy.held();
  await using screen = open(['fg', '1']);
  await screen.see(/\[1\] .*MiB/);
  screen.type('\u0003');
  expect(await screen.exit).toBe(130);
  await screen.see('goes on; wherry kill 1 ends it');
  expect((await rig.run(['jobs'])).stdout).toMatch(/^\[1\] running /);
  await proxy.release();
  expect((await rig.run(['wait', '1'])).code).toBe(0);
});

test('a line that ends in & is a job, and only put and get can be', async () => {
  await using screen = open();
  await screen.see('wherry test:/> ');
  screen.enter('put big.iso new.iso --no-sync &');
  await screen.see(/\[1\] put big\.iso new\.iso {2}started; jobs shows it\n.*> $/);
  screen.type('wait \t');
  await screen.see(/> wait 1 $/);
  screen.type('\u0015');
  screen.enter('ls &');
  await screen.see(/ls cannot be a job; put and get can\n[^]*> $/);
  screen.enter('wait 1');
  await screen.see(/\[1\] put big\.iso new\.iso {2}done\n.*> $/);
  expect(sameBytes(join(rig.local, 'big.iso'), join(rig.served, 'new.iso'))).toBe(true);
});
