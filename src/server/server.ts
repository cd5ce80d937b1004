/**
 * Server: one served folder, open to the devices it knows. The only wiring of a server process.
 *
 * Options become a config, the config a vault, a book of devices, an administration socket and ports, and each door
 * is given the one function by which it turns credentials into a drive. What is opened is closed in reverse, by
 * `stop`, or when a later step of the start fails. No logic of its own beyond that.
 */
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type Device, type Devices, openDevices } from '../access/devices.ts';
import { createNativeDoor, type NativeDoor } from '../doors/native.ts';
import { openPort, type Port } from '../doors/port.ts';
import { Drive } from '../drive.ts';
import { Failure } from '../errors.ts';
import { fingerprint, pinOf } from '../identity.ts';
import { loadKey, privateFolder } from '../private.ts';
import type { Role } from '../rights.ts';
import { openDisk } from '../store/disk/disk.ts';
import type { Vault } from '../store/vault.ts';
import { encodeTicket, TICKET_PIN_BYTES } from '../ticket.ts';
import { AGENT } from '../version.ts';
import { ticketAddresses } from './addresses.ts';
import { type AdminAnswers, type AdminRequest, type DeviceInfo, openAdmin } from './admin.ts';
import { selfSigned } from './certificate.ts';
import { type Config, MAX_INVITE_MS, resolveConfig, type ServeOptions } from './config.ts';
import type { ServerEvent } from './log.ts';
import { announce } from './running.ts';

export type { ServeOptions } from './config.ts';
export type { ServerEvent } from './log.ts';

export interface Server extends AsyncDisposable {
  /** `host:port` of every socket, as really bound. */
  readonly addresses: readonly string[];
  /** Of the server's key: what clients pin. */
  readonly fingerprint: string;
  /** The first ticket: single use, 10 minutes. */
  readonly ticket: string;
  /** The state folder. */
  readonly state: string;
  /** A further ticket; by default with the rights of the first one, for 10 minutes. `forMs` is at most 30 days. */
  invite(options?: { role?: Role; forMs?: number }): Promise<string>;
  /** Takes nothing new, lets what runs end within `graceMs`, and closes. Calling it again waits for the same end. */
  stop(options?: { graceMs?: number }): Promise<void>;
}

/** Serves the folder `dir` until `stop` is called or the signal is given. Rejects with a `Failure` when it cannot start; nothing is left open then. */
export async function serve(dir: string, options: ServeOptions = {}): Promise<Server> {
  const aborted = (): boolean => options.signal?.aborted === true;
  if (aborted()) throw new Failure('CANCELLED', 'cancelled before the server was started');
  const running = new Running(await resolveConfig(dir, options), guarded(options.onEvent));
  try {
    await running.start();
  } catch (error) {
    await running.close();
    throw error;
  }
  const onAbort = (): void => void running.stop().catch((error: unknown) => running.emit({ event: 'warning', message: Failure.from(error).message }));
  options.signal?.addEventListener('abort', onAbort, { once: true });
  if (aborted()) onAbort(); // while it was starting
  return running;
}

class Running implements Server {
  readonly state: string;
  readonly emit: (event: ServerEvent) => void;
  readonly #config: Config;
  /** What is open, in the order in which it was opened. */
  readonly #open: AsyncDisposable[] = [];
  readonly #ports: Port[] = [];
  #door: NativeDoor | undefined;
  #devices!: Devices;
  #pin!: Uint8Array;
  #ticket = '';
  #stopped: Promise<void> | undefined;

  constructor(config: Config, emit: (event: ServerEvent) => void) {
    this.#config = config;
    this.state = config.state;
    this.emit = emit;
  }

  get addresses(): readonly string[] { return this.#ports.map((port) => port.address); }
  get fingerprint(): string { return fingerprint(this.#pin); }
  get ticket(): string { return this.#ticket; }

  async start(): Promise<void> {
    const { dir, state, role, ticketMs } = this.#config;
    await privateFolder(state);
    // First of all: two servers must not share one book of devices.
    this.#open.push(await openAdmin(state, (request) => this.#answer(request)));
    await this.#announce();
    const key = await loadKey(join(state, 'server.key'));
    this.#pin = pinOf(key);
    this.#devices = await openDevices({ file: join(state, 'devices.json'), serverPin: this.#pin });
    this.#open.push(this.#devices);
    const vault = await openDisk(dir, { workers: this.#config.workers, similarNames: this.#config.similarNames });
    this.#open.push(vault);
    await this.#sweep(vault);
    const name = plainHostName();
    const door = createNativeDoor({
      key: key.export({ type: 'pkcs8', format: 'pem' }) as string,
      certificate: selfSigned(key, { name, hosts: [name, 'localhost'] }),
      agent: AGENT, name,
      driveFor: async (credentials, peer) => {
        const principal = await this.#devices.signIn(credentials);
        if (credentials.kind === 'invite') this.emit({ event: 'enrolled', account: principal.name, role: principal.role, ...peer });
        const drive = new Drive({ vault, principal, onAction: (action) => this.emit({ event: 'action', account: principal.name, ...peer, ...action }) });
        return { drive, account: principal.name, rights: principal.rights };
      },
      onEvent: this.emit,
      limits: { pendingPerAddress: this.#config.maxUnauthenticatedPerAddress },
    });
    this.#door = door;
    await this.#listen(door);
    this.#ticket = await this.#newTicket(role, ticketMs);
    const { addresses } = this;
    this.emit({ event: 'listening', address: addresses[0], fingerprint: this.fingerprint, ticket: this.#ticket, ...(addresses.length > 1 && { addresses }) });
  }

  async invite({ role = this.#config.role, forMs = this.#config.ticketMs }: { role?: Role; forMs?: number } = {}): Promise<string> {
    if (!(forMs > 0 && forMs <= MAX_INVITE_MS)) throw new Failure('USAGE', 'a ticket is for at most 30 days');
    const ticket = await this.#newTicket(role, forMs);
    this.emit({ event: 'invited', role, forMs });
    return ticket;
  }

  stop({ graceMs = this.#config.graceMs }: { graceMs?: number } = {}): Promise<void> {
    this.#stopped ??= (async () => {
      this.emit({ event: 'stopping', graceMs });
      try {
        await this.#door?.drain(graceMs);
      } finally {
        await this.close();
      }
      this.emit({ event: 'stopped' });
    })();
    return this.#stopped;
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

  async #listen(native: NativeDoor): Promise<void> {
    for (const { host, port } of this.#config.listen) {
      const opened = await openPort({ host, port, native, onEvent: this.emit, maxConnections: this.#config.maxConnections });
      this.#ports.push(opened);
      this.#open.push(opened);
    }
  }

  /** A server that its owner's commands do not find by themselves serves all the same. */
  async #announce(): Promise<void> {
    const { servers, state } = this.#config;
    try {
      this.#open.push(await announce(servers, state));
    } catch (error) {
      this.emit({ event: 'warning', message: `"wherry invite" and "wherry devices" will find this server only by --state: ${Failure.from(error).message}` });
    }
  }

  async #sweep(vault: Vault): Promise<void> {
    try {
      const parts = await vault.sweep(Date.now() - this.#config.sweepAgeMs);
      if (parts > 0) this.emit({ event: 'swept', parts });
    } catch (error) {
      this.emit({ event: 'warning', message: `unfinished uploads could not be swept: ${Failure.from(error).message}` });
    }
  }

  async #newTicket(role: Role, forMs: number, name?: string): Promise<string> {
    const { secret } = await this.#devices.invite({ role, forMs, name });
    const bound = this.#config.listen.map(({ host }, index) => ({ host, port: this.#ports[index]!.port }));
    return encodeTicket({ addresses: ticketAddresses(bound, networkInterfaces()), pin: this.#pin.subarray(0, TICKET_PIN_BYTES), secret });
  }

  async #answer(request: AdminRequest): Promise<AdminAnswers[AdminRequest['verb']]> {
    if (this.#ticket === '') throw new Failure('BUSY', 'the server is still starting', { hint: 'try again in a moment' });
    if (request.verb === 'devices list') return { devices: this.#devices.list().map(shown) };
    if (request.verb === 'devices revoke') {
      await this.#devices.revoke(request.name);
      this.emit({ event: 'revoked', account: request.name });
      return { name: request.name };
    }
    const { role = this.#config.role, forMs = this.#config.ticketMs, name } = request;
    const expires = new Date(Date.now() + forMs).toISOString();
    const ticket = await this.#newTicket(role, forMs, name);
    this.emit({ event: 'invited', role, forMs });
    return { ticket, role, expires };
  }
}

function shown({ name, role, added, lastSeen }: Device): DeviceInfo {
  const iso = (ms: number): string => new Date(ms).toISOString();
  return { name, role, added: iso(added), ...(lastSeen !== undefined && { lastSeen: iso(lastSeen) }) };
}

/** A listener that throws is a fault of its own, and must not become one of the transfer it was told about. */
function guarded(onEvent: ServeOptions['onEvent']): (event: ServerEvent) => void {
  return (event) => {
    try {
      onEvent?.(event);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  };
}

/** What the server calls itself: the first label of the machine's name, in characters that every client accepts as a name. */
function plainHostName(): string {
  return hostname().split('.', 1)[0]!.replace(/[^A-Za-z0-9-]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 63) || 'server';
}
