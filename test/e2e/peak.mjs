/** Loaded before a program: at its end it writes the most memory the process has had (KiB) into the file WHERRY_PEAK names. */
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) process.on('exit', () => appendFileSync(process.env.WHERRY_PEAK, `${process.resourceUsage().maxRSS}\n`));
