/** A server that is killed in the moment in which a client was told success: what a token is good for once, it is good for once. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Client, connect } from '../../src/index.ts';
import { askServer } from '../../src/server/admin.ts';
import { Rig } from './rig.ts';

test.each([['one process', []], ['two workers', ['--workers', '2']]])('a token for one file, one use or a few bytes is used up, though a server of %s is killed at once', async (_, serve) => {
  await using rig = await Rig.start({ serve, join: false });
  await askServer(rig.state, { verb: 'account add', name: 'ann', rights: 'rw' });
  const tokenFor = async (limit: { files?: number; uses?: number; bytes?: number }): Promise<string> => (await askServer(rig.state, { verb: 'token create', account: 'ann', ...limit })).token;
  const enter = (token: string): Promise<Client> => connect({ server: `${rig.listening.address}#${rig.listening.fingerprint}`, token });
  for (const folder of [rig.local, rig.served]) {
    await mkdir(join(folder, 'tree'));
    for (const name of ['one', 'two']) await writeFile(join(folder, 'tree', name), name);
  }
  await writeFile(join(rig.served, 'there'), 'there');

  /** Each does once what its token is good for. */
  const deeds: readonly [string, Parameters<typeof tokenFor>[0], (client: Client) => Promise<{ failed: number } | undefined>][] = [
    ['put a file', { files: 1 }, (client) => client.put(join(rig.local, 'tree/one'), 'one')],
    ['put a tree', { files: 2 }, (client) => client.put(join(rig.local, 'tree'), 'put')],
    ['get a tree', { files: 2 }, (client) => client.get('tree', join(rig.local, 'got'))],
    ['get a file', { files: 1 }, (client) => client.get('there', join(rig.local, 'there'))],
    ['stream a file', { bytes: 5 }, async (client) => { for await (const piece of client.getStream('there')) void piece; return undefined; }],
    ['put bytes', { bytes: 3 }, (client) => client.put(join(rig.local, 'tree/two'), 'bytes')],
    ['look', { uses: 1 }, async (client) => { await client.stat('there'); return undefined; }],
  ];
  const given = await Promise.all(deeds.map(async ([what, limit, deed]) => {
    const token = await tokenFor(limit);
    return { what, token, deed, client: await enter(token) };
  }));
  expect(await Promise.all(given.map(async ({ what, deed, client }) => [what, (await deed(client))?.failed ?? 0]))).toEqual(deeds.map(([what]) => [what, 0]));
  await rig.stop('SIGKILL');
  for (const { client } of given) await client.close().catch(() => undefined);
  await rig.serve();
  for (const { what, token } of given) await expect(enter(token).then(() => 'let in'), what).rejects.toMatchObject({ code: 'AUTH', message: 'this token is used up' });
});
