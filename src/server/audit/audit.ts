/**
 * Audit: who did what on a server, in files that show when somebody has changed them.
 *
 * Hears every event that the log hears, and every request of the owner's commands. What becomes a record is decided in
 * `entry.ts`, how it is kept in `writer.ts`. It begins with `started` and ends with `stopped`, unless the process was killed.
 */
import { join } from 'node:path';
import type { Failure } from '../../errors.ts';
import { SOFTWARE_VERSION } from '../../version.ts';
import type { ServerEvent } from '../log.ts';
import type { AdminRequest } from '../requests.ts';
import { actOf, entryOf } from './entry.ts';
import { AUDIT } from './folder.ts';
import { Writer, type WriterOptions } from './writer.ts';

export class Audit implements AsyncDisposable {
  readonly #writer: Writer;

  private constructor(writer: Writer) {
    this.#writer = writer;
  }

  /** Goes on with the audit in the state folder `state`, or begins one. Throws when others could exchange its files. */
  static async open(state: string, options: Omit<WriterOptions, 'folder'>): Promise<Audit> {
    const audit = new Audit(new Writer({ ...options, folder: join(state, AUDIT) }));
    await audit.#writer.open();
    audit.#writer.add({ time: new Date().toISOString(), event: 'started', version: SOFTWARE_VERSION, pid: process.pid });
    return audit;
  }

  /** Whether records can be written at the moment. */
  get works(): boolean { return this.#writer.works; }
  get written(): number { return this.#writer.written; }
  get lost(): number { return this.#writer.lost; }
  /** Records that were written, and are there no more. */
  get gone(): number { return this.#writer.gone; }

  event(event: ServerEvent): void {
    const entry = entryOf(event);
    if (entry !== undefined) this.#writer.add(entry);
  }

  act(request: AdminRequest, failure?: Failure): void {
    const entry = actOf(request, failure);
    if (entry !== undefined) this.#writer.add(entry);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#writer.add({ time: new Date().toISOString(), event: 'stopped' });
    await this.#writer[Symbol.asyncDispose]();
  }
}
