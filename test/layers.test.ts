/**
 * The architecture, as a test: which file may import what, and what only few files may touch.
 *
 * Every import in `src` is read with the compiler's own parser: static, dynamic, `require`, re-exports, and the
 * `new URL('./x.ts', import.meta.url)` by which a worker is named. Type-only imports count as well, but for the
 * contracts. The same checks then run over a small planted tree, where each of them has to find what is wrong.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

/** From the ground up. Units of one layer do not know each other; files of the ground may, as long as there is no cycle. */
const LAYERS: readonly (readonly string[])[] = [
  ['errors', 'path', 'printable', 'entry', 'digest', 'left', 'pack', 'rights', 'identity', 'ticket', 'token', 'password', 'private', 'version', 'keeping', 'secret', 'cpace', 'agreement', 'spoken', 'codewords', 'network', 'allowance', 'allowances', 'suggest', 'amounts', 'braces', 'portable'],
  ['wire', 'store', 'access', 'nearby'],
  ['session', 'drive'],
  ['transfer'],
  ['doors', 'client'],
  ['server'],
  ['cli', 'index'],
];

/** What a unit must not know although it lies below: the two rails, speaking and keeping, meet only where they are joined. */
const BLIND: Readonly<Record<string, readonly string[]>> = {
  session: ['store', 'access'],
  drive: ['wire'],
  transfer: ['drive', 'store', 'access'],
  doors: ['store', 'access'],
  client: ['drive', 'store', 'access'],
  cli: ['wire', 'session', 'transfer', 'store', 'drive', 'doors', 'access'],
};

/** Files of types alone: who needs their words may have them, from any layer above. */
const CONTRACTS = ['store/vault.ts'];

/** One file with a permission its unit does not have, and why. */
const EXCEPTIONS: readonly { readonly file: string; readonly unit: string; readonly why: string }[] = [
  { file: 'client/local.ts', unit: 'store', why: 'the local folder of a transfer is a vault on a disk' },
];

/** What only some files may import; a name ending in `/` stands for all below it. */
const RESERVED: readonly { readonly modules: readonly string[]; readonly to: readonly string[]; readonly why: string }[] = [
  {
    modules: ['fs', 'fs/promises'],
    to: ['store/disk/', 'client/local.ts', 'client/trust.ts', 'access/', 'server/', 'cli/', 'private.ts', 'version.ts'],
    why: 'user data is touched by store/disk and client/local.ts alone; keys, state and settings by their owners',
  },
  {
    modules: ['net', 'tls', 'http', 'https', 'http2', 'dgram', 'multicast-dns'],
    to: ['nearby/multicast.ts', 'session/connection.ts', 'doors/', 'session/inlet.ts', 'client/dial.ts', 'client/reach.ts', 'cli/jobs/channel.ts', 'server/admin.ts', 'server/running.ts', 'server/ports.ts', 'server/handover/successor.ts', 'server/handover/predecessor.ts', 'server/metrics/listener.ts', 'server/service.ts', 'server/workers.ts', 'server/fork.ts', 'server/worker.ts'],
    why: 'nothing else touches a socket; HTTP is for what watches a server alone',
  },
  { modules: ['child_process'], to: ['cli/', 'server/fork.ts', 'server/notify.ts', 'server/handover/successor.ts'], why: 'the product starts no programs but itself, those a person asks for at the prompt, and what speaks to the service manager' },
];

/** Who may write to the terminal. */
const VOICES = ['cli/terminal.ts', 'server/log.ts'];

const MAX_LINES = 300;
/** Files that may be longer, and why. */
const LONG: Readonly<Record<string, string>> = {};

/** Names in those modules that open nothing. */
const PURE = ['isIP', 'isIPv4', 'isIPv6', 'BlockList'];

interface Import {
  readonly target: string;
  readonly typeOnly: boolean;
  /** The names brought in; none where the whole module is. */
  readonly names: readonly string[];
}

/** Path below `src` → text. */
type Tree = ReadonlyMap<string, string>;

function parse(file: string, text: string): ts.SourceFile {
  return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
}

function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  ts.forEachChild(node, (child) => visit(child, see));
}

/** A clause that brings in names for types only: `import type …`, or `import { type A, type B }`. */
function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false; // import './x.ts' runs it
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const names = clause.namedBindings;
  return clause.name === undefined && names !== undefined && ts.isNamedImports(names) && names.elements.every((element) => element.isTypeOnly);
}

function namesOf(clause: ts.ImportClause | undefined): string[] {
  const names = clause?.namedBindings;
  if (names === undefined || !ts.isNamedImports(names) || clause?.name !== undefined) return [];
  return names.elements.map((element) => (element.propertyName ?? element.name).text);
}

function importsOf(file: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (target: ts.Node | undefined, typeOnly: boolean, names: string[] = []): void => {
    if (target !== undefined && ts.isStringLiteralLike(target)) found.push({ target: target.text, typeOnly, names });
  };
  visit(parse(file, text), (node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnly(node.importClause), namesOf(node.importClause));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && loads(node)) add(node.arguments[0], false);
    else if (ts.isNewExpression(node) && namesModule(node)) add(node.arguments?.[0], false);
  });
  return found;
}

/** `import('x')`, `require('x')`, `createRequire(…)('x')`. */
function loads(call: ts.CallExpression): boolean {
  const { expression } = call;
  if (expression.kind === ts.SyntaxKind.ImportKeyword) return true;
  if (ts.isIdentifier(expression)) return expression.text === 'require';
  return ts.isCallExpression(expression) && expression.expression.getText() === 'createRequire';
}

/** `new URL('./x.ts', import.meta.url)`; other files beside the code are no imports. */
function namesModule(node: ts.NewExpression): boolean {
  const [file, base] = node.arguments ?? [];
  return node.expression.getText() === 'URL' && base?.getText() === 'import.meta.url' && /\.[tj]s['"`]$/.test(file?.getText() ?? '');
}

/** The folder of a file, or the name of one that stands directly in `src`. */
function unitOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : file.replace(/\.ts$/, '');
}

function layerOf(unit: string): number {
  return LAYERS.findIndex((units) => units.includes(unit));
}

function resolveIn(file: string, target: string): string | undefined {
  return target.startsWith('.') && !target.endsWith('.json') ? posix.join(posix.dirname(file), target) : undefined;
}

/** What is wrong with one import, if anything. */
function wrong(file: string, target: string, typeOnly: boolean): string | undefined {
  const [from, to] = [unitOf(file), unitOf(target)];
  if (layerOf(from) < 0) return `${file}: "${from}" stands in no layer`;
  if (layerOf(to) < 0) return `${file} imports ${target}, and "${to}" stands in no layer`;
  if (from === to || (layerOf(from) === 0 && layerOf(to) === 0)) return undefined;
  if (layerOf(to) > layerOf(from)) return `${file} imports ${target}, which lies above it`;
  if (layerOf(to) === layerOf(from)) return `${file} imports ${target}, which lies beside it`;
  if (typeOnly && CONTRACTS.includes(target)) return undefined;
  if (EXCEPTIONS.some((exception) => exception.file === file && exception.unit === to)) return undefined;
  return BLIND[from]?.includes(to) === true ? `${file} imports ${target}, which ${from} must not know` : undefined;
}

function layerFaults(tree: Tree): string[] {
  const faults: string[] = [];
  for (const [file, text] of tree) {
    for (const { target, typeOnly } of importsOf(file, text)) {
      const inside = resolveIn(file, target);
      if (inside === undefined) continue;
      const fault = tree.has(inside) ? wrong(file, inside, typeOnly) : `${file} imports ${inside}, which is not there`;
      if (fault !== undefined) faults.push(fault);
    }
  }
  return faults;
}

/** Circles of imports, each as the files along it. */
function cycles(tree: Tree): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, trail: readonly string[]): void => {
    const at = trail.indexOf(file);
    if (at >= 0) found.push([...trail.slice(at), file].join(' → '));
    if (at >= 0 || done.has(file)) return;
    for (const { target } of importsOf(file, tree.get(file) ?? '')) {
      const next = resolveIn(file, target);
      if (next !== undefined && tree.has(next)) walk(next, [...trail, file]);
    }
    done.add(file);
  };
  for (const file of tree.keys()) walk(file, []);
  return found;
}

function matches(file: string, allowed: readonly string[]): boolean {
  return allowed.some((name) => (name.endsWith('/') ? file.startsWith(name) : file === name));
}

function reservedFaults(tree: Tree): string[] {
  const faults: string[] = [];
  for (const [file, text] of tree) {
    for (const { target, names } of importsOf(file, text)) {
      if (names.length > 0 && names.every((name) => PURE.includes(name))) continue;
      for (const { modules, to, why } of RESERVED) {
        if (modules.includes(target.replace(/^node:/, '')) && !matches(file, to)) faults.push(`${file} imports ${target}: ${why}`);
      }
    }
  }
  return faults;
}

/** The npm package a target belongs to; undefined for files and for Node's own modules. */
function packageOf(target: string): string | undefined {
  if (target.startsWith('.') || target.startsWith('node:')) return undefined;
  return target.split('/', target.startsWith('@') ? 2 : 1).join('/');
}

/** Package → the files that import it. */
function packageUsers(tree: Tree): Map<string, string[]> {
  const users = new Map<string, string[]>();
  for (const [file, text] of tree) {
    const names = new Set(importsOf(file, text).map(({ target }) => packageOf(target)));
    for (const name of names) if (name !== undefined) users.set(name, [...(users.get(name) ?? []), file]);
  }
  return users;
}

function voiceFaults(tree: Tree): string[] {
  const faults: string[] = [];
  for (const [file, text] of tree) {
    if (VOICES.includes(file)) continue;
    visit(parse(file, text), (node) => {
      if (!ts.isPropertyAccessExpression(node)) return;
      const said = `${node.expression.getText()}.${node.name.text}`;
      if (/^(process\.(stdout|stderr)|console\.\w+)$/.test(said)) faults.push(`${file} writes to the terminal: ${said}`);
    });
  }
  return faults;
}

function shapeFaults(tree: Tree): string[] {
  const faults: string[] = [];
  for (const [file, text] of tree) {
    // Only the file that is started may have a line before its paragraph: the one that names the interpreter.
    if (!text.replace(/^#!.*\n/, '').startsWith('/**')) faults.push(`${file} does not open with a /** paragraph`);
    const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
    if (lines > MAX_LINES && LONG[file] === undefined) faults.push(`${file} has ${lines} lines, more than ${MAX_LINES}`);
    if (/(^|\/)(utils?|helpers?|common|types|constants|misc)(\.ts|\/)/.test(file)) faults.push(`${file} is named after nothing`);
  }
  return faults;
}

const root = resolve(import.meta.dirname, '..');

function readSources(): Tree {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map((file) => file.replaceAll('\\', '/'));
  return new Map(files.filter((file) => file.endsWith('.ts')).toSorted().map((file) => [file, readFileSync(join(root, 'src', file), 'utf8')]));
}

describe('the sources', () => {
  const sources = readSources();
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };

  test('import downwards, and only what their layer may know', () => {
    expect(layerFaults(sources)).toEqual([]);
  });

  test('import each other in no circle', () => {
    expect(cycles(sources)).toEqual([]);
  });

  test('G: touch files, sockets and other programs only where that is their work', () => {
    expect(reservedFaults(sources)).toEqual([]);
  });

  test.each(Object.keys(dependencies))('import %s in exactly one file', (name) => {
    expect(packageUsers(sources).get(name)).toHaveLength(1);
  });

  test('import no package that is not a dependency', () => {
    expect([...packageUsers(sources).keys()].filter((name) => name !== 'wherry' && !Object.hasOwn(dependencies, name))).toEqual([]); // itself: its version
  });

  test('have one voice at the terminal', () => {
    expect(voiceFaults(sources)).toEqual([]);
  });

  test('open with a paragraph, stay short and are named for what they are', () => {
    expect(shapeFaults(sources)).toEqual([]);
  });
});

describe('the checks find what is wrong in a planted tree', () => {
  const plant = (files: Record<string, string>): Tree => new Map(Object.entries(files));

  test.each([
    ['an import upwards', { 'store/disk.ts': "import { x } from '../session/machine.ts';", 'session/machine.ts': '' }, 'above'],
    ['an import sideways', { 'store/disk.ts': "import { x } from '../wire/frame.ts';", 'wire/frame.ts': '' }, 'beside'],
    ['a re-export upwards', { 'entry.ts': "export * from './drive.ts';", 'drive.ts': '' }, 'above'],
    ['a dynamic import upwards', { 'client/client.ts': "await import('../server/server.ts');", 'server/server.ts': '' }, 'above'],
    ['a type from above', { 'wire/frame.ts': "type T = import('../session/machine.ts').T;", 'session/machine.ts': '' }, 'above'],
    ['a worker from above', { 'store/disk.ts': "new URL('../drive.ts', import.meta.url);", 'drive.ts': '' }, 'above'],
    ['a door that sees the store', { 'doors/native.ts': "import { x } from '../store/disk/disk.ts';", 'store/disk/disk.ts': '' }, 'must not know'],
    ['a value from a contract', { 'doors/native.ts': "import { x } from '../store/vault.ts';", 'store/vault.ts': '' }, 'must not know'],
    ['the store seen by the wrong client file', { 'client/tree.ts': "import { x } from '../store/disk.ts';", 'store/disk.ts': '' }, 'must not know'],
    ['a unit in no layer', { 'stuff/x.ts': "import { x } from '../errors.ts';", 'errors.ts': '' }, 'no layer'],
    ['a file that is not there', { 'drive.ts': "import { x } from './gone.ts';" }, 'not there'],
  ])('%s', (_, files, why) => {
    const faults = layerFaults(plant(files));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(why);
  });

  test.each([
    ['an import downwards', { 'drive.ts': "import { x } from './store/vault.ts';", 'store/vault.ts': '' }],
    ['the types of a contract', { 'doors/native.ts': "import type { x } from '../store/vault.ts';", 'store/vault.ts': '' }],
    ['the types of a contract, one by one', { 'client/client.ts': "import { type X } from '../store/vault.ts';", 'store/vault.ts': '' }],
    ['the local folder', { 'client/local.ts': "import { x } from '../store/disk/disk.ts';", 'store/disk/disk.ts': '' }],
    ['a word that only looks like an import', { 'wire/frame.ts': "const text = \"import { x } from '../cli/main.ts'\"; // import './y.ts'" }],
  ])('but allow %s', (_, files) => {
    expect(layerFaults(plant(files))).toEqual([]);
  });

  test('a circle, and not a diamond', () => {
    expect(cycles(plant({ 'a.ts': "import './b.ts';", 'b.ts': "import './c.ts';", 'c.ts': "import './b.ts';" }))).toEqual(['b.ts → c.ts → b.ts']);
    expect(cycles(plant({ 'a.ts': "import './b.ts'; import './c.ts';", 'b.ts': "import './d.ts';", 'c.ts': "import './d.ts';", 'd.ts': '' }))).toEqual([]);
  });

  test('files and sockets in the wrong hands, with or without the prefix', () => {
    expect(reservedFaults(plant({ 'drive.ts': "import { open } from 'node:fs/promises';", 'wire/frame.ts': "import net from 'net';", 'ticket.ts': "import { connect, isIP } from 'node:net';" }))).toHaveLength(3);
    expect(reservedFaults(plant({ 'store/disk/walk.ts': "import fs from 'node:fs';", 'doors/port.ts': "import { createServer } from 'node:net';", 'ticket.ts': "import { isIP } from 'node:net';" }))).toEqual([]);
  });

  test('every user of a package, also through require', () => {
    const tree = plant({ 'digest.ts': "createRequire(import.meta.url)('@scope/hash/native');", 'pack.ts': "import { x } from '@scope/hash'; import 'node:path';" });
    expect([...packageUsers(tree)]).toEqual([['@scope/hash', ['digest.ts', 'pack.ts']]]);
  });

  test('words to the terminal from elsewhere', () => {
    expect(voiceFaults(plant({ 'drive.ts': "console.log('x'); process.stdout.write('x');", 'cli/terminal.ts': "process.stderr.write('x');" }))).toHaveLength(2);
  });

  test('a file without a paragraph, one that is too long and one with an empty name', () => {
    expect(shapeFaults(plant({ 'drive.ts': '// Drive', 'path.ts': `/** x */\n${'\n'.repeat(MAX_LINES)}`, 'store/utils.ts': '/** x */' }))).toHaveLength(3);
    expect(shapeFaults(plant({ 'cli/main.ts': '#!/usr/bin/env node\n/** x */', 'path.ts': `/** x */\n${'\n'.repeat(MAX_LINES - 1)}` }))).toEqual([]);
  });
});
