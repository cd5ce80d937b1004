/** Accounts and tokens as their owner and their holders use them, with the real command and real clients. */
import { access, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Rig, type Ran } from './rig.ts';
import { events, failureOf } from './traces.ts';

let rig: Rig;

beforeAll(async () => {
  rig = await Rig.start();
  for (const folder of ['shared/docs', 'shared/private', 'shared/inbox']) await mkdir(join(rig.served, folder), { recursive: true });
  await writeFile(join(rig.served, 'shared/docs/plan.txt'), 'the plan');
  await writeFile(join(rig.served, 'shared/private/pay.txt'), 'secret');
  await writeFile(join(rig.local, 'note.txt'), 'note');
});
afterAll(() => rig[Symbol.asyncDispose]());

async function admin(...words: string[]): Promise<Ran> {
  const ran = await rig.run([...words, '--state', rig.state]);
  expect(ran.code, ran.stderr).toBe(0);
  return ran;
}

/** Another machine, whose device joins the account; runs commands there. */
async function person(account: string, name: string): Promise<(...words: string[]) => Promise<Ran>> {
  const env = { WHERRY_HOME: join(rig.folder, `home-${name}`) };
  const { stdout } = await admin('invite', '--account', account);
  const joined = await rig.run(['join'], { env, input: stdout });
  expect(joined.code, joined.stderr).toBe(0);
  expect(joined.stdout + joined.stderr).toContain(`this device is ${account} there`);
  return (...words) => rig.run(words, { env });
}

describe('an account with a home', () => {
  test('sees it as its whole world, which is made when it first comes', async () => {
    await admin('account', 'add', 'ann', '--rights', 'rw', '--root', 'home/ann');
    const ann = await person('ann', 'ann');
    expect((await ann('put', 'note.txt', ':')).code).toBe(0);
    expect(await readFile(join(rig.served, 'home/ann/note.txt'), 'utf8')).toBe('note');
    expect((await ann('ls', ':')).stdout.trim()).toBe('note.txt');
    const outside = await ann('ls', ':shared');
    expect([outside.code, outside.stderr]).toEqual([6, expect.stringMatching(/no such/)]);
    expect((await ann('cat', ':../../shared/docs/plan.txt')).code).not.toBe(0);
  });

  test('takes a device that comes by a spoken code, with its rights and no others', async () => {
    await admin('account', 'add', 'reader', '--rights', 'ro', '--root', 'shared/docs');
    const invited = await admin('invite', '--code', '--account', 'reader');
    expect(invited.stderr).toContain('for reader; on this machine: wherry join');
    const env = { WHERRY_HOME: join(rig.folder, 'home-spoken') };
    const joined = await rig.run(['join', `${invited.stdout.trim()}@${rig.listening.address}`], { env });
    expect([joined.code, joined.stdout + joined.stderr]).toEqual([0, expect.stringContaining('this device is reader there: read only')]);
    expect((await rig.run(['ls', ':'], { env })).stdout.trim()).toBe('plan.txt');
    expect((await rig.run(['put', 'note.txt', ':'], { env })).code).toBe(5);
  });

  test('is shown to its owner with its devices', async () => {
    const shown = events(await rig.run(['account', 'show', 'ann', '--json', '--state', rig.state]))[0];
    expect(shown).toMatchObject({ event: 'account', name: 'ann', rights: 'rw', roots: ['/home/ann'], rules: [] });
    expect(shown).toHaveProperty('devices.length', 1);
    expect((await admin('account', 'list')).stdout).toMatch(/^ann +rw +\/home\/ann +1 device$/m);
  });
});

describe('an account with several folders and rules', () => {
  test('sees their names, does in each what it may, and nothing of what it may not', async () => {
    await admin('account', 'add', 'bob', '--rights', 'ro', '--root', 'all=shared', '--root', 'mine=home/bob', '--rule', 'home/bob=rw', '--rule', 'shared/private=none', '--rule', 'shared/inbox=drop');
    const bob = await person('bob', 'bob');
    expect((await bob('ls', ':')).stdout.trim().split(/\s+/)).toEqual(['all/', 'mine/']);
    expect((await bob('ls', ':all')).stdout.trim().split(/\s+/)).toEqual(['docs/', 'inbox/']);
    expect((await bob('cat', ':all/docs/plan.txt')).stdout).toBe('the plan');
    for (const words of [['cat', ':all/private/pay.txt'], ['ls', ':all/private'], ['ls', ':all/inbox'], ['put', 'note.txt', ':all/docs/'], ['rm', ':all/docs/plan.txt'], ['change', ':all/docs', 'x']]) {
      const refused = await bob(...words, '--json');
      expect([words, refused.code, failureOf(refused).code]).toEqual([words, 5, 'DENIED']);
      expect(failureOf(refused)).toHaveProperty('hint', expect.stringMatching(/^ask the owner of the server for the right to .* \(wherry account change\)$/));
    }
    expect((await bob('put', 'note.txt', ':all/inbox/note.txt')).code).toBe(0);
    expect((await bob('put', 'note.txt', ':mine/')).code).toBe(0);
    expect((await bob('get', ':all', 'fetched')).code).toBe(0);
    await access(join(rig.local, 'fetched/docs/plan.txt'));
    await expect(access(join(rig.local, 'fetched/private'))).rejects.toThrow();
  });

  test('that is changed is what it is from then on', async () => {
    const change = await admin('account', 'change', 'bob', '--rule', 'none', '--rights', 'ro', '--root', 'shared/docs');
    expect(change.stdout).toContain('/shared/docs');
    const env = { WHERRY_HOME: join(rig.folder, 'home-bob') };
    expect((await rig.run(['cat', ':plan.txt'], { env })).stdout).toBe('the plan');
    await admin('account', 'remove', 'bob');
    const gone = await rig.run(['ls', ':', '--json'], { env });
    expect([gone.code, failureOf(gone).code]).toEqual([5, 'AUTH']);
  });
});

test('an account gets as many rules as it may have, by one command', async () => {
  const rules = Array.from({ length: 998 }, (_, at) => `shared/a folder with a name of some length/and one below it/${at}=ro`);
  await admin('account', 'add', 'ruled', '--rights', 'rw', '--root', 'shared', ...rules.flatMap((rule) => ['--rule', rule]));
  const [{ rules: kept }] = events<{ rules: string[] }>(await admin('account', 'show', 'ruled', '--json'), 'account') as [{ rules: string[] }];
  expect(kept).toHaveLength(998);
  expect((await rig.run(['audit', 'verify', '--state', rig.state])).code).toBe(0);
});

test('a token that would be good for nothing is not made: for a folder that its account has not, or with rights that it has not', async () => {
  await admin('account', 'add', 'split', '--rights', 'ro', '--root', 'docs=shared/docs', '--root', 'inbox=shared/inbox');
  const create = (...words: string[]): Promise<Ran> => rig.run(['token', 'create', '--account', 'split', ...words, '--state', rig.state]);
  for (const [words, said] of [[['--path', 'shared/docs'], /shared\/docs is in none of the folders of this account.*docs, inbox/], [['--path', 'docs', '--rights', 'drop'], /has none of these rights there.*ro/]] as const) {
    const { code, stderr } = await create(...words);
    expect([code, stderr]).toEqual([2, expect.stringMatching(said)]);
  }
  for (const words of [[], ['--path', 'docs/plans'], ['--path', 'DOCS'], ['--rights', 'rw']]) expect((await create(...words)).code, words.join(' ')).toBe(0);
  await admin('account', 'remove', 'split');
});

describe('a token', () => {
  const use = (token: string, words: string[], server = `${rig.listening.address}#${rig.listening.fingerprint}`): Promise<Ran> =>
    rig.run(words, { env: { WHERRY_TOKEN: token, WHERRY_SERVER: server, WHERRY_HOME: join(rig.folder, 'nobody') } });

  test('is all that a program needs, and narrows what its account may do', async () => {
    await admin('account', 'add', 'robot', '--rights', 'rw', '--root', 'shared');
    const created = await admin('token', 'create', '--account', 'robot', '--path', 'docs', '--rights', 'ro', '--for', '30d', '--name', 'nightly');
    const token = created.stdout.trim();
    expect(token).toMatch(/^wherry_[\w-]{48}$/);
    expect((await use(token, ['cat', ':docs/plan.txt'])).stdout).toBe('the plan');
    expect(failureOf(await use(token, ['put', 'note.txt', ':docs/', '--json'])).code).toBe('DENIED');
    const outside = failureOf(await use(token, ['ls', ':', '--json']));
    expect(outside).toMatchObject({ code: 'DENIED', message: 'this token does not reach here: with it nobody may see what is here', hint: expect.stringContaining('wherry token create') as string });
    expect(failureOf(await use(token, ['cat', ':private/pay.txt', '--json'])).code).toBe('DENIED');
    expect(failureOf(await use(token, ['get', ':private/pay.txt', '--json']))).toMatchObject({ code: 'DENIED', hint: expect.stringContaining('wherry token create') as string });
    expect((await admin('token', 'list')).stdout).toMatch(/^nightly {2}of robot {2}\/docs {2}ro {2}.*until /);
    await admin('token', 'revoke', 'nightly');
    expect(failureOf(await use(token, ['cat', ':docs/plan.txt', '--json']))).toMatchObject({ code: 'AUTH', exit: 5 });
  });

  test('is of no use with an address whose fingerprint is missing, which is said', async () => {
    for (const server of [rig.listening.address, 'localhost:9437']) {
      expect(failureOf(await use('', ['ls', ':', '--json'], server))).toMatchObject({ code: 'USAGE', message: `the fingerprint of the server at ${server} is missing`, hint: expect.stringContaining('HOST:PORT#sha256:') as string });
    }
  });

  test('is never said to a server with another key', async () => {
    const { stdout } = await admin('token', 'create', '--account', 'robot');
    const other = await use(stdout.trim(), ['ls', ':', '--json'], `${rig.listening.address}#sha256:${'A'.repeat(43)}`);
    expect(failureOf(other)).toMatchObject({ code: 'IDENTITY', exit: 4 });
  });

  test('that is mistyped is told so before anybody is asked', async () => {
    expect(failureOf(await use(`wherry_${'A'.repeat(48)}`, ['ls', ':', '--json']))).toMatchObject({ code: 'USAGE', message: 'this is not a token' });
  });
});

test('an account that may do nothing yet is said to be one, with the flag that changes it', async () => {
  expect((await admin('account', 'add', 'idle')).stderr).toContain('added idle, which may do nothing yet; give it rights with: wherry account change idle --rights rw');
  expect((await admin('account', 'add', 'closed', '--rule', 'shared=none')).stderr).toContain('may do nothing yet');
  for (const flags of [['--rights', 'ro'], ['--rule', 'shared=ro']]) {
    expect((await admin('account', 'add', `busy${flags[0]}`.replaceAll('-', ''), ...flags)).stderr).toContain('let a device in with');
  }
});

describe('a password', () => {
  const PASSWORD = 'four plain words here';
  const check = (input: string): Promise<Ran> => rig.run(['account', 'check', 'carol', '--state', rig.state], { input });

  test('is set and tried from standard input, and is in no file of the server', async () => {
    await admin('account', 'add', 'carol');
    expect((await rig.run(['account', 'change', 'carol', '--password-stdin', '--state', rig.state], { input: `${PASSWORD}\n` })).code).toBe(0);
    expect([(await check(`${PASSWORD}\n`)).code, (await check('another one')).code]).toEqual([0, 5]);
    expect((await admin('account', 'show', 'carol')).stdout).toMatch(/^password +set$/m);
    for (const name of await readdir(rig.state, { recursive: true, withFileTypes: true })) {
      if (name.isFile()) expect(await readFile(join(name.parentPath, name.name), 'latin1')).not.toContain(PASSWORD);
    }
    await admin('account', 'change', 'carol', '--no-password');
    expect((await check(PASSWORD)).code).toBe(5);
  });

  test.each([['short', 2, 'at least 8 characters'], ['x'.repeat(1025), 11, 'at most 1024 bytes']])('that cannot be one is refused, and nothing else of the command is done: %.5s', async (input, code, said) => {
    const ran = await rig.run(['account', 'change', 'carol', '--rights', 'drop', '--password-stdin', '--state', rig.state], { input });
    expect([ran.code, ran.stderr]).toEqual([code, expect.stringContaining(said)]);
    expect((await admin('account', 'show', 'carol')).stdout).toMatch(/^rights +none$/m);
    expect((await rig.run(['account', 'add', 'gone', '--password-stdin', '--state', rig.state], { input })).code).toBe(code);
    expect((await rig.run(['account', 'show', 'gone', '--state', rig.state])).code).toBe(6);
  });
});

describe('keys of OpenSSH', () => {
  test('that are known already, or given twice, are refused, and nothing else of the command is done', async () => {
    const [first, second] = ['first.pub', 'second.pub'].map((name) => join(rig.local, name)) as [string, string];
    for (const [at, file] of [first, second].entries()) await writeFile(file, `ssh-ed25519 ${Buffer.concat([Buffer.from('0000000b7373682d6564323535313900000020', 'hex'), Buffer.alloc(32, at + 1)]).toString('base64')} key${at}@x\n`);
    await admin('account', 'add', 'keyed', '--rights', 'ro', '--ssh-key', first);
    for (const keys of [[second, first], [second, second]]) {
      const words = ['--rights', 'rw', ...keys.flatMap((key) => ['--ssh-key', key]), '--state', rig.state];
      expect([(await rig.run(['account', 'add', 'other', ...words])).code, (await rig.run(['account', 'change', 'keyed', ...words])).code]).toEqual([7, 7]);
    }
    expect((await rig.run(['account', 'show', 'other', '--state', rig.state])).code).toBe(6);
    expect((await admin('account', 'show', 'keyed')).stdout).toMatch(/^rights +ro$[^]*^devices +key0$/m);
  });
});

describe('mistakes of the owner', () => {
  test.each<[string[], number, RegExp]>([
    [['account', 'add', 'x y'], 2, /cannot be the name/], [['account', 'add', 'ann'], 7, /already/], [['account', 'show', 'nobody'], 6, /no account is named nobody/],
    [['account', 'add', 'new', '--rights', 'everything'], 2, /"everything" is no right/], [['account', 'add', 'new', '--rule', 'x'], 2, /PATH=RIGHTS/],
    [['account', 'add', 'new', '--root', 'shared', '--rule', 'private=none'], 2, /would change nothing[^]*--rule shared\/private=none/],
    [['account', 'add', 'new', '--root', '../x'], 2, /./], [['account', 'add', 'new', '--root', 'a', '--root', 'a'], 2, /same name/], [['account', 'change', 'ann'], 2, /what to change/],
    [['account', 'destroy', 'ann'], 2, /cannot destroy/], [['account', 'add', 'new', '--quota', 'much'], 2, /is a size/], [['token', 'create'], 2, /needs an account/],
    [['token', 'create', '--account', 'ann', '--from', 'office'], 2, /not a network/], [['token', 'create', '--account', 'ann', '--for', '4000d'], 2, /longer than 3650 days/], [['invite', '--for', '31d'], 2, /at most 30 days/],
    [['invite', '--for', '0s'], 2, /more than 0 seconds and at most 30 days/], [['token', 'create', '--account', 'ann', '--for', '0s'], 2, /more than 0 seconds and at most 3650 days/], [['token', 'revoke', 'nobody'], 6, /no token is named/],
    [['account', 'remove', 'ann', '--no-password'], 2, /--no-password is not for account remove; it is for account change/], [['account', '--root', 'x'], 2, /--root is not for account alone; it is for account add and account change/],
    [['invite', 'list', '--ro'], 2, /--ro is not for invite list/], [['token', 'revoke', 'x', '--path', 'docs'], 2, /--path is not for token revoke; it is for token create/], [['account', 'change', 'ann', '--no-password', '--password-stdin'], 2, /contradict/],
    [['invite', '--account', 'nobody'], 6, /no account is named/], [['invite', '--account', 'ann', '--ro'], 2, /rights/], [['invite', '--code', '--account', 'nobody'], 6, /no account is named/], [['invite', '--code', '--account', 'ann', '--ro'], 2, /rights/],
  ])('%j is refused with exit code %d, and what to type', async (words, code, why) => {
    const ran = await rig.run([...words, '--state', rig.state]);
    expect([ran.code, ran.stderr]).toEqual([code, expect.stringMatching(why)]);
  });
});
