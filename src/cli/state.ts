/**
 * State: the folder of this device for what it has done, as history and jobs, beside its keys where a home is named. Names a place;
 * whoever writes there makes it.
 */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Absolute. `home` as for the client: a folder that was named, else $WHERRY_HOME, else `wherry` in the XDG state folder. */
export function stateFolder(home: string | undefined): string {
  const { WHERRY_HOME: named, XDG_STATE_HOME: state } = process.env;
  return resolve((home ?? named) || join(state || join(homedir(), '.local', 'state'), 'wherry'));
}
