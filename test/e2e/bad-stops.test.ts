/** Either end stopped, killed or started again in the middle: nothing is lost, nothing is half there, and the same command goes on. */
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { agentsOf } from './agents.ts';
import { bytes, fed, MIB, resting, stagedBytes } from './feed.ts';
import { finished, Rig } from './rig.ts';
import { contents, events, expectAlive, failureOf, staged, until } from './traces.ts';

const WHOLE = bytes(24 * MIB);
const FIRST = WHOLE.subarray(0, 8 * MIB);

interface Moved { readonly bytes: number; readonly kept: number; readonly verified: boolean }

let rig: Rig;
beforeEach(async () => { rig = await Rig.start({ serve: ['--grace', '300ms'] }); });
afterEach(async () => { await rig[Symbol.asyncDispose](); });

/** The same command again, with all of the input: it goes on, and what is there then is whole. */
async function goesOn(target: string): Promise<void> {
  const ran = await rig.run(['put', '-', `:${target}`, '--json'], { input: WHOLE });
  expect([ran.code, ran.stderr]).toEqual([0, '']);
  const [item] = events<Moved>(ran, 'item');
  expect(item).toMatchObject({ bytes: WHOLE.byteLength, verified: true });
  expect(item!.kept).toBeGreaterThan(0);
  expect(item!.kept).toBeLessThanOrEqual(FIRST.byteLength);
  expect((await readFile(join(rig.served, target))).equals(WHOLE)).toBe(true);
  expect(await staged(rig.served)).toEqual([]);
}

describe('a put', () => {
  test('whose machine has vanished goes on from another one at once, and ends with 11 if it comes back', async () => {
    const { child, over } = await fed(rig, ':big', FIRST);
    child.kill('SIGSTOP'); // as silent as a machine without a network
    await goesOn('big');
    child.kill('SIGCONT');
    child.stdin!.end();
    const ran = await over;
    expect([ran.code, failureOf(ran)]).toEqual([11, expect.objectContaining({ code: 'BUSY', who: 'server', retry: true, hint: 'let only one of them run' })]);
    expect((await readFile(join(rig.served, 'big'))).equals(WHOLE)).toBe(true);
    expect(await staged(rig.served)).toEqual([]);
  });

  test.each([['SIGINT', 130, 'CANCELLED', 'interrupted'], ['SIGTERM', 143, 'TERMINATED', 'ended by a signal'], ['SIGHUP', 143, 'TERMINATED', 'ended by a signal']] as const)('that gets %s ends with %i, keeps its part, and goes on when it is typed again', async (signal, exit, code, message) => {
    await writeFile(join(rig.served, 'big'), 'old');
    const { child, over } = await fed(rig, ':big', FIRST);
    child.kill(signal);
    const ran = await over;
    expect([ran.code, ran.signal]).toEqual([exit, null]);
    expect(failureOf(ran)).toMatchObject({ code, message, exit, hint: 'run the same command again to resume' });
    expect(await readFile(join(rig.served, 'big'), 'utf8')).toBe('old');
    await resting(rig.served);
    await goesOn('big');
    await expectAlive(rig);
  });

  test('that is killed outright leaves its part too', async () => {
    const { child, over } = await fed(rig, ':big', FIRST);
    child.kill('SIGKILL');
    expect((await over).signal).toBe('SIGKILL');
    await resting(rig.served);
    expect(await contents(rig.served)).toEqual({});
    await goesOn('big');
  });

  test('whose deadline passes ends with 12', async () => {
    const { over } = await fed(rig, ':big', FIRST, ['--deadline', '3s']);
    const ran = await over;
    expect(ran.code).toBe(12);
    expect(failureOf(ran)).toMatchObject({ code: 'DEADLINE', exit: 12, hint: 'run the same command again to resume' });
    await resting(rig.served);
  });

  test('that outlasts a server that is stopped is cut resumably: exit 11', async () => {
    const { over } = await fed(rig, ':big', FIRST);
    expect(await rig.stop('SIGTERM')).toBe(0);
    const ran = await over;
    expect(ran.code).toBe(11);
    expect(failureOf(ran)).toMatchObject({ code: 'SHUTDOWN', exit: 11, retry: true, hint: expect.stringMatching(/again/) as string });
    expect(await contents(rig.served)).toEqual({});
    expect(await staged(rig.served)).toEqual([expect.stringMatching(/\.part$/)]);
    await rig.serve();
    await goesOn('big');
  });

  test('that is nearly done when the server is stopped is let to its end', async () => {
    await rig[Symbol.asyncDispose]();
    rig = await Rig.start({ serve: ['--grace', '20s'] });
    const { child, over } = await fed(rig, ':big', FIRST);
    const stopped = once(rig.server!, 'exit');
    rig.server!.kill('SIGTERM');
    await until(() => rig.log.some((line) => line.includes('"stopping"')));
    child.stdin!.end(WHOLE.subarray(FIRST.byteLength));
    expect((await over).code).toBe(0);
    expect((await readFile(join(rig.served, 'big'))).equals(WHOLE)).toBe(true);
    // It leaves by itself: a second signal would be one that ends it at once.
    expect(await stopped).toEqual([0, null]);
    expect(await staged(rig.served)).toEqual([]);
  });

  test('whose server is told twice to stop is cut at once, resumably, whatever time it was given', async () => {
    await rig[Symbol.asyncDispose]();
    rig = await Rig.start({ serve: ['--grace', '1h'] });
    const { over } = await fed(rig, ':big', FIRST);
    const stopped = once(rig.server!, 'exit');
    rig.server!.kill('SIGINT');
    await until(() => rig.log.some((line) => line.includes('"stopping"')));
    expect(rig.server!.exitCode).toBe(null);
    rig.server!.kill('SIGINT');
    expect(await stopped).toEqual([130, null]);
    const ran = await over;
    expect([ran.code, failureOf(ran).retry]).toEqual([11, true]);
    await rig.serve();
    await goesOn('big');
  });

  test('whose server is killed and started again goes on where it was', async () => {
    await writeFile(join(rig.served, 'big'), 'old');
    const { over } = await fed(rig, ':big', FIRST);
    await rig.stop('SIGKILL');
    const ran = await over;
    expect(ran.code).toBe(11);
    expect(failureOf(ran)).toMatchObject({ code: 'LOST', exit: 11, retry: true, hint: expect.stringMatching(/again/) as string });
    expect(await readFile(join(rig.served, 'big'), 'utf8')).toBe('old');
    await rig.serve();
    await goesOn('big');
    await expectAlive(rig);
  });
});

test('a put of a file that is killed goes on from the part, and of a folder from what is there', async () => {
  await writeFile(join(rig.local, 'file'), bytes(96 * MIB));
  const put = rig.spawn(['put', 'file', ':']);
  await until(async () => (await stagedBytes(rig.served)) >= 2 * MIB || put.exitCode !== null);
  put.kill('SIGKILL');
  await resting(rig.served);
  const again = await rig.run(['put', 'file', ':', '--json']);
  expect([again.code, events<Moved>(again, 'item')[0]!.kept > 0, await staged(rig.served)]).toEqual([0, true, []]);

  await mkdir(join(rig.local, 'many'));
  for (let index = 0; index < 2000; index += 1) await writeFile(join(rig.local, 'many', `file-${index}`), bytes(2048, index));
  const tree = rig.spawn(['put', 'many', ':', '--json']);
  const over = finished(tree);
  await until(async () => (await readdir(join(rig.served, 'many')).catch(() => [])).length > 0 || tree.exitCode !== null);
  tree.kill('SIGINT');
  expect([0, 130]).toContain((await over).code);
  const got = await contents(join(rig.served, 'many'));
  const sent = await contents(join(rig.local, 'many'));
  for (const [name, what] of Object.entries(got)) expect([name, sent[name]]).toEqual([name, what]);
  expect((await rig.run(['put', 'many', ':'])).code).toBe(0);
  expect(await contents(join(rig.served, 'many'))).toEqual(sent);
  await until(async () => (await staged(rig.served)).length === 0);
});

describe('a get', () => {
  test.each([['SIGINT', 130], ['SIGTERM', 143]] as const)('that gets %s keeps what came, and goes on', async (signal, exit) => {
    await writeFile(join(rig.served, 'big'), bytes(96 * MIB));
    await writeFile(join(rig.local, 'big'), 'old');
    const child = rig.spawn(['get', ':big', '--json']);
    const over = finished(child);
    await until(async () => (await stagedBytes(rig.local)) >= 2 * MIB || child.exitCode !== null);
    child.kill(signal);
    const ran = await over;
    expect(ran.code).toBe(exit);
    expect(failureOf(ran)).toMatchObject({ exit, hint: 'run "wherry get --json :big" to resume' });
    expect(await readFile(join(rig.local, 'big'), 'utf8')).toBe('old');
    expect(await staged(rig.local)).toEqual([expect.stringMatching(/\.part$/)]);
    const again = await rig.run(['get', ':big', '--json']);
    expect(again.code).toBe(0);
    expect(events<Moved>(again, 'item')[0]!.kept).toBeGreaterThan(0);
    expect((await readFile(join(rig.local, 'big'))).equals(bytes(96 * MIB))).toBe(true);
    expect(await staged(rig.local)).toEqual([]);
    await expectAlive(rig);
  });

  test('whose server is killed ends with 11 and leaves the old file', async () => {
    await writeFile(join(rig.served, 'big'), bytes(96 * MIB));
    await writeFile(join(rig.local, 'big'), 'old');
    const child = rig.spawn(['get', ':big', '--json']);
    const over = finished(child);
    await until(async () => (await stagedBytes(rig.local)) >= 2 * MIB || child.exitCode !== null);
    await rig.stop('SIGKILL');
    const ran = await over;
    expect([ran.code, failureOf(ran).code]).toEqual([11, 'LOST']);
    expect(await readFile(join(rig.local, 'big'), 'utf8')).toBe('old');
    await rig.serve();
    expect((await rig.run(['get', ':big'])).code).toBe(0);
  });
});

test.each(['health', 'metrics', 'invite list', 'devices revoke laptop', 'reload'])('the deadline of %s ends it, though the server here that is asked says nothing', async (line) => {
  const words = line.split(' ');
  rig.server!.kill('SIGSTOP');
  const ran = await rig.run([...words, '--state', rig.state, '--deadline', '500ms']);
  rig.server!.kill('SIGCONT');
  expect([ran.code, ran.stderr]).toEqual([12, `${words[0]}: the deadline has passed\n`]);
});

test.each(['jobs', 'kill 1', 'pause 1', 'bg 1', 'wait 1', 'fg 1', 'fg', 'queue put new :other', 'put new :other --background'])('the deadline of %s ends it, though the agent for jobs says nothing', async (line) => {
  await writeFile(join(rig.local, 'new'), 'new');
  expect((await rig.run(['put', 'new', ':', '--background'])).code).toBe(0);
  expect((await rig.run(['wait'])).code).toBe(0);
  const pids = agentsOf(rig.home);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  const ran = await rig.run([...line.split(' '), '--deadline', '500ms']);
  for (const pid of pids) process.kill(pid, 'SIGCONT');
  expect([pids.length, ran.code, ran.stderr]).toEqual([1, 12, expect.stringMatching(/^\w+: the deadline has passed(?:; .*)?\n$/)]);
});

test('a prompt that loses its server says so, and connects again with the next command', async () => {
  const prompt = rig.spawn(['connect']);
  const over = finished(prompt);
  let out = '';
  prompt.stdout!.on('data', (chunk: Buffer) => { out += chunk.toString(); });
  prompt.stdin!.write('pwd\n');
  await until(() => out.includes('/'));
  await rig.stop('SIGKILL');
  await rig.serve();
  prompt.stdin!.end('-ls\nls\n');
  const ran = await over;
  expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining('connecting again')]);
});
