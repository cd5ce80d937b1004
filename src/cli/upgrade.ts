/** upgrade: a running server told to leave its place to the version that is installed now; and how such a version is started. */
import { askServer } from '../server/admin.ts';
import type { Upgrade } from '../server/config.ts';
import type { Context } from './command.ts';
import { DONE } from './exits.ts';
import { formatDuration } from './measures.ts';

export async function upgrade({ report }: Context, { flags }: { flags: { state: string | undefined } }): Promise<number> {
  const { pid, version, graceMs } = await askServer(flags.state, { verb: 'upgrade' });
  await report.answer(`version ${version} serves now, as process ${pid}; transfers that run end at the old one, within ${formatDuration(graceMs)}`, { event: 'upgraded', version, pid, graceMs });
  return DONE;
}

/** This very command line again, by the program and the file that are on the disk then; `more` goes to its environment. */
export function againAsTyped(more: () => Readonly<Record<string, string>>): Upgrade {
  return { command: [process.execPath, ...process.execArgv, ...process.argv.slice(1)], env: () => ({ ...process.env, ...more() }) };
}
