/**
 * Runner: requests in, replies out, on one `Operations`, the same in a worker and in the main thread.
 * It holds the long operations that are between two steps. No promise, no message port.
 */
import { Failure, type Code } from '../../errors.ts';
import type { Operations } from './operations.ts';

type Method = keyof Operations & string;
type Long<K extends Method> = ReturnType<Operations[K]> extends Generator<unknown, unknown, never> ? K : never;

/** Operations that end in one step, and those that take several. */
export type LongName = { [K in Method]: Long<K> }[Method];
export type ShortName = Exclude<Method, LongName>;
export type Arguments<K extends Method> = Parameters<Operations[K]>;
export type Result<K extends ShortName> = ReturnType<Operations[K]>;
type Parts<K extends LongName> = ReturnType<Operations[K]> extends Generator<infer Step, infer Last, infer Input> ? [Step, Last, Input] : never;
export type StepOf<K extends LongName> = Parts<K>[0];
export type LastOf<K extends LongName> = Parts<K>[1];
export type InputOf<K extends LongName> = Parts<K>[2];

/** `start` runs to the first step, `next` hands over what the step asked for, `stop` leaves early. */
export type Request =
  | { readonly id: number; readonly do: 'call' | 'start'; readonly name: string; readonly args: readonly unknown[] }
  | { readonly id: number; readonly do: 'next'; readonly input: unknown }
  | { readonly id: number; readonly do: 'stop' };

/** A failure as plain data: an error of a class does not survive the way between threads. */
export interface PlainFailure { readonly code: Code; readonly message: string; readonly path: string | undefined; readonly retry: boolean; readonly hint: string | undefined }

export type Reply =
  | { readonly id: number; readonly value: unknown; readonly done: boolean }
  | { readonly id: number; readonly failure: PlainFailure };

export class Runner implements Disposable {
  readonly #operations: Operations;
  readonly #running = new Map<number, Generator<unknown, unknown, unknown>>();

  constructor(operations: Operations) {
    this.#operations = operations;
  }

  run(request: Request): Reply {
    try {
      return this.#perform(request);
    } catch (error) {
      this.#running.delete(request.id);
      const { code, message, path, retry, hint } = Failure.from(error);
      return { id: request.id, failure: { code, message, path, retry, hint } };
    }
  }

  [Symbol.dispose](): void {
    for (const generator of this.#running.values()) generator.return(undefined);
    this.#running.clear();
    this.#operations[Symbol.dispose]();
  }

  #perform(request: Request): Reply {
    const { id } = request;
    switch (request.do) {
      case 'call': return { id, value: this.#invoke(request.name, request.args), done: true };
      case 'start': {
        this.#running.set(id, this.#invoke(request.name, request.args) as Generator<unknown, unknown, unknown>);
        return this.#step(id, undefined);
      }
      case 'next': return this.#step(id, request.input);
      case 'stop': {
        this.#running.get(id)?.return(undefined);
        this.#running.delete(id);
        return { id, value: undefined, done: true };
      }
    }
  }

  #step(id: number, input: unknown): Reply {
    const { value, done } = this.#running.get(id)!.next(input);
    if (done === true) this.#running.delete(id);
    return { id, value, done: done === true };
  }

  #invoke(name: string, args: readonly unknown[]): unknown {
    if (this.#running.size === 0) this.#operations.renew();
    // Names and arguments are typed where requests are made, in `crew.ts`; here they are one shape.
    const operations = this.#operations as unknown as Record<string, (...args: readonly unknown[]) => unknown>;
    return operations[name]!(...args);
  }
}
