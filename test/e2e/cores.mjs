/** Loaded before a program: it believes to have four processors, and writes at its end how many threads it started, and the most memory it has had (KiB), into the file WHERRY_PEAK names. */
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { isMainThread } from 'node:worker_threads';

os.availableParallelism = () => 4;
syncBuiltinESMExports();

let threads = 0;
if (isMainThread) {
  process.on('worker', () => { threads += 1; });
  process.on('exit', () => appendFileSync(process.env.WHERRY_PEAK, `${threads} ${process.resourceUsage().maxRSS}\n`));
}
