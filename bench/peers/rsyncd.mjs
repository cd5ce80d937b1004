/** rsync's own daemon, without ssh. Everything is in the clear and nobody has to prove who they are, so its figures stand apart. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { find, freePort, lacking, startServer, versionOf } from '../servers.mjs';
import { flags } from './rsync.mjs';

/** @type {import('../measure.mjs').Open} */
export const open = async (work, place, purpose) => {
  const no = lacking(['rsync']);
  if (no !== undefined) return no;
  const [folder, config] = [join(work, 'served'), join(work, 'rsyncd.conf')];
  mkdirSync(folder);
  // It becomes nobody otherwise, who may not write here.
  const root = process.getuid?.() === 0 ? ['uid = root', 'gid = root'] : [];
  writeFileSync(config, [...root, 'use chroot = no', 'reverse lookup = no', '[m]', `path = ${folder}`, 'read only = no', ''].join('\n'));
  const listening = await freePort();
  const port = await place.door(listening);
  const server = await startServer(place, [find('rsync') ?? '', '--daemon', '--no-detach', `--config=${config}`, `--address=${place.host}`, `--port=${listening}`], listening, join(work, 'log'));
  if ('skipped' in server) return server;
  const [rsync, url] = [['rsync', ...flags(place, purpose)], `rsync://${place.host}:${port}/m/`];
  return {
    name: 'rsyncd', version: versionOf(['rsync', '--version']), remark: 'IN THE CLEAR; verifies what it transferred, xxh128', flushes: true, folder, ...server,
    put: (source) => ({ argv: place.near([...rsync, source, url]) }),
    get: (name, into) => ({ argv: place.near([...rsync, url + name, `${into}/`]) }),
  };
};
