/**
 * Job: one put or get that goes on without a terminal, as data. Pure.
 *
 * The same shape stands in a file of the table and goes over the agent's socket, and neither is believed: `readWish` and
 * `readJob` take it apart field by field, with a bound for each, and make the object anew from what is as it should be.
 * Paths are absolute on both sides, so that a job means the same wherever it goes on. Nothing secret is in it.
 */
import { isAbsolute } from 'node:path';
import { isServerName } from '../../client/trust.ts';
import { CODES, Failure, type Code } from '../../errors.ts';
import { printable } from '../../printable.ts';
import { MAX_MARKS, readMarks, type Answer } from './answers.ts';

export const STATES = ['queued', 'running', 'waiting', 'paused', 'done', 'failed', 'killed'] as const;
/** `waiting` is for another try; `queued` for its turn. */
export type State = (typeof STATES)[number];

const OVER: ReadonlySet<State> = new Set<State>(['done', 'failed', 'killed']);

/** What is asked for. */
export interface Wish {
  readonly verb: 'put' | 'get';
  readonly server: string;
  /** Absolute, each as the client takes it. */
  readonly sources: readonly string[];
  /** The sources as they were typed, to tell about them. */
  readonly typed: readonly string[];
  /** Absolute. */
  readonly target: string;
  readonly exclude: readonly string[];
  readonly follow: boolean;
  readonly update: boolean;
  readonly ifAbsent: boolean;
  readonly noSync: boolean;
  /** What was answered about each source; left out: what is there is replaced. */
  readonly answers?: readonly Answer[] | undefined;
  /** The command as typed. */
  readonly what: string;
  /** Runs after those that were put in line before, one at a time. */
  readonly inLine: boolean;
}

export interface Told { readonly code: Code; readonly message: string; readonly hint?: string | undefined }

/** How far it is; the rate in bytes a second, 0 while nothing moves. */
export interface Reached {
  readonly name: string;
  readonly bytes: number;
  readonly files: number;
  readonly totalBytes?: number | undefined;
  readonly totalFiles?: number | undefined;
  readonly rate: number;
}

export interface Job extends Wish {
  readonly number: number;
  /** Milliseconds since 1970, as all times here. */
  readonly created: number;
  /** How many sources it was asked for; those that are done leave `sources`. */
  readonly asked: number;
  readonly state: State;
  /** When it was begun first. */
  readonly begun?: number | undefined;
  /** How often it was begun. */
  readonly tries: number;
  /** Tries that failed since something last moved, and when the first of them did. */
  readonly fails: number;
  readonly failingSince?: number | undefined;
  /** Waiting: when the next try is. */
  readonly next?: number | undefined;
  readonly ended?: number | undefined;
  readonly exit?: number | undefined;
  /** The last one. */
  readonly failure?: Told | undefined;
  readonly reached?: Reached | undefined;
  /** What it said, the newest lines. */
  readonly said: readonly string[];
  /** How many older lines were left out. */
  readonly unsaid: number;
}

/** More than anybody types; a folder is one. */
const MAX_SOURCES = 1000;
/** Letters of all words of a job: a bound for its file, and for a line that has it. */
const MAX_WORDS = 256 << 10;
/** The longest path of Linux; a remote one is not longer. */
const MAX_PATH = 4096;
/** A job says a line for each source and each file that failed; the newest tell how it stands. */
const MAX_SAID = 200;
const MAX_LINE = 500;
/** Small enough to be typed: more jobs than that are never kept. */
export const MAX_NUMBER = 999_999;
/** Until the year 5138; every time and count here is below. */
const MAX_COUNT = 1e14;
const MAX_BYTES = Number.MAX_SAFE_INTEGER;

export function isOver({ state }: Pick<Job, 'state'>): boolean {
  return OVER.has(state);
}

/** The job with another line said, and the oldest dropped where there are too many. */
export function saying(job: Job, line: string): Job {
  const said = [...job.said, clipped(line)];
  const over = Math.max(0, said.length - MAX_SAID);
  return { ...job, said: said.slice(over), unsaid: job.unsaid + over };
}

/** The job without most of its words and without what it said, for a list of many. */
export function brief(job: Job): Job {
  return { ...job, sources: job.sources.slice(0, 1), typed: job.typed.slice(0, 1), exclude: [], answers: undefined, said: [], unsaid: 0 };
}

export function clipped(line: string): string {
  const shown = printable(line);
  return shown.length <= MAX_LINE ? shown : `${shown.slice(0, MAX_LINE - 1)}…`;
}

type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function wrong(name: string): Failure {
  return new Failure('PROTOCOL', `a job with a wrong ${name}`, { who: 'here' });
}

function text(fields: Fields, name: string, most: number): string {
  const value = fields[name];
  if (typeof value !== 'string' || value.length > most || value.includes('\0')) throw wrong(name);
  return value;
}

function texts(fields: Fields, name: string, count: number, most: number): string[] {
  const value = fields[name];
  if (!Array.isArray(value) || value.length > count) throw wrong(name);
  return value.map((_, index) => text({ [name]: (value as unknown[])[index] }, name, most));
}

function yes(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (typeof value !== 'boolean') throw wrong(name);
  return value;
}

export function whole(fields: Fields, name: string, most: number, least = 0): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most) throw wrong(name);
  return value;
}

/** `read`, for a field that may be missing. */
function perhaps<T>(fields: Fields, name: string, read: () => T): T | undefined {
  return fields[name] === undefined ? undefined : read();
}

/** Throws PROTOCOL for what is no wish. */
export function readWish(value: unknown): Wish {
  const fields = fieldsOf(value);
  const verb = fields['verb'];
  if (verb !== 'put' && verb !== 'get') throw wrong('verb');
  const server = text(fields, 'server', 64);
  if (!isServerName(server)) throw wrong('server');
  const sources = texts(fields, 'sources', MAX_SOURCES, MAX_PATH);
  const typed = texts(fields, 'typed', MAX_SOURCES, MAX_PATH);
  if (sources.length === 0 || typed.length !== sources.length) throw wrong('sources');
  const exclude = texts(fields, 'exclude', 100, MAX_PATH);
  if ([...sources, ...typed, ...exclude].reduce((sum, word) => sum + word.length, 0) > MAX_WORDS) throw wrong('number of words');
  const target = text(fields, 'target', MAX_PATH);
  const [local, remote] = verb === 'put' ? [sources, [target]] : [[target], sources];
  if (!local.every((path) => isAbsolute(path)) || !remote.every((path) => path.startsWith('/'))) throw wrong('path');
  return {
    verb, server, sources, typed, target, exclude,
    follow: yes(fields, 'follow'), update: yes(fields, 'update'), ifAbsent: yes(fields, 'ifAbsent'), noSync: yes(fields, 'noSync'),
    answers: perhaps(fields, 'answers', () => readAnswers(fields['answers'], sources.length)),
    what: clipped(text(fields, 'what', MAX_PATH)), inLine: yes(fields, 'inLine'),
  };
}

/** As many as there are sources, together no longer than one list may be. */
function readAnswers(value: unknown, count: number): Answer[] {
  if (!Array.isArray(value) || value.length !== count) throw wrong('answers');
  const answers = value.map((one): Answer => ({ replace: readList(fieldsOf(one), 'replace'), leave: readList(fieldsOf(one), 'leave') }));
  if (answers.reduce((sum, { replace, leave }) => sum + replace.length + leave.length, 0) > MAX_MARKS + count * ROUNDING) throw wrong('answers');
  return answers;
}

/** Salt and padding of two lists. */
const ROUNDING = 64;

function readList(fields: Fields, name: string): string {
  const marks = text(fields, name, MAX_MARKS);
  readMarks(marks);
  return marks;
}

/** Throws PROTOCOL for what is no job. */
export function readJob(value: unknown): Job {
  const fields = fieldsOf(value);
  const state = STATES.find((one) => one === fields['state']);
  if (state === undefined) throw wrong('state');
  const time = (name: string): number | undefined => perhaps(fields, name, () => whole(fields, name, MAX_COUNT));
  return {
    ...readWish(fields), state,
    number: whole(fields, 'number', MAX_NUMBER, 1), created: whole(fields, 'created', MAX_COUNT), asked: whole(fields, 'asked', MAX_SOURCES, 1),
    tries: whole(fields, 'tries', MAX_COUNT), fails: whole(fields, 'fails', MAX_COUNT),
    begun: time('begun'), failingSince: time('failingSince'), next: time('next'), ended: time('ended'),
    exit: perhaps(fields, 'exit', () => whole(fields, 'exit', 255)),
    failure: perhaps(fields, 'failure', () => readTold(fields['failure'])),
    reached: perhaps(fields, 'reached', () => readReached(fields['reached'])),
    said: texts(fields, 'said', MAX_SAID, MAX_LINE).map((line) => printable(line)), unsaid: whole(fields, 'unsaid', MAX_COUNT),
  };
}

function readTold(value: unknown): Told {
  const fields = fieldsOf(value);
  const code = fields['code'];
  if (typeof code !== 'string' || !Object.hasOwn(CODES, code)) throw wrong('failure');
  return { code: code as Code, message: clipped(text(fields, 'message', MAX_PATH)), hint: perhaps(fields, 'hint', () => clipped(text(fields, 'hint', MAX_PATH))) };
}

function readReached(value: unknown): Reached {
  const fields = fieldsOf(value);
  return {
    name: printable(text(fields, 'name', MAX_PATH)), bytes: whole(fields, 'bytes', MAX_BYTES), files: whole(fields, 'files', MAX_BYTES), rate: whole(fields, 'rate', MAX_BYTES),
    totalBytes: perhaps(fields, 'totalBytes', () => whole(fields, 'totalBytes', MAX_BYTES)),
    totalFiles: perhaps(fields, 'totalFiles', () => whole(fields, 'totalFiles', MAX_BYTES)),
  };
}
