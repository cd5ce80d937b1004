import { describe, expect, test } from 'vitest';
import { field, FieldReader, FieldWriter, list, optional, readFields, record, text, uint, writeFields, type Fields } from '../../src/wire/fields.ts';

const fields = { name: field(1, text(10)), more: optional(4, list(record({ size: field(1, uint) }), 2)) };

function written(table: Fields, value: object): Buffer {
  const writer = new FieldWriter();
  writeFields(writer, table, value as never);
  return writer.finish();
}

describe('fields', () => {
  test('are written as key, length and value, in the order of their numbers', () => {
    expect(written(fields, { name: 'ab', more: [{ size: 300 }] }).toString('hex')).toBe('030261620904'.concat('0302ac02'));
  });

  test('that are undefined are not written', () => {
    expect(written(fields, { name: '', more: undefined }).toString('hex')).toBe('0300');
  });

  test('of a newer peer are passed over by an older one, wherever they stand', () => {
    const newer = { ...fields, size: field(2, uint), label: field(9, text(99)) };
    const ordered = { name: newer.name, size: newer.size, more: newer.more, label: newer.label };
    const bytes = written(ordered, { name: 'a', size: 7, more: [], label: 'new' });
    expect(readFields(new FieldReader(bytes), fields)).toEqual({ name: 'a', more: [] });
  });

  test('of an older peer are missing for a newer one where they are optional, refused where not', () => {
    const bytes = written(fields, { name: 'a' });
    expect(readFields(new FieldReader(bytes), { ...fields, size: optional(5, uint) })).toEqual({ name: 'a' });
    expect(() => readFields(new FieldReader(bytes), { ...fields, size: field(5, uint) })).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
  });

  test('grow beyond the first buffer of a writer, behind the headroom', () => {
    const writer = new FieldWriter(12, 4);
    for (let round = 0; round < 100; round += 1) writer.text('twelve bytes');
    const bytes = writer.finish();
    expect(bytes.byteLength).toBe(12 + 100 * 13);
    const reader = new FieldReader(bytes.subarray(12));
    for (let round = 0; round < 100; round += 1) expect(reader.text(12)).toBe('twelve bytes');
    expect(reader.done).toBe(true);
  });
});
