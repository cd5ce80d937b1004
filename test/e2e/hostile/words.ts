/** Scripts that try to speak to the terminal (B4): every text that the protocol has comes with escapes, in plain words and in JSON. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../../src/digest.ts';
import type { Message } from '../../../src/wire/messages.ts';
import { evilPack, type Script } from '../hostile.ts';
import { entry, file, folder, listing, pretending, takingFolder, telling, upTo } from './answers.ts';
import type { Attack, Stand } from './stand.ts';

/** Clears the screen in three ways, ends the line in four, turns the text, hides, rings, and names a window. */
const EVIL = 'x\u001b[2J\u009b2J\u001bc\r\n\u0085\u2028\u2029\u202e\u2066\u200e\u061c\ufeff\u0007\u0008\u007f\u001b]0;title\u0007y';
const SHOWN = /x\\x1b\[2J\\x9b2J\\x1bc\\x0d\\n\\x85\\u2028\\u2029\\u202e/;
/** As JSON has it. */
const QUOTED = /x\\u001b\[2J\\u009b2J\\u001bc\\r\\n\\u0085\\u2028\\u2029\\u202e|x\\\\x1b\[2J/;

const failure: Message<'error'> = { kind: 'error', code: 'NOTFOUND', message: EVIL, path: EVIL, who: 'server', retry: false, hint: EVIL };
const failing: Script = (exchange) => exchange.say(failure);

/** The same for a person and for a program. */
function both(name: string, words: readonly string[], script: Script, exit: number, more: Partial<Attack> = {}): Attack[] {
  return [
    { row: 'B4', name, words, script, exit, says: SHOWN, ...more },
    { row: 'B4', name: `${name}, in JSON`, words: [...words, '--json'], script, exit, ...more, says: QUOTED },
  ];
}

const src = (stand: Stand): void => {
  mkdirSync(join(stand.local, 'src'));
  writeFileSync(join(stand.local, 'src/a'), 'a');
  writeFileSync(join(stand.local, 'src/b'), 'b');
};

/** Everything that can be asked, answered with a failure that is all escapes. */
const ASKED: readonly (readonly string[])[] = [
  ['ls', 'evil:'], ['find', 'evil:'], ['du', 'evil:x'], ['df', 'evil:'], ['stat', 'evil:x'], ['hash', 'evil:x'], ['cat', 'evil:x'], ['mkdir', 'evil:x'], ['rm', 'evil:x'], ['rmdir', 'evil:x'],
  ['change', 'evil:x', 'y'], ['get', 'evil:x', 'target'], ['put', 'victim', 'evil:x'],
];

const problem: Message = { kind: 'problems', problems: [{ path: EVIL, code: 'DENIED', message: EVIL }], skipped: 0 };
const named = (name: string): readonly string[] => [`is told a name with ${name}`];

export const WORDS: readonly Attack[] = [
  ...ASKED.flatMap((words) => both(`a failure of ${words[0]!} is all escapes`, words, failing, 6)),
  { row: 'B4', name: 'files of a folder are left out that nobody has', words: ['get', 'evil:x', 'target/x'], script: telling({ kind: 'same', files: 1, bytes: 1 }), exit: 3, says: /left out more files than it was told are here/ },
  ...both('a file of a folder has a problem that is all escapes', ['get', 'evil:x', 'target/x'], telling(problem), 5),
  {
    row: 'B4', name: 'a file of a folder that is sent has a problem at a name with escapes', words: ['put', 'src', 'evil:t'], exit: 3, says: /the server told a name that is refused/, before: src,
    script: takingFolder(async (exchange) => { await exchange.sayBulk(problem, 4096); }),
  },
  ...both('a file of a folder that is sent has a problem in words with escapes', ['put', 'src', 'evil:t'], takingFolder(async (exchange, message, connection) => {
    await exchange.next();
    await exchange.sayBulk({ kind: 'problems', problems: ['a', 'b'].map((path) => ({ path, code: 'DENIED' as const, message: EVIL })), skipped: 0 }, 8192);
    await exchange.sayBulk({ kind: 'batched', files: 0, bytes: 0 }, 32);
    await upTo('finish', { kind: 'done' })(exchange, message, connection);
  }), 5, { before: src }),
  ...['x\u001b[31mred', 'two\nlines', 'C1\u009b2J', 'rtl\u202etxt', 'bell\u0007', 'para\u2029graph'].flatMap((name) => [['ls', 'evil:'], ['ls', '-lR', 'evil:'], ['find', 'evil:'], ['get', 'evil:*', 'target/']].map((words): Attack => ({
    row: 'B4', name: `${words.slice(0, -1).join(' ')} ${named(JSON.stringify(name))[0]!}`, words, script: listing(name), exit: 3, says: /the server told a name that is refused/,
  }))),
  { row: 'B4', name: 'join is told an account, a server and software with escapes', words: ['join', '--home', 'target/home'], script: () => {}, names: { agent: EVIL, account: EVIL, name: EVIL }, exit: 0, says: SHOWN, serve: joining },
  { row: 'B4', name: 'join is told them, in JSON', words: ['join', '--home', 'target/home', '--json'], script: () => {}, names: { agent: EVIL, account: EVIL, name: EVIL }, exit: 0, says: QUOTED, serve: joining },
  { row: 'B4', name: 'join is told a name that leads elsewhere: it is known as "server"', words: ['join', '--home', 'target/home'], script: () => {}, names: { name: '../../evil' }, exit: 0, says: /^joined server at /, serve: joining },
  { row: 'B4', name: 'the prompt is told software with escapes', words: ['connect', 'evil'], script: () => {}, names: { agent: EVIL, account: EVIL, name: EVIL }, input: 'version\npwd\n', exit: 0, says: SHOWN },
  { row: 'B4', name: 'the prompt is told it, in JSON', words: ['connect', 'evil', '--json'], script: () => {}, names: { agent: EVIL, account: EVIL, name: EVIL }, input: 'version\npwd\n', exit: 0, says: QUOTED },
  ...both('the connection itself fails with escapes', ['ls', 'evil:'], (_, __, connection) => connection.say({ ...failure, code: 'LIMIT' }), 11),
  { row: 'B4', name: 'a failure has a code that is not known', words: ['ls', 'evil:'], script: (exchange, _, connection) => { connection.write(Buffer.from([0, 0, 0, 6, 0x09, 1, 0, 0, 0, 0, 0, exchange.id, 0x02, 0x7f, 0x05, 0x00, 0x0a, 0x00])); }, exit: 1, says: /./ },
  { row: 'B4', name: 'a failure says nothing at all', words: ['ls', 'evil:'], script: (exchange) => exchange.say({ kind: 'error', code: 'IO', message: '', retry: false, path: '', hint: '' }), exit: 1, says: /^ls: / },
  { row: 'B4', name: 'a failure has the longest texts there are', words: ['get', 'evil:x', 'target'], script: (exchange) => exchange.say({ kind: 'error', code: 'IO', message: '\u001b'.repeat(1024), retry: false, path: '\u0007'.repeat(4096), hint: '\u009b'.repeat(512) }), exit: 1, says: /^get: x: (?:\\x1b)+/ },
  { row: 'B4', name: 'a file has a time and a size, and a name that is fine', words: ['ls', '-l', 'evil:'], script: listing(entry('fine')), exit: 0, says: /fine\n$/ },
  { row: 'B4', name: 'a folder that comes names files with --verbose', words: ['get', '-v', 'evil:x', 'target/x'], exit: 3, says: /refused/, script: pretending(folder, async (exchange) => {
    await exchange.batch(evilPack([{ folder: '' }, { file: EVIL, data: 'evil' }], digestOf));
    exchange.say({ kind: 'done' });
  }) },
  ...both('a file is sent, and the server ends it with escapes', ['cat', 'evil:x'], pretending(file(4), (exchange) => { exchange.say({ kind: 'offer', size: 4, mtime: 1, mode: 0o644 }); exchange.say(failure); }), 6),
];

/** The ticket is what is typed. */
function joining(hostile: { ticket: string }, stand: Stand): void {
  stand.typed = hostile.ticket;
}
