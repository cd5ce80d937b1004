/**
 * Handover: how a server leaves its place to a new version of itself, without losing a connection, and what each of the two
 * knows of the other from then on.
 *
 * There is one of most things: the owner's socket, the audit, the file of accounts. The old process lets go of them before the new
 * one takes them, so that never two write one file; until the new one says that it serves, the old one takes all of it back
 * when something goes wrong. The listening sockets are shared for that moment, so that nobody who comes is turned away.
 */
import type { Bans } from '../../access/bans.ts';
import type { Ended } from '../../access/entries.ts';
import type { Register } from '../../access/register.ts';
import { Failure } from '../../errors.ts';
import { otherFolder, whyOther } from '../../store/disk/number.ts';
import type { Accounting } from '../accounting.ts';
import type { Config, Upgrade } from '../config.ts';
import type { ServerEvent } from '../log.ts';
import type { Ports } from '../ports.ts';
import type { Post } from '../post.ts';
import type { Service } from '../service.ts';
import type { Answering } from '../talk.ts';
import { HandedCounts } from './counted.ts';
import { type Barred, Guests } from './guests.ts';
import type { Inheritance, Judge, Predecessor } from './predecessor.ts';
import { Successor } from './successor.ts';

/** Older processes that may still have something to finish: each has the memory of a server. */
const MAX_BEHIND = 4;
/** How long a connection may have nothing in hand before the old process ends it (ms): a script between two commands takes less. */
export const LINGER_MS = 5_000;

/** What is given over. */
export interface Given {
  readonly config: Config;
  readonly upgrade: Upgrade | undefined;
  readonly post: Post;
  readonly ports: Ports;
  readonly register: Register;
  service(): Service;
  /** Nothing else changes the server meanwhile. */
  turn<T>(step: () => Promise<T>): Promise<T>;
  stop(graceMs: number): void;
}

export class Handover {
  readonly guests = new Guests();
  readonly predecessor: Predecessor | undefined;
  readonly #bans: Bans;
  #inheritance: Inheritance | undefined;
  #counts!: HandedCounts;
  #successor: Successor | undefined;
  #isGiving = false;
  /** The highest number that a session has. */
  #sessions = 0;

  constructor(predecessor: Predecessor | undefined, bans: Bans) {
    this.predecessor = predecessor;
    this.#bans = bans;
  }

  get successor(): Successor | undefined { return this.#successor; }
  /** Sessions are numbered from here. */
  get firstSession(): number { return this.#sessions + 1; }

  /** Waits until the process before this one, where there is one, has let go of everything. */
  async begin(config: Config): Promise<void> {
    this.#inheritance = await this.predecessor?.begin(config);
    this.#sessions = this.#inheritance?.sessions ?? 0;
    this.#bans.take(this.#inheritance?.bans);
  }

  /** The counts of this process, until another one follows it; from then on that one's. */
  counts(own: Accounting): Accounting {
    this.#counts = new HandedCounts(own);
    return this.#counts.accounting;
  }

  /** Hears of connections. */
  heard({ event, session }: ServerEvent): void {
    if (typeof session !== 'number') return;
    if (event === 'connected') {
      this.guests.come(session);
      this.#sessions = Math.max(this.#sessions, session);
    }
    if (event !== 'disconnected') return;
    this.guests.gone(session);
    this.#successor?.gone(session);
  }

  /** Judges from now on whom the process before this one has signed in, and takes over its sockets. */
  async take({ endOf, ports, config, ...heard }: Pick<Judge, 'record' | 'reload' | 'warn'> & { endOf(key: string, account: string): () => Ended | undefined; ports: Ports; config: Config }): Promise<void> {
    const { predecessor } = this;
    if (predecessor !== undefined) {
      predecessor.serve({ endOf: ({ key, account }) => endOf(key, account), accounting: this.#counts.accounting, ...heard }, this.#inheritance!);
      await predecessor.sockets((listen, socket) => ports.adopt(listen, socket));
    }
    await ports.change(config.listen);
  }

  /** Some accounts may be active no more: resolves when nothing further is done for those, here and at the process before this one. */
  async recheck(service: Service): Promise<void> {
    await Promise.all([service.recheck(), this.predecessor?.recheck()]);
  }

  /** There is nothing further to say to either. */
  leave(): void {
    this.#successor?.leave();
    this.predecessor?.leave();
  }

  /** Leaves everything to the version that is installed now; its process and version. Rejects with why it does not serve: all is as before then. */
  async give(given: Given): Promise<{ readonly pid: number; readonly version: string }> {
    const { upgrade } = given;
    if (upgrade === undefined) throw new Failure('USAGE', 'this server cannot start a new version of itself: it runs inside another program', { who: 'rule', hint: 'upgrade that program, and start it again' });
    if (this.#isGiving) throw new Failure('BUSY', 'this server is being upgraded already', { who: 'rule', hint: 'try again in a moment' });
    if ((this.predecessor?.behind ?? 0) >= MAX_BEHIND) throw new Failure('BUSY', `${MAX_BEHIND} older versions still have transfers to finish`, { who: 'rule', hint: 'try again when one of them has ended, or stop the server and start it again' });
    this.#isGiving = true;
    try {
      return await given.turn(async () => {
        await mustBeThere(given.config);
        return this.#give(given, new Successor({ command: upgrade.command, env: upgrade.env() }));
      });
    } catch (error) {
      this.#isGiving = false;
      const { message, hint } = Failure.from(error);
      throw new Failure('IO', `not upgraded, all is as before: ${message}`, { who: 'here', hint, cause: error });
    }
  }

  async #give(given: Given, successor: Successor): Promise<{ readonly pid: number; readonly version: string }> {
    const { config: { dir, state }, post, register, ports } = given;
    let version: string;
    try {
      version = await successor.here(dir, state);
    } catch (error) {
      await successor.end();
      throw error;
    }
    try {
      await post.leave((event) => successor.event(event));
      await register.hold();
      await this.#hand(given, successor);
    } catch (error) {
      this.#successor = undefined;
      await this.#counts.keepToItself(true);
      await post.retake(await successor.end());
      register.resume();
      throw error;
    }
    register.retire();
    void successor.parted.then(() => this.#counts.keepToItself(false));
    await ports.change([]);
    return { pid: successor.pid!, version };
  }

  async #hand(given: Given, successor: Successor): Promise<void> {
    const { predecessor } = this;
    this.#successor = successor; // whoever signs in from now on is asked about there
    const begin = {
      pid: process.pid, lastsMs: Math.max(given.config.upgradeGraceMs, predecessor?.leftMs ?? 0), bans: this.#bans.kept(),
      sessions: this.#sessions, guests: [...this.guests.list(), ...(predecessor?.guests ?? [])],
      counted: this.#counts.hand((asking) => successor.count(asking)), behind: (predecessor?.behind ?? 0) + 1,
    };
    const asked = {
      bar: async (barred: readonly Barred[]) => {
        this.guests.bar(barred);
        const others = barred.filter(({ session }) => !this.guests.has(session));
        await Promise.all([given.service().recheck(), others.length > 0 && predecessor?.bar(others)]);
      },
      stop: (graceMs: number) => given.stop(graceMs),
      counted: (answering: Answering) => this.#counts.answered(answering),
    };
    await successor.begin(begin, () => given.ports.sockets, asked);
    predecessor?.passOn(successor);
  }
}

/** Another folder would be the new one's, that takes what it finds. */
async function mustBeThere({ dir, number }: Config): Promise<void> {
  const other = number === undefined ? undefined : await whyOther(dir, number);
  if (other !== undefined) throw otherFolder(other);
}
