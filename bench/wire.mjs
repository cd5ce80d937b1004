/**
 * Bytes on the wire for a change: every tool once through a proxy that counts, untimed, against the bytes that changed. Counted
 * are both directions of what TLS or SSH put into the connection, handshake included; headers of TCP and IP are not.
 */
import { start } from './processes.mjs';
import { copyTask } from './tasks.mjs';
import { openTools } from './tools.mjs';

/** @typedef {import('./runner.mjs').Stage} Stage @typedef {import('./places.mjs').CountingPlace} CountingPlace @typedef {import('./measure.mjs').Peer} Peer */

/** One run through the proxy. @param {Peer} peer @param {import('./tasks.mjs').Task} task @param {CountingPlace} place @returns {Promise<{ bytes: number, fault: string | undefined }>} */
export async function countedRun(peer, task, place) {
  await place.passed(true);
  const end = await start(task.command(peer)).ended;
  const { up, down } = await place.passed();
  return { bytes: up + down, fault: end.code === 0 ? task.fault(peer) : `exit code ${end.code}: ${end.words.trim()}` };
}

/** @param {Stage} stage @param {Peer} peer @param {'put' | 'get'} way @param {CountingPlace} place */
async function wireOf({ one, work, context }, peer, way, place) {
  const { workload } = one;
  const blocks = workload.old?.bytes(context.blockBytes) ?? workload.bytes;
  const task = copyTask(workload, way, work);
  task.clear(peer);
  task.prepare(peer);
  const { bytes, fault } = await countedRun(peer, task, place);
  task.clear(peer);
  const facts = /** @type {const} */ ({ kind: 'figure', run: context.log.run, suite: context.suite, id: one.id, place: place.name, title: workload.title, way, tool: peer.name, fault });
  // The goal is that of the tool that is judged.
  const most = peer.name === context.subject && context.fullSize ? one.wire : undefined;
  context.log.add({ ...facts, what: 'bytes on the wire', value: bytes, unit: 'bytes', most: undefined });
  context.log.add({ ...facts, what: 'bytes on the wire for each byte that changed', value: bytes / (workload.old?.bytes(1) ?? bytes), unit: 'times', most: undefined });
  context.log.add({ ...facts, what: `bytes on the wire for each byte of the blocks that changed (${context.blockBytes} bytes a block)`, value: bytes / blocks, unit: 'times', most });
  context.say(`  ${way} ${workload.title}: ${peer.name} ${fault ?? `${(bytes / (1 << 20)).toFixed(2)} MiB on the wire`}`);
}

/** @param {Stage} stage @param {CountingPlace} place Closed here. */
export async function wireCase(stage, place) {
  try {
    const tools = await openTools(stage.names, stage.work, place, 'changed', stage.skip);
    try {
      for (const way of /** @type {const} */ (['put', 'get'])) {
        if (!stage.one.ways.includes(way) || (stage.context.way !== undefined && stage.context.way !== way)) continue;
        for (const peer of [tools.subject, ...tools.peers]) if (peer !== undefined) await wireOf(stage, peer, way, place);
      }
    } finally {
      await tools.close();
    }
  } finally {
    await place.close();
  }
}
