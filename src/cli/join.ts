/**
 * join: a ticket or a spoken code, however it comes, becomes a server this device knows. The ticket is never needed in the command
 * line, where other users of the machine could read it; a code may stand there, since it is gone once it is used.
 */
import { join as joinServer } from '../client/client.ts';
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import { CODE_WORDS } from '../codewords.ts';
import { isCode, parseCode } from '../spoken.ts';
import { decodeTicket } from '../ticket.ts';
import type { Context } from './command.ts';
import { DONE } from './exits.ts';
import { rightsText } from './help.ts';
import { closest } from '../suggest.ts';

/** Longer than any ticket: standard input that holds more is something else. */
const MAX_TICKET_BYTES = 8192;

export async function join(context: Context, { flags, words }: { flags: { as: string | undefined }; words: readonly string[] }): Promise<number> {
  const { settings, signal, report } = context;
  const ticket = await readTicket(context, words);
  const joined = await joinServer({ ticket, as: flags.as, home: settings.home, signal });
  const { name, address, fingerprint, account, rights, isDefault, before } = joined;
  const at = isDefault ? '' : name;
  const typed = isDefault ? 'wherry' : `wherry connect ${name}`;
  await report.answer([
    `joined ${printable(name)} at ${printable(address)}${knownAs(name, before)}`,
    `fingerprint ${printable(fingerprint)}`,
    `this device is ${printable(account)} there: ${rightsText(rights)}`,
    `next: ${typed}, or ${rights.includes('create') ? `wherry put FILE ${at}:` : `wherry get ${at}:FILE`}`,
  ], { event: 'joined', name, address, fingerprint, account, rights, default: isDefault });
  return DONE;
}

/** The key decides that it is the same server, whatever the ticket and the name say. */
function knownAs(name: string, before: string | undefined): string {
  if (before === undefined) return '';
  return before === name ? `, already known as ${printable(name)}` : `, known as ${printable(before)} until now`;
}

/** The ticket from the command line, the environment, standard input or a question, in this order. */
async function readTicket({ terminal, settings, signal, report }: Context, words: readonly string[]): Promise<string> {
  if (words[0] !== undefined) {
    if (isCode(words[0])) return checked(words.join(' '));
    if (words.length > 1) throw new Failure('USAGE', 'a ticket is one word, and a code begins with a number', { hint: 'for example: wherry join 7-crater-lantern' });
    if (!settings.quiet) terminal.say('note: other users of this machine can see a ticket in the command line; "wherry join" alone asks for it');
    return words[0];
  }
  const given = process.env['WHERRY_TICKET'];
  if (given !== undefined && given !== '') return isCode(given) ? checked(given) : given;
  let text = '';
  if (!terminal.canAsk) text = await terminal.text(MAX_TICKET_BYTES, signal);
  else if (!settings.noInput) text = await askForTicket({ terminal, report, signal });
  if (text.trim() === '') throw new Failure('USAGE', 'there is no ticket', { hint: 'paste the line that "wherry serve" or "wherry invite" printed, or set WHERRY_TICKET' });
  return isCode(text) ? checked(text.trim()) : text.trim();
}

/** What is typed is judged at once. Throws CANCELLED for ^C. */
async function typed(terminal: Context['terminal']): Promise<string> {
  const { NOTHING_TYPED, press, typedRows } = await import('./meet/typing.ts');
  const { styleText } = await import('node:util');
  let typing = NOTHING_TYPED;
  await terminal.fill(
    (text, key) => {
      typing = press(typing, text, key);
      return typing.ended !== undefined;
    },
    (width, isColoured) => typedRows(typing, width, (wrong) => (isColoured ? styleText('red', wrong) : wrong)),
  );
  if (typing.ended === 'left') throw new Failure('CANCELLED', 'nothing was joined', { who: 'here' });
  return typing.text;
}

/** The code as it was typed, when it can be one. Throws USAGE, with the word that was meant. */
function checked(text: string): string {
  try {
    parseCode(text);
    return text;
  } catch (error) {
    const failure = Failure.from(error);
    const near = failure.path === undefined ? undefined : closest(failure.path, CODE_WORDS);
    if (failure.path === undefined) throw failure;
    throw new Failure(failure.code, failure.message, { who: 'here', hint: near === undefined ? 'look at the code on the server again' : `did you mean ${near}?` });
  }
}

/** Asks until what was typed is a ticket or a code: a wrong group is named, nothing is dialled, and an empty line gives up. */
async function askForTicket({ terminal, report, signal }: Pick<Context, 'terminal' | 'report' | 'signal'>): Promise<string> {
  for (;;) {
    const text = terminal.canRedraw ? await typed(terminal) : await terminal.ask('ticket or code: ', signal);
    if (text.trim() === '') return '';
    try {
      if (isCode(text)) return checked(text);
      decodeTicket(text);
      return text;
    } catch (error) {
      if (report.json) throw error;
      const { message, hint } = Failure.from(error);
      terminal.say(`join: ${message}${isCode(text) && hint !== undefined ? ` (${hint})` : ''}; type it again, or nothing to leave`, true);
    }
  }
}
