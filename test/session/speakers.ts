/** Two machines that speak to each other, without sockets; and frames of any word, made without asking a machine. */
import fc from 'fast-check';
import { BATCH, DATA_HEAD_BYTES, frameAround, HEADER_BYTES, MAX_BODY, writeDataHead, writeHeader } from '../../src/wire/frame.ts';
import { encodeMessage, VERSION, type Kind, type Message } from '../../src/wire/messages.ts';
import { INITIAL_CREDIT, Machine, type MachineEvent } from '../../src/session/machine.ts';
import { EXCHANGES, FIRST, OVER, type Exchange, type Request, type Side, type State, type Word } from '../../src/session/rules.ts';
import { KINDS, ofKind } from '../wire/arbitraries.ts';

export const REQUESTS = Object.keys(EXCHANGES) as Request[];
export const WORDS: readonly Word[] = [...KINDS, 'data', 'batch'];
export const SIDES: readonly Side[] = ['client', 'server'];

export const HELLO: Message<'hello'> = { kind: 'hello', version: VERSION, agent: 'test', maxBody: MAX_BODY, credit: INITIAL_CREDIT };
export const AUTH: Message<'auth'> = { kind: 'auth', method: 'device', key: new Uint8Array(32), signature: new Uint8Array(64) };
export const READY: Message<'ready'> = { kind: 'ready', account: 'anna', rights: ['list'], name: 'test' };

/** Some message of this kind; the same in every run. */
export function messageOf<K extends Kind>(kind: K): Message<K> {
  const message = fc.sample(ofKind(kind), { numRuns: 1, seed: 4 })[0] as Message<K>;
  // What is compressed costs what it expands to, and more than the credit cannot be said.
  return kind === 'compressedData' || kind === 'compressedBatch' ? { ...message, size: 1000 } : message;
}

export function dataFrame(exchange: number, offset: number, bytes: Uint8Array): Buffer {
  const frame = Buffer.concat([Buffer.alloc(DATA_HEAD_BYTES), bytes]);
  writeDataHead(frame, exchange, offset, bytes.byteLength);
  return frame;
}

export function batchFrame(exchange: number, pack: Uint8Array): Buffer {
  const frame = Buffer.concat([Buffer.alloc(HEADER_BYTES), pack]);
  writeHeader(frame, BATCH, exchange, pack.byteLength);
  return frame;
}

/** The frame of any word. */
export function frameOf(word: Word, exchange: number): Buffer {
  if (word === 'data') return dataFrame(exchange, 0, Buffer.from('abc'));
  if (word === 'batch') return batchFrame(exchange, Buffer.from('abc'));
  return encodeMessage(exchange, word === 'hello' ? HELLO : messageOf(word));
}

export class Speakers {
  readonly client = new Machine('client');
  readonly server = new Machine('server');

  /** Both openings are done. */
  static opened(): Speakers {
    const both = new Speakers();
    both.say('client', 0, HELLO);
    both.say('client', 0, AUTH);
    both.say('server', 0, HELLO);
    both.say('server', 0, READY);
    both.client.trust();
    both.server.trust();
    return both;
  }

  to(side: Side): Machine { return side === 'client' ? this.server : this.client; }

  /** One side says something, and the other hears it. */
  say(side: Side, exchange: number, message: Message): MachineEvent[] {
    const frame = this[side].say(exchange, message);
    return frame === undefined ? [] : this.to(side).receive(frame);
  }

  word(side: Side, exchange: number, word: Word): MachineEvent[] {
    if (word === 'data') {
      const frame = frameOf('data', exchange);
      return this[side].sayData(exchange, frame, 0, 3) ? this.to(side).receive(frame) : [];
    }
    if (word === 'batch') {
      const frame = frameAround(Buffer.from('abc'));
      return this[side].sayBatch(exchange, frame, 3) ? this.to(side).receive(frame) : [];
    }
    return this.say(side, exchange, messageOf(word));
  }

  ask(request: Request): number {
    const { exchange, frame } = this.client.request(messageOf(request));
    this.server.receive(frame);
    return exchange;
  }
}

/** A state and the shortest way to it. */
export interface Reached { readonly state: State; readonly path: readonly (readonly [Side, Word])[] }

/** Every state of a request's exchange that words can lead to, its end left out. */
export function statesOf(request: Request): Reached[] {
  const table = EXCHANGES[request] as Exchange;
  const found: Reached[] = [{ state: FIRST, path: [] }];
  for (const { state, path } of found) { // grows while it is walked
    for (const side of SIDES) {
      for (const [word, to] of Object.entries(table[state]?.[side] ?? {})) {
        if (to !== OVER && !found.some((other) => other.state === to)) found.push({ state: to, path: [...path, [side, word as Word]] });
      }
    }
  }
  return found;
}
