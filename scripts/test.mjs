/**
 * `npm test -- [FILTER] [FLAGS]`: installs and builds when needed, then runs vitest with those words. The last line
 * on standard output is always `N passed, N failed`; the exit code is vitest's.
 *
 * A file that does not load and a run that breaks off count as failures, so that `0 failed` is never said of
 * a run in which something went wrong. A secret of a test that stands in what servers and commands wrote, or in the output of
 * the run, is one failure more (`leaks.mjs`). Tests that need programs of the system are left to `scripts/test-system.sh`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findLeaks, leakText } from './leaks.mjs';
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
const traces = join(scratch, 'traces');
const own = join(traces, 'run.out');
mkdirSync(traces);
writeFileSync(own, '{"words":["test"],"stream":"the output of the tests"}\n');
const colour = process.stdout.isTTY ? { FORCE_COLOR: '1' } : {};
const run = spawn(node, [vitest, ...args, ...words], { cwd: root, stdio: ['inherit', 'pipe', 'pipe'], env: { ...process.env, ...colour, WHERRY_TEST_TRACES: traces } });
for (const [from, to] of /** @type {const} */ ([[run.stdout, process.stdout], [run.stderr, process.stderr]])) {
  from.on('data', (/** @type {Buffer} */ chunk) => { appendFileSync(own, chunk); to.write(chunk); });
}
const [status] = /** @type {[number | null]} */ (await once(run, 'close'));

const { secrets, bytes, leaks } = findLeaks(traces);
for (const leak of leaks) process.stdout.write(`leak: ${leakText(leak)}\n`);
process.stdout.write(`secrets: ${secrets} looked for in ${(bytes / 1e6).toFixed(1)} MB that were written, ${leaks.length} found\n`);
const { passed, failed } = count(report, status === 0);
rmSync(scratch, { recursive: true, force: true });
process.stdout.write(`${passed} passed, ${failed + leaks.length} failed\n`);
process.exitCode = leaks.length > 0 ? status || 1 : status ?? 1;
