/** Fifty clients at once, some of them killed all the time: what was said to be done is done, and nobody sees half a file. */
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../src/index.ts';
import { finished, Rig } from './rig.ts';
import { noise } from './trees.ts';
import { digestOf, Watcher } from './watcher.ts';

/** Clients that are processes of their own, and clients of the library in this one. */
const PROCESSES = 12;
const IN_HERE = 38;
/** Files each of them must have got through. */
const ROUNDS = 3;
/** A process is killed so often (ms), and no sooner does a round of the test end than so many were. */
const KILL_EVERY_MS = 200;
const KILLS = 15;
/** On a machine that is busy with other tests every command takes longer than that: with more they would be killed for ever. */
const MOST_KILLS = 4 * KILLS;

let rig: Rig;
beforeAll(async () => { rig = await Rig.start(); });
afterAll(() => rig[Symbol.asyncDispose]());

/** What was reported as done: the content that must be there from then on. */
const done = new Map<string, string>();

function content(client: number, round: number): Buffer {
  return noise(100_000 + ((client * 7919 + round * 104_729) % 1_500_000), client * 1000 + round);
}

test('fifty clients put and get their own files while one is killed every 200 ms', async () => {
  const watcher = new Watcher(rig.served);
  const running = new Set<ReturnType<Rig['spawn']>>();
  const killed = new Set<ReturnType<Rig['spawn']>>();
  /** Runs a command until one run of it was not killed; every run that says it is done is held to it. */
  const insist = async (words: readonly string[]): Promise<void> => {
    for (;;) {
      const child = rig.spawn(words);
      running.add(child);
      const { code, stderr } = await finished(child);
      running.delete(child);
      if (code === 0) return;
      if (!killed.has(child)) throw new Error(`${words.join(' ')} ended with ${code}: ${stderr}`);
    }
  };
  const check = (name: string, bytes: Buffer, local: string): void => {
    expect(digestOf(readFileSync(join(rig.served, name)))).toBe(digestOf(bytes));
    expect(digestOf(readFileSync(local))).toBe(digestOf(bytes));
    done.set(name, digestOf(bytes));
  };
  let finishedRounds = 0;
  const enough = (): boolean => killed.size >= KILLS;
  const asProcess = async (client: number): Promise<void> => {
    const name = `process ${client}`;
    for (let round = 0; round < ROUNDS || !enough(); round += 1) {
      const bytes = content(client, round);
      watcher.allow(name, bytes);
      writeFileSync(join(rig.local, name), bytes);
      await insist(['put', '--no-sync', name, ':']);
      await insist(['get', '--no-sync', `:${name}`, `${name} back`]);
      check(name, bytes, join(rig.local, `${name} back`));
      finishedRounds += 1;
    }
  };
  const inHere = async (client: number): Promise<void> => {
    await using connection = await connect({ home: rig.home });
    for (let round = 0; round < ROUNDS; round += 1) {
      const name = `client ${client} ${round % 2}`;
      const bytes = content(client, round);
      watcher.allow(name, bytes);
      const local = join(rig.local, name);
      writeFileSync(local, bytes);
      expect(await connection.put(local, '', { level: 'visible' })).toMatchObject({ failed: 0, files: 1 });
      expect(await connection.get(name, `${local} back`, { level: 'visible' })).toMatchObject({ failed: 0, files: 1 });
      check(name, bytes, `${local} back`);
      finishedRounds += 1;
    }
  };
  const killer = setInterval(() => {
    const [victim] = [...running].filter((child) => !killed.has(child)).slice(killed.size % Math.max(1, running.size));
    if (victim === undefined || killed.size >= MOST_KILLS) return;
    killed.add(victim);
    victim.kill('SIGKILL');
  }, KILL_EVERY_MS);
  try {
    await Promise.all([
      ...Array.from({ length: PROCESSES }, (_, client) => asProcess(client)),
      ...Array.from({ length: IN_HERE }, (_, client) => inHere(100 + client)),
    ]);
  } finally {
    clearInterval(killer);
    await watcher.stop();
  }
  expect(watcher.wrong).toEqual([]);
  expect(watcher.rounds).toBeGreaterThan(0);
  expect(killed.size).toBeGreaterThanOrEqual(KILLS);
  expect(finishedRounds).toBeGreaterThanOrEqual((PROCESSES + IN_HERE) * ROUNDS);
  for (const [name, digest] of done) expect(digestOf(readFileSync(join(rig.served, name))), name).toBe(digest);
}, 240_000);

test('the server is alive, and stops when it is told to, with nothing half done left', async () => {
  expect(rig.server!.exitCode).toBe(null);
  expect((await rig.run(['ls', ':'])).code).toBe(0);
  const exit = once(rig.server!, 'exit');
  rig.server!.kill('SIGTERM');
  expect((await exit)[0]).toBe(0);
  expect(rig.log.some((line) => line.includes('INTERNAL'))).toBe(false);
  expect(existsSync(rig.served)).toBe(true);
});
