/**
 * config and reload: the configuration file of a server: whether it is right, what it comes to, what one looks like, and a
 * server that runs told to read its own again. Serves nothing itself.
 */
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import { askServer } from '../server/admin.ts';
import { type Config, resolveConfig } from '../server/config.ts';
import type { Listen } from '../server/listen.ts';
import { checkState, mustStay, otherOwner } from '../server/owners.ts';
import { keyBlamed } from '../server/settings/blame.ts';
import type { Mistake } from '../server/settings/parse.ts';
import { checkFile, mistakeText, readSettings } from '../server/settings/file.ts';
import { exampleFile, settledFile } from '../server/settings/page.ts';
import { settle } from '../server/settings/settle.ts';
import type { Key } from '../server/settings/table.ts';
import type { Context } from './command.ts';
import { DONE, USAGE } from './exits.ts';
import { failureEvent } from './report.ts';
import { fileMeant, givenBy, planFor, type SettingFlags } from './serving.ts';

export interface ConfigFlags extends SettingFlags {
  readonly origin: boolean;
}

export async function config(context: Context, { flags, words }: { flags: ConfigFlags; words: readonly string[] }): Promise<number> {
  const [action, file] = words;
  if (action === 'check') return check(context, flags, await fileMeant(file));
  if (action === 'show') return show(context, flags, file);
  if (action === 'example' && file === undefined) {
    await context.report.answer(exampleFile().trimEnd(), { event: 'example', text: exampleFile() });
    return DONE;
  }
  throw new Failure('USAGE', action === 'example' ? 'config example takes no file: it prints one' : `config cannot ${printable(action ?? '')}`, { hint: 'config check, config show, or config example' });
}

async function check(context: Context, flags: ConfigFlags, file: string): Promise<number> {
  const { values, written, mistakes } = await checkFile(file);
  const given = givenBy(flags, undefined, false);
  if (mistakes.length > 0) return tell(context, file, mistakes);
  let blamed = (_failure: Failure): Key => 'folder';
  try {
    const { dir, options } = planFor(settle(given, { file, values, written }), file);
    blamed = (failure) => keyBlamed(failure, options);
    const whole = await resolveConfig(dir, options);
    await mustStay('the served folder', whole.dir);
    const user = await otherOwner(whole.state);
    await checkState(whole.state, user);
    if (context.settings.json || !context.settings.quiet) await context.report.answer(okLines(file, whole, user), { event: 'ok', file, folder: whole.dir, listen: whole.listen.map(addressOf), state: whole.state, name: whole.name, workers: whole.workers });
    return DONE;
  } catch (error) {
    const failure = Failure.from(error);
    const { message, hint = 'see docs/configuration.md' } = failure;
    return tell(context, file, [{ line: written.get(blamed(failure))?.line ?? 1, column: 1, message, hint }]);
  }
}

/** Each mistake in a line of its own, in the form that editors jump to. */
async function tell({ report, terminal }: Context, file: string, mistakes: readonly Mistake[]): Promise<number> {
  for (const mistake of mistakes) {
    const { line, column, message, hint } = mistake;
    if (report.json) await report.event({ ...failureEvent(new Failure('USAGE', message, { path: file, who: 'here', hint })), line, column });
    else terminal.say(`${mistakeText(file, mistake)}; ${hint}`, true);
  }
  return USAGE;
}

function okLines(file: string, { dir, listen, state, name, workers }: Config, user: number | undefined): string[] {
  return [
    `ok: ${printable(file)}`, `would serve ${printable(dir)}`, ...listen.map((one) => `listening on ${addressOf(one)}`), `as ${name}, with ${workers === 1 ? 'one process' : `${workers} workers`}`,
    user === undefined ? `state in ${printable(state)}` : `state in ${printable(state)}, of the user with number ${user}: the server has to run as that one`,
  ];
}

function addressOf({ host, port }: Listen): string {
  if (host === undefined) return `every address, port ${port}`;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

async function show({ report }: Context, flags: ConfigFlags, file: string | undefined): Promise<number> {
  const given = givenBy(flags, undefined, false);
  const from = await readSettings(await fileMeant(file)).catch((error: unknown) => {
    // Nobody has to have one: then the defaults are what holds.
    if (file === undefined && error instanceof Failure && error.code === 'NOTFOUND') return undefined;
    throw error;
  });
  const { origins } = settle(given, from);
  if (report.json) for (const { key, written, from: origin } of origins) await report.event({ event: 'setting', key, value: written ?? null, from: origin });
  else await report.answer(settledFile(origins, flags.origin), {});
  return DONE;
}

export async function reload({ report }: Context, { flags }: { flags: { state: string | undefined } }): Promise<number> {
  const { changed } = await askServer(flags.state, { verb: 'reload' });
  await report.answer(changed.length === 0 ? 'read again: nothing has changed' : `read again: ${changed.join(', ')}`, { event: 'reloaded', changed });
  return DONE;
}
