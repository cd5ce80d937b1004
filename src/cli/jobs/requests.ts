/**
 * Requests: what can be asked of the agent, and how a line becomes one. Pure.
 *
 * One request at a time on a connection, each answered by one line: `{ok: true, …}` or `{ok: false, code, message, hint}`.
 * A request is made anew from the fields that are as they should be; everything else is refused.
 */
import { CODES, Failure, type Code } from '../../errors.ts';
import { fieldsOf, MAX_NUMBER, readJob, readWish, whole, type Job, type Wish } from './job.ts';

export type Request =
  | { readonly verb: 'add'; readonly wish: Wish }
  /** All jobs, without what they said. */
  | { readonly verb: 'list' }
  /** One job, whole. */
  | { readonly verb: 'show'; readonly number: number }
  /** As `show`, answered when it is over. */
  | { readonly verb: 'wait'; readonly number: number }
  | { readonly verb: 'kill' | 'pause' | 'resume'; readonly number: number }
  /** Forgets the jobs that are over. */
  | { readonly verb: 'clear' }
  /** Ends the agent; what is unfinished goes on with the next one. */
  | { readonly verb: 'stop' };

const OF_ONE = ['show', 'wait', 'kill', 'pause', 'resume'] as const;
const OF_ALL = ['list', 'clear', 'stop'] as const;

/** Throws PROTOCOL for what is no request. */
export function readRequest(value: unknown): Request {
  const fields = fieldsOf(value);
  const verb = fields['verb'];
  if (verb === 'add') return { verb, wish: readWish(fields['wish']) };
  const one = OF_ONE.find((name) => name === verb);
  if (one !== undefined) return { verb: one, number: whole(fields, 'number', MAX_NUMBER, 1) };
  const all = OF_ALL.find((name) => name === verb);
  if (all !== undefined) return { verb: all };
  throw new Failure('PROTOCOL', 'the agent for jobs does not know this request');
}

/** The jobs of an answer. Throws the failure that it tells of. */
export function readAnswer(value: unknown): readonly Job[] {
  const fields = fieldsOf(value);
  if (fields['ok'] === true) return Array.isArray(fields['jobs']) ? fields['jobs'].map((job) => readJob(job)) : [];
  const { code, message, hint } = fields;
  const known = typeof code === 'string' && Object.hasOwn(CODES, code) ? (code as Code) : 'INTERNAL';
  // What is not there is a number, and no name here.
  throw new Failure(known, typeof message === 'string' ? message : 'the agent for jobs failed', { who: known === 'NOTFOUND' ? 'rule' : 'here', hint: typeof hint === 'string' ? hint : undefined, retry: false });
}
