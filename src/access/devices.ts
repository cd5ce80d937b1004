/**
 * Devices: who may come in. The book of a server's devices and of its open invites, in one private file.
 *
 *     devices.json   { version: 1, devices: [{ name, key, role, added, lastSeen? }], invites: [{ key, role, expires, name?, used? }] }
 *
 * It holds public keys only, of invites too: whoever reads a stolen copy is not let in by it. An invite works
 * once: it is burned, and that is on the disk, before its user is answered. Changes are made one after the
 * other, on the disk first and in memory then, so that a failed write changes nothing. Times are milliseconds
 * since 1970 in memory and ISO 8601 in the file. What an account may do is `rights.ts`; this only says who it is.
 */
import { randomBytes } from 'node:crypto';
import { Failure } from '../errors.ts';
import { type Credentials, keyFromSecret, publicBytes, verifyProof } from '../identity.ts';
import { foldKey } from '../path.ts';
import { readPrivate, writePrivate } from '../private.ts';
import { printable } from '../printable.ts';
import { type Right, type Role, ROLES } from '../rights.ts';
import { TICKET_SECRET_BYTES } from '../ticket.ts';
import { type Book, type Device, type Invite, parseBook, printBook } from './book.ts';

export type { Device } from './book.ts';

/** Bounds the file, which is rewritten whole, to 2 MiB. */
export const MAX_DEVICES = 10_000;
/** Open invites are meant to live for minutes; this many at once is a script gone wrong. */
export const MAX_INVITES = 1000;
/** How long a used or expired invite is remembered, for its holder to be told which it is. */
const REMEMBER_MS = 24 * 3_600_000;
/** How old `lastSeen` may be in the file: a write per connection would be a flush per connection. */
const SEEN_MS = 3_600_000;
/** Longest name made from what a device calls itself. */
const MAX_NAME = 48;

/** Who somebody turned out to be. */
export interface Principal {
  readonly name: string;
  readonly role: Role;
  readonly rights: readonly Right[];
  /** False as soon as the device is revoked, or is given another role. */
  active(): boolean;
}

export interface DevicesOptions {
  readonly file: string;
  /** The pin of the server that the proofs must be meant for. */
  readonly serverPin: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Reads the book, or starts an empty one. Throws when the file cannot be understood or others may read it. */
export async function openDevices(options: DevicesOptions): Promise<Devices> {
  const text = await readPrivate(options.file);
  return new Devices(options, text === undefined ? { devices: [], invites: [] } : parseBook(text, options.file));
}

export class Devices implements AsyncDisposable {
  readonly #file: string;
  readonly #serverPin: Uint8Array;
  readonly #now: () => number;
  #devices = new Map<string, Device>();
  #invites = new Map<string, Invite>();
  #last: Promise<unknown> = Promise.resolve();

  constructor({ file, serverPin, now }: DevicesOptions, book: Book) {
    this.#file = file;
    this.#serverPin = serverPin;
    this.#now = now ?? Date.now;
    this.#adopt(book);
  }

  /** All devices, in the order in which they came. */
  list(): readonly Device[] {
    return [...this.#devices.values()];
  }

  /** Opens the door for one device. Returns the secret for the ticket, which is kept nowhere here. Throws LIMIT. */
  async invite({ role, forMs, name }: { role: Role; forMs: number; name?: string | undefined }): Promise<{ secret: Uint8Array; expires: number }> {
    const secret = new Uint8Array(randomBytes(TICKET_SECRET_BYTES));
    const key = text(publicBytes(keyFromSecret(secret, 'invite')));
    const expires = this.#now() + forMs;
    await this.#change((book) => {
      const open = book.invites.filter((invite) => invite.used === undefined && invite.expires > this.#now());
      if (open.length >= MAX_INVITES) throw new Failure('LIMIT', `${MAX_INVITES} invites are open already`, { who: 'rule', hint: 'wait until some have expired' });
      return { ...book, invites: [...book.invites, { key, role, expires, ...(name !== undefined && { name }) }] };
    });
    return { secret, expires };
  }

  /** Takes a device out of the book; its sessions end with their next step. Throws NOTFOUND. */
  async revoke(name: string): Promise<void> {
    await this.#change((book) => {
      const devices = book.devices.filter((device) => device.name !== name);
      if (devices.length === book.devices.length) throw new Failure('NOTFOUND', `no device is named ${printable(name)}`, { who: 'rule', hint: 'see the names with: wherry devices list' });
      return { ...book, devices };
    });
  }

  /** Who these credentials belong to; an invite enrols the device they name. Throws AUTH. */
  async signIn(credentials: Credentials): Promise<Principal> {
    // The proof comes first, so that nothing about the book is learned without one.
    if (!verifyProof(credentials, this.#serverPin)) throw unknown();
    const { kind, key, device } = credentials;
    if (kind === 'invite' && device !== undefined) return this.#enrol(text(key), text(device), credentials.label);
    const known = this.#devices.get(text(key));
    if (kind !== 'device' || known === undefined) throw unknown();
    await this.#seen(known);
    return this.#principal(known);
  }

  /** Resolves when every change that was begun is on the disk, or has failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
  }

  async #enrol(inviteKey: string, deviceKey: string, label: string | undefined): Promise<Principal> {
    await this.#change((book, now) => {
      const invite = book.invites.find((one) => one.key === inviteKey);
      if (invite === undefined) throw unknown();
      if (invite.used !== undefined) throw refused('this ticket was already used');
      if (invite.expires <= now) throw refused('this ticket has expired');
      const invites = book.invites.map((one) => (one === invite ? { ...one, used: now } : one));
      const before = book.devices.find((device) => device.key === deviceKey);
      if (before === undefined && book.devices.length >= MAX_DEVICES) {
        throw new Failure('LIMIT', `the server knows ${MAX_DEVICES} devices already`, { who: 'rule', hint: 'the owner can remove old ones with: wherry devices revoke NAME' });
      }
      const name = before?.name ?? freeName(invite.name ?? label ?? '', book.devices);
      const enrolled: Device = { name, key: deviceKey, role: invite.role, added: before?.added ?? now, lastSeen: now };
      const devices = before === undefined ? [...book.devices, enrolled] : book.devices.map((device) => (device === before ? enrolled : device));
      return { devices, invites };
    });
    const enrolled = this.#devices.get(deviceKey);
    if (enrolled === undefined) throw unknown(); // revoked in the same moment
    return this.#principal(enrolled);
  }

  #principal({ key, name, role }: Device): Principal {
    return {
      name, role, rights: ROLES[role],
      active: () => {
        const now = this.#devices.get(key);
        return now !== undefined && now.role === role && now.name === name;
      },
    };
  }

  async #seen({ key, lastSeen }: Device): Promise<void> {
    if (lastSeen !== undefined && this.#now() - lastSeen < SEEN_MS) return;
    try {
      await this.#change((book, now) => ({ ...book, devices: book.devices.map((device) => (device.key === key ? { ...device, lastSeen: now } : device)) }));
    } catch {
      // A full disk must not keep people from fetching their files.
    }
  }

  /** Makes one change: asks `change` for the new book, writes it, and only then believes it. */
  #change(change: (book: Book, now: number) => Book): Promise<void> {
    const turn = this.#last.then(() => this.#write(change));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #write(change: (book: Book, now: number) => Book): Promise<void> {
    const now = this.#now();
    const next = change({ devices: [...this.#devices.values()], invites: [...this.#invites.values()] }, now);
    const book = { ...next, invites: next.invites.filter((invite) => Math.min(invite.used ?? Infinity, invite.expires) > now - REMEMBER_MS) };
    await writePrivate(this.#file, printBook(book));
    this.#adopt(book);
  }

  #adopt(book: Book): void {
    this.#devices = new Map(book.devices.map((device) => [device.key, device]));
    this.#invites = new Map(book.invites.map((invite) => [invite.key, invite]));
  }
}

/** One text for everything that is not known or not proven, so that nothing can be learned by trying. */
function unknown(): Failure {
  return new Failure('AUTH', 'the server did not accept the key of this device', { who: 'rule', hint: 'ask the owner of the server for a ticket, then: wherry join' });
}

/** For somebody who has proven to hold the ticket. */
function refused(why: string): Failure {
  return new Failure('AUTH', why, { who: 'rule', hint: 'ask for a new one; on the server: wherry invite' });
}

/** A name that can be typed and shown, made from what a device calls itself and unlike every other in any spelling. */
function freeName(label: string, devices: readonly Device[]): string {
  const plain = label.slice(0, 4 * MAX_NAME).normalize('NFC').replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[-.]+|-+$/g, '');
  const base = Array.from(plain).slice(0, MAX_NAME).join('') || 'device';
  const taken = new Set(devices.map((device) => foldKey(device.name)));
  for (let number = 1; ; number++) {
    const name = number === 1 ? base : `${base}-${number}`;
    if (!taken.has(foldKey(name))) return name;
  }
}

function text(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('base64url');
}
