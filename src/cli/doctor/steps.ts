/**
 * Steps: what doctor does, told as it is done: on a terminal what is under way at the bottom, then a line with the answer; for
 * programs an object for each step.
 */
import type { Failure } from '../../errors.ts';
import { printable } from '../../printable.ts';
import type { Context } from '../command.ts';
import { reasonOf } from '../signals.ts';
import { fit, wrap } from '../width.ts';

/** Room for the names of steps, which are short. */
const NAMES = 12;

/** Between a number and its unit, where no line is broken. */
const UNIT = /(\d) (?=(?:ms|s|min|h|(?:[KMGT]i)?B)\b)/g;

/** What a step found: in words, and as data. */
export type Told = readonly [text: string, data: object];

export class Steps {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Runs a step and tells what it found. Rejects when it fails, after it was told which step that was. */
  run<T>(name: string, doing: string, step: () => Promise<T>, told: (found: T) => Told): Promise<T> {
    return this.#step(name, { doing, step, told }, async (failure) => {
      await this.tell(name, [`failed: ${failure.message}`, { ok: false, code: failure.code }]);
      throw failure;
    });
  }

  /** As `run`; where it is optional, a failure is told and gives undefined. */
  async attempt<T>(name: string, doing: string, optional: boolean, step: () => Promise<T>, told: (found: T) => Told): Promise<T | undefined> {
    try {
      return await this.run(name, doing, step, told);
    } catch (error) {
      if (!optional || this.#context.signal.aborted) throw error;
      return undefined;
    }
  }

  /** As `run` of what is only measured: what the rights, the disk or an older server do not allow is told, and the rest goes on. */
  measure<T>(name: string, doing: string, step: () => Promise<T>, told: (found: T) => Told): Promise<T | undefined> {
    return this.#step<T | undefined>(name, { doing, step, told: (found) => told(found as T) }, async (failure) => {
      if (this.#context.signal.aborted || failure.code === 'LOST' || failure.code === 'INTERNAL') throw failure;
      await this.tell(name, [`not measured: ${failure.message}`, { ok: false, code: failure.code, message: failure.message }]);
      return undefined;
    });
  }

  /** Says what is being done, does it, tells what it found; `failed` decides what a failure comes to. */
  async #step<T>(name: string, { doing, step, told }: { doing: string; step: () => Promise<T>; told: (found: T) => Told }, failed: (failure: Failure) => Promise<T>): Promise<T> {
    const { terminal, signal } = this.#context;
    terminal.status([fit(`${doing} ...`, terminal.width - 1)]);
    try {
      signal.throwIfAborted();
      const found = await step();
      await this.tell(name, told(found));
      return found;
    } catch (error) {
      return failed(reasonOf(error, signal));
    }
  }

  /** Lines that belong to what was told last; for programs they are in its data. */
  async more(lines: readonly string[]): Promise<void> {
    const { terminal, report } = this.#context;
    const room = ' '.repeat(terminal.width < 60 ? 2 : NAMES);
    if (!report.json) await report.answer(lines.map((line) => room + printable(line)), {});
  }

  async tell(name: string, [text, data]: Told): Promise<void> {
    const { terminal, report } = this.#context;
    const narrow = terminal.width < 60;
    const [first = '', ...more] = wrap(printable(text).replaceAll(UNIT, '$1\u00a0'), Math.min(terminal.width, 80) - (narrow ? 2 : NAMES)).map((line) => line.replaceAll('\u00a0', ' '));
    const lines = narrow ? [`${name}:`, ...[first, ...more].map((line) => `  ${line}`)] : [`${name.padEnd(NAMES)}${first}`, ...more.map((line) => ' '.repeat(NAMES) + line)];
    await report.answer(lines, { event: 'doctor', step: name, ok: true, ...data });
  }
}

