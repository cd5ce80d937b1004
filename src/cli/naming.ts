/**
 * Naming: whether the folder of a put or get takes the target as its name, and keeps doing so when the same command comes again.
 *
 * The client decides, as `cp` does: a target that is not there becomes the name. After a cut it is there, and the same words would
 * mean into it; so that decision is noted before the first byte, looked up before each command with one source, and forgotten when
 * the command ends well or has left nothing there. `FOLDER/.`, and a target with a slash, mean what they mean.
 */
import { stat } from 'node:fs/promises';
import type { Client, TransferOptions } from '../client/api.ts';
import { meansContents } from '../path.ts';
import { printable } from '../printable.ts';
import { begin, end, isBegun, type Words } from './begun.ts';
import type { Work } from './command.ts';
import { DONE } from './exits.ts';
import { quoted } from './script/words.ts';

interface Wish { readonly verb: 'put' | 'get'; readonly sources: readonly string[]; readonly target: string }

export class Naming {
  readonly #home: string | undefined;
  readonly #verb: Wish['verb'];
  /** Undefined: the target can be no new name. */
  readonly #words: Words | undefined;
  /** In the form that leads to the same place as before. */
  readonly sources: readonly string[];
  /** Whether the same command took the target as the name before, and goes on there. */
  readonly goesOn: boolean;
  #isSettled = false;
  #isNamed = false;
  #isNoted = false;
  #isFresh = false;

  private constructor(home: string | undefined, { verb, sources }: Wish, words: Words | undefined, goesOn: boolean) {
    [this.#home, this.#verb, this.#words, this.goesOn] = [home, verb, words, goesOn];
    this.sources = goesOn ? sources.map((source) => `${source.replace(/\/+$/, '')}/.`) : sources;
  }

  /** Of a command whose paths are whole. */
  static async of(home: string | undefined, client: Client, wish: Wish): Promise<Naming> {
    const { verb, sources, target } = wish;
    const [source] = sources;
    if (source === undefined || sources.length > 1 || target.endsWith('/')) return new Naming(home, wish, undefined, false);
    const { fingerprint, account } = client.server;
    const words = { verb, server: fingerprint, account, source: source.replace(/\/+\.?$/, ''), target };
    const goesOn = !meansContents(source) && (await isBegun(home, words)) && (await kindAt(verb === 'put' ? undefined : client, source)) === 'folder';
    return new Naming(home, wish, words, goesOn);
  }

  /** Whether the folder took the target as its name. */
  get isNamed(): boolean { return this.#isNamed; }

  /** Whether the same command comes to the same place. */
  get isKept(): boolean { return !this.#isNamed || this.#isNoted; }

  /** Whether all that is in the folder there came by this command: it was not there before. */
  get isFresh(): boolean { return this.#isFresh; }

  /** Hears where the folder goes before anything of it does. That it is another place than `cp` would say is told; `to` is the target as typed. */
  listening({ settings, terminal, report, spot }: Pick<Work, 'settings' | 'terminal' | 'report' | 'spot'>, to: string): NonNullable<TransferOptions['onTarget']> {
    return async (source, target, there) => {
      // The first time counts: over another connection it is there in any case.
      if (this.#isSettled) return;
      this.#isSettled = true;
      await this.#settle(source, target, there);
      if (!this.goesOn || !there || settings.quiet || report.json) return;
      const shown = quoted(printable(this.#verb === 'put' && spot.place === 'shell' ? `${spot.server ?? ''}:${to}` : to));
      terminal.say(`${this.#verb}: goes on in ${shown}, which the same command began; ${shown}/ means into it`);
    };
  }

  async #settle(source: string, target: string, there: boolean): Promise<void> {
    this.#isFresh = this.goesOn || !there;
    if (this.goesOn || (!there && target === this.#words?.target && !meansContents(source))) await this.take();
  }

  /** The folder takes the target as its name. */
  async take(): Promise<void> {
    this.#isNamed = true;
    this.#isNoted = this.#words !== undefined && (await begin(this.#home, this.#words));
  }

  /** Hears how the command ended. While something is there, the same command has something to go on with. */
  async ended(client: Client, exit: number, signal: AbortSignal): Promise<void> {
    if (this.#words === undefined) return;
    const { verb, target } = this.#words;
    const isOver = exit === DONE || (this.#isNoted && !signal.aborted && (await kindAt(verb === 'put' ? client : undefined, target)) === 'none');
    if (isOver) await end(this.#home, this.#words);
  }
}

/** What has the name on the server, or here where there is none. */
async function kindAt(client: Client | undefined, path: string): Promise<'folder' | 'other' | 'none' | 'unknown'> {
  try {
    if (client !== undefined) {
      const entry = await client.stat(path);
      return entry === undefined ? 'none' : entry.kind === 'folder' ? 'folder' : 'other';
    }
    return (await stat(path)).isDirectory() ? 'folder' : 'other';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'none' : 'unknown';
  }
}
