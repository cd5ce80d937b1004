/**
 * The corpus of names: what a client may send as a path, made by rules, each with what has to become of it: refused, or taken for
 * a name like any other. The rules are said here anew, and do not ask the code that is tested.
 */

export interface Sample { readonly path: string; readonly what: string }

const at = (codes: readonly number[], what: string): Sample[] => codes.flatMap((code) => {
  const letter = String.fromCodePoint(code);
  const named = `${what} ${code.toString(16)}`;
  return [{ path: `${letter}x`, what: `${named} first` }, { path: `x${letter}y`, what: `${named} within` }, { path: `folder/x${letter}`, what: `${named} last, further down` }];
});
const all = (what: string, ...paths: readonly string[]): Sample[] => paths.map((path) => ({ path, what }));
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** Spellings that some disk takes for the stage. */
const STAGES = [
  '.wherry', '.WHERRY', '.Wherry', '.wHERRY', '.WhErRy', '.wherrY', '.\uff57herry', '.\uff37\uff28\uff25\uff32\uff32\uff39', '\uff0ewherry', '\u2024wherry', '.w\u02b0erry', '.\ud835\udc30herry', '.\u24e6\u24d7\u24d4\u24e1\u24e1\u24e8', '.wherry\u00a0',
  '.wherry.', '.wherry..', '.wherry ', '.wherry. ', '.wherry .', '.wherry:x', '.wherry::$DATA', '.wherry:$I30:$INDEX_ALLOCATION', ' .wherry', '.WHERRY:', '.wherry.:x',
  'wherry~1', 'WHERRY~1', 'Wherry~2', 'wherry~9', 'wherry~12',
  ...[0xad, 0x34f, 0x180b, 0x180e, 0x200b, 0x200c, 0x200d, 0x2060, 0xfe00, 0xfe0f, 0xfeff].flatMap((code) => [`.wh${String.fromCodePoint(code)}erry`, `${String.fromCodePoint(code)}.wherry`, `.wherry${String.fromCodePoint(code)}`]),
];

const DEEP = Array.from({ length: 64 }, () => 'd').join('/');

/** Paths that no request may name. `outside` is where a file lies that nobody may reach. */
export const refused = (outside: string): readonly Sample[] => [
  ...all('dots', '.', '..', './x', '../x', 'x/.', 'x/..', 'x/./y', 'x/../y', 'folder/../../secret', 'folder/.', 'folder/..', '.../..', '../...', './.', '../..'),
  ...range(1, 12).map((depth) => ({ path: `${'../'.repeat(depth)}${outside.slice(1)}`, what: `up ${depth}, and down to a file outside` })),
  ...range(1, 6).map((depth) => ({ path: `folder/${'../'.repeat(depth)}outside/secret`, what: `into a folder, up ${depth}` })),
  ...all('absolute', '/', outside, `/${outside}`, '/etc/passwd', '/proc/self/root/etc/passwd', '/proc/self/fd/0', '/dev/zero', '/dev/stdin', '/old', '/folder', '/..'),
  ...all('empty parts', '//', 'a//b', 'x/', 'x//', '//x', 'folder//in', 'folder/', 'folder//', 'old/', 'old//', 'old/.'),
  ...at([...range(0x00, 0x1f), ...range(0x7f, 0x9f)], 'control'),
  ...at([0x2028, 0x2029], 'separator'),
  ...at([0x61c, 0x200e, 0x200f, ...range(0x202a, 0x202e), ...range(0x2066, 0x2069)], 'direction'),
  ...STAGES.flatMap((stage) => [{ path: stage, what: 'the stage' }, { path: `folder/${stage}`, what: 'the stage, further down' }, { path: `${stage}/x`, what: 'in the stage' }]),
  ...all('too long', 'n'.repeat(256), 'é'.repeat(128), '日'.repeat(86), '🙂'.repeat(64), `folder/${'n'.repeat(256)}`, `${'n'.repeat(300)}/x`, 'n'.repeat(4096)),
  ...all('too deep', `${DEEP}/d`, 'd/'.repeat(2047) + 'd', `${DEEP}/d/d/d`),
];

const DEVICES = ['CON', 'PRN', 'AUX', 'NUL', ...range(1, 9).flatMap((number) => [`COM${number}`, `LPT${number}`]), 'COM¹', 'COM²', 'COM³', 'LPT¹', 'CONIN$', 'CONOUT$', 'CLOCK$'];

/** Paths that are names like any other: what is done with them is done in the served folder, under just that name. */
export const taken: readonly Sample[] = [
  ...all('encoded once', '%2e%2e%2fsecret', '..%2fsecret', '%2e%2e', '%2e', '%2f', '..%2f..%2foutside', '%00', 'x%00y', '%5c..%5c', '..%c0%af', '%c0%ae%c0%ae%c0%afsecret', '%u002e%u002e', '&#46;&#46;', '\\u002e\\u002e', '=2e=2e'),
  ...all('encoded twice', '%252e%252e%252fsecret', '..%252fsecret', '%252e', '%25252e%25252e', '%255c', '%2500'),
  ...all('backslashes', '\\', '\\\\', '..\\secret', '..\\..\\outside\\secret', 'a\\b', '\\x', 'x\\', '.\\x', 'folder\\..\\..\\secret', 'C:\\x', 'C:', 'C:x', '\\\\server\\share', '\\\\?\\C:\\x', '\\\\.\\pipe\\x'),
  ...all('like dots', '...', '....', '. .', '.. ', ' ..', '. ', ' .', '..\u00a0', '\u2024\u2024', '\u2025', '\u2026', '\uff0e\uff0e', '\uff0e\uff0e\uff0fsecret', '..\u2215secret', '..\u2044secret', '..\u29f8secret', '\u3002\u3002', '.\u0307', '..x', 'x..', '.x'),
  ...DEVICES.flatMap((name) => all('a device of Windows', name, `${name.toLowerCase()}.txt`)),
  ...all('what Windows cuts or reads otherwise', 'x.', 'x ', 'x. .', 'x...', 'a:b', 'a:b:$DATA', 'a::$DATA', 'PROGRA~1', 'FTX~1', 'LONGNA~1.TXT', 'x<y', 'x>y', 'x|y', 'x?y', 'x*y', 'x"y', 'desktop.ini', 'Thumbs.db', '$MFT', '$Extend'),
  ...all('what shells and tools read otherwise', '-rf', '--help', '-', '~', '~root', '$HOME', '$(id)', '`id`', ';id', 'a;b', 'a&b', 'a|b', "it's", 'a"b', '*', '?', '[a]', '{a,b}', '#x', '!x', 'a b', ' x', 'x=y', '@x', ':x', 'x:y', '%s%n', '{{x}}', '<!--x-->', '<script>', "'; drop table x; --"),
  ...all('like the stage', 'wherry', '.wherry2', '.wherryx', 'x.wherry', 'wherry~', 'wherry~x', '.wherr', 'Wherry', '.wh-erry', '.w.herry'),
  ...all('forms and cases', 'é', 'e\u0301', 'É', 'ß', 'ss', 'ſ', 'ﬁ', '\u00c5', '\u212b', 'A\u030a', 'İ', 'ı', '\u03a9', '\u2126', '가', '\u1100\u1161', 'FOLDER2', '日本', '👩‍👧', '🏳️‍🌈', 'ไทย', 'العربية', 'עברית', 'x\u200by', 'x\ufeffy', 'x\u00ady', 'x\u00a0y', 'x\ue000y', 'x\uffffy', '\u{10ffff}'),
  ...all('as long as can be', 'n'.repeat(255), 'é'.repeat(127), '日'.repeat(85), '🙂'.repeat(63), DEEP.slice(2), Array.from({ length: 15 }, () => 'm'.repeat(254)).join('/')),
];
