/** The documentation of the library: its examples run as they stand there, and it names everything that is exported. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CODES } from '../../src/errors.ts';
import { plant } from '../e2e/trees.ts';
import { Place } from './place.ts';

const root = resolve(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'docs/library.md'), 'utf8');
const examples = [...text.matchAll(/^```(?:ts|js)\n(.*?)^```$/gms)].map(([, code]) => code!);

let place: Place;
beforeAll(async () => {
  place = await Place.open();
  plant(place.local(), { 'report.pdf': 'pdf', 'photos/one.jpg': '1', 'photos/two.tmp': '2' });
  plant(place.served(), { 'notes.txt': 'notes', 'docs/a.txt': 'a', 'docs/sub/b.txt': 'b' });
  // The package as it is installed: its own exports, with the build that is tested.
  const installed = join(place.folder, 'package');
  mkdirSync(join(place.local(), 'node_modules'));
  mkdirSync(installed);
  writeFileSync(join(installed, 'package.json'), readFileSync(join(root, 'package.json')));
  symlinkSync(resolve(root, process.env['WHERRY_DIST'] ?? 'dist'), join(installed, 'dist'));
  symlinkSync(installed, join(place.local(), 'node_modules/wherry'));
});
afterAll(() => place[Symbol.asyncDispose]());

describe('docs/library.md', () => {
  test('has an example for every part', () => {
    expect(examples.length).toBeGreaterThanOrEqual(14);
  });

  test.each(examples.map((code, index) => [index + 1, code] as const))('example %i runs as it stands there', async (number, code) => {
    const { outputText } = ts.transpileModule(code, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext } });
    const file = join(place.local(), `example-${number}.mjs`);
    writeFileSync(file, outputText);
    const ran = promisify(execFile)(process.execPath, [file], { cwd: place.local(), env: { PATH: process.env['PATH'], WHERRY_HOME: place.home } });
    expect(await ran).toMatchObject({ stderr: '' });
  });

  test('names everything that is exported, and every code', () => {
    const exported = readFileSync(join(root, 'src/index.ts'), 'utf8').replace(/\/\*.*?\*\//gs, '');
    const names = [...exported.matchAll(/\{([^}]*)\}/g)].flatMap(([, list]) => list!.split(',')).map((name) => name.trim()).filter((name) => name !== '');
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) expect(text, name).toMatch(new RegExp(`\\b${name}\\b`));
    for (const code of Object.keys(CODES)) expect(text).toContain(`\`${code}\``);
  });

  test('names every method of a client', () => {
    const api = readFileSync(join(root, 'src/client/api.ts'), 'utf8');
    const [, body] = /export interface Client .*?\{(.*?)^\}/ms.exec(api)!;
    const methods = [...body!.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm)].map(([, name]) => name!);
    expect(methods.length).toBeGreaterThan(12);
    for (const name of methods) expect(text, name).toContain(`client.${name}`);
  });
});
