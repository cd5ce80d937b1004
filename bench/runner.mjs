/**
 * One case from its start to its end: the place is made, the data, the tools; every way against every peer; and all of it
 * is gone afterwards, whatever happened. What cannot be done here is skipped by name with its reason.
 */
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { leave } from './cleanup.mjs';
import { comparisons } from './comparisons.mjs';
import { compare } from './measure.mjs';
import { counting, openPlace } from './places.mjs';
import { resumeCase } from './resume.mjs';
import { copyTask, crowdTask, listTask } from './tasks.mjs';
import { openTools } from './tools.mjs';
import { wireCase } from './wire.mjs';
import { describe } from './words.mjs';

/** @typedef {import('./suites.mjs').Case} Case @typedef {import('./places.mjs').Place} Place @typedef {import('./measure.mjs').Peer} Peer */
/** @typedef {object} Context
 *  @property {import('./lines.mjs').Log} log @property {(line: string) => void} say
 *  @property {string} suite @property {string} subject
 *  @property {readonly string[] | undefined} peers Instead of those of the case. @property {number | undefined} pairs
 *  @property {string | undefined} way Only this one. @property {boolean} fullSize Whether goals can be judged.
 *  @property {import('./places.mjs').Choices} choices @property {number} blockBytes Of the blocks by which Wherry finds what changed. */
/** @typedef {{ one: Case, place: Place, work: string, names: { subject: string, peers: readonly string[] }, context: Context, skip: import('./tools.mjs').Skip }} Stage */

const DEFAULT_PAIRS = 7;
/** The source, the older version the target holds, what a tool makes beside it; or the source and what warming writes. @param {number} bytes */
const spaceFor = (bytes) => bytes * 4;

/** @param {Stage} stage */
function need({ one, place, work }) {
  const { bavail, bsize } = statfsSync(work);
  const needed = spaceFor(one.workload.bytes * (one.connections ?? 1));
  return bavail * bsize < needed ? `${place.base} has too little room: ${needed} bytes are needed` : undefined;
}

/** @param {Stage} stage @param {import('./tasks.mjs').Way} way */
function taskFor({ one, place, work }, way) {
  if (way === 'ls') return listTask(one.workload, work);
  if (one.connections !== undefined) return crowdTask(one.workload, way, one.connections, work);
  if (way === 'stay') throw new Error('only a crowd stays');
  return copyTask(one.workload, way, work, { aside: place.durable });
}

/** @param {Case} one @param {import('./tasks.mjs').Way} way */
function titleOf({ workload, connections }, way) {
  if (connections === undefined) return workload.title;
  return way === 'stay' ? `with ${connections} connections` : `${workload.title} over each of ${connections} connections`;
}

/** @param {Stage} stage @param {import('./tasks.mjs').Way} way @param {Peer} subject @param {Peer | undefined} peer @returns {import('./lines.mjs').Facts} */
function factsOf({ one, place, context }, way, subject, peer) {
  const { workload, connections } = one;
  const [unit, amount] = way === 'stay' || (way === 'ls' && workload.files < 1000) ? [/** @type {const} */ ('s'), 0]
    : [workload.unit, (workload.unit === 'MB/s' ? workload.bytes / 1e6 : workload.files) * (connections ?? 1)];
  return {
    suite: context.suite, id: one.id, title: titleOf(one, way),
    place: place.name, placeTitle: place.title, way, unit, amount, subject: subject.name, peer: peer?.name,
    goal: context.fullSize && peer !== undefined ? one.goals?.[peer.name] : undefined, alarm: context.fullSize ? one.alarm : undefined, limits: one.limits ?? {}, growth: one.growth,
  };
}

/** Why a peer cannot be compared here, if so. @param {Stage} stage @param {import('./tasks.mjs').Way} way @param {Peer} peer */
function cannot({ one, place }, way, peer) {
  if (way === 'ls' && peer.list === undefined) return 'it has no listing of names alone';
  if (peer.filesOnly === true && one.workload.files > 1) return 'it sends single files only';
  // What is flushed and what is not are never in one table.
  return place.durable && peer.flushes !== true ? 'it cannot flush to the disk' : undefined;
}

/** @param {Stage} stage @param {import('./tools.mjs').Tools} tools */
async function compareAll(stage, { subject, peers }) {
  const { one, work, context, skip } = stage;
  const { log, say } = context;
  if (subject === undefined) return;
  for (const way of one.ways) {
    if (context.way !== undefined && context.way !== way) continue;
    for (const peer of one.peers.length === 0 ? [undefined] : peers) {
      const facts = factsOf(stage, way, subject, peer);
      const lack = peer === undefined ? undefined : cannot(stage, way, peer);
      if (lack !== undefined) { skip(`${facts.peer}, ${way}, ${one.id}`, lack); continue; }
      /** @type {import('./lines.mjs').PairLine[]} */
      const lines = [];
      await compare({
        subject, peer, task: taskFor(stage, way), work, pairs: context.pairs ?? one.pairs ?? DEFAULT_PAIRS,
        onPair(pair, discarded) {
          const line = /** @type {const} */ ({ kind: 'pair', run: log.run, facts, discarded, pair });
          lines.push(line);
          log.add(line);
        },
      });
      for (const done of comparisons(lines)) say(`\n${describe(done).join('\n')}`);
    }
  }
}

/** Says once which tools there are, and keeps it. @param {Context} context @param {import('./tools.mjs').Tools} tools */
export function announce({ log, say }, { subject, peers }) {
  for (const { name, version, remark } of [subject, ...peers].filter((tool) => tool !== undefined)) {
    if (log.all.some((line) => line.kind === 'tool' && line.name === name && line.version === version)) continue;
    say(`${name}: ${version}`);
    log.add({ kind: 'tool', run: log.run, name, version, remark });
  }
}

/** Servers for counting come after the others are gone: whatever runs beside a timed run is part of it. @param {Stage} stage */
async function perform(stage) {
  const { one, place, work, names, context, skip } = stage;
  if (one.kind === 'resume') return resumeCase(stage);
  const tools = await openTools(names, work, place, one.workload.old === undefined ? 'fresh' : 'changed', skip);
  try {
    announce(context, tools);
    await compareAll(stage, tools);
  } finally {
    await tools.close();
  }
  if (one.wire !== undefined) await wireCase(stage, counting(place));
}

/** A folder for everything of one case, on the file system that is meant. @param {Place} place @param {(work: string) => Promise<void>} action */
async function inFolder(place, action) {
  const work = mkdtempSync(join(place.base, 'wherry-bench-'));
  // Servers that are being ended may still write.
  const remove = () => rmSync(work, { recursive: true, force: true, maxRetries: 10 });
  const gone = leave(remove);
  try {
    for (const folder of ['source', 'old']) mkdirSync(join(work, folder));
    await action(work);
  } finally {
    remove();
    gone();
  }
}

/** @param {Case} one @param {Context} context */
export async function runCase(one, context) {
  /** @param {string} what @param {string} why */
  const skip = (what, why) => {
    context.say(`skipped: ${what}: ${why}`);
    context.log.add({ kind: 'skipped', run: context.log.run, what, why });
  };
  const place = await openPlace(one.where, context.choices);
  if ('skipped' in place) return skip(`${one.id}, ${JSON.stringify(one.where)}`, place.skipped);
  context.say(`\n== ${one.id}: ${place.title}`);
  try {
    await inFolder(place, async (work) => {
      const stage = { one, place, work, names: { subject: context.subject, peers: one.peers.length === 0 ? [] : (context.peers ?? one.peers) }, context, skip };
      const lack = need(stage);
      if (lack !== undefined) return skip(`${one.id}, ${one.workload.title}`, lack);
      one.workload.make(join(work, 'source'));
      one.workload.old?.make(join(work, 'old'));
      await perform(stage);
    });
  } finally {
    await place.close();
  }
}
