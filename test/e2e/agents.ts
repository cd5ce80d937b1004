/** The agents for jobs that a rig's device has started: they outlive every terminal, so that whoever starts one has to end it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The processes that say in the agents' log that they started and not that they ended, and are there. */
export function agentsOf(home: string): number[] {
  const log = join(home, 'jobs', 'agent.log');
  if (!existsSync(log)) return [];
  const said = [...readFileSync(log, 'utf8').matchAll(/agent (\d+): (started|ended)/g)];
  const last = new Map(said.map(([, pid, what]) => [Number(pid), what]));
  return [...last].filter(([pid, what]) => what === 'started' && isAlive(pid)).map(([pid]) => pid);
}

/** A process that nobody has waited for yet is none. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const status = `/proc/${pid}/status`;
    return !existsSync(status) || !/^State:\s+Z/m.test(readFileSync(status, 'utf8'));
  } catch {
    return false;
  }
}

/** Kills the agents of a device, and waits until they are gone. */
export async function killAgents(home: string): Promise<number[]> {
  const pids = agentsOf(home);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  while (pids.some(isAlive)) await new Promise((done) => { setImmediate(done); });
  return pids;
}
