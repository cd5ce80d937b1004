/** The part of the heap for what soon dies stays small in a process that serves, also after a thread of it has started. */
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const YOUNG = pathToFileURL(resolve(import.meta.dirname, '../../dist/server/young.js')).href;

/** Prints how many MiB it took for objects of which the last 200,000 are alive. */
const SCRIPT = `
import { getHeapSpaceStatistics } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { keepYoungSmall } from ${JSON.stringify(YOUNG)};
keepYoungSmall();
const worker = new Worker('require("node:worker_threads").parentPort.once("message", () => {})', { eval: true, execArgv: [] });
worker.once('online', () => setImmediate(() => {
  const alive = new Array(200_000);
  for (let at = 0; at < 4e6; at += 1) alive[at % alive.length] = { at, and: [at] };
  console.log(getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space').physical_space_size / 2 ** 20);
  process.exit();
}));
`;

test('it does not grow', () => {
  expect(Number(execFileSync(process.execPath, ['--input-type=module', '--eval', SCRIPT], { encoding: 'utf8' }))).toBeLessThan(8);
});
