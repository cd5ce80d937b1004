/**
 * Brings a clone into a state where `dist/` can run: dependencies as the lock file says, and a build of the
 * sources as they are now. Both are skipped when nothing has changed since. Plain JavaScript without imports
 * from npm, because on a fresh clone nothing is installed yet.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '..');
/** The command, as built. */
export const main = join(root, 'dist', 'bin', 'wherry.js');

/** The Node that everything is run with: the one that runs npm, because a package may bring another `node` into the
 *  path that npm makes for its scripts. */
export const node = process.env['npm_node_execpath'] ?? process.execPath;
process.env['PATH'] = `${dirname(node)}${delimiter}${process.env['PATH'] ?? ''}`;

/** When `path`, or the newest thing below it, was last changed, in milliseconds since 1970; 0 when it is not there.
 *  Folders count too: their time tells of a file that was removed.
 *  @param {string} path @returns {number} */
function changedAt(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => changedAt(join(path, name))));
}

/** Runs a step; its words go to standard error, so that standard output stays with the command that was asked for.
 *  @param {string} what @param {string} command @param {readonly string[]} args */
function step(what, command, args) {
  process.stderr.write(`${what}\n`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error !== undefined) throw error;
  if (status !== 0) {
    process.stderr.write(`${what.replace(/ …$/, '')}: failed, see above\n`);
    process.exit(status ?? 1);
  }
}

/** Installs what the lock file says, when that has not been done since the lock file changed. */
export function install() {
  const done = changedAt(join(root, 'node_modules', '.package-lock.json'));
  if (done >= changedAt(join(root, 'package-lock.json'))) return;
  // npm names its own script here when it runs us; that works where `npm` is a batch file (Windows), too.
  const npm = process.env['npm_execpath'];
  // Development packages are needed to build, also where NODE_ENV says production.
  const args = ['ci', '--include=dev', '--no-fund', '--no-audit'];
  if (npm !== undefined) step('installing …', node, [npm, ...args]);
  else step('installing …', 'npm', args);
}

/** Compiles `src` to `dist`, bundles the command and makes its manual page. The old build is replaced only by one that compiled. */
export function build() {
  const next = join(root, 'dist-next');
  rmSync(next, { recursive: true, force: true });
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  step('building …', node, [tsc, '-p', 'tsconfig.build.json', '--noEmitOnError', '--outDir', next]);
  step('bundling …', node, [join(root, 'scripts', 'bundle.mjs'), next]);
  step('writing the manual …', node, [join(root, 'scripts', 'man.mjs'), next]);
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  renameSync(next, join(root, 'dist'));
}

/** Installs and builds, each only when needed. */
export function prepare() {
  install();
  const sources = ['src', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
  const changed = Math.max(...sources.map((name) => changedAt(join(root, name))));
  // Every build writes this file anew; its time is that of the build.
  if (changedAt(join(root, 'dist', 'index.js')) < changed) build();
}
