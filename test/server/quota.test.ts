/** Whoever is signed in when quotas come and go, at a server in this process. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connect } from '../../src/client/client.ts';
import type { Client } from '../../src/client/api.ts';
import { Failure } from '../../src/errors.ts';
import { askServer } from '../../src/server/admin.ts';
import { serve, type Server } from '../../src/server/server.ts';

let folder: string;
let server: Server;
let clients: Client[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-quota-'));
  clients = [];
  for (const home of ['bob', 'full']) await mkdir(join(folder, 'share/home', home), { recursive: true });
  await writeFile(join(folder, 'share/home/full/there'), Buffer.alloc(60));
  server = await serve(join(folder, 'share'), { listen: ['127.0.0.1:0'], state: join(folder, 'state'), ticket: false });
});
afterEach(async () => {
  for (const client of clients) await client.close();
  await server.stop({ graceMs: 0 });
  await rm(folder, { recursive: true });
});

async function enter(account: string): Promise<Client> {
  const { token } = await askServer(server.state, { verb: 'token create', account });
  const client = await connect({ server: `${server.addresses[0]!}#${server.fingerprint}`, token });
  clients.push(client);
  return client;
}

const add = (name: string, root: string, quotaBytes?: number): Promise<unknown> => askServer(server.state, { verb: 'account add', name, rights: 'rw', roots: [root], ...(quotaBytes !== undefined && { quotaBytes }) });
async function put(client: Client, path: string, bytes: number): Promise<string> {
  return client.putStream(Readable.from([Buffer.alloc(bytes)]), path).then(({ failure }) => failure?.code ?? 'ok', (error: unknown) => Failure.from(error).code);
}

test('who came before the first quota comes again, and counts then; who came after it goes on', async () => {
  await add('team', '');
  const early = await enter('team');
  expect(await put(early, 'home/bob/before', 10)).toBe('ok');
  await add('bob', 'home/bob', 100);
  expect(await put(early, 'home/bob/uncounted', 60)).toMatch(/^(?:SHUTDOWN|LOST)$/);
  const [team, bob] = [await enter('team'), await enter('bob')];
  expect(await put(team, 'home/bob/counted', 50)).toBe('ok');
  expect([await put(bob, 'own', 41), await put(bob, 'own', 40)]).toEqual(['QUOTA', 'ok']);
  await add('cat', 'home/cat', 100);
  expect(await put(team, 'home/bob/more', 1)).toBe('ok');
});

test('an account that gets other folders is measured by what is in those', async () => {
  await add('bob', 'home/bob', 100);
  expect(await put(await enter('bob'), 'x', 100)).toBe('ok');
  await askServer(server.state, { verb: 'account change', name: 'bob', roots: ['home/full'] });
  const full = await enter('bob');
  expect((await full.space()).free).toBe(40);
  expect([await put(full, 'x', 41), await put(full, 'x', 40)]).toEqual(['QUOTA', 'ok']);
  await askServer(server.state, { verb: 'account remove', name: 'bob' });
  await add('bob', 'home/new', 100);
  expect(await put(await enter('bob'), 'x', 100)).toBe('ok');
});
