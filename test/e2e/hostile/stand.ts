/**
 * The stand: one client in folders of its own, one hostile server, and the judge of what they did to each other.
 *
 * Whatever a script does, and whatever else a test expects of it: nothing outside the target has changed, times included;
 * no file anywhere has a set-id bit, or a bit that the umask withholds; nothing reaches the terminal that controls it; nothing is
 * called a mistake of ours; and the client took no more memory than it says it does.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { openHome } from '../../../src/client/trust.ts';
import { Hostile, type Names, type Script } from '../hostile.ts';
import { recordProcess } from '../recorder.ts';
import { MAIN } from '../rig.ts';

export type Row = 'B1' | 'B2' | 'B4' | 'B5' | 'B6' | 'B7' | 'D1' | 'D7';

/** One script, what is typed against it, and how that must end. */
export interface Attack {
  readonly row: Row;
  readonly name: string;
  /** `evil` is the server, `target` the folder that may be written to, `outside` the one that may not. */
  readonly words: readonly string[];
  readonly script: Script;
  readonly exit: number;
  readonly says: RegExp;
  readonly names?: Names;
  readonly input?: string;
  /** Where it is typed, when that is not beside the target. */
  readonly at?: 'target';
  /** What is in the target before. */
  before?(stand: Stand): void;
  /** What the server does besides. */
  serve?(hostile: Hostile, stand: Stand): void;
  /** What else must be so afterwards. */
  after?(stand: Stand): void;
}

/**
 * What a command may take, in MiB: 128 of its own, as a server has, and the 128 that all that is received and held is paid from.
 * Lists that are sorted are in the first half. From V8 13 on, thus on Node 24, the young generation may have three spaces of 32 MiB
 * instead of 16 before it is collected. A server keeps it small; a client would pay for that with CPU time in every transfer of small files.
 */
const MOST_MIB = 256 + (Number.parseInt(process.versions.v8, 10) >= 13 ? 3 * 16 : 0);

/** Control characters but the line feed, and what turns the direction of text. */
export const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

const umask = process.umask();

export class Stand implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'wherry-stand-'));
  readonly hostile: Hostile;
  readonly peaks: string;
  /** What standard input has. */
  typed = '';

  private constructor(hostile: Hostile) {
    this.hostile = hostile;
    this.peaks = join(this.folder, 'peaks');
    for (const path of [this.local, this.target, this.outside, join(this.outside, 'sub')]) mkdirSync(path);
    for (const [path, text] of [['local/victim', 'mine'], ['outside/secret', 'secret'], ['outside/sub/deep', 'deep'], ['victim', 'above']] as const) writeFileSync(join(this.folder, path), text, { mode: 0o640 });
    for (const path of ['outside/sub/deep', 'outside/secret', 'outside/sub', 'outside', 'local/victim', 'victim', 'local']) utimesSync(join(this.folder, path), 1e9, 1e9);
  }

  get local(): string { return join(this.folder, 'local'); }
  get target(): string { return join(this.local, 'target'); }
  get outside(): string { return join(this.folder, 'outside'); }
  get home(): string { return join(this.folder, 'home'); }

  static async set(): Promise<Stand> {
    const hostile = await Hostile.start();
    const stand = new Stand(hostile);
    const home = await openHome(stand.home);
    await home.remember({ name: 'evil', addresses: [hostile.address], pin: hostile.pin, account: 'you', joined: new Date(0).toISOString() });
    await home.deviceKey();
    return stand;
  }

  /** What a program needs to find this place, and to leave its peak here. */
  get env(): Record<string, string> {
    const peak = new URL('../peak.mjs', import.meta.url).href;
    return { PATH: process.env['PATH'] ?? '', HOME: this.folder, WHERRY_HOME: this.home, LANG: 'C.UTF-8', WHERRY_PEAK: this.peaks, NODE_OPTIONS: `--import=${peak}` };
  }

  /** Runs a command, and looks at all it says. */
  async run(words: readonly string[], cwd = this.local): Promise<Said> {
    const child = spawn(process.execPath, [MAIN, ...words], { cwd, env: this.env, stdio: ['pipe', 'pipe', 'pipe'] });
    recordProcess(child, words);
    child.stdin.on('error', () => {}); // it may end before it has read everything
    child.stdin.end(this.typed);
    const heard = new Heard();
    const isData = words[0] === 'cat' && !words.includes('--json'); // bytes of a file, as they are
    for (const stream of isData ? [child.stderr] : [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => heard.add(text));
    if (isData) child.stdout.resume();
    const [code] = (await once(child, 'close')) as [number | null];
    expect(heard.fault).toBeUndefined();
    return { code, text: heard.text };
  }

  /** Everything but the home and the target, with modes, times and bytes. */
  canary(): string[] {
    return tree(this.folder, '').filter(({ path }) => !/^(?:home|peaks|local\/target)(?:\/|$)/.test(path)).map(({ path, what }) => `${path} ${what}`);
  }

  /** What has arrived: names in the target, those of the stage left out. */
  get arrived(): string[] {
    return tree(this.target, '').map(({ path }) => path).filter((path) => !/(?:^|\/)\.wherry(?:\/|$)/.test(path));
  }

  /** No bit that the owner of the files would not have set. */
  modes(): void {
    for (const { path, mode, link } of tree(this.folder, '')) if (!link) expect([path, mode & 0o7000]).toEqual([path, 0]);
    for (const { path, mode, link } of tree(this.target, '')) if (!link) expect([path, mode & umask]).toEqual([path, 0]);
  }

  /** The most memory that a command here has had, in MiB. */
  peak(): number {
    return Math.max(...readFileSync(this.peaks, 'latin1').trim().split('\n').map(Number)) / 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hostile[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Sets the stand up, lets the script play, and judges. Resolves with what the client took, in MiB. */
export async function play(attack: Attack): Promise<number> {
  await using stand = await Stand.set();
  stand.hostile.script = attack.script;
  stand.hostile.names = attack.names ?? {};
  stand.typed = attack.input ?? '';
  attack.before?.(stand);
  attack.serve?.(stand.hostile, stand);
  const before = stand.canary();
  const said = await stand.run(attack.words, attack.at === 'target' ? stand.target : stand.local);
  expect(stand.canary()).toEqual(before);
  stand.modes();
  expect([said.code, said.text]).toEqual([attack.exit, expect.stringMatching(attack.says)]);
  attack.after?.(stand);
  const peak = stand.peak();
  expect(peak).toBeLessThan(MOST_MIB);
  return peak;
}

export interface Said { readonly code: number | null; readonly text: string }

/** What no command may ever say: what controls a terminal, or what is said of our own mistakes. */
const NEVER = [UNSAFE, /internal|NaN|Infinity|undefined/i];
/** So much of the beginning and of the end is kept: a listing without an end is a long text. */
const KEPT = 4096;

/** Everything that a command says, looked at as it comes. */
class Heard {
  #first = '';
  #last = '';
  /** What must never be said, with what is around it. */
  fault: string | undefined;

  add(text: string): void {
    for (const never of NEVER) {
      const at = text.search(never);
      if (at >= 0) this.fault ??= text.slice(Math.max(0, at - 200), at + 200);
    }
    if (this.#first.length < KEPT) this.#first += text.slice(0, KEPT);
    else this.#last = (this.#last + text).slice(-KEPT);
  }

  get text(): string { return this.#first + this.#last; }
}

interface Found { readonly path: string; readonly mode: number; readonly link: boolean; readonly what: string }

function tree(folder: string, below: string): Found[] {
  const found: Found[] = [];
  for (const name of readdirSync(join(folder, below)).toSorted()) {
    const path = join(below, name);
    const stats = lstatSync(join(folder, path), { bigint: true });
    const what = stats.isFile() ? createHash('sha256').update(readFileSync(join(folder, path))).digest('hex') : 'none';
    found.push({ path, mode: Number(stats.mode & 0o7777n), link: stats.isSymbolicLink(), what: `${stats.mode.toString(8)} ${stats.mtimeNs} ${what}` });
    if (stats.isDirectory()) found.push(...tree(folder, path));
  }
  return found;
}
