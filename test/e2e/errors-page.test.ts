/**
 * docs/errors.md: every code of the closed list, as a person and as a program meets it. Each is provoked (`situations.ts`), and its part
 * of the page is compared with what was told; `KEEP_SCREENS=1` writes the page anew. What this machine cannot provoke is skipped by name.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXITS } from '../../src/cli/exits.ts';
import { EXIT_MEANINGS } from '../../src/cli/manual/topics.ts';
import { CODES, Failure, type Code } from '../../src/errors.ts';
import { meetAll, type Meetings, type Met, Stand } from './situations.ts';
import { failureOf } from './traces.ts';

const PAGE = resolve(import.meta.dirname, '../../docs/errors.md');
const KEEPS = process.env['KEEP_SCREENS'] === '1';
const ALL = Object.keys(CODES) as Code[];

const PREFACE = `# Errors

Every failure has a code of this closed list. Programs read the code (\`--json\`, or \`Failure.code\` in the library), scripts the exit code,
people the message and the hint behind it. *Again*: whether the same command may succeed unchanged. The examples are what the program
said; a test brings each of them about and compares. Ports, fingerprints, free space and the folder here are replaced by words.

A code says what happened; there may be other messages with the same code, and \`who\` says whose side it was. \`INTERNAL\` is never the
fault of what was typed: it is a mistake in Wherry, and no command is known that meets one, so its example comes from a server made to have one.
`;

let stand: Stand;
let meetings: Meetings;
let page: string;
beforeAll(async () => {
  page = await readFile(PAGE, 'utf8');
  stand = await Stand.open();
  meetings = meetAll(stand);
});
afterAll(async () => {
  await Promise.allSettled(meetings.values());
  await stand[Symbol.asyncDispose]();
});

/** What differs from one run to the next, as words. */
function steady(text: string): string {
  return text.replaceAll(/sha256:[\w-]+/g, 'sha256:FINGERPRINT').replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT').replaceAll(stand.main.local, '/home/me').replaceAll(/\/[^\s"]*\/state\b/g, '/var/lib/wherry')
    .replaceAll(/\bhas \d+ bytes free/g, 'has FREE bytes free').replaceAll(/\b[A-Z]+\.tar-\d/g, 'photos.tar').trimEnd();
}

/** Its part of a page that was written before. */
function kept(code: Code): string {
  return new RegExp(`^## ${code}\n[^]*?(?=\n## |$(?![^]))`, 'm').exec(page)?.[0] ?? '';
}

function partOf(code: Code, { how, typed, text, json }: Met): string {
  const told = failureOf(json);
  expect([told.code, told.exit, json.code, text.code], `${typed}\n${json.stdout}${text.stderr}`).toEqual([code, EXITS[code], EXITS[code], EXITS[code]]);
  const lead = how === undefined ? '' : `${how}\n\n`;
  const again = new Failure(code, '').retry ? 'yes' : 'no';
  return `## ${code}\n\nExit code ${EXITS[code]} (${EXIT_MEANINGS.get(EXITS[code])}). Again: ${again}.\n\n${lead}\`\`\`\n$ ${steady(typed)}\n${steady(text.stderr)}\n${steady(JSON.stringify(told))}\n\`\`\`\n`;
}

test.for(ALL)('%s is told as docs/errors.md says', { timeout: 60_000 }, async (code, { skip }) => {
  const meeting = meetings.get(code);
  if (meeting === undefined) return skip(code === 'NOSPACE' ? 'no file of 15 TiB can be made on this disk' : 'there is no /proc here');
  const part = partOf(code, await meeting);
  if (!KEEPS) expect(kept(code)).toBe(part);
});

test('docs/errors.md has every code, and nothing else (KEEP_SCREENS=1 writes it)', async () => {
  const parts = await Promise.all(ALL.map(async (code) => (meetings.has(code) && KEEPS ? partOf(code, await meetings.get(code)!) : kept(code))));
  const whole = [PREFACE, ...parts].join('\n');
  if (KEEPS) await writeFile(PAGE, whole);
  else expect(page).toBe(whole);
});
