/** Tickets that are mistyped, used, expired or for somebody else: what is wrong is said, and nothing is dialled that need not be. */
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askServer } from '../../src/server/admin.ts';
import { keyFromSecret } from '../../src/identity.ts';
import { decodeTicket, encodeTicket } from '../../src/ticket.ts';
import { Secret } from '../../src/secret.ts';
import { type Ran, Rig } from './rig.ts';
import { events, expectAlive, failureOf, until } from './traces.ts';

let rig: Rig;
beforeAll(async () => { rig = await Rig.start(); });
afterAll(async () => { await rig[Symbol.asyncDispose](); });

let homes = 0;
/** A join from a device of its own. */
async function join_(ticket: string, folder = join(rig.folder, `device-${homes += 1}`)) {
  const ran = await rig.run(['join', '--json'], { input: ticket, env: { WHERRY_HOME: folder } });
  return { ran, folder };
}

async function invite(forMs?: number): Promise<string> {
  const { ticket } = await askServer(rig.state, { verb: 'invite', forMs });
  return ticket;
}

describe('a ticket that is not right is caught before anything is sent', () => {
  const edits: readonly [string, (ticket: string) => string, RegExp][] = [
    ['empty', () => '', /there is no ticket/],
    ['blank', () => ' \n\n', /there is no ticket/],
    ['not one', () => 'hello there', /not a ticket: a ticket starts with wherry1-/],
    ['far too long', (ticket) => ticket.repeat(60), /too long|longer than/],
    ['binary', () => Buffer.from(Array.from({ length: 64 }, (_, at) => 128 + at)).toString('latin1'), /not a ticket/],
    ['cut at its end', (ticket) => ticket.slice(0, -5), /missing or mistyped|mistyped/],
    ['cut in the middle', (ticket) => ticket.split('-').filter((_, group) => group !== 4).join('-'), /mistyped|missing/],
    ['mistyped in the third group', (ticket) => mistype(ticket, 3), /group 3\b/],
    ['with two groups swapped', (ticket) => swapped(ticket, 2, 3), /group 2\b|group 3\b|mistyped/],
  ];

  test.each(edits)('%s', async (_, edit, message) => {
    const { ran, folder } = await join_(edit(await invite()));
    const told = failureOf(ran);
    expect([ran.code, told.exit, told.retry]).toEqual([2, 2, false]);
    expect(told.message).toMatch(message);
    expect(told.message).not.toMatch(/internal/);
    expect(told.hint).toBeTruthy();
    expect(await readdir(folder).catch(() => [])).toEqual([]);
  });
});

/** One character of a group replaced by another of the alphabet. */
function mistype(ticket: string, group: number): string {
  const parts = ticket.split('-');
  const part = parts[group]!;
  parts[group] = (part.startsWith('7') ? '8' : '7') + part.slice(1);
  return parts.join('-');
}

function swapped(ticket: string, one: number, two: number): string {
  const parts = ticket.split('-');
  [parts[one], parts[two]] = [parts[two]!, parts[one]!];
  return parts.join('-');
}

describe('a ticket that the server does not take', () => {
  const refused = { code: 'AUTH', exit: 5, retry: false };

  test('because it was used, and says what to ask for', async () => {
    const ticket = await invite();
    expect((await join_(ticket)).ran.code).toBe(0);
    const { ran } = await join_(ticket);
    expect(ran.code).toBe(5);
    expect(failureOf(ran)).toMatchObject({ ...refused, hint: expect.stringMatching(/ticket|invite/) as string });
  });

  test('because it has expired', async () => {
    const ticket = await invite(1);
    const { ran } = await join_(ticket);
    expect(ran.code).toBe(5);
    expect(failureOf(ran)).toMatchObject({ ...refused, hint: expect.stringMatching(/ticket|invite/) as string });
  });

  test('because it was never given out', async () => {
    const real = decodeTicket(await invite());
    const { ran } = await join_(encodeTicket({ ...real, secret: new Secret(randomBytes(16)) }));
    expect(failureOf(ran)).toMatchObject(refused);
  });

  test('because it is for another server', async () => {
    const real = decodeTicket(await invite());
    const { ran } = await join_(encodeTicket({ ...real, pin: randomBytes(16) }));
    expect([ran.code, failureOf(ran).code]).toEqual([4, 'IDENTITY']);
    await until(() => rig.log.some((line) => line.includes('"disconnected"')));
  });

  test('and the server goes on', () => expectAlive(rig));
});

test('two devices that use one ticket at the same moment: exactly one gets in', async () => {
  const ticket = await invite();
  const [one, two] = await Promise.all([join_(ticket), join_(ticket)]);
  expect(new Set([one.ran.code, two.ran.code])).toEqual(new Set([0, 5]));
});

test('a device that was locked out is told so', async () => {
  const { folder } = await join_(await invite());
  const { devices } = await askServer(rig.state, { verb: 'devices list' });
  await askServer(rig.state, { verb: 'devices revoke', name: devices.at(-1)!.name });
  const ran = await rig.run(['ls', ':', '--json'], { env: { WHERRY_HOME: folder } });
  expect(failureOf(ran)).toMatchObject({ code: 'AUTH', exit: 5, hint: expect.stringContaining('join') as string });
});

test('a ticket that is withdrawn lets nobody in; those that are open are listed without what lets in, and told to whoever locks a device out', async () => {
  await using own = await Rig.start();
  const owner = (...words: string[]): Promise<Ran> => own.run([...words, '--state', own.state]);
  await owner('account', 'add', 'ann', '--rights', 'ro');
  const { ticket, id } = events<{ ticket: string; id: string }>(await owner('invite', '--drop', '--for', '1h', '--json'), 'invited')[0]!;
  await owner('invite', '--account', 'ann');
  const listed = await owner('invite', 'list');
  expect(listed.stdout).toMatch(new RegExp(`^${id}  drop  until \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC\n[0-9a-f]{12}  of ann  until .*\n$`));
  const told = events<{ id: string; account?: string; role?: string }>(await owner('invite', 'list', '--json'), 'invite');
  expect(told.map(({ account, role }) => account ?? role)).toEqual(['drop', 'ann']);
  const [secret, key] = [decodeTicket(ticket).secret, keyFromSecret(decodeTicket(ticket).secret, 'invite')];
  for (const bytes of [secret.reveal(), key.export({ type: 'pkcs8', format: 'der' }).subarray(-32)]) {
    for (const encoding of ['hex', 'base64', 'base64url'] as const) expect(JSON.stringify(told)).not.toContain(Buffer.from(bytes).toString(encoding).slice(0, 12));
  }
  const device = events<{ name: string }>(await owner('devices', '--json'), 'device')[0]!.name;
  // That for ann would not let it in as what it was, and is not counted.
  const revoked = await owner('devices', 'revoke', device);
  expect([revoked.stdout, revoked.stderr]).toEqual([`revoked ${device}\n`, expect.stringMatching(/^1 open ticket could let it in again; see wherry invite list/) as string]);
  expect((await owner('invite', 'revoke', id)).stdout).toBe(`revoked ${id}\n`);
  const ran = await own.run(['join', '--json'], { input: ticket, env: { WHERRY_HOME: join(own.folder, 'late') } });
  expect(failureOf(ran)).toMatchObject({ code: 'AUTH', exit: 5 });
  expect(failureOf(await owner('invite', 'revoke', id, '--json'))).toMatchObject({ code: 'NOTFOUND', exit: 6, hint: expect.stringContaining('wherry invite list') as string });
  expect(events(await owner('invite', 'list', '--json'))).toHaveLength(1);
});
