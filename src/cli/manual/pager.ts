/**
 * Pager: long text for a person, through the program that $PAGER names. Only on a terminal, and only what is longer than it;
 * where the program cannot be run, the text is shown as it is.
 */
import { spawn } from 'node:child_process';
import { pipeline } from 'node:stream/promises';
import type { Context } from '../command.ts';

/** Leaves at once where all fits, and what was read stays on the screen. */
const USUAL = 'less';
const USUAL_FLAGS = 'FRX';
/** What shells answer for a program that cannot be run, or is not there. */
const NOT_RUN = [126, 127];
/** How a pipe says that its reader has left. */
const LEFT: ReadonlySet<string> = new Set(['EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED']);

/** Shows the lines, or the object in their place. */
export async function show({ terminal, report, settings }: Pick<Context, 'terminal' | 'report' | 'settings'>, lines: readonly string[], event: object): Promise<void> {
  const height = terminal.isShown ? terminal.rows : undefined;
  const paged = !report.json && !settings.noInput && terminal.canAsk && height !== undefined && lines.length >= height;
  if (paged && (await page(`${lines.join('\n')}\n`))) return;
  await report.answer(lines, event);
}

/** Shows bytes as they come, on a terminal through the pager; resolves with false when nobody can be shown them so. */
export async function showStream({ terminal, report, settings }: Pick<Context, 'terminal' | 'report' | 'settings'>, bytes: AsyncIterable<Uint8Array>): Promise<boolean> {
  if (report.json || settings.noInput || !terminal.canAsk || !terminal.isShown) return false;
  return page(bytes);
}

/** Whether somebody was shown the text. */
function page(text: string | AsyncIterable<Uint8Array>): Promise<boolean> {
  const { PAGER: wanted, LESS: flags = USUAL_FLAGS } = process.env;
  const program = wanted === undefined || wanted === '' ? USUAL : wanted;
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', program], { stdio: ['pipe', 'inherit', 'ignore'], env: { ...process.env, LESS: flags } });
    child.once('error', () => resolve(false));
    child.once('close', (code) => resolve(code === null || !NOT_RUN.includes(code)));
    child.stdin.on('error', () => {}); // left before the end
    if (typeof text === 'string') child.stdin.end(text);
    else pipeline(text, child.stdin).catch((error: unknown) => { if (!LEFT.has((error as NodeJS.ErrnoException).code ?? '')) reject(error); });
  });
}
