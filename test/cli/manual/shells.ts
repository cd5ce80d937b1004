/** The command under its own name, for shells that complete it. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MAIN, type Rig } from '../../e2e/rig.ts';

/** A search path on which `wherry` is the build that is tested. */
export async function wherryInPath(rig: Rig): Promise<string> {
  const folder = join(rig.folder, 'bin');
  await mkdir(folder, { recursive: true });
  const program = join(folder, 'wherry');
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  await chmod(program, 0o755);
  return `${folder}:${process.env['PATH'] ?? ''}`;
}
