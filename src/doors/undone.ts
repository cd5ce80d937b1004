/** Undone: what the verb `undo` does to a drive, and how an action is named on the wire. Steps are paid for with credit, as listings are. */
import { hex } from '../digest.ts';
import type { Drive } from '../drive.ts';
import type { Exchange } from '../session/exchange.ts';
import { cut, type Message } from '../wire/messages.ts';

/** The tag of an action, as the drive takes it. */
export function tagOf(action: Uint8Array): string;
export function tagOf(action: Uint8Array | undefined): string | undefined;
export function tagOf(action: Uint8Array | undefined): string | undefined {
  return action && hex(action);
}

export async function sayUndone(drive: Drive, exchange: Exchange, { redo, force, rehearse, action }: Message<'undo'>): Promise<void> {
  const pages = rehearse ? drive.rehearseUndo({ redo, force }) : drive.undo({ redo, force }, tagOf(action));
  for await (const { page, at } of pages) {
    const steps = page.map(({ path, what, to, bytes, problem }) => ({ path, what, to, bytes, code: problem?.code, message: problem && cut(problem.message, 512) }));
    const size = steps.reduce((sum, { path, to, message }) => sum + (path.length + (to?.length ?? 0) + (message?.length ?? 0)) * 3 + 64, 64);
    await exchange.sayBulk({ kind: 'undone', at: Math.round(at * 1000), steps }, size);
  }
  exchange.say({ kind: 'done' });
}
