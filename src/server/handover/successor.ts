/**
 * Successor: the process that takes this one's place, as this one sees it: started, asked, given what there is one of, and
 * from then on told what happens here.
 *
 * Until it has said that it serves it may fail, in whatever way, and is ended then; whoever started it goes on. After
 * that its end changes nothing here but that nobody can lock anybody out any more.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Server as Listening } from 'node:net';
import { Failure } from '../../errors.ts';
import { printable } from '../../printable.ts';
import { SOFTWARE_VERSION } from '../../version.ts';
import type { Listen } from '../listen.ts';
import type { ServerEvent } from '../log.ts';
import { type Answering, type Asking, failureOf } from '../talk.ts';
import type { Barred, Guest } from './guests.ts';
import { HANDOVER, MARK, type Order, type Word } from './words.ts';

/** How long it may take to read its program and its configuration, and after that to open everything (ms): a slow disk, not a person. */
const HERE_MS = 30_000;
const READY_MS = 30_000;
/** How long after it has hung up its end may be awaited (ms), which says more. */
const HUNG_UP_MS = 2_000;
/** Events that wait while it opens, and in its channel: a new one that hangs must not fill the memory here. */
const MAX_EVENTS = 10_000;
/** How long it may take to say whether somebody may come in (ms). */
const VOUCH_MS = 10_000;

export interface SuccessorOptions {
  /** The program and its words. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What the new one asks of this one. */
export interface Asked {
  bar(barred: readonly Barred[]): Promise<void>;
  stop(graceMs: number): void;
  /** What came of what the counts were asked. */
  counted(answering: Answering): void;
}

export class Successor {
  /** Resolves when it has ended or cannot be talked to any more. */
  readonly parted: Promise<void>;
  readonly #child: ChildProcess;
  #over: Failure | undefined;
  /** The one word that is waited for. */
  #expected: { readonly said: Word['said']; resolve(word: Word): void; reject(failure: Failure): void } | undefined;
  #asked: Asked | undefined;
  readonly #vouching = new Map<number, (may: boolean) => void>();
  #isReady = false;
  #events: ServerEvent[] = [];

  /** Throws when the system does not let it start. */
  constructor({ command, env }: SuccessorOptions) {
    const [program = '', ...words] = command;
    const child = spawn(program, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced', env: { ...env, [MARK]: String(process.pid) } });
    this.#child = child;
    child.on('message', (word: Word) => this.#hear(word));
    this.parted = new Promise((resolve) => {
      const part = (how: string): void => {
        this.#over ??= new Failure('INTERNAL', `the new version did not come up: ${how}`, { who: 'here', hint: 'see what it said; this server goes on as before' });
        this.#expected?.reject(this.#over);
        for (const answer of this.#vouching.values()) answer(true);
        this.#vouching.clear();
        resolve();
      };
      child.once('error', (error) => part(printable(error.message)));
      child.once('exit', (code, signal) => part(`it ended with ${signal ?? `exit code ${code}`}`));
      // Its end says more, if it comes.
      child.once('disconnect', () => void setTimeout(() => part('it hung up'), HUNG_UP_MS).unref());
    });
  }

  get pid(): number | undefined { return this.#child.pid; }

  /** Resolves with its version when it is there, and serves this folder from this state folder. Rejects with why not. */
  async here(folder: string, state: string): Promise<string> {
    const { handover, ...said } = await this.#expect('here', HERE_MS);
    if (handover !== HANDOVER) throw new Failure('VERSION', `the new version (${printable(said.version)}) cannot take over from this one (${SOFTWARE_VERSION})`, { who: 'here', hint: 'stop the server and start it again' });
    for (const [what, here, there] of [['folder', folder, said.folder], ['state folder', state, said.state]] as const) {
      if (here !== there) throw new Failure('USAGE', `the ${what} is ${printable(here)}, and would be ${printable(there)}`, { who: 'rule', hint: 'put that back as it was, or stop the server and start it again' });
    }
    return said.version;
  }

  /** What only one may hold is its now. Resolves when it serves, having asked for the sockets; rejects with why it does not. */
  async begin(begin: Omit<Order & { do: 'begin' }, 'do'>, sockets: () => readonly (readonly [Listen, Listening])[], asked: Asked): Promise<void> {
    this.#asked = asked;
    this.#say({ do: 'begin', ...begin });
    await this.#expect('ports', READY_MS);
    for (const [listen, socket] of sockets()) this.#say({ do: 'listen', listen }, socket);
    this.#say({ do: 'listened' });
    await this.#expect('ready', READY_MS);
    this.#isReady = true;
    this.#child.unref(); // it outlives this one
    for (const event of this.#events.splice(0)) this.event(event);
  }

  /** Ends it, when it has failed. Resolves with what was to be told to it. */
  async end(): Promise<ServerEvent[]> {
    const { exitCode, signalCode, pid } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null) {
      const ended = new Promise((resolve) => { this.#child.once('exit', resolve); });
      this.#child.kill('SIGKILL');
      await ended;
    }
    return this.#events.splice(0);
  }

  /** Whether somebody who has signed in here may: it alone knows. Without it, nobody was locked out. */
  vouch(guest: Guest): Promise<boolean> {
    if (this.#over !== undefined) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => answer(false), VOUCH_MS).unref();
      const answer = (may: boolean): void => { clearTimeout(timer); this.#vouching.delete(guest.session); resolve(may); };
      this.#vouching.set(guest.session, answer);
      this.#say({ do: 'vouch', guest });
    });
  }

  /** Has it read the configuration again, which says itself what came of that. */
  async reload(): Promise<readonly string[]> {
    this.#say({ do: 'reload' });
    return [];
  }

  gone(session: number): void { this.#say({ do: 'gone', session }); }
  count(asking: Asking): void { this.#say({ do: 'count', ...asking }); }

  /** Something for its audit. */
  event(event: ServerEvent): void {
    if (this.#isReady) this.#say({ do: 'event', event });
    else if (this.#events.length < MAX_EVENTS) this.#events.push(event);
  }

  /** There is nothing further to tell. */
  leave(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  #expect<S extends Word['said']>(said: S, ms: number): Promise<Word & { said: S }> {
    if (this.#over !== undefined) return Promise.reject(this.#over);
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new Failure('TIMEOUT', `the new version did not come up: nothing was heard of it for ${ms / 1000} s`, { who: 'here', hint: 'see what it said; this server goes on as before' }));
      const timer = setTimeout(late, ms);
      const done = <T>(then: (value: T) => void) => (value: T): void => { clearTimeout(timer); this.#expected = undefined; then(value); };
      this.#expected = { said, resolve: done(resolve as (word: Word) => void), reject: done(reject) };
    });
  }

  #hear(word: Word): void {
    if (this.#expected !== undefined && word.said === 'failed') return this.#expected.reject(failureOf(word.failure));
    if (word.said === this.#expected?.said) return this.#expected.resolve(word);
    if (word.said === 'counted') return this.#asked?.counted(word);
    if (word.said === 'vouched') return this.#vouching.get(word.session)?.(word.may);
    if (word.said === 'bar') return void this.#asked?.bar(word.barred).then(() => this.#say({ do: 'barred', turn: word.turn }));
    if (word.said === 'stop') this.#asked?.stop(word.graceMs);
  }

  #say(order: Order, socket?: Listening): void {
    if (this.#child.connected) this.#child.send(order, socket, {}, () => {}); // its end is told
  }
}
