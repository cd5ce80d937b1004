/**
 * Links: where a symbolic link leads, worked out name by name on open folders, for a walk that is asked to follow.
 *
 * Only what stays inside the tree being sent is ever an answer: a relative target that climbs above the top, an
 * absolute one, a dangling one, and a chain of more than MAX_HOPS are none. The answer is a path without any link in
 * it, and whoever opens it walks it anew, refusing links: a name that is changed meanwhile leads nowhere else.
 */
import { readlinkSync } from 'node:fs';
import { below, checkName, components, type RemotePath } from '../../path.ts';
import { kindOf } from './attributes.ts';
import type { Root } from './walk.ts';

/** Links in one chain, as Linux allows half of: beyond that it is a loop, or somebody's joke. */
const MAX_HOPS = 16;

export interface Led { readonly path: RemotePath; readonly kind: 'file' | 'folder' }

/** What the link `name` in the folder `path` leads to; paths are below `top`. Undefined: nothing inside the tree. */
export function follow(root: Root, top: RemotePath, path: RemotePath, name: string): Led | undefined {
  const at = components(path);
  const rest = [name];
  let kind: Led['kind'] = 'folder';
  let hops = 0;
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (at.pop() === undefined) return undefined;
      continue;
    }
    if (kind === 'file') return undefined; // something below a file
    using folder = root.enter(below(top, at.join('/') as RemotePath));
    const found = folder.look(checkName(part));
    if (found === undefined) return undefined;
    if (found.isSymbolicLink()) {
      const target = readlinkSync(folder.at(part));
      hops += 1;
      if (hops > MAX_HOPS || target.startsWith('/')) return undefined;
      rest.unshift(...target.split('/'));
      continue;
    }
    const what = kindOf(found);
    if (what !== 'file' && what !== 'folder') return undefined;
    kind = what;
    at.push(part);
  }
  return { path: at.join('/') as RemotePath, kind };
}
