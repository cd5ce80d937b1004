/**
 * Report: what became of things, as a line for people or as an object for programs.
 *
 * The functions are pure. A `Report` sends their answers where they belong: answers to standard output, failures to
 * standard error, and with `--json` both to standard output as one object a line, in the order they happened.
 * It counts what failed, so that the exit code and the words always agree.
 */
import type { Item, Problem, Summary } from '../client/api.ts';
import { Failure, type Code, type Party } from '../errors.ts';
import { printable } from '../printable.ts';
import { EXITS } from './exits.ts';
import { formatCount, formatDuration, formatRate, formatSize, plural } from './measures.ts';

/** Failed files of one folder that are shown on a terminal: more would hide what matters. All are in `--json`. */
const MAX_SHOWN = 20;
/** Letters of the digest that are shown: enough to compare by eye, `hash` shows all. */
const DIGEST_LETTERS = 8;

const WHERE: Readonly<Record<Party, string>> = { here: ' here', network: '', server: ' on the server', rule: '' };
/** Failures that read differently depending on whose disk they are about. */
const PLACED: ReadonlySet<Code> = new Set<Code>(['NOTFOUND', 'EXISTS', 'NOSPACE', 'QUOTA', 'IO']);

/** `put: report.pdf: no such file or folder here; hint`. One line, whatever a peer put into it. */
export function failureLine(verb: string | undefined, failure: Failure, shown?: string): string {
  const path = shown ?? failure.path;
  const place = failure.who !== undefined && PLACED.has(failure.code) && !/\b(here|server)\b/.test(failure.message) ? WHERE[failure.who] : '';
  const named = path === undefined || path === '' || names(failure.message, path) ? [] : [path];
  const parts = [...(verb === undefined ? [] : [verb]), ...named, failure.message + place];
  return printable(parts.join(': ') + (failure.hint === undefined ? '' : `; ${failure.hint}`));
}

/** Whether a message names the path itself: in quotes, first of all, or as a word that only a path can be («folder» is none). */
function names(message: string, path: string): boolean {
  return message.includes(`"${path}"`) || message.startsWith(`${path} `) || (/[/.:]/.test(path) && message.split(/[:,;]?(?:\s|$)/).includes(path));
}

export function failureEvent(failure: Failure, shown?: string): object {
  const { code, who, retry, message, hint } = failure;
  return { event: 'error', code, path: shown ?? failure.path ?? null, who: who ?? null, retry, message, hint: hint ?? null, exit: EXITS[code] };
}

/** `big.iso  4.1 GiB in 38 s, 110 MiB/s, verified (blake3 ab12cd34…)`, of an item that did not fail as a whole. */
export function itemLine(item: Item, shown: string): string {
  const name = printable(item.kind === 'folder' ? `${shown.replace(/\/+$/, '')}/` : shown);
  const { bytes, milliseconds } = item;
  const size = item.kind === 'folder' ? `${plural(item.files, 'file')}, ${formatSize(bytes)}` : formatSize(bytes);
  const parts = [`${size} in ${formatDuration(milliseconds)}`];
  // A rate over next to nothing is noise.
  if (milliseconds >= 1 && bytes > 0) parts.push(formatRate((bytes * 1000) / milliseconds));
  if (item.files > 0) parts.push(item.digest === undefined ? 'verified' : `verified (blake3 ${printable(item.digest.slice(0, DIGEST_LETTERS))}…)`);
  if (item.kept > 0) parts.push(`${formatSize(item.kept)} kept from before`);
  if (item.skipped > 0) parts.push(`${formatCount(item.skipped)} skipped (links, devices and the like)`);
  if (item.failed > 0) parts.push(`${plural(item.failed, 'file')} failed`);
  return `${name}  ${parts.join(', ')}`;
}

export function itemEvent(item: Item, shown: string): object {
  const { target, kind, files, bytes, kept, milliseconds, level, digest, skipped, failed, failure } = item;
  return {
    event: 'item', source: shown, target, kind: kind ?? null, files, bytes, kept, milliseconds: Math.round(milliseconds), level, digest: digest ?? null, skipped, failed,
    verified: failure === undefined && failed === 0,
  };
}

/** The last object of a transfer. */
export function summaryEvent(summary: Omit<Summary, 'items'>, items: number, exit: number): object {
  const { files, bytes, kept, failed, skipped, milliseconds } = summary;
  return { event: 'summary', items, files, bytes, kept, failed, skipped, milliseconds: Math.round(milliseconds), exit };
}

/** Where a report goes; the terminal is one. */
export interface Output {
  /** To standard output. */
  data(text: string | Uint8Array): Promise<void>;
  /** One line to standard error; `failure` when it tells of one. */
  say(line: string, failure?: boolean): void;
}

export interface ReportOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Standard output carries file data, so that answers go to standard error. */
  readonly aside?: boolean;
  /** What to type next after a failure that does not say so itself. */
  readonly advise?: (failure: Failure) => string | undefined;
}

export class Report {
  readonly failures: Failure[] = [];
  readonly #output: Output;
  readonly #options: ReportOptions;
  readonly #verb: string | undefined;

  constructor(output: Output, options: ReportOptions, verb?: string) {
    this.#output = output;
    this.#options = options;
    this.#verb = verb;
  }

  get json(): boolean {
    return this.#options.json;
  }

  /** What was asked for: text, or the object in its place. Kept also when quiet; it is the point of the command. */
  async answer(line: string | readonly string[], event: object): Promise<void> {
    if (this.json) return this.event(event);
    const lines = typeof line === 'string' ? [line] : line;
    if (lines.length > 0) await this.#output.data(lines.map((one) => `${one}\n`).join(''));
  }

  /** That something was done, which `--quiet` leaves out. */
  async done(line: string, event: object): Promise<void> {
    if (this.json) await this.event(event);
    else if (!this.#options.quiet) await this.#out(line);
  }

  async event(event: object): Promise<void> {
    if (!this.json) return;
    const line = JSON.stringify(event);
    if (this.#options.aside === true) this.#output.say(line);
    else await this.#output.data(`${line}\n`);
  }

  async failed(error: unknown, shown?: string): Promise<void> {
    const failure = Failure.from(error);
    this.failures.push(failure);
    await this.#tell(failure, shown);
  }

  /** One source of a `put` or `get` that is over. */
  async item(item: Item, shown: string): Promise<void> {
    for (const [index, problem] of item.problems.entries()) {
      if (index === MAX_SHOWN && !this.json) break;
      await this.#tell(asFailure(problem), below(shown, problem.path));
    }
    if (item.failed > MAX_SHOWN && !this.json) this.#output.say(`${this.#verb ?? 'wherry'}: and ${plural(item.failed - MAX_SHOWN, 'more failed file')}`);
    if (item.failure !== undefined) {
      const { path, who } = item.failure;
      // A name at the far end (a missing target folder) says more than the source does; the source itself is shown as typed.
      const far = path !== undefined && path !== item.source && who === (this.#verb === 'get' ? 'here' : 'server');
      await this.failed(item.failure, far ? path : shown);
      return;
    }
    if (item.failed > 0) this.failures.push(new Failure(codeOf(item), `${plural(item.failed, 'file')} failed`, { path: shown }));
    await this.done(itemLine(item, shown), itemEvent(item, shown));
  }

  async #tell(told: Failure, shown?: string): Promise<void> {
    const hint = told.hint ?? this.#options.advise?.(told);
    const failure = hint === told.hint ? told : new Failure(told.code, told.message, { path: told.path, who: told.who, retry: told.retry, hint });
    if (this.json) await this.event(failureEvent(failure, shown));
    else this.#output.say(failureLine(this.#verb, failure, shown), true);
  }

  async #out(line: string): Promise<void> {
    if (this.#options.aside === true) this.#output.say(line);
    else await this.#output.data(`${line}\n`);
  }
}

function asFailure({ code, message, who }: Problem): Failure {
  return new Failure(code, message, { who });
}

/** A folder of which nothing arrived, for one reason, failed for that reason; else some of its files failed. */
function codeOf({ files, failedWith }: Item): Code {
  return files === 0 && failedWith !== undefined ? failedWith : 'IO';
}

function below(folder: string, path: string): string {
  return path === '' ? folder : `${folder.replace(/\/+$/, '')}/${path}`;
}
