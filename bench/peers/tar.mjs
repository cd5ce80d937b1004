/** `tar` into `ssh` into `tar`: one stream without answers, what people reach for when there are many files. It verifies nothing and flushes nothing. */
import { basename, dirname } from 'node:path';
import { versionOf } from '../servers.mjs';
import { overSsh } from './sshd.mjs';

/** @type {import('../measure.mjs').Open} */
export const open = (work, place) => overSsh(work, place, ['tar'], ({ folder, options, port, user, host, version }) => {
  const ssh = ['ssh', ...options, '-p', String(port), `${user}@${host}`];
  /** Words after the script are its arguments; `"${@:3}"` is ssh. @param {string} script @param {string[]} words */
  const shell = (script, ...words) => ({ argv: place.near(['bash', '-o', 'pipefail', '-c', script, ...words, ...ssh]) });
  return {
    name: 'tar', version: `${versionOf(['tar', '--version'])}, ${version}`, remark: 'verifies nothing',
    put: (source) => shell(`tar -C "$1" -cf - "$2" | "\${@:3}" "tar -C '${folder}' -xf -"`, 'tar', dirname(source), basename(source)),
    get: (name, into) => shell(`"\${@:3}" "tar -C '${folder}' -cf - '$2'" | tar -C "$1" -xf -`, 'tar', into, name),
  };
});
