/**
 * The agent: one process for each user and folder of jobs, without a terminal, that runs them.
 *
 * Its socket is the proof that it is the only one: a second agent finds it answered and ends. Whoever may open the socket
 * may do everything here, and the folder decides who that is; still, nothing that comes is believed. It ends by itself
 * when there has been nothing to do for a while and nobody is attached, at SIGTERM, and when its socket is taken away.
 */
import { chmod } from 'node:fs/promises';
import { Failure } from '../../errors.ts';
import { privateFolder } from '../../private.ts';
import type { Context } from '../command.ts';
import { DONE } from '../exits.ts';
import { parseDuration } from '../measures.ts';
import { askAgent } from './ask.ts';
import { Book } from './book.ts';
import { listenOn, type Channel } from './channel.ts';
import { openDiary, type Diary } from './diary.ts';
import { brief, type Job } from './job.ts';
import { jobsFolder, socketIn } from './place.ts';
import { readRequest, type Request } from './requests.ts';
import { Yard } from './yard.ts';

/** Long enough that one who types several jobs meets the same agent. */
const IDLE_MS = 300_000;
/** How often it looks whether it is still needed. */
const LOOK_MS = 5000;
/** Finished jobs are kept for days; it need not be exact. */
const SWEEP_MS = 3_600_000;

export async function agent(context: Context, { flags }: { flags: { stop: boolean; idle: string | undefined } }): Promise<number> {
  const { settings } = context;
  if (flags.stop) {
    await askAgent(settings.home, { verb: 'stop' });
    return DONE;
  }
  const idleMs = flags.idle === undefined ? IDLE_MS : parseDuration(flags.idle, '--idle');
  try {
    await runAgent(settings.home, context.signal, idleMs);
    return DONE;
  } catch (error) {
    const { code, message, hint } = Failure.from(error);
    tellStarter({ ok: false, code, message, hint });
    throw error;
  }
}

/** Who started this process waits for one word, and goes. */
function tellStarter(word: object): void {
  if (process.send === undefined || !process.connected) return;
  process.send(word, () => { if (process.connected) process.disconnect(); });
}

async function runAgent(home: string | undefined, outer: AbortSignal, idleMs: number): Promise<void> {
  const folder = jobsFolder(home);
  const path = socketIn(folder);
  // The terminal that it was started from goes away; for other commands that is a reason to end.
  process.removeAllListeners('SIGHUP');
  process.on('SIGHUP', () => undefined);
  await privateFolder(folder);
  await chmod(folder, 0o700);
  const diary = openDiary(folder);
  const ending = new AbortController();
  const signal = AbortSignal.any([outer, ending.signal]);
  let yard: Yard | undefined;
  let opened: () => void = () => undefined;
  const ready = new Promise<void>((done) => { opened = done; });
  const listening = await listenOn(path, async (channel) => {
    await ready; // the book is read only by whoever holds the socket
    if (yard !== undefined) await serve(channel, yard, diary, () => ending.abort());
  });
  try {
    const book = await Book.open(folder, (name) => diary(`${name} is not a job; it is left alone`));
    await book.sweep(Date.now());
    yard = new Yard(book, home, diary);
    diary(`agent ${process.pid}: started`);
    await yard.resume();
    opened();
    tellStarter({ ok: true });
    await untilIdle(yard, listening, signal, idleMs, book);
  } finally {
    opened();
    await yard?.close();
    await listening[Symbol.asyncDispose]();
    diary(`agent ${process.pid}: ended`);
  }
}

async function untilIdle(yard: Yard, listening: { readonly attached: number; holds(): Promise<boolean> }, signal: AbortSignal, idleMs: number, book: Book): Promise<void> {
  let needed = performance.now();
  let swept = needed;
  while (!signal.aborted) {
    const now = performance.now();
    if (yard.isBusy || listening.attached > 0) needed = now;
    if (now - needed >= idleMs || !(await listening.holds())) return;
    if (now - swept > SWEEP_MS) {
      swept = now;
      await book.sweep(Date.now());
    }
    await pause(Math.min(LOOK_MS, idleMs), signal);
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(finish, milliseconds);
    signal.addEventListener('abort', finish, { once: true });
    function finish(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      done();
    }
  });
}

/** Answers one connection until it ends; never rejects. What makes no sense is answered once, and the connection ended. */
async function serve(channel: Channel, yard: Yard, diary: Diary, stop: () => void): Promise<void> {
  try {
    await channel.greet();
    for (;;) {
      const request = readRequest(await channel.next());
      // Whoever waits for the end of a job has nothing to say until then.
      channel.patience(request.verb === 'wait' ? 0 : undefined);
      const said = await answer(yard, request, channel).then((jobs) => ({ ok: true, jobs }), refusal);
      channel.patience();
      await channel.say(said);
      if (request.verb === 'stop') stop();
    }
  } catch (error) {
    const failure = Failure.from(error);
    if (failure.code !== 'LOST') diary(`a connection was ended: ${failure.message}`);
    await channel.say(refusal(failure));
  } finally {
    channel[Symbol.dispose]();
  }
}

function refusal(error: unknown): object {
  const { code, message, hint } = Failure.from(error);
  return { ok: false, code, message, hint };
}

async function answer(yard: Yard, request: Request, channel: Channel): Promise<readonly Job[]> {
  switch (request.verb) {
    case 'add': return [await yard.add(request.wish)];
    case 'list': return yard.jobs.map(brief);
    case 'show': return [yard.find(request.number)];
    case 'wait': return [await yard.whenOver(request.number, channel.closed)];
    case 'kill': return done(yard.kill(request.number));
    case 'pause': return done(yard.pause(request.number));
    case 'resume': return done(yard.goOn(request.number));
    case 'clear': return done(yard.clear());
    case 'stop': return [];
  }
}

async function done(deed: Promise<void>): Promise<readonly Job[]> {
  await deed;
  return [];
}
