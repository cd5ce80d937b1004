/**
 * The tables of `docs/configuration.md`, made from the table of settings that servers run on. `node scripts/configuration-doc.mjs`
 * writes them into the page, between its markers; a test calls `generate` and fails when the page is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { argv, env } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
export const PAGE = join(root, 'docs', 'configuration.md');

/** `page` with what is between its markers made anew. @param {string} page @param {string} build the folder of the built modules @returns {Promise<string>} */
export async function generate(page, build) {
  const { documentation } = /** @type {{ documentation(): string }} */ (await import(pathToFileURL(join(build, 'server', 'settings', 'page.js')).href));
  const marked = /(<!-- generated -->\n)[^]*?(<!-- end -->)/;
  if (!marked.test(page)) throw new Error('docs/configuration.md has no place for the tables');
  return page.replace(marked, (_all, /** @type {string} */ head, /** @type {string} */ tail) => `${head}\n${documentation()}\n\n${tail}`);
}

if (argv[1] !== undefined && resolve(argv[1]) === fileURLToPath(import.meta.url)) {
  writeFileSync(PAGE, await generate(readFileSync(PAGE, 'utf8'), resolve(root, env['WHERRY_DIST'] ?? 'dist')));
}
