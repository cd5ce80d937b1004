/** The audit as it grows and as it is verified: real files, crashes by what they leave, and disks that take nothing. */
import { appendFile, mkdtemp, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { filesOf } from '../../../src/server/audit/folder.ts';
import { type AuditRecord, parseRecord } from '../../../src/server/audit/record.ts';
import { recordsOf, type Verified, verifyAudit } from '../../../src/server/audit/verify.ts';
import { Writer, type WriterOptions } from '../../../src/server/audit/writer.ts';

const TIME = '2030-01-02T03:04:05.678Z';
let top: string;
let folder: string;
let told: string[];

beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'wherry-audit-'));
  folder = join(top, 'audit');
  told = [];
});

afterEach(() => rm(top, { recursive: true }));

async function opened(options: Partial<WriterOptions> = {}): Promise<Writer> {
  const writer = new Writer({ folder, onTrouble: (message) => told.push(message), ...options });
  await writer.open();
  return writer;
}

/** A run of a server that records each of these. */
async function write(names: readonly string[], options?: Partial<WriterOptions>): Promise<void> {
  await using writer = await opened(options);
  for (const event of names) writer.add({ time: TIME, event });
}

/** A crash comes before what is cut off was on the disk, and so before it was noted. */
const notNoted = (): Promise<void> => rm(`${folder}.last`);

const verified = async (): Promise<Verified> => verifyAudit(await filesOf(folder));

async function records(): Promise<AuditRecord[]> {
  const all: AuditRecord[] = [];
  for await (const { record } of recordsOf(await filesOf(folder))) all.push(record);
  return all;
}

const events = async (): Promise<string[]> => (await records()).map(({ event }) => event);
const lastFile = async (): Promise<string> => (await filesOf(folder)).at(-1)!;
const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `e${index + 1}`);

/** What the disk holds, as soon as it satisfies `enough`; the test's own limit ends the wait. */
async function until(enough: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await enough())) await new Promise((resolve) => { setImmediate(resolve); });
}

describe('an audit', () => {
  test('is one record a line, numbered, each with the digest of the one before, for its owner only', async () => {
    await write(['one', 'two']);
    const [file] = await filesOf(folder);
    const lines = (await readFile(file!, 'utf8')).split('\n');
    expect(lines[0]).toBe(`{"seq":1,"prev":"${'0'.repeat(64)}","time":"${TIME}","event":"one"}`);
    expect(parseRecord(lines[1]!)).toMatchObject({ seq: 2, event: 'two' });
    expect(lines[2]).toBe('');
    expect((await stat(file!)).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(await verified()).toMatchObject({ records: 2, first: { seq: 1 }, last: { seq: 2, time: TIME }, torn: 0, lost: 0, unfinished: 0, broken: undefined });
  });

  test('goes on in the same chain with the next server', async () => {
    await write(['one']);
    await write(['two']);
    await write([]);
    await write(['three']);
    expect((await records()).map(({ seq, event }) => [seq, event])).toEqual([[1, 'one'], [2, 'two'], [3, 'three']]);
    expect(await verified()).toMatchObject({ records: 3, broken: undefined });
  });

  test('keeps many that come at once in their order', async () => {
    await write(names(5000));
    expect(await events()).toEqual(names(5000));
    expect(await verified()).toMatchObject({ records: 5000, broken: undefined });
  });

  test('is on the disk without being closed, soon', async () => {
    await using writer = await opened({ pauseMs: 1 });
    writer.add({ time: TIME, event: 'one' });
    await until(async () => (await events()).length === 1);
    expect(writer).toMatchObject({ works: true, written: 1, lost: 0 });
  });

  test('is followed by another file when it is full, keeps so many of them, and verifies from the oldest that is kept', async () => {
    await write(names(3000), { maxBytes: 20_000, maxFiles: 4 });
    const files = await filesOf(folder);
    expect(files).toHaveLength(4);
    const kept = await records();
    expect(files.map((file) => Number(/(\d+)\.jsonl$/.exec(file)![1]))).toContain(kept[0]!.seq);
    expect(kept.at(-1)).toMatchObject({ seq: 3000 });
    expect(await verified()).toMatchObject({ records: kept.length, first: { seq: kept[0]!.seq }, last: { seq: 3000 }, broken: undefined });
    await write(['after'], { maxBytes: 20_000, maxFiles: 4 });
    expect(await verified()).toMatchObject({ last: { seq: 3001 }, broken: undefined });
  });
});

describe('what was done to an audit is found, with file and line:', () => {
  const LINES = 10;
  beforeEach(() => write(names(LINES)));

  async function edit(change: (lines: string[]) => string[]): Promise<void> {
    const file = await lastFile();
    await writeFile(file, change((await readFile(file, 'utf8')).split('\n')).join('\n'));
  }

  test.each<[string, (lines: string[]) => string[], number]>([
    ['a changed value', (lines) => lines.with(4, lines[4]!.replace('"e5"', '"e6"')), 6],
    ['a line that was removed', (lines) => lines.toSpliced(4, 1), 5],
    ['a line that was added', (lines) => lines.toSpliced(4, 0, lines[3]!), 5],
    ['two lines that were swapped', (lines) => lines.with(4, lines[5]!).with(5, lines[4]!), 5],
    ['a line that is no record any more', (lines) => lines.with(4, 'x'), 5],
    ['an empty line', (lines) => lines.toSpliced(4, 0, ''), 5],
    ['a space behind a line', (lines) => lines.with(4, `${lines[4]!} `), 6],
    ['a last line that is no record', (lines) => lines.with(LINES - 1, '{}'), LINES],
  ])('%s', async (_what, change, line) => {
    await edit(change);
    expect((await verified()).broken).toMatchObject({ file: await lastFile(), line });
  });

  test('a file that is missing in the middle', async () => {
    await rm(folder, { recursive: true });
    await notNoted();
    await write(names(1500), { maxBytes: 20_000 });
    const files = await filesOf(folder);
    await rm(files[1]!);
    expect((await verified()).broken).toMatchObject({ file: files[2], line: 1 });
  });

  test('the first lines that were cut off, since the name of the file tells where it began', async () => {
    await edit((lines) => lines.toSpliced(0, 4));
    expect((await verified()).broken).toMatchObject({ file: await lastFile(), line: 1, why: 'it is record 5, and 1 was to come' });
    // As a copy that is called otherwise it says nothing about that.
    const copy = join(top, 'copy');
    await rename(await lastFile(), copy);
    expect(await verifyAudit([copy])).toMatchObject({ first: { seq: 5 }, broken: undefined });
  });

  test('an oldest file whose lines were all cut off, or that has the name of another; of one that is gone the number alone is left', async () => {
    await rm(folder, { recursive: true });
    await notNoted();
    await write(names(1500), { maxBytes: 20_000 });
    const [first, second] = await filesOf(folder) as [string, string];
    const whole = await readFile(first);
    await writeFile(first, '');
    expect((await verified()).broken).toMatchObject({ file: second, line: 1, why: expect.stringMatching(/^by its name the file begins with record \d+, and 1 was to come$/) as string });
    await writeFile(first, whole);
    await rename(second, join(folder, '000000000002.jsonl'));
    expect((await verified()).broken).toMatchObject({ line: 1, why: expect.stringContaining('begins with record 2, and') as string });
    await rename(join(folder, '000000000002.jsonl'), second);
    await rm(first);
    expect(await verified()).toMatchObject({ first: { seq: Number(/(\d+)\.jsonl$/.exec(second)![1]) }, broken: undefined });
  });

  test('lines that are missing at the end show in the last digest only', async () => {
    const before = await verified();
    await edit((lines) => lines.toSpliced(LINES - 1, 1));
    const after = await verified();
    expect(after).toMatchObject({ records: LINES - 1, broken: undefined });
    expect(after.digest).not.toBe(before.digest);
  });

  test('a changed line is found also when a server has gone on after it', async () => {
    await edit((lines) => lines.with(4, lines[4]!.replace('"e5"', '"e6"')));
    await write(['later']);
    expect((await verified()).broken).toMatchObject({ line: 6 });
  });

  test('what is made to look torn hides nothing', async () => {
    await appendFile(await lastFile(), '{"seq":11,');
    await write(['later']);
    await edit((lines) => lines.with(LINES, '{"seq":12,'));
    expect((await verified()).broken).toMatchObject({ line: LINES + 1 });
  });
});

describe('after a crash', () => {
  test.each([
    ['a part of a record', '{"seq":3,"prev":"00'],
    ['a part of a character', Buffer.from([0x7b, 0xe2, 0x82])],
    ['zeros, as some file systems leave them', Buffer.alloc(5000)],
    ['lines that are no records', 'x\n\ny\n'],
    ['more than any line', Buffer.alloc(3 << 20, 'x')],
  ])('%s at the end stays there, a record says what it is, and everything verifies', async (_what, left) => {
    await write(['one', 'two']);
    const file = await lastFile();
    await appendFile(file, left);
    await write(['three']);
    expect((await readFile(file)).includes(Buffer.from(left))).toBe(true);
    const [, , torn, three] = await records();
    expect(torn).toMatchObject({ seq: 3, event: 'audit-torn', bytes: Buffer.byteLength(left) });
    expect(three).toMatchObject({ seq: 4, event: 'three' });
    expect(await verified()).toMatchObject({ records: 4, torn: 1, unfinished: 0, broken: undefined });
  });

  test('is told as unfinished before a server goes on', async () => {
    await write(['one', 'two']);
    await appendFile(await lastFile(), '{"seq":3,');
    expect(await verified()).toMatchObject({ records: 2, unfinished: 9, broken: undefined });
  });

  test('wherever the last line is cut, the rest verifies and the next record fits', async () => {
    await write(['one', 'two']);
    const file = await lastFile();
    const whole = await readFile(file);
    const first = whole.indexOf(0x0a) + 1;
    for (let length = first; length < whole.byteLength; length += 7) {
      await writeFile(file, whole.subarray(0, length));
      await notNoted();
      await write(['three']);
      expect(await verified(), `cut at ${length}`).toMatchObject({ broken: undefined, unfinished: 0 });
      expect((await events()).filter((event) => event === 'three')).toHaveLength(1);
    }
  });

  test('a last line that lacks its line break alone is whole', async () => {
    await write(['one', 'two']);
    const file = await lastFile();
    await truncate(file, (await stat(file)).size - 1);
    await write(['three']);
    expect(await events()).toEqual(['one', 'two', 'three']);
    expect(await verified()).toMatchObject({ torn: 0, broken: undefined });
  });

  test('a new file that is empty, or holds nothing but a torn line, goes on where the one before ended', async () => {
    await write(names(300), { maxBytes: 20_000 });
    const next = join(folder, `${String((await verified()).last!.seq + 1).padStart(12, '0')}.jsonl`);
    await writeFile(next, '', { mode: 0o600 });
    await write(['later']);
    expect(await verified()).toMatchObject({ records: 301, broken: undefined });
    await writeFile(next, '{"se');
    await notNoted();
    await write(['later still']);
    expect(await verified()).toMatchObject({ records: 302, torn: 1, broken: undefined });
  });
});

describe('when the disk takes nothing', () => {
  /** The folder is exchanged for a file: nothing can be opened in it, and the file that is open is full. */
  async function away(writer: Writer): Promise<() => Promise<void>> {
    writer.add({ time: TIME, event: 'zero' });
    await until(() => writer.written === 1);
    await rename(folder, `${folder}.away`);
    await writeFile(folder, '');
    return async () => {
      await rm(folder);
      await rename(`${folder}.away`, folder);
    };
  }

  test('it is told once, what comes waits, and all of it is written when it works again', async () => {
    await using writer = await opened({ pauseMs: 1, maxBytes: 1 });
    const back = await away(writer);
    for (const event of ['one', 'two', 'three']) writer.add({ time: TIME, event });
    await until(() => !writer.works);
    for (const event of ['four', 'five']) writer.add({ time: TIME, event });
    await back();
    await until(() => writer.works && writer.written === 6);
    expect(await events()).toEqual(['zero', 'one', 'two', 'three', 'four', 'five']);
    expect(told).toEqual([expect.stringContaining('cannot be written'), expect.stringContaining('written again; 0 of its records were lost')]);
    expect(await verified()).toMatchObject({ records: 6, lost: 0, broken: undefined });
  });

  test('what goes beyond the bound is counted, the count is a record, and memory is not filled', async () => {
    await using writer = await opened({ pauseMs: 1, maxBytes: 1, maxWaiting: 1000 });
    const back = await away(writer);
    writer.add({ time: TIME, event: 'first' });
    await until(() => !writer.works);
    for (const event of names(100_000)) writer.add({ time: TIME, event });
    const { lost } = writer;
    expect(lost).toBeGreaterThan(99_900);
    await back();
    await until(() => writer.works && writer.written === 100_003 - lost);
    const [, first, ...rest] = await records();
    expect(first).toMatchObject({ event: 'audit-lost', records: lost });
    expect(rest).toHaveLength(100_001 - lost);
    expect(await verified()).toMatchObject({ lost, broken: undefined });
  });

  test('to the very end, the loss is told', async () => {
    const writer = await opened({ maxBytes: 1, pauseMs: 1 });
    const back = await away(writer);
    writer.add({ time: TIME, event: 'one' });
    await writer[Symbol.asyncDispose]();
    expect(told.at(-1)).toContain('1 records of the audit are lost');
    await back();
    expect(await readdir(folder)).toHaveLength(1);
  });
});

describe('an audit that is written', () => {
  async function running(events: readonly string[]): Promise<Writer> {
    const writer = await opened({ pauseMs: 1 });
    for (const event of events) writer.add({ time: TIME, event });
    await until(() => writer.written === events.length);
    return writer;
  }

  test.each<[string, (file: string) => Promise<void>]>([
    ['moved away', (file) => rename(file, join(top, 'elsewhere'))],
    ['removed', (file) => rm(file)],
    ['cut to nothing', (file) => truncate(file, 0)],
    ['replaced', async (file) => { await rm(file); await writeFile(file, '', { mode: 0o600 }); }],
    ['moved away with its folder', () => rename(folder, join(top, 'elsewhere'))],
  ])('and whose file is %s goes on in another one, in the same chain, and says what is missing', async (_how, act) => {
    await using writer = await running(['one', 'two']);
    await act(await lastFile());
    await until(() => writer.gone > 0);
    expect(writer).toMatchObject({ works: true, gone: 2, lost: 0 });
    expect(told).toEqual([expect.stringMatching(/records 1 to 2 of the audit are not in .*moved, removed or cut while the server wrote to it; it goes on in the file 000000000003\.jsonl/)]);
    writer.add({ time: TIME, event: 'three' });
    await writer[Symbol.asyncDispose]();
    expect((await records()).map(({ seq, event, first, last }) => [seq, event, first, last])).toEqual([[3, 'audit-missing', 1, 2], [4, 'three', undefined, undefined]]);
    await write(['four']);
    expect(told).toHaveLength(1);
    const { broken, missing, last } = await verified();
    expect(broken ?? { missing, last }).toMatchObject((await readdir(folder)).length === 1 ? { missing: [{ first: 1, last: 2 }], last: { seq: 5 } } : { missing: [{ first: 1, last: 2 }] });
  });

  test('is whole again with the file that was moved, and without it every other record is verified', async () => {
    await write(names(3000), { maxBytes: 20_000 });
    const writer = await opened({ pauseMs: 1 });
    const [file, moved] = [await lastFile(), join(top, 'moved')];
    await rename(file, moved);
    await until(() => writer.gone > 0);
    writer.add({ time: TIME, event: 'after' });
    await writer[Symbol.asyncDispose]();
    const gap = { first: Number(/(\d+)\.jsonl$/.exec(file)![1]), last: 3000 };
    expect(await verified()).toMatchObject({ broken: undefined, missing: [gap], records: 3002 - (3001 - gap.first), last: { seq: 3002 } });
    await rename(moved, file);
    expect(await verified()).toMatchObject({ broken: undefined, missing: [], records: 3002 });
    // A file that begins too late without saying so is a break as before.
    const files = await filesOf(folder);
    await rm(files[1]!);
    expect((await verified()).broken).toMatchObject({ file: files[2], line: 1 });
  });

  test('and whose folder has less at a start than was on the disk says so, and goes on behind that', async () => {
    await write(names(57));
    expect((await stat(`${folder}.last`)).mode & 0o777).toBe(0o600);
    await rm(await lastFile());
    const writer = await opened();
    expect(told).toEqual([expect.stringMatching(/^records 1 to 57 of the audit are not in .*, and were there before; it goes on in the file 000000000058\.jsonl/)]);
    expect(writer.gone).toBe(57);
    await writer[Symbol.asyncDispose]();
    expect(await verified()).toMatchObject({ missing: [{ first: 1, last: 57 }], first: { seq: 58 }, broken: undefined });
    await write(['next']);
    expect(told).toHaveLength(1);
  });

  test('and whose last record was changed at a start goes on behind what was written, so that it shows', async () => {
    await write(['one', 'two']);
    const file = await lastFile();
    await writeFile(file, (await readFile(file, 'utf8')).replace('"two"', '"tow"'));
    await write(['three']);
    expect(told).toEqual([expect.stringContaining('records 2 to 2 of the audit are not in')]);
    expect((await verified()).broken).toMatchObject({ file: await lastFile(), line: 1, why: expect.stringContaining('does not follow') as unknown });
  });

  test('may be further than was noted, as after a crash, and old files go in time: neither is a loss', async () => {
    await write(['one']);
    const noted = await readFile(`${folder}.last`);
    await write(['two']);
    await writeFile(`${folder}.last`, noted);
    await write(['three']);
    await write(names(3000), { maxBytes: 20_000, maxFiles: 4 });
    await write(['after'], { maxBytes: 20_000, maxFiles: 4 });
    expect(await verified()).toMatchObject({ last: { seq: 3004 }, missing: [], broken: undefined });
    await writeFile(`${folder}.last`, 'x', { mode: 0o600 });
    expect(told).toEqual([]);
    await write(['later']);
    expect(told).toEqual(['whether records of the audit are missing cannot be told: the file audit.last was changed']);
    expect(JSON.parse(await readFile(`${folder}.last`, 'utf8'))).toMatchObject({ seq: 3005 });
  });

  test('is noted no further than it is on the disk', async () => {
    await using writer = await opened({ pauseMs: 60_000 });
    for (const event of names(10)) writer.add({ time: TIME, event });
    await until(() => writer.written === 10);
    await expect(stat(`${folder}.last`)).rejects.toMatchObject({ code: 'ENOENT' });
    await writer[Symbol.asyncDispose]();
    expect(JSON.parse(await readFile(`${folder}.last`, 'utf8'))).toEqual({ seq: 10, digest: (await verified()).digest });
  });
});

test('a folder that others can change is not used', async () => {
  await write(['one']);
  const { chmod } = await import('node:fs/promises');
  await chmod(folder, 0o777);
  await expect(opened()).rejects.toMatchObject({ code: 'IO' });
});
