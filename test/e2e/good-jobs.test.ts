/** Jobs survive: a terminal that is closed, an agent that is killed, a server that is away; and each ends once, with its exit code. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { agentsOf, isAlive, killAgents } from './agents.ts';
import { Proxy } from './proxy.ts';
import { finished, Rig, type Ran } from './rig.ts';
import { contents, until } from './traces.ts';
import { noise, plant, sameBytes } from './trees.ts';

const MIB = 1 << 20;
const SIZE = 48 * MIB + 12_345;

interface JobEvent {
  readonly number: number; readonly state: string; readonly exit: number | null; readonly tries: number; readonly said?: readonly string[];
  readonly failure: { readonly code: string; readonly message: string } | null; readonly what: string;
}

let rig: Rig;
beforeEach(async () => { rig = await Rig.start(); });
afterEach(() => rig[Symbol.asyncDispose]());

const sock = (): string => join(rig.home, 'jobs', 'agent.sock');

function text(folder: string, name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}

async function job(number: number): Promise<JobEvent> {
  const ran = await rig.run(['jobs', '-l', String(number), '--json']);
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(ran.stdout) as JobEvent;
}

/** What is in the book, without asking anybody. */
function noted(number: number): JobEvent | undefined {
  const file = join(rig.home, 'jobs', `${number}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as JobEvent) : undefined;
}

function started(ran: Ran): void {
  expect(ran, ran.stderr).toMatchObject({ code: 0, stderr: '' });
  expect(ran.stdout).toMatch(/^\[\d+\] (put|get) .* {2}(started|queued); wherry jobs shows it\n$/);
}

/** A job that has sent 36 MiB of a large file and then hears nothing more. */
async function halfway(proxy: Proxy): Promise<void> {
  plant(rig.local, { big: noise(SIZE) });
  proxy.cutAfter({ up: 36 * MIB, hold: true });
  started(await rig.run(['queue', 'put', 'big', ':']));
  await proxy.held();
  const stage = join(rig.served, '.wherry');
  await until(() => existsSync(stage) && readdirSync(stage).some((name) => (statSync(join(stage, name), { throwIfNoEntry: false })?.size ?? 0) >= 20 * MIB));
}

const keptMiB = (said: readonly string[] = []): number => Number(/([\d.]+) MiB kept from before/.exec(said.join('\n'))?.[1] ?? 0);

describe('a job', () => {
  test('is started, seen from another terminal, waited for, and its exit code is that of the transfer', async () => {
    plant(rig.local, { 'two words': 'text', 'photos/one': '1' });
    started(await rig.run(['put', 'two words', 'photos', ':', '--background']));
    const waited = await rig.run(['wait', '1']);
    expect(waited).toMatchObject({ code: 0, stderr: '' });
    expect(waited.stdout).toMatch(/^two words {2}4 B .*verified.*\nphotos\/ {2}1 file.*\n\[1\] put 'two words' photos : {2}done\n$/);
    expect([text(rig.served, 'two words'), text(rig.served, 'photos/one')]).toEqual(['text', '1']);
    plant(rig.local, { nothing: '' });
    started(await rig.run(['put', 'nothing', ':none/', '--background']));
    const failed = await rig.run(['wait', '2']);
    expect(failed.code).toBe(6);
    expect(failed.stdout).toContain('no such folder on the server');
    expect((await rig.run(['wait', '1', '2'])).code).toBe(1);
    const { stdout } = await rig.run(['jobs']);
    expect(stdout).toBe("[1] done            put 'two words' photos :\n[2] failed  exit 6  put nothing :none/\n");
    expect(await job(2)).toMatchObject({ state: 'failed', exit: 6, tries: 1, failure: { code: 'NOTFOUND' } });
    expect((await rig.run(['jobs', '--clear'])).stdout).toBe('');
  });

  test('fetches as well, to where it was typed', async () => {
    plant(rig.served, { 'docs/a': 'a' });
    mkdirSync(join(rig.local, 'in'));
    started(await rig.run(['get', ':docs', 'new', '--background'], { cwd: join(rig.local, 'in') }));
    expect((await rig.run(['wait'])).code).toBe(0);
    expect(text(rig.local, 'in/new/a')).toBe('a');
  });

  test('that nobody can do is refused when it is typed', async () => {
    for (const [words, code, why] of [
      [['queue', 'rm', ':x'], 2, 'rm cannot be a job; put and get can'], [['queue', 'put', '-', ':x'], 2, 'standard input'], [['wait', '7'], 6, 'there is no job 7'],
      [['kill', 'x'], 2, 'x is not the number of a job'], [['queue', 'put', 'x', 'nobody:'], 6, 'no server named nobody'],
    ] as const) {
      plant(rig.local, { x: 'x' });
      if (words[0] === 'wait') started(await rig.run(['queue', 'put', 'x', ':']));
      const ran = await rig.run(words);
      expect(ran.code, words.join(' ')).toBe(code);
      expect(ran.stderr).toContain(why);
    }
  });
});

describe('jobs in line', () => {
  test('run one after the other, and one that is killed lets the next go on', async () => {
    await using proxy = await Proxy.before(rig);
    await halfway(proxy);
    plant(rig.local, { small: 'small' });
    started(await rig.run(['queue', 'put', 'small', ':']));
    expect((await rig.run(['queue'])).stdout).toMatch(/^\[1\] running .* put big :\n\[2\] queued .* put small :\n$/);
    expect(existsSync(join(rig.served, 'small'))).toBe(false);
    proxy.cutAfter();
    expect((await rig.run(['kill', '1'])).stdout).toBe('[1] put big :  killed\n');
    expect((await rig.run(['wait', '2'])).code).toBe(0);
    expect(await job(1)).toMatchObject({ state: 'killed', exit: 143 });
    expect(existsSync(join(rig.served, 'big'))).toBe(false);
    expect((await rig.run(['kill', '1'])).stderr).toBe('kill: 1: job 1 is over; wherry jobs -l 1 shows what became of it\n');
    // Nothing of it is a name here, and at the prompt commands are typed without the word before them.
    const typed = await rig.run(['--keep-going'], { input: 'kill 1\njobs 7\nfg\nbg 8\nwait 0\n' });
    expect(typed.stderr).toContain('kill: 1: job 1 is over; jobs -l 1 shows what became of it\njobs: 7: there is no job 7; jobs shows them\nfg: no job is under way; jobs shows what became of them\nbg: 8: there is no job 8; jobs shows them\nwait: 0 is not the number of a job; jobs shows the numbers\n');
  });

  test('are paused and go on with what has arrived', async () => {
    await using proxy = await Proxy.before(rig);
    await halfway(proxy);
    expect((await rig.run(['pause', '1'])).code).toBe(0);
    expect(noted(1)).toMatchObject({ state: 'paused' });
    expect((await rig.run(['wait', '1'])).stderr).toContain('job 1 is paused; wherry bg 1 lets it go on');
    expect((await rig.run(['wait'])).code).toBe(0);
    proxy.cutAfter();
    expect((await rig.run(['bg', '1'])).stdout).toBe('[1] put big :  goes on\n');
    expect((await rig.run(['fg', '1'])).code).toBe(0);
    expect(keptMiB((await job(1)).said)).toBeGreaterThan(15);
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
  });
});

describe('a folder of small files', () => {
  const [FILES, BYTES] = [300, 160 << 10];

  test.each(['put', 'get'] as const)('gets done by %s over connections none of which lasts long enough for all of it', async (verb) => {
    await using proxy = await Proxy.before(rig);
    const [from, to] = verb === 'put' ? [rig.local, rig.served] : [rig.served, rig.local];
    plant(from, Object.fromEntries(Array.from({ length: FILES }, (_, index) => [`photos/${index % 5}/${index}`, noise(BYTES, index)])));
    proxy.cutAfter(verb === 'put' ? { up: 30 * MIB } : { down: 30 * MIB });
    started(await rig.run(verb === 'put' ? ['put', 'photos', ':new', '--background'] : ['get', ':photos', 'new', '--background']));
    expect(await rig.run(['wait', '1'])).toMatchObject({ code: 0 });
    expect((await job(1)).tries).toBeLessThan(6); // what was on its way when one broke comes twice
    const same = await contents(join(from, 'photos'));
    expect(await contents(join(to, 'new'))).toEqual(same);
  });
});

describe('after a kill -9 of the agent', () => {
  test('the next command about jobs starts another, which goes on with what has arrived', async () => {
    await using proxy = await Proxy.before(rig);
    await halfway(proxy);
    const [killed] = await killAgents(rig.home);
    expect(killed).toBeDefined();
    expect(existsSync(sock())).toBe(true); // left behind
    expect(noted(1)).toMatchObject({ state: 'running' });
    proxy.cutAfter();
    expect((await rig.run(['wait', '1'])).code).toBe(0);
    const { said, tries } = await job(1);
    expect(tries).toBe(2);
    expect(keptMiB(said)).toBeGreaterThan(15);
    expect(proxy.up).toBeLessThan(SIZE - 15 * MIB);
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
    expect(agentsOf(rig.home)).not.toContain(killed);
  });

  test('a folder with a new name is not put into itself', async () => {
    await using proxy = await Proxy.before(rig);
    plant(rig.local, { 'photos/big': noise(24 * MIB), 'photos/small': 'small' });
    proxy.cutAfter({ up: 12 * MIB, hold: true });
    started(await rig.run(['queue', 'put', 'photos', ':new']));
    await proxy.held();
    await until(() => existsSync(join(rig.served, 'new')));
    await killAgents(rig.home);
    proxy.cutAfter();
    expect((await rig.run(['wait'])).code).toBe(0);
    expect(Object.keys(await contents(rig.served))).toEqual(['new', 'new/big', 'new/small']);
  });
});

describe('a server that is away', () => {
  test('is tried again until it is back', async () => {
    plant(rig.local, { small: 'small' });
    await rig.stop();
    started(await rig.run(['queue', 'put', 'small', ':']));
    await until(() => noted(1)?.state === 'waiting');
    const waiting = await job(1);
    expect(waiting).toMatchObject({ exit: null, failure: { code: 'CONNECT' } });
    await rig.serve();
    expect((await rig.run(['wait', '1'])).code).toBe(0);
    expect(text(rig.served, 'small')).toBe('small');
  });

  test('takes nothing twice: with --if-absent a source that is done is not in the way of the next try', async () => {
    await using proxy = await Proxy.before(rig);
    plant(rig.local, { small: 'small', big: noise(SIZE) });
    proxy.cutAfter({ up: 36 * MIB });
    started(await rig.run(['put', 'small', 'big', ':', '--if-absent', '--background']));
    await until(() => noted(1)?.state === 'waiting');
    proxy.cutAfter();
    expect((await rig.run(['wait', '1'])).code).toBe(0);
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
  });

  test('in the middle of a transfer: the job goes on when the server runs again', async () => {
    await using proxy = await Proxy.before(rig);
    await halfway(proxy);
    await rig.stop('SIGKILL');
    proxy.cutAfter();
    await rig.serve();
    expect((await rig.run(['wait', '1'])).code).toBe(0);
    const { said, tries } = await job(1);
    expect(tries).toBeGreaterThan(1);
    expect(keptMiB(said)).toBeGreaterThan(15);
    expect(sameBytes(join(rig.local, 'big'), join(rig.served, 'big'))).toBe(true);
  });
});

describe('the agent', () => {
  async function withAgent(): Promise<number> {
    plant(rig.local, { small: 'small' });
    started(await rig.run(['queue', 'put', 'small', ':']));
    expect((await rig.run(['wait'])).code).toBe(0);
    return agentsOf(rig.home)[0]!;
  }

  test('is one: a second ends at once, and many commands at once start no other', async () => {
    plant(rig.local, Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`f${index}`, String(index)])));
    const all = await Promise.all(Array.from({ length: 6 }, (_, index) => rig.run(['queue', 'put', `f${index}`, ':'])));
    for (const ran of all) started(ran);
    expect(agentsOf(rig.home)).toHaveLength(1);
    expect(new Set(all.map(({ stdout }) => Number(/^\[(\d)\]/.exec(stdout)?.[1])))).toEqual(new Set([1, 2, 3, 4, 5, 6]));
    const second = await rig.run(['agent']);
    expect(second.code).toBe(11);
    expect(second.stderr).toContain('another agent for jobs is running');
    expect((await rig.run(['wait'])).code).toBe(0);
  });

  test('has no terminal, a session of its own, and a socket for its user alone', async () => {
    const pid = await withAgent();
    expect(statSync(sock()).mode & 0o777).toBe(0o600);
    expect(statSync(join(rig.home, 'jobs')).mode & 0o777).toBe(0o700);
    expect(statSync(join(rig.home, 'jobs', '1.json')).mode & 0o777).toBe(0o600);
    if (process.platform !== 'linux') return;
    const [, , , , session, terminal] = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '0 ').split(' ').map(Number);
    expect([session, terminal]).toEqual([pid, 0]);
    process.kill(pid, 'SIGHUP');
    expect(await job(1)).toMatchObject({ state: 'done' });
    expect(agentsOf(rig.home)).toEqual([pid]);
  });

  test('ends by itself when there is nothing to do, and at --stop', async () => {
    const child = rig.spawn(['agent', '--idle', '100ms']);
    expect(await finished(child)).toMatchObject({ code: 0 });
    expect(existsSync(sock())).toBe(false);
    const pid = await withAgent();
    expect(await rig.run(['agent', '--stop'])).toMatchObject({ code: 0, stderr: '' });
    await until(() => !isAlive(pid));
    expect(existsSync(sock())).toBe(false);
  });

  test('ends when its socket is taken away', async () => {
    const child = rig.spawn(['agent', '--idle', '1h']);
    await until(() => agentsOf(rig.home).length === 1);
    unlinkSync(sock());
    expect(await finished(child)).toMatchObject({ code: 0 });
  });

  test('does nothing for what is no request, and goes on', async () => {
    const pid = await withAgent();
    const before = readFileSync(join(rig.home, 'jobs', '1.json'), 'utf8');
    const wish = { verb: 'put', server: 'test', sources: ['/etc/hostname'], typed: ['x'], target: '/x', exclude: [], follow: false, update: false, ifAbsent: false, noSync: false, what: 'x', inLine: false };
    const hello = '{"wherry":1,"version":"1"}\n';
    for (const bytes of [
      '\n', '\0\0\0\0\n', 'GET / HTTP/1.1\r\n\r\n', '{"wherry":2}\n', '[]\n', `${hello}null\n`, `${hello}{"verb":"kill"}\n`, `${hello}{"verb":"kill","number":"1"}\n`, `${hello}{"verb":"show","number":1e99}\n`,
      `${hello}{"verb":"add","wish":${JSON.stringify({ ...wish, sources: ['relative'] })}}\n`, `${hello}{"verb":"add","wish":${JSON.stringify({ ...wish, server: '../x' })}}\n`,
      `${hello}{"verb":"add","wish":${JSON.stringify({ ...wish, verb: 'rm' })}}\n`, `${hello}{"verb":"add","wish":${JSON.stringify({ ...wish, target: 'x\0' })}}\n`,
      `${hello}{"verb":"add","wish":{"__proto__":{"verb":"put"}}}\n`, `${hello}${'x'.repeat(17 * MIB)}`, noise(100_000).toString('latin1'),
    ]) {
      const socket = connect(sock());
      socket.on('error', () => undefined); // it may be ended before it has sent everything
      socket.resume();
      socket.end(bytes);
      await new Promise<void>((done) => { socket.once('close', () => done()); });
    }
    expect(readFileSync(join(rig.home, 'jobs', '1.json'), 'utf8')).toBe(before);
    expect((await rig.run(['jobs'])).stdout).toBe('[1] done    put small :\n');
    expect(agentsOf(rig.home)).toEqual([pid]);
  });

  test('leaves alone what is not a job, and does not use its number', async () => {
    mkdirSync(join(rig.home, 'jobs'), { mode: 0o700 });
    writeFileSync(join(rig.home, 'jobs', '4.json'), '{"number":4,', { mode: 0o600 });
    plant(rig.local, { small: 'small' });
    expect((await rig.run(['queue', 'put', 'small', ':'])).stdout).toMatch(/^\[5\]/);
    expect(readFileSync(join(rig.home, 'jobs', '4.json'), 'utf8')).toBe('{"number":4,');
    expect((await rig.run(['wait'])).code).toBe(0);
  });

  test('of another version is told as such, with what to do', async () => {
    mkdirSync(join(rig.home, 'jobs'), { mode: 0o700 });
    plant(rig.local, { small: 'small' });
    const other = createServer((socket) => { socket.on('error', () => undefined).end('{"wherry":99}\n'); });
    other.listen(sock());
    await once(other, 'listening');
    const ran = await rig.run(['queue', 'put', 'small', ':']);
    other.close();
    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain('of another version of Wherry; end it with');
  });
});

test('a unit for systemd is written, enabled by a link, and removed', async () => {
  const env = { XDG_CONFIG_HOME: join(rig.folder, 'config') };
  const units = join(rig.folder, 'config', 'systemd', 'user');
  const ran = await rig.run(['jobs', '--install'], { env });
  if (process.platform !== 'linux') return expect(ran.code).toBe(7);
  expect(ran.code).toBe(0);
  expect(ran.stderr).toContain('type: loginctl enable-linger ');
  const name = readdirSync(units).find((one) => one.endsWith('.service'))!;
  expect(readFileSync(join(units, name), 'utf8')).toContain(`"agent" "--home=${rig.home}"`);
  expect(readFileSync(join(units, name), 'utf8')).toContain('RestartPreventExitStatus=11\n'); // another agent runs: that is as good
  expect(readFileSync(join(units, 'default.target.wants', name), 'utf8')).toContain('WantedBy=default.target');
  expect((await rig.run(['jobs', '--uninstall'], { env })).code).toBe(0);
  expect(readdirSync(units)).toEqual(['default.target.wants']);
});
