import { describe, expect, test } from 'vitest';
import { adviseAt } from '../../src/cli/advice.ts';
import { missingFolder } from '../../src/client/local.ts';
import { Failure, fromErrno } from '../../src/errors.ts';

const shell = adviseAt({ place: 'shell', server: undefined });
const lab = adviseAt({ place: 'shell', server: 'lab' });
const prompt = adviseAt({ place: 'prompt', server: undefined });

const same = (hint: string): [string, string, string] => [hint, hint, hint];

describe('what to type next is what can be typed there', () => {
  test.each<[failure: Failure, shell: string, lab: string, prompt: string]>([
    [new Failure('NOTFOUND', 'x', { who: 'server' }), 'wherry ls :FOLDER lists what is there', 'wherry ls lab:FOLDER lists what is there', 'ls FOLDER lists what is there'],
    [new Failure('NOTFOUND', 'x', { who: 'here' }), 'check the name; ls lists the folder here', 'check the name; ls lists the folder here', 'check the name; lls lists the folder here'],
    [new Failure('NOSPACE', 'x', { who: 'server' }), 'make room on the server, then run the same command again; wherry df : shows how much is free',
      'make room on the server, then run the same command again; wherry df lab: shows how much is free', 'make room on the server, then run the same command again; df shows how much is free'],
    [new Failure('NOTEMPTY', 'x'), 'wherry rm -r removes a folder with all in it', 'wherry rm -r removes a folder with all in it', 'rm -r removes a folder with all in it'],
    [new Failure('DENIED', 'x', { who: 'here' }), 'check who may read or write it: ls -ld', 'check who may read or write it: ls -ld', 'check who may read or write it: !ls -ld'],
    [fromErrno({ code: 'EROFS' }, 'x', 'here'), ...same('choose another folder, or have the disk mounted for writing')],
    [fromErrno({ code: 'EROFS' }, 'x', 'server'), ...same('ask the owner of the server to have its disk mounted for writing')],
    [new Failure('NOTFOUND', 'x', { hint: 'make it first: wherry mkdir :/a b' }), 'make it first: wherry mkdir :/a b', 'make it first: wherry mkdir lab:/a b', 'make it first: mkdir /a b'],
    [missingFolder('a/new one'), "make it first: mkdir -p 'a/new one'", "make it first: mkdir -p 'a/new one'", "make it first: !mkdir -p 'a/new one'"],
    [new Failure('UNSUPPORTED', 'x', { hint: 'type in the shell: wherry put - :NAME' }), 'type in the shell: wherry put - :NAME', 'type in the shell: wherry put - lab:NAME', 'type in the shell: wherry put - :NAME'],
    [new Failure('AUTH', 'x', { hint: 'ask for a ticket, then: wherry join' }), 'ask for a ticket, then: wherry join', 'ask for a ticket, then: wherry join', 'ask for a ticket, then: wherry join'],
  ])('%#', (failure, ...expected) => expect([shell, lab, prompt].map((advise) => advise(failure))).toEqual(expected));

  test.each([
    ['put', 'ISDIR', 'name another target; a slash behind a folder means into it'],
    ['get', 'ISDIR', 'name another target; a slash behind a folder means into it'],
    ['change', 'ISDIR', 'choose another new name; a slash behind NEW means into that folder'],
    ['cat', 'ISDIR', 'name a file; wherry get fetches a folder whole'],
    ['put', 'NOTFOUND', 'make the folder first: wherry mkdir -p :FOLDER'],
  ] as const)('and fits the command: %s, %s', (verb, code, hint) => expect(shell(new Failure(code, 'x', { who: 'server' }), verb)).toBe(hint));

  test('and nothing where there is nothing to add', () => expect(shell(new Failure('CANCELLED', 'interrupted'))).toBeUndefined());
});
