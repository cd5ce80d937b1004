/** A server that is upgraded: started by a file of its own, so that another version can be put in its place, and all the processes that come of it. */
import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { MAIN, type Ran, Rig, type RigOptions } from './rig.ts';
import { events, until } from './traces.ts';

export interface Upgraded { readonly event: string; readonly pid: number; readonly version: string }

export class Upgrades implements AsyncDisposable {
  readonly rig: Rig;
  /** The processes that served, the first one first. */
  readonly pids: number[];
  readonly #folder: string;

  private constructor(rig: Rig, folder: string) {
    this.rig = rig;
    this.#folder = folder;
    this.pids = [rig.server!.pid!];
  }

  static async start(options: RigOptions = {}): Promise<Upgrades> {
    const folder = await mkdtemp(join(tmpdir(), 'wherry-installed-'));
    const main = join(folder, 'wherry.mjs');
    await writeFile(main, WORKING);
    return new Upgrades(await Rig.start({ ...options, main }), folder);
  }

  /** Puts another version in the place of the one that is installed. */
  async install(text = WORKING): Promise<void> {
    await writeFile(join(this.#folder, 'wherry.mjs'), text);
  }

  run(): Promise<Ran> {
    return this.rig.run(['upgrade', '--state', this.rig.state, '--json']);
  }

  /** Upgrades; the process that serves then. */
  async upgrade(): Promise<number> {
    const ran = await this.run();
    expect(ran.code, `${ran.stdout}${ran.stderr}${this.rig.log.join('\n')}`).toBe(0);
    const { pid } = events<Upgraded>(ran, 'upgraded')[0]!;
    this.pids.push(pid);
    return pid;
  }

  /** Ends the process that serves now, and waits until all have ended. */
  async stop(): Promise<void> {
    process.kill(this.pids.at(-1)!, 'SIGTERM');
    for (const pid of this.pids) await this.ended(pid);
  }

  async ended(pid: number): Promise<void> {
    await until(() => !isRunning(pid), () => `process ${pid} of ${this.pids.join(', ')} runs still: ${this.rig.log.join('\n')}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of this.pids) {
      if (!isRunning(pid)) continue;
      process.kill(pid, 'SIGKILL');
      await this.ended(pid);
    }
    await this.rig[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true });
  }
}

const WORKING = `import ${JSON.stringify(MAIN)};\n`;

/** Not one that has ended and that nobody has asked about. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Which of these processes has the connection from the port `from` of this machine to its port `to`. */
export async function holderOf(from: number, to: number, pids: readonly number[]): Promise<number | undefined> {
  const hex = (port: number): string => `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = (await readFile('/proc/net/tcp', 'latin1')).split('\n').map((line) => line.trim().split(/\s+/));
  const inode = lines.find(([, local, remote]) => local?.endsWith(hex(to)) === true && remote?.endsWith(hex(from)) === true)?.[9];
  for (const pid of pids) {
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      if (await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '') === `socket:[${inode}]`) return pid;
    }
  }
  return undefined;
}
