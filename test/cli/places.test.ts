import { describe, expect, test } from 'vitest';
import { parseRemote, promptPlaces, shellPlaces, type Shape } from '../../src/cli/places.ts';

const nothing = () => false;

describe('a word of the shell', () => {
  test.each<[word: string, server: string, path: string]>([
    [':', '', ''], [':a/b', '', 'a/b'], ['lab:', 'lab', ''], ['lab-2.x_y:/a', 'lab-2.x_y', '/a'], [':a:b', '', 'a:b'], ['x:y:z', 'x', 'y:z'],
  ])('%s is a remote place', (word, server, path) => {
    expect(parseRemote(word, nothing)).toEqual({ server, path });
  });

  test.each(['a', './a:b', '/a:b', 'a b:c', 'é:x', '-'])('%s is not', (word) => {
    expect(parseRemote(word, nothing)).toBeUndefined();
  });

  test('is a local file when one has exactly that name', () => {
    expect(parseRemote('notes:1', (name) => name === 'notes:1')).toBeUndefined();
  });
});

describe('in the shell', () => {
  test.each<[shape: Shape, words: string[], places: object]>([
    ['put', ['a'], { local: ['a'], remote: [], server: undefined }],
    ['put', ['a', 'b'], { local: ['a', 'b'], remote: [] }],
    ['put', ['a', ':'], { local: ['a'], remote: [''] }],
    ['put', ['a', 'b', 'lab:x/'], { local: ['a', 'b'], remote: ['x/'], server: 'lab' }],
    ['put', ['-', ':x'], { local: ['-'], remote: ['x'] }],
    ['get', [':a'], { local: [], remote: ['a'] }],
    ['get', [':a', ':b'], { local: [], remote: ['a', 'b'] }],
    ['get', ['lab:a', 'lab:b', 'here'], { local: ['here'], remote: ['a', 'b'], server: 'lab' }],
    ['get', [':a', '-'], { local: ['-'], remote: ['a'] }],
    ['remote', [], { local: [], remote: [] }],
    ['remote', [':a', ':b'], { remote: ['a', 'b'] }],
    ['change', ['lab:a', 'b'], { remote: ['a', 'b'], server: 'lab' }],
    ['change', ['lab:a', 'lab:b'], { remote: ['a', 'b'], server: 'lab' }],
    ['plain', ['x:y'], { words: ['x:y'], remote: [], server: undefined }],
  ])('%s %j', (shape, words, places) => {
    expect(shellPlaces(shape, words, nothing)).toMatchObject(places);
  });

  test.each<[shape: Shape, words: string[], why: RegExp]>([
    ['put', [':x'], /nothing to send/],
    ['put', [':std', ':x'], /:std reads as a place on the server, and put sends what is here/],
    ['put', ['a', 'lab:b', ':x'], /lab:b reads as a place/],
    ['get', ['a', 'b'], /a is not a place on the server/],
    ['get', [':a', 'b', ':c'], /b is not a place/],
    ['remote', ['a'], /a is not a place/],
    ['change', ['a', ':b'], /a is not a place/],
    ['get', ['lab:a', 'home:b'], /must name the same server, not lab: and home:/],
    ['remote', [':a', 'home:b'], /must name the same server/],
  ])('%s %j is refused', (shape, words, why) => {
    expect(() => shellPlaces(shape, words, nothing)).toThrow(why);
  });
});

test.each<[shape: Shape, words: string[], local: string[], remote: string[]]>([
  ['put', ['a'], ['a'], []],
  ['put', ['a', 'b'], ['a'], ['b']],
  ['put', ['a', 'b', 'c'], ['a', 'b'], ['c']],
  ['get', ['a'], [], ['a']],
  ['get', ['a', 'b'], ['b'], ['a']],
  ['get', ['a', 'b', 'c'], ['c'], ['a', 'b']],
  ['remote', ['a:b'], [], ['a:b']],
  ['change', ['a', 'b'], [], ['a', 'b']],
])('at the prompt, position decides: %s %j', (shape, words, local, remote) => {
  expect(promptPlaces(shape, words)).toMatchObject({ local, remote });
});

test.each<[shape: Shape, words: string[], local: string[], remote: string[]]>([
  ['put', ['a', ':x'], ['a'], ['x']],
  ['put', ['a', ':'], ['a'], ['.']],
  ['put', [':a', ':b'], [':a'], ['b']],
  ['get', [':x'], [], ['x']],
  ['get', [':x', 'y'], ['y'], ['x']],
  ['get', [':x', ':y'], [], ['x', 'y']],
  ['get', [':x', './:y'], ['./:y'], ['x']],
  ['remote', ['a', ':b', ':/c', '::d'], [], ['a', 'b', '/c', ':d']],
  ['change', ['a', ':b'], [], ['a', 'b']],
  ['chmod', [':1', ':b'], [], ['b']],
])('at the prompt, a colon before a place on the server says nothing new: %s %j', (shape, words, local, remote) => {
  expect(promptPlaces(shape, words)).toMatchObject({ local, remote });
});

test.each<[shape: Shape, words: string[]]>([['put', [':a']], ['put', [':a', 'b']], ['remote', ['./:a']], ['remote', ['lab:a']]])('at the prompt, another name with a colon stays one: %s %j', (shape, words) => {
  const { local, remote } = promptPlaces(shape, words);
  expect([...local, ...remote]).toEqual(words);
});
