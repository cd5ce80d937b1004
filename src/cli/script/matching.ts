/**
 * Matching: the names that a pattern of several components stands for, in a tree that is asked folder by folder.
 *
 * `*`, `?` and `[…]` match within a name, and names that begin with a dot only where the pattern does. `**` alone in a component
 * stands for any folders, none included; at the end of a pattern, for all files below. Links to folders are not entered. What is
 * found is bounded, and so is what is looked at: a pattern is typed in a moment, and a tree can have a hundred million names.
 */
import { Failure } from '../../errors.ts';
import { matchesGlob } from './glob.ts';

export interface Name {
  readonly name: string;
  readonly isFolder: boolean;
  /** Of a file, where the tree says it without being asked again. */
  readonly size?: number | undefined;
}

export interface Tree {
  /** What is in a folder: '' for where relative paths begin, else a path that ends in `/`. Nothing where there is no such folder. */
  names(folder: string): AsyncIterable<readonly Name[]>;
  has(path: string): Promise<boolean>;
}

export interface Match { readonly path: string; readonly size: number | undefined; readonly isFolder: boolean }

/** More names than one command is meant for; folders have no such limit. */
export const MAX_MATCHES = 100_000;
/** Letters in them: names that long in folders that deep are nobody's. */
const MAX_LETTERS = 32 << 20;
/** Names looked at for one pattern. */
const MAX_LOOKED_AT = 2_000_000;
/** Folders that wait to be looked at, at most some 30 MB of names. */
const MAX_FOLDERS = 100_000;

const MAGIC = /(?<!\\)(?:\\\\)*[*?[]/;

/** Whether a pattern, its braces written out, still stands for names that have to be looked up. */
export function isMagic(pattern: string): boolean {
  return MAGIC.test(pattern);
}

/** The name that a pattern without magic stands for. */
export function literal(pattern: string): string {
  return pattern.replace(/\\(.)/gs, '$1');
}

/** All that `pattern` stands for, sorted by name. Throws LIMIT. */
export async function matches(tree: Tree, pattern: string): Promise<Match[]> {
  const found = new Search(tree);
  // `**` twice in a row stands for the same folders as once.
  const [first = '', ...rest] = pattern.split('/').filter((component, index, all) => component !== '**' || all[index - 1] !== '**');
  await (first === '' && rest.length > 0 ? found.below('/', rest) : found.below('', [first, ...rest]));
  return found.all.sort((a, b) => (a.path < b.path ? -1 : 1));
}

class Search {
  readonly all: Match[] = [];
  readonly #tree: Tree;
  #looked = 0;
  #waiting = 0;
  #letters = 0;

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  /** Finds what the components stand for below `prefix`, which is '' or ends in `/`. */
  async below(prefix: string, [component = '', ...rest]: readonly string[]): Promise<void> {
    if (component === '**') return this.#anyDepth(prefix, rest);
    if (!isMagic(component)) {
      const path = prefix + literal(component);
      if (rest.length > 0) return this.below(`${path}/`, rest);
      if (await this.#tree.has(path)) this.#add({ path, size: undefined, isFolder: path.endsWith('/') });
      return;
    }
    const dotted = /^\\?\./.test(component);
    const folders: string[] = [];
    for await (const { name, isFolder, size } of this.#names(prefix)) {
      if ((name.startsWith('.') && !dotted) || !matchesGlob(component, name)) continue;
      if (rest.length === 0) this.#add({ path: prefix + name, size, isFolder });
      else if (isFolder) this.#wait(folders, name);
    }
    for (const name of folders) await this.#inside(`${prefix}${name}/`, rest);
    this.#waiting -= folders.length;
  }

  /** In a folder that is known to be there: a slash at the end of the pattern asks for no more. */
  async #inside(prefix: string, rest: readonly string[]): Promise<void> {
    if (rest.length === 1 && rest[0] === '') this.#add({ path: prefix, size: undefined, isFolder: true });
    else await this.below(prefix, rest);
  }

  async #anyDepth(prefix: string, rest: readonly string[]): Promise<void> {
    if (rest.length > 0) await this.below(prefix, rest);
    const folders: string[] = [];
    for await (const { name, isFolder, size } of this.#names(prefix)) {
      if (name.startsWith('.')) continue;
      if (isFolder) this.#wait(folders, name);
      else if (rest.length === 0) this.#add({ path: prefix + name, size, isFolder });
    }
    for (const name of folders) await this.#anyDepth(`${prefix}${name}/`, rest);
    this.#waiting -= folders.length;
  }

  async *#names(folder: string): AsyncGenerator<Name> {
    for await (const page of this.#tree.names(folder)) {
      this.#looked += page.length;
      if (this.#looked > MAX_LOOKED_AT) throw new Failure('LIMIT', `more than ${MAX_LOOKED_AT} names would have to be looked at`, { hint: 'name a folder in the pattern' });
      yield* page;
    }
  }

  #wait(folders: string[], name: string): void {
    if ((this.#waiting += 1) > MAX_FOLDERS) throw new Failure('LIMIT', `more than ${MAX_FOLDERS} folders would have to be looked at`, { hint: 'name a folder in the pattern' });
    folders.push(name);
  }

  #add(match: Match): void {
    this.#letters += match.path.length;
    if (this.all.push(match) > MAX_MATCHES || this.#letters > MAX_LETTERS) throw new Failure('LIMIT', `more than ${MAX_MATCHES} names match`, { hint: 'name the folder instead; folders are sent whole' });
  }
}
