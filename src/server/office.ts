/**
 * Office: what the owner of a running server has done by its commands: letting people in, and locking them out.
 *
 * One function for each verb of `requests.ts`, over the books that the server has open. Whoever asks has been found to
 * be the owner by then: the socket of `admin.ts` lets nobody else in. What is done here is told to the log.
 */
import { networkInterfaces } from 'node:os';
import type { Devices, InviteWish } from '../access/devices.ts';
import type { Invite } from '../access/entries.ts';
import { inviteId, invitesTo, openInvites, revokeInvite } from '../access/invites.ts';
import type { Passwords } from '../access/passwords.ts';
import { formatRights, type Role } from '../rights.ts';
import type { Bans } from '../access/bans.ts';
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import { encodeTicket, TICKET_PIN_BYTES } from '../ticket.ts';
import { ticketAddresses } from './addresses.ts';
import type { Config } from './config.ts';
import type { Listen } from './listen.ts';
import type { ServerEvent } from './log.ts';
import type { Health } from './metrics/health.ts';
import { isStored, peopleAnswers } from './people.ts';
import type { AdminAnswerers, AdminRequest, AnswerTo, DeviceInfo, InviteInfo, Rehearsed, Says } from './requests.ts';
import type { SpokenCodes } from './spoken.ts';

export interface OfficeOptions {
  readonly config: Config;
  readonly devices: Devices;
  readonly codes: Pick<SpokenCodes, 'open' | 'recheck'>;
  readonly passwords: Passwords;
  readonly bans: Pick<Bans, 'list' | 'lift' | 'banned'>;
  /** The pin of the server's key. */
  readonly pin: Uint8Array;
  /** Where it listens, with the ports it really has. */
  readonly bound: readonly Listen[];
  /** The server's numbers and health. */
  readonly watch: { metrics(): string; health(): Promise<Health> };
  /** Some accounts may be active no more: resolves when nothing further is done for those. */
  recheck(): Promise<void>;
  /** What was counted of an account that was changed, or is gone, holds no longer. */
  forget(account: string): void;
  /** Leaves everything to the version that is installed now. */
  upgrade(): Promise<{ readonly pid: number; readonly version: string; readonly graceMs: number }>;
  /** Reads the configuration again; the keys that changed. */
  reload(): Promise<readonly string[]>;
  onEvent(event: ServerEvent): void;
}

export class Office {
  readonly #options: OfficeOptions;
  readonly #answerers: AdminAnswerers;

  constructor(options: OfficeOptions) {
    this.#options = options;
    this.#answerers = {
      'folder': async () => ({ folder: options.config.dir }),
      'invite': (says) => this.#invite(says),
      'invite list': async () => ({ invites: openInvites(options.devices.register).map(inviteInfo) }),
      'invite revoke': ({ id }) => this.#withdraw(id),
      'code': (says) => this.#code(says),
      'devices list': async () => ({ devices: this.#devices() }),
      'devices revoke': ({ name }) => this.#revoke(name),
      'upgrade': () => options.upgrade(),
      'reload': async () => ({ changed: await options.reload() }),
      ...peopleAnswers(options),
      'bans list': async () => ({ bans: options.bans.list().map((ban) => ({ ...ban, until: new Date(ban.until).toISOString() })) }),
      'bans lift': async ({ address }) => this.#lift(address),
      'rehearse': ({ of }) => this.#rehearse(of),
      'metrics': async () => ({ text: options.watch.metrics() }),
      'health': () => options.watch.health(),
    };
  }

  answer(request: AdminRequest): Promise<AnswerTo<AdminRequest>> {
    return (this.#answerers[request.verb] as (says: AdminRequest) => Promise<AnswerTo<AdminRequest>>)(request);
  }

  /** Does everything but the write, and tells nobody: on a copy of the book. */
  async #rehearse(of: Rehearsed): Promise<object> {
    const { devices, bans } = this.#options;
    const copy = devices.rehearsal();
    const office = new Office({
      ...this.#options, devices: copy, recheck: async () => {}, forget: () => {}, onEvent: () => {},
      bans: { list: () => bans.list(), banned: (address) => bans.banned(address), lift: (address) => bans.banned(address) },
      codes: { open: async (wanted) => ({ code: '', at: undefined, ...await copy.invite(wanted) }), recheck: () => {} },
    });
    try {
      await office.answer(of);
      return {};
    } finally {
      await copy[Symbol.asyncDispose]();
    }
  }

  /** A ticket for one device, told to nobody. */
  async ticket(role: Role, forMs: number): Promise<string> {
    return (await this.#mint({ role, forMs })).ticket;
  }

  async #mint(wish: InviteWish): Promise<{ ticket: string; id: string; expires: string }> {
    const { devices, bound, pin } = this.#options;
    const { secret, key, expires } = await devices.invite(wish);
    const ticket = encodeTicket({ addresses: ticketAddresses([...bound], networkInterfaces()), pin: pin.subarray(0, TICKET_PIN_BYTES), secret });
    return { ticket, id: inviteId(key), expires: new Date(expires).toISOString() };
  }

  async #invite({ role = this.#options.config.role, forMs = this.#options.config.ticketMs, name, account }: Says<'invite'>): Promise<AnswerTo<{ verb: 'invite' }>> {
    const { ticket, id, expires } = await this.#mint({ role, forMs, name, account });
    this.#options.onEvent({ event: 'invited', role, forMs, account, id });
    return { ticket, id, role, expires };
  }

  async #withdraw(id: string): Promise<AnswerTo<{ verb: 'invite revoke' }>> {
    const taken = await revokeInvite(this.#options.devices.register, id);
    this.#options.codes.recheck();
    this.#options.onEvent({ event: 'invite-revoked', id });
    await isStored(taken);
    return { id };
  }

  async #code({ role = this.#options.config.role, forMs, account }: Says<'code'>): Promise<AnswerTo<{ verb: 'code' }>> {
    const { config: { ticketMs }, codes } = this.#options;
    const { code, expires, at } = await codes.open({ role, account, forMs: Math.min(forMs ?? ticketMs, ticketMs) });
    return { code, role, at, expires: new Date(expires).toISOString() };
  }

  async #revoke(name: string): Promise<AnswerTo<{ verb: 'devices revoke' }>> {
    const { devices, devices: { register }, recheck, onEvent } = this.#options;
    const { account = name } = [...register.devices.values()].find((device) => device.name === name) ?? {};
    const isOwn = register.accounts.get(account)?.own === true;
    const taken = await devices.revoke(name);
    await recheck();
    onEvent({ event: 'revoked', device: name });
    await isStored(taken);
    return { name, invites: invitesTo(register, account, isOwn).length };
  }

  #lift(address: string | undefined): AnswerTo<{ verb: 'bans lift' }> {
    const lifted = this.#options.bans.lift(address);
    if (lifted.length === 0 && address !== undefined) throw new Failure('NOTFOUND', `${printable(address)} is not banned`, { who: 'rule', hint: 'see who is with: wherry bans list' });
    for (const one of lifted) this.#options.onEvent({ event: 'ban-lifted', address: one });
    return { lifted };
  }

  #devices(): DeviceInfo[] {
    const { devices } = this.#options;
    const iso = (ms: number): string => new Date(ms).toISOString();
    return devices.list().map(({ name, account, added, lastSeen }) => ({ name, account, rights: formatRights(devices.register.accounts.get(account)?.rights ?? []), added: iso(added), ...(lastSeen !== undefined && { lastSeen: iso(lastSeen) }) }));
  }
}

function inviteInfo({ key, account, role, name, spoken = false, added, expires }: Invite): InviteInfo {
  const iso = (ms: number): string => new Date(ms).toISOString();
  return { id: inviteId(key), ...(account === undefined ? { role } : { account }), name, spoken, ...(added !== undefined && { added: iso(added) }), expires: iso(expires) };
}
