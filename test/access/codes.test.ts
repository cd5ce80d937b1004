/** Spoken codes: how often one may be guessed, by whom it is used, and when it is gone. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { offenceOf } from '../../src/access/bans.ts';
import { CODE_TRIES, type CodeChange, Codes, MAX_GUESSED, MAX_STARTED } from '../../src/access/codes.ts';
import { type Devices, openDevices } from '../../src/access/devices.ts';
import { inviteId, openInvites, revokeInvite } from '../../src/access/invites.ts';
import type { Starts } from '../../src/access/starts.ts';
import { startAgreement } from '../../src/agreement.ts';
import { type Credentials, createKey, pinOf, publicBytes, signProof } from '../../src/identity.ts';
import { everywhere, ROLES } from '../../src/rights.ts';
import type { SpokenCode } from '../../src/spoken.ts';

const serverPin = pinOf(createKey());
const MINUTE = 60_000;
const FROM = { address: '192.168.1.7', known: false };

let folder: string;
let clock: number;
let devices: Devices;
let codes: Codes;
let changes: CodeChange[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-codes-'));
  clock = Date.UTC(2030, 0, 1);
  devices = await openDevices({ file: join(folder, 'accounts.json'), serverPin, now: () => clock });
  changes = [];
  codes = new Codes({ devices, serverPin, now: () => clock, starts: { take: () => 'taken' }, onChange: (change) => changes.push(change) });
});

afterEach(async () => {
  await devices[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const other = (code: SpokenCode): SpokenCode => ({ ...code, words: code.words[0] === 'acorn' ? ['zebra', 'acorn'] : ['acorn', 'zebra'] });

/** One client's connection, with a TLS exporter of its own. */
class Caller {
  readonly session: number;
  readonly key = createKey();
  readonly exporter: Uint8Array;

  constructor(session: number) {
    this.session = session;
    this.exporter = new Uint8Array(32).fill(session % 256);
  }

  /** Starts, and says what it would confirm with. `exporter`: what the client takes for that of its connection. */
  start(code: SpokenCode, { exporter = this.exporter, pin = serverPin }: { exporter?: Uint8Array; pin?: Uint8Array } = {}): Credentials {
    const exchange = startAgreement({ code, exporter, serverPin: pin });
    const answer = codes.start(this.session, this.exporter, exchange.point, FROM);
    const device = publicBytes(this.key);
    return {
      kind: 'code', key: device, exporter: this.exporter, label: `device ${this.session}`, confirmation: exchange.confirm(answer).client(device),
      signature: signProof(this.key, { kind: 'code', exporter: this.exporter, serverPin }),
    };
  }

  try(code: SpokenCode, how?: Parameters<Caller['start']>[1]): Promise<unknown> {
    return codes.finish(this.session, this.start(code, how));
  }
}

const open = async (): Promise<SpokenCode> => (await codes.renew({ role: 'ro', forMs: 10 * MINUTE })).code;
/** The code that was opened last. */
const latest = (): SpokenCode | undefined => changes.filter((change) => change.is === 'open').at(-1)?.code;
/** Resolves when what was begun in the book is on the disk, and who waits for it has been told. */
const settled = async (): Promise<void> => { for (let turn = 0; turn < 5; turn += 1) await devices.invite({ role: 'ro', forMs: MINUTE }); };

describe('a code', () => {
  test('enrols the device of whoever knows it, with its rights, and proves to it that the server knows it too', async () => {
    const code = await open();
    const caller = new Caller(1);
    const exchange = startAgreement({ code, exporter: caller.exporter, serverPin });
    const both = exchange.confirm(codes.start(1, caller.exporter, exchange.point, FROM));
    const device = publicBytes(caller.key);
    const credentials = { kind: 'code', key: device, exporter: caller.exporter, label: 'laptop', confirmation: both.client(device), signature: signProof(caller.key, { kind: 'code', exporter: caller.exporter, serverPin }) } as const;
    const principal = await codes.finish(1, credentials);
    expect(principal).toMatchObject({ name: 'laptop', grants: everywhere(ROLES.ro), confirmation: both.server(device) });
    expect(principal.confirmation).not.toEqual(both.client(device));
    expect(devices.list().map(({ name, account }) => [name, account])).toEqual([['laptop', 'laptop']]);
    expect(changes.at(-1)).toEqual({ is: 'closed', why: 'used', follows: false });
  });

  test('works once, also for two who know it and confirm at the same moment', async () => {
    const code = await open();
    const [first, second] = [new Caller(1), new Caller(2)];
    const [one, two] = [first.start(code), second.start(code)];
    const results = await Promise.allSettled([codes.finish(1, one), codes.finish(2, two)]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(devices.list()).toHaveLength(1);
    expect(() => new Caller(3).start(code)).toThrow(expect.objectContaining({ code: 'AUTH', message: 'no code is open on this server' }));
  });

  test('is gone when its time is over, also for who has started before', async () => {
    const code = await open();
    const late = new Caller(1);
    const credentials = late.start(code);
    clock += 10 * MINUTE;
    await expect(codes.finish(1, credentials)).rejects.toMatchObject({ code: 'AUTH', message: 'this code is gone' });
    expect(changes.at(-1)).toMatchObject({ is: 'closed', why: 'expired' });
    expect(devices.list()).toEqual([]);
  });

  test('is gone when another one is opened', async () => {
    const code = await open();
    const credentials = new Caller(1).start(code);
    await open();
    await expect(codes.finish(1, credentials)).rejects.toMatchObject({ message: 'this code is gone' });
  });
});

describe('the invite of a code', () => {
  test('is open for as long as the code is, and in this process alone', async () => {
    const of = (register = devices.register): string[] => openInvites(register).filter(({ spoken }) => spoken === true).map(({ key }) => inviteId(key));
    await open();
    const [first] = of();
    const code = await open();
    await settled();
    expect(of()).toEqual([expect.not.stringMatching(first!)]);
    await using again = await openDevices({ file: join(folder, 'accounts.json'), serverPin, now: () => clock });
    expect(of(again.register)).toEqual([]);
    for (let time = 1; time <= CODE_TRIES; time += 1) await expect(new Caller(time).try(other(code))).rejects.toMatchObject({ code: 'AUTH' });
    await settled();
    expect(of()).toHaveLength(1); // that of the code that followed
  });

  test('that is withdrawn takes the code with it', async () => {
    const code = await open();
    await revokeInvite(devices.register, inviteId(openInvites(devices.register)[0]!.key));
    codes.expire();
    expect(changes.at(-1)).toEqual({ is: 'closed', why: 'withdrawn', follows: false });
    expect(() => new Caller(1).start(code)).toThrow(expect.objectContaining({ message: 'no code is open on this server' }));
  });
});

describe('guessing', () => {
  test(`takes the code away after ${CODE_TRIES} wrong confirmations, and opens another`, async () => {
    const code = await open();
    for (let time = 1; time <= CODE_TRIES; time += 1) await expect(new Caller(time).try(other(code))).rejects.toMatchObject({ code: 'AUTH' });
    await settled();
    expect(changes.map((change) => (change.is === 'open' ? 'open' : change.why))).toEqual(['open', 'guessed', 'open']);
    const next = latest()!;
    await expect(new Caller(9).try(next)).resolves.toMatchObject({ name: 'device-9' });
  });

  test(`is over after ${MAX_GUESSED} codes in a row, until somebody asks for a code`, async () => {
    await open();
    for (let session = 1; session <= MAX_GUESSED * CODE_TRIES; session += 1) {
      await expect(new Caller(session).try(other(latest()!))).rejects.toMatchObject({ code: 'AUTH' });
      await settled();
    }
    expect(changes.filter((change) => change.is === 'open')).toHaveLength(MAX_GUESSED);
    expect(changes.at(-1)).toEqual({ is: 'closed', why: 'guessed', follows: false });
    expect(() => new Caller(50).start(latest()!)).toThrow(expect.objectContaining({ message: 'no code is open on this server' }));
    const asked = await open();
    await expect(new Caller(51).try(asked)).resolves.toBeDefined();
  });

  test('gets no more tries by many connections that all confirm at once', async () => {
    const code = await open();
    const callers = Array.from({ length: 40 }, (_, index) => new Caller(index + 1));
    const wrong = callers.map((caller) => caller.start(other(code)));
    const right = new Caller(100).start(code);
    const said = await Promise.allSettled([...wrong.map((credentials, index) => codes.finish(index + 1, credentials)), codes.finish(100, right)]);
    expect(said.every(({ status }) => status === 'rejected')).toBe(true);
    const reasons = said.map((one) => (one.status === 'rejected' ? (one.reason as Error).message : ''));
    expect(reasons.filter((reason) => reason.startsWith('the server does not know this code'))).toHaveLength(CODE_TRIES);
    expect(reasons.filter((reason) => reason === 'this code is gone')).toHaveLength(40 - CODE_TRIES + 1);
    expect(devices.list()).toEqual([]);
  });

  test('counts a proof without a confirmation as wrong', async () => {
    const code = await open();
    for (let session = 1; session <= CODE_TRIES; session += 1) {
      const { confirmation: _left, ...credentials } = new Caller(session).start(code);
      await expect(codes.finish(session, credentials)).rejects.toMatchObject({ code: 'AUTH' });
    }
    expect(changes.find((change) => change.is === 'closed')).toMatchObject({ why: 'guessed' });
  });

  test('is not done by starting and hanging up, which tells nothing and costs nothing', async () => {
    const code = await open();
    for (let session = 1; session <= 20; session += 1) {
      new Caller(session).start(other(code));
      codes.forget(session);
    }
    await expect(new Caller(21).try(code)).resolves.toMatchObject({ name: 'device-21' });
  });

  test('is told nothing by the answer to a start: no two are alike', async () => {
    const code = await open();
    const { point } = startAgreement({ code, exporter: new Uint8Array(32), serverPin });
    const answers = Array.from({ length: 10 }, (_, session) => Buffer.from(codes.start(session, new Uint8Array(32), point, FROM)).toString('hex'));
    expect(new Set(answers).size).toBe(10);
  });
});

describe('somebody in between', () => {
  test('cannot relay what is said on one connection to another: the exporters differ', async () => {
    const code = await open();
    const caller = new Caller(1);
    await expect(caller.try(code, { exporter: new Uint8Array(32).fill(77) })).rejects.toMatchObject({ code: 'AUTH', message: 'the server does not know this code' });
  });

  test('cannot stand in with a key of its own: the pins differ', async () => {
    const code = await open();
    await expect(new Caller(1).try(code, { pin: pinOf(createKey()) })).rejects.toMatchObject({ code: 'AUTH' });
  });

  test('cannot put another device into the place of the one that confirmed', async () => {
    const code = await open();
    const [caller, thief] = [new Caller(1), createKey()];
    const credentials = caller.start(code);
    const stolen = { ...credentials, key: publicBytes(thief), signature: signProof(thief, { kind: 'code', exporter: caller.exporter, serverPin }) };
    await expect(codes.finish(1, stolen)).rejects.toMatchObject({ code: 'AUTH', message: 'the server does not know this code' });
  });

  test('cannot use what was said again, on the same connection or another', async () => {
    const code = await open();
    const first = new Caller(1);
    const credentials = first.start(code);
    const again = startAgreement({ code, exporter: first.exporter, serverPin });
    codes.start(2, new Uint8Array(32).fill(2), again.point, FROM);
    await expect(codes.finish(2, { ...credentials, exporter: new Uint8Array(32).fill(2) })).rejects.toMatchObject({ code: 'AUTH' });
    await codes.finish(1, credentials);
    await expect(codes.finish(1, credentials)).rejects.toMatchObject({ code: 'AUTH' });
    expect(devices.list()).toHaveLength(1);
  });

  test('cannot enrol a key that is not theirs, and is not told of the code by trying', async () => {
    const code = await open();
    const credentials = new Caller(1).start(code);
    await expect(codes.finish(1, { ...credentials, signature: new Uint8Array(64) })).rejects.toMatchObject({ code: 'AUTH', message: 'the server did not accept the key of this device' });
    await expect(new Caller(2).try(code)).resolves.toBeDefined();
  });
});

test.each([
  ['the neutral element', new Uint8Array(32)],
  ['no point', new Uint8Array(Buffer.from('2b3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c', 'hex'))],
  ['not in its one encoding', new Uint8Array(32).fill(0xff)],
])('a start with %s is refused, leaves nothing behind and takes no try', async (_what, point) => {
  const code = await open();
  for (let session = 1; session <= MAX_STARTED + 1; session += 1) expect(() => codes.start(session, new Uint8Array(32), point, FROM)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
  await expect(new Caller(1).try(code)).resolves.toBeDefined();
});

test('beyond what may be begun nothing is computed, not even whether it is a point', async () => {
  let turn: ReturnType<Starts['take']> = 'too many of one';
  const bounded = new Codes({ devices, serverPin, now: () => clock, starts: { take: () => turn }, onChange: () => {} });
  const start = (): unknown => bounded.start(1, new Uint8Array(32), new Uint8Array(32), FROM);
  const refused = (): unknown => { try { return start(); } catch (error) { return error; } };
  expect(refused()).toMatchObject({ code: 'AUTH', message: 'no code is open on this server' }); // and no turn is taken for that
  await bounded.renew({ role: 'ro', forMs: MINUTE });
  expect([refused(), offenceOf(refused(), 'code')]).toEqual([expect.objectContaining({ code: 'LIMIT', retry: true, message: 'the code is tried too often from this address' }), 'code']);
  turn = 'too many';
  expect([refused(), offenceOf(refused(), 'code')]).toEqual([expect.objectContaining({ code: 'LIMIT', retry: true, message: 'too many devices are trying the code' }), 'late']);
  turn = 'taken';
  expect(refused()).toMatchObject({ code: 'PROTOCOL' });
});

test(`no more than ${MAX_STARTED} exchanges wait for their confirmation`, async () => {
  const code = await open();
  const { point } = startAgreement({ code, exporter: new Uint8Array(32), serverPin });
  for (let session = 1; session <= MAX_STARTED; session += 1) codes.start(session, new Uint8Array(32), point, FROM);
  expect(() => codes.start(1000, new Uint8Array(32), point, FROM)).toThrow(expect.objectContaining({ code: 'LIMIT', retry: true }));
  codes.forget(1);
  codes.start(1000, new Uint8Array(32), point, FROM);
});
