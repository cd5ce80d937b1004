/**
 * Worker: a process that serves some of the connections of a server, started by it and ended with it.
 *
 * It holds the folder and the doors, and neither the devices nor a listening socket: connections are handed to it as
 * they were accepted, and who somebody is it asks. It does not hear signals, which a terminal sends to every process:
 * the front says when to stop. When the front is gone, it ends what runs, resumably, and leaves.
 * Runs as the main file of a process that `fork.ts` starts.
 */
import type { Socket } from 'node:net';
import type { Ended } from '../access/entries.ts';
import { StrangersElsewhere } from '../doors/strangers.ts';
import { Failure } from '../errors.ts';
import type { Credentials } from '../identity.ts';
import { Secret } from '../secret.ts';
import type { ServerEvent } from './log.ts';
import type { Load } from './metrics/measured.ts';
import { type Account, openService, type Peer, type Service } from './service.ts';
import { AskedCounts } from './counts.ts';
import { failureOf, type Numbers, type Order, told, type Word } from './talk.ts';
import { keepYoungSmall } from './young.ts';

/** Sign-ins that may wait for the front: as many as a lecture hall begins at once. */
const MAX_ASKED = 256;
/** What a client waits for at most, too. */
const ASK_MS = 30_000;
/** Words that may wait in the channel, at some 300 bytes: a front whose log is slow must not fill the memory here. */
const MAX_UNSENT = 10_000;
/** What may be left out of the log then. The others are counted by the front. */
const LOSABLE: ReadonlySet<ServerEvent['event']> = new Set(['action', 'refused']);
/** How often the front is told what is in hand (ms): as often as anybody looks. */
const LOAD_MS = 1000;
/** How long ending may take beyond the grace (ms): a disk that hangs must not keep the process. */
const TIDY_MS = 10_000;
/** Node listens once for each socket that the front listens at. */
const MAX_LISTENERS = 32;

/** What the front answers a session, which asks one thing at a time. */
type Answer = Order & { do: 'admit' | 'answer code' };
interface Asked { readonly resolve: (answer: Answer) => void; readonly reject: (failure: Failure) => void; readonly timer: NodeJS.Timeout }

class Worker {
  /** Undefined when it could not be opened: the process is about to end then. */
  #service: Promise<Service | undefined> = Promise.resolve(undefined);
  /** Why the account of each session is active no more, if so; it outlives the session in what that has begun. */
  readonly #accounts = new Map<number, { why?: Ended }>();
  readonly #asked = new Map<number, Asked>();
  #letIn: (() => void) | undefined;
  readonly #strangers = new StrangersElsewhere(() => new Promise((resolve) => {
    this.#letIn = resolve;
    this.#say({ said: 'stranger' });
  }));
  readonly #counts = new AskedCounts((asking) => this.#say({ said: 'count', ...asking }));
  /** What ends each connection that is not signed in. */
  readonly #drops = new Map<number, () => void>();
  /** The last connection that arrived. */
  #taken = 0;
  #unsent = 0;
  #lost = 0;
  /** As the front knows it. */
  #load: Load = { requests: 0, held: 0, resident: 0 };

  obey(order: Order, socket: Socket | undefined): void {
    switch (order.do) {
      case 'open': return this.#open(order);
      case 'take': return void this.#take(order, socket);
      case 'drop': return this.#drops.get(order.connection)?.();
      case 'check': return this.#say({ said: 'taken', connection: order.connection, arrived: this.#taken === order.connection });
      case 'admit':
      case 'answer code': return this.#answered(order.session)?.resolve(order);
      case 'refuse': return this.#answered(order.session)?.reject(failureOf(order.failure));
      case 'let in': return this.#letIn?.();
      case 'counted': return this.#counts.answered(order);
      case 'lock out': return this.#lockOut(order);
      case 'adjust': return void this.#service.then((service) => service?.adjust(order.changes));
      case 'drain': return void this.leave(order.graceMs, order.lingerMs);
    }
  }

  /** Ends what runs, at the latest after `graceMs`, and then the process. Called again, by that grace. */
  async leave(graceMs: number, lingerMs = 0): Promise<void> {
    setTimeout(() => process.exit(1), graceMs + TIDY_MS).unref();
    const service = await this.#service;
    await service?.drain(graceMs, lingerMs);
    await service?.[Symbol.asyncDispose]();
    if (this.#lost > 0) this.#admitLoss();
    this.#say({ said: 'leaving' }, () => process.exit(0));
  }

  #open({ settings, numbers }: Order & { do: 'open' }): void {
    const numbered = numbering(numbers);
    const host = {
      who: (credentials: Credentials, { session }: Peer) => this.#who(credentials, numbered(session)),
      answerCode: async (point: Uint8Array, exporter: Uint8Array, { session }: Peer) => {
        const answer = await this.#ask({ said: 'code', session: numbered(session), point, exporter });
        return (answer as Answer & { do: 'answer code' }).point;
      },
      accounting: this.#counts.accounting, strangers: this.#strangers,
      onEvent: (event: ServerEvent) => this.#event(typeof event['session'] === 'number' ? { ...event, session: numbered(event['session']) } : event),
    };
    this.#service = openService({ ...settings, firstSession: 1, key: new Secret(settings.key) }, host).then(
      (service) => {
        this.#say({ said: 'open', memory: service.memory });
        setInterval(() => this.#tellLoad(service), LOAD_MS).unref();
        return service;
      },
      (error: unknown) => {
        this.#say({ said: 'failed', failure: told(error) }, () => process.exit(1));
        return undefined;
      },
    );
  }

  async #take({ connection, known }: Order & { do: 'take' }, socket: Socket | undefined): Promise<void> {
    if (socket === undefined) return; // told by `check`
    this.#taken = connection;
    socket.on('error', () => {}); // told by its end
    const gone = (): void => { this.#drops.delete(connection); this.#say({ said: 'gone', connection }); };
    const settled = (): void => { if (this.#drops.delete(connection) && !socket.destroyed) this.#say({ said: 'settled', connection }); };
    this.#drops.set(connection, () => socket.destroy());
    const service = await this.#service;
    if (service === undefined || socket.destroyed) gone();
    else service.accept(socket, { gone, known, settled });
  }

  async #who(credentials: Credentials, session: number): Promise<Account> {
    const { account: told, confirmation } = (await this.#ask({ said: 'who', session, credentials })) as Answer & { do: 'admit' };
    const account = this.#accounts.get(session);
    if (account === undefined) throw new Failure('LOST', 'the connection broke');
    return { ...told, confirmation, active: () => account.why === undefined, ended: () => account.why ?? 'revoked' };
  }

  #ask(question: Word & { said: 'who' | 'code' }): Promise<Answer> {
    const { session } = question;
    if (this.#asked.size >= MAX_ASKED) return Promise.reject(new Failure('BUSY', 'too many devices are signing in', { who: 'server', hint: 'try again in a moment' }));
    return new Promise((resolve, reject) => {
      const late = (): void => this.#answered(session)?.reject(new Failure('TIMEOUT', 'the server took too long to look this device up', { who: 'server', hint: 'try again in a moment' }));
      this.#asked.set(session, { resolve, reject, timer: setTimeout(late, ASK_MS).unref() });
      this.#say(question);
    });
  }

  #answered(session: number): Asked | undefined {
    const asked = this.#asked.get(session);
    clearTimeout(asked?.timer);
    this.#asked.delete(session);
    return asked;
  }

  #lockOut({ sessions, turn }: Order & { do: 'lock out' }): void {
    for (const { session, why } of sessions) {
      const account = this.#accounts.get(session);
      if (account !== undefined) account.why = why;
    }
    void this.#service.then((service) => service?.recheck());
    this.#say({ said: 'locked out', turn });
  }

  #event(event: ServerEvent): void {
    const { session } = event;
    if (typeof session === 'number' && event.event === 'connected') this.#accounts.set(session, {});
    if (typeof session === 'number' && event.event === 'disconnected') this.#forget(session);
    if (this.#unsent >= MAX_UNSENT && LOSABLE.has(event.event)) this.#lost += 1;
    else this.#say({ said: 'event', event });
  }

  #forget(session: number): void {
    this.#accounts.delete(session);
    this.#answered(session)?.reject(new Failure('LOST', 'the connection broke'));
  }

  /** Not while other words wait: what is late is of no use. */
  #tellLoad(service: Service): void {
    const [, load] = service.loads()[0]!;
    const { requests, held, resident } = this.#load;
    if (this.#unsent > 0 || (load.requests === requests && load.held === held && Math.abs(load.resident - resident) < 1 << 20)) return;
    this.#load = load;
    this.#say({ said: 'load', load });
  }

  #say(word: Word, then?: () => void): void {
    if (!process.connected) return then?.();
    this.#unsent += 1;
    process.send!(word, undefined, undefined, () => {
      this.#unsent -= 1;
      if (this.#lost > 0 && this.#unsent === 0) this.#admitLoss();
      then?.();
    });
  }

  #admitLoss(): void {
    const lost = this.#lost;
    const message = `${lost} lines are missing in the log: it is written more slowly than they come`;
    this.#lost = 0;
    this.#say({ said: 'event', event: { event: 'warning', message, lost } });
  }
}

/** From the numbers that the door gives, 1 and up, to those of this worker. */
function numbering({ first, step }: Numbers): (session: number) => number {
  return (session) => first + (session - 1) * step;
}

const worker = new Worker();
process.setMaxListeners(MAX_LISTENERS);
keepYoungSmall();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
process.on('message', (order: Order, socket: Socket | undefined) => worker.obey(order, socket));
process.on('disconnect', () => void worker.leave(0));
