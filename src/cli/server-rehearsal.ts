/** Rehearsal at the server that runs here, for --dry-run of its owner's commands: it does everything but the write, so that what would fail does so with the same words and exit code. */
import { askServer } from '../server/admin.ts';
import type { Rehearsed } from '../server/requests.ts';

/** Throws what the request would fail with. */
export async function rehearse(state: string | undefined, of: Rehearsed): Promise<void> {
  await askServer(state, { verb: 'rehearse', of });
}
