/** Preloaded into a process whose memory is measured: at SIGUSR2 it collects its garbage, and says so on standard error. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
/** Also gives back the pages that the heap had while it was larger, where the runtime knows how (Node 24). */
const ALL = { type: 'major', execution: 'sync', flavor: 'last-resort' };
process.on('SIGUSR2', () => {
  collect(ALL);
  // What the first one let go of is freed by the second.
  setImmediate(() => {
    collect(ALL);
    process.stderr.write('garbage collected\n');
  });
});
