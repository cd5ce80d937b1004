/** doctor on real servers: which step fails is told, with its exit code and the next thing to do; what works is measured; nothing stays. */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Proxy } from '../../e2e/proxy.ts';
import { finished, Rig } from '../../e2e/rig.ts';
import { contents, events, failureOf } from '../../e2e/traces.ts';
import { keep } from '../kept.ts';
import { Screen } from '../screen.ts';

let rig: Rig;
beforeAll(async () => { rig = await Rig.start(); });
afterAll(async () => { await rig[Symbol.asyncDispose](); });

interface Step { readonly event: string; readonly step: string; readonly ok: boolean; readonly code?: string; readonly [key: string]: unknown }
const CONNECTING = ['server', 'address', 'port', 'encryption', 'identity', 'signed in', 'versions'];

describe.each([[80, 24], [40, 10]] as const)('doctor on a terminal of %d columns and %d rows', (columns, rows) => {
  const open = (of: Rig, words: readonly string[]) => new Screen(['doctor', ...words], { columns, rows, cwd: of.local, env: { WHERRY_HOME: of.home, HOME: of.folder } });

  test('goes through the steps', async () => {
    await using screen = open(rig, ['--quick']);
    expect(await screen.exit).toBe(0);
    for (const line of screen.lines) expect(line.length, line).toBeLessThanOrEqual(Math.max(columns, 75)); // a fingerprint is one word
    keep(screen, 'doctor-quick', columns, rows);
  });

  test('says at which step it failed, and what to do', async () => {
    await using own = await Rig.start();
    await own.stop();
    await using screen = open(own, []);
    expect(await screen.exit).toBe(3);
    keep(screen, 'doctor-unreachable', columns, rows);
  });
});

describe('doctor', () => {
  test('has all numbers in --json, says what limits, and leaves nothing on either side', async () => {
    await writeFile(join(rig.served, 'a'), 'a');
    const before = [await contents(rig.served), await contents(rig.local)];
    const ran = await rig.run(['doctor', '--json']);
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    const steps = events<Step>(ran, 'doctor');
    const named = (step: string) => steps.find((one) => one.step === step)!;
    expect(steps.slice(0, 7).map(({ step, ok }) => [step, ok])).toEqual(CONNECTING.map((step) => [step, true]));
    expect(named('encryption')).toMatchObject({ protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' });
    expect(named('port')).toMatchObject({ local: '127.0.0.1', interface: 'lo' });
    for (const step of ['up', 'down', 'disk there', 'disk here']) expect(named(step)['bytesPerSecond'], step).toBeGreaterThan(0);
    expect(named('names')).toMatchObject({ unlisted: 0, seen: 1, all: true });
    expect(steps.filter(({ step }) => step === 'limit').map(({ text }) => text)).toEqual([expect.stringMatching(/^a put from here is limited by /), expect.stringMatching(/^a get to here is limited by /)]);
    expect([await contents(rig.served), await contents(rig.local)]).toEqual(before);
    expect(rig.log.filter((line) => /"verb":"(measureUp|measureDown|probe)"/.test(line))).toHaveLength(3);
  });

  test('does not measure what the rights do not allow, and says so', async () => {
    const { stdout } = await rig.run(['invite', '--drop', '--state', rig.state]);
    const env = { WHERRY_HOME: join(rig.folder, 'dropper') };
    await rig.run(['join'], { input: stdout, env });
    const ran = await rig.run(['doctor', '--json'], { env });
    expect(ran.code).toBe(0);
    const denied = events<Step>(ran, 'doctor').filter(({ ok }) => !ok).map(({ step, code }) => `${step} ${code}`);
    expect(denied).toEqual(['free there DENIED', 'down DENIED', 'names DENIED']);
  });

  test('lists names that cannot be shown, escaped, the first of them; and does not blame the network for the rate that the server allows', async () => {
    await using own = await Rig.start({ serve: ['--rate', '2M'] });
    mkdirSync(join(own.served, 'sub'));
    writeFileSync(Buffer.concat([Buffer.from(join(own.served, 'sub/')), Buffer.from([0x61, 0xff])]), '');
    writeFileSync(join(own.served, 'line\nbreak'), '');
    const told = (await own.run(['doctor'])).stdout;
    for (const way of ['a put from', 'a get to']) expect(told.replace(/\n +/g, ' ')).toMatch(new RegExp(`^limit +${way} here is limited by the rate that the server allows`, 'm'));
    expect(told).toMatch(/^names {7}2 names cannot be shown: .*\n.*\n? *\/line\\nbreak\n {12}\/sub\/a\\xff\n/m);
    for (let index = 0; index < 30; index += 1) writeFileSync(join(own.served, `sub/\u0001${index}`), '');
    const many = events<Step & { names: string[] }>(await own.run(['doctor', '--json']), 'doctor').find(({ step }) => step === 'names')!;
    expect([many.names.length, many['unlisted']]).toEqual([20, 32]);
    expect((await own.run(['doctor'])).stdout).toMatch(/^ {12}and 12 more names$/m);
  });

  test('tells of answers that stalled while much was on its way, as after a lost packet', async () => {
    await using own = await Rig.start();
    await using proxy = await Proxy.before(own);
    proxy.cutAfter({ up: 4 << 20, hold: true });
    const running = finished(own.spawn(['doctor']));
    await proxy.held();
    // So long TCP waits before it sends again what was lost, three times over.
    await pause(700);
    await proxy.release();
    const { stdout } = await running;
    expect(stdout.replaceAll(/\n +/g, ' ')).toMatch(/[1-9]\d* answers? stalled, as after a lost packet/);
  });

  test.each([['a name that is not known', ['nowhere'], 'server', 'NOTFOUND', 6]] as const)('stops at %s', async (_, words, step, code, exit) => {
    const ran = await rig.run(['doctor', ...words, '--json']);
    expect([ran.code, failureOf(ran).code, events<Step>(ran, 'doctor').at(-1)]).toMatchObject([exit, code, { step, ok: false, code }]);
  });

  test('stops at a port where nothing listens, at another service, at another key, and at a device that was revoked', async () => {
    await using own = await Rig.start();
    const last = async () => {
      const ran = await own.run(['doctor', '--json']);
      const { step, code } = events<Step>(ran, 'doctor').at(-1)!;
      expect(failureOf(ran).hint).toMatch(/./);
      return [step, code, ran.code];
    };
    await own.run(['devices', 'revoke', JSON.parse(await readFile(join(own.home, 'servers.json'), 'utf8')).servers[0].account, '--state', own.state]);
    expect(await last()).toEqual(['signed in', 'AUTH', 5]);
    const file = join(own.home, 'servers.json');
    const book = JSON.parse(await readFile(file, 'utf8'));
    const { pin } = book.servers[0];
    book.servers[0].pin = Buffer.alloc(32, 7).toString('base64url');
    await writeFile(file, JSON.stringify(book));
    expect(await last()).toEqual(['identity', 'IDENTITY', 4]);
    book.servers[0].pin = pin;
    const other = createServer((socket) => socket.on('error', () => {}).resume().end('220 hello\r\n')).listen(0, '127.0.0.1');
    await once(other, 'listening');
    book.servers[0].addresses = [{ host: '127.0.0.1', port: (other.address() as AddressInfo).port }];
    await writeFile(file, JSON.stringify(book));
    expect(await last()).toEqual(['encryption', 'PROTOCOL', 3]);
    other.close();
    await once(other, 'close');
    expect(await last()).toEqual(['port', 'CONNECT', 3]);
  });
});
