/**
 * Service: the served folder and the door to it, in the process in which its connections are: that of the server, or
 * one of its workers.
 *
 * The settings are plain data, so that they can be sent to another process. Who may come in is asked of the host:
 * only it knows the devices. Between the two nothing else differs, so nothing else of a server is in here.
 */
import type { Socket } from 'node:net';
import type { Ended } from '../access/entries.ts';
import { Descriptors } from '../doors/descriptors.ts';
import type { Adjustments } from '../doors/limits.ts';
import type { Newcomer } from '../doors/door.ts';
import { createNativeDoor, type NativeDoor } from '../doors/native.ts';
import { addressOf } from '../doors/peer.ts';
import { createEntrance } from '../doors/port.ts';
import type { Strangers } from '../doors/strangers.ts';
import type { DriveAccount } from '../drive.ts';
import { Drive } from '../drive.ts';
import type { Memory } from '../drive/recent.ts';
import { type Credentials, keyOf } from '../identity.ts';
import type { Secret } from '../secret.ts';
import { Budget, processBudget } from '../session/budget.ts';
import { openDisk } from '../store/disk/disk.ts';
import { meteredVault } from '../store/metered.ts';
import type { Vault } from '../store/vault.ts';
import { type Mount, viewOf } from '../store/view.ts';
import { AGENT } from '../version.ts';
import type { Accounting, Metered } from './accounting.ts';
import type { ServerLimits } from './limits.ts';
import type { ServerEvent } from './log.ts';
import { meterFor } from './meter.ts';
import type { Load } from './metrics/measured.ts';
import { openFilesLimit } from './open-files.ts';
import { memoryOf } from './recall.ts';

export interface ServiceSettings {
  /** The served folder. */
  readonly dir: string;
  /** Its number at the start, where it has one: while another folder stands there, requests fail. */
  readonly number: string | undefined;
  readonly diskThreads: number;
  readonly similarNames: boolean;
  readonly portableNames: boolean;
  /** What is kept for undo: for how long, and how much. */
  readonly keep: { readonly ms: number; readonly bytes: number };
  /** PEM of the server's key and its certificate. */
  readonly key: Secret<string>;
  readonly certificate: string;
  /** What the server calls itself. */
  readonly name: string;
  readonly limits: ServerLimits;
  /** Bytes that all its connections may hold; by default the budget of this process. */
  readonly memory?: number;
  /** Sessions are numbered from here; by default from 1. */
  readonly firstSession?: number;
}

/** Somebody who was let in, for as long as `active` says so. */
export interface Account extends DriveAccount {
  /** The device or token by which they came. */
  readonly device: string;
  /** The folders of the served one that they see. */
  readonly roots: readonly Mount[];
  /** Whose counts it needs; left out where nothing is counted. */
  readonly metered?: Metered | undefined;
  active(): boolean;
  ended(): Ended;
  /** Of the code that they came by. */
  readonly confirmation?: Uint8Array | undefined;
}

/** Where they come from: an address, and the number of the connection in the log. */
export interface Peer { readonly address: string; readonly session: number }

export interface Host {
  /** Who this is; rejects with AUTH. */
  who(credentials: Credentials, peer: Peer): Promise<Account>;
  /** The server's share of the exchange about a spoken code, for the client's; rejects with AUTH. */
  answerCode(point: Uint8Array, exporter: Uint8Array, peer: Peer): Promise<Uint8Array>;
  /** What accounts have left. */
  readonly accounting: Accounting;
  /** Sign-ins from addresses that are not known. */
  readonly strangers: Strangers;
  onEvent(event: ServerEvent): void;
}

/** A connection that comes in. */
export interface Arrival extends Newcomer {
  /** Called when it has ended. */
  gone(): void;
}

export interface Service extends AsyncDisposable {
  /** Takes over a connection of which no byte was read; what is returned ends it, where it has not signed in. */
  accept(socket: Socket, arrival: Arrival): () => void;
  /** Some accounts may be active no more: resolves when nothing further is done for those. */
  recheck(): Promise<void>;
  /** Takes nothing new, gives what runs `graceMs`, then ends it, resumably. With `lingerMs` who is there goes on until they had nothing in hand for so long. Called again without, it ends by that grace. */
  drain(graceMs: number, lingerMs?: number): Promise<void>;
  /** From now on for new connections; those that are open go on. */
  adjust(changes: Adjustments<ServerLimits>): void;
  /** Bytes that its connections may hold for their consumers. */
  readonly memory: number;
  /** What each process of it has in hand, by the number of the worker; 0: this process. */
  loads(): readonly (readonly [worker: number, load: Load])[];
}

/** Opens the folder and its door in this process. Rejects with NOTFOUND or NOTDIR. */
export async function openService(settings: ServiceSettings, host: Host): Promise<Service> {
  const { dir, number, diskThreads, similarNames, portableNames, keep, memory } = settings;
  const budget = memory === undefined ? processBudget : new Budget(memory);
  const vault = await openDisk(dir, { number, workers: diskThreads, similarNames, portableNames, keep, mayProbe: () => mayProbe(host.accounting) });
  const descriptors = new Descriptors(openFilesLimit());
  let { limits } = settings;
  const native = openDoor(settings, host, { vault, budget, descriptors, recent: memoryOf(host.accounting) });
  const enter = createEntrance({ native, onEvent: host.onEvent, firstByteMs: () => limits.handshakeMs });
  return {
    accept(socket, arrival) {
      const closed = descriptors.socket();
      socket.once('close', () => { closed?.(); arrival.gone(); });
      if (closed !== undefined) {
        enter(socket, arrival);
      } else {
        host.onEvent({ event: 'refused', address: addressOf(socket), code: 'LIMIT', reason: 'no further file may be opened for it' });
        socket.destroy();
      }
      return () => socket.destroy();
    },
    recheck: async () => native.recheck(), // every drive asks its account before every step, too
    drain: (graceMs, lingerMs) => native.drain(graceMs, lingerMs),
    adjust(changes) {
      ({ limits } = changes);
      native.adjust(changes);
    },
    memory: budget.limit,
    loads: () => [[0, { requests: native.requests, held: budget.used, resident: process.memoryUsage.rss() }]],
    [Symbol.asyncDispose]: () => vault[Symbol.asyncDispose](),
  };
}

/** One at a time for the whole server: else many would fill the disk, and keep it from everybody. */
async function mayProbe({ probe, end }: Accounting): Promise<() => void> {
  const number = await probe();
  return () => void end(number, 0).catch(() => undefined);
}

function openDoor({ key, certificate, name, limits, firstSession }: ServiceSettings, host: Host, { vault, budget, descriptors, recent }: { vault: Vault; budget: Budget; descriptors: Descriptors; recent: Memory }): NativeDoor {
  return createNativeDoor({
    key: key.reveal(), certificate, agent: AGENT, name, budget, onEvent: host.onEvent,
    driveFor: async (credentials, peer) => {
      const principal = await host.who(credentials, peer);
      const { name: account, device, roots, metered, confirmation } = principal;
      await makeHomes(vault, roots);
      let pacing = 0;
      const counted = metered === undefined ? vault : meteredVault(vault, meterFor(host.accounting, metered, () => principal.active(), (change) => { pacing += change; }));
      const drive = new Drive({ vault: viewOf(counted, roots), principal, by: keyOf(credentials), recent, onAction: (action) => host.onEvent({ event: 'action', account, device, ...peer, ...action }) });
      return { drive, account, device, rights: drive.rights, confirmation, isPaced: () => pacing > 0, ended: () => (principal.active() ? undefined : principal.ended()) };
    },
    answerCode: (point, exporter, peer) => host.answerCode(point, exporter, peer),
    limits, descriptors, firstSession, strangers: host.strangers,
  });
}

/** Folders of their own that are not there yet; who cannot be given one learns so by what they do in it. */
async function makeHomes(vault: Vault, roots: readonly Mount[]): Promise<void> {
  for (const { path } of roots) if (path !== '') await vault.makeFolder(path, { parents: true, mode: 0o700 }).catch(() => undefined);
}

/** How long a token may be used after its time at most (ms), of the 60 s that are promised. */
const RECHECK_MS = 10_000;

/** Tokens end by themselves: what runs with one hears of it soon after. */
export function recheckNowAndThen(service: Pick<Service, 'recheck'>): AsyncDisposable {
  const timer = setInterval(() => void service.recheck(), RECHECK_MS).unref();
  return { [Symbol.asyncDispose]: async () => clearInterval(timer) };
}
