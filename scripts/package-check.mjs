/**
 * `npm run package-check`: packs what would be published and looks at it as its users will: `publint` and `attw` on
 * the tarball, then an installation of it into an empty project, from which the library is imported and
 * the command is run. Needs a build; leaves nothing behind.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { node, prepare, root } from './prepare.mjs';

/** Bytes. A package of ours is code and prose: more means that something was packed that should not be. */
const MAX_TARBALL_BYTES = 1 << 20;

/** Runs one check in the folder `cwd`; the first that fails ends the whole.
 *  @param {string} cwd @param {string} command @param {readonly string[]} args */
function check(cwd, command, args) {
  process.stdout.write(`$ ${command} ${args.join(' ')}\n`);
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${command} ${args[0] ?? ''} failed${error === undefined ? '' : `: ${error.message}`}`);
}

/** @param {string} scratch An empty folder. */
function checkPackage(scratch) {
  check(root, 'npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', scratch]);
  const name = readdirSync(scratch).find((file) => file.endsWith('.tgz'));
  if (name === undefined) throw new Error('npm pack made no tarball');
  const tarball = join(scratch, name);
  const { size } = statSync(tarball);
  if (size > MAX_TARBALL_BYTES) throw new Error(`the tarball has ${size} bytes, more than ${MAX_TARBALL_BYTES}`);

  check(root, 'npx', ['--no-install', 'publint', tarball, '--strict']);
  check(root, 'npx', ['--no-install', 'attw', tarball, '--profile', 'esm-only']);

  const project = join(scratch, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n');
  // Without install scripts: nothing we depend on may need one.
  check(project, 'npm', ['install', '--silent', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', tarball]);
  check(project, node, ['--input-type=module', '--eval',
    "const { connect, serve } = await import('wherry'); if (typeof connect !== 'function' || typeof serve !== 'function') process.exit(1);"]);
  check(project, 'npx', ['--no-install', 'wherry', '--version']);
}

prepare();
const scratch = mkdtempSync(join(tmpdir(), 'wherry-package-'));
try {
  checkPackage(scratch);
} catch (error) {
  process.stderr.write(`package-check: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
