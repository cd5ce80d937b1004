/**
 * `npm test -- [FILTER] [FLAGS]`: installs and builds when needed, then runs vitest with those words. The last line
 * on standard output is always `N passed, N failed`; the exit code is vitest's.
 *
 * A file that does not load and a run that breaks off count as failures, so that `0 failed` is never said of
 * a run in which something went wrong. Tests that need programs of the system are left to `scripts/test-system.sh`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { node, prepare, root } from './prepare.mjs';

/** What vitest's JSON report says, as far as it is read here.
 *  @typedef {{ numPassedTests: number, numFailedTests: number,
 *    testResults: { status: string, assertionResults: { status: string }[] }[] }} Report */

/** @param {string} file @param {boolean} ok @returns {{ passed: number, failed: number }} */
function count(file, ok) {
  /** @type {Report} */
  let report;
  try {
    report = /** @type {Report} */ (JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return { passed: 0, failed: 1 }; // no report: the run itself broke
  }
  const unloaded = report.testResults.filter((result) =>
    result.status === 'failed' && !result.assertionResults.some(({ status }) => status === 'failed')).length;
  const failed = report.numFailedTests + unloaded;
  return { passed: report.numPassedTests, failed: ok ? failed : Math.max(1, failed) };
}

// Whoever tests another build (WHERRY_DIST) has made it; compiling `dist` as well would only take time.
if (process.env['WHERRY_DIST'] === undefined) prepare();

const words = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), 'wherry-test-'));
const report = join(scratch, 'report.json');
const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
if (!words.some((word) => word.startsWith('--config'))) args.push('--exclude=test/system/**');
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const { status } = spawnSync(node, [vitest, ...args, ...words], { cwd: root, stdio: 'inherit' });

const { passed, failed } = count(report, status === 0);
rmSync(scratch, { recursive: true, force: true });
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = status ?? 1;
