/**
 * Would: what --dry-run says of the commands on what is known by name, the devices, accounts and tokens of a server or a list of one's
 * own. What would fail fails with the words and the exit code of the command itself.
 */
import { printable } from '../printable.ts';
import type { Context } from './command.ts';
import { DONE, exitOf } from './exits.ts';
import { Report } from './report.ts';

interface Deed {
  /** The command, as it is told with failures. */
  readonly verb: string;
  /** As in `would revoke laptop`. */
  readonly does: string;
}

/** Says of each name what would be done, where that `could` be; the exit code. */
export async function wouldEach({ terminal, settings }: Context, names: readonly string[], could: (name: string) => Promise<void>, { verb, does }: Deed): Promise<number> {
  const report = new Report(terminal, settings, verb);
  for (const name of names) {
    try {
      await could(name);
      await report.answer(`would ${does} ${printable(name)}`, { event: 'planned', verb, name });
    } catch (error) {
      await report.failed(error, name);
    }
  }
  return exitOf(names.length, report.failures);
}

/** Says what would be done of one thing that was looked at already. */
export async function wouldDo({ report }: Pick<Context, 'report'>, verb: string, text: string, about: object): Promise<number> {
  await report.answer(printable(`would ${text}`), { event: 'planned', verb, ...about });
  return DONE;
}
