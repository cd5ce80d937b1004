/**
 * Wherry, used as a person uses it: the built command serves a folder, this device joins it once, and every
 * transfer is a command of its own, with all its start-up. `--no-sync`, because the tools it is compared with do not
 * flush to the disk either; every byte is verified, as always.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { node } from '../../scripts/prepare.mjs';

const main = resolve(import.meta.dirname, '..', '..', process.env['WHERRY_DIST'] ?? 'dist', 'cli', 'main.js');

/** The first line of `serve --json`. @param {import('node:stream').Readable} output @returns {Promise<{ ticket: string }>} */
async function listening(output) {
  for await (const line of createInterface(output)) return /** @type {{ ticket: string }} */ (JSON.parse(line));
  throw new Error('the server ended before it listened');
}

/** @param {string} work A folder of the benchmark's own. @returns {Promise<import('../measure.mjs').Peer | { skipped: string }>} */
export async function open(work) {
  if (!existsSync(main)) return { skipped: `${main} is not built; run: npm run build` };
  const [home, folder] = [join(work, 'wherry'), join(work, 'wherry-served')];
  mkdirSync(home, { mode: 0o700 });
  mkdirSync(folder);
  const server = spawn(node, [main, 'serve', folder, '--listen', '127.0.0.1:0', '--state', join(home, 'server'), '--json'],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, WHERRY_HOME: join(home, 'server-home') } });
  const { ticket } = await listening(server.stdout);
  // Nobody reads on; what the server says later must not fill the pipe and stop it.
  server.stdout.resume();

  const env = { WHERRY_HOME: join(home, 'device') };
  const joined = spawnSync(node, [main, 'join'], { env: { ...process.env, ...env, WHERRY_TICKET: ticket }, encoding: 'utf8' });
  if (joined.status !== 0) {
    server.kill();
    throw new Error(`wherry join: ${joined.stderr.trim()}`);
  }
  /** @param {string[]} words @returns {import('../measure.mjs').Command} */
  const wherry = (...words) => ({ argv: [node, main, ...words, '--no-sync'], env });
  const versions = [[main, '--version'], ['--version']].map((args) => spawnSync(node, args, { encoding: 'utf8' }).stdout.trim());
  return {
    name: 'wherry', version: versions.join(' on Node '), folder, pid: server.pid ?? 0,
    put: (source) => wherry('put', source, ':'),
    get: (name, into) => wherry('get', `:${name}`, into),
    async close() {
      const ended = new Promise((done) => { server.once('exit', done); });
      if (server.kill()) await ended;
    },
  };
}
