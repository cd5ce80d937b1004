/**
 * Modes: what chmod understands, octal as 640 and symbolic as u+x,go-w. Pure, but for the command itself. Only the nine
 * bits of reading, writing and running exist here: the server sets no others.
 */
import { Failure } from '../errors.ts';
import type { Kind } from '../entry.ts';
import { printable } from '../printable.ts';
import type { Work } from './command.ts';
import { each, mustStat } from './files.ts';
import { mustHave } from './rehearsal.ts';

const ALL = 0o777;
const WHO: Readonly<Record<string, number>> = { u: 0o700, g: 0o070, o: 0o007, a: 0o777 };
const CLAUSE = /^([ugoa]*)((?:[-+=][rwxX]*)+)$/;

/** What a mode as typed makes of the mode of something. Throws USAGE. */
export function modeFrom(typed: string): (mode: number, kind: Kind) => number {
  if (/^[0-7]{3,4}$/.test(typed)) {
    const mode = Number.parseInt(typed, 8);
    if ((mode & ~ALL) !== 0) throw bits(typed);
    return () => mode;
  }
  const clauses = typed.split(',').map((clause) => readClause(clause, typed));
  return (mode, kind) => clauses.reduce((now, clause) => clause(now, kind), mode);
}

function readClause(clause: string, typed: string): (mode: number, kind: Kind) => number {
  if (/[st]/.test(clause.replace(/^[ugoa]*/, ''))) throw bits(typed);
  const match = CLAUSE.exec(clause);
  if (match === null) throw new Failure('USAGE', `${printable(typed)} is not a mode`, { hint: 'write it as 640, u+x or go-w' });
  const who = match[1] === '' ? ALL : [...match[1]!].reduce((sum, letter) => sum | WHO[letter]!, 0);
  const steps = [...match[2]!.matchAll(/([-+=])([rwxX]*)/g)].map(([, sign, letters]) => ({ sign, letters: letters! }));
  return (mode, kind) => steps.reduce((now, { sign, letters }) => {
    const bitsOf = who & [...letters].reduce((sum, letter) => sum | bitOf(letter, now, kind), 0);
    return sign === '+' ? now | bitsOf : sign === '-' ? now & ~bitsOf : (now & ~who) | bitsOf;
  }, mode);
}

/** `X` is running where it makes sense: of folders, and of what somebody may run already. */
function bitOf(letter: string, mode: number, kind: Kind): number {
  if (letter === 'r') return 0o444;
  if (letter === 'w') return 0o222;
  return letter === 'x' || kind === 'folder' || (mode & 0o111) !== 0 ? 0o111 : 0;
}

function bits(typed: string): Failure {
  return new Failure('USAGE', `${printable(typed)} sets more than reading, writing and running`, { hint: 'set-user-id, set-group-id and the sticky bit are never set on the server; write it as 640 or u+x' });
}

export async function changeMode(work: Work, { flags, words, remote }: { flags: { recursive: boolean; 'dry-run': boolean }; words: readonly string[]; remote: readonly string[] }): Promise<number> {
  const modeOf = modeFrom(words[0]!);
  return each(work, remote, async (typed, path) => {
    mustHave(work, ['setattr']);
    const { mode: before, kind } = await mustStat(work, path);
    if (flags.recursive && kind === 'folder') return (await import('./mode-tree.ts')).changeTree(work, { typed, path, before, modeOf, dry: flags['dry-run'] });
    const mode = modeOf(before, kind);
    if (flags['dry-run']) return work.report.answer(`would change the mode of ${printable(typed)} from ${octal(before)} to ${octal(mode)}`, { event: 'planned', verb: 'chmod', path, mode: octal(mode) });
    await work.session.client.setAttributes(path, { signal: work.signal, mode });
    await work.report.done(`changed the mode of ${printable(typed)} to ${octal(mode)}`, { event: 'changed', path, mode: octal(mode) });
  });
}

function octal(mode: number): string {
  return mode.toString(8).padStart(3, '0');
}
