/**
 * What one run does, whatever the tool: how the target is prepared, which command is timed, and how the result is
 * looked at afterwards. A wrong copy, or a listing that lacks a name, is a failed run.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * @typedef {import('./measure.mjs').Peer} Peer @typedef {import('./workloads.mjs').Workload} Workload
 * @typedef {'put' | 'get' | 'ls' | 'stay'} Way `stay`: connections, and nothing else.
 * @typedef {object} Task
 * @property {number} bytes As much as it writes.
 * @property {string | undefined} output Where standard output goes, when it is looked at.
 * @property {(peer: Peer) => void} prepare
 * @property {(peer: Peer) => import('./processes.mjs').Command} command
 * @property {(peer: Peer) => string | undefined} fault What is wrong with the result.
 * @property {(peer: Peer) => void} clear Removes the result.
 */

/** Copies a file or folder with all its times, by the system's own tool. @param {string} flags @param {string} from @param {string} to */
function copy(flags, from, to) {
  const { status, stderr } = spawnSync('cp', [flags, from, to], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr.trim());
}

/** Why the copy differs from the original, if it does: names and bytes, by the system's own tools.
 *  @param {string} original @param {string} made @returns {string | undefined} */
export function difference(original, made) {
  const { status, stdout, stderr } = spawnSync('diff', ['-r', '-q', '--no-dereference', original, made], { encoding: 'utf8' });
  return status === 0 ? undefined : `the copy is wrong: ${(stdout + stderr).trim().split('\n', 1)[0] ?? ''}`;
}

/** Where things are. @param {Peer} peer @param {Workload} workload @param {'put' | 'get'} way @param {string} work */
function paths(peer, { name }, way, work) {
  const [served, local] = [join(peer.folder, name), join(work, 'local')];
  return { source: join(work, 'source', name), old: join(work, 'old', name), served, local, made: way === 'put' ? served : join(local, name) };
}

/**
 * Sends or fetches a workload; the target is empty or, where the workload has an older version, holds that. `resume`: goes on with a
 * part. `aside`: a copy of many files is not removed before the case is over. ext4 does not use the number of a removed file again for minutes,
 * and looks past each one, which is dearer than storing a small file: 10,000 took whoever came next twice as long.
 * @param {Workload} workload @param {'put' | 'get'} way @param {string} work @param {{ resume?: boolean, aside?: boolean }} [how] @returns {Task}
 */
export function copyTask(workload, way, work, { resume = false, aside = false } = {}) {
  return {
    bytes: workload.bytes, output: undefined,
    prepare(peer) {
      const { source, old, served, local, made } = paths(peer, workload, way, work);
      mkdirSync(local, { recursive: true });
      // Hard links: the server reads the very same pages for every tool.
      if (way === 'get') copy('-al', source, served);
      // A true copy: some tools write into the file that is there.
      if (workload.old !== undefined) copy('-a', old, made);
    },
    command(peer) {
      const { source, local } = paths(peer, workload, way, work);
      const how = resume ? (peer.resume ?? peer) : peer;
      return way === 'put' ? how.put(source, workload.name) : how.get(workload.name, local);
    },
    fault: (peer) => difference(paths(peer, workload, way, work).source, paths(peer, workload, way, work).made),
    clear(peer) {
      const { served, local, made } = paths(peer, workload, way, work);
      if (aside && workload.files > 1 && existsSync(made)) renameSync(made, join(mkdtempSync(join(work, 'aside-')), workload.name));
      for (const path of [served, local]) rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Lists a folder, the same for all tools, that each of them serves in its turn: a link for each name and tool is more than a memory disk may hold. @param {Workload} workload @param {string} work @returns {Task} */
export function listTask(workload, work) {
  const output = join(work, 'listing');
  return {
    bytes: 0, output,
    prepare(peer) {
      renameSync(join(work, 'source', workload.name), join(peer.folder, workload.name));
    },
    command(peer) {
      if (peer.list === undefined) throw new Error(`${peer.name} cannot list`);
      return peer.list(workload.name);
    },
    fault() {
      // Some tools print whole paths, some repeat the command first.
      const names = new Set(readFileSync(output, 'utf8').split('\n').map((line) => basename(line)).filter((name) => name.startsWith('entry-')));
      return names.size === workload.files ? undefined : `${names.size} of ${workload.files} entries were listed`;
    },
    clear(peer) {
      rmSync(output, { force: true });
      const served = join(peer.folder, workload.name);
      if (existsSync(served)) renameSync(served, join(work, 'source', workload.name));
    },
  };
}

/** Many connections at once, each with a copy of its own of the same file, or with nothing.
 *  @param {Workload} workload @param {'put' | 'get' | 'stay'} way @param {number} connections @param {string} work @returns {Task} */
export function crowdTask(workload, way, connections, work) {
  const source = join(work, 'source', workload.name);
  const local = join(work, 'local');
  /** @param {Peer} peer */
  const target = (peer) => (way === 'put' ? join(peer.folder, 'crowd') : local);
  return {
    bytes: workload.bytes * connections, output: undefined,
    prepare(peer) {
      mkdirSync(target(peer), { recursive: true });
      if (way === 'get') copy('-al', source, join(peer.folder, workload.name));
    },
    command(peer) {
      if (peer.crowd === undefined) throw new Error(`${peer.name} has no program for many connections`);
      if (way === 'stay') return peer.crowd(connections, way, '', '');
      return way === 'put' ? peer.crowd(connections, way, source, 'crowd') : peer.crowd(connections, way, workload.name, local);
    },
    fault(peer) {
      if (way === 'stay') return undefined;
      const faults = Array.from({ length: connections }, (_, i) => difference(source, join(target(peer), `copy-${i}`)));
      return faults.find((fault) => fault !== undefined);
    },
    clear(peer) {
      for (const path of [target(peer), local, join(peer.folder, workload.name)]) rmSync(path, { recursive: true, force: true });
    },
  };
}
