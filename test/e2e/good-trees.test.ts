/** Folders, there and back: every name, byte, mode and time arrives on the other side, and comes back the same. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Rig, type Ran } from './rig.ts';
import { plant, snapshot } from './trees.ts';

let rig: Rig;
beforeAll(async () => { rig = await Rig.start(); });
afterAll(() => rig[Symbol.asyncDispose]());

/** Every line of `--json` output. */
function events({ stdout }: Ran): Record<string, unknown>[] {
  return stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Sends the local folder `name` and fetches it back beside it; all three are the same. */
async function thereAndBack(name: string, options: { attributes?: boolean } = {}): Promise<Record<string, string>> {
  const put = await rig.run(['put', name, ':']);
  expect(put.code, put.stderr).toBe(0);
  const get = await rig.run(['get', `:${name}`, `${name}.back`]);
  expect(get.code, get.stderr).toBe(0);
  const original = snapshot(join(rig.local, name), options);
  expect(snapshot(join(rig.served, name), options)).toEqual(original);
  expect(snapshot(join(rig.local, `${name}.back`), options)).toEqual(original);
  return original;
}

describe('a folder that is there already', () => {
  test('has the time of its source after a fetch, also when nothing of it is new; one whose contents are fetched keeps its own then', async () => {
    const [there, here, time] = [join(rig.served, 'timed'), join(rig.local, 'timed'), (path: string) => Math.round(statSync(path).mtimeMs)];
    mkdirSync(join(there, 'sub'), { recursive: true });
    writeFileSync(join(there, 'a'), 'a');
    writeFileSync(join(there, 'sub', 'large'), Buffer.alloc(300_000, 'x'));
    for (const path of ['a', 'sub/large', 'sub', '']) utimesSync(join(there, path), 1.5e9, 1.5e9);
    for (const again of [[], [], ['--update']]) {
      expect(await rig.run(['get', ':timed', '.', ...again])).toMatchObject({ code: 0 });
      expect([time(here), time(join(here, 'sub'))]).toEqual([1.5e12, 1.5e12]);
    }
    for (const again of [['--update'], []]) {
      utimesSync(here, 1.4e9, 1.4e9);
      expect(await rig.run(['get', ':timed/.', 'timed', ...again])).toMatchObject({ code: 0 });
      expect(time(here)).toBe(1.4e12);
    }
    // The served folder is at the top of its vault, too.
    utimesSync(rig.served, 1.3e9, 1.3e9);
    expect(await rig.run(['put', 'timed', ':'])).toMatchObject({ code: 0 });
    expect([time(there), time(rig.served)]).toEqual([1.4e12, 1.3e12]);
  });
});

describe('a real folder', () => {
  const modules = resolve(import.meta.dirname, '../../node_modules');

  test('of thousands of files comes back byte for byte, with links passed over and counted', async () => {
    const put = await rig.run(['put', modules, ':', '--json']);
    expect(put.code, put.stderr).toBe(0);
    const [item, summary] = events(put).slice(-2);
    const original = snapshot(modules, { withoutLinks: true });
    const files = Object.values(original).filter((line) => line.startsWith('file'));
    expect(item).toMatchObject({ event: 'item', kind: 'folder', files: files.length, failed: 0, verified: true });
    expect(item!['skipped']).toBeGreaterThan(0);
    expect(summary).toMatchObject({ event: 'summary', items: 1, failed: 0, exit: 0 });

    const get = await rig.run(['get', ':node_modules', 'modules']);
    expect(get.code, get.stderr).toBe(0);
    expect(snapshot(join(rig.served, 'node_modules'))).toEqual(original);
    expect(snapshot(join(rig.local, 'modules'))).toEqual(original);
  }, 120_000);
});

describe('names', () => {
  const names = [
    'two words', ' leading and trailing ', "it's", 'say "hello"', 'back\\slash', 'a:b', 'C:file', '100%', '%2e%2e%2f', '-x', '--json', '-', '~', '$HOME', '*', '?', '[a]', '{b,c}',
    'semi;colon', 'pipe|', '&and', 'a`b`', '#comment', '!bang', 'é', 'naïve.txt', 'e\u0301 decomposed', 'Ωμέγα', '日本語', 'שלום', 'مرحبا', '👩‍👩‍👧‍👦', '🇨🇭', '.hidden', '...', 'a..b', 'trailing.', 'CON', 'nul.txt',
    'x'.repeat(255), 'é'.repeat(127), '__proto__', 'constructor',
  ];

  test('of every kind arrive exactly as they are', async () => {
    plant(join(rig.local, 'names'), Object.fromEntries([...names.map((name) => [name, `in ${name}`] as const), ['folder \\ "x"/-y/:z', 'deep']]));
    const found = await thereAndBack('names');
    expect(Object.keys(found).length).toBe(1 + names.length + 3);
  });

  test('can all be sent and fetched one by one, behind -- or with ./ in front', async () => {
    mkdirSync(join(rig.local, 'single'));
    await rig.run(['mkdir', ':single']);
    for (const name of ['-x', 'a:b', "it's \"so\" \\ 100%", '🇨🇭 é', 'x'.repeat(255)]) {
      writeFileSync(join(rig.local, name), `alone: ${name}`);
      expect(await rig.run(['put', '--', name, ':single/'])).toMatchObject({ code: 0, stderr: '' });
      expect(await rig.run(['get', '--', `:single/${name}`, 'single/'])).toMatchObject({ code: 0, stderr: '' });
      expect(readFileSync(join(rig.served, 'single', name), 'utf8')).toBe(`alone: ${name}`);
      expect(readFileSync(join(rig.local, 'single', name), 'utf8')).toBe(`alone: ${name}`);
      expect(await rig.run(['put', `./${name}`, ':single/again'])).toMatchObject({ code: 0, stderr: '' });
      expect(readFileSync(join(rig.served, 'single/again'), 'utf8')).toBe(`alone: ${name}`);
    }
  });

  test('a flag that does not exist is not taken for a file', async () => {
    writeFileSync(join(rig.local, '-x'), 'x');
    expect((await rig.run(['put', '-x', ':'])).code).toBe(2);
  });

  test('with a line break are refused by name, and the files beside them go', async () => {
    plant(join(rig.local, 'broken'), { 'line\nbreak': 'no', good: 'yes', 'sub/also good': 'yes' });
    const put = await rig.run(['put', 'broken', ':']);
    expect(put.code).toBe(1);
    expect(put.stderr).toMatch(/line\\nbreak.*control character/);
    expect(put.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(snapshot(join(rig.served, 'broken'), { attributes: false })).toEqual(expect.objectContaining({ good: expect.any(String), 'sub/also good': expect.any(String) }));
    expect(Object.keys(snapshot(join(rig.served, 'broken'))).length).toBe(4);
    expect((await rig.run(['put', 'broken/line\nbreak', ':'])).code).toBe(2);
  });
});

describe('shapes', () => {
  test('ten thousand files in one folder are sent, counted, listed and fetched', async () => {
    plant(join(rig.local, 'wide'), Object.fromEntries(Array.from({ length: 10_000 }, (_, number) => [`file ${number}`, `${number}`])));
    await thereAndBack('wide');
    const listed = await rig.run(['ls', ':wide']);
    expect(listed.stdout.trimEnd().split('\n')).toHaveLength(10_000);
    const [usage] = events(await rig.run(['du', '--json', ':wide']));
    expect(usage).toMatchObject({ files: 10_000, folders: 1 });
  }, 60_000);

  test('a tree 60 folders deep arrives', async () => {
    plant(join(rig.local, 'deep'), { [`${Array.from({ length: 59 }, (_, level) => `level ${level}`).join('/')}/bottom`]: 'found' });
    await thereAndBack('deep');
  });

  test('empty folders arrive, at the top too', async () => {
    mkdirSync(join(rig.local, 'empty/a/b'), { recursive: true });
    mkdirSync(join(rig.local, 'empty/c'));
    mkdirSync(join(rig.local, 'void'));
    await thereAndBack('empty');
    await thereAndBack('void');
  });

  test('links are passed over, and their number is said', async () => {
    plant(join(rig.local, 'linked'), { file: 'x' });
    symlinkSync('file', join(rig.local, 'linked/link'));
    symlinkSync('/etc', join(rig.local, 'linked/folder link'));
    const put = await rig.run(['put', 'linked', ':']);
    expect(put.code).toBe(0);
    expect(put.stdout).toContain('2 skipped (links, devices and the like)');
    expect(Object.keys(snapshot(join(rig.served, 'linked')))).toEqual(['', 'file']);
  });

  test.each(['put', 'get'])('-v names what was passed over by %s, but for what was to be left out', async (verb) => {
    const top = join(verb === 'put' ? rig.local : rig.served, `odd-${verb}`);
    plant(top, { file: 'x', 'sub/deep/x': 'x', 'out/x': 'x' });
    for (const name of ['pipe', 'sub/deep/pipe', 'out/pipe']) execFileSync('mkfifo', [join(top, name)]);
    symlinkSync('file', join(top, 'sub/link'));
    const words = verb === 'put' ? ['put', `odd-${verb}`, ':', '--exclude', 'out'] : ['get', `:odd-${verb}`, '--exclude', 'out'];
    const ran = await rig.run([...words, '-v']);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout.split('\n').filter((line) => line.includes('passed over')).toSorted()).toEqual([
      'pipe  passed over: neither a file nor a folder', 'sub/deep/pipe  passed over: neither a file nor a folder', 'sub/link  passed over: a link',
    ]);
    expect(ran.stdout).toContain('3 skipped (links, devices and the like)');
    const json = events(await rig.run([...words, '-v', '--json', '--follow'])).filter(({ event }) => event === 'skipped');
    expect(json.map(({ path, kind }) => `${String(path)} ${String(kind)}`).toSorted()).toEqual(['pipe other', 'sub/deep/pipe other']);
    expect((await rig.run(words)).stdout).not.toContain('passed over');
  });

  test('a name that is reserved is passed over further down as well, and counted', async () => {
    plant(join(rig.local, 'reserved'), { file: 'x', 'sub/.wherry/kept': 'x' });
    const put = await rig.run(['put', 'reserved', ':']);
    expect([put.code, put.stdout]).toEqual([0, expect.stringContaining('1 skipped')]);
    expect(Object.keys(snapshot(join(rig.served, 'reserved')))).toEqual(['', 'file', 'sub']);
  });

  test('a link here that has the name of the folder that comes leads it nowhere', async () => {
    plant(join(rig.served, 'coming'), { file: 'x' });
    mkdirSync(join(rig.local, 'elsewhere'));
    mkdirSync(join(rig.local, 'into'));
    symlinkSync('../elsewhere', join(rig.local, 'into/coming'));
    const get = await rig.run(['get', ':coming', 'into/']);
    expect([get.code, get.stderr]).toEqual([5, expect.stringContaining('a symbolic link, which is never followed')]);
    expect(Object.keys(snapshot(join(rig.local, 'elsewhere')))).toEqual(['']);
    // A link that the person names is meant.
    symlinkSync('elsewhere', join(rig.local, 'named'));
    expect((await rig.run(['get', ':coming', 'named/'])).code).toBe(0);
    expect(Object.keys(snapshot(join(rig.local, 'elsewhere/coming')))).toEqual(['', 'file']);
  });
});

describe('attributes', () => {
  const modes = [0o644, 0o600, 0o444, 0o755, 0o555, 0o700, 0o400];
  const times = [0, 1, -1, 1_700_000_000.123456, -86_400.5, -2_000_000_000.25, 4_000_000_000.75, 951_782_399.999999];

  /** Node takes a negative number of seconds for now, but not a date before 1970. */
  function setTime(file: string, seconds: number): void {
    const time = seconds < 0 ? new Date(seconds * 1000) : seconds;
    utimesSync(file, time, time);
  }

  test('modes and times of files and folders are kept, before 1970 and to the microsecond', async () => {
    const top = join(rig.local, 'attributes');
    for (const mode of modes) plant(top, { [`mode ${mode.toString(8)}`]: 'x', [`folder ${mode.toString(8)}/inside`]: 'y' });
    for (const time of times) {
      plant(top, { [`time ${time}`]: 'x', [`at ${time}/inside`]: 'x' });
      plant(join(top, `at ${time}`), { large: Buffer.alloc(300_000, 1) });
      setTime(join(top, `time ${time}`), time);
      setTime(join(top, `at ${time}/large`), time);
      setTime(join(top, `at ${time}`), time);
    }
    for (const mode of modes) {
      chmodSync(join(top, `mode ${mode.toString(8)}`), mode);
      chmodSync(join(top, `folder ${mode.toString(8)}`), mode);
    }
    utimesSync(top, 1_000_000_000.000001, 1_000_000_000.000001);
    try {
      await thereAndBack('attributes');
    } finally {
      // So that whoever is not root can remove them.
      for (const place of [top, join(rig.served, 'attributes'), join(rig.local, 'attributes.back')]) {
        for (const mode of modes) chmodSync(join(place, `folder ${mode.toString(8)}`), 0o755);
      }
    }
  });

  test('a single file keeps its mode and time both ways', async () => {
    const file = join(rig.local, 'old.txt');
    writeFileSync(file, 'old');
    chmodSync(file, 0o640);
    setTime(file, -1234.5);
    expect((await rig.run(['put', 'old.txt', ':'])).code).toBe(0);
    expect((await rig.run(['get', ':old.txt', 'old.back'])).code).toBe(0);
    for (const copy of [join(rig.served, 'old.txt'), join(rig.local, 'old.back')]) expect(snapshot(copy)).toEqual(snapshot(file));
  });

  test('the bits that lend an identity are never kept', async () => {
    plant(join(rig.local, 'bits'), { setuid: 'x', setgid: 'x', 'folder/x': '' });
    chmodSync(join(rig.local, 'bits/setuid'), 0o4755);
    chmodSync(join(rig.local, 'bits/setgid'), 0o2755);
    chmodSync(join(rig.local, 'bits/folder'), 0o3755);
    expect((await rig.run(['put', 'bits', 'bits/setuid', ':'])).code).toBe(0);
    for (const name of ['bits/setuid', 'bits/setgid', 'bits/folder', 'setuid']) expect(statSync(join(rig.served, name)).mode & 0o7000).toBe(0);
    chmodSync(join(rig.served, 'setuid'), 0o4755);
    expect((await rig.run(['get', ':setuid'])).code).toBe(0);
    expect(statSync(join(rig.local, 'setuid')).mode & 0o7777).toBe(0o755);
  });

  test('a folder sent twice takes the later content, and keeps what only the server has', async () => {
    plant(join(rig.local, 'twice'), { a: 'first', b: 'first', 'sub/c': 'first' });
    await rig.run(['put', 'twice', ':']);
    plant(join(rig.served, 'twice'), { 'only here': 'kept' });
    plant(join(rig.local, 'twice'), { a: 'second' });
    rmSync(join(rig.local, 'twice/b'));
    expect(await rig.run(['put', 'twice', ':'])).toMatchObject({ code: 0, stderr: '' });
    const read = (name: string): string => readFileSync(join(rig.served, 'twice', name), 'utf8');
    expect([read('a'), read('b'), read('sub/c'), read('only here')]).toEqual(['second', 'first', 'first', 'kept']);
  });
});
