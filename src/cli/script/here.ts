/** Commands of this machine: run by the person's shell in the local folder, with what they read given by the terminal or by us. */
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { Failure } from '../../errors.ts';
import type { Session } from '../command.ts';
import { DONE, SOME_FAILED, UNHEARD } from '../exits.ts';
import { Outlet } from '../outlet.ts';
import type { Terminal } from '../terminal.ts';

/** `!COMMAND`; alone, a shell to type in. A batch keeps its input to itself. Resolves with the exit code. */
export function runHere(session: Session, command: string, interactive: boolean): Promise<number> {
  return ended(start(session, command, interactive ? 'inherit' : 'ignore'));
}

/** Does `run` with its answers going to a command, and waits for that; it failed when either did. */
export async function runInto(session: Session, terminal: Terminal, command: string, run: () => Promise<number>): Promise<number> {
  const child = start(session, command, 'pipe');
  const over = ended(child);
  over.catch(() => undefined); // it is waited for below, and may fail before
  const stream = child.stdin!;
  let exit: number;
  try {
    using _ = terminal.divert(new Outlet(stream, command));
    exit = await run();
  } finally {
    stream.end();
  }
  const read = await over;
  // A reader that has seen enough is no failure (`ls | head`).
  return exit === DONE || exit === UNHEARD ? read : exit;
}

function start({ localFolder }: Session, command: string, input: 'inherit' | 'ignore' | 'pipe'): ChildProcess {
  return spawn(shell(), command === '' ? [] : ['-c', command], { cwd: localFolder, stdio: [input, 'inherit', 'inherit'] });
}

function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('error', (cause) => reject(new Failure('IO', `${shell()} could not be run`, { who: 'here', cause })));
    child.on('close', (code, signal) => resolve(signal === null ? (code ?? SOME_FAILED) : 128 + constants.signals[signal]));
  });
}

function shell(): string {
  return process.env['SHELL'] ?? '/bin/sh';
}
