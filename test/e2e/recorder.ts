/**
 * Recorder: keeps what servers and commands wrote while tests ran, and the secrets that were made, for `scripts/leaks.mjs`, which
 * looks at the end of the run for the one in the other. Where nobody asked for it, by a folder in `$WHERRY_TEST_TRACES`, it does nothing.
 *
 * Secrets are found where they come into being or are used: in what is printed on purpose, in what a test types, in key files; codes where a server tells that it has opened one.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { decodeTicket } from '../../src/ticket.ts';
import { parseToken } from '../../src/token.ts';

/** Of each stream: no command has more to say, but those that print a file. */
const MOST = 4 << 20;

const TICKETS = /wherry1(?:-[0-9A-Z]{1,5})+/g;
const TOKENS = /wherry_[\w-]{48}/g;

/** Where a server tells a code it has opened: what else looks like one may be an example of the manual, which is no secret. */
const CODES = [/"spoken":"(\d{1,2})-([a-z]+)-([a-z]+)"/g, /\bwherry join (\d{1,2})-([a-z]+)-([a-z]+)/g];
const EXAMPLE = 'crater lantern';

let files = 0;

const folder = (): string | undefined => process.env['WHERRY_TEST_TRACES'];

/** Whatever the command `words` says from now on; `env` is what it was given. */
export function recordProcess(child: ChildProcess, words: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  if (folder() === undefined) return;
  for (const value of Object.values(env)) secretsIn(value);
  for (const stream of ['stdout', 'stderr'] as const) {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const source = child[stream];
    if (source === null) continue;
    // Seen on its way in: who listens would have it flow, also where a test does not read.
    const push = source.push.bind(source);
    source.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
      if (chunk !== null && bytes < MOST) bytes += chunks[chunks.push(Buffer.from(chunk)) - 1]!.byteLength;
      return push(chunk, encoding);
    };
    child.once('close', () => recordText(words, stream, Buffer.concat(chunks)));
  }
}

/** Something that was written. The secrets in it that have a form of their own are looked for everywhere else. */
export function recordText(words: readonly string[], stream: string, bytes: Uint8Array): void {
  const into = folder();
  if (into === undefined || bytes.byteLength === 0) return;
  secretsIn(Buffer.from(bytes).toString('latin1'));
  if (words[0] === 'serve' || words[0] === 'invite') codesIn(Buffer.from(bytes).toString('latin1'));
  files += 1;
  writeFileSync(join(into, `${process.pid}-${files}.out`), Buffer.concat([Buffer.from(`${JSON.stringify({ words, stream })}\n`), bytes]));
}

/** What was typed into a command. */
export function recordInput(words: readonly string[], input: string | Uint8Array): void {
  if (folder() === undefined || input.length > MOST) return;
  const text = Buffer.from(input as string).toString('latin1');
  if (words.includes('--password-stdin')) recordSecret('password', [text.trim()]);
  secretsIn(text);
}

/** The keys in the state folder of a server or the home of a client that is about to be removed, and what it has written there. */
export function recordFolder(path: string): void {
  if (folder() === undefined || !existsSync(path)) return;
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    if (file.endsWith('.key')) recordKey(readFileSync(file, 'utf8'));
    else if (/\.(?:log|jsonl?)$/.test(file)) recordText(['file'], entry.name, readFileSync(file).subarray(0, MOST));
  }
}

function recordKey(pem: string): void {
  const body = /-----BEGIN PRIVATE KEY-----\n([^-]+)\n-----END/.exec(pem)?.[1]?.replaceAll('\n', '');
  if (body === undefined) return;
  // The last 32 bytes of PKCS #8 are the key itself.
  recordSecret('private key', [body, ...spellings(Buffer.from(body, 'base64').subarray(-32))]);
}

function secretsIn(text: string): void {
  for (const [ticket] of text.matchAll(TICKETS)) {
    const secret = revealed(() => decodeTicket(ticket).secret.reveal());
    if (secret !== undefined) recordSecret('ticket', [ticket, ticket.replaceAll('-', ''), ...spellings(secret)]);
  }
  for (const [token] of text.matchAll(TOKENS)) {
    const secret = revealed(() => parseToken(token).reveal());
    if (secret !== undefined) recordSecret('token', [token, ...spellings(secret)]);
  }
}

/** The number is announced to all; the secret is the pair of words, which hardly ever stand beside each other by chance. */
function codesIn(text: string): void {
  for (const [, , first, second] of CODES.flatMap((form) => [...text.matchAll(form)])) {
    if (`${first} ${second}` !== EXAMPLE) recordSecret('code', ['-', ' ', '","', "', '"].map((between) => `${first}${between}${second}`));
  }
}

/** Undefined for what only looks like one, as tests of mistakes have it. */
function revealed(read: () => Uint8Array): Uint8Array | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function spellings(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes);
  return [buffer.toString('hex'), buffer.toString('base64'), buffer.toString('base64url'), [...buffer].join(',')];
}

function recordSecret(kind: string, values: readonly string[]): void {
  appendFileSync(join(folder()!, `${process.pid}.secrets`), `${JSON.stringify({ kind, values })}\n`);
}
