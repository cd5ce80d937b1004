/**
 * Server: one served folder, open to the devices it knows. The only wiring of a server.
 *
 * Options become a config, the config a book of devices, an administration socket, a service and ports. The service
 * has the folder and the doors: in this process, or in several workers; it asks here who somebody is. What is opened is closed in reverse, by
 * `stop`, or when a later step of the start fails. No logic of its own beyond that.
 */
import type { KeyObject } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type Devices, openDevices } from '../access/devices.ts';
import { Passwords } from '../access/passwords.ts';
import { type Adopted, openPort, type Port } from '../doors/port.ts';
import { Failure } from '../errors.ts';
import { type Credentials, fingerprint, pinOf } from '../identity.ts';
import { loadKey, privateFolder } from '../private.ts';
import type { Role } from '../rights.ts';
import { Secret } from '../secret.ts';
import { type Reachable, reachableAt } from './addresses.ts';
import type { Server } from './api.ts';
import { openAccounting, type OwnAccounting } from './accounting.ts';
import { bookFile } from './books.ts';
import { selfSigned } from './certificate.ts';
import { type Config, MAX_INVITE_MS, resolveConfig, type ServeOptions } from './config.ts';
import type { Listen } from './listen.ts';
import { Guard } from './guard.ts';
import { Handover, LINGER_MS } from './handover/handover.ts';
import type { Predecessor } from './handover/predecessor.ts';
import { guarded, type ServerEvent } from './log.ts';
import { Office } from './office.ts';
import { checkState, mustStay, tightenState } from './owners.ts';
import { Ports } from './ports.ts';
import { Post } from './post.ts';
import { Puts } from './puts.ts';
import { reload } from './reload.ts';
import { Reception } from './reception.ts';
import { Refusals } from './refusals.ts';
import type { AdminRequest, AnswerTo } from './requests.ts';
import { announcerOf, onlyHere, SpokenCodes } from './spoken.ts';
import { sweepNowAndThen, sweepStaging } from './staging.ts';
import { openService, recheckNowAndThen, type Peer, type Service, type ServiceSettings } from './service.ts';
import { Turns } from './turns.ts';
import { openWorkers } from './workers.ts';

export type { ServeOptions } from './config.ts';
export type { ServerEvent } from './log.ts';
export type { Reachable } from './addresses.ts';
export type { Server } from './api.ts';

/** Serves the folder `dir` until `stop` is called or the signal is given. Rejects with a `Failure` when it cannot start; nothing is left open then. */
export function serve(dir: string, options: ServeOptions = {}): Promise<Server> {
  return serveAfter(undefined, dir, options);
}

/** The same, in the place of the process before this one; whoever was to be let in at the start has been. */
export async function serveAfter(predecessor: Predecessor | undefined, dir: string, options: ServeOptions): Promise<Server> {
  const aborted = (): boolean => options.signal?.aborted === true;
  if (aborted()) throw new Failure('CANCELLED', 'cancelled before the server was started');
  let running: Running | undefined;
  try {
    running = new Running(await resolveConfig(dir, { ...options, ...(predecessor !== undefined && { ticket: false, code: false }) }), { ...options, predecessor }, guarded(options.onEvent));
    await running.start();
  } catch (error) {
    await running?.close();
    predecessor?.failed(error);
    throw error;
  }
  const onAbort = (): void => void running.stop().catch((error: unknown) => running.emit({ event: 'warning', message: Failure.from(error).message }));
  options.signal?.addEventListener('abort', onAbort, { once: true });
  if (aborted()) onAbort(); // while it was starting
  return running;
}

interface RunOptions extends Pick<ServeOptions, 'reread' | 'upgrade'> { readonly predecessor: Predecessor | undefined }

class Running implements Server {
  readonly state: string;
  readonly emit: (event: ServerEvent) => void;
  #config: Config;
  readonly #options: RunOptions;
  readonly #handover: Handover;
  readonly #refusals: Refusals;
  readonly #guard: Guard;
  /** What is open, in the order in which it was opened. */
  readonly #open: AsyncDisposable[] = [];
  readonly #ports = new Ports((listen, adopted) => this.#openPort(listen, adopted));
  readonly #turns = new Turns<readonly string[]>();
  #key!: KeyObject;
  #service: Service | undefined;
  #devices!: Devices;
  #accounting!: OwnAccounting;
  #pin!: Uint8Array;
  #codes!: SpokenCodes;
  /** Set when it is open. */
  #office: Office | undefined;
  #post: Post | undefined;
  #ticket = '';
  #code: string | undefined;
  #stopped: Promise<void> | undefined;
  #isLeaving = false; // another process has its place, and it finishes what runs
  readonly ended: Promise<void>;
  #end!: { resolve(): void; reject(why: Failure): void };

  constructor(config: Config, options: RunOptions, emit: (event: ServerEvent) => void) {
    this.#config = config;
    this.#options = options;
    this.state = config.state;
    this.#refusals = new Refusals((event) => { this.#post?.watch.record(event); emit(event); });
    this.emit = (event) => { this.#post?.watch.count(event); this.#refusals.tell(event); };
    this.#guard = new Guard(config.limits, this.emit);
    this.#handover = new Handover(options.predecessor, this.#guard.bans);
    this.ended = new Promise((resolve, reject) => { this.#end = { resolve, reject }; });
    this.ended.catch(() => undefined); // nobody has to wait for it
  }

  get addresses(): readonly string[] { return this.#ports.addresses; }
  get reachable(): readonly Reachable[] { return reachableAt(this.#ports.bound, networkInterfaces()); }
  get fingerprint(): string { return fingerprint(this.#pin); }
  get ticket(): string { return this.#ticket; }
  get metricsAddress(): string | undefined { return this.#post?.watch.address; }
  get code(): string | undefined { return this.#code; }

  async start(): Promise<void> {
    const { dir, number, state, role, ticket, ticketMs, diskThreads, similarNames, portableNames, keep, memory, limits, name } = this.#config;
    await mustStay('the served folder', dir);
    await checkState(state);
    await privateFolder(state);
    await tightenState(state);
    await this.#handover.begin(this.#config);
    this.#post = await Post.take({ config: this.#config, service: () => this.#service, isListening: () => this.addresses.length > 0, isDraining: () => this.#stopped !== undefined, onEvent: (event) => this.emit(event), answer: (request) => this.#answer(request) });
    this.#open.push(this.#post);
    this.#key = await loadKey(join(state, 'server.key'));
    this.#pin = pinOf(this.#key);
    this.#devices = await openDevices({ file: await bookFile(state), serverPin: this.#pin, onTrouble: (message) => this.emit({ event: 'warning', message }) });
    this.#open.push(this.#devices);
    await sweepStaging(this.#config, Date.now() - this.#config.sweepAgeMs, this.emit);
    this.#service = await this.#openService({
      dir, number, diskThreads, similarNames, portableNames, keep, limits, name, firstSession: this.#handover.firstSession,
      ...(memory !== undefined && { memory }),
      key: new Secret(this.#key.export({ type: 'pkcs8', format: 'pem' }) as string),
      certificate: this.#certificate(name),
    });
    this.#open.push(this.#service, recheckNowAndThen({ recheck: () => this.#handover.recheck(this.#service!) }), sweepNowAndThen(this.#config, this.emit), this.#ports);
    const openCode = this.#openCodes();
    const heard = { record: (event: ServerEvent) => this.#post!.watch.record(event), reload: () => void this.reload().catch(() => undefined), warn: (message: string) => this.emit({ event: 'warning', message }) };
    await this.#handover.take({ endOf: (key, account) => this.#devices.endOf(key, account), ...heard, ports: this.#ports, config: this.#config });
    await openCode();
    const office = this.#openOffice();
    if (ticket) this.#ticket = await office.ticket(role, ticketMs);
    this.#office = office;
    this.#handover.predecessor?.ready();
    const { addresses, reachable } = this;
    this.emit({ event: 'listening', address: addresses[0], fingerprint: this.fingerprint, ...(ticket && { ticket: this.#ticket }), ...(this.#code !== undefined && { spoken: this.#code }), ...(addresses.length > 1 && { addresses }), reachable });
  }

  async invite({ role = this.#config.role, forMs = this.#config.ticketMs }: { role?: Role; forMs?: number } = {}): Promise<string> {
    if (!(forMs > 0 && forMs <= MAX_INVITE_MS)) throw new Failure('USAGE', 'a ticket is for at most 30 days');
    if (this.#office === undefined) throw new Failure('SHUTDOWN', 'the server is not open');
    return (await this.#answer({ verb: 'invite', role, forMs }) as AnswerTo<{ verb: 'invite' }>).ticket;
  }

  reload(): Promise<readonly string[]> {
    // Where another process has taken the place, it is meant.
    return this.#turns.joined(() => this.#handover.successor?.reload() ?? reload(this.#options.reread, { config: this.#config, adopt: (config) => this.#adopt(config), onEvent: this.emit }));
  }

  async #adopt(config: Config): Promise<void> {
    if (this.#service === undefined || this.#stopped !== undefined) throw new Failure('SHUTDOWN', 'the server is not open');
    await this.#ports.change(config.listen); // the last step that can fail
    const { name, limits } = config;
    this.#config = { ...config, number: this.#config.number }; // another folder is taken at a start alone
    this.#guard.adjust(limits);
    this.#service.adjust({ certificate: this.#certificate(name), name, limits });
  }

  stop({ graceMs = this.#config.graceMs }: { graceMs?: number } = {}): Promise<void> {
    if (this.#stopped === undefined) this.emit({ event: 'stopping', graceMs });
    else if (this.#isLeaving) void Promise.all([this.#service?.drain(graceMs), this.#handover.predecessor?.stop(graceMs)]); // sooner than it was given
    this.#stopped ??= this.#finish(() => Promise.all([this.#service?.drain(graceMs), this.#handover.predecessor?.stop(graceMs)]));
    return this.#stopped;
  }

  /** Leaves everything to the version that is installed now, and finishes what runs here. */
  async #upgrade(): Promise<AnswerTo<{ verb: 'upgrade' }>> {
    if (this.#stopped !== undefined) throw new Failure('SHUTDOWN', 'the server is stopping');
    const upgraded = await this.#handover.give({
      config: this.#config, upgrade: this.#options.upgrade, post: this.#post!, ports: this.#ports, register: this.#devices.register,
      service: () => this.#service!, stop: (graceMs) => void this.stop({ graceMs }), turn: (step) => this.#turns.next(step),
    });
    this.#isLeaving = true;
    const { upgradeGraceMs: graceMs } = this.#config;
    this.emit({ event: 'handed-over', ...upgraded, graceMs });
    await this.#codes[Symbol.asyncDispose]();
    this.#stopped = this.#finish(() => Promise.all([this.#service!.drain(graceMs, LINGER_MS), this.#handover.predecessor?.over]));
    return { ...upgraded, graceMs };
  }

  async #finish(running: () => Promise<unknown>): Promise<void> {
    try {
      await running();
    } finally {
      await this.close();
      this.#handover.leave();
    }
    this.#refusals[Symbol.dispose]();
    this.emit({ event: 'stopped', ...(this.#isLeaving && { pid: process.pid }) });
    this.#end.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Closes everything that is open, the last opened first; one that fails does not keep the others open. */
  async close(): Promise<void> {
    const failed: unknown[] = [];
    for (let next = this.#open.pop(); next !== undefined; next = this.#open.pop()) {
      try {
        await next[Symbol.asyncDispose]();
      } catch (error) {
        failed.push(error);
      }
    }
    if (failed.length > 0) throw failed[0];
  }

  async #openService(settings: ServiceSettings): Promise<Service> {
    const { dir, number, state, workers } = this.#config;
    const puts = await Puts.open(state, (message) => this.emit({ event: 'warning', message }));
    this.#open.push(puts);
    const rates = (): Config => this.#config;
    this.#accounting = openAccounting({ register: this.#devices.register, dir, number, puts, rates });
    const reception = new Reception({ devices: this.#devices, guard: this.#guard, guests: this.#handover.guests, successor: () => this.#handover.successor, codes: () => this.#codes, rates, recheck: () => this.#handover.recheck(this.#service!), onEvent: this.emit });
    const host = {
      accounting: this.#handover.counts(this.#accounting), strangers: this.#guard.strangers,
      who: (credentials: Credentials, peer: Peer) => reception.who(credentials, peer),
      answerCode: (point: Uint8Array, exporter: Uint8Array, peer: Peer) => reception.answerCode(point, exporter, peer),
      onEvent: (event: ServerEvent) => {
        const left = event.event === 'disconnected' && this.#codes.forget(event['session'] as number);
        this.#heard(left ? { ...event, offence: event['offence'] ?? 'slow' } : event);
      },
    };
    return workers === 1 ? openService(settings, host) : openWorkers(workers, settings, { ...host, recover: () => sweepStaging(this.#config, 0, this.emit), onGiveUp: (failure) => this.#giveUp(failure) });
  }

  #heard(event: ServerEvent): void {
    this.#guard.heard(event);
    this.#handover.heard(event);
    this.emit(event);
  }

  #giveUp(failure: Failure): void {
    this.emit({ event: 'warning', message: failure.message });
    this.#end.reject(failure);
    void this.stop().catch((error: unknown) => this.emit({ event: 'warning', message: Failure.from(error).message }));
  }

  #openPort({ host, port }: Listen, adopted: Adopted | undefined): Promise<Port> {
    return openPort({
      host, port, adopted, turnstile: this.#guard.turnstile, handsOver: this.#config.workers > 1, onEvent: (event) => this.#heard(event),
      take: (socket, gone) => this.#guard.admit(socket, this.#service!, gone),
    });
  }

  #certificate(name: string): string {
    return selfSigned(this.#key, { name, hosts: [name, 'localhost'] });
  }

  #openOffice(): Office {
    const now = { config: () => this.#config, bound: () => this.#ports.bound };
    const passwords = new Passwords();
    this.#open.push(passwords);
    return new Office({
      passwords, bans: this.#guard.bans, devices: this.#devices, codes: this.#codes, pin: this.#pin, watch: this.#post!.watch,
      recheck: () => this.#handover.recheck(this.#service!), forget: (account) => this.#accounting.forget(account), upgrade: () => this.#upgrade(), reload: () => this.reload(), onEvent: this.emit,
      get config() { return now.config(); },
      get bound() { return now.bound(); },
    });
  }

  /** Nothing is announced before somebody asks for a code: with `code`, that is when what is returned is called. */
  #openCodes(): () => Promise<void> {
    const { role, ticketMs, code } = this.#config;
    let starting = true; // the first code is told with the rest
    this.#codes = new SpokenCodes({ devices: this.#devices, serverPin: this.#pin, announce: announcerOf(() => this.#ports.bound), onlyAt: () => onlyHere(this.#ports.bound), onEvent: (event) => { if (!starting || event.event !== 'code') this.emit(event); } });
    this.#open.push(this.#codes);
    return async () => {
      if (code) this.#code = (await this.#codes.open({ role, forMs: ticketMs })).code;
      starting = false;
    };
  }

  /** Asked before it is open, a server says only which folder it serves. */
  async #answer(request: AdminRequest): Promise<AnswerTo<AdminRequest>> {
    const [office, post] = [this.#office, this.#post];
    if (office !== undefined && post !== undefined) return post.watch.answered(request, () => office.answer(request));
    if (request.verb === 'folder') return { folder: this.#config.dir };
    throw new Failure('BUSY', 'the server is still starting', { hint: 'try again in a moment' });
  }
}
