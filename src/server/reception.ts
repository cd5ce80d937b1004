/**
 * Reception: who somebody is who comes in, and what that says about where they come from.
 *
 * Keys and tickets are looked up in the book, codes compared; what is refused counts against the address, and who was
 * let in is known from then on. Whose transfers are counted is decided here too: from the first quota on those of everybody.
 */
import type { Devices, Principal } from '../access/devices.ts';
import { accessEnded } from '../drive/refusals.ts';
import { type Credentials, keyOf } from '../identity.ts';
import { isMetered, type Rates } from './accounting.ts';
import type { Guests } from './handover/guests.ts';
import type { Successor } from './handover/successor.ts';
import type { Guard } from './guard.ts';
import type { ServerEvent } from './log.ts';
import type { Account, Peer } from './service.ts';
import type { SpokenCodes } from './spoken.ts';

export interface ReceptionOptions {
  readonly devices: Devices;
  readonly guard: Guard;
  readonly guests: Guests;
  /** The process that has taken this one's place, when there is one: it knows better who may come in. */
  successor(): Successor | undefined;
  /** Opened after the first may come. */
  codes(): SpokenCodes;
  rates(): Rates;
  /** Some accounts may be active no more: resolves when nothing further is done for those. */
  recheck(): Promise<void>;
  onEvent(event: ServerEvent): void;
}

export class Reception {
  readonly #options: ReceptionOptions;

  constructor(options: ReceptionOptions) {
    this.#options = options;
  }

  /** Rejects with AUTH. */
  async who(credentials: Credentials, peer: Peer): Promise<Account> {
    const { devices, rates } = this.#options;
    const account = await this.#received(credentials, peer);
    const metered = { account: account.name, token: account.use?.limited === true ? account.device : undefined };
    if (isMetered(devices.register, metered, rates())) return { ...account, metered };
    // Where there is a quota, whatever anybody does counts: they have to come again then, to be counted.
    const isUnbounded = (): boolean => !devices.register.hasQuotas;
    return { ...account, active: () => isUnbounded() && account.active(), ended: () => (account.active() ? 'changed' : account.ended()) };
  }

  /** The server's share of the exchange about a spoken code, for the client's. Rejects with AUTH. */
  answerCode(point: Uint8Array, exporter: Uint8Array, { session, address }: Peer): Promise<Uint8Array> {
    const { codes, guard } = this.#options;
    return guard.judged('code', address, (async () => codes().start(session, exporter, point, { address, known: guard.bans.isKnown(address) }))());
  }

  /** As a guest, who may be locked out from elsewhere. */
  async #received(credentials: Credentials, peer: Peer): Promise<Principal> {
    const { guests, successor } = this.#options;
    const principal = await this.#signIn(credentials, peer);
    const guest = { session: peer.session, key: keyOf(credentials), account: principal.name };
    const barred = guests.signedIn(guest);
    if (await successor()?.vouch(guest) === false) throw accessEnded('revoked');
    return { ...principal, active: () => barred() === undefined && principal.active(), ended: () => barred() ?? principal.ended() };
  }

  async #signIn(credentials: Credentials, peer: Peer): Promise<Principal> {
    const { devices, codes, guard, guests, recheck, onEvent } = this.#options;
    const principal = await guard.judged(credentials.kind, peer.address, credentials.kind === 'code' ? codes().finish(peer.session, credentials) : devices.signIn(credentials, peer.address, (key) => guests.isHere(key)));
    guard.bans.welcome(peer.address);
    if (credentials.kind === 'device' || credentials.kind === 'token') return principal;
    onEvent({ event: 'enrolled', account: principal.name, device: principal.device, ...peer });
    await recheck(); // a device that comes again with other rights
    return principal;
  }
}
