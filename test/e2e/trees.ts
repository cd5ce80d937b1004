/** Folders made for tests, and folders written down so that two can be compared: kind, mode, time and content of every name. */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, openSync, readdirSync, readSync, closeSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface SnapshotOptions {
  /** Whether modes and times count; default yes. */
  readonly attributes?: boolean;
  /** Whether symbolic links are passed over, as `put` and `get` do; default no. */
  readonly withoutLinks?: boolean;
}

/** Files up to here are read in one piece. */
const SMALL = 1 << 20;

/** SHA-256 of a file, by the platform's own implementation, in hexadecimal. */
export function sha256(file: string): string {
  const hash = createHash('sha256');
  if (lstatSync(file).size <= SMALL) return hash.update(readFileSync(file)).digest('hex');
  const buffer = Buffer.alloc(1 << 20);
  const fd = openSync(file, 'r');
  try {
    for (let size = 0; (size = readSync(fd, buffer)) > 0;) hash.update(buffer.subarray(0, size));
  } finally {
    closeSync(fd);
  }
  return hash.digest('hex');
}

/** Every name below `top` with what is there; times in microseconds, read with the tolerance that Node's doubles need. */
export function snapshot(top: string, { attributes = true, withoutLinks = false }: SnapshotOptions = {}): Record<string, string> {
  const found = Object.create(null) as Record<string, string>; // a file may be called __proto__
  const look = (path: string): void => {
    const full = join(top, path);
    const stats = lstatSync(full);
    if (withoutLinks && stats.isSymbolicLink()) return;
    const kind = stats.isDirectory() ? 'folder' : stats.isFile() ? `file ${stats.size} ${sha256(full)}` : 'other';
    found[path] = attributes ? `${kind} ${(stats.mode & 0o7777).toString(8)} ${Math.floor(stats.mtimeMs * 1000 + 0.25)}` : kind;
    if (stats.isDirectory()) for (const name of readdirSync(full)) look(path === '' ? name : `${path}/${name}`);
  };
  look('');
  return found;
}

/** Writes files, with the folders they are in. */
export function plant(top: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(top, name)), { recursive: true });
    writeFileSync(join(top, name), content);
  }
}

/**
 * `size` bytes that look random and are the same for the same seed; every 8 bytes differ from all others, so that a
 * block that arrives at the wrong place is never mistaken for the right one.
 */
export function noise(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(Math.ceil(size / 8) * 8);
  let state = (seed * 0x9e3779b1) >>> 0;
  for (let at = 0; at < bytes.length; at += 8) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; // Numerical Recipes, "ranqd1"
    bytes.writeUInt32LE(state, at);
    bytes.writeUInt32LE(scattered(at / 8), at + 4);
  }
  return bytes.subarray(0, size);
}

/** The finalizer of MurmurHash3: a number of its own for each, and nothing that could be compressed. */
function scattered(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** A large file, written in pieces so that memory stays small. */
export function plantLarge(file: string, size: number, seed = 1): void {
  const fd = openSync(file, 'w');
  try {
    for (let at = 0, piece = 0; at < size; piece += 1) at += writeSync(fd, noise(Math.min(16 << 20, size - at), seed + piece));
  } finally {
    closeSync(fd);
  }
}

/** Flips one bit of a file; size and times are for the caller to restore. */
export function flip(file: string, at: number): void {
  const fd = openSync(file, 'r+');
  try {
    const byte = Buffer.alloc(1);
    readSync(fd, byte, 0, 1, at);
    byte[0]! ^= 1;
    writeSync(fd, byte, 0, 1, at);
  } finally {
    closeSync(fd);
  }
}

/** Whether two files have the same bytes. */
export function sameBytes(a: string, b: string): boolean {
  const size = lstatSync(a).size;
  if (size !== lstatSync(b).size) return false;
  return size < 1 << 24 ? readFileSync(a).equals(readFileSync(b)) : sha256(a) === sha256(b);
}
