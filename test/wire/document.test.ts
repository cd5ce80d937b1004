import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { MESSAGES } from '../../src/wire/messages.ts';

const root = resolve(import.meta.dirname, '../..');

test('docs/protocol.md has the tables and diagrams of this version (else run scripts/protocol-doc.mjs)', async () => {
  const { generate, PAGE } = await import(pathToFileURL(resolve(root, 'scripts/protocol-doc.mjs')).href) as { generate(page: string, build: string): Promise<string>; PAGE: string };
  const page = readFileSync(PAGE, 'utf8');
  const made = await generate(page, resolve(root, process.env['WHERRY_DIST'] ?? 'dist'));
  expect(made).toBe(page);
  for (const kind of Object.keys(MESSAGES)) expect(page).toMatch(new RegExp(`^#### .* ${kind}( \\(bulk\\))?$`, 'm'));
});
