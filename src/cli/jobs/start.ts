/**
 * Starting jobs: what was typed becomes a wish that means the same in any folder, and goes to the agent.
 */
import { openHome } from '../../client/trust.ts';
import { Failure } from '../../errors.ts';
import { ROOT } from '../../path.ts';
import { printable } from '../../printable.ts';
import { parseArguments } from '../arguments.ts';
import type { Context, Session, Work } from '../command.ts';
import { remotePath, remoteSource } from '../files.ts';
import { existsHere, isFolderHere, localPath, localSource, startHere } from '../here.ts';
import { promptPlaces, shellPlaces, STANDARD, type Places } from '../places.ts';
import { BACKGROUND, MATCH, TRANSFER } from '../table/transfer-flags.ts';
import { folderIn, withoutExcluded, type TransferFlags } from '../conditions.ts';
import { quoted } from '../script/words.ts';
import { begin, type Terms } from './begin.ts';
import type { Wish } from './job.ts';

type Verb = Wish['verb'];

/** What a wish is made of, beside the command: at the prompt its folders, in the shell those of the process. */
interface Ground extends Pick<Session, 'cwd' | 'localFolder'> {
  readonly server: string;
}

/** What only means something while somebody waits for the end. */
const FOREGROUND = ['if-match', 'failed', 'retry-failed'] as const;

/** The most of a command that is kept to be shown. */
const MAX_WHAT = 200;

/** Makes a job of `verb` with `words` as typed at the prompt, flags included. Throws USAGE for commands that cannot be jobs. */
export async function startJob(work: Work, verb: string, words: readonly string[]): Promise<number> {
  const known = checkedVerb(verb);
  const { values, words: rest } = parseArguments({ ...TRANSFER, ...MATCH, ...BACKGROUND }, words);
  return startParsed(work, known, values, rest, false);
}

/** Throws USAGE. */
export function checkedVerb(verb: string): Verb {
  const known = verb.toLowerCase();
  if (known === 'put' || known === 'get') return known;
  throw new Failure('USAGE', `${printable(verb)} cannot be a job`, { who: 'here', hint: 'put and get can' });
}

/** As `startJob`, of flags that were read, and also where there is no connection. */
export async function startParsed(context: Context, verb: Verb, flags: TransferFlags, words: readonly string[], inLine: boolean): Promise<number> {
  if (words.length === 0) throw new Failure('USAGE', `${verb} needs to know what`, { who: 'here' });
  const into = folderIn(flags);
  const all = into === undefined ? words : [...words, `${into.replace(/\/+$/, '')}/`];
  const places = context.spot.place === 'prompt' ? promptPlaces(verb, all) : shellPlaces(verb, all, existsHere);
  const ground = await groundOf(context, places.server);
  return begin(context, await wishOf(ground, verb, flags, places, inLine), termsOf(flags));
}

/** Makes a job of a command whose places are known; `isAway`: its server does not answer. */
export async function startPlaces(context: Context, verb: Verb, flags: TransferFlags, places: Places, isAway = false): Promise<number> {
  return begin(context, await wishAt(context, verb, flags, places), { ...termsOf(flags), isAway });
}

function termsOf(flags: TransferFlags): Terms {
  return { isDry: flags['dry-run'], isDecided: flags.yes || flags.resume || flags['if-absent'] };
}

export async function wishAt(context: Context, verb: Verb, flags: TransferFlags, places: Places): Promise<Wish> {
  return wishOf(await groundOf(context, places.server), verb, flags, places, false);
}

async function groundOf({ session, settings }: Context, named: string | undefined): Promise<Ground> {
  if (session !== undefined && session.client.server.name !== undefined) return { server: session.client.server.name, cwd: session.cwd, localFolder: session.localFolder };
  const home = await openHome(settings.home);
  const { name } = await home.find(named ?? settings.server ?? (process.env['WHERRY_SERVER'] || undefined));
  return { server: name, cwd: ROOT, localFolder: startHere().localFolder };
}

async function wishOf(ground: Ground, verb: Verb, flags: TransferFlags, { words, local, remote }: Pick<Places, 'words' | 'local' | 'remote'>, inLine: boolean): Promise<Wish> {
  if (process.env['WHERRY_TOKEN']) throw new Failure('USAGE', 'a job signs in with the key of this device, not with a token', { who: 'here', hint: 'unset WHERRY_TOKEN, or run it without & or --background' });
  const foreign = FOREGROUND.find((flag) => flags[flag] !== undefined);
  if (foreign !== undefined) throw new Failure('USAGE', `--${foreign} does not go with a job`, { who: 'here', hint: inLine ? 'leave out the word queue' : 'leave out the & or --background' });
  if (local.includes(STANDARD)) throw new Failure('USAGE', 'standard input and output stay with the terminal, and cannot be a job', { who: 'here', hint: 'name a file' });
  const typed = await withoutExcluded(flags, verb === 'put' ? local : remote, (word) => verb === 'get' || isFolderHere(ground, word));
  const [to] = verb === 'put' ? remote : local;
  return {
    verb, server: ground.server, typed: typed.map((word) => printable(word)),
    sources: typed.map((word) => (verb === 'put' ? localSource(ground, word) : remoteSource(ground, word))),
    target: verb === 'put' ? remotePath(ground, to === undefined || to === '' ? './' : to) : localPath(ground, to ?? './'),
    exclude: flags.exclude, follow: flags.follow, update: flags.update, ifAbsent: flags['if-absent'], noSync: flags['no-sync'],
    what: [verb, ...words].map((word) => quoted(printable(word))).join(' ').slice(0, MAX_WHAT), inLine,
  };
}
