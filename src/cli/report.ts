/**
 * Report: what became of things, as a line for people or as an object for programs.
 *
 * The functions are pure. A `Report` sends their answers where they belong: answers to standard output, failures to
 * standard error, and with `--json` both to standard output as one object a line, in the order they happened.
 * It counts what failed, so that the exit code and the words always agree.
 */
import type { Item, Problem, Progress, Summary } from '../client/api.ts';
import { Failure, type Code, type Party } from '../errors.ts';
import { meansContents } from '../path.ts';
import { printable, printableJson } from '../printable.ts';
import type { Advice } from './advice.ts';
import type { Again } from './again.ts';
import { EXITS } from './exits.ts';
import { formatCount, formatDuration, formatRate, formatSize, plural } from './measures.ts';
import type { Pace } from './pace.ts';

/** Failed files of one folder that are shown on a terminal: more would hide what matters. All are in `--json`. */
const MAX_SHOWN = 20;
/** Letters of the digest that are shown: enough to compare by eye, `hash` shows all. */
const DIGEST_LETTERS = 8;
/** Nobody reads a longer path or word, on any screen; `--json` has all of it. */
const MAX_WORD = 1_000;
const SHOWN_OF_WORD = 200;
/** A long list is not held a second time as one text. */
const LINES_AT_ONCE = 4096;

/** What hints call the command that goes on; where it has to be another one, that takes its place. */
const THE_SAME = /\brun the same command again\b/;

const WHERE: Readonly<Record<Party, string>> = { here: ' here', network: '', server: ' on the server', rule: '' };
/** Failures that read differently depending on whose disk they are about. */
const PLACED: ReadonlySet<Code> = new Set<Code>(['NOTFOUND', 'EXISTS', 'NOSPACE', 'QUOTA', 'IO']);

/** `put: report.pdf: no such file or folder here; hint`. One line, whatever a peer put into it. */
export function failureLine(verb: string | undefined, failure: Failure, shown?: string): string {
  const path = shown ?? failure.path;
  const place = failure.who !== undefined && PLACED.has(failure.code) && !/\b(here|server)\b/.test(failure.message) ? WHERE[failure.who] : '';
  const named = path === undefined || path === '' || names(failure.message, path) ? [] : [path];
  const parts = [...(verb === undefined ? [] : [verb]), ...named, failure.message + place];
  return cut(printable(parts.join(': ') + (failure.hint === undefined ? '' : `; ${failure.hint}`)));
}

/** What was pasted by mistake is one word of thousands of letters, and its beginning tells what it is. */
function cut(line: string): string {
  if (line.length <= MAX_WORD) return line;
  return line.split(' ').map((word) => (word.length > MAX_WORD ? `${word.slice(0, SHOWN_OF_WORD)}…` : word)).join(' ');
}

/** Whether a message names the path itself: in quotes, or first of all or as a word where only a path can be meant («folder» and «no» are none). */
function names(message: string, path: string): boolean {
  return message.includes(`"${path}"`) || (path.includes('/') && message.startsWith(`${path} `)) || (/[/.:]/.test(path) && message.split(/[:,;]?(?:\s|$)/).includes(path));
}

export function failureEvent(failure: Failure, shown?: string): object {
  const { code, who, retry, message, hint } = failure;
  return { event: 'error', code, path: shown ?? failure.path ?? null, who: who ?? null, retry, message, hint: hint ?? null, exit: EXITS[code] };
}

/** `big.iso  4.1 GiB in 38 s, 110 MiB/s, verified (blake3 ab12cd34…)`, of an item that did not fail as a whole. */
export function itemLine(item: Item, shown: string): string {
  const name = printable(item.kind === 'folder' && !meansContents(shown) ? `${shown.replace(/\/+$/, '')}/` : shown);
  if (item.kind === 'file' && item.left > 0) return `${name}  left out: the one there is not older`;
  const { bytes, milliseconds } = item;
  const size = item.kind === 'folder' ? `${plural(item.files, 'file')}, ${formatSize(bytes)}` : formatSize(bytes);
  const parts = [`${size} in ${formatDuration(milliseconds)}`];
  parts.push(...rateOf(item));
  if (item.files > 0) parts.push(item.digest === undefined ? 'verified' : `verified (blake3 ${printable(item.digest.slice(0, DIGEST_LETTERS))}…)`);
  if (item.kept > 0) parts.push(`${formatSize(item.kept)} kept from before`);
  if (item.left > 0) parts.push(`${formatCount(item.left)} left out (not older there)`);
  if (item.skipped > 0) parts.push(`${formatCount(item.skipped)} skipped (links, devices and the like)`);
  if (item.failed > 0) parts.push(`${plural(item.failed, 'file')} failed`);
  return `${name}  ${parts.join(', ')}`;
}

/** How fast the way was: what was there before did not take it. Over next to nothing a rate is noise. */
function rateOf({ bytes, kept, milliseconds }: Pick<Item, 'bytes' | 'kept' | 'milliseconds'>): string[] {
  return milliseconds >= 1 && bytes > kept ? [formatRate(((bytes - kept) * 1000) / milliseconds)] : [];
}

export function itemEvent(item: Item, shown: string): object {
  const { target, kind, files, bytes, kept, milliseconds, level, digest, skipped, left, failed, failure } = item;
  return {
    event: 'item', source: shown, target, kind: kind ?? null, files, bytes, kept, milliseconds: Math.round(milliseconds), level, digest: digest ?? null, skipped, left, failed,
    verified: failure === undefined && failed === 0,
  };
}

/** How far a transfer is, how fast (bytes a second), and for how long still (seconds); what is not known is null. */
export function progressEvent(progress: Progress, { rate, left }: Pick<Pace, 'rate' | 'left'>): object {
  const { name, nameBytes, nameSize, bytes, kept, files, totalBytes, totalFiles, limit, active, streams, sources, totalSources } = progress;
  return {
    event: 'progress', name, nameBytes, nameSize: nameSize ?? null, bytes, kept, files, totalBytes: totalBytes ?? null, totalFiles: totalFiles ?? null,
    rate: rate === undefined ? null : Math.round(rate), left: left === undefined ? null : Math.ceil(left), limit: limit ?? null,
    active: active.map((one) => ({ name: one.name, bytes: one.bytes, size: one.size ?? null })), streams, sources, totalSources,
  };
}

/** What became of several sources together: `3 sources: 4 files, 24 MiB in 3.1 s, 7.7 MiB/s, 8.0 MiB kept from before`. */
export function summaryLine({ items, files, bytes, kept, skipped, left, failed, milliseconds }: Summary): string {
  const parts = [`${plural(files, 'file')}, ${formatSize(bytes)} in ${formatDuration(milliseconds)}`];
  parts.push(...rateOf({ bytes, kept, milliseconds }));
  if (kept > 0) parts.push(`${formatSize(kept)} kept from before`);
  if (left > 0) parts.push(`${formatCount(left)} left out`);
  if (skipped > 0) parts.push(`${formatCount(skipped)} skipped`);
  if (failed > 0) parts.push(`${formatCount(failed)} failed`);
  return `${plural(items.length, 'source')}: ${parts.join(', ')}`;
}

/** The last object of a transfer. */
export function summaryEvent(summary: Omit<Summary, 'items'>, items: number, exit: number): object {
  const { files, bytes, kept, failed, skipped, left, milliseconds } = summary;
  return { event: 'summary', items, files, bytes, kept, failed, skipped, left, milliseconds: Math.round(milliseconds), exit };
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
  /** What to type next after a failure, in words that fit the place. */
  readonly advise?: Advice;
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
    for (let at = 0; at < lines.length; at += LINES_AT_ONCE) await this.#output.data(lines.slice(at, at + LINES_AT_ONCE).map((one) => `${one}\n`).join(''));
  }

  /** That something was done, which `--quiet` leaves out. */
  async done(line: string, event: object): Promise<void> {
    if (this.json) await this.event(event);
    else if (!this.#options.quiet) await this.#out(line);
  }

  async event(event: object): Promise<void> {
    if (!this.json) return;
    const line = printableJson(event);
    if (this.#options.aside === true) this.#output.say(line);
    else await this.#output.data(`${line}\n`);
  }

  async failed(error: unknown, shown?: string, again?: Again): Promise<void> {
    const failure = Failure.from(error);
    this.failures.push(failure);
    await this.#tell(failure, shown, again);
  }

  /** Something that failed inside of what was asked for; the whole of it is told with `failed`. */
  problem(error: unknown, shown: string): Promise<void> {
    return this.#tell(Failure.from(error), shown);
  }

  /** One source of a `put` or `get` that is over. */
  async item(item: Item, shown: string, again?: Again): Promise<void> {
    for (const [index, problem] of item.problems.entries()) {
      if (index === MAX_SHOWN && !this.json) break;
      await this.#tell(asFailure(problem), below(shown, problem.path), again);
    }
    if (item.failed > MAX_SHOWN && !this.json) this.#output.say(`${this.#verb ?? 'wherry'}: and ${plural(item.failed - MAX_SHOWN, 'more failed file')}`);
    if (item.failure !== undefined) {
      const { path, who } = item.failure;
      // A name at the far end (a missing target folder) says more than the source does; the source itself is shown as typed.
      const far = path !== undefined && path !== item.source && who === (this.#verb === 'get' ? 'here' : 'server');
      await this.failed(item.failure, far ? path : shown, again);
      return;
    }
    if (item.failed > 0) this.failures.push(new Failure(codeOf(item), `${plural(item.failed, 'file')} failed`, { path: shown }));
    await this.done(itemLine(item, shown), itemEvent(item, shown));
  }

  async #tell(told: Failure, shown?: string, again?: Again): Promise<void> {
    const advice = this.#options.advise?.(told, this.#verb) ?? told.hint;
    const hint = again === undefined || advice === undefined ? advice : goingOn(advice, again);
    const failure = hint === told.hint ? told : new Failure(told.code, told.message, { path: told.path, who: told.who, retry: told.retry, hint });
    if (this.json) await this.event(failureEvent(failure, shown));
    else this.#output.say(failureLine(this.#verb, failure, shown), true);
  }

  async #out(line: string): Promise<void> {
    if (this.#options.aside === true) this.#output.say(line);
    else await this.#output.data(`${line}\n`);
  }
}

/** The advice with the command that goes on, if it is advice to go on. */
function goingOn(advice: string, { line, warning }: Again): string {
  if (!THE_SAME.test(advice)) return advice;
  const named = line === undefined ? advice : advice.replace(THE_SAME, () => `run "${line}"`);
  return warning === undefined ? named : `${named}; ${warning}`;
}

function asFailure({ code, message, who, hint }: Problem): Failure {
  return new Failure(code, message, { who, hint });
}

/** A folder of which nothing arrived, for one reason, failed for that reason, and one that found no room for some of it too; else some of its files failed. */
function codeOf({ files, failedWith }: Item): Code {
  return failedWith !== undefined && (files === 0 || failedWith === 'NOSPACE' || failedWith === 'QUOTA') ? failedWith : 'IO';
}

function below(folder: string, path: string): string {
  // What is in `FOLDER/.` is in FOLDER.
  return path === '' ? folder : `${folder.replace(/(?:\/\.?)+$/, '')}/${path}`;
}
