/**
 * put and get: the sources as typed, a line of progress while they run, an answer for each of them.
 * The transfers themselves are the client's; nothing here touches a file.
 */
import type { Client, Item, Problem, Progress, Summary, TransferOptions } from '../client/api.ts';
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Work } from './command.ts';
import { DONE, EXITS, exitOf, UNHEARD } from './exits.ts';
import { pour, remotePath } from './files.ts';
import { localPath } from './here.ts';
import { STANDARD } from './places.ts';
import { Meter } from './progress.ts';
import { summaryEvent } from './report.ts';
import { reasonOf } from './signals.ts';

/** On a terminal, besides each reading: so that a stall is seen. */
const REDRAW_MS = 500;
/** Elsewhere one line in this time: a log should show that it lives, and stay short. */
const LOG_MS = 10_000;

/** A transfer that is over in a second needs no estimate, and counting would cost it a quarter of that. */
const COUNT_AFTER_MS = 1_000;

export interface TransferFlags {
  readonly exclude: readonly string[];
  readonly follow: boolean;
  readonly 'no-sync': boolean;
  readonly 'if-absent': boolean;
}

interface Ask {
  readonly flags: TransferFlags;
  readonly local: readonly string[];
  readonly remote: readonly string[];
}

export async function put(work: Work, { flags, local, remote }: Ask): Promise<number> {
  const { session } = work;
  if (local.includes(STANDARD)) return putStandardInput(work, { flags, local, remote });
  const typed = new Map(local.map((word) => [localPath(session, word), word]));
  // Without a target a file goes into the remote folder; the slash says that it is meant as a folder.
  const target = remote[0] === undefined || remote[0] === '' ? remotePath(session, './') : remotePath(session, remote[0]);
  return transfer(work, flags, typed, (client, options) => client.put([...typed.keys()], target, options));
}

export async function get(work: Work, { flags, local, remote }: Ask): Promise<number> {
  const { session } = work;
  if (local[0] === STANDARD) return getStandardOutput(work, remote);
  const typed = new Map(remote.map((word) => [remotePath(session, word), word]));
  const target = localPath(session, local[0] ?? './');
  return transfer(work, flags, typed, (client, options) => client.get([...typed.keys()], target, options));
}

async function putStandardInput(work: Work, { flags, local, remote }: Ask): Promise<number> {
  const { session, report, terminal } = work;
  const name = remote[0];
  if (local.length > 1) throw new Failure('USAGE', 'standard input cannot be sent together with files');
  if (name === undefined || name === '' || name.endsWith('/')) throw new Failure('USAGE', 'standard input has no name of its own', { hint: 'name the target: wherry put - :NAME' });
  const target = remotePath(session, name);
  return transfer(work, flags, new Map([[STANDARD, STANDARD]]), async (client, options) => {
    const item = await client.putStream(terminal.bytes(work.signal), target, options);
    // The name it has now says more than a dash.
    await report.item(item, printable(name));
    return summaryOf(item);
  }, false);
}

/** Only the bytes go to standard output, and nothing is said when all is well: it is the beginning of a pipe. */
async function getStandardOutput(work: Work, remote: readonly string[]): Promise<number> {
  for (const word of remote) {
    await pour(work, remotePath(work.session, word));
    if (!work.terminal.isHeard) return UNHEARD;
  }
  return DONE;
}

function summaryOf(item: Item): Summary {
  const { files, bytes, kept, skipped, milliseconds } = item;
  return { items: [item], files, bytes, kept, failed: item.failed + (item.failure === undefined ? 0 : 1), skipped, milliseconds };
}

type Start = (client: Client, options: TransferOptions) => Promise<Summary>;

/** Runs a transfer of the sources in `typed` (as the client knows them → as typed) and answers for each, in order. */
async function transfer(work: Work, flags: TransferFlags, typed: ReadonlyMap<string, string>, start: Start, tellItems = true): Promise<number> {
  const { session, settings, signal, report } = work;
  let told = Promise.resolve();
  const onItem = (item: Item) => void (told = told.then(() => report.item(explained(item, signal), typed.get(item.source) ?? item.source)));
  const onFile = (path: string, problem?: Problem) => {
    // What failed is told with its item.
    if (problem === undefined) told = told.then(() => report.done(printable(path), { event: 'file', path }));
  };
  const meter = startMeter(work);
  try {
    const summary = await start(session.client, {
      signal, exclude: flags.exclude, follow: flags.follow, ifAbsent: flags['if-absent'], level: flags['no-sync'] ? 'visible' : 'durable',
      onProgress: meter?.update, countAfter: meter === undefined ? undefined : COUNT_AFTER_MS,
      onItem: tellItems ? onItem : undefined, onFile: settings.verbose ? onFile : undefined,
    });
    meter?.stop();
    await told;
    const exit = signal.aborted ? EXITS[reasonOf(undefined, signal).code] : exitOf(typed.size, report.failures);
    await report.event(summaryEvent(summary, summary.items.length, exit));
    return exit;
  } finally {
    meter?.stop();
  }
}

/** An item that was cancelled, with the reason of the cancellation in place of its echo. */
function explained(item: Item, signal: AbortSignal): Item {
  return item.failure === undefined || !signal.aborted ? item : { ...item, failure: reasonOf(item.failure, signal) };
}

interface RunningMeter {
  update(progress: Progress): void;
  stop(): void;
}

/** Shows progress as the place allows: a line redrawn on a terminal, a line now and then in a log, else nothing. */
function startMeter({ terminal, settings }: Work): RunningMeter | undefined {
  if (settings.json || settings.quiet) return undefined;
  const meter = new Meter();
  const draw = () => terminal.status(meter.line(terminal.width - 1, performance.now())); // the last column would wrap
  const log = () => {
    const sentence = meter.sentence(performance.now());
    if (sentence !== '') terminal.say(sentence);
  };
  const timer = terminal.canRedraw ? setInterval(draw, REDRAW_MS) : setInterval(log, LOG_MS);
  timer.unref();
  return {
    update(progress) {
      meter.update(progress, performance.now());
      if (terminal.canRedraw) draw();
    },
    stop() {
      clearInterval(timer);
      terminal.status('');
    },
  };
}
