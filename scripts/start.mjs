/**
 * `npm start -- [DIR] [FLAGS]`: installs and builds when needed, then runs `wherry serve` with those words. Without a DIR
 * it serves the folder `share`, as `share.mjs` says.
 *
 * A signal reaches the server exactly once. A ^C comes to every process of the terminal, and npm hands it on to
 * us a second time, which the server would take for "stop now". So the server runs in a process group of its
 * own, and a signal that repeats within a moment is passed on once. A SIGTERM to npm, on the other hand, ends the
 * shell between npm and us and no more; that our parent is gone is then the signal. The server's exit code becomes ours.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { main, node, prepare } from './prepare.mjs';
import { wordsFor } from './share.mjs';

/** Milliseconds: well above the distance of the terminal's signal and npm's copy, well below a second press of ^C. */
const SAME_SIGNAL_MS = 100;
/** Milliseconds between looks at whether npm is still there. */
const PARENT_MS = 250;

prepare();

const parent = process.ppid;
const server = spawn(node, [main, 'serve', ...await wordsFor(process.argv.slice(2))], { stdio: 'inherit', detached: true });

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  let last = -Infinity;
  process.on(signal, () => {
    const now = performance.now();
    if (now - last > SAME_SIGNAL_MS) server.kill(signal);
    last = now;
  });
}

// Started without npm, the parent may leave: that is how a program is put into the background.
if (process.env['npm_lifecycle_event'] !== undefined) {
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    server.kill('SIGTERM');
  }, PARENT_MS);
  watch.unref();
}

server.on('error', (error) => {
  process.stderr.write(`the server did not start: ${error.message}\n`);
  process.exitCode = 1;
});
server.on('exit', (code, signal) => {
  // 128 + number is what a shell reports for a process that a signal ended.
  process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
});
