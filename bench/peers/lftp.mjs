/** lftp over sftp: eight files at a time, four parts of a large file that it fetches. It verifies nothing and flushes nothing. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { versionOf } from '../servers.mjs';
import { overSsh } from './sshd.mjs';

/** @param {string} path */
function quote(path) {
  return `"${path.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** @type {import('../measure.mjs').Open} */
export const open = (work, place) => overSsh(work, place, ['lftp'], ({ folder, options, port, user, host }) => {
  const program = ['ssh', '-a', '-x', ...options].join(' ');
  /** @param {string} what @returns {import('../measure.mjs').Command} */
  const lftp = (what) => {
    const script = `set cmd:fail-exit yes; set net:max-retries 1; set sftp:connect-program ${quote(program)}; open sftp://${user}:none@${host}:${port}; ${what}; bye`;
    return { argv: place.near(['lftp', '--norc', '-c', script]) };
  };
  return {
    name: 'lftp', version: versionOf(['lftp', '--version']).replace(/ \| Copyright.*/, ''), remark: 'verifies nothing',
    put: (source, name) => lftp(statSync(source).isDirectory()
      ? `mirror -R -P 8 ${quote(source)} ${quote(join(folder, name))}` : `put ${quote(source)} -o ${quote(join(folder, name))}`),
    get: (name, into) => lftp(statSync(join(folder, name)).isDirectory()
      ? `mirror -P 8 ${quote(join(folder, name))} ${quote(join(into, name))}` : `pget -n 4 ${quote(join(folder, name))} -o ${quote(join(into, name))}`),
    list: (name) => lftp(`cls -1 ${quote(join(folder, name))}`),
  };
});
