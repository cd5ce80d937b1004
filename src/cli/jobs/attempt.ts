/**
 * Attempt: one try at a job, over a connection of its own, with the same client as at the prompt. Prints nothing: what
 * there is to say is handed over line by line.
 *
 * The same words again would put a folder that was given a new name into the folder that exists by then. So before
 * anything is sent, a folder is told by what is in it and the place it goes to, which means the same every time. A command that
 * comes to the same place by such words, and one that began there, are known by each other (`naming.ts`).
 */
import { stat } from 'node:fs/promises';
import type { Client, Item, Progress, Remembered, Summary } from '../../client/api.ts';
import { actionAt } from '../../client/action.ts';
import { connect } from '../../client/client.ts';
import { Failure } from '../../errors.ts';
import { baseName, meansContents, resolvePath, ROOT } from '../../path.ts';
import { adviseAt } from '../advice.ts';
import { EXITS, exitOf } from '../exits.ts';
import { Naming } from '../naming.ts';
import { Report } from '../report.ts';
import { reasonOf } from '../signals.ts';
import { late } from '../explained.ts';
import { plural } from '../measures.ts';
import { conditionsOf, type Conditions } from './conditions.ts';
import { closeSoonAfter } from './grace.ts';
import type { Job, Wish } from './job.ts';

/** Of what is in the way of a job, and nobody was asked about. */
const UNASKED = 'nobody could be asked about it: it is left as it is; the same command in the foreground asks, and -y replaces it';

/** As at a terminal: a transfer that is over in a second needs no estimate. */
const COUNT_AFTER_MS = 1000;

export interface Trying {
  readonly home: string | undefined;
  readonly signal: AbortSignal;
  /** What the tries before it have left. */
  readonly remembered: Remembered;
  say(line: string): void;
  onProgress(progress: Progress): void;
  /** Keeps the job's words in the form that means the same every time; resolves when that is on the disk. */
  settle(words: Pick<Wish, 'sources' | 'target'>): Promise<void>;
}

export interface Outcome {
  readonly exit: number;
  /** The one that decides whether to try again: of several the first that may pass. */
  readonly failure: Failure | undefined;
  /** The sources that are not done, as they are in the job by now. */
  readonly left: readonly string[];
}

/** Tries once; never rejects. */
export async function attempt(job: Job, trying: Trying): Promise<Outcome> {
  const { signal, say } = trying;
  const output = { data: async (text: string | Uint8Array) => say(String(text).trimEnd()), say: (line: string) => say(line) };
  const report = new Report(output, { json: false, quiet: false, advise: adviseAt({ place: 'shell', server: job.server }) }, job.verb);
  let left: readonly string[] = job.sources;
  try {
    await using client = await connect({ server: job.server, home: trying.home, signal });
    using _ = closeSoonAfter(signal, () => client);
    const words = await settled(client, job, trying);
    if (words !== undefined) await trying.settle(words);
    left = words?.sources ?? left;
    const told: Promise<void>[] = [];
    const conditions = await conditionsOf(client, { ...job, ...words }, signal, say);
    const summary = await transfer(client, { ...job, ...words }, trying, conditions, (item, typed) => {
      // What was stopped did not fail.
      if (!signal.aborted || item.failure === undefined) told.push(report.item(job.answers === undefined ? item : late(item, UNASKED), typed));
    });
    await Promise.all(told);
    if (conditions.stayed() > 0) say(`${plural(conditions.stayed(), 'file')} left as ${conditions.stayed() === 1 ? 'it is' : 'they are'}`);
    const failures = failuresOf(summary);
    left = summary.items.filter((item) => item.failure !== undefined || item.failed > 0).map(({ source }) => source);
    if (signal.aborted) throw Failure.from(signal.reason);
    const exit = exitOf(job.asked, report.failures);
    await (await Naming.of(trying.home, client, { ...job, ...words })).ended(client, exit, signal);
    return { exit, failure: failures.find(({ retry }) => retry) ?? failures[0], left };
  } catch (error) {
    const failure = reasonOf(error, signal);
    if (!signal.aborted) await report.failed(failure);
    return { exit: EXITS[failure.code], failure, left };
  }
}

function transfer(client: Client, job: Job, { signal, remembered, onProgress }: Trying, { ifAbsent, replaceable, leave }: Conditions, over: (item: Item, typed: string) => void): Promise<Summary> {
  const { sources, target, exclude, follow, update, noSync } = job;
  const typed = new Map(sources.map((source, index) => [source, job.typed[index]!]));
  const onItem = (item: Item): void => over(item, typed.get(item.source) ?? item.source);
  const options = { signal, exclude, follow, update, ifAbsent, replaceable, leave, level: noSync ? 'visible' : 'durable', remembered, onProgress, onItem, countAfter: COUNT_AFTER_MS, action: actionOf(job) } as const;
  return job.verb === 'put' ? client.put(sources, target, options) : client.get(sources, target, options);
}

/** All tries of a job are one action. */
function actionOf(job: Job): string {
  return actionAt(job.created, job.number);
}

/** All that failed. Of a file in a folder no more is known than its code. */
function failuresOf({ items }: Summary): Failure[] {
  return items.flatMap(({ failure, problems }) => [
    ...(failure === undefined ? [] : [failure]),
    ...problems.map(({ code, message, path, who, hint }) => new Failure(code, message, { path, who, hint })),
  ]);
}

type Kind = 'folder' | 'other' | 'none';

/** The job's words in the form that stays true; undefined: they are. Several sources go into a folder that is there, which stays so. */
async function settled(client: Client, { verb, sources, target }: Wish, { home, signal }: Trying): Promise<Pick<Wish, 'sources' | 'target'> | undefined> {
  const [source] = sources;
  if (source === undefined || sources.length > 1 || meansContents(source) || target.endsWith('/')) return undefined;
  const there = async (path: string): Promise<Kind> => kindOf((await client.stat(path, { signal }))?.kind);
  const [from, to] = verb === 'put' ? [hereKind, there] : [there, hereKind];
  if ((await from(source)) !== 'folder') return undefined;
  const naming = await Naming.of(home, client, { verb, sources, target });
  if (naming.goesOn) return { sources: naming.sources, target };
  const kind = await to(target);
  if (kind === 'other') return undefined; // fails, and says why
  const name = verb === 'put' ? source.replace(/\/+$/, '').split('/').at(-1) ?? '' : baseName(resolvePath(ROOT, source));
  if (name === '') return undefined;
  if (kind === 'none') await naming.take();
  return { sources: [`${source.replace(/\/+$/, '')}/.`], target: kind === 'folder' ? `${target.replace(/\/+$/, '')}/${name}` : target };
}

function kindOf(kind: string | undefined): Kind {
  return kind === undefined ? 'none' : kind === 'folder' ? 'folder' : 'other';
}

function hereKind(path: string): Promise<Kind> {
  return stat(path).then((about) => (about.isDirectory() ? 'folder' : 'other'), () => 'none' as const);
}
