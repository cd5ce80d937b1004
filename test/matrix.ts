/**
 * What the matrix of rights is made of: every verb of a drive, what it takes, and how it is tried at each door. A verb is tried in a
 * folder of its own, which holds `old` (a file) and `sub/x`, in a way that works where it is allowed.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drain, pour } from '../src/transfer/measure.ts';
import { putBytes } from '../src/client/file.ts';
import type { Requester } from '../src/client/requester.ts';
import { digestOf } from '../src/digest.ts';
import type { Drive } from '../src/drive.ts';
import { Failure, type Code } from '../src/errors.ts';
import { PackWriter } from '../src/pack.ts';
import { child, parsePath, type RemotePath } from '../src/path.ts';
import { type Right, RIGHTS, ROLES } from '../src/rights.ts';
import type { Message } from '../src/wire/messages.ts';
import type { Request } from '../src/session/rules.ts';

const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const OLD = digestOf(text('old'));

/** What a request is answered with in the end: `ok`, or the code of its failure. */
export type Outcome = 'ok' | Code;

interface Verb {
  /** Each of the ways to be allowed it; in one of them all rights are needed. */
  readonly needs: readonly (readonly Right[])[];
  /** What it says to somebody who has these rights and not all that is needed, where that is not DENIED. */
  readonly otherwise?: { readonly with: readonly Right[]; readonly code: Code };
  drive(drive: Drive, at: RemotePath): Promise<unknown>;
  native(requester: Requester, at: RemotePath): Promise<unknown>;
}

const asks = (request: (at: RemotePath) => Message<Request>) => (requester: Requester, at: RemotePath): Promise<void> => ask(requester, request(at));

/** Says a request and hears all there is to hear. */
async function ask(requester: Requester, request: Message<Request>): Promise<void> {
  using exchange = await requester.open(request, undefined);
  while (exchange.open) {
    const received = await exchange.next();
    exchange.consumed(received.bulk);
    if (received.kind === 'message' && received.message.kind === 'problems' && received.message.problems[0] !== undefined) throw new Failure(received.message.problems[0].code, 'a problem');
    if (received.kind === 'message' && received.message.kind === 'offer') return;
  }
}

async function put(drive: Drive, path: RemotePath, match?: Uint8Array): Promise<void> {
  await using upload = await drive.receive(path, { size: 3, mtime: 0, mode: 0o644, level: 'visible', condition: 'any', match });
  await upload.write([text('new')], 0);
  await upload.commit(3);
}

async function putOver(requester: Requester, path: RemotePath, match?: Uint8Array): Promise<void> {
  const source = { read: async (into: Uint8Array, at: number) => { const rest = text('new').subarray(at); into.set(rest); return rest.length; } };
  await putBytes(requester, source, { kind: 'put', path, size: 3, mtime: 0, mode: 0o644, level: 'visible', ifAbsent: false, ifMatch: match }, { level: 'visible', ifAbsent: false, signal: undefined, waits: undefined, onBytes() {}, onLanes() {} });
}

function packOf(name: string): Uint8Array {
  const writer = new PackWriter();
  writer.folder(parsePath('sub'), 0o755);
  writer.space(name, 3).set(text('new'));
  writer.file(name, 0o644, 0, digestOf(text('new')), 3);
  return writer.finish();
}

async function batch(drive: Drive, at: RemotePath, name: string): Promise<void> {
  const { problems } = await drive.receiveBatch(at, packOf(name), { level: 'visible', condition: 'any' });
  if (problems[0] !== undefined) throw new Failure(problems[0].code, 'a problem');
}

/** What follows `putTree`. */
async function tree(requester: Requester, at: RemotePath, say: (exchange: Awaited<ReturnType<Requester['open']>>) => Promise<void>): Promise<void> {
  using exchange = await requester.open({ kind: 'putTree', path: at, level: 'visible', ifAbsent: false }, undefined);
  await say(exchange);
  exchange.say({ kind: 'finish' });
  let problem: Code | undefined;
  while (exchange.open) {
    const received = await exchange.next();
    exchange.consumed(received.bulk);
    if (received.kind === 'message' && received.message.kind === 'problems') problem ??= received.message.problems[0]?.code;
  }
  if (problem !== undefined) throw new Failure(problem, 'a problem');
}

async function all(pages: AsyncIterable<unknown>): Promise<void> {
  for await (const page of pages) void page;
}

/** That there is nothing to undo is an answer. */
async function nothing(asking: Promise<unknown>): Promise<void> {
  await asking.catch((error: unknown) => { if (!(error instanceof Failure) || error.code !== 'NOTFOUND') throw error; });
}

const NEW = (at: RemotePath): RemotePath => child(at, 'new');
const FILE = (at: RemotePath): RemotePath => child(at, 'old');
const SUB = (at: RemotePath): RemotePath => child(at, 'sub');
const FOLDERS = [{ path: parsePath('sub'), mode: 0o700, mtime: 0 }];

export const VERBS: Readonly<Record<string, Verb>> = {
  'stat': { needs: [['list']], drive: (drive, at) => drive.stat(FILE(at)), native: asks((at) => ({ kind: 'stat', path: FILE(at) })) },
  'stat of nothing': { needs: [['list']], drive: (drive, at) => drive.stat(NEW(at)), native: asks((at) => ({ kind: 'stat', path: NEW(at) })) },
  'list': { needs: [['list']], drive: (drive, at) => all(drive.list(at)), native: asks((at) => ({ kind: 'list', path: at, deep: false })) },
  'list deep': { needs: [['list']], drive: (drive, at) => all(drive.list(at, { deep: true })), native: asks((at) => ({ kind: 'list', path: at, deep: true })) },
  'usage': { needs: [['list']], drive: (drive, at) => drive.usage(at), native: asks((at) => ({ kind: 'usage', path: at })) },
  'space': { needs: [['list']], drive: (drive) => drive.space(), native: asks(() => ({ kind: 'space' })) },
  'hash': { needs: [['read']], drive: async (drive, at) => { await using source = await drive.read(FILE(at)); await source.read(new Uint8Array(3), 0); }, native: asks((at) => ({ kind: 'hash', path: FILE(at), algorithm: 'blake3' })) },
  'get': { needs: [['read']], drive: async (drive, at) => { await using source = await drive.read(FILE(at)); await source.changed(); }, native: asks((at) => ({ kind: 'get', path: FILE(at), basis: 0 })) },
  'get a folder': { needs: [['list', 'read']], drive: (drive, at) => all(drive.pack(at)), native: asks((at) => ({ kind: 'getTree', path: at, exclude: [] })) },
  'put': { needs: [['create']], drive: (drive, at) => put(drive, NEW(at)), native: (requester, at) => putOver(requester, NEW(at)) },
  'put over a file': { needs: [['create', 'overwrite']], otherwise: { with: ['create'], code: 'EXISTS' }, drive: (drive, at) => put(drive, FILE(at)), native: (requester, at) => putOver(requester, FILE(at)) },
  'put over a file of a digest': { needs: [['create', 'overwrite', 'read']], otherwise: { with: ['create', 'read'], code: 'EXISTS' }, drive: (drive, at) => put(drive, FILE(at), OLD), native: (requester, at) => putOver(requester, FILE(at), OLD) },
  'put a folder': { needs: [['create', 'mkdir']], drive: (drive, at) => batch(drive, at, 'new'), native: (requester, at) => tree(requester, at, (exchange) => exchange.batch(packOf('new'))) },
  'put a folder over a file': { needs: [['create', 'mkdir', 'overwrite']], otherwise: { with: ['create', 'mkdir'], code: 'EXISTS' }, drive: (drive, at) => batch(drive, at, 'x'), native: (requester, at) => tree(requester, at, (exchange) => exchange.batch(packOf('x'))) },
  'finish folders': { needs: [['mkdir'], ['setattr']], drive: (drive, at) => drive.finishFolders(at, FOLDERS, 'visible'), native: (requester, at) => tree(requester, at, (exchange) => exchange.sayBulk({ kind: 'folders', folders: FOLDERS }, 100)) },
  'mkdir': { needs: [['mkdir']], drive: (drive, at) => drive.makeFolder(NEW(at)), native: asks((at) => ({ kind: 'makeFolder', path: NEW(at), parents: false })) },
  'mkdir -p': { needs: [['mkdir']], drive: (drive, at) => drive.makeFolder(child(NEW(at), 'deep'), { parents: true }), native: asks((at) => ({ kind: 'makeFolder', path: child(NEW(at), 'deep'), parents: true })) },
  'change': { needs: [['rename', 'create']], drive: (drive, at) => drive.move(FILE(at), NEW(at)), native: asks((at) => ({ kind: 'move', from: FILE(at), to: NEW(at), replace: false })) },
  'change -f': { needs: [['rename', 'create', 'overwrite', 'delete']], drive: (drive, at) => drive.move(FILE(at), child(SUB(at), 'x'), { replace: true }), native: asks((at) => ({ kind: 'move', from: FILE(at), to: child(SUB(at), 'x'), replace: true })) },
  'change to another folder': { needs: [['rename', 'create', 'delete']], drive: (drive, at) => drive.move(FILE(at), child(SUB(at), 'y')), native: asks((at) => ({ kind: 'move', from: FILE(at), to: child(SUB(at), 'y'), replace: false })) },
  'change of a digest': { needs: [['rename', 'create', 'read']], drive: (drive, at) => drive.move(FILE(at), NEW(at), { match: OLD }), native: asks((at) => ({ kind: 'move', from: FILE(at), to: NEW(at), replace: false, ifMatch: OLD })) },
  'chmod': { needs: [['setattr']], drive: (drive, at) => drive.setAttributes(FILE(at), { mode: 0o600 }), native: asks((at) => ({ kind: 'setAttributes', path: FILE(at), mode: 0o600 })) },
  'rm': { needs: [['delete']], drive: (drive, at) => drive.remove(FILE(at)), native: asks((at) => ({ kind: 'remove', path: FILE(at), deep: false })) },
  'rm -r': { needs: [['delete']], drive: (drive, at) => drive.remove(SUB(at), { deep: true }), native: asks((at) => ({ kind: 'remove', path: SUB(at), deep: true })) },
  'rm of a digest': { needs: [['delete', 'read']], drive: (drive, at) => drive.remove(FILE(at), { match: OLD }), native: asks((at) => ({ kind: 'remove', path: FILE(at), deep: false, ifMatch: OLD })) },
  // Nothing in here is asked for as an action; what undoing one takes is in test/drive/undoing.test.ts.
  'undo': { needs: [['delete'], ['overwrite'], ['rename']], drive: (drive) => nothing(all(drive.undo({ redo: false, force: true }, '0'.repeat(16)))), native: (requester) => nothing(ask(requester, { kind: 'undo', redo: false, force: true, rehearse: false, action: new Uint8Array(8) })) },
  'undo -n': { needs: [['delete'], ['overwrite'], ['rename']], drive: (drive) => nothing(all(drive.rehearseUndo({ redo: false, force: false }))), native: (requester) => nothing(ask(requester, { kind: 'undo', redo: false, force: false, rehearse: true, action: new Uint8Array(8) })) },
  'measure up': { needs: [['create']], drive: (drive) => drive.measure('measureUp', async () => ({ bytes: 1 })), native: (requester) => measured(requester, 'up') },
  'measure down': { needs: [['read']], drive: (drive) => drive.measure('measureDown', async () => ({ bytes: 1 })), native: (requester) => measured(requester, 'down') },
  'measure the disk': { needs: [['create']], drive: (drive) => drive.probe(1, 1), native: (requester) => measured(requester, 'disk') },
};

async function measured(requester: Requester, what: 'up' | 'down' | 'disk'): Promise<void> {
  using exchange = await requester.open({ kind: 'measure', what, bytes: 1, milliseconds: 1 }, undefined);
  if (what === 'down') return void (await drain(exchange, { bytes: 2, milliseconds: 10_000 }));
  if (what === 'up') {
    await pour(exchange, { bytes: 1, milliseconds: 1 });
    if (exchange.open) exchange.say({ kind: 'finish' });
  }
  await exchange.expect('measured');
}

/** Sets of rights: the roles, none, each right alone, and all but each. */
export const RIGHT_SETS: Readonly<Record<string, readonly Right[]>> = {
  ...ROLES, none: [],
  ...Object.fromEntries(RIGHTS.map((right) => [`only ${right}`, [right]])),
  ...Object.fromEntries(RIGHTS.map((right) => [`all but ${right}`, RIGHTS.filter((other) => other !== right)])),
};

export function expected({ needs, otherwise }: Verb, rights: readonly Right[]): Outcome {
  const has = (wanted: readonly Right[]): boolean => wanted.every((right) => rights.includes(right));
  if (needs.some(has)) return 'ok';
  return otherwise !== undefined && has(otherwise.with) ? otherwise.code : 'DENIED';
}

export async function outcomeOf(action: Promise<unknown>): Promise<string> {
  return action.then(() => 'ok', (error: unknown) => (error instanceof Failure ? error.code : `not a Failure: ${String(error)}`));
}

/** The folder a verb is tried in. */
export function plantCell(folder: string): void {
  mkdirSync(join(folder, 'sub'), { recursive: true });
  writeFileSync(join(folder, 'old'), 'old');
  writeFileSync(join(folder, 'sub/x'), 'x');
}

/** Everything in it: names, modes, contents. */
export function seen(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted().map((name) => {
    const stats = statSync(join(folder, name));
    return `${name} ${stats.mode.toString(8)} ${stats.isFile() ? readFileSync(join(folder, name), 'utf8') : ''}`;
  }).join('\n');
}
