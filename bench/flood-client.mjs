/**
 * An honest client while others flood its server, by Wherry's own library:
 *
 *     flood-client.mjs LIBRARY large SECONDS NAME FOLDER      … small COUNT NAME FOLDER
 *
 * `large` fetches a file again and again over one connection and says the bytes a second of all that; `small` fetches a small one over a connection that
 * stands and over one that it opens for it, in turn, and says how long each took.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** @typedef {{ failed: number, bytes: number }} Summary @typedef {{ get: (from: string, to: string) => Promise<Summary>, close: () => Promise<void> }} Client */

const [library = '', what = '', much = '', name = '', folder = ''] = process.argv.slice(2);
const { connect } = /** @type {{ connect: () => Promise<Client> }} */ (await import(pathToFileURL(library).href));
const target = join(folder, 'fetched');

/** @param {Client} client @returns {Promise<number>} Bytes. */
async function fetch(client) {
  const { failed, bytes } = await client.get(name, target);
  if (failed > 0) throw new Error(`${name} could not be fetched`);
  rmSync(target);
  return bytes;
}

const client = await connect();
if (what === 'large') {
  await fetch(client);
  const began = performance.now();
  let bytes = 0;
  do bytes += await fetch(client); while (performance.now() - began < Number(much) * 1000);
  process.stdout.write(`${JSON.stringify({ rate: bytes / ((performance.now() - began) / 1000) })}\n`);
} else {
  /** @type {number[]} */
  const standing = [];
  /** @type {number[]} */
  const opened = [];
  let refused = 0;
  for (let one = 0; one < Number(much); one += 1) {
    let began = performance.now();
    await fetch(client);
    standing.push(performance.now() - began);
    began = performance.now();
    try {
      const other = await connect();
      await fetch(other);
      await other.close();
      opened.push(performance.now() - began);
    } catch {
      refused += 1;
    }
  }
  process.stdout.write(`${JSON.stringify({ standing, opened, refused })}\n`);
}
await client.close();
