/** bans: which addresses the server running here does not let in at present, and ending that. */
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import { askServer } from '../server/admin.ts';
import type { Context } from './command.ts';
import { DONE, exitOf } from './exits.ts';
import { Report } from './report.ts';
import { rehearse } from './server-rehearsal.ts';
import { wouldEach } from './would.ts';

/** Every ban, where an address could stand. */
const ALL = 'all';

const OFFENCES: Readonly<Record<string, string>> = {
  credentials: 'wrong keys or tickets', code: 'wrong codes', garbage: 'not our protocol', slow: 'connections that came to nothing', late: 'old tickets or codes', flood: 'too many connections',
};

export async function bans(context: Context, { flags: { state, 'dry-run': isDry }, words }: { flags: { state: string | undefined; 'dry-run': boolean }; words: readonly string[] }): Promise<number> {
  const [action = 'list', ...addresses] = words;
  if (action === 'list' && addresses.length === 0) return listBans(context, state);
  if (action !== 'lift') throw new Failure('USAGE', `bans cannot ${printable(action)}`, { hint: 'bans list, or bans lift ADDRESS' });
  if (addresses.length === 0) throw new Failure('USAGE', 'bans lift needs an address', { hint: 'wherry bans list shows them; all of them: wherry bans lift all' });
  if (isDry) {
    const banned = (await askServer(state, { verb: 'bans list' })).bans.map(({ address }) => address);
    return wouldEach(context, addresses.flatMap((address) => (address === ALL ? banned : [address])), (address) => rehearse(state, { verb: 'bans lift', address }), { verb: 'bans lift', does: 'lift the ban of' });
  }
  const report = new Report(context.terminal, context.settings, 'bans lift');
  for (const address of addresses) {
    try {
      const { lifted } = await askServer(state, { verb: 'bans lift', ...(address !== ALL && { address }) });
      for (const one of lifted) await report.done(`lifted the ban of ${printable(one)}`, { event: 'ban-lifted', address: one });
      if (lifted.length === 0) context.terminal.say('nobody is banned');
    } catch (error) {
      await report.failed(error, address);
    }
  }
  return exitOf(addresses.length, report.failures);
}

async function listBans({ report, terminal, settings }: Context, state: string | undefined): Promise<number> {
  const { bans: running } = await askServer(state, { verb: 'bans list' });
  if (report.json) {
    for (const ban of running) await report.event({ event: 'ban', ...ban });
    return DONE;
  }
  if (running.length === 0 && !settings.quiet) terminal.say('nobody is banned');
  const widest = running.reduce((most, { address }) => Math.max(most, address.length), 0);
  await report.answer(running.map(({ address, until, count, offence }) => {
    return `${printable(address).padEnd(widest)}  until ${until.slice(0, 16).replace('T', ' ')} UTC  ${count === 1 ? 'first time' : `time ${count}`}  ${OFFENCES[offence] ?? printable(offence)}`;
  }), {});
  return DONE;
}
