/**
 * serve, invite and devices: running a server, and letting people in. The only file of the command line that
 * sees `server/`, loaded only when one of these is asked for.
 */
import { createLog, type ServerEvent } from '../server/log.ts';
import { askServer } from '../server/admin.ts';
import { serve as startServer, type Server } from '../server/server.ts';
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Role } from '../rights.ts';
import type { Context } from './command.ts';
import { DONE, exitOf } from './exits.ts';
import { formatDuration, parseDuration, plural } from './measures.ts';
import { Report } from './report.ts';

export interface RoleFlags {
  readonly ro: boolean;
  readonly rw: boolean;
  readonly drop: boolean;
}

export interface ServeFlags extends RoleFlags {
  readonly listen: readonly string[];
  readonly state: string | undefined;
  readonly grace: string | undefined;
  readonly 'allow-similar-names': boolean;
}

const ROLE_TEXT: Readonly<Record<Role, string>> = { ro: 'read only', rw: 'read and write', drop: 'add new files only' };

/** The one role that was asked for; undefined for none. Throws USAGE for two. */
function roleOf(flags: RoleFlags): Role | undefined {
  const given = (['ro', 'rw', 'drop'] as const).filter((role) => flags[role]);
  if (given.length > 1) throw new Failure('USAGE', `${given.map((role) => `--${role}`).join(' and ')} exclude each other`, { hint: 'choose one' });
  return given[0];
}

/** How long a server may take to stop when nothing else was said; it is the server's own default, shown in words. */
const GRACE_MS = 10_000;

export async function serve(context: Context, { flags, words }: { flags: ServeFlags; words: readonly string[] }): Promise<number> {
  const { settings, signal } = context;
  const role = roleOf(flags) ?? 'rw';
  const graceMs = flags.grace === undefined ? GRACE_MS : parseDuration(flags.grace, '--grace');
  const log = settings.json ? jsonLog(context) : textLog(context);
  const server = await startServer(words[0] ?? '.', {
    ...(flags.listen.length > 0 ? { listen: flags.listen } : {}), state: flags.state, role, graceMs,
    similarNames: flags['allow-similar-names'], onEvent: log.event,
  });
  if (!settings.json) await introduce(context, server, words[0] ?? '.', role);
  // A signal that came while it was starting has fired already.
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  if (!settings.json && log.connections() > 0) {
    const whose = log.connections() === 1 ? 'the transfers of 1 connection' : `the transfers of ${plural(log.connections(), 'connection')}`;
    context.terminal.say(`finishing ${whose}, up to ${formatDuration(graceMs)}; press ^C again to stop now`);
  }
  await server.stop({ graceMs });
  return DONE;
}

interface Log {
  event(event: ServerEvent): void;
  /** Connections that are open now. */
  connections(): number;
}

function counted(write: (event: ServerEvent) => void): Log {
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
function jsonLog({ terminal }: Context): Log {
  const write = createLog({ format: 'json', write: (line) => void terminal.data(line) });
  let early: ServerEvent[] | undefined = []; // a handful: nobody can connect before it listens
  return counted((event) => {
    if (early !== undefined && event.event !== 'listening') {
      early.push(event);
      return;
    }
    write(event);
    for (const waiting of early ?? []) write(waiting);
    early = undefined;
  });
}

/** Lines for people on standard error. The block at the start says where it listens, better than the log can. */
function textLog({ terminal, settings }: Context): Log {
  const write = createLog({ format: 'text', write: (line) => terminal.say(line.trimEnd()) });
  return counted((event) => {
    if (event.event !== 'listening' && !(settings.quiet && event.event !== 'warning')) write(event);
  });
}

async function introduce({ terminal }: Context, server: Server, dir: string, role: Role): Promise<void> {
  await terminal.data([
    `serving ${printable(dir)}, ${ROLE_TEXT[role]}`,
    ...server.addresses.map((address) => `listening on ${address}`),
    `fingerprint ${server.fingerprint}`,
    '',
    'On the other machine run:  wherry join   then paste:',
    '',
    server.ticket,
    '',
    'It works once, for 10 minutes; "wherry invite" prints another. ^C stops the server.',
    '',
  ].join('\n'));
}

export async function invite(context: Context, { flags }: { flags: RoleFlags & { state: string | undefined; for: string | undefined } }): Promise<number> {
  const forMs = flags.for === undefined ? undefined : parseDuration(flags.for, '--for');
  const { ticket, role, expires } = await askServer(flags.state, { verb: 'invite', role: roleOf(flags), forMs });
  // The ticket alone on standard output, so that it can be piped.
  await context.report.answer(ticket, { event: 'invited', ticket, role, expires });
  if (!context.settings.json && !context.settings.quiet) context.terminal.say(`${ROLE_TEXT[role]}; works once, until ${expires}`);
  return DONE;
}

export async function devices(context: Context, { flags, words }: { flags: { state: string | undefined }; words: readonly string[] }): Promise<number> {
  const [action = 'list', ...names] = words;
  if (action === 'list' && names.length === 0) return listDevices(context, flags.state);
  if (action !== 'revoke') throw new Failure('USAGE', `devices cannot ${printable(action)}`, { hint: 'devices list, or devices revoke NAME' });
  if (names.length === 0) throw new Failure('USAGE', 'devices revoke needs the name of a device', { hint: 'wherry devices list shows the names' });
  const report = new Report(context.terminal, context.settings, 'devices revoke');
  for (const name of names) {
    try {
      await askServer(flags.state, { verb: 'devices revoke', name });
      await report.done(`revoked ${printable(name)}`, { event: 'revoked', name });
    } catch (error) {
      await report.failed(error, name);
    }
  }
  return exitOf(names.length, report.failures);
}

async function listDevices({ report }: Context, state: string | undefined): Promise<number> {
  const { devices: known } = await askServer(state, { verb: 'devices list' });
  if (report.json) {
    for (const device of known) await report.event({ event: 'device', ...device });
    return DONE;
  }
  const widest = known.reduce((most, { name }) => Math.max(most, name.length), 0);
  await report.answer(known.map(({ name, role, added, lastSeen }) => {
    return `${printable(name).padEnd(widest)}  ${role.padEnd(4)}  added ${added.slice(0, 10)}  ${lastSeen === undefined ? 'not seen yet' : `last seen ${lastSeen.slice(0, 16).replace('T', ' ')} UTC`}`;
  }), {});
  return DONE;
}
