/**
 * The server of `flood`, by Wherry's own library, because what it is given are limits:
 *
 *     flood-server.mjs LIBRARY FOLDER STATE [NETWORK]
 *
 * Addresses in NETWORK are never banned. Says its address and its first ticket in one line of JSON, the CPU
 * seconds it has taken for each line of its input, and ends with that.
 */
import { pathToFileURL } from 'node:url';

/** @typedef {{ addresses: string[], ticket: string, stop: () => Promise<void> }} Server */

const [library = '', folder = '', state = '', network] = process.argv.slice(2);
const { serve } = /** @type {{ serve: (folder: string, options: object) => Promise<Server> }} */ (await import(pathToFileURL(library).href));
let lines = 0;
const server = await serve(folder, {
  listen: ['127.0.0.1:0'], state, graceMs: 0, limits: { neverBanned: network === undefined ? [] : [network] },
  // Printing costs a real server too.
  onEvent: (/** @type {object} */ event) => { lines += 1; process.stderr.write(`${JSON.stringify(event)}\n`); },
});
process.stdout.write(`${JSON.stringify({ address: server.addresses[0], ticket: server.ticket })}\n`);
process.stdin.on('data', () => {
  const { user, system } = process.cpuUsage();
  process.stdout.write(`${JSON.stringify({ cpu: (user + system) / 1e6 })}\n`);
});
process.stdin.once('end', () => {
  process.stdout.write(`${JSON.stringify({ lines })}\n`);
  void server.stop();
});
