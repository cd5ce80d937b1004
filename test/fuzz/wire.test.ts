/**
 * Any bytes, in any chunks, to a machine of either side in any phase: they give events, or one failure that blames the
 * peer, and never take more memory than the limits allow.
 *
 * `WHERRY_FUZZ_SECONDS` says for how long (default 5); `WHERRY_FUZZ_SEED` repeats the round that a failure names.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { Machine, MAX_EXCHANGES } from '../../src/session/machine.ts';
import { HEADER_BYTES, MAX_BODY, MAX_CONTROL_BODY, writeHeader } from '../../src/wire/frame.ts';
import { AUTH, frameOf, HELLO, READY, REQUESTS, Speakers, WORDS } from '../session/speakers.ts';
import { encodeMessage } from '../../src/wire/messages.ts';
import { load } from '../wire/vectors.ts';

const SECONDS = Number(process.env['WHERRY_FUZZ_SECONDS'] ?? 5);
const FIRST_SEED = process.env['WHERRY_FUZZ_SEED'];

/** mulberry32: small, and the same everywhere. */
class Chance {
  #state: number;
  constructor(seed: number) { this.#state = seed >>> 0; }

  /** From 0 to `below` - 1. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  }

  of<T>(all: readonly T[]): T { return all[this.below(all.length)]!; }
  bytes(length: number): Buffer { return Buffer.from(Array.from({ length }, () => this.below(256))); }
}

const opening = { server: [encodeMessage(0, HELLO), encodeMessage(0, AUTH)], client: [encodeMessage(0, HELLO), encodeMessage(0, READY)] };
/** Conversations of the reference, as the frames that each side hears. */
const heard = {
  server: load('transcripts').map(({ words }) => words.filter(({ from }) => from === 'client').map(({ hex }) => Buffer.from(hex, 'hex'))),
  client: load('transcripts').map(({ words }) => words.filter(({ from }) => from === 'server').map(({ hex }) => Buffer.from(hex, 'hex'))),
};

type Phase = 'fresh' | 'opened' | 'busy';

function machineIn(side: 'client' | 'server', phase: Phase, chance: Chance): Machine {
  if (phase === 'fresh') return new Machine(side);
  const both = Speakers.opened();
  if (phase === 'busy') for (let count = 1 + chance.below(8); count > 0; count -= 1) both.ask(chance.of(REQUESTS));
  return both[side];
}

/** Frames that make sense, as far as this phase has got. */
function frames(side: 'client' | 'server', phase: Phase, chance: Chance): Buffer[] {
  if (phase === 'fresh') return chance.below(4) === 0 ? [...opening[side]] : [...chance.of(heard[side])];
  return Array.from({ length: 1 + chance.below(12) }, () => frameOf(chance.of(WORDS), chance.below(10)));
}

const LENGTHS = [0, 1, 7, 8, MAX_CONTROL_BODY, MAX_CONTROL_BODY + 1, MAX_BODY, MAX_BODY + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

/** One change of the kind that broken or hostile peers make. */
function mutate(all: Buffer[], chance: Chance): void {
  const at = chance.below(all.length);
  const frame = Buffer.from(all[at]!);
  all[at] = frame;
  switch (chance.below(8)) {
    case 0: if (frame.byteLength > 0) { const place = chance.below(frame.byteLength); frame[place] = frame[place]! ^ (1 << chance.below(8)); } break;
    case 1: if (frame.byteLength > 0) frame[chance.below(frame.byteLength)] = chance.below(256); break;
    case 2: all[at] = frame.subarray(0, chance.below(frame.byteLength + 1)); break;
    case 3: all.splice(at, 0, frame); break;
    case 4: all[at] = all[chance.below(all.length)]!; break;
    case 5: if (frame.byteLength >= 4) frame.writeUInt32BE(chance.of(LENGTHS), 0); break;
    case 6: all.splice(at, 0, chance.bytes(chance.below(40))); break;
    default: {
      const head = Buffer.alloc(HEADER_BYTES);
      writeHeader(head, chance.below(256), chance.below(6), chance.of(LENGTHS));
      head[5] = chance.below(4);
      all.splice(at, 0, head);
    }
  }
}

/** What this round says to a machine; throws for anything but events or a failure of the peer. */
function round(seed: number): 'taken' | 'refused' {
  const chance = new Chance(seed);
  const side = chance.of(['client', 'server'] as const);
  const phase = chance.of(['fresh', 'opened', 'busy'] as const);
  const machine = machineIn(side, phase, chance);
  const said = chance.below(10) === 0 ? [chance.bytes(chance.below(300))] : frames(side, phase, chance);
  for (let count = chance.below(5); count > 0; count -= 1) mutate(said, chance);
  const bytes = Buffer.concat(said);
  try {
    for (let at = 0; at < bytes.byteLength;) {
      const size = 1 + chance.below(chance.of([1, 20, 200, 100_000]));
      machine.receive(bytes.subarray(at, at + size));
      at += size;
      if (machine.open > MAX_EXCHANGES) throw new Error('too many exchanges');
    }
  } catch (error) {
    if (error instanceof Failure && (error.code === 'PROTOCOL' || error.code === 'VERSION')) return 'refused';
    throw error;
  }
  return 'taken';
}

/** Bytes that are in use, after all garbage was collected. */
function held(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let time = 0; time < 3; time += 1) collect(); // what a buffer held is given back behind the collection that found it unused
  const { external, heapUsed } = process.memoryUsage();
  return external + heapUsed;
}

test('any bytes give events or a failure of the peer, and never anything else', () => {
  if (FIRST_SEED !== undefined) return void round(Number(FIRST_SEED));
  const start = Math.floor(Math.random() * 2 ** 32);
  const until = performance.now() + SECONDS * 1000;
  const seen = { taken: 0, refused: 0 };
  const before = held();
  // Both outcomes have to be seen, however slow the machine is.
  for (let seed = start; performance.now() < until || seen.taken < 10 || seen.refused < 10; seed += 1) {
    try {
      seen[round(seed)] += 1;
    } catch (error) {
      throw new Error(`the round with WHERRY_FUZZ_SEED=${seed} failed`, { cause: error });
    }
  }
  expect(held() - before).toBeLessThan(128 << 20); // nothing outlives its round but what is used by all: the same, however many rounds there were
}, (SECONDS + 30) * 1000);

test('half a frame of the largest size keeps one head and one body, and no more', () => {
  const machines: Machine[] = [];
  const before = process.memoryUsage().arrayBuffers;
  const head = Buffer.alloc(HEADER_BYTES + 1);
  for (let count = 0; count < 64; count += 1) {
    const { server } = Speakers.opened();
    writeHeader(head, 0x10, 1, MAX_CONTROL_BODY);
    server.receive(head);
    for (let more = 0; more < 100; more += 1) server.receive(Buffer.alloc(4096));
    machines.push(server);
  }
  const held = process.memoryUsage().arrayBuffers - before;
  expect(held).toBeLessThan(machines.length * (MAX_CONTROL_BODY + 4096) + (96 << 20)); // and the chunks, which are garbage
  expect(machines).toHaveLength(64);
});
