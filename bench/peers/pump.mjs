/**
 * A bare pump: one file from Node over `node:tls` into Node, a digest at both ends, and nothing else. No rights, no
 * staging, no resume, no names to check. It is what Node's TLS can do at best on this machine, one file at a time.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { node } from '../../scripts/prepare.mjs';
import { freePort, lacking, startServer, versionOf } from '../servers.mjs';

const program = join(import.meta.dirname, 'pump', 'pump.mjs');

/** @type {import('../measure.mjs').Open} */
export const open = async (work, place) => {
  const no = lacking(['openssl']);
  if (no !== undefined) return no;
  const folder = join(work, 'served');
  mkdirSync(folder);
  const [key, cert] = [join(work, 'key.pem'), join(work, 'cert.pem')];
  spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=bench', '-keyout', key, '-out', cert]);
  const listening = await freePort();
  const port = await place.door(listening);
  const server = await startServer(place, [node, program, 'serve', place.host, String(listening), key, cert], listening, join(work, 'log'));
  if ('skipped' in server) return server;
  /** @param {string[]} words @returns {import('../measure.mjs').Command} */
  const pump = (...words) => ({ argv: place.near([node, program, ...words, place.host, String(port), cert]) });
  return {
    name: 'pump', version: `Node ${versionOf([node, '--version'])}`, remark: 'digest at both ends, BLAKE3; nothing else', filesOnly: true, folder, ...server,
    put: (source, name) => pump('put', source, join(folder, name)),
    get: (name, into) => pump('get', join(folder, name), join(into, name)),
  };
};
