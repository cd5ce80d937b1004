/**
 * join: a ticket, however it comes, becomes a server this device knows. The ticket is never needed in the command
 * line, where other users of the machine could read it.
 */
import { join as joinServer } from '../client/client.ts';
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Context } from './command.ts';
import { DONE } from './exits.ts';
import { rightsText } from './help.ts';

/** Longer than any ticket: standard input that holds more is something else. */
const MAX_TICKET_BYTES = 8192;

export async function join(context: Context, { flags, words }: { flags: { as: string | undefined }; words: readonly string[] }): Promise<number> {
  const { settings, signal, report } = context;
  const ticket = await readTicket(context, words);
  const joined = await joinServer({ ticket, as: flags.as, home: settings.home, signal });
  const { name, address, fingerprint, account, rights, isDefault } = joined;
  const at = isDefault ? '' : name;
  const typed = isDefault ? 'wherry' : `wherry connect ${name}`;
  await report.answer([
    `joined ${printable(name)} at ${printable(address)}`,
    `fingerprint ${printable(fingerprint)}`,
    `this device is ${printable(account)} there: ${rightsText(rights)}`,
    `next: ${typed}, or ${rights.includes('create') ? `wherry put FILE ${at}:` : `wherry get ${at}:FILE`}`,
  ], { event: 'joined', name, address, fingerprint, account, rights, default: isDefault });
  return DONE;
}

/** The ticket from the command line, the environment, standard input or a question, in this order. */
async function readTicket({ terminal, settings, signal }: Context, words: readonly string[]): Promise<string> {
  if (words[0] !== undefined) {
    if (!settings.quiet) terminal.say('note: other users of this machine can see a ticket in the command line; "wherry join" alone asks for it');
    return words[0];
  }
  const given = process.env['WHERRY_TICKET'];
  if (given !== undefined && given !== '') return given;
  let text = '';
  if (!terminal.canAsk) text = await terminal.text(MAX_TICKET_BYTES, signal);
  else if (!settings.noInput) text = await terminal.ask('ticket: ');
  if (text.trim() === '') throw new Failure('USAGE', 'there is no ticket', { hint: 'paste the line that "wherry serve" or "wherry invite" printed, or set WHERRY_TICKET' });
  return text.trim();
}
