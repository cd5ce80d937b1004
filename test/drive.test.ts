import { describe, expect, test } from 'vitest';
import { digestOf, ready } from '../src/digest.ts';
import { Drive, type DriveWant } from '../src/drive.ts';
import type { Action } from '../src/drive/action.ts';
import { Recent } from '../src/drive/recent.ts';
import { Failure } from '../src/errors.ts';
import { markLeft } from '../src/left.ts';
import { PackWriter } from '../src/pack.ts';
import { parsePath, ROOT } from '../src/path.ts';
import { everywhere, type Right, type Role, ROLES } from '../src/rights.ts';
import { createMemoryVault } from '../src/store/memory.ts';
import type { Vault } from '../src/store/vault.ts';

const containing = (part: string): unknown => expect.stringContaining(part);
const without = (part: string): unknown => expect.not.stringContaining(part);

await ready();
const OLD = parsePath('folder/old.txt');
const NEW = parsePath('folder/new.txt');
const FOLDER = parsePath('folder');
const WANT: DriveWant = { size: 3, mtime: 1_000_000, mode: 0o644, level: 'visible', condition: 'any' };
const text = (bytes: string): Uint8Array => new TextEncoder().encode(bytes);

async function write(vault: Vault, path: typeof OLD, bytes: string): Promise<void> {
  await using upload = await vault.receive(path, { ...WANT, size: bytes.length, owner: 'test', reuseOld: false });
  await upload.write([text(bytes)], 0);
  await upload.commit(bytes.length);
}

async function contents(vault: Vault, path: typeof OLD): Promise<string> {
  await using source = await vault.read(path);
  const into = new Uint8Array(source.entry.size);
  await source.read(into, 0);
  return new TextDecoder().decode(into);
}

/** A vault with one folder and one file in it, and a drive on it. */
async function given(rights: readonly Right[]): Promise<{ vault: Vault; drive: Drive; actions: Action[]; revoke: () => void }> {
  const vault = createMemoryVault();
  await vault.makeFolder(FOLDER);
  await write(vault, OLD, 'old');
  const actions: Action[] = [];
  let active = true;
  const drive = new Drive({ vault, principal: { name: 'laptop', grants: everywhere(rights), active: () => active }, onAction: (action) => actions.push(action) });
  return { vault, drive, actions, revoke: () => { active = false; } };
}

async function put(drive: Drive, path: typeof OLD, bytes = 'new', want: Partial<DriveWant> = {}): Promise<void> {
  await using upload = await drive.receive(path, { ...WANT, ...want });
  await upload.write([text(bytes)], 0);
  await upload.commit(bytes.length);
}

function packOf(name: string): Uint8Array {
  const writer = new PackWriter();
  const data = text('new');
  writer.folder(FOLDER, 0o755);
  writer.space(name, data.byteLength).set(data);
  writer.file(name, 0o644, 1_000_000, digestOf(data), data.byteLength);
  return writer.finish();
}

async function drain(pages: AsyncIterable<unknown>): Promise<void> {
  for await (const page of pages) void page;
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => 'ok', (error: unknown) => (error instanceof Failure ? error.code : `not a Failure: ${String(error)}`));

function nothingToUndo(error: unknown): void {
  if (!(error instanceof Failure) || error.code !== 'NOTFOUND') throw error;
}

/** Every verb of a drive, tried in a way that works when it is allowed. */
const VERBS: Readonly<Record<string, (drive: Drive) => Promise<unknown>>> = {
  'stat': (drive) => drive.stat(OLD),
  'list': (drive) => drain(drive.list(FOLDER)),
  'list deep': (drive) => drain(drive.list(ROOT, { deep: true })),
  'usage': (drive) => drive.usage(ROOT),
  'probe': (drive) => drive.probe(1, 1),
  'measure up': (drive) => drive.measure('measureUp', async () => ({ bytes: 1 })),
  'measure down': (drive) => drive.measure('measureDown', async () => ({ bytes: 1 })),
  'space': (drive) => drive.space(),
  'read': async (drive) => { await using source = await drive.read(OLD); await source.read(new Uint8Array(3), 0); },
  'pack': (drive) => drain(drive.pack(FOLDER)),
  'add a file': (drive) => put(drive, NEW),
  'replace a file': (drive) => put(drive, OLD),
  'add files in a batch': async (drive) => {
    const { problems } = await drive.receiveBatch(ROOT, packOf('new.txt'), WANT);
    if (problems[0] !== undefined) throw new Failure(problems[0].code, problems[0].message);
  },
  'replace files in a batch': async (drive) => {
    const { problems } = await drive.receiveBatch(ROOT, packOf('old.txt'), WANT);
    if (problems[0] !== undefined) throw new Failure(problems[0].code, problems[0].message);
  },
  'finish folders': (drive) => drive.finishFolders(ROOT, [{ path: FOLDER, mode: 0o700, mtime: 5_000_000 }], 'visible'),
  'make a folder': (drive) => drive.makeFolder(parsePath('folder/sub')),
  'make a folder that is there': (drive) => drive.makeFolder(FOLDER, { parents: true }),
  'rename': (drive) => drive.move(OLD, NEW),
  'rename over another': async (drive) => drive.move(OLD, parsePath('folder/other'), { replace: true }),
  'set a mode': (drive) => drive.setAttributes(OLD, { mode: 0o600 }),
  'replace a file of a digest': (drive) => put(drive, OLD, 'new', { match: digestOf(text('old')) }),
  'rename a file of a digest': (drive) => drive.move(OLD, NEW, { match: digestOf(text('old')) }),
  'remove a file of a digest': (drive) => drive.remove(OLD, { match: digestOf(text('old')) }),
  'rehearse undo': (drive) => drain(drive.rehearseUndo({ redo: false, force: false })).catch(nothingToUndo),
  'undo': (drive) => drain(drive.undo({ redo: false, force: false }, '0'.repeat(16))).catch(nothingToUndo),
  'remove': (drive) => drive.remove(OLD),
  'remove deep': (drive) => drive.remove(FOLDER, { deep: true }),
};

/** What each role is answered for each verb. */
const MATRIX: Readonly<Record<string, Readonly<Record<Role, string>>>> = {
  'stat': { ro: 'ok', rw: 'ok', owner: 'ok', drop: 'DENIED' },
  'list': { ro: 'ok', rw: 'ok', owner: 'ok', drop: 'DENIED' },
  'list deep': { ro: 'ok', rw: 'ok', owner: 'ok', drop: 'DENIED' },
  'usage': { ro: 'ok', rw: 'ok', owner: 'ok', drop: 'DENIED' },
  'probe': { ro: 'DENIED', rw: 'ok', owner: 'ok', drop: 'ok' },
  'measure up': { ro: 'DENIED', rw: 'ok', owner: 'ok', drop: 'ok' },
  'measure down': { ro: 'ok', rw: 'ok', owner: 'ok', drop: 'DENIED' },
  'space': { ro: 'ok', rw: 'ok', owner: 'ok', drop: 'DENIED' },
  'read': { ro: 'ok', rw: 'ok', owner: 'ok', drop: 'DENIED' },
  'pack': { ro: 'ok', rw: 'ok', owner: 'ok', drop: 'DENIED' },
  'add a file': { ro: 'DENIED', rw: 'ok', owner: 'ok', drop: 'ok' },
  'replace a file': { ro: 'DENIED', rw: 'ok', owner: 'ok', drop: 'EXISTS' },
  'add files in a batch': { ro: 'DENIED', rw: 'ok', owner: 'ok', drop: 'ok' },
  'replace files in a batch': { ro: 'DENIED', rw: 'ok', owner: 'ok', drop: 'EXISTS' },
  'finish folders': { ro: 'DENIED', rw: 'ok', owner: 'ok', drop: 'ok' },
  'make a folder': { ro: 'DENIED', rw: 'ok', owner: 'ok', drop: 'ok' },
  'make a folder that is there': { ro: 'DENIED', rw: 'ok', owner: 'ok', drop: 'ok' },
  'rename': { ro: 'DENIED', rw: 'ok', owner: 'ok', drop: 'DENIED' },
  'rename over another': { ro: 'DENIED', rw: 'ok', owner: 'ok', drop: 'DENIED' },
  'set a mode': { ro: 'DENIED', rw: 'ok', owner: 'ok', drop: 'DENIED' },
  'replace a file of a digest': { ro: 'DENIED', rw: 'ok', owner: 'ok', drop: 'DENIED' },
  'rename a file of a digest': { ro: 'DENIED', rw: 'ok', owner: 'ok', drop: 'DENIED' },
  'remove a file of a digest': { ro: 'DENIED', rw: 'ok', owner: 'ok', drop: 'DENIED' },
  'rehearse undo': { ro: 'DENIED', rw: 'ok', owner: 'ok', drop: 'DENIED' },
  'undo': { ro: 'DENIED', rw: 'ok', owner: 'ok', drop: 'DENIED' },
  'remove': { ro: 'DENIED', rw: 'ok', owner: 'ok', drop: 'DENIED' },
  'remove deep': { ro: 'DENIED', rw: 'ok', owner: 'ok', drop: 'DENIED' },
};

describe('the roles', () => {
  const cells = Object.entries(MATRIX).flatMap(([verb, row]) => Object.entries(row).map(([role, outcome]) => [role as Role, verb, outcome] as const));

  test('are tried with every verb there is', () => {
    expect(Object.keys(MATRIX)).toEqual(Object.keys(VERBS));
    // `holds` and `received` are about files of one's own, and have tests of their own.
    const methods = Object.getOwnPropertyNames(Drive.prototype).filter((name) => !['constructor', 'rights', 'holds', 'received'].includes(name));
    expect(methods.toSorted()).toEqual(['finishFolders', 'list', 'makeFolder', 'measure', 'move', 'pack', 'probe', 'read', 'receive', 'receiveBatch', 'rehearseUndo', 'remove', 'setAttributes', 'space', 'stat', 'undo', 'usage']);
  });

  test.each(cells)('%s: %s is answered with %s, and what is not allowed changes nothing', async (role, verb, outcome) => {
    const { vault, drive, actions } = await given(ROLES[role]);
    expect(await codeOf(VERBS[verb]!(drive))).toBe(outcome);
    if (outcome === 'ok') return;
    expect(await contents(vault, OLD)).toBe('old');
    expect(await vault.usage(ROOT)).toMatchObject({ files: 1, bytes: 3 });
    expect(actions).toHaveLength(1);
  });

  test.each(Object.keys(VERBS))('an account without rights gets nothing from: %s', async (verb) => {
    const { drive } = await given([]);
    expect(await codeOf(VERBS[verb]!(drive))).toBe('DENIED');
  });

  test.each(Object.keys(VERBS))('a device that was revoked gets nothing from: %s', async (verb) => {
    const { drive, revoke } = await given(ROLES.rw);
    revoke();
    expect(await codeOf(VERBS[verb]!(drive))).toBe('AUTH');
  });
});

describe('a refusal', () => {
  test('says in plain words what may not be done, and whose rule it is', async () => {
    const { drive } = await given(ROLES.ro);
    await expect(drive.remove(OLD)).rejects.toMatchObject({ code: 'DENIED', who: 'rule', message: 'this account may not delete here', path: OLD, hint: containing('a ticket made with --rw (wherry invite)') });
  });

  test('to replace a file says that the rights do not allow it, also for each file of a batch', async () => {
    const { drive } = await given(ROLES.drop);
    await expect(put(drive, OLD)).rejects.toMatchObject({ code: 'EXISTS', who: 'rule', message: containing('do not allow to replace') });
    const { problems } = await drive.receiveBatch(ROOT, packOf('old.txt'), WANT);
    expect(problems).toMatchObject([{ code: 'EXISTS', message: containing('do not allow to replace') }]);
    const named = await drive.receiveBatch(ROOT, packOf('old.txt'), { level: 'visible', condition: 'absent', replaceable: markLeft(['old.txt']) });
    expect(named.problems).toMatchObject([{ code: 'EXISTS' }]);
  });

  test('of a name that is taken, where a new one was asked for, is the usual one', async () => {
    const { drive } = await given(ROLES.rw);
    await expect(put(drive, OLD, 'new', { condition: 'absent' })).rejects.toMatchObject({ code: 'EXISTS', message: without('rights') });
  });
});

describe('an account that may write and not read', () => {
  test('is refused to ask for a digest, so that no answer tells it one', async () => {
    const { drive } = await given(['create', 'overwrite', 'delete', 'rename']);
    const match = digestOf(text('guess'));
    for (const deed of [put(drive, OLD, 'new', { match }), drive.move(OLD, NEW, { match }), drive.remove(OLD, { match })]) {
      await expect(deed).rejects.toMatchObject({ code: 'DENIED', message: without('blake3') });
    }
  });
});

describe('an account that may only add', () => {
  test('cannot learn by way of reuse what an old file held', async () => {
    const { drive } = await given(['create', 'overwrite']);
    await using upload = await drive.receive(OLD, WANT);
    expect(upload.basis.kind).toBe('none');
  });

  test('continues its own part, and nobody else\'s', async () => {
    const { vault, drive } = await given(ROLES.drop);
    {
      await using upload = await drive.receive(NEW, { ...WANT, size: 6 });
      await upload.write([text('new')], 0);
    }
    const stranger = new Drive({ vault, principal: { name: 'stranger', grants: everywhere(ROLES.drop) } });
    {
      await using other = await stranger.receive(NEW, { ...WANT, size: 6 });
      expect(other.basis.kind).toBe('none');
    }
    await using again = await drive.receive(NEW, { ...WANT, size: 6 });
    expect(again.basis).toMatchObject({ kind: 'part', size: 3 });
  });

  test('has its own part beside that of a device of the account that may read, and beside that of another that may not', async () => {
    const { vault, drive } = await given(ROLES.rw);
    await using running = await drive.receive(NEW, { ...WANT, size: 6 });
    await running.write([text('new')], 0);
    const as = (by: string, rights: readonly Right[]): Drive => new Drive({ vault, principal: { name: 'laptop', grants: everywhere(rights) }, by });
    for (const by of ['one', 'two']) {
      await using upload = await as(by, ['create']).receive(NEW, { ...WANT, size: 6 });
      expect(upload.basis.kind).toBe('none');
      await upload.write([text(by)], 0);
    }
    await using again = await as('one', ['create']).receive(NEW, { ...WANT, size: 6 });
    expect(again.basis).toMatchObject({ kind: 'part', size: 3 });
    await running.write([text('new')], 3);
    await running.commit(6);
    expect(await contents(vault, NEW)).toBe('newnew');
  });

  test('is told that a file is there with the bytes it offers only by what it put itself, not by another device of the account', async () => {
    const [vault, recent] = [createMemoryVault(), new Recent()];
    const as = (by: string, rights: readonly Right[]): Drive => new Drive({ vault, principal: { name: 'laptop', grants: everywhere(rights) }, by, recent });
    const bytes = text('secret');
    for (const [by, rights] of [['one', ['create']], ['reader', ['create', 'read']]] as const) {
      const [drive, path] = [as(by, rights), parsePath(`by ${by}`)];
      await using upload = await drive.receive(path, { ...WANT, size: bytes.byteLength });
      await upload.write([bytes], 0);
      await upload.commit(bytes.byteLength);
      drive.received(path, digestOf(bytes), 'visible');
    }
    const holds = (by: string, rights: readonly Right[], path: string): Promise<boolean> => as(by, rights).holds(parsePath(path), digestOf(bytes), 'visible');
    expect(await Promise.all([holds('one', ['create'], 'by one'), holds('two', ['create'], 'by one')])).toEqual([true, false]);
    expect(await Promise.all([holds('another', ['create', 'read'], 'by reader'), holds('two', ['create'], 'by reader')])).toEqual([true, false]);
  });

  test('cannot change the mode of a folder that was there before', async () => {
    const { vault, drive } = await given(ROLES.drop);
    const before = await vault.stat(FOLDER);
    expect(await drive.finishFolders(ROOT, [{ path: FOLDER, mode: 0, mtime: 0 }], 'visible')).toEqual([]);
    expect(await vault.stat(FOLDER)).toEqual(before);
  });
});

test.each([['changed', 'SHUTDOWN', true], ['expired', 'AUTH', false], ['revoked', 'AUTH', false]] as const)('access that was %s ends what runs with %s', async (why, code, retry) => {
  let active = true;
  const drive = new Drive({ vault: createMemoryVault(), principal: { name: 'ann', grants: everywhere(ROLES.rw), active: () => active, ended: () => why } });
  await using upload = await drive.receive(parsePath('new'), WANT);
  active = false;
  await expect(upload.write([text('new')], 0)).rejects.toMatchObject({ code, retry, message: containing(why), who: 'rule' });
});

describe('a device that is revoked in the middle', () => {
  test('of an upload cannot write on or commit', async () => {
    const { vault, drive, revoke } = await given(ROLES.rw);
    await using upload = await drive.receive(NEW, WANT);
    await upload.write([text('new')], 0);
    revoke();
    expect(await codeOf(upload.write([text('x')], 3))).toBe('AUTH');
    expect(await codeOf(upload.commit(3))).toBe('AUTH');
    expect(await vault.stat(NEW)).toBeUndefined();
  });

  test('of a download gets no more, and no listing begins', async () => {
    const { drive, revoke } = await given(ROLES.rw);
    await using source = await drive.read(OLD);
    const listing = drive.list(ROOT, { deep: true });
    revoke();
    expect(await codeOf(source.read(new Uint8Array(3), 0))).toBe('AUTH');
    expect(await codeOf(drain(listing))).toBe('AUTH');
  });
});

describe('the log hears of each action once, when it is over', () => {
  const ms: unknown = expect.any(Number);

  test('with the bytes that came in', async () => {
    const { drive, actions } = await given(ROLES.rw);
    await put(drive, NEW);
    expect(actions).toEqual([{ verb: 'receive', path: NEW, outcome: 'ok', bytes: 3, ms }]);
  });

  test('with the bytes that went out', async () => {
    const { drive, actions } = await given(ROLES.rw);
    {
      await using source = await drive.read(OLD);
      await source.read(new Uint8Array(2), 0);
      await source.read(new Uint8Array(2), 2);
      expect(actions).toEqual([]);
    }
    expect(actions).toEqual([{ verb: 'read', path: OLD, outcome: 'ok', bytes: 3, ms }]);
  });

  test('when an upload was left, thrown away, or refused its name', async () => {
    const { drive, actions } = await given(ROLES.drop);
    { await using upload = await drive.receive(NEW, WANT); await upload.write([text('ne')], 0); }
    { await using upload = await drive.receive(NEW, WANT); await upload.discard(); }
    await codeOf(put(drive, OLD));
    expect(actions.map(({ outcome }) => outcome)).toEqual(['CANCELLED', 'CANCELLED', 'EXISTS']);
    expect(actions[0]).toMatchObject({ bytes: 2 });
  });

  test('when a listing was left before its end', async () => {
    const { drive, actions } = await given(ROLES.rw);
    for await (const page of drive.list(ROOT, { deep: true })) { void page; break; }
    expect(actions).toEqual([{ verb: 'list', path: ROOT, outcome: 'CANCELLED', ms }]);
  });

  test('with both names of a rename, and with why it failed', async () => {
    const { drive, actions } = await given(ROLES.rw);
    await drive.move(OLD, NEW);
    await codeOf(drive.move(OLD, NEW));
    expect(actions).toEqual([{ verb: 'move', path: OLD, to: NEW, outcome: 'ok', ms }, { verb: 'move', path: OLD, to: NEW, outcome: 'NOTFOUND', ms }]);
  });
});
