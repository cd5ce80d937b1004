/**
 * Many connections of one device to one server, and a file over each of them at the same time, by Wherry's own library:
 *
 *     crowd-client.mjs LIBRARY CONNECTIONS put FILE FOLDER-THERE      … get NAME-THERE FOLDER-HERE      … stay
 *
 * All connections stand before the first byte is sent, and stay until the last has arrived; with `stay`, nothing is sent.
 */
import { pathToFileURL } from 'node:url';

/** @typedef {{ failed: number }} Summary @typedef {{ put: (from: string, to: string) => Promise<Summary>, get: (from: string, to: string) => Promise<Summary>, close: () => Promise<void> }} Client */

const [library = '', count = '', way = '', from = '', to = ''] = process.argv.slice(2);
const { connect } = /** @type {{ connect: () => Promise<Client> }} */ (await import(pathToFileURL(library).href));

/** @type {Client[]} */
const clients = [];
// In turn: it is the transfers that shall be at the same time, not the handshakes.
for (let i = 0; i < Number(count); i += 1) clients.push(await connect());
const summaries = await Promise.all((way === 'stay' ? [] : clients).map((client, i) => (way === 'put' ? client.put(from, `${to}/copy-${i}`) : client.get(from, `${to}/copy-${i}`))));
await Promise.all(clients.map((client) => client.close()));
const failed = summaries.reduce((sum, summary) => sum + summary.failed, 0);
if (failed > 0) {
  process.stderr.write(`${failed} of ${count} transfers failed\n`);
  process.exitCode = 1;
}
