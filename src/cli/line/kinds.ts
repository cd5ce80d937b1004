/**
 * Kinds of words: what can stand at a place of a command line, as the table of commands says it, and what is offered
 * there. Types, and what follows from the shape of a command; no look-ups here.
 */
import type { Entry } from '../../client/api.ts';
import type { Shape } from '../places.ts';

/** A sort of word with a source that knows all of them. */
export type Kind = 'command' | 'local' | 'local-folder' | 'remote' | 'remote-folder' | 'server' | 'job' | 'job-under-way' | 'program';

/** A kind, or fixed words with what each of them means. */
export type Choice = Kind | Readonly<Record<string, string>>;

/** What may stand at one place; of several choices the first one with a match is offered. */
export type Completes = Choice | readonly Choice[];

/** One word that could stand at the place. */
export interface Candidate {
  /** The whole word, unquoted, without a slash at its end. */
  readonly word: string;
  /** What a list shows of it: of a path the last name. */
  readonly shown: string;
  readonly folder: boolean;
  readonly entry?: Omit<Entry, 'name'> | undefined;
  /** What it means, where it is no file. */
  readonly note?: string | undefined;
}

/** Where the words of a kind come from; undefined: not known in time. A kind without a source has no words. */
export type Sources = Readonly<Partial<Record<Kind, (stem: string) => Promise<readonly Candidate[] | undefined>>>>;

/** What the words of a command are when its entry says no more than its shape, place by place; the last one repeats. */
export const OF_SHAPE: Readonly<Record<Shape, readonly Completes[]>> = {
  put: ['local', ['remote', 'local']],
  get: ['remote', ['local', 'remote']],
  remote: ['remote'],
  change: ['remote'],
  chmod: [[], 'remote'],
  plain: [],
};
