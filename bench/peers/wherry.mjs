/**
 * Wherry, used as a person uses it: the built command serves a folder, this device joins it once, and every
 * transfer is a command of its own, with all its start-up. `--no-sync` where the tools it is compared with do not
 * flush to the disk either; every byte is verified, as always.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { node, root } from '../../scripts/prepare.mjs';
import { own, versionOf } from '../servers.mjs';

const dist = resolve(root, process.env['WHERRY_DIST'] ?? 'dist');
const main = join(dist, 'bin', 'wherry.js');

/** More than the largest crowd has, and all come from one address. */
const CONNECTIONS = 1100;

/** The first line of `serve --json`. @param {import('node:stream').Readable} output @returns {Promise<{ ticket: string, address: string }>} */
async function listening(output) {
  for await (const line of createInterface(output)) return /** @type {{ ticket: string, address: string }} */ (JSON.parse(line));
  throw new Error('the server ended before it listened');
}

/** Joins at the server's own port, then dials the door from now on. @param {import('../places.mjs').Place} place @param {string} home @param {{ ticket: string, address: string }} server */
async function enrol(place, home, { ticket, address }) {
  const [program = '', ...args] = place.near([node, main, 'join']);
  const joined = spawnSync(program, args, { env: { ...process.env, WHERRY_HOME: home, WHERRY_TICKET: ticket }, encoding: 'utf8' });
  if (joined.status !== 0) throw new Error(`wherry join: ${joined.stderr.trim()}`);
  const port = Number(/\d+$/.exec(address)?.[0]);
  const [book, door] = [join(home, 'servers.json'), await place.door(port)];
  if (door !== port) writeFileSync(book, readFileSync(book, 'utf8').replace(`"port": ${port}`, `"port": ${door}`), { mode: 0o600 });
}

/** @type {import('../measure.mjs').Open} */
export const open = async (work, place) => {
  if (!existsSync(main)) return { skipped: `${main} is not built; run: npm run build` };
  const [folder, home] = [join(work, 'served'), join(work, 'device')];
  mkdirSync(folder);
  const settings = join(work, 'wherry.toml');
  writeFileSync(settings, `ticket = "rw"\n[limits]\nmax_connections = ${CONNECTIONS}\nmax_connections_per_address = ${CONNECTIONS}\n`);
  const [program = '', ...args] = place.far([node, main, 'serve', folder, '--listen', `${place.host}:0`, '--state', join(work, 'server'), '--config', settings, '--json']);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, WHERRY_HOME: join(work, 'server-home') } });
  const server = own(child);
  try {
    const first = await listening(child.stdout);
    // Nobody reads on; what the server says later must not fill the pipe and stop it.
    child.stdout.resume();
    await enrol(place, home, first);
  } catch (error) {
    await server.close();
    throw error;
  }
  /** @param {string[]} words @returns {import('../measure.mjs').Command} */
  const wherry = (...words) => ({ argv: place.near([node, main, ...words]), env: { WHERRY_HOME: home } });
  const flush = place.durable ? [] : ['--no-sync'];
  return {
    name: 'wherry', version: `${versionOf([node, main, '--version'])} on Node ${versionOf([node, '--version'])}`, remark: 'verifies everything at both ends, BLAKE3', flushes: true, folder, ...server,
    put: (source) => wherry('put', source, ':', ...flush),
    get: (name, into) => wherry('get', `:${name}`, into, ...flush),
    list: (name) => wherry('ls', '-1', `:${name}`),
    crowd: (connections, direction, source, into) => ({
      argv: place.near([node, join(import.meta.dirname, '..', 'crowd-client.mjs'), join(dist, 'index.js'), String(connections), direction, source, into]), env: { WHERRY_HOME: home },
    }),
  };
};

/** Bytes of the blocks by which it finds out what changed in a file of up to 1 GiB, as the build has them. @returns {Promise<number>} */
export async function blockBytes() {
  const rolling = /** @type {{ blockFor(size: number): number | undefined }} */ (await import(join(dist, 'transfer', 'rolling.js')));
  return rolling.blockFor(2 ** 30) ?? 0;
}
