import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { CREDIT, creditFrame, frameAround, greaseFrame, HEADER_BYTES, MAX_BODY, MAX_GREETING_BODY, writeHeader } from '../../src/wire/frame.ts';
import { encodeMessage, MESSAGES, type Kind, type Message } from '../../src/wire/messages.ts';
import { FRAME_COST, INITIAL_CREDIT, Machine, MAX_EXCHANGES, type MachineEvent } from '../../src/session/machine.ts';
import { CONNECTION_WORDS, EXCHANGES, isRequest, next, OPEN, OPENINGS, OVER, SILENT, type Exchange, type Side, type Word } from '../../src/session/rules.ts';
import { load, plain, reviveMessage, type Spoken } from '../wire/vectors.ts';
import { AUTH, dataFrame, frameOf, HELLO, messageOf, READY, REQUESTS, SIDES, Speakers, statesOf, WORDS } from './speakers.ts';

const refusal = expect.objectContaining({ name: 'Failure', code: 'PROTOCOL' });

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'taken';
  } catch (error) {
    return error instanceof Failure ? error.code : `bug: ${String(error)}`;
  }
}

describe('an exchange, in every state', () => {
  const places = REQUESTS.flatMap((request) => statesOf(request).flatMap(({ state, path }) => SIDES.map((side) => ({ request, state, path, side }))));

  test.each(places)('$request, $state: the $side may say what the table says, and nothing else', ({ request, state, path, side }) => {
    for (const word of WORDS) {
      const both = Speakers.opened();
      const exchange = both.ask(request);
      for (const [speaker, said] of path) both.word(speaker, exchange, said);
      const allowed = next(request, state, side, word) !== undefined || word === (side === 'server' ? 'error' : 'cancel');
      expect(codeOf(() => both.to(side).receive(frameOf(word, exchange))), word).toBe(allowed ? 'taken' : 'PROTOCOL');
    }
  });

  test.each(places)('$request, $state: the machine does not let its own $side say anything else', ({ request, state, path, side }) => {
    for (const word of WORDS) {
      const both = Speakers.opened();
      const exchange = both.ask(request);
      for (const [speaker, said] of path) both.word(speaker, exchange, said);
      const allowed = next(request, state, side, word) !== undefined || word === (side === 'server' ? 'error' : 'cancel');
      expect(codeOf(() => both.word(side, exchange, word)).startsWith('bug'), word).toBe(!allowed);
    }
  });

  test('has an end that both sides see, by every way through the tables', () => {
    for (const { request, state, path } of places) {
      for (const side of SIDES) {
        for (const [word, to] of Object.entries((EXCHANGES[request] as Exchange)[state]?.[side] ?? {})) {
          const both = Speakers.opened();
          const exchange = both.ask(request);
          for (const [speaker, said] of path) both.word(speaker, exchange, said);
          both.word(side, exchange, word as Word);
          expect([both.client.isOpen(exchange), both.server.isOpen(exchange)]).toEqual([to !== OVER, to !== OVER]);
        }
      }
    }
  });

  test('pays with credit for every word that may be said again and again', () => {
    for (const request of REQUESTS) {
      for (const [state, allowed] of Object.entries(EXCHANGES[request] as Exchange)) {
        for (const side of SIDES) {
          for (const [word, to] of Object.entries(allowed[side] ?? {})) {
            const bulk = word === 'data' || word === 'batch' || MESSAGES[word as Kind].bulk;
            if (to === state) expect(bulk, `${word} in ${request}`).toBe(true);
          }
        }
      }
    }
  });
});

describe('an exchange that is over', () => {
  test('swallows words that were on their way, from either side', () => {
    const both = Speakers.opened();
    const exchange = both.ask('put');
    both.word('server', exchange, 'accept');
    both.server.say(exchange, messageOf('error')); // not heard yet
    expect(both.word('client', exchange, 'data')).toEqual([]);
    expect(both.server.receive(frameOf('commit', exchange))).toEqual([]);
    expect(both.server.receive(creditFrame(exchange, 5))).toEqual([]);
    expect(both.client.receive(frameOf('error', exchange))).toMatchObject([{ event: 'message', over: true }]);
    expect(both.client.receive(frameOf('hashes', exchange))).toEqual([]);
  });

  test('has nobody to speak to', () => {
    const both = Speakers.opened();
    const exchange = both.ask('stat');
    both.word('server', exchange, 'entry');
    expect(both.server.say(exchange, messageOf('entry'))).toBeUndefined();
    expect(both.client.say(exchange, messageOf('cancel'))).toBeUndefined();
    expect(both.server.grant(exchange, 1)).toBeUndefined();
    expect(both.server.credit(exchange)).toBeUndefined();
  });
});

describe('a cancel', () => {
  test('ends what the client says, and hides what the server still says', () => {
    const both = Speakers.opened();
    const exchange = both.ask('get');
    both.word('server', exchange, 'offer');
    expect(both.word('client', exchange, 'cancel')).toMatchObject([{ event: 'message', message: { kind: 'cancel' }, over: false }]);
    expect(both.word('client', exchange, 'hashes')).toEqual([]);
    expect(both.word('server', exchange, 'data')).toEqual([]);
    expect(both.client.credit(exchange)).toBeUndefined();
  });

  test.each(['error', 'commit'] as const)('is over with the last word of the server, %s, and both sides forget the exchange', (last) => {
    const both = Speakers.opened();
    const exchange = both.ask('get');
    both.word('server', exchange, 'offer');
    both.word('client', exchange, 'cancel');
    expect(both.word('server', exchange, last)).toEqual([{ event: 'over', exchange }]);
    expect([both.client.open, both.server.open]).toEqual([0, 0]);
  });

  test('may be said once', () => {
    const both = Speakers.opened();
    const exchange = both.ask('get');
    both.word('client', exchange, 'cancel');
    expect(() => both.server.receive(frameOf('cancel', exchange))).toThrow(refusal);
  });
});

describe('credit', () => {
  function sending(): { both: Speakers; exchange: number } {
    const both = Speakers.opened();
    const exchange = both.ask('put');
    both.word('server', exchange, 'accept');
    return { both, exchange };
  }

  test('starts as the receiver greeted, and is what frames and their bodies cost', () => {
    const { both, exchange } = sending();
    expect(both.client.credit(exchange)).toBe(INITIAL_CREDIT);
    const [begin] = both.word('client', exchange, 'data');
    expect(begin).toMatchObject({ event: 'begin', bulk: 8 + 3 + FRAME_COST });
    expect(both.client.credit(exchange)).toBe(INITIAL_CREDIT - 8 - 3 - FRAME_COST);
  });

  test('can be used up to the last byte, and not one more', () => {
    const { both, exchange } = sending();
    const frame = 1 << 20;
    const cost = frame + 8 + FRAME_COST;
    let left = INITIAL_CREDIT;
    for (; left >= cost; left -= cost) both.server.receive(dataFrame(exchange, 0, new Uint8Array(frame)));
    both.server.receive(dataFrame(exchange, 0, new Uint8Array(left - 8 - FRAME_COST)));
    expect(() => both.server.receive(dataFrame(exchange, 0, new Uint8Array(1)))).toThrow(refusal);
  });

  test('is used up by frames with one byte too, long before they fill memory', () => {
    const { both, exchange } = sending();
    const tiny = dataFrame(exchange, 0, new Uint8Array(1));
    let taken = 0;
    expect(() => { for (;; taken += 1) both.server.receive(tiny); }).toThrow(refusal);
    expect(taken).toBe(Math.floor(INITIAL_CREDIT / (9 + FRAME_COST)));
  });

  test('is used up by what is compressed as by what it expands to', () => {
    const { both, exchange } = sending();
    const block = 1 << 20;
    both.say('client', exchange, { kind: 'compressedData', offset: 0, size: block, bytes: new Uint8Array(10) });
    expect(both.client.credit(exchange)).toBe(INITIAL_CREDIT - 8 - block - FRAME_COST);
    const bomb = encodeMessage(exchange, { kind: 'compressedData', offset: 0, size: INITIAL_CREDIT, bytes: new Uint8Array(10) });
    expect(() => both.server.receive(bomb)).toThrow(refusal);
  });

  test('is added by grants', () => {
    const { both, exchange } = sending();
    const grant = both.server.grant(exchange, 1000)!;
    expect(both.client.receive(grant)).toEqual([{ event: 'credit', exchange }]);
    expect(both.client.credit(exchange)).toBe(INITIAL_CREDIT + 1000);
  });

  test('beyond what a number can hold is refused', () => {
    const { both, exchange } = sending();
    const frame = Buffer.alloc(HEADER_BYTES + 4, 0xff);
    writeHeader(frame, CREDIT, exchange, 4);
    expect(() => { for (let round = 0; round < 2 ** 22; round += 1) both.client.receive(frame); }).toThrow(refusal);
  });

  test('is not exceeded by our own side', () => {
    const { both, exchange } = sending();
    expect(() => both.client.sayData(exchange, Buffer.alloc(32), 0, INITIAL_CREDIT)).toThrow('credit');
  });

  test('of exchanges that were opened before the other side greeted is told by its greeting', () => {
    const both = new Speakers();
    both.say('client', 0, HELLO);
    both.say('client', 0, AUTH);
    const exchange = both.ask('put');
    expect(both.client.credit(exchange)).toBe(0);
    both.say('server', 0, HELLO);
    expect(both.client.credit(exchange)).toBe(INITIAL_CREDIT);
  });
});

describe('the opening', () => {
  /** What leads to each state of an opening. */
  const WAYS: Readonly<Record<Side, Readonly<Record<string, readonly Message[]>>>> = {
    client: { silent: [], greeted: [HELLO], started: [HELLO, messageOf('codeStart')], open: [HELLO, AUTH] },
    server: { silent: [], greeted: [HELLO], answered: [HELLO, messageOf('codeAnswer')], open: [HELLO, READY] },
  };

  /** A machine that has heard the opening of `peer`, up to this state. */
  function greeted(peer: Side, state: string): Machine {
    const machine = new Machine(peer === 'client' ? 'server' : 'client');
    for (const message of WAYS[peer][state]!) machine.receive(encodeMessage(0, message));
    return machine;
  }

  test('is tested in every state', () => {
    for (const side of SIDES) expect(Object.keys(WAYS[side]).toSorted()).toEqual([...Object.keys(OPENINGS[side]), OPEN].toSorted());
  });

  test.each(SIDES.flatMap((peer) => Object.keys(WAYS[peer]).map((state) => ({ peer, state }))))('of the $peer, $state: what the table says, then the words of a connection, and nothing else', ({ peer, state }) => {
    for (const word of WORDS) {
      const machine = greeted(peer, state);
      const allowed = OPENINGS[peer][state]?.[word] !== undefined || word === 'error' || (state !== SILENT && CONNECTION_WORDS[peer].has(word));
      expect(codeOf(() => machine.receive(frameOf(word, 0))), word).toBe(allowed ? 'taken' : 'PROTOCOL');
    }
  });

  test('by a code is longer by a word of each side', () => {
    const both = new Speakers();
    const words = [['client', HELLO], ['client', messageOf('codeStart')], ['server', HELLO], ['server', messageOf('codeAnswer')], ['client', AUTH], ['server', READY]] as const;
    for (const [side, message] of words) {
      expect(both.server.ready).toBe(false);
      both.say(side, 0, message);
    }
    expect([both.client.ready, both.server.ready]).toEqual([true, true]);
  });

  test('is done when both have said all of it', () => {
    const both = new Speakers();
    for (const [side, message] of [['client', HELLO], ['client', AUTH], ['server', HELLO]] as const) both.say(side, 0, message);
    expect([both.client.ready, both.server.ready]).toEqual([false, false]);
    both.say('server', 0, READY);
    expect([both.client.ready, both.server.ready]).toEqual([true, true]);
  });

  test('is short: bodies above 16 KiB are refused until the peer is trusted', () => {
    const both = Speakers.opened();
    const cautious = greeted('client', OPEN);
    const large = encodeMessage(1, { kind: 'getTree', path: '', exclude: Array.from({ length: 5 }, () => 'x'.repeat(4096)) });
    expect(large.byteLength).toBeGreaterThan(MAX_GREETING_BODY + HEADER_BYTES);
    expect(() => cautious.receive(large)).toThrow(refusal);
    expect(both.server.receive(large)).toHaveLength(1);
  });

  test('accepts no other version', () => {
    expect(() => new Machine('server').receive(encodeMessage(0, { ...HELLO, version: 2 }))).toThrow(expect.objectContaining({ code: 'VERSION' }));
  });

  test('tolerates frames that have no meaning, at any time', () => {
    expect(new Machine('server').receive(greaseFrame())).toEqual([]);
    expect(Speakers.opened().client.receive(greaseFrame())).toEqual([]);
  });
});

describe('requests', () => {
  const request = (exchange: number): Buffer => encodeMessage(exchange, { kind: 'stat', path: '' });

  test.each([
    ['an even number', [2]],
    ['a number that is in use', [1, 1]],
    ['a number below an earlier one', [5, 3]],
    ['a number that was in use', [1, 3, 1]],
  ])('with %s are refused', (_what, numbers) => {
    const { server } = Speakers.opened();
    const last = numbers.pop()!;
    for (const number of numbers) server.receive(request(number));
    expect(() => server.receive(request(last))).toThrow(refusal);
  });

  test('may leave numbers out', () => {
    expect(Speakers.opened().server.receive(Buffer.concat([request(7), request(0xffff_ffff)]))).toHaveLength(2);
  });

  test(`are at most ${MAX_EXCHANGES} at once`, () => {
    const { server } = Speakers.opened();
    for (let number = 1; server.open < MAX_EXCHANGES; number += 2) server.receive(request(number));
    expect(() => server.receive(request(2 * MAX_EXCHANGES + 1))).toThrow(refusal);
  });

  test('make room for others when they are answered', () => {
    const both = Speakers.opened();
    for (let number = 0; number < 3 * MAX_EXCHANGES; number += 1) both.word('server', both.ask('stat'), 'entry');
    expect([both.client.open, both.server.open]).toEqual([0, 0]);
  });
});

describe('what must be refused, by the reference', () => {
  function prepared(side: Side, phase: string): Machine {
    if (phase === 'fresh') return new Machine(side);
    if (phase === 'greeted') { const machine = new Machine(side); machine.receive(encodeMessage(0, HELLO)); return machine; }
    const both = Speakers.opened();
    const exchange = both.ask(phase === 'list' ? 'list' : side === 'server' ? 'put' : 'get');
    if (phase === 'open' && side === 'server') both.word('server', exchange, 'accept');
    return both[side];
  }

  test.each(load('refused').map((vector) => [vector.title, vector] as const))('%s', (_title, { to, phase, hex, code }) => {
    const bytes = Buffer.from(hex, 'hex');
    expect(codeOf(() => prepared(to, phase).receive(bytes))).toBe(code);
    const slowly = prepared(to, phase);
    expect(codeOf(() => { for (const byte of bytes) slowly.receive(Uint8Array.of(byte)); })).toBe(code);
  });
});

describe('a conversation of the reference', () => {
  /** What a machine heard, as a transcript has it. */
  function heard(events: readonly MachineEvent[]): unknown {
    const [first] = events;
    if (first?.event === 'message') return plain(first.message);
    if (first?.event !== 'begin') return first?.event;
    const bytes = Buffer.concat(events.flatMap((event) => (event.event === 'piece' ? [event.bytes] : [])));
    return plain({ kind: first.word, ...(first.word === 'data' && { offset: first.offset }), bytes });
  }

  /** The bytes in which this machine says a word. */
  function spoken(machine: Machine, { exchange, says }: Spoken): Buffer {
    if (says.kind === 'credit') return machine.grant(exchange, (says as { amount?: number }).amount!)!;
    const revived = reviveMessage(says);
    if (isRequest(revived.kind)) return machine.request(revived as never).frame;
    const { bytes, offset = 0 } = revived as unknown as { bytes: Uint8Array; offset?: number };
    if (says.kind === 'batch') {
      const frame = frameAround(bytes);
      expect(machine.sayBatch(exchange, frame, bytes.byteLength)).toBe(true);
      return frame;
    }
    if (says.kind !== 'data') return machine.say(exchange, revived)!;
    const frame = dataFrame(exchange, offset, bytes);
    expect(machine.sayData(exchange, frame, offset, bytes.byteLength)).toBe(true);
    return frame;
  }

  test.each(load('transcripts').map((vector) => [vector.title, vector] as const))('%s: is spoken and understood, word by word', (_title, { words }) => {
    const both = new Speakers();
    for (const word of words) {
      const frame = spoken(both[word.from], word);
      expect(frame.toString('hex'), `${word.says.kind} by the ${word.from}`).toBe(word.hex);
      expect(heard(both.to(word.from).receive(frame))).toEqual(word.says.kind === 'credit' ? 'credit' : word.says);
    }
  });

  test('holds nothing larger than the limits allow', () => {
    for (const { words } of load('transcripts')) for (const { hex } of words) expect(hex.length / 2).toBeLessThanOrEqual(HEADER_BYTES + MAX_BODY);
  });
});
