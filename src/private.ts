/**
 * Private files: the small files of a server or a device that only their owner may read, such as keys and books.
 *
 * They are made with mode 0600 in folders made with 0700, and one that others can read is refused, not used: its
 * secret must count as known. A write replaces the file in one step and is on the disk before it resolves, so a
 * crash leaves the old file or the new one. Nothing here knows what is in a file, except that a key is one.
 * User data never passes through here. On Windows, modes say nothing and the profile folder protects the files.
 */
import { createPrivateKey, type KeyObject, randomBytes } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { link, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure, fromErrno } from './errors.ts';
import { createKey } from './identity.ts';
import { printable } from './printable.ts';

/** A book with every device and invite it may hold is below 4 MiB; anything larger is not one of our files. */
const MAX_FILE_BYTES = 16 << 20;

/** Makes the folder, and those above it, when it is missing; refuses one in which others could exchange files. */
export async function privateFolder(path: string): Promise<void> {
  try {
    await makeFolders(path);
    const { mode } = await stat(path);
    if (process.platform === 'win32' || (mode & 0o022) === 0) return;
  } catch (error) {
    throw explain(error, path, 'make the folder');
  }
  throw new Failure('IO', `the folder ${printable(path)} can be changed by other users of this machine`, { path, who: 'here', hint: `type: chmod 700 '${printable(path)}'` });
}

/** Node's own recursive mkdir never ends where a folder exists and takes no new ones with ENOENT, as /proc does. */
async function makeFolders(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path || existsSync(parent)) throw error;
    await makeFolders(parent);
    await mkdir(path, { mode: 0o700 }).catch((again: NodeJS.ErrnoException) => { if (again.code !== 'EEXIST') throw again; });
  }
}

/** The text of the file, or undefined when there is none. Throws when others may read it. */
export async function readPrivate(path: string): Promise<string | undefined> {
  let file;
  try {
    // A FIFO under this name must not make us wait for somebody to write to it.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw explain(error, path, 'read');
  }
  try {
    const about = await file.stat();
    if (!about.isFile() || about.size > MAX_FILE_BYTES) throw new Failure('IO', `${printable(path)} is not a file of Wherry`, { path, who: 'here' });
    if (process.platform !== 'win32' && (about.mode & 0o077) !== 0) {
      throw new Failure('IO', `${printable(path)} can be read by other users of this machine`, { path, who: 'here', hint: `type: chmod 600 '${printable(path)}'` });
    }
    return await file.readFile('utf8');
  } catch (error) {
    throw explain(error, path, 'read');
  } finally {
    await file.close();
  }
}

/** Replaces the file in one step; it is on the disk when this resolves. */
export async function writePrivate(path: string, text: string): Promise<void> {
  const draft = await writeDraft(path, text);
  try {
    await rename(draft, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw explain(error, path, 'write');
  }
}

/** The private key in the file; made on first need. Two processes that make it at once get the same one. */
export async function loadKey(path: string): Promise<KeyObject> {
  const text = (await readPrivate(path)) ?? (await firstKey(path));
  try {
    const key = createPrivateKey(text);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // Not a key at all: the same answer as for a key of another kind.
  }
  throw new Failure('IO', `${printable(path)} does not hold an Ed25519 key`, { path, who: 'here', hint: 'restore the file, or move it away to get a new identity' });
}

async function firstKey(path: string): Promise<string> {
  await privateFolder(dirname(path));
  const text = createKey().export({ type: 'pkcs8', format: 'pem' }) as string;
  const draft = await writeDraft(path, text);
  try {
    // Unlike rename, link fails when somebody else was first.
    await link(draft, path);
    await syncFolder(dirname(path));
    return text;
  } catch (error) {
    const first = await readPrivate(path);
    if (first === undefined) throw explain(error, path, 'write');
    return first;
  } finally {
    await rm(draft, { force: true }).catch(() => undefined);
  }
}

/** A file beside `path` that nobody else can open, with the text safely on the disk. */
async function writeDraft(path: string, text: string): Promise<string> {
  const draft = join(dirname(path), `.${randomBytes(8).toString('hex')}.new`);
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    return draft;
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw explain(error, path, 'write');
  }
}

/** A new name survives a power cut only when its folder is flushed too. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return; // folders cannot be opened there
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function explain(error: unknown, path: string, deed: string): Failure {
  if (error instanceof Failure) return error;
  const why = fromErrno(error, path, 'here');
  return new Failure(why.code === 'INTERNAL' ? 'IO' : why.code, `cannot ${deed} ${printable(path)}: ${why.message}`, { path, who: 'here', cause: error });
}
