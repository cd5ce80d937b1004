import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Item } from '../../src/client/api.ts';
import { EXITS } from '../../src/cli/exits.ts';
import { failureEvent, failureLine, itemEvent, itemLine, progressEvent, Report, summaryEvent, type ReportOptions } from '../../src/cli/report.ts';
import { CODES, Failure, type Code } from '../../src/errors.ts';
import { parsePath } from '../../src/path.ts';

function item(over: Partial<Item> = {}): Item {
  return {
    source: 'big.iso', target: 'big.iso', kind: 'file', files: 1, bytes: 4.1 * 1024 ** 3, kept: 0, milliseconds: 38_000, level: 'durable',
    digest: `ab12cd34${'0'.repeat(56)}`, skipped: 0, left: 0, problems: [], failed: 0, failedWith: undefined, unfinished: 0, moved: 0, failure: undefined, ...over,
  };
}

const FOLDER: Partial<Item> = { kind: 'folder', files: 31_204, bytes: 412 * 1024 ** 2, milliseconds: 3_100, digest: undefined };

/** A report whose lines are kept. */
function kept(options: Partial<ReportOptions> = {}, verb = 'put') {
  const out: string[] = [];
  const errors: string[] = [];
  const output = { data: async (text: string | Uint8Array) => void out.push(String(text)), say: (line: string) => void errors.push(line) };
  return { report: new Report(output, { json: false, quiet: false, ...options }, verb), out, errors };
}

describe('what became of an item is one line', () => {
  test.each<[name: string, over: Partial<Item>, line: string]>([
    ['big.iso', {}, 'big.iso  4.1 GiB in 38 s, 110 MiB/s, verified (blake3 ab12cd34…)'],
    ['node_modules', FOLDER, 'node_modules/  31,204 files, 412 MiB in 3.1 s, 133 MiB/s, verified'],
    ['a/', { ...FOLDER, files: 1, skipped: 5, kept: 102 * 1024 ** 2 }, 'a/  1 file, 412 MiB in 3.1 s, 100 MiB/s, verified, 102 MiB kept from before, 5 skipped (links, devices and the like)'],
    ['a', { ...FOLDER, failed: 2 }, 'a/  31,204 files, 412 MiB in 3.1 s, 133 MiB/s, verified, 2 files failed'],
    ['a', { ...FOLDER, left: 1_200 }, 'a/  31,204 files, 412 MiB in 3.1 s, 133 MiB/s, verified, 1,200 left out (not older there)'],
    ['a.txt', { files: 0, bytes: 0, left: 1 }, 'a.txt  left out: the one there is not older'],
    ['same', { kept: 4.1 * 1024 ** 3 }, 'same  4.1 GiB in 38 s, verified (blake3 ab12cd34…), 4.1 GiB kept from before'],
    ['empty', { bytes: 0, milliseconds: 0 }, 'empty  0 B in 0 ms, verified (blake3 ab12cd34…)'],
    ['\u001b[2Jx', { bytes: 0, milliseconds: 1 }, '\\x1b[2Jx  0 B in 1 ms, verified (blake3 ab12cd34…)'],
  ])('%j', (name, over, line) => expect(itemLine(item(over), name)).toBe(line));

  test('and one object, which can be written as JSON without loss', () => {
    const event = itemEvent(item(), 'big.iso');
    expect(JSON.parse(JSON.stringify(event))).toEqual(event);
    expect(event).toMatchObject({ event: 'item', source: 'big.iso', files: 1, verified: true, level: 'durable' });
  });
});

test('how far a transfer is, is one object, with null for what is not known', () => {
  const progress = { name: 'big.iso', nameBytes: 1, nameSize: 4, bytes: 1, kept: 0, files: 0, totalBytes: 4, totalFiles: 1, limit: 'server', active: [{ name: 'big.iso', bytes: 1, size: 4 }], streams: 1, sources: 0, totalSources: 1 } as const;
  expect(progressEvent(progress, { rate: 2.4, left: 1.25 })).toEqual({ event: 'progress', ...progress, rate: 2, left: 2 });
  expect(progressEvent({ ...progress, nameSize: undefined, totalBytes: undefined, totalFiles: undefined, limit: undefined }, { rate: undefined, left: undefined }))
    .toEqual({ event: 'progress', ...progress, nameSize: null, totalBytes: null, totalFiles: null, rate: null, left: null, limit: null });
});

test('docs/json.md has a row for each field of what a transfer tells, and for no other', () => {
  const progress = { name: '', nameBytes: 0, nameSize: 0, bytes: 0, kept: 0, files: 0, totalBytes: 0, totalFiles: 0, limit: undefined, active: [], streams: 1, sources: 0, totalSources: 1 };
  const told = [progressEvent(progress, { rate: 0, left: 0 }), itemEvent(item(), ''), summaryEvent({ files: 0, bytes: 0, kept: 0, failed: 0, skipped: 0, left: 0, milliseconds: 0 }, 1, 0), failureEvent(new Failure('IO', ''))];
  const page = readFileSync('docs/json.md', 'utf8');
  for (const { event, ...fields } of told as Record<string, unknown>[]) {
    const part = page.split(/^## /m).find((one) => one.startsWith(`\`${String(event)}\``)) ?? '';
    const rows = part.split('\n').filter((row) => row.startsWith('| `')).flatMap((row) => [...row.split('|')[1]!.matchAll(/`(\w+)`/g)].map(([, name]) => name!));
    expect(rows.toSorted(), String(event)).toEqual(Object.keys(fields).toSorted());
  }
});

describe('a failure', () => {
  test.each<[failure: Failure, shown: string | undefined, line: string]>([
    [new Failure('NOTFOUND', 'no such file or folder', { path: '/abs/report.pdf', who: 'here', hint: 'check the name' }), 'report.pdf', 'put: report.pdf: no such file or folder here; check the name'],
    [new Failure('NOTFOUND', 'no such file or folder', { path: 'a', who: 'server' }), undefined, 'put: a: no such file or folder on the server'],
    [new Failure('NOSPACE', 'no space left on the disk', { who: 'server' }), 'a', 'put: a: no space left on the disk on the server'],
    [new Failure('LOST', 'the connection broke', { who: 'network' }), undefined, 'put: the connection broke'],
    [new Failure('BADNAME', 'the name "a\\x1bb" is not a name', { path: 'a\\x1bb' }), undefined, 'put: the name "a\\x1bb" is not a name'],
    [new Failure('CONNECT', 'cannot connect to host:1: nothing listens there', { path: 'host:1' }), undefined, 'put: cannot connect to host:1: nothing listens there'],
    [new Failure('NOTFOUND', 'no such folder', { path: 'no', who: 'server' }), undefined, 'put: no: no such folder on the server'],
    [new Failure('IO', 'two\nlines \u001b[31m', { path: 'x\r' }), undefined, 'put: x\\x0d: two\\nlines \\x1b[31m'],
  ])('%# is one harmless line', (failure, shown, line) => expect(failureLine('put', failure, shown)).toBe(line));

  test.each(Object.keys(CODES) as Code[])('%s is an object with all that a program needs', (code) => {
    const event = failureEvent(new Failure(code, 'it failed', { path: 'a', who: 'server', hint: 'try' }));
    expect(Object.keys(event)).toEqual(['event', 'code', 'path', 'who', 'retry', 'message', 'hint', 'exit']);
    expect(event).toMatchObject({ event: 'error', code, exit: EXITS[code] });
  });
});

describe('a report', () => {
  test('puts answers on standard output and failures on standard error', async () => {
    const { report, out, errors } = kept();
    await report.item(item(), 'big.iso');
    await report.item(item({ failure: new Failure('NOTFOUND', 'no such file or folder', { who: 'here' }) }), 'x');
    expect(out).toEqual(['big.iso  4.1 GiB in 38 s, 110 MiB/s, verified (blake3 ab12cd34…)\n']);
    expect(errors).toEqual(['put: x: no such file or folder here']);
    expect(report.failures.map(({ code }) => code)).toEqual(['NOTFOUND']);
  });

  test.each([['tree/.', 'tree/f'], ['tree/./', 'tree/f'], ['/.', '/f'], ['.', './f'], ['..', '../f']])('a failed file in %s is named %s', async (shown, named) => {
    const { report, errors } = kept();
    await report.item(item({ ...FOLDER, problems: [{ path: parsePath('f'), code: 'DENIED', message: 'permission denied', who: 'here' }], failed: 1 }), shown);
    expect(errors).toEqual([`put: ${named}: permission denied`]);
  });

  test('names at most 20 failed files of a folder, and says how many more there are', async () => {
    const problems = Array.from({ length: 25 }, (_, index) => ({ path: parsePath(`f${index}`), code: 'DENIED' as const, message: 'permission denied', who: 'here' as const }));
    const { report, errors } = kept();
    await report.item(item({ ...FOLDER, problems, failed: 1025 }), 'src/');
    expect(errors).toHaveLength(21);
    expect(errors[0]).toBe('put: src/f0: permission denied');
    expect(errors[20]).toBe('put: and 1,005 more failed files');
    expect(report.failures).toHaveLength(1);
  });

  test.each([['here', 'here'], ['server', 'on the server']] as const)('says whose disk a file of a folder did not fit on: %s', async (who, words) => {
    const problems = [{ path: parsePath('f'), code: 'NOSPACE' as const, message: 'no space left on the disk', who }];
    const [text, json] = [kept(), kept({ json: true })];
    for (const { report } of [text, json]) await report.item(item({ ...FOLDER, problems, failed: 1 }), 'src');
    expect(text.errors).toEqual([`put: src/f: no space left on the disk ${words}`]);
    expect(JSON.parse(json.out[0]!)).toMatchObject({ event: 'error', code: 'NOSPACE', path: 'src/f', who });
  });

  test.each<[name: string, over: Partial<Item>, code: Code]>([
    ['nothing arrived, for one reason, has that reason', { files: 0, failedWith: 'NOSPACE' }, 'NOSPACE'],
    ['nothing arrived, for several, has none', { files: 0, failedWith: undefined }, 'IO'],
    ['some arrived has none', { files: 1, failedWith: 'DENIED' }, 'IO'], ['some found no room has that', { files: 1, failedWith: 'NOSPACE' }, 'NOSPACE'],
  ])('a folder of which %s', async (_, over, code) => {
    const { report } = kept();
    await report.item(item({ ...FOLDER, failed: 2, ...over }), 'src');
    expect(report.failures.map((failure) => failure.code)).toEqual([code]);
  });

  test('with --json writes one object a line to standard output, failures too', async () => {
    const { report, out, errors } = kept({ json: true });
    await report.item(item(), 'big.iso');
    await report.failed(new Failure('DENIED', 'no'), 'x');
    expect(out.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual(['item', 'error']);
    expect(errors).toEqual([]);
  });

  test('with --quiet keeps failures and what was asked for', async () => {
    const { report, out, errors } = kept({ quiet: true });
    await report.done('renamed', {});
    await report.answer('abc  file', {});
    await report.failed(new Failure('DENIED', 'no'), 'x');
    expect(out).toEqual(['abc  file\n']);
    expect(errors).toEqual(['put: x: no']);
  });

  test('leaves standard output alone when that is for a file', async () => {
    const { report, out, errors } = kept({ aside: true });
    await report.done('done', {});
    expect([out, errors]).toEqual([[], ['done']]);
  });

  test('names the place at the far end when that is what failed', async () => {
    const { report, errors } = kept();
    await report.item(item({ failure: new Failure('NOTFOUND', 'no such file or folder', { path: '/nodir', who: 'server' }) }), 'a.txt');
    expect(errors).toEqual(['put: /nodir: no such file or folder on the server']);
  });
});
