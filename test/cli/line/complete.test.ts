import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { complete } from '../../../src/cli/line/complete.ts';
import type { Candidate, Sources } from '../../../src/cli/line/kinds.ts';
import { typedAt, written } from '../../../src/cli/line/typed.ts';
import { splitWords } from '../../../src/cli/script/words.ts';

const file = (word: string): Candidate => ({ word, shown: word, folder: false, entry: { kind: 'file', size: 1, mtime: 0, mode: 0o644 } });
const folder = (word: string): Candidate => ({ word, shown: word, folder: true, entry: { kind: 'folder', size: 0, mtime: 0, mode: 0o755 } });
const from = (remote: readonly Candidate[], local: readonly Candidate[] = []): Sources => ({
  remote: () => Promise.resolve(remote), local: () => Promise.resolve(local),
  'remote-folder': () => Promise.resolve(remote.filter((one) => one.folder)), 'local-folder': () => Promise.resolve(local.filter((one) => one.folder)),
  command: () => Promise.resolve([{ word: 'put', shown: 'put', folder: false }]),
  program: () => Promise.resolve([{ word: 'grep', shown: 'grep', folder: false }]),
});

/** The line after a TAB at its end. */
async function tab(line: string, sources: Sources): Promise<string> {
  const { text, start } = await complete(line, COMMANDS, sources);
  return text === undefined ? line : line.slice(0, start) + text;
}

const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }).filter((text) => !/[\u0000-\u001f\u007f-\u009f]/.test(text) && !text.startsWith('.') && !text.startsWith('-'));

describe('a completed name', () => {
  test('splits into that name again, whatever it is and however it was begun', async () => {
    await fc.assert(fc.asyncProperty(name, fc.constantFrom<'' | "'" | '"'>('', "'", '"'), fc.nat(30), async (whole, quote, length) => {
      const begun = written([...whole].slice(0, length).join(''), quote === '' ? 'plain' : quote, 'open');
      expect(splitWords(await tab(`cat ${begun}`, from([file(whole)])))).toEqual(['cat', whole]);
    }));
  });

  test('of a folder splits into it with a slash, also in quotes', async () => {
    await fc.assert(fc.asyncProperty(name, fc.constantFrom('', "'", '"'), async (whole, quote) => {
      expect(splitWords(await tab(`cd ${quote}`, from([folder(whole)])))).toEqual(['cd', `${whole}/`]);
    }));
  });

  test('that is not whole yet is read back as far as it goes', () => {
    fc.assert(fc.property(name, fc.constantFrom<'plain' | "'" | '"'>('plain', "'", '"'), (whole, style) => {
      expect(typedAt(`cat ${written(whole, style, 'open')}`)?.word).toBe(whole);
    }));
  });
});

describe('a TAB', () => {
  const remote = [file('photo.jpg'), folder('photos'), file('two words.txt'), file('.hidden')];
  const local = [file('here.txt'), folder('photos-here')];

  test.each([
    ['pu', 'put '],
    ['cat t', 'cat two\\ words.txt '],
    ["cat 'two", "cat 'two words.txt' "],
    ['cat "two', 'cat "two words.txt" '],
    ['cat p', 'cat photo'],
    ['cd p', 'cd photos/'],
    ['cat T', 'cat two\\ words.txt '],
    ['put h', 'put here.txt '],
    ['put here.txt p', 'put here.txt photo'],
    ['get photo.jpg p', 'get photo.jpg photos-here/'],
    ['get photo.jpg t', 'get photo.jpg two\\ words.txt '],
    ['lcd p', 'lcd photos-here/'],
    ['help p', 'help put '],
    ['cat .', 'cat .hidden '],
    ['cat nothing', 'cat nothing'],
    ['ls --rev', 'ls --reverse '],
    ['put --exclude x h', 'put --exclude x here.txt '],
    ['cache f', 'cache flush '],
    ['pwd p', 'pwd p'],
    ['!cat h', '!cat here.txt '],
    ['ls # p', 'ls # p'],
    ['cat a; put h', 'cat a; put here.txt '],
    ['ls > h', 'ls > here.txt '],
    ['ls >> h', 'ls >> here.txt '],
    ['ls>h', 'ls>here.txt '],
    ['cat < h', 'cat < here.txt '],
    ['ls > x photo', 'ls > x photo'],
    ['ls | gr', 'ls | grep '],
    ['ls | grep h', 'ls | grep here.txt '],
    ['ls | grep x | gr', 'ls | grep x | grep '],
    ['ls | h', 'ls | here.txt '],
    ['ls | sort > h', 'ls | sort > here.txt '],
    ['ls | sort; pu', 'ls | sort; put '],
    ['ls || pu', 'ls || put '],
    ['ls | sort && pu', 'ls | sort && put '],
    ['!gr', '!grep '],
    ['put -O photos', 'put -O photos/'],
    ['put --into photos', 'put --into photos/'],
    ['put --into=photos', 'put --into=photos/'],
    ['mget -O p', 'mget -O photos-here/'],
    ['get -t p', 'get -t photos-here/'],
    ['queue pu', 'queue put '],
    ['queue put h', 'queue put here.txt '],
    ['queue put here.txt photos', 'queue put here.txt photos/'],
    ['queue get t', 'queue get two\\ words.txt '],
    ['queue get -O p', 'queue get -O photos-here/'],
    ['ls -S', 'ls -S '],
  ])('makes of %j %j', async (line, wanted) => {
    expect(await tab(line, from(remote, local))).toBe(wanted);
  });

  test('offers names with a dot only when the dot is typed', async () => {
    expect((await complete('cat ', COMMANDS, from(remote))).matches.map(({ word }) => word)).toEqual(['photo.jpg', 'photos', 'two words.txt']);
  });

  test('behind one dash offers each flag once, by its letter and its name', async () => {
    const { text, matches } = await complete('ls -', COMMANDS, from(remote));
    expect(text).toBeUndefined();
    expect(matches.map(({ shown }) => shown)).toEqual(expect.arrayContaining(['-l, --long', '-h, --human', '-q, --quiet', '    --hash']));
    expect(matches.find(({ shown }) => shown === '-l, --long')?.note).toBe('mode, size, time and name, one a line');
    expect(new Set(matches.map(({ word }) => word)).size).toBe(matches.length);
  });

  test('says when a source is late', async () => {
    expect((await complete('cat ', COMMANDS, { remote: () => Promise.resolve(undefined) })).late).toBe(true);
  });
});
