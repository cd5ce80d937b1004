/** metrics and health: what a server that runs on this machine says about itself, asked over its own socket. */
import { askServer } from '../server/admin.ts';
import type { Context } from './command.ts';
import { DONE, EXITS } from './exits.ts';

interface WatchFlags { readonly state: string | undefined }

export async function metrics({ report }: Context, { flags }: { flags: WatchFlags }): Promise<number> {
  const { text } = await askServer(flags.state, { verb: 'metrics' });
  await report.answer(text.trimEnd(), { event: 'metrics', text });
  return DONE;
}

export async function health({ report, settings }: Context, { flags }: { flags: WatchFlags }): Promise<number> {
  const { ready, checks } = await askServer(flags.state, { verb: 'health' });
  const lines = checks.filter(({ ok }) => !ok || !settings.quiet).map(({ name, ok, message }) => `${ok ? 'ok' : 'not ok'}  ${name}: ${message}`);
  await report.answer(lines, { event: 'health', ready, checks });
  return ready ? DONE : EXITS.BUSY;
}
