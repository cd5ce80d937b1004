/** A stand-in for a service manager: a real datagram socket, listened at by Python, since Node has none; and what was said there. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { until } from './traces.ts';

/** What has to be there for it, and is not. */
export const MISSING = (['systemd-notify', 'python3'] as const).filter((program) => spawnSync(program, ['--version']).error !== undefined);

const LISTEN = `
import json, socket, sys
listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listening.bind(sys.argv[1])
print('"listening"', flush=True)
while True:
    print(json.dumps(listening.recv(65536).decode()), flush=True)
`;

/** One message, by its words. */
export type Message = Readonly<Record<string, string>>;

export class Manager implements AsyncDisposable {
  readonly socket: string;
  readonly messages: Message[] = [];
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(folder: string) {
    this.#folder = folder;
    this.socket = join(folder, 'notify');
    this.#child = spawn('python3', ['-c', LISTEN, this.socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  static async start(): Promise<Manager> {
    const manager = new Manager(await mkdtemp(join(tmpdir(), 'wherry-manager-')));
    const lines = createInterface({ input: manager.#child.stdout! });
    const listening = once(lines, 'line');
    lines.on('line', (line) => manager.#heard(JSON.parse(line) as string));
    await listening;
    return manager;
  }

  /** Resolves with the messages that have these words, when there are so many. */
  async said(words: Message, count = 1): Promise<Message[]> {
    const found = (): Message[] => this.messages.filter((message) => Object.entries(words).every(([key, value]) => message[key] === value));
    await until(() => found().length >= count, () => `not said: ${JSON.stringify(words)} in ${JSON.stringify(this.messages)}`);
    return found();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
    await rm(this.#folder, { recursive: true });
  }

  /** The barrier is what `systemd-notify` waits for by itself. */
  #heard(text: string): void {
    if (text === 'listening' || text === 'BARRIER=1') return;
    this.messages.push(Object.fromEntries(text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])));
  }
}
