/**
 * rclone over sftp, with large requests, many of them, and four streams for a large file it fetches. Its digests are
 * off, because it would start a program on the server for each file. It takes the cipher that the server asks for.
 */
import { join } from 'node:path';
import { versionOf } from '../servers.mjs';
import { overSsh } from './sshd.mjs';

/** @type {import('../measure.mjs').Open} */
export const open = (work, place) => overSsh(work, place, ['rclone'], ({ folder, port, user, host, key, known }) => {
  const flags = ['--sftp-host', host, '--sftp-port', String(port), '--sftp-user', user, '--sftp-key-file', key, '--sftp-known-hosts-file', known,
    '--sftp-chunk-size', '255k', '--sftp-concurrency', '64', '--transfers', '16', '--checkers', '16', '--multi-thread-streams', '4', '--sftp-disable-hashcheck', '--config', '', '--quiet'];
  /** @param {string[]} words @returns {import('../measure.mjs').Command} */
  const rclone = (...words) => ({ argv: place.near(['rclone', ...words, ...flags]) });
  return {
    name: 'rclone', version: versionOf(['rclone', 'version']), remark: 'verifies sizes only',
    put: (source, name) => rclone('copyto', source, `:sftp:${join(folder, name)}`),
    get: (name, into) => rclone('copyto', `:sftp:${join(folder, name)}`, join(into, name)),
    list: (name) => rclone('lsf', `:sftp:${join(folder, name)}`),
  };
});
