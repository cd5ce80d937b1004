/**
 * Codes: the spoken code that is open on a server, if one is, and how often it may be guessed.
 *
 * One code at a time, for one device, for minutes. A code is guessed only by being told right or wrong, and that is counted here, in the one
 * process that has the devices: three wrong confirmations and it is gone. A try is taken before the comparison and without waiting
 * for anything in between, so that connections cannot race for a fourth. The client confirms first. What it was sent until
 * then is a random point that is the same for every code, so that a start which is never confirmed teaches nothing and costs no try;
 * otherwise anybody could take the code away by dialling and hanging up. After three codes in a row that were guessed at there is a new one only when
 * somebody asks for it, since each one is three guesses more. Who knows the code is enrolled by an ordinary invite of the book.
 */
import { answerAgreement, type Confirmations } from '../agreement.ts';
import { sameConfirmation } from '../cpace.ts';
import { Failure } from '../errors.ts';
import { type Credentials, verifyProof } from '../identity.ts';
import type { Role } from '../rights.ts';
import { formatCode, newCode, type SpokenCode } from '../spoken.ts';
import { blamed, late } from './bans.ts';
import type { Devices, Principal } from './devices.ts';
import { inviteId, revokeInvite } from './invites.ts';
import type { From, Starts } from './starts.ts';

/** Wrong confirmations that end a code: what a person mistypes, at 3 in 262,144 for somebody who guesses. */
export const CODE_TRIES = 3;
/** Codes in a row that may end so and be followed by another: 9 guesses in all, unless the owner asks for more. */
export const MAX_GUESSED = 3;
/** Exchanges that may wait for their confirmation: each is some hundred bytes, for the time a sign-in may take at most. */
export const MAX_STARTED = 256;

export type CodeEnd = 'used' | 'expired' | 'guessed' | 'withdrawn';

/** What became of the code. */
export type CodeChange =
  | { readonly is: 'open'; readonly code: SpokenCode; readonly text: string; readonly role: Role; readonly account: string | undefined; readonly expires: number }
  /** `follows`: another is opened by itself. */
  | { readonly is: 'closed'; readonly why: CodeEnd; readonly follows: boolean };

export interface CodesOptions {
  readonly devices: Pick<Devices, 'invite' | 'enrol' | 'register'>;
  readonly serverPin: Uint8Array;
  /** How many exchanges may begin. */
  readonly starts: Pick<Starts, 'take'>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  onChange(change: CodeChange): void;
}

/** What a code opens: an account of its own with a role, or one that is there. */
export interface CodeWish { readonly role: Role; readonly forMs: number; readonly account?: string | undefined }

interface OpenCode extends CodeWish { readonly code: SpokenCode; readonly invite: string; readonly expires: number; tries: number }

/** One client's exchange, up to its confirmation. */
interface Started { readonly open: OpenCode; readonly exchange: Confirmations }

/** Somebody who came by a code, and what proves to them that the server knows it too. */
export type Spoken = Principal & { readonly confirmation: Uint8Array };

export class Codes {
  readonly #options: CodesOptions;
  readonly #now: () => number;
  readonly #started = new Map<number, Started>();
  #open: OpenCode | undefined;
  #guessed = 0;

  constructor(options: CodesOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** A new code in place of the one that is open. Throws LIMIT and NOTFOUND, as an invite does. */
  async renew(wanted: CodeWish): Promise<CodeChange & { is: 'open' }> {
    this.#guessed = 0;
    return this.#mint(wanted);
  }

  /** The server's share, for a client's. Throws AUTH when no code is open and LIMIT when there were too many, both before anything is computed; PROTOCOL for what is no point. */
  start(session: number, exporter: Uint8Array, point: Uint8Array, from: From): Uint8Array {
    const open = this.#current();
    if (open === undefined) throw late(new Failure('AUTH', 'no code is open on this server', { who: 'rule', hint: 'it may have expired or been used; on the server: wherry invite --code' }));
    if (this.#started.size >= MAX_STARTED) throw late(tooMany('too many devices are trying the code'));
    const turn = this.#options.starts.take(from);
    if (turn === 'too many of one') throw blamed(tooMany('the code is tried too often from this address'), 'code');
    if (turn === 'too many') throw late(tooMany('too many devices are trying the code'));
    const exchange = answerAgreement({ code: open.code, exporter, serverPin: this.#options.serverPin }, point);
    this.#started.set(session, { open, exchange });
    return exchange.point;
  }

  /** Enrols the device of a client that confirms the code. Throws AUTH, and takes a try, when it does not. */
  async finish(session: number, credentials: Credentials): Promise<Spoken> {
    const started = this.#started.get(session);
    this.#started.delete(session);
    // That it has the key it brings is no question of the code, and takes no try.
    if (started === undefined || !verifyProof(credentials, this.#options.serverPin)) throw new Failure('AUTH', 'the server did not accept the key of this device', { who: 'rule', hint: 'try again: wherry join CODE' });
    const open = this.#current();
    if (open === undefined || open !== started.open) throw late(new Failure('AUTH', 'this code is gone', { who: 'rule', hint: 'the server shows a new one, or prints one with: wherry invite --code' }));
    open.tries -= 1;
    if (!sameConfirmation(started.exchange.client(credentials.key), credentials.confirmation ?? new Uint8Array(0))) throw this.#wrong(open);
    this.#guessed = 0;
    this.#close('used');
    const principal = await this.#options.devices.enrol(open.invite, credentials);
    return { ...principal, confirmation: started.exchange.server(credentials.key) };
  }

  /** The connection of this session is over. True: it had begun something, and not confirmed it. */
  forget(session: number): boolean { return this.#started.delete(session); }

  /** Closes a code whose time is over, or whose invite was withdrawn; also done with the next step of anybody. */
  expire(): void { this.#current(); }

  #current(): OpenCode | undefined {
    if (this.#open !== undefined && this.#open.expires <= this.#now()) this.#close('expired');
    // Its invite was withdrawn by itself.
    if (this.#open !== undefined && !this.#options.devices.register.invites.has(this.#open.invite)) this.#close('withdrawn');
    return this.#open;
  }

  async #mint({ role, forMs, account }: CodeWish): Promise<CodeChange & { is: 'open' }> {
    const { key, expires } = await this.#options.devices.invite({ role, forMs, account, spoken: true });
    const code = newCode();
    this.#withdraw(this.#open);
    this.#open = { code, invite: key, role, forMs, account, expires, tries: CODE_TRIES };
    const change = { is: 'open', code, text: formatCode(code), role, account, expires } as const;
    this.#options.onChange(change);
    return change;
  }

  #close(why: CodeEnd, follows = false): void {
    if (why === 'guessed') this.#withdraw(this.#open);
    this.#open = undefined;
    this.#options.onChange({ is: 'closed', why, follows });
  }

  /** Nobody can come by it any more: it is not to be listed as open. */
  #withdraw(open: OpenCode | undefined): void {
    if (open !== undefined) void revokeInvite(this.#options.devices.register, inviteId(open.invite)).catch(() => undefined); // gone by itself meanwhile
  }

  #wrong(open: OpenCode): Failure {
    if (open.tries > 0) {
      const left = open.tries === 1 ? '1 try is' : `${open.tries} tries are`;
      return new Failure('AUTH', 'the server does not know this code', { who: 'rule', hint: `look at the code again: ${left} left, then it is gone` });
    }
    this.#guessed += 1;
    const follows = this.#guessed < MAX_GUESSED;
    this.#close('guessed', follows);
    if (follows) void this.#mint(open).catch(() => undefined); // no room for an invite: told to whoever asks for a code
    return new Failure('AUTH', 'the server does not know this code, which was the last try: the code is gone', { who: 'rule', hint: 'the server shows a new one, or prints one with: wherry invite --code' });
  }
}

function tooMany(what: string): Failure {
  return new Failure('LIMIT', what, { who: 'server', retry: true, hint: 'try again in a minute; if others are trying it, the server can print a ticket instead: wherry invite' });
}
