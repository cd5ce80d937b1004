/**
 * A screen: the command line in a real pseudo-terminal, seen as a person sees it. What the program writes goes through
 * a terminal emulator, and the tests read the lines that would be on the glass, scrolled away ones included.
 */
import { resolve } from 'node:path';
import { spawn, type IPty } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { onTestFailed } from 'vitest';
import { recordText } from '../e2e/recorder.ts';
import type { Rig } from '../e2e/rig.ts';

const MAIN = resolve(import.meta.dirname, '../..', process.env['WHERRY_DIST'] ?? 'dist', process.env['WHERRY_DIST'] === undefined ? 'bin/wherry.js' : 'cli/main.js');

export interface ScreenOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A program, with its words, that starts the command line in its turn. */
  readonly under?: readonly string[];
  /** Whether the line with the cursor is broken anew when the width changes, as most terminals do. */
  readonly breaksAnew?: boolean;
}

export class Screen implements AsyncDisposable {
  readonly #terminal: xterm.Terminal;
  readonly #pty: IPty;
  /** The exit code of the program. */
  readonly exit: Promise<number>;
  readonly #waiting = new Set<() => void>();
  #ended = false;
  #said = '';
  #wanted: string | RegExp = '';

  constructor(words: readonly string[], { columns = 80, rows = 24, cwd, env = {}, under = [], breaksAnew = false }: ScreenOptions) {
    this.#terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 1000, allowProposedApi: true, reflowCursorLine: breaksAnew });
    const [program, ...rest] = [...under, process.execPath, MAIN, ...words];
    this.#pty = spawn(program!, rest, {
      cols: columns, rows, cwd, env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color', LANG: 'C.UTF-8', SHELL: '/bin/sh', PAGER: 'cat', ...env },
    });
    this.#pty.onData((data) => {
      this.#said += data;
      this.#terminal.write(data, () => this.#look());
    });
    // A test that waits in vain should say what it saw instead.
    onTestFailed(({ task }) => {
      const error = task.result?.errors?.[0];
      if (error !== undefined) error.message += `\nwanted: ${String(this.#wanted)}\nscreen:\n${this.lines.join('\n')}`;
    });
    // What was written last may still be on its way through the emulator, which takes all in order.
    this.exit = new Promise((done) => this.#pty.onExit(({ exitCode }) => this.#terminal.write('', () => {
      this.#ended = true;
      recordText(words, 'terminal', Buffer.from(this.#said));
      this.#look();
      done(exitCode);
    })));
  }

  /** Everything the program has written, as it wrote it. */
  get said(): string {
    return this.#said;
  }

  /** All lines, as long as they were written, from the first to that of the cursor; only there are spaces at the end kept. */
  get lines(): string[] {
    const buffer = this.#terminal.buffer.active;
    const lines: string[] = [];
    for (let index = 0; index <= buffer.baseY + buffer.cursorY; index += 1) {
      const line = buffer.getLine(index);
      const text = line?.translateToString(!(buffer.getLine(index + 1)?.isWrapped ?? false)) ?? '';
      if (line?.isWrapped === true) lines.push((lines.pop() ?? '') + text);
      else lines.push(text);
    }
    return lines.map((line, index) => (index === lines.length - 1 ? line : line.trimEnd()));
  }

  /** The rows that are on the glass now, as wide as it is, without the spaces at their ends. */
  get glass(): string[] {
    const { active } = this.#terminal.buffer;
    return Array.from({ length: this.#terminal.rows }, (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '');
  }

  /** Whether rows have left the glass at its top. */
  get hasScrolled(): boolean {
    return this.#terminal.buffer.active.baseY > 0;
  }

  /** Resolves when the screen shows what is wanted; rejects when the program ended without. */
  see(wanted: string | RegExp): Promise<void> {
    this.#wanted = wanted;
    return new Promise((done, failed) => {
      const look = () => {
        const text = this.lines.join('\n');
        const found = typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text);
        if (!found && !this.#ended) return;
        this.#waiting.delete(look);
        if (found) done();
        else failed(new Error(`the program ended, and ${String(wanted)} was never seen:\n${text}`));
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Resolves when what was written after the first `from` characters ends as wanted, and stands on the glass. */
  drawn(from: number, wanted: RegExp): Promise<void> {
    return new Promise((done) => {
      const look = () => {
        if (!wanted.test(this.#said.slice(from)) && !this.#ended) return;
        this.#waiting.delete(look);
        done();
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Types keys one by one, as a person does: pasted text is treated differently by the line editor. */
  type(text: string): void {
    for (const key of text) this.#pty.write(key);
  }

  /** TAB, again where the server was slower than a person waits, until `wanted` is seen. A key takes the hint away, so that the next one is new. */
  async complete(wanted: RegExp): Promise<void> {
    for (;;) {
      this.type('\t');
      await this.see(new RegExp(`(?:${wanted.source})|asking the server; TAB again$`));
      if (wanted.test(this.lines.join('\n'))) return;
      this.type(' \u007f');
      await this.see(/(?<!TAB again)$/);
    }
  }

  /** Types a line and the enter key. */
  enter(line: string): void {
    this.type(`${line}\r`);
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) this.#pty.kill('SIGKILL');
    await this.exit;
    this.#terminal.dispose();
  }

  #look(): void {
    for (const look of [...this.#waiting]) look();
  }
}

/** Resolves when the server says that somebody has signed in: from then on that program runs, and takes signals. */
export function nextSignIn(rig: Rig): Promise<void> {
  const output = rig.server!.stdout!;
  return new Promise((done) => {
    const look = (chunk: Buffer) => {
      if (!chunk.includes('"signed-in"')) return;
      output.off('data', look);
      done();
    };
    output.on('data', look);
  });
}
