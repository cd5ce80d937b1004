/** The log of `serve` as it is shown: JSON lines on standard output, or lines for people on standard error, and how many connections are open by it. */
import { createLog, type ServerEvent } from '../server/log.ts';
import type { Values } from '../server/settings/table.ts';
import type { Context } from './command.ts';

export interface Log {
  event(event: ServerEvent): void;
  /** Connections that are open now. */
  connections(): number;
  use(format: Format): void;
}

export type Format = 'json' | 'text';

export function formatOf(values: Values): Format {
  return values['log.format'] ?? 'text';
}

/** The log in one format, until another one is wanted. */
export function openLog(context: Context, format: Format): Log {
  const open = { json: (isStarting: boolean) => jsonLog(context, isStarting), text: () => textLog(context) };
  let write = open[format](true);
  return { ...counted((event) => write(event)), use: (wanted) => { write = open[wanted](false); } };
}

function counted(write: (event: ServerEvent) => void): Omit<Log, 'use'> {
  let open = 0;
  return {
    event(event) {
      if (event.event === 'connected') open += 1;
      if (event.event === 'disconnected') open = Math.max(0, open - 1);
      write(event);
    },
    connections: () => open,
  };
}

/** One JSON object a line on standard output. What is told while the server starts waits, so that `listening` comes first. */
function jsonLog({ terminal }: Context, isStarting: boolean): (event: ServerEvent) => void {
  const write = createLog({ format: 'json', write: (line) => void terminal.data(line) });
  let early: ServerEvent[] | undefined = isStarting ? [] : undefined; // a handful: nobody can connect before it listens
  return (event) => {
    if (early !== undefined && event.event !== 'listening') {
      early.push(event);
      return;
    }
    write(event);
    for (const waiting of early ?? []) write(waiting);
    early = undefined;
  };
}

/** Lines for people on standard error. The block at the start says where it listens, better than the log can. */
function textLog({ terminal, settings }: Context): (event: ServerEvent) => void {
  const write = createLog({ format: 'text', write: (line) => terminal.say(line.trimEnd()) });
  return (event) => {
    if (event.event !== 'listening' && !(settings.quiet && event.event !== 'warning' && event.event !== 'code')) write(event);
  };
}
