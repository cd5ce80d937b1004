/** `node scripts/man.mjs DIST`: makes the manual page DIST/man/wherry.1 from the table of commands that was built there. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const dist = resolve(process.argv[2] ?? 'dist');
/** @param {string} file @returns {Promise<Record<string, unknown>>} */
const load = async (file) => /** @type {Record<string, unknown>} */ (await import(pathToFileURL(join(dist, 'cli', file)).href));
const { COMMANDS } = await load('commands.js');
const { manPage } = /** @type {{ manPage(commands: unknown): string }} */ (await load('manual/page.js'));

mkdirSync(join(dist, 'man'), { recursive: true });
writeFileSync(join(dist, 'man', 'wherry.1'), manPage(COMMANDS));
