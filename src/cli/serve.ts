/** serve: running a server until it is told to stop, and what the person who starts it is shown, and the service manager told. Loaded only when it is asked for. */
import type { ServerEvent } from '../server/log.ts';
import { Predecessor } from '../server/handover/predecessor.ts';
import { Notify } from '../server/notify.ts';
import { serveAfter, type Server } from '../server/server.ts';
import { keepYoungSmall } from '../server/young.ts';
import { printable } from '../printable.ts';
import { showQr } from './admin.ts';
import type { Context } from './command.ts';
import { DONE } from './exits.ts';
import { formatDuration, plural } from './measures.ts';
import { greetingLines } from './meet/greeting.ts';
import { formatOf, openLog } from './serve-log.ts';
import { givenBy, type Plan, planServing, type SettingFlags } from './serving.ts';
import { takeHangup } from './signals.ts';
import { againAsTyped } from './upgrade.ts';

export interface ServeFlags extends SettingFlags {
  readonly config: string | undefined;
  readonly code: boolean;
  readonly qr: boolean;
}

export async function serve(context: Context, { flags, words }: { flags: ServeFlags; words: readonly string[] }): Promise<number> {
  const { signal } = context;
  keepYoungSmall();
  const predecessor = Predecessor.of(process, process.env);
  const { plan, again } = await planned(context, flags, words[0], predecessor);
  let { values } = plan;
  const log = openLog(context, formatOf(values));
  await using notify = new Notify({ env: process.env, status: () => `serving ${printable(plan.dir)}, ${plural(log.connections(), 'connection')}`, onTrouble: (message) => log.event({ event: 'warning', message }) });
  const reread = again && (async () => {
    notify.reloading();
    const over = (): void => notify.ready();
    const next = await again().catch((error: unknown) => { over(); throw error; });
    const changed = formatOf(next.values) === formatOf(values) ? [] : ['log.format'];
    return { ...next, changed, applied: () => { ({ values } = next); log.use(formatOf(values)); }, over };
  });
  const heard = (event: ServerEvent): void => {
    log.event(event);
    if (event.event === 'stopping') notify.stopping();
    if (event.event === 'handed-over') notify.leave();
  };
  // Told by the log, whatever comes of it. While the server starts, it is noted.
  const hangup: { server?: Server; isAsked: boolean } = { isAsked: false };
  const onHangup = (): void => { hangup.isAsked = true; void hangup.server?.reload().catch(() => undefined); };
  using _hangup = again && takeHangup(onHangup);
  const server = await serveAfter(predecessor, plan.dir, { ...plan.options, code: flags.code, reread, onEvent: heard, upgrade: againAsTyped(() => notify.env) });
  notify.ready(predecessor !== undefined);
  hangup.server = server;
  if (hangup.isAsked) onHangup();
  if (process.getuid?.() === 0) log.event({ event: 'warning', message: AS_ROOT });
  if (formatOf(values) === 'text' && predecessor === undefined) await introduce(context, server, flags, plan);
  try {
    await untilStopped(server, signal);
    if (formatOf(values) === 'text' && log.connections() > 0) context.terminal.say(finishing(log.connections(), values.grace!));
  } finally {
    await server.stop();
  }
  return DONE;
}

function finishing(connections: number, graceMs: number): string {
  const whose = connections === 1 ? 'the transfers of 1 connection' : `the transfers of ${plural(connections, 'connection')}`;
  return `finishing ${whose}, up to ${formatDuration(graceMs)}; press ^C again to stop now`;
}

/** How it is started, as `planServing`; the process whose place it takes is told why there is none. */
async function planned(context: Context, flags: ServeFlags, dir: string | undefined, predecessor: Predecessor | undefined): ReturnType<typeof planServing> {
  try {
    return await planServing(givenBy(flags, dir, context.settings.json), flags.config);
  } catch (error) {
    predecessor?.failed(error);
    throw error;
  }
}

const AS_ROOT = 'this server runs as root, so that a fault in it would be one of the whole machine; better: a user of its own that owns the folder and the state, as in: sudo -u wherry wherry serve';

async function untilStopped(server: Server, signal: AbortSignal): Promise<void> {
  // A signal that came while it was starting has fired already.
  const asked = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  if (!signal.aborted) await Promise.race([asked, server.ended]);
}

async function introduce({ terminal }: Context, server: Server, flags: ServeFlags, { dir, options, values }: Plan): Promise<void> {
  await terminal.data(`${greetingLines({ server, dir, role: options.role ?? 'rw', ticketMs: values.ticket_life!, width: terminal.width }).join('\n')}\n`);
  if (flags.qr && server.ticket !== '') await showQr(terminal, server.ticket);
}
