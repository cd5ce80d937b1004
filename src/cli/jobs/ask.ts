/**
 * Asking the agent, and starting it where none runs: in a session of its own, without a terminal, from the same program.
 */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { Failure, type Code } from '../../errors.ts';
import { isOver, type Job } from './job.ts';
import { readJobs } from './book.ts';
import { openChannel, type Channel } from './channel.ts';
import { soonAfter } from './grace.ts';
import { jobsFolder, socketIn } from './place.ts';
import { readAnswer, type Request } from './requests.ts';

/** Between looks while another process starts the agent. */
const LOOK_MS = 50;
/** An agent is there within a second on a busy machine; this is one that hangs. */
const PATIENCE_MS = 20_000;
/** One that runs answers at once; so much later a person who typed ^C is kept waiting. */
const GRACE_MS = 50;
/** Variables that name folders. */
const FOLDERS = ['WHERRY_HOME', 'XDG_CONFIG_HOME', 'XDG_STATE_HOME'];

/** A connection to the agent, for one question after the other. */
export class Agent implements Disposable {
  readonly #channel: Channel;
  readonly #leaving: Disposable | undefined;

  constructor(channel: Channel, leaving?: Disposable) {
    this.#channel = channel;
    this.#leaving = leaving;
  }

  /** Asks; the jobs that the answer is about. Throws the failure of the answer, or LOST when the agent ended. */
  async ask(request: Request): Promise<readonly Job[]> {
    this.#channel.patience(request.verb === 'wait' ? 0 : undefined);
    await this.#channel.say(request);
    return readAnswer(await this.#channel.next());
  }

  [Symbol.dispose](): void {
    this.#leaving?.[Symbol.dispose]();
    this.#channel[Symbol.dispose]();
  }
}

/** The agent for the jobs of `home`; started when none runs. What is asked of it rejects soon after `signal` has fired. */
export async function openAgent(home: string | undefined, signal?: AbortSignal): Promise<Agent> {
  const folder = jobsFolder(home);
  const path = socketIn(folder);
  const begun = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    const channel = await openChannel(path);
    if (channel !== undefined) {
      const agent = await greeted(channel, signal);
      if (agent !== undefined) return agent;
    } else {
      const refused = await startAgent(home);
      // Another process was quicker: its agent is there in a moment.
      if (refused !== undefined && refused.code !== 'BUSY') throw refused;
    }
    if (performance.now() - begun > PATIENCE_MS) throw new Failure('TIMEOUT', 'the agent for jobs does not start', { who: 'here', hint: `its log is in ${folder}` });
    await new Promise((done) => { setTimeout(done, LOOK_MS); });
  }
}

/** One question to an agent that runs; nothing where none does. */
export async function askAgent(home: string | undefined, request: Request): Promise<readonly Job[]> {
  const channel = await openChannel(socketIn(jobsFolder(home)));
  if (channel === undefined) return [];
  using agent = await greeted(channel);
  return (await agent?.ask(request)) ?? [];
}

/** undefined: it was just ending. */
async function greeted(channel: Channel, signal?: AbortSignal): Promise<Agent | undefined> {
  const leaving = signal && soonAfter(signal, GRACE_MS, () => channel[Symbol.dispose]());
  try {
    await channel.greet();
    return new Agent(channel, leaving);
  } catch (error) {
    leaving?.[Symbol.dispose]();
    channel[Symbol.dispose]();
    if (Failure.from(error).code === 'LOST') return undefined;
    throw error;
  }
}

/** The jobs that are not over; starts the agent when there are some, so that they go on. */
export async function unfinished(home: string | undefined): Promise<readonly Job[]> {
  // Who has no jobs pays for looking into a folder that is not there.
  const jobs = [...(await readJobs(jobsFolder(home))).values()].filter((job) => !isOver(job));
  if (!jobs.some(({ state }) => state !== 'paused')) return jobs;
  using agent = await openAgent(home);
  return (await agent.ask({ verb: 'list' })).filter((job) => !isOver(job));
}

/** Starts the agent; resolves when it listens, or with why it does not. */
function startAgent(home: string | undefined): Promise<Failure | undefined> {
  const { WHERRY_TICKET: _ticket, WHERRY_SERVER: _server, WHERRY_TOKEN: _token, ...env } = process.env;
  // It runs in another folder.
  for (const name of FOLDERS) env[name] = env[name] === undefined || env[name] === '' ? undefined : resolve(env[name]);
  const words = ['agent', ...(home === undefined ? [] : [`--home=${resolve(home)}`])];
  const child = spawn(process.execPath, [process.argv[1] ?? '', ...words], { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'ipc'], cwd: '/', env });
  return new Promise((done) => {
    const failed = (message: string) => done(new Failure('IO', message, { who: 'here' }));
    child.once('error', ({ message }) => failed(`the agent for jobs cannot be started here: ${message}`));
    child.once('exit', (code) => failed(`the agent for jobs ended here with exit code ${code ?? 'none'}`));
    child.once('message', (word) => {
      child.unref();
      const { ok, code, message, hint } = word as { ok: boolean; code?: Code; message?: string; hint?: string };
      done(ok ? undefined : new Failure(code ?? 'INTERNAL', message ?? 'the agent for jobs cannot be started', { who: 'here', hint }));
      if (child.connected) child.disconnect();
    });
  });
}
