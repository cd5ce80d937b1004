/**
 * Folders: the last touches to those of a tree that has arrived. A folder gets its mode and time when everything in it is there.
 * Synchronous; for `durable` the generator hands out descriptors to be flushed, which stay its own.
 */
import { fromErrno } from '../../errors.ts';
import { components, type RemotePath } from '../../path.ts';
import type { FolderAttributes, Level, Problem } from '../vault.ts';
import type { Ground } from './admit.ts';
import { closeQuietly, setAttributes } from './attributes.ts';
import { refuseUnflushed, type Flush, type Flushed } from './flush.ts';
import { folderFailure, type Folder, type Root } from './walk.ts';

/** Sets mode and mtime of folders in the order given, through an open folder. For `durable` flushes each. */
export function* finishFolders(ground: Ground, top: RemotePath, folders: readonly FolderAttributes[], level: Level): Generator<Flush, readonly Problem[], Flushed> {
  const problems: Problem[] = [];
  for (const folder of folders) {
    let fd: number | undefined;
    try {
      fd = openFolder(ground.root, top, folder.path);
      setAttributes(fd, folder.mode & ~ground.umask, folder.mtime);
      if (level === 'durable') refuseUnflushed((yield { fds: [fd], whole: true })[0]);
    } catch (error) {
      const { code, message } = fromErrno(error);
      problems.push({ path: folder.path, code, message });
    } finally {
      if (fd !== undefined) closeQuietly(fd);
    }
  }
  return problems;
}

function openFolder(root: Root, top: RemotePath, path: RemotePath): number {
  let folder: Folder;
  try {
    folder = root.enter([...components(top), ...components(path)].join('/') as RemotePath);
  } catch (error) {
    throw folderFailure(error, path);
  }
  using held = folder;
  return held.openSelf();
}
