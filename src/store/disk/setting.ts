/**
 * Setting: the mode and the time of one file or folder, set on what the name leads to now and never on what a link leads to.
 *
 * On Linux the name is pinned by a descriptor that opens nothing (O_PATH), looked at, and changed through it, so that a
 * file that may not even be read can be given another mode. Elsewhere the file is opened for reading, without following links.
 */
import { chmodSync, constants, fstatSync, utimesSync } from 'node:fs';
import { MODE_MASK } from '../../entry.ts';
import { Failure, fromErrno } from '../../errors.ts';
import { baseName, type RemotePath } from '../../path.ts';
import type { Attributes } from '../vault.ts';
import { closeQuietly, kindOf, secondsOf } from './attributes.ts';
import { O_PATH, type Root } from './walk.ts';

const linux = process.platform === 'linux';

export function setAttributesOf(root: Root, path: RemotePath, { mode, mtime }: Attributes): void {
  if (path === '') throw new Failure('DENIED', 'the served folder itself is not changed', { path, hint: 'its owner can, on the server' });
  using parent = root.enterParent(path);
  const name = baseName(path);
  try {
    // Looked at before: elsewhere than on Linux, opening a device can do something by itself.
    const before = parent.look(name);
    if (before === undefined) throw new Failure('NOTFOUND', 'no such file or folder', { path });
    refuseOthers(kindOf(before), path);
    const fd = parent.open(name, linux ? O_PATH : constants.O_RDONLY);
    try {
      const stats = fstatSync(fd);
      refuseOthers(kindOf(stats), path);
      const pinned = parent.reopenable(fd, name);
      if (mtime !== undefined) utimesSync(pinned, secondsOf(mtime), secondsOf(mtime));
      if (mode !== undefined) chmodSync(pinned, mode & MODE_MASK);
    } finally {
      closeQuietly(fd);
    }
  } catch (error) {
    throw fromErrno(error, path);
  }
}

function refuseOthers(kind: ReturnType<typeof kindOf>, path: RemotePath): void {
  if (kind === 'link') throw new Failure('UNSUPPORTED', 'a symbolic link, which is never followed', { path, hint: 'name the file itself' });
  if (kind === 'other') throw new Failure('UNSUPPORTED', 'neither a file nor a folder', { path });
}
