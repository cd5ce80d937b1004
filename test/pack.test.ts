import { array, assert, constant, integer, maxSafeInteger, nat, oneof, property, record, string, uint8Array, type Arbitrary } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../src/digest.ts';
import { Failure } from '../src/errors.ts';
import { MAX_PACKED_FILE, MAX_PACK_BYTES, MAX_PACK_RECORDS, PackWriter, readPack, type PackRecord } from '../src/pack.ts';
import { checkName, parsePath, type RemotePath } from '../src/path.ts';

function accepted(check: (text: string) => unknown, text: string): boolean {
  try {
    check(text);
    return true;
  } catch {
    return false;
  }
}

const name = string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter((text) => accepted(checkName, text));
const path = array(name, { maxLength: 5 }).map((names) => names.join('/')).filter((text) => accepted(parsePath, text)) as Arbitrary<RemotePath>;
const mode = integer({ min: 0, max: 0o777 });
const folder = record({ kind: constant('folder' as const), path, mode });
const file = record({ kind: constant('file' as const), name, mode, mtime: maxSafeInteger(), data: uint8Array({ maxLength: 500 }) });

type Written = { kind: 'folder'; path: RemotePath; mode: number } | { kind: 'file'; name: string; mode: number; mtime: number; data: Uint8Array };

function write(records: readonly Written[]): Uint8Array {
  const writer = new PackWriter();
  for (const record of records) {
    if (record.kind === 'folder') writer.folder(record.path, record.mode);
    else {
      writer.space(record.name, record.data.length).set(record.data);
      writer.file(record.name, record.mode, record.mtime, digestOf(record.data), record.data.length);
    }
  }
  return writer.finish();
}

function plain(record: PackRecord): unknown {
  return record.kind === 'folder' ? record : { kind: 'file', name: record.name, mode: record.mode, mtime: record.mtime, data: Uint8Array.from(record.data) };
}

function codeOf(bytes: Uint8Array): string {
  try {
    for (const record of readPack(bytes)) expect(['folder', 'file']).toContain(record.kind);
    return 'read';
  } catch (error) {
    return error instanceof Failure ? error.code : `not a Failure: ${String(error)}`;
  }
}

describe('a pack', () => {
  test('is read as it was written', () => {
    assert(property(folder, array(oneof(folder, file), { maxLength: 30 }), (first, rest) => {
      const records = [first, ...rest];
      const read = [...readPack(write(records))];
      expect(read.map(plain)).toEqual(records);
      for (const record of read) if (record.kind === 'file') expect(Buffer.from(record.digest).equals(digestOf(record.data))).toBe(true);
    }));
  });

  test('of any bytes gives records or a failure, never anything else', () => {
    assert(property(uint8Array({ maxLength: 300 }), (bytes) => {
      expect(['read', 'PROTOCOL', 'BADNAME']).toContain(codeOf(bytes));
    }), { numRuns: 1000 });
  });

  test('with any byte changed gives records or a failure', () => {
    assert(property(folder, array(file, { minLength: 1, maxLength: 5 }), nat(), integer({ min: 1, max: 255 }), (first, rest, where, by) => {
      const bytes = write([first, ...rest]);
      bytes[where % bytes.length]! ^= by;
      expect(['read', 'PROTOCOL', 'BADNAME']).toContain(codeOf(bytes));
    }), { numRuns: 500 });
  });

  test('cut anywhere but between records is refused', () => {
    const bytes = write([{ kind: 'folder', path: parsePath('a'), mode: 0 }, { kind: 'file', name: 'f', mode: 0, mtime: 0, data: Buffer.from('data') }]);
    const whole = [0, 21, bytes.length];
    for (let length = 0; length <= bytes.length; length += 1) expect([length, codeOf(bytes.subarray(0, length))]).toEqual([length, whole.includes(length) ? 'read' : 'PROTOCOL']);
  });

  test('starts with a folder, keeps to the kinds and the permission bits, and names what may be named', () => {
    const good = write([{ kind: 'folder', path: parsePath('ab'), mode: 0o777 }]);
    const changed = (at: number, value: number): string => codeOf(Uint8Array.from(good).fill(value, at, at + 1));
    expect(codeOf(good)).toBe('read');
    expect([changed(0, 2), changed(0, 3), changed(1, 1), changed(4, 0x0f), changed(6, 1), changed(19, 1)]).toEqual(Array(6).fill('PROTOCOL'));
    expect([changed(20, 0), changed(20, 0xff), changed(20, 0x2f)]).toEqual(Array(3).fill('BADNAME'));
    expect(codeOf(write([{ kind: 'file', name: 'f', mode: 0, mtime: 0, data: new Uint8Array(0) }]))).toBe('PROTOCOL');
  });

  test('has room for the largest small file, and says when there is none', () => {
    const writer = new PackWriter();
    writer.folder(parsePath(''), 0o755);
    const files = Math.floor(MAX_PACK_BYTES / (MAX_PACKED_FILE + 64));
    for (let i = 0; i < files; i += 1) {
      expect(writer.room('f', MAX_PACKED_FILE)).toBe(true);
      writer.file('f', 0, 0, new Uint8Array(32), MAX_PACKED_FILE);
    }
    expect(writer.room('f', MAX_PACKED_FILE)).toBe(false);
    expect([...readPack(writer.finish())]).toHaveLength(files + 1);
    expect(writer.length).toBeLessThanOrEqual(MAX_PACK_BYTES);
  });

  test('holds a bounded number of records', () => {
    const writer = new PackWriter();
    while (writer.room('', 0)) writer.folder(parsePath(''), 0);
    expect(writer.records).toBe(MAX_PACK_RECORDS);
    const one = writer.finish().subarray(0, 20);
    expect(codeOf(writer.finish())).toBe('read');
    expect(codeOf(Buffer.concat([writer.finish(), one]))).toBe('PROTOCOL');
  });
});
