/**
 * Multicast: one socket for each interface behind which other machines may be, so that what is asked there is answered there, from
 * its own address, and interfaces of containers are left alone. The only file that knows the library; a packet that it cannot read is no
 * packet, and one that comes from beyond the network of its interface is not taken.
 */
import { networkInterfaces } from 'node:os';
import openMulticast, { type MulticastDNS } from 'multicast-dns';
import { Failure } from '../errors.ts';
import { isBeside, localNetworks } from './interfaces.ts';
import type { Record } from './records.ts';

/** Where everybody speaks (RFC 6762); what comes from another port is a question at most. */
const PORT = 5353;

export interface Packet { readonly questions: readonly { readonly name: string; readonly type: string }[]; readonly records: readonly Record[]; readonly from: string }

/** What the library makes of a packet, as far as we look. */
interface Decoded { readonly type?: string; readonly questions?: Packet['questions']; readonly answers?: readonly Record[]; readonly additionals?: readonly Record[] }

/** One interface. */
export interface Ear {
  readonly address: string;
  ask(service: string): void;
  answer(records: { answers: Record[]; additionals: Record[] }): Promise<void>;
}

export interface Ears extends AsyncDisposable { readonly ears: readonly Ear[] }

/** Listens on the interfaces that `wanted` takes. Rejects with CONNECT when there are none, or none can be used. */
export async function openEars(wanted: (address: string) => boolean, hear: (packet: Packet, ear: Ear) => void): Promise<Ears> {
  const networks = localNetworks(networkInterfaces()).filter(({ address }) => wanted(address));
  if (networks.length === 0) throw new Failure('CONNECT', 'this machine is in no local network', { who: 'here', hint: 'the address works without one: wherry join CODE@HOST' });
  const opened = await Promise.allSettled(networks.map((network) => openEar(network, hear)));
  const ears = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = opened.find((one) => one.status === 'rejected');
  if (ears.length === 0) throw Failure.from(failed?.reason);
  return { ears, [Symbol.asyncDispose]: async () => { await Promise.all(ears.map((ear) => ear.close())); } };
}

function openEar(network: { readonly address: string; readonly netmask: string }, hear: (packet: Packet, ear: Ear) => void): Promise<Ear & { close(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    // Bound to every address: Linux gives a socket with an address of its own no packets that are meant for all.
    const socket = openMulticast({ interface: network.address, bind: '0.0.0.0', port: PORT });
    const ear = earOf(socket, network.address);
    socket.on('error', (error: NodeJS.ErrnoException) => reject(new Failure('CONNECT', `no multicast at ${network.address} (${error.code ?? error.message})`, { who: 'here' })));
    socket.on('warning', () => {}); // what cannot be read, and interfaces that go
    socket.on('packet', (packet: Decoded, { address, port }: { readonly address: string; readonly port: number }) => {
      const { questions = [], answers = [], additionals = [] } = packet;
      const records = packet.type === 'response' && port === PORT ? [...answers, ...additionals] : [];
      if (isBeside(network, address)) hear({ questions: packet.type === 'query' ? questions : [], records, from: address }, ear);
    });
    socket.on('ready', () => resolve(ear));
  });
}

function earOf(socket: MulticastDNS, address: string): Ear & { close(): Promise<void> } {
  return {
    address,
    ask: (service) => socket.query([{ name: service, type: 'PTR' }]),
    answer: (records) => new Promise((done) => { socket.respond(records as never, () => done()); }), // one that is lost is asked for again
    close: () => new Promise((done) => { socket.destroy(() => done()); }),
  };
}
