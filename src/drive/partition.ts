/**
 * Partition: a pack that spans folders with different rights, as one pack for each set of rights. Pure.
 *
 * Only taken where a tree has rules of its own inside; the bytes are copied then. A file whose folder takes no files from this
 * account is a problem of that file, and the others go on.
 */
import { may } from '../access/rules.ts';
import { PackWriter, type PackedFile, readPack } from '../pack.ts';
import { type RemotePath, ROOT } from '../path.ts';
import type { Right } from '../rights.ts';
import type { Problem } from '../store/vault.ts';

export interface Partition {
  readonly parts: readonly { readonly rights: readonly Right[]; readonly pack: Uint8Array }[];
  /** Folders that the account may not make: no matter where they are there. */
  readonly unmade: readonly RemotePath[];
  readonly problems: readonly Problem[];
}

/** `rightsIn` is asked for each folder of the pack, by its path below the top. Throws what `readPack` throws. */
export function partition(pack: Uint8Array, rightsIn: (folder: RemotePath) => readonly Right[]): Partition {
  const parts = new Map<string, Part>();
  const unmade: RemotePath[] = [];
  const problems: Problem[] = [];
  let into: Part | undefined;
  let folder = ROOT;
  for (const record of readPack(pack)) {
    if (record.kind === 'file') {
      if (into !== undefined) into.file(record);
      else problems.push({ path: (folder === '' ? record.name : `${folder}/${record.name}`) as RemotePath, code: 'DENIED', message: 'this account may not add files there' });
      continue;
    }
    folder = record.path;
    const rights = rightsIn(folder);
    into = may(rights, 'receiveBatch') ? partOf(parts, rights) : undefined;
    if (into === undefined) unmade.push(folder);
    else into.writer.folder(folder, record.mode);
  }
  return { parts: [...parts.values()].map(({ rights, writer }) => ({ rights, pack: writer.finish() })), unmade, problems };
}

/** What is in one part fits its pack: it was in one with more. */
class Part {
  readonly rights: readonly Right[];
  readonly writer = new PackWriter();

  constructor(rights: readonly Right[]) {
    this.rights = rights;
  }

  file({ name, mode, mtime, digest, data }: PackedFile): void {
    this.writer.space(name, data.byteLength).set(data);
    this.writer.file(name, mode, mtime, digest, data.byteLength);
  }
}

function partOf(parts: Map<string, Part>, rights: readonly Right[]): Part {
  const key = rights.join();
  const known = parts.get(key) ?? new Part(rights);
  parts.set(key, known);
  return known;
}
