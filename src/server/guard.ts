/**
 * Guard: the bans, the turnstile and the lobby of a server, fed from what its doors tell. There is one, in the process that accepts,
 * whatever the number of its ports and workers.
 */
import { type Ban, Bans, type Offence, offenceOf, OFFENCES } from '../access/bans.ts';
import { Arrivals } from '../doors/arrivals.ts';
import { RESERVED_FILES } from '../doors/descriptors.ts';
import { Lobby } from '../doors/lobby.ts';
import { addressOf } from '../doors/peer.ts';
import { StrangersHere } from '../doors/strangers.ts';
import { Turnstile, type TurnstileLimits } from '../doors/turnstile.ts';
import type { Credentials } from '../identity.ts';
import type { ServerLimits } from './limits.ts';
import type { ServerEvent } from './log.ts';
import type { Service } from './service.ts';
import { openFilesLimit } from './open-files.ts';

export class Guard {
  readonly bans: Bans;
  readonly turnstile: Turnstile;
  readonly strangers: StrangersHere;
  readonly #lobby: Lobby;
  readonly #arrivals = new Arrivals();
  readonly #onEvent: (event: ServerEvent) => void;
  readonly #files: number | undefined;

  constructor(limits: ServerLimits, onEvent: (event: ServerEvent) => void, files = openFilesLimit()) {
    [this.#onEvent, this.#files] = [onEvent, files];
    const onBan = ({ address, until, count, offence }: Ban): void => onEvent({ event: 'banned', address, until: new Date(until).toISOString(), count, offence });
    this.bans = new Bans({ limits: limits.bans, allow: limits.neverBanned, onBan });
    this.#lobby = new Lobby(limits.unauthenticated);
    this.strangers = new StrangersHere(limits);
    this.turnstile = new Turnstile(this.#room(limits), (address) => this.bans.isBanned(address));
  }

  /** From now on; nothing that is open is closed. */
  adjust(limits: ServerLimits): void {
    this.bans.adjust(limits.bans, limits.neverBanned);
    this.turnstile.limits = this.#room(limits);
    this.strangers.limits = limits;
    this.#lobby.limits = limits.unauthenticated;
  }

  /** One more connection, which is not signed in. It may cost another one its place, or have none itself; else `service` takes it. */
  admit(socket: Parameters<Service['accept']>[0], service: Pick<Service, 'accept'>, gone: () => void): void {
    const address = addressOf(socket);
    const known = this.bans.isKnown(address);
    let end = (): void => { socket.destroy(); gone(); };
    let dropped = false;
    const drop = (reason: string): void => {
      dropped = true;
      this.#onEvent({ event: 'refused', address, code: 'LIMIT', reason });
      end();
    };
    if (!known && !this.#arrivals.take(address)) {
      this.bans.offend(address, 'flood');
      return drop('too many connections from an address where nobody has signed in');
    }
    const settled = this.#lobby.enter(() => drop('too many connections that are not signed in'));
    if (!dropped) end = service.accept(socket, { known, settled, gone: () => { settled(); gone(); } });
  }

  /** As many connections as are wanted, and as there can be. */
  #room({ connections, connectionsPerAddress }: ServerLimits): TurnstileLimits {
    const files = this.#files;
    const room = files === undefined ? connections : Math.max(1, Math.min(connections, files - RESERVED_FILES));
    if (room < connections) this.#onEvent({ event: 'warning', message: `at most ${room} connections, not ${connections}: the system lets this process open ${files} files; more with "ulimit -n" or LimitNOFILE=` });
    return { connections: room, connectionsPerAddress };
  }

  /** Takes note of what an event says about an address. */
  heard({ address, offence }: ServerEvent): void {
    if (typeof address === 'string' && typeof offence === 'string' && Object.hasOwn(OFFENCES, offence)) this.bans.offend(address, offence as Offence);
  }

  /** What `step` of a sign-in comes to; what it is refused for counts against the address. */
  async judged<T>(kind: Credentials['kind'], address: string, step: Promise<T>): Promise<T> {
    try {
      return await step;
    } catch (error) {
      const offence = offenceOf(error, kind);
      if (offence !== undefined) this.bans.offend(address, offence);
      throw error;
    }
  }
}
