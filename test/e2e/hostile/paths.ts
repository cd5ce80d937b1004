/** Scripts against the local disk by names: B1 (outside of the target) and B5 (modes). */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { digestOf } from '../../../src/digest.ts';
import { PackWriter } from '../../../src/pack.ts';
import type { RemotePath } from '../../../src/path.ts';
import { evilPack, type Script } from '../hostile.ts';
import { entry, file, folder, listing, packed, pretending, sendFile, telling, treeOf, wrongFile } from './answers.ts';
import type { Attack, Stand } from './stand.ts';

const GET = ['get', 'evil:x', 'target/x'];
const REFUSED = /^get: x: the server told a name that is refused: [^\n]+\n$/;
const nothing = (stand: Stand): void => { expect(stand.arrived.filter((path) => path !== 'x')).toEqual([]); };

/** Names that lead elsewhere, or to what is not the server's. */
const NAMES: readonly (readonly [string, string])[] = [
  ['a name that leads up', '../victim'], ['the folder above', '..'], ['an absolute path', '/etc/victim'], ['a way out in the middle', 'a/../../victim'],
  ['the folder itself', '.'], ['an empty part', 'a//b'], ['a NUL', 'x\0y'], ['the stage', '.wherry/x'], ['the stage in capitals', '.WHERRY'],
  ['the stage with a dot behind', '.wherry. '], ['the stage in full width', '.ｗherry'], ['the stage with what is not seen', '.wh\u200cerry'],
  ['the stage by its short name', 'WHERRY~1'], ['a stream of the stage', '.wherry::$DATA'], ['an escape', 'x\u001b[2J'], ['a C1 control', 'x\u009b2J'],
  ['turned text', 'x\u202etxt.exe'], ['a line separator', 'x\u2028y'], ['a name of 256 bytes', 'n'.repeat(256)],
];

const names = ([what, name]: readonly [string, string]): Attack[] => [
  { row: 'B1', name: `a folder in a pack is called by ${what}`, words: GET, script: packed({ folder: name }, { file: 'victim', data: 'evil' }), exit: 3, says: REFUSED, after: nothing },
  { row: 'B1', name: `a file in a pack is called by ${what}`, words: GET, script: packed({ folder: '' }, { file: name, data: 'evil' }), exit: 3, says: REFUSED, after: nothing },
];

/** A record that `PackWriter` cannot write: `name` is bytes, `kind` any. */
function record(kind: number, name: Uint8Array, data = Buffer.from('evil')): Buffer {
  const head = Buffer.alloc(20);
  head[0] = kind;
  head.writeUInt16BE(name.byteLength, 2);
  head.writeUInt16BE(0o644, 4);
  head.writeUInt32BE(data.byteLength, 16);
  return Buffer.concat([head, name, digestOf(data), data]);
}

function top(...records: readonly Uint8Array[]): Uint8Array {
  const writer = new PackWriter();
  writer.folder('' as RemotePath, 0o755);
  return Buffer.concat([Uint8Array.from(writer.finish()), ...records]);
}

/** Whether anything but the folder itself was asked for. */
function unasked(message: Parameters<typeof telling>[0]): Script {
  const script = telling(message);
  return (exchange, request, connection) => {
    expect(['stat', 'getTree']).toContain(request.kind);
    return script(exchange, request, connection);
  };
}

const large = (name: string): Script => unasked({ kind: 'large', files: [entry(name, { size: 1 << 20, mode: 0o6777 })] });
const folders = (path: string, mode = 0o777): Script => telling({ kind: 'folders', folders: [{ path, mode, mtime: 1 }] });

export const PATHS: readonly Attack[] = [
  ...NAMES.flatMap(names),
  ...['../victim', '/etc/victim', '.wherry/part', 'x\u001b[2J'].map((name): Attack => ({
    row: 'B1', name: `a large file of a folder is called ${JSON.stringify(name)}: it is not even asked for`, words: GET, script: large(name), exit: 3, says: REFUSED, after: nothing,
  })),
  ...['..', '../../outside', '/etc'].map((path): Attack => ({ row: 'B1', name: `a folder is complete, and it is ${path}`, words: GET, script: folders(path), exit: 3, says: REFUSED })),
  { row: 'B1', name: 'a folder is deeper than any disk is asked for', words: GET, script: packed({ folder: 'd/'.repeat(64) + 'd' }), exit: 3, says: REFUSED },
  { row: 'B1', name: 'a name in a pack is not text', words: GET, script: treeOf(top(record(2, Buffer.from([0x61, 0xff])))), exit: 3, says: REFUSED, after: nothing },
  { row: 'B1', name: 'a record is of a kind that there is not, as a link would be', words: GET, script: treeOf(top(record(3, Buffer.from('link'), Buffer.from('../../outside')))), exit: 3, says: /unknown kind 3/, after: nothing },
  {
    row: 'B1', name: 'backslashes and a drive are letters of one name here', words: GET, script: packed({ folder: '' }, { file: '..\\..\\victim', data: 'evil' }, { file: 'C:\\victim', data: 'evil' }), exit: 0, says: /2 files/,
    after: (stand) => { expect(stand.arrived).toEqual(['x', 'x/..\\..\\victim', 'x/C:\\victim']); },
  },
  {
    row: 'B1', name: 'what was asked for is answered by another name', words: GET, script: pretending({ kind: 'entry', entry: entry('../victim', { size: 4 }) }, (exchange) => sendFile(exchange, 'evil')), exit: 3, says: /^get: x: the server told of another name than it was asked for/, after: nothing,
  },
  { row: 'B1', name: 'stat is answered by another name', words: ['stat', 'evil:x'], script: pretending({ kind: 'entry', entry: entry('y') }, () => {}), exit: 3, says: /^stat: x: the server told of another name than it was asked for/ },
  { row: 'B1', name: 'a pattern finds a name that leads up', words: ['get', 'evil:*', 'target/'], script: listing('../victim'), exit: 3, says: /^get: [^\n]*the server told a name that is refused/, after: nothing },
  { row: 'B1', name: 'a pattern finds a name that lies deeper than was asked', words: ['get', 'evil:*', 'target/'], script: listing('a/victim'), exit: 3, says: /^get: [^\n]*the server told a name that is refused/, after: nothing },
  { row: 'B1', name: 'ls is told a name that lies deeper than was asked', words: ['ls', 'evil:'], script: listing('a/b'), exit: 3, says: /^ls: [^\n]*the server told a name that is refused/ },
  { row: 'B1', name: 'ls -R is told a folder that leads up', words: ['ls', '-R', 'evil:'], script: listing(entry('..', { kind: 'folder' })), exit: 3, says: /^ls: [^\n]*the server told a name that is refused|^\/:\nls: [^\n]*refused/m },
  { row: 'B1', name: 'find is told a path that leads up', words: ['find', 'evil:'], script: listing('a/../../b'), exit: 3, says: /^find: [^\n]*the server told a name that is refused/ },
  { row: 'B5', name: 'a file in a pack is set-user-id', words: GET, script: packed({ folder: '', mode: 0o755 }, { file: 'tool', data: '#!/bin/sh', mode: 0o6777 }), exit: 3, says: /a mode with more than permission bits/, after: nothing },
  { row: 'B5', name: 'a folder in a pack is sticky, and set-group-id', words: GET, script: packed({ folder: '', mode: 0o7777 }), exit: 3, says: /a mode with more than permission bits/ },
  { row: 'B5', name: 'a folder is complete, with every bit', words: GET, script: telling({ kind: 'folders', folders: [{ path: 'in', mode: 0o7777, mtime: 1 }] }, { folder: 'in' }), exit: 0, says: /0 files/, after: (stand) => { expect(statSync(join(stand.target, 'x/in')).mode & 0o7777).toBe(0o777 & ~process.umask()); } },
  ...([[0o6777, 0o777], [2 ** 53 - 1, 0o777], [2 ** 32 + 0o4600, 0o600]] as const).map(([mode, kept]): Attack => ({
    row: 'B5', name: `a file is offered with the mode ${mode.toString(8)}`, words: GET, script: wrongFile({ mode }, file(4, { mode })), exit: 0, says: /verified/,
    after: (stand) => { expect(statSync(join(stand.target, 'x')).mode & 0o7777).toBe(kept & ~process.umask()); },
  })),
  {
    row: 'B1', name: 'a file that is not what was sent leaves the one that is here', words: ['get', 'evil:x', 'target'], script: treeOf(evilPack([{ folder: '' }, { file: 'f', data: 'evil', digest: new Uint8Array(32) }], digestOf)), exit: 9, says: /what arrived is not what was sent/,
    before: (stand) => { mkdirSync(join(stand.target, 'x')); writeFileSync(join(stand.target, 'x/f'), 'old'); },
    after: (stand) => { expect(readFileSync(join(stand.target, 'x/f'), 'utf8')).toBe('old'); },
  },
  { row: 'B1', name: 'a folder turns out to be a link', words: GET, script: pretending({ kind: 'entry', entry: { ...folder.entry!, kind: 'link' } }, () => {}), exit: 7, says: /neither a file nor a folder/, after: nothing },
];
