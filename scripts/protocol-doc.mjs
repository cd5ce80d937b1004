/**
 * The tables and diagrams of `docs/protocol.md`, made from the tables that the program itself runs on: messages,
 * openings, exchanges, codes and limits. `node scripts/protocol-doc.mjs` writes them into the page, between its
 * markers; a test calls `generate` and fails when the page is out of date. What stands outside the markers is kept.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { argv, env } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
export const PAGE = join(root, 'docs', 'protocol.md');

/** What is read of the modules that are built. The shapes are checked there; here they are only shown.
 *  @typedef {{ is: string, of?: unknown, min?: number, max?: number, fields?: Record<string, Field> }} About
 *  @typedef {{ number: number, optional: boolean, type: { about: About } }} Field
 *  @typedef {{ type: number, bulk: boolean, about: string, fields: Record<string, Field> }} Definition
 *  @typedef {Record<string, { client?: Record<string, string>, server?: Record<string, string> }>} States
 *  @typedef {{ MESSAGES: Record<string, Definition>, OPENINGS: Record<string, Record<string, Record<string, string>>>, EXCHANGES: Record<string, States>, CODES: Record<string, number> }} Tables */

/** @param {number} number */
const hex = (number) => `\`${number.toString(16).padStart(2, '0')}\``;
/** @param {number} number */
const grouped = (number) => number.toLocaleString('en-US');

/** @param {{ about: About }} type @returns {string} */
function typeText({ about }) {
  switch (about.is) {
    case 'text': return `text, at most ${grouped(about.max ?? 0)} bytes`;
    case 'bytes': return about.min === about.max ? `${about.max} bytes` : `${about.min} to ${about.max} bytes`;
    case 'choice': return `choice: ${/** @type {string[]} */ (about.of).map((word, index) => `${index} ${word}`).join(', ')}`;
    case 'list': return `list of at most ${grouped(about.max ?? 0)}: ${typeText(/** @type {{ about: About }} */ (about.of))}`;
    case 'record': return `record: ${Object.entries(about.fields ?? {}).map(([name, { number, type }]) => `${number} ${name} (${typeText(type)})`).join('; ')}`;
    default: return about.is;
  }
}

/** @param {Tables} tables */
function messageTables({ MESSAGES }) {
  return Object.entries(MESSAGES).map(([kind, { type, bulk, about, fields }]) => {
    const rows = Object.entries(fields).map(([name, field]) => `| ${field.number} | ${name} | ${typeText(field.type)} | ${field.optional ? 'optional' : ''} |`);
    const table = rows.length === 0 ? 'No fields.' : ['| field | name | type | |', '|---:|---|---|---|', ...rows].join('\n');
    return `#### ${hex(type)} ${kind}${bulk ? ' (bulk)' : ''}\n\n${about[0]?.toUpperCase()}${about.slice(1)}${about.endsWith('?') ? '' : '.'}\n\n${table}`;
  }).join('\n\n');
}

/** A state is shown under its own name, but for the end, which mermaid draws as a dot. @param {string} state */
const shown = (state) => (state === 'over' ? '[*]' : state);

/** @param {States} states */
function diagram(states) {
  const lines = Object.entries(states).flatMap(([state, sides]) => Object.entries(sides).flatMap(([side, words]) => {
    /** @type {Map<string, string[]>} */
    const byTarget = new Map();
    for (const [word, to] of Object.entries(words)) byTarget.set(to, [...(byTarget.get(to) ?? []), word]);
    return [...byTarget].map(([to, all]) => `    ${state} --> ${shown(to)}: ${side} ${all.join(', ')}`);
  }));
  return ['```mermaid', 'stateDiagram-v2', `    [*] --> ${Object.keys(states)[0]}`, ...lines, '```'].join('\n');
}

/** @param {Tables} tables */
function openings({ OPENINGS }) {
  return Object.entries(OPENINGS).map(([side, states]) => {
    const steps = Object.entries(states).flatMap(([state, words]) => Object.entries(words).map(([word, to]) => `    ${state} --> ${to}: ${side} ${word}`));
    const lines = ['stateDiagram-v2', '    direction LR', `    [*] --> ${Object.keys(states)[0]}`, ...steps];
    return `The ${side}:\n\n${['```mermaid', ...lines, '```'].join('\n')}`;
  }).join('\n\n');
}

/** Requests with the same states share a diagram. @param {Tables} tables */
function exchanges({ EXCHANGES }) {
  /** @type {Map<string, string[]>} */
  const drawn = new Map();
  for (const [request, states] of Object.entries(EXCHANGES)) {
    const picture = diagram(states);
    drawn.set(picture, [...(drawn.get(picture) ?? []), request]);
  }
  return [...drawn].map(([picture, requests]) => `#### ${requests.join(', ')}\n\n${picture}`).join('\n\n');
}

/** The comments behind the codes are their explanations. @param {Tables} tables @param {string} source of `errors.ts` */
function codes({ CODES }, source) {
  const rows = Object.entries(CODES).map(([code, number]) => `| ${number} | ${code} | ${new RegExp(`^  ${code}: ${number}, // (.*)$`, 'm').exec(source)?.[1] ?? ''} |`);
  return ['| number | code | |', '|---:|---|---|', ...rows].join('\n');
}

/** What the limits are called in the page and in the modules. @type {readonly (readonly [string, string])[]} */
const LIMITS = [
  ['largest body of DATA and BATCH, bytes', 'MAX_BODY'], ['largest body of any other frame, bytes', 'MAX_CONTROL_BODY'], ['largest body before sign-in, bytes', 'MAX_GREETING_BODY'],
  ['open exchanges of one connection', 'MAX_EXCHANGES'], ['credit of a new exchange, bytes', 'INITIAL_CREDIT'], ['what a bulk frame costs besides its body, bytes', 'FRAME_COST'],
  ['memory for what all connections of a process hold, bytes', 'DEFAULT_BUDGET'], ['block, bytes', 'BLOCK_BYTES'],
  ['pack, bytes', 'MAX_PACK_BYTES'], ['records of a pack', 'MAX_PACK_RECORDS'], ['largest file in a pack, bytes', 'MAX_PACKED_FILE'],
  ['name, bytes of UTF-8', 'MAX_NAME_BYTES'], ['path, bytes of UTF-8', 'MAX_PATH_BYTES'], ['depth of a path', 'MAX_DEPTH'],
  ['silence before a ping, ms', 'pingAfterMs'], ['silence before the end, ms', 'deadAfterMs'], ['one wait without progress, ms', 'progressMs'], ['connection without a request, ms', 'idleMs'],
];

/** @param {(readonly [string, number | undefined])[]} limits */
function limitTable(limits) {
  return ['| limit | value |', '|---|---:|', ...limits.map(([what, value]) => {
    if (value === undefined) throw new Error(`no value for: ${what}`);
    return `| ${what} | ${grouped(value)} |`;
  })].join('\n');
}

/** `page` with everything between its markers made anew. @param {string} page @param {string} build the folder of the built modules @returns {Promise<string>} */
export async function generate(page, build) {
  /** @param {string} file @returns {Promise<Record<string, unknown>>} */
  const load = async (file) => /** @type {Record<string, unknown>} */ (await import(pathToFileURL(join(build, file)).href));
  const tables = /** @type {Tables} */ (Object.assign({}, ...await Promise.all(['wire/messages.js', 'session/rules.js', 'errors.js'].map(load))));
  const numbers = /** @type {Record<string, number>} */ (Object.assign({}, ...await Promise.all(['wire/frame.js', 'session/machine.js', 'session/budget.js', 'pack.js', 'path.js', 'digest.js'].map(load))));
  const waits = /** @type {Record<string, number>} */ ((await load('session/limits.js'))['CONNECTION_LIMITS']);
  /** @type {Record<string, string>} */
  const parts = {
    messages: messageTables(tables),
    openings: openings(tables),
    exchanges: exchanges(tables),
    codes: codes(tables, readFileSync(join(root, 'src', 'errors.ts'), 'utf8')),
    limits: limitTable(LIMITS.map(([what, name]) => [what, numbers[name] ?? waits[name]])),
  };
  const seen = new Set();
  const made = page.replace(/(<!-- generated: (\w+) -->\n)[^]*?(<!-- end -->)/g, (_all, /** @type {string} */ head, /** @type {string} */ name, /** @type {string} */ tail) => {
    seen.add(name);
    return `${head}\n${parts[name] ?? `nothing is called ${name}`}\n\n${tail}`;
  });
  const missing = Object.keys(parts).filter((name) => !seen.has(name));
  if (missing.length > 0) throw new Error(`docs/protocol.md has no place for: ${missing.join(', ')}`);
  return made;
}

if (argv[1] !== undefined && resolve(argv[1]) === fileURLToPath(import.meta.url)) {
  writeFileSync(PAGE, await generate(readFileSync(PAGE, 'utf8'), resolve(root, env['WHERRY_DIST'] ?? 'dist')));
}
