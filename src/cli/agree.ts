/**
 * Agree: which files of a put or get may be replaced. What is in the way is found before anything is sent, a person is asked
 * about each of them, and what was agreed to is told in terms of transfers.
 *
 * What holds the same bytes needs no question, and neither does what a cut transfer has left: that has no name yet.
 */
import { join } from 'node:path';
import type { Met, Plan } from '../client/api.ts';
import { printable } from '../printable.ts';
import type { Asking } from './ask.ts';
import type { Work } from './command.ts';
import { formatDate, formatSize, plural } from './measures.ts';

/** A transfer to be made: these sources to that target. */
export interface Leg {
  readonly sources: readonly string[];
  readonly target: string;
  /** Names that are there stay, and `leave` says of which of them that is meant; else they are replaced. */
  readonly leave?: (source: string, path: string) => boolean;
  /** Of each source what may be replaced: what was asked about, or is the same. What comes after the question stays, and is told. */
  readonly replaceable?: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Files that can be told from those that come after the question; with more of them in a folder, what comes then is replaced. */
const MAX_KNOWN = 32_768;

/** A put or get, as far as it says what may be in its way. */
export interface Wish {
  readonly way: 'put' | 'get';
  readonly sources: readonly string[];
  readonly target: string;
  readonly exclude: readonly string[];
  readonly follow: boolean;
  readonly update: boolean;
}

/** What was found of a source, and what was answered about the files in its way. */
export interface Answered {
  readonly plan: Plan;
  readonly agreed: readonly Met[];
  readonly declined: readonly Met[];
}

/** The legs of a put or get after everything was asked; what is left as it is has been told. `heard` is told the answers before anything is sent. */
export async function agree(work: Work, wish: Wish, asking: Asking, heard?: (answered: readonly Answered[]) => void): Promise<Leg[]> {
  const answered = await askAbout(work, wish, asking);
  heard?.(answered);
  return legsOf(wish, answered);
}

/** What is in the way of each source, and whether it may be replaced. A source that fails already was not asked about. */
export async function askAbout(work: Work, { way, sources, target, exclude, follow, update }: Wish, asking: Asking): Promise<Answered[]> {
  const { session, signal } = work;
  const plans = await session.client.plan(way, sources, target, { exclude, follow, update, signal });
  const all: Answered[] = [];
  for (const plan of plans) {
    const { agreed, declined } = plan.failure === undefined ? await askAll(work, way, plan, asking) : { agreed: [], declined: [] };
    all.push({ plan, agreed, declined });
    await sayLeft(work, declined.map(({ path }) => shown(session, way, targetOf(plan, path))));
  }
  return all;
}

function legsOf({ way, sources, target }: Wish, answered: readonly Answered[]): Leg[] {
  const several = sources.length > 1;
  const whole = new Map<string, ReadonlySet<string>>();
  const legs: Leg[] = [];
  for (const { plan, agreed, declined } of answered) {
    const known = new Set([...plan.same, ...agreed.map(({ path }) => path)]);
    // It fails as a transfer too, most likely; if not, nothing may be replaced of what nobody was asked about.
    if (plan.failure !== undefined) legs.push({ sources: [plan.source], target: several ? slashed(target) : target, leave: () => false });
    else if (declined.length === 0 && known.size <= MAX_KNOWN) whole.set(plan.source, known);
    else if (declined.length === 0) legs.push({ sources: [plan.source], target: several ? slashed(target) : target });
    else if (plan.kind === 'folder') legs.push(...apart(way, plan, agreed, declined, target, several));
  }
  // Several went into a folder, and so does the last of them.
  const at = several ? slashed(target) : target;
  return [...(whole.size > 0 ? [{ sources: [...whole.keys()], target: at, replaceable: whole }] : []), ...legs];
}

async function askAll({ session, signal }: Work, way: 'put' | 'get', plan: Plan, asking: Asking): Promise<{ agreed: Met[]; declined: Met[] }> {
  const [agreed, declined]: [Met[], Met[]] = [[], []];
  for (const met of plan.replaced) {
    signal.throwIfAborted();
    const [local, remote] = way === 'put' ? [join(plan.source, met.path), targetOf(plan, met.path)] : [targetOf(plan, met.path), join(plan.source, met.path)];
    // Read on both sides, and only because a person would have to wait for an answer to the question otherwise.
    const same = asking.rest === undefined && met.size === met.there.size && (await session.client.isSame(local, remote, { signal }).catch(() => false));
    const ok = same || (await asking.agrees(question(way, shown(session, way, targetOf(plan, met.path)), met)));
    (ok ? agreed : declined).push(met);
  }
  signal.throwIfAborted();
  return { agreed, declined };
}

function question(way: 'put' | 'get', path: string, { size, there }: Met): string {
  return `replace ${printable(path)}${way === 'put' ? ' on the server' : ' here'}, ${formatSize(there.size)} of ${formatDate(there.mtime)}, with ${formatSize(size)}?`;
}

/** A folder of which some files stay: first all that is not in the way of anything, then each file that was agreed to. */
function apart(way: 'put' | 'get', plan: Plan, agreed: readonly Met[], declined: readonly Met[], target: string, several: boolean): Leg[] {
  const known = new Set([...plan.same, ...agreed.map(({ path }) => path), ...declined.map(({ path }) => path)]);
  const singles = agreed.map(({ path }): Leg => ({ sources: [join(plan.source, path)], target: way === 'put' ? `/${targetOf(plan, path).replace(/^\/+/, '')}` : targetOf(plan, path) }));
  return [{ sources: [plan.source], target: several ? slashed(target) : target, leave: (_, path) => known.has(path) }, ...singles];
}

/** A file below the folder here is named from there. */
function shown({ localFolder }: Work['session'], way: 'put' | 'get', path: string): string {
  return way === 'get' && path.startsWith(`${localFolder}/`) ? path.slice(localFolder.length + 1) : path;
}

function targetOf({ target }: Plan, path: string): string {
  return path === '' ? target : join(target, path);
}

export function slashed(target: string): string {
  return target.endsWith('/') ? target : `${target}/`;
}

/** More names than this are no news. */
const MAX_NAMED = 5;

async function sayLeft({ report }: Work, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  const text = paths.length > MAX_NAMED ? plural(paths.length, 'file') : paths.map((path) => printable(path)).join(', ');
  await report.done(`${text}  left as ${paths.length === 1 ? 'it is' : 'they are'}`, { event: 'left', paths });
}
