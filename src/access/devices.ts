/**
 * Devices: who comes in, by which key. Devices that are known, invites that make them known, and tokens.
 *
 * A device belongs to an account; one that comes by an invite for no account gets an account for itself, under its own
 * name. An invite works once: it is burned, and that is on the disk, before its user is answered. What an account
 * may do is told by `accounts.ts`; this says who it is, for as long as it is.
 */
import { randomBytes } from 'node:crypto';
import { Failure } from '../errors.ts';
import { type Credentials, keyFromSecret, publicBytes, verifyProof } from '../identity.ts';
import { foldKey } from '../path.ts';
import { printable } from '../printable.ts';
import type { Grant, Role } from '../rights.ts';
import { ROLES } from '../rights.ts';
import { Secret } from '../secret.ts';
import { TICKET_SECRET_BYTES } from '../ticket.ts';
import { grantsOf, MAX_ACCOUNTS, unknownAccount, without } from './accounts.ts';
import { late } from './bans.ts';
import { ownAccount } from './book.ts';
import type { Account, Book, Device, Ended, Invite, Root, Token } from './entries.ts';
import { isOpen } from './invites.ts';
import { openRegister, type Register, type RegisterOptions, type Taken } from './register.ts';
import { type Bearer, type TokenUse, useToken } from './tokens.ts';

/** Bounds the file, which is rewritten whole, to some MiB. */
export const MAX_DEVICES = 10_000;
/** Open invites are meant to live for minutes; this many at once is a script gone wrong. */
export const MAX_INVITES = 1000;
/** Longest name made from what a device calls itself. */
const MAX_NAME = 48;

/** Who somebody turned out to be. */
export interface Principal {
  /** The account's name. */
  readonly name: string;
  /** The device or token by which they came. */
  readonly device: string;
  readonly roots: readonly Root[];
  readonly grants: readonly Grant[];
  /** Whether they came by a token. */
  readonly byToken?: boolean | undefined;
  /** Whether the account is one that the owner of the server made, and not one that the device got by its ticket. */
  readonly byOwner?: boolean | undefined;
  /** What is left of the token by which they came. */
  readonly use?: TokenUse | undefined;
  /** False as soon as the device or token is revoked, or the account is changed. */
  active(): boolean;
  /** Why, when `active` is false. */
  ended(): Ended;
}

export interface InviteWish {
  readonly role: Role;
  readonly forMs: number;
  /** The account that the device goes to; without one it gets its own. */
  readonly account?: string | undefined;
  readonly name?: string | undefined;
  /** It stands behind a spoken code, and no ticket. */
  readonly spoken?: boolean | undefined;
}

export interface DevicesOptions extends RegisterOptions {
  /** The pin of the server that the proofs must be meant for. */
  readonly serverPin: Uint8Array;
}

/** Reads the book, or starts an empty one. Throws when the file cannot be understood or others may read it. */
export async function openDevices(options: DevicesOptions): Promise<Devices> {
  return new Devices(await openRegister(options), options.serverPin);
}

export class Devices implements AsyncDisposable {
  readonly register: Register;
  readonly #serverPin: Uint8Array;

  constructor(register: Register, serverPin: Uint8Array) {
    this.register = register;
    this.#serverPin = serverPin;
  }

  /** As `Register.rehearsal`. */
  rehearsal(): Devices {
    return new Devices(this.register.rehearsal(), this.#serverPin);
  }

  /** All devices, in the order in which they came. */
  list(): readonly Device[] {
    return [...this.register.devices.values()].map((device) => ({ ...device, lastSeen: this.register.lastSeen(device) }));
  }

  /** Opens the door for one device. Returns the secret for the ticket, which is kept nowhere here, and the key it is known by. Throws LIMIT and NOTFOUND. */
  async invite({ role, forMs, account, name, spoken }: InviteWish): Promise<{ secret: Secret<Uint8Array>; key: string; expires: number }> {
    const secret = new Secret(new Uint8Array(randomBytes(TICKET_SECRET_BYTES)));
    const key = text(publicBytes(keyFromSecret(secret, 'invite')));
    const expires = this.register.now() + forMs;
    await this.register.change((book, now) => {
      const open = book.invites.filter((invite) => isOpen(invite, now));
      if (open.length >= MAX_INVITES) throw new Failure('LIMIT', `${MAX_INVITES} invites are open already`, { who: 'rule', hint: 'wait until some have expired, or withdraw some: wherry invite list, wherry invite revoke ID' });
      if (account !== undefined && !book.accounts.some((one) => one.name === account)) throw unknownAccount(account);
      // After every change that was made before, whatever the clock did meanwhile.
      const added = book.accounts.reduce((most, { changed = -1 }) => Math.max(most, changed + 1), now);
      return { ...book, invites: [...book.invites, { key, role, added, expires, account, name, ...(spoken === true && { spoken }) }] };
    });
    return { secret, key, expires };
  }

  /** Whether `add` could be done with all of these public keys, before anything is changed. Throws EXISTS and LIMIT. */
  mustBeNew(keys: readonly string[]): void {
    const { devices } = this.register;
    for (const key of keys) if (devices.has(key)) throw knownAlready(devices.get(key)!);
    if (new Set(keys).size < keys.length) throw new Failure('EXISTS', 'the same key is given twice', { who: 'rule', hint: 'give each key once' });
    if (devices.size + keys.length > MAX_DEVICES) throw tooManyDevices();
  }

  /** Adds a device by its public key, in base64url. Throws EXISTS, NOTFOUND and LIMIT. */
  async add(account: string, label: string, key: string): Promise<string> {
    let name = '';
    await this.register.change((book, now) => {
      if (!book.accounts.some((one) => one.name === account)) throw unknownAccount(account);
      const known = book.devices.find((device) => device.key === key);
      if (known !== undefined) throw knownAlready(known);
      if (book.devices.length >= MAX_DEVICES) throw tooManyDevices();
      name = freeName(label, namesIn(book, key));
      return { ...book, devices: [...book.devices, { name, account, key, added: now }] };
    });
    return name;
  }

  /** Takes a device out of the book, and the account that it had for itself; its sessions end with their next step, also where that cannot be written. Throws NOTFOUND. */
  revoke(name: string): Promise<Taken> {
    return this.register.take(`the device ${printable(name)} is revoked`, (book) => {
      const gone = book.devices.find((device) => device.name === name);
      if (gone === undefined) throw new Failure('NOTFOUND', `no device is named ${printable(name)}`, { who: 'rule', hint: 'see the names with: wherry devices list' });
      return withoutLeft({ ...book, devices: book.devices.filter((device) => device !== gone) }, gone.account);
    });
  }

  /** Who these credentials belong to, who come from this address; an invite enrols the device they name. `isHere`: whether a key is signed in already. Throws AUTH. */
  async signIn(credentials: Credentials, address: string, isHere: (key: string) => boolean = () => false): Promise<Principal> {
    // The proof comes first, so that nothing about the book is learned without one.
    if (!verifyProof(credentials, this.#serverPin)) throw unknown();
    const { kind, key, device } = credentials;
    if (kind === 'invite' && device !== undefined) return this.#enrol(text(key), text(device), credentials.label);
    if (kind === 'token') return this.#byToken(text(key), { address, isFurther: isHere(text(key)) });
    const known = this.register.devices.get(text(key));
    if (kind !== 'device' || known === undefined) throw unknown();
    await this.register.see(known);
    return this.#principal(known);
  }

  /** Why somebody who signed in at a process before this one, by this key to this account, may go on no longer, if so: asked again and again. */
  endOf(key: string, account: string): () => Ended | undefined {
    const { register } = this;
    const owner = register.accounts.get(account);
    const entry = (): Device | Token | undefined => register.devices.get(key) ?? register.tokens.get(key);
    const expires = register.tokens.get(key)?.scope.expires;
    const isCounted = register.hasQuotas; // else that process may not count them
    const may = (): boolean => (isCounted || !register.hasQuotas) && owner !== undefined && register.accounts.get(account) === owner && entry()?.account === account && (expires ?? Infinity) > register.now();
    return () => (may() ? undefined : this.#ended(key, account, expires));
  }

  #ended(key: string, account: string, expires = Infinity): Ended {
    const { accounts, devices, tokens, now } = this.register;
    if (expires <= now()) return 'expired';
    return accounts.has(account) && (devices.has(key) || tokens.has(key)) ? 'changed' : 'revoked';
  }

  /** Enrols the device of these credentials by the invite with this key; that it may have it was proven to whoever calls. Throws AUTH. */
  async enrol(inviteKey: string, { key, label }: Credentials): Promise<Principal> {
    return this.#enrol(inviteKey, text(key), label);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.register[Symbol.asyncDispose]();
  }

  async #enrol(inviteKey: string, deviceKey: string, label: string | undefined): Promise<Principal> {
    await this.register.change((book, now) => enrolled(book, now, { inviteKey, deviceKey, label }));
    const device = this.register.devices.get(deviceKey);
    if (device === undefined) throw unknown(); // revoked in the same moment
    return this.#principal(device);
  }

  #principal({ key, name, account }: Device): Principal {
    const { register } = this;
    const owner = register.accounts.get(account);
    if (owner === undefined) throw unknown();
    return {
      name: account, device: name, roots: owner.roots, grants: grantsOf(owner), byOwner: !owner.own,
      active: () => register.devices.get(key)?.account === account && register.accounts.get(account) === owner,
      ended: () => this.#ended(key, account),
    };
  }

  async #byToken(key: string, bearer: Bearer): Promise<Principal> {
    const { register } = this;
    const token = register.tokens.get(key);
    const owner = token && register.accounts.get(token.account);
    if (token === undefined || owner === undefined) throw unknown();
    const { grants, use } = useToken(register, token, grantsOf(owner), bearer);
    await register.see(token);
    return {
      name: owner.name, device: token.name, roots: owner.roots, grants, byToken: true, use,
      active: () => use.valid() && register.accounts.get(owner.name) === owner,
      ended: () => this.#ended(key, owner.name, token.scope.expires),
    };
  }
}

/** The book after a device has come by an invite. Throws AUTH and LIMIT. */
function enrolled(book: Book, now: number, { inviteKey, deviceKey, label }: { inviteKey: string; deviceKey: string; label: string | undefined }): Book {
  const invite = book.invites.find((one) => one.key === inviteKey);
  if (invite === undefined) throw unknown();
  if (invite.used !== undefined) throw refused('this ticket was already used');
  if (invite.expires <= now) throw refused('this ticket has expired');
  const invites = book.invites.map((one) => (one === invite ? { ...one, used: now } : one));
  const before = book.devices.find((device) => device.key === deviceKey);
  if (before === undefined && (book.devices.length >= MAX_DEVICES || book.accounts.length >= MAX_ACCOUNTS)) throw tooManyDevices();
  const name = before?.name ?? freeName(invite.name ?? label ?? '', namesIn(book, deviceKey));
  const account = invite.account ?? name;
  const device: Device = { name, account, key: deviceKey, added: before?.added ?? now, lastSeen: now };
  const devices = before === undefined ? [...book.devices, device] : book.devices.map((one) => (one === before ? device : one));
  // An account of its own goes when its device goes to another.
  const left = { ...book, devices, invites };
  const after = before === undefined || before.account === account ? left : withoutLeft(left, before.account);
  return invite.account === undefined ? { ...after, accounts: withOwn(after.accounts, account, invite, now) } : after;
}

/** The book without an account that one device had for itself, where nobody is left who comes in by it; of any other nothing changes. */
function withoutLeft(book: Book, name: string): Book {
  const isLeft = book.accounts.some((one) => one.own && one.name === name) && ![...book.devices, ...book.tokens].some(({ account }) => account === name);
  return isLeft ? without(book, name) : book;
}

/** With the account that a device has for itself, and the rights of the invite in it: unless the owner has said later what that may do. */
function withOwn(accounts: readonly Account[], name: string, { role, added = 0 }: Invite, now: number): readonly Account[] {
  const before = accounts.find((account) => account.name === name);
  if (before === undefined) return [...accounts, ownAccount(name, role, now)];
  if ((before.changed ?? -1) >= added) return accounts;
  return accounts.map((account) => (account === before ? { ...account, rights: ROLES[role] } : account));
}

/** One text for everything that is not known or not proven, so that nothing can be learned by trying. */
function unknown(): Failure {
  return new Failure('AUTH', 'the server did not accept the key of this device', { who: 'rule', hint: 'ask the owner of the server for a ticket, then: wherry join' });
}

/** For somebody who has proven to hold the ticket. */
function refused(why: string): Failure {
  return late(new Failure('AUTH', why, { who: 'rule', hint: 'ask for a new one; on the server: wherry invite' }));
}

function knownAlready({ name, account }: Device): Failure {
  return new Failure('EXISTS', `this key is known already, as ${printable(name)} of ${printable(account)}`, { who: 'rule', hint: 'take it away there first: wherry devices revoke' });
}

function tooManyDevices(): Failure {
  return new Failure('LIMIT', `the server knows ${MAX_DEVICES} devices already`, { who: 'rule', hint: 'the owner can remove old ones with: wherry devices revoke NAME' });
}

/** All that the device with this key cannot be called: also what others were called that are no more, since whoever revokes one late must not hit another. */
function namesIn({ accounts, devices, gone = [] }: Book, key: string): Set<string> {
  return new Set([...accounts, ...devices, ...gone.filter((one) => one.key !== key)].map(({ name }) => foldKey(name)));
}

/** A name that can be typed and shown, made from what a device calls itself and unlike every other in any spelling. */
function freeName(label: string, taken: ReadonlySet<string>): string {
  const plain = label.slice(0, 4 * MAX_NAME).normalize('NFC').replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[-.]+|-+$/g, '');
  const base = Array.from(plain).slice(0, MAX_NAME).join('') || 'device';
  for (let number = 1; ; number++) {
    const name = number === 1 ? base : `${base}-${number}`;
    if (!taken.has(foldKey(name))) return name;
  }
}

function text(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('base64url');
}
