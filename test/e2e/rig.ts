/**
 * A rig: a real server process on a folder of its own, a joined client home, and the command line as a person runs it.
 * Everything lies below one temporary folder and is gone, processes too, when the rig is disposed.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { join as joinServer } from '../../src/index.ts';
import { killAgents } from './agents.ts';
import { recordFolder, recordInput, recordProcess } from './recorder.ts';

/** The command, as built. */
export const MAIN = resolve(import.meta.dirname, '../..', process.env['WHERRY_DIST'] ?? 'dist', process.env['WHERRY_DIST'] === undefined ? 'bin/wherry.js' : 'cli/main.js');

/**
 * An address that no other test process listens at, where loopback is a whole network: a port at 127.0.0.1 may be taken by
 * somebody else's server while its own is down, and that would answer.
 */
export const OWN_HOST = process.platform === 'linux' ? `127.${64 + (process.pid >> 16)}.${process.pid >> 8 & 255}.${process.pid & 255}` : '127.0.0.1';

export interface Ran { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly stdout: string; readonly stderr: string }

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Words before the command, for a program that starts it: `strace`, `env`. */
  readonly under?: readonly string[];
  /** A file that is run in place of the command. */
  readonly main?: string | undefined;
}

/** What `wherry serve --json` said first. */
export interface Listening { readonly event: string; readonly address: string; readonly fingerprint: string; readonly ticket: string }

export interface RigOptions {
  /** Further words for `wherry serve`. */
  readonly serve?: readonly string[];
  /** A file that is run as the server, in place of the command. */
  readonly main?: string | undefined;
  /** Words before `wherry serve`, as in `RunOptions`. */
  readonly under?: readonly string[];
  /** Where the server listens; default 127.0.0.1. */
  readonly host?: string;
  /** Whether to join at once; default yes. */
  readonly join?: boolean;
  /** Where the folders are made; default the system's temporary folder. */
  readonly below?: string;
  /** The user (and group) by number that owns the folders and runs everything; only root can choose one. */
  readonly as?: number | undefined;
}

export class Rig implements AsyncDisposable {
  readonly folder: string;
  readonly #serveWords: readonly string[];
  readonly #as: number | undefined;
  readonly #under: readonly string[];
  readonly #main: string | undefined;
  readonly #host: string;
  server: ChildProcess | undefined;
  listening!: Listening;
  /** What the server's log said, a line each. */
  readonly log: string[] = [];
  readonly #children = new Set<ChildProcess>();

  private constructor(folder: string, { serve = [], as, under = [], main, host = '127.0.0.1' }: RigOptions) {
    this.folder = folder;
    this.#serveWords = serve;
    this.#as = as;
    this.#under = under;
    this.#main = main;
    this.#host = host;
  }

  static async start(options: RigOptions = {}): Promise<Rig> {
    const { join: joins = true, below = tmpdir(), as } = options;
    const rig = new Rig(await mkdtemp(join(below, 'wherry-e2e-')), options);
    await mkdir(rig.served);
    await mkdir(rig.local);
    if (as !== undefined) for (const folder of [rig.folder, rig.served, rig.local]) await chown(folder, as, as);
    await rig.serve();
    if (joins) await rig.#join();
    return rig;
  }

  /** In this process, since nearly every test begins so; where another user owns the home, as that one. */
  async #join(): Promise<void> {
    const { ticket } = this.listening;
    if (this.#as === undefined) {
      await joinServer({ ticket, as: 'test', home: this.home });
      return;
    }
    const joined = await this.run(['join', '--as', 'test'], { input: `${ticket}\n` });
    if (joined.code !== 0) throw new Error(`join failed: ${joined.stderr}`);
  }

  get served(): string { return join(this.folder, 'served'); }
  get local(): string { return join(this.folder, 'local'); }
  get home(): string { return join(this.folder, 'home'); }
  get state(): string { return join(this.folder, 'state'); }

  /** Starts the server, on the same port as before if there was one; `under` as in `RunOptions`. */
  async serve(under: readonly string[] = this.#under): Promise<void> {
    const listen = this.listening === undefined ? `${this.#host}:0` : this.listening.address;
    const server = this.spawn(['serve', this.served, '--listen', listen, '--state', this.state, '--json', ...this.#serveWords], { under, main: this.#main });
    this.server = server;
    const lines = createInterface({ input: server.stdout! });
    server.stderr!.on('data', (chunk: Buffer) => { this.log.push(chunk.toString()); });
    this.listening = await new Promise<Listening>((done, failed) => {
      lines.on('line', (line) => {
        this.log.push(line);
        const event = JSON.parse(line) as Listening;
        if (event.event === 'listening') done(event);
      });
      server.once('exit', (code) => failed(new Error(`the server ended with ${code}: ${this.log.join('\n')}`)));
    });
  }

  /** Ends the server and waits for its end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const server = this.server!;
    if (server.exitCode !== null || server.signalCode !== null) return server.exitCode;
    const exit = once(server, 'exit');
    server.kill(signal);
    await exit;
    return server.exitCode;
  }

  /** Starts the command line with its own home, in the local folder. */
  spawn(words: readonly string[], { env = {}, cwd = this.local, under = [], main = MAIN }: RunOptions = {}): ChildProcess {
    const [program, ...rest] = [...under, process.execPath, main, ...words];
    const child = spawn(program!, rest, {
      cwd, env: { PATH: process.env['PATH'], HOME: this.folder, WHERRY_HOME: this.home, LANG: 'C.UTF-8', ...env }, stdio: ['pipe', 'pipe', 'pipe'],
      ...(this.#as !== undefined && { uid: this.#as, gid: this.#as }),
    });
    recordProcess(child, words, env);
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  /** Runs one command to its end. */
  async run(words: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const child = this.spawn(words, options);
    recordInput(words, options.input ?? '');
    child.stdin!.on('error', () => {}); // it may end before it has read everything
    child.stdin!.end(options.input ?? '');
    return finished(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    }
    await killAgents(this.home);
    for (const folder of [this.state, this.home]) recordFolder(folder);
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** What a transfer says every ten seconds where there is no terminal: on a machine that is busy enough, any of them does. */
const PROGRESS = /^[^\n]*\b\d{1,3}%, [\d.]+ [KMG]?i?B of [^\n]*\n/gm;

/** Collects what a command printed, but for how far it was meanwhile, until it has ended. */
export async function finished(child: ChildProcess): Promise<Ran> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout!.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr!.on('data', (chunk: Buffer) => err.push(chunk));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString().replace(PROGRESS, '') };
}
