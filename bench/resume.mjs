/**
 * Going on after a cut at half: a transfer runs through a proxy that counts, and when half of the file has passed, either
 * the connection is broken or the client is killed with -9. Then the same is asked for again. Bytes sent again are
 * those of both attempts less those of a transfer that nobody disturbed. Nothing here is timed.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { counting } from './places.mjs';
import { start } from './processes.mjs';
import { median } from './statistics.mjs';
import { copyTask } from './tasks.mjs';
import { openTools } from './tools.mjs';
import { countedRun } from './wire.mjs';

/** @typedef {import('./runner.mjs').Stage} Stage @typedef {import('./places.mjs').CountingPlace} CountingPlace @typedef {import('./measure.mjs').Peer} Peer */
/** @typedef {'cut' | 'kill'} Harm */

const TIMES = 3;

/** A transfer that is harmed at half. @param {Stage} stage @param {Peer} peer @param {'put' | 'get'} way @param {Harm} harm @param {CountingPlace} place
 *  @returns {Promise<{ bytes: number, whole: boolean }>} Whether the tool came to its end all the same. */
async function harmed({ one, work }, peer, way, harm, place) {
  await place.passed(true);
  const client = start(copyTask(one.workload, way, work).command(peer));
  const reached = place.cutAt(way === 'put' ? 'up' : 'down', one.workload.bytes / 2, harm === 'kill' ? client.kill : undefined);
  await Promise.race([reached, client.ended]);
  const { code } = await client.ended;
  const { up, down } = await place.passed();
  return { bytes: up + down, whole: code === 0 };
}

/** @param {Stage} stage @param {Peer} peer @param {'put' | 'get'} way @param {Harm} harm @param {CountingPlace} place @returns {Promise<{ again: number, fault: string | undefined }>} */
async function once(stage, peer, way, harm, place) {
  const { one, work } = stage;
  const [task, goOn] = [copyTask(one.workload, way, work), copyTask(one.workload, way, work, { resume: true })];
  task.clear(peer);
  task.prepare(peer);
  const whole = await countedRun(peer, task, place);
  task.clear(peer);
  if (whole.fault !== undefined) return { again: 0, fault: whole.fault };
  task.prepare(peer);
  const first = await harmed(stage, peer, way, harm, place);
  // A tool that goes on by itself has nothing left to do.
  const second = first.whole ? { bytes: 0, fault: task.fault(peer) } : await countedRun(peer, goOn, place);
  task.clear(peer);
  return { again: first.bytes + second.bytes - whole.bytes, fault: second.fault };
}

/** @param {Stage} stage @param {Peer} peer @param {'put' | 'get'} way @param {CountingPlace} place */
async function allOf(stage, peer, way, place) {
  const { one, context } = stage;
  for (const harm of /** @type {const} */ (['cut', 'kill'])) {
    /** @type {{ again: number, fault: string | undefined }[]} */
    const done = [];
    for (let i = 0; i < (context.pairs ?? TIMES); i += 1) done.push(await once(stage, peer, way, harm, place));
    const fault = done.find((result) => result.fault !== undefined)?.fault;
    const value = median(done.map(({ again }) => again));
    const what = `bytes sent again, after ${harm === 'cut' ? 'the connection broke' : 'the client was killed'} at half`;
    context.log.add({
      kind: 'figure', run: context.log.run, suite: context.suite, id: one.id, place: place.name, title: one.workload.title, way, tool: peer.name, what, value, unit: 'bytes',
      most: peer.name === context.subject && context.fullSize ? one.again?.[harm] : undefined, fault,
    });
    context.say(`  ${way} ${one.workload.title}: ${peer.name}, ${what}: ${fault ?? `${(value / (1 << 20)).toFixed(2)} MiB`}`);
  }
}

/** @param {Stage} stage */
export async function resumeCase(stage) {
  const place = counting(stage.place);
  try {
    const tools = await openTools(stage.names, stage.work, place, 'resume', stage.skip);
    try {
      for (const way of /** @type {const} */ (['put', 'get'])) {
        if (stage.context.way !== undefined && stage.context.way !== way) continue;
        for (const peer of [tools.subject, ...tools.peers]) if (peer !== undefined) await allOf(stage, peer, way, place);
      }
    } finally {
      await tools.close();
    }
  } finally {
    rmSync(join(stage.work, 'local'), { recursive: true, force: true });
    await place.close();
  }
}
