/** A local attacker, run as a process: swaps the folder `argv[2]` for a link to `argv[3]` and back until it is killed. */
import { renameSync, symlinkSync, unlinkSync } from 'node:fs';

const [, , folder, outside] = process.argv;
process.stdout.write('ready\n');
for (;;) {
  try {
    renameSync(folder, `${folder}.away`);
    symlinkSync(outside, folder);
    unlinkSync(folder);
    renameSync(`${folder}.away`, folder);
  } catch {
    // A victim made or removed something in between: put the folder back and go on.
    try { unlinkSync(folder); } catch { /* it is no link */ }
    try { renameSync(`${folder}.away`, folder); } catch { /* it is there */ }
  }
}
