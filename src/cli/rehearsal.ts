/**
 * Rehearsal: what --dry-run says. Everything is looked at as the command itself would, nothing is changed on either side, and
 * what can be known to fail fails in the same words and with the same exit code.
 */
import type { Plan } from '../client/api.ts';
import { Failure } from '../errors.ts';
import { displayPath, parentOf, type RemotePath } from '../path.ts';
import { printable } from '../printable.ts';
import { askForTicket, type Right } from '../rights.ts';
import type { Work } from './command.ts';
import { DONE, exitOf } from './exits.ts';
import { formatSize, plural } from './measures.ts';

/** Of the hidden files in one line. */
const MAX_NAMED = 3;

export interface TransferWish {
  readonly way: 'put' | 'get';
  /** As the client knows the sources → as typed. */
  readonly typed: ReadonlyMap<string, string>;
  readonly target: string;
  readonly flags: { readonly exclude: readonly string[]; readonly follow: boolean; readonly update: boolean; readonly 'if-absent': boolean; readonly 'if-match'?: string | undefined };
}

/** A put or get. */
export async function rehearseTransfer(work: Work, { way, typed, target, flags }: TransferWish): Promise<number> {
  const { session, signal, report, settings } = work;
  mustHave(work, way === 'put' ? ['create'] : ['read']);
  const plans = await session.client.plan(way, [...typed.keys()], target, { exclude: flags.exclude, follow: flags.follow, update: flags.update, ifMatch: flags['if-match'], count: true, signal });
  for (const plan of plans) {
    const shown = typed.get(plan.source) ?? plan.source;
    try {
      if (plan.failure !== undefined) throw plan.failure;
      refuse(work, way, plan, flags);
      const { kind, files, bytes, replaced, same, left, dots, refused } = plan;
      await report.answer(planLine(way, plan, shown), { event: 'planned', verb: way, source: shown, target: plan.target, kind, files, bytes, replaced: replaced.length, same: same.length, left: left.length, newDotFiles: dots.files, firstDotFiles: dots.first, refused: refused.names });
      await sayRefused(work, plan, shown);
      if (settings.verbose && !report.json) await report.answer(replaced.map(({ path, size, there }) => `  would replace ${printable(path === '' ? plan.target : path)}, ${formatSize(there.size)}, with ${formatSize(size)}`), {});
    } catch (error) {
      const failure = Failure.from(error);
      // As of an item: a name at the far end says more than the source does.
      const isFar = failure.path !== undefined && failure.path !== plan.source && failure.who === (way === 'get' ? 'here' : 'server');
      await report.failed(failure, isFar ? failure.path : shown);
    }
  }
  return exitOf(typed.size, report.failures);
}

/** `would send photos to /photos: 12 files, 3.4 MiB (1 replaced, 2 there already)`. */
function planLine(way: 'put' | 'get', { kind, target, files, bytes, replaced, same, left, dots }: Plan, shown: string): string {
  if (kind === 'file' && left.length > 0) return `would leave out ${printable(shown)}: ${printable(target)} is not older`;
  const about = [...(replaced.length > 0 ? [`${plural(replaced.length, 'file')} replaced`] : []), ...(same.length > 0 ? [`${plural(same.length, 'file')} the same as there`] : []), ...(left.length > 0 ? [`${plural(left.length, 'file')} left out: not older there`] : []), ...(dots.files > 0 ? [dotsText(dots, target)] : [])];
  const size = kind === 'folder' ? `${plural(files, 'file')}, ${formatSize(bytes)}` : formatSize(bytes);
  return `would ${way === 'put' ? 'send' : 'fetch'} ${printable(shown)} to ${printable(target)}: ${size}${about.length === 0 ? '' : ` (${about.join(', ')})`}`;
}

/** Names that the transfer would fail with, told as it tells them; what else is in the folder would go. */
async function sayRefused({ report }: Work, { refused: { names, first } }: Plan, shown: string): Promise<void> {
  if (names === 0) return;
  for (const name of first) await report.problem(new Failure('BADNAME', 'would be refused: such a name cannot be at the other end', { hint: 'rename it first' }), `${shown.replace(/(?:\/\.?)+$/, '')}/${name}`);
  await report.failed(new Failure('IO', `${plural(names, 'name')} would be refused`, { hint: 'all else would be done' }), shown);
}

/** `2 new dot-files: .profile, .ssh/authorized_keys`: what is hidden is not seen later, and programs read it as their settings. */
function dotsText({ files, first }: Plan['dots'], target: string): string {
  const named = first.slice(0, MAX_NAMED).map((path) => printable(path === '' ? target : path)).join(', ');
  return `${plural(files, 'new dot-file')}: ${named}${files > MAX_NAMED ? ', …' : ''}`;
}

/** Throws what the transfer itself would fail with. */
function refuse(work: Work, way: 'put' | 'get', { kind, files, replaced, same }: Plan, flags: TransferWish['flags']): void {
  const there = replaced.length + same.length;
  const who = way === 'put' ? 'server' : 'here';
  if (flags['if-absent'] && there > 0) throw kind === 'file' || there === files ? new Failure('EXISTS', 'already exists', { who }) : new Failure('IO', `${plural(there, 'file')} would fail: they exist`, { who, hint: 'leave --if-absent out to replace them' });
  if (way === 'put' && there > 0) mustHave(work, ['overwrite']);
}

/** Throws DENIED when the account is known to lack a right. */
export function mustHave({ session }: Pick<Work, 'session'>, needs: readonly Right[]): void {
  const lacking = needs.filter((right) => !session.client.server.rights.includes(right));
  if (lacking.length > 0) throw new Failure('DENIED', `this account lacks the right to ${lacking.join(' and ')}`, { who: 'rule', hint: askForTicket(lacking) });
}

/** Throws when nothing can be made at `path` because of the folder above it. */
export async function mustHaveParent({ session, signal }: Work, path: RemotePath): Promise<void> {
  const parent = parentOf(path);
  if (parent === '') return;
  const found = await session.client.stat(`/${parent}`, { signal });
  if (found === undefined) throw new Failure('NOTFOUND', `there is no folder ${printable(displayPath(parent))}`, { path: displayPath(parent), who: 'server', hint: 'wherry mkdir -p makes those above too' });
  if (found.kind !== 'folder') throw new Failure('NOTDIR', 'not a folder', { path: displayPath(parent), who: 'server' });
}

/** What standard input would become; it is not read. */
export async function rehearseStream(work: Work, target: string, ifAbsent: boolean): Promise<number> {
  mustHave(work, ['create']);
  const there = await work.session.client.stat(target, { signal: work.signal });
  if (there?.kind === 'folder') throw new Failure('ISDIR', 'a folder has this name', { path: target, who: 'server' });
  if (there !== undefined && ifAbsent) throw new Failure('EXISTS', 'already exists', { path: target, who: 'server' });
  await mustHaveParent(work, target.replace(/^\/+/, '') as RemotePath);
  await work.report.answer(`would store standard input as ${printable(target)}${there === undefined ? '' : `, in place of ${formatSize(there.size)}`}`, { event: 'planned', verb: 'put', source: '-', target, kind: 'file', replaced: there === undefined ? 0 : 1 });
  return DONE;
}

/** `files`: the paths of what would be written to standard output → as typed. */
export async function rehearsePour(work: Work, files: ReadonlyMap<string, string>): Promise<number> {
  mustHave(work, ['read']);
  for (const [path, word] of files) {
    const there = await work.session.client.stat(path, { signal: work.signal });
    if (there === undefined) throw new Failure('NOTFOUND', 'no such file or folder', { path, who: 'server' });
    if (there.kind === 'folder') throw new Failure('ISDIR', 'is a folder', { path, who: 'server', hint: 'name a file' });
    await work.report.done(`would write ${printable(word)} to standard output: ${formatSize(there.size)}`, { event: 'planned', verb: 'get', source: word, target: '-', kind: 'file', replaced: 0 });
  }
  return DONE;
}

export async function rehearseMakeFolder(work: Work, parents: boolean, typed: string, path: string): Promise<void> {
  mustHave(work, ['mkdir']);
  const there = await work.session.client.stat(path, { signal: work.signal });
  if (there !== undefined && !(parents && there.kind === 'folder')) throw new Failure('EXISTS', 'already exists', { path, who: 'server' });
  if (!parents) await mustHaveParent(work, path.replace(/^\/+|\/+$/g, '') as RemotePath);
  await work.report.answer(there === undefined ? `would make ${printable(typed)}` : `${printable(typed)} is there already`, { event: 'planned', verb: 'mkdir', path });
}

export async function rehearseChange(work: Work, from: RemotePath, to: RemotePath, replace: boolean): Promise<number> {
  const { session, signal, report } = work;
  mustHave(work, replace ? ['rename', 'overwrite'] : ['rename']);
  if ((await session.client.stat(`/${from}`, { signal })) === undefined) throw new Failure('NOTFOUND', 'no such file or folder', { path: from, who: 'server' });
  const there = await session.client.stat(`/${to}`, { signal });
  if (there !== undefined && !(replace && there.kind === 'file')) throw new Failure(replace ? 'ISDIR' : 'EXISTS', replace ? 'a folder has this name' : 'already exists', { path: to, who: 'server' });
  await mustHaveParent(work, to);
  await report.answer(`would rename ${printable(displayPath(from))} to ${printable(displayPath(to))}${there === undefined ? '' : ', in place of the file that is there'}`, { event: 'planned', verb: 'change', path: `/${from}`, to: `/${to}` });
  return DONE;
}
