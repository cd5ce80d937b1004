/**
 * The matrix (E1): every set of rights, with every verb, at every door. One table says what each verb takes; what is not allowed is
 * refused with its code and changes nothing, what is allowed works.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dial, type Dialled } from '../src/client/dial.ts';
import { parseAddressed } from '../src/client/named.ts';
import { Requester } from '../src/client/requester.ts';
import { ready } from '../src/digest.ts';
import { Drive } from '../src/drive.ts';
import { publicBytes, signProof } from '../src/identity.ts';
import { parsePath, type RemotePath } from '../src/path.ts';
import { everywhere, formatRights, type Right } from '../src/rights.ts';
import { askServer } from '../src/server/admin.ts';
import { serve, type Server } from '../src/server/server.ts';
import { openDisk } from '../src/store/disk/disk.ts';
import type { Vault } from '../src/store/vault.ts';
import { parseToken, tokenKey } from '../src/token.ts';
import { expected, outcomeOf, plantCell, RIGHT_SETS, seen, VERBS } from './matrix.ts';

/** Somebody with some rights, in front of a door. */
type Try = (verb: string, at: RemotePath) => Promise<unknown>;
interface Door {
  /** Somebody comes in with these rights. */
  enter(name: string, rights: readonly Right[]): Promise<Try & Partial<AsyncDisposable>>;
}

let folder: string;
let vault: Vault;
const servers: Server[] = [];
const open: Dialled[] = [];
let cells = 0;

beforeAll(async () => {
  await ready();
  folder = mkdtempSync(join(tmpdir(), 'wherry-matrix-'));
  mkdirSync(join(folder, 'served'));
  vault = await openDisk(join(folder, 'served'));
  for (const workers of [1, 2]) servers.push(await serve(join(folder, 'served'), { listen: ['127.0.0.1:0'], state: join(folder, `state-${workers}`), workers }));
});
afterAll(async () => {
  for (const { connection } of open) await connection.drain(0);
  for (const server of servers) await server.stop({ graceMs: 0 });
  await vault[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** Signed in by a token of an account with these rights. */
async function enterServer(server: Server, name: string, rights: readonly Right[]): Promise<Try> {
  const account = name.replace(/[^a-z]+/g, '-');
  await askServer(server.state, { verb: 'account add', name: account, rights: formatRights(rights) });
  const { token } = await askServer(server.state, { verb: 'token create', account });
  const { addresses, pin } = parseAddressed(`${server.addresses[0]}#${server.fingerprint}`);
  const key = tokenKey(parseToken(token));
  const dialled = await dial({ addresses, pin, prove: (exporter, serverPin) => ({ kind: 'auth', method: 'token', key: publicBytes(key), signature: signProof(key, { kind: 'token', exporter, serverPin }) }) });
  open.push(dialled);
  const requester = new Requester(dialled.connection, dialled.closed);
  return (verb, at) => VERBS[verb]!.native(requester, at);
}

const DOORS: Readonly<Record<string, Door>> = {
  'the drive itself': {
    async enter(name, rights) {
      const drive = new Drive({ vault, principal: { name, grants: everywhere(rights) } });
      return (verb, at) => VERBS[verb]!.drive(drive, at);
    },
  },
  'the native door': { enter: (name, rights) => enterServer(servers[0]!, name, rights) },
  'the native door of a server with workers': { enter: (name, rights) => enterServer(servers[1]!, name, rights) },
};

describe.each(Object.keys(DOORS))('E1: %s', (door) => {
  test.each(Object.keys(RIGHT_SETS))('somebody with the rights %s may do exactly what these allow', async (set) => {
    const rights = RIGHT_SETS[set]!;
    const tries = await DOORS[door]!.enter(set, rights);
    for (const [verb, row] of Object.entries(VERBS)) {
      cells += 1;
      const at = parsePath(`cell-${cells}`);
      const place = join(folder, 'served', at);
      plantCell(place);
      const before = seen(place);
      const outcome = await outcomeOf(tries(verb, at));
      expect([verb, outcome]).toEqual([verb, expected(row, rights)]);
      if (outcome !== 'ok') expect([verb, seen(place)]).toEqual([verb, before]);
    }
  });
});

test('the matrix has more than 600 cells, and as many were tried as there are', () => {
  const all = Object.keys(DOORS).length * Object.keys(RIGHT_SETS).length * Object.keys(VERBS).length;
  expect(cells).toBe(all);
  expect(all).toBeGreaterThan(600);
});
