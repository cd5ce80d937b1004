/**
 * Platter: what is certain to be on a disk after a cut of its power, computed from the calls of one program. It knows
 * one rule: only what a flush covered that was begun afterwards, and that returned without an error, is certain.
 *
 *     bytes of a file      by fdatasync or fsync of the file
 *     a name in a folder   by fsync of the folder
 *
 * All else may be on the disk or not, in any order: no real file system forgets as much. So a name can lead to bytes
 * that are not there in two ways only, and `broken` has them: it was given before the bytes were certain, or bytes
 * were written under it. Feed it the calls up to a moment, and it answers for a cut at that moment.
 */
import { dirname, join, relative } from 'node:path';
import { RESERVED } from '../../src/path.ts';
import { descriptorOf, textsOf, type Call } from './strace.ts';

/** A file or folder, whatever it is called. */
class Body {
  readonly kind: 'file' | 'folder';
  /** Line of the return of the last write; -1 when it was there before. */
  written: number;
  /** The last flush that returned 0. */
  flush: { readonly entered: number; readonly returned: number } | undefined;

  constructor(kind: 'file' | 'folder', written: number) {
    this.kind = kind;
    this.written = written;
  }

  /** Whether its bytes were certain before `line`. */
  certain(line = Number.POSITIVE_INFINITY): boolean {
    return this.kind === 'folder' || this.written === -1 || (this.flush !== undefined && this.written < this.flush.entered && this.flush.returned < line);
  }
}

/** One name: what it leads to, and the line of each change that no flush of its folder has covered yet. */
interface Name { now: Body | undefined; pending: number[] }

export class Platter {
  readonly broken: string[] = [];
  readonly #top: string;
  /** Names in the order of their paths from the root of the file system. */
  readonly #names = new Map<string, Name>();
  readonly #open = new Map<number, { readonly path: string; readonly body: Body | undefined; readonly line: number }>();

  /** `top`: the folder looked at, as it really is called. */
  constructor(top: string) {
    this.#top = top;
  }

  feed(call: Call): void {
    if (call.name === 'close') this.#close(call);
    else if (call.result < 0) return;
    else if (call.name.startsWith('open')) this.#opened(call);
    else if (call.name === 'fdatasync' || call.name === 'fsync') this.#flushed(call);
    else if (/write|truncate|fallocate|copy|sendfile|ioctl/.test(call.name)) this.#wrote(call);
    else this.#named(call);
  }

  /** Why the file `path` below the top is not certain; undefined when it is. */
  doubt(path: string): string | undefined {
    const file = join(this.#top, path);
    for (let at = file; at !== this.#top; at = dirname(at)) {
      const pending = this.#names.get(at)?.pending ?? [];
      if (pending.length > 0) return `${path}: ${this.#tell(at)} got its name in line ${pending.at(-1)! + 1}, and its folder was not flushed after that`;
    }
    const body = this.#names.get(file)?.now;
    if (body === undefined) return `${path}: was never given this name`;
    return body.certain() ? undefined : `${path}: not all of its bytes were flushed`;
  }

  #opened(call: Call): void {
    const path = call.opened;
    if (path === undefined || relative(this.#top, path).startsWith('..')) return void this.#open.delete(call.result);
    const created = call.args.includes('O_CREAT') && this.#names.get(path)?.now === undefined;
    if (created) this.#give(path, new Body('file', call.returned), call);
    else if (!this.#names.has(path)) this.#names.set(path, { now: new Body(call.args.includes('O_DIRECTORY') ? 'folder' : 'file', -1), pending: [] });
    this.#open.set(call.result, { path, body: this.#names.get(path)!.now, line: call.returned });
    if (call.args.includes('O_TRUNC')) this.#change(path, this.#names.get(path)!.now!, call);
  }

  /** Its number may belong to another file by the time it has returned. */
  #close(call: Call): void {
    const fd = descriptorOf(call)!;
    if ((this.#open.get(fd)?.line ?? 0) < call.entered) this.#open.delete(fd);
  }

  #wrote(call: Call): void {
    const file = this.#open.get(descriptorOf(call) ?? -1);
    if (file?.body !== undefined) this.#change(file.path, file.body, call);
  }

  #change(path: string, body: Body, call: Call): void {
    body.written = call.returned;
    for (const [name, { now }] of this.#names) {
      if (now === body && this.#visible(name)) this.broken.push(`${this.#tell(name)}: written to in line ${call.returned + 1}, when it had its name already (opened as ${this.#tell(path)})`);
    }
  }

  #flushed(call: Call): void {
    const file = this.#open.get(descriptorOf(call)!);
    if (file?.body === undefined) return;
    if (file.body.kind === 'file') file.body.flush = call;
    else if (call.name === 'fsync') {
      for (const [path, name] of this.#names) if (dirname(path) === file.path) name.pending = name.pending.filter((line) => line > call.entered);
    }
  }

  #named(call: Call): void {
    const [from, to] = textsOf(call).map((text) => this.#resolve(text));
    if (from === undefined) return;
    if (call.name.startsWith('mkdir')) return this.#give(from, new Body('folder', -1), call);
    const body = this.#names.get(from)?.now;
    if (to !== undefined) this.#give(to, body ?? new Body('file', -1), call);
    if (call.name.startsWith('link')) return;
    this.#give(from, undefined, call);
    if (to !== undefined && body?.kind === 'folder') this.#moved(from, to, call);
  }

  /** What is in a folder has other paths when the folder has another name. */
  #moved(from: string, to: string, call: Call): void {
    for (const [path, { now }] of [...this.#names]) {
      if (!path.startsWith(`${from}/`)) continue;
      this.#names.delete(path);
      if (now !== undefined) this.#give(`${to}${path.slice(from.length)}`, now, call);
    }
  }

  #give(path: string, body: Body | undefined, call: Call): void {
    const name = this.#names.get(path) ?? { now: undefined, pending: [] };
    name.now = body;
    name.pending.push(call.returned);
    this.#names.set(path, name);
    if (body?.certain(call.entered) === false && this.#visible(path)) this.broken.push(`${this.#tell(path)}: given its name in line ${call.entered + 1}, before all of its bytes were flushed`);
  }

  /** A path as the program gave it, through its descriptors, as one below the top; undefined when it is elsewhere. */
  #resolve(text: string): string | undefined {
    const [, fd, rest] = /^\/proc\/self\/fd\/(\d+)(\/.*)?$/.exec(text) ?? [];
    const folder = fd === undefined ? undefined : this.#open.get(Number(fd))?.path;
    if (fd !== undefined) return folder === undefined ? undefined : join(folder, rest ?? '');
    return relative(this.#top, text).startsWith('..') ? undefined : text;
  }

  #visible(path: string): boolean {
    return !this.#tell(path).split('/').includes(RESERVED);
  }

  #tell(path: string): string {
    return relative(this.#top, path);
  }
}
