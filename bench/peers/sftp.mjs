/** OpenSSH's `sftp`, with its own sizes of requests and windows. It verifies nothing and does not flush to the disk unless told. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { overSsh } from './sshd.mjs';

/** Quotes a path for sftp's batch language. @param {string} path */
function quote(path) {
  return `"${path.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** @type {import('../measure.mjs').Open} */
export const open = (work, place) => overSsh(work, place, ['sftp'], ({ home, folder, options, port, user, host, version }) => {
  /** @param {string} line @returns {import('../measure.mjs').Command} */
  const batch = (line) => {
    writeFileSync(join(home, 'batch'), `${line}\n`);
    return { argv: place.near(['sftp', ...options, '-P', String(port), '-b', join(home, 'batch'), `${user}@${host}`]), says: line };
  };
  const flush = place.durable ? ' -f' : '';
  return {
    name: 'sftp', version, remark: 'verifies nothing', flushes: true,
    put: (source) => batch(`put -r${flush} ${quote(source)} ${quote(folder)}`),
    get: (name, into) => batch(`get -r${flush} ${quote(join(folder, name))} ${quote(into)}`),
    list: (name) => batch(`ls -1 ${quote(join(folder, name))}`),
    resume: {
      put: (source, name) => batch(`reput ${quote(source)} ${quote(join(folder, name))}`),
      get: (name, into) => batch(`reget ${quote(join(folder, name))} ${quote(join(into, name))}`),
    },
  };
});
