/** OpenSSH's `scp`, which since 9.0 speaks sftp. It verifies nothing and flushes nothing. */
import { join } from 'node:path';
import { overSsh } from './sshd.mjs';

/** @type {import('../measure.mjs').Open} */
export const open = (work, place) => overSsh(work, place, ['scp'], ({ folder, options, port, user, host, version }) => {
  const scp = ['scp', ...options, '-r', '-P', String(port)];
  return {
    name: 'scp', version, remark: 'verifies nothing',
    put: (source) => ({ argv: place.near([...scp, source, `${user}@${host}:${folder}/`]) }),
    get: (name, into) => ({ argv: place.near([...scp, `${user}@${host}:${join(folder, name)}`, `${into}/`]) }),
  };
});
