/**
 * rsync over ssh. Fresh copies are whole files, which is its quickest way; where the target holds an older version it
 * looks for what changed. It verifies each file that it transferred (xxh128 in these versions). `--fsync` where durable.
 */
import { join } from 'node:path';
import { versionOf } from '../servers.mjs';
import { overSsh } from './sshd.mjs';

/** Flags of both ways to run it. @param {import('../places.mjs').Place} place @param {import('../measure.mjs').Purpose} purpose */
export function flags(place, purpose) {
  return ['-a', purpose === 'fresh' ? '--whole-file' : '--no-whole-file', ...(purpose === 'resume' ? ['--partial'] : []), ...(place.durable ? ['--fsync'] : [])];
}

/** @type {import('../measure.mjs').Open} */
export const open = (work, place, purpose) => overSsh(work, place, ['rsync'], ({ folder, ssh, user, host }) => {
  const rsync = ['rsync', ...flags(place, purpose), '-e', ssh];
  return {
    name: 'rsync', version: versionOf(['rsync', '--version']), remark: 'verifies what it transferred, xxh128', flushes: true,
    put: (source) => ({ argv: place.near([...rsync, source, `${user}@${host}:${folder}/`]) }),
    get: (name, into) => ({ argv: place.near([...rsync, `${user}@${host}:${join(folder, name)}`, `${into}/`]) }),
  };
});
