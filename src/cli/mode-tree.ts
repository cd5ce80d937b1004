/**
 * Mode tree: `chmod -R`, folder by folder. A folder that can be read with its new mode gets it before what is in it, so that one that
 * was closed can be opened; otherwise after, so that what is in it can still be reached. Links are passed over, as are devices and names that cannot
 * be shown; both are counted. What fails is told, and stops nothing else.
 */
import type { Entry } from '../client/api.ts';
import { Failure, type Code } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Work } from './command.ts';
import { FINAL } from './files.ts';
import { formatCount, plural } from './measures.ts';

/** Requests on their way at once, so that far away each file does not cost a round trip. */
const AT_ONCE = 16;
/** Failures that are shown on a terminal: more would hide what matters. All are in `--json`. */
const MAX_SHOWN = 20;
/** Reading and entering, for the owner, who the server most likely is. */
const OPEN = 0o500;

export interface Wish {
  readonly typed: string;
  readonly path: string;
  /** The mode of the folder itself. */
  readonly before: number;
  readonly modeOf: (mode: number, kind: Entry['kind']) => number;
  /** Whether to say only what would be done. */
  readonly dry: boolean;
}

export async function changeTree(work: Work, wish: Wish): Promise<void> {
  const tree = new ModeTree(work, wish);
  await tree.folder('', wish.before);
  await tree.tell();
}

class ModeTree {
  readonly #work: Work;
  readonly #wish: Wish;
  readonly #top: string;
  #changed = 0;
  #same = 0;
  #passed = 0;
  #failed = 0;
  #failedWith: Code | undefined;

  constructor(work: Work, wish: Wish) {
    this.#work = work;
    this.#wish = wish;
    this.#top = wish.path.replace(/\/+$/, '');
  }

  /** The folder at `path` below the top, empty or with a slash before it, and all in it. */
  async folder(path: string, before: number): Promise<void> {
    const mode = this.#wish.modeOf(before, 'folder');
    const first = (mode & OPEN) === OPEN;
    if (first) await this.#set(path, before, mode);
    for (const { name, mode: inside } of await this.#files(path)) await this.folder(`${path}/${name}`, inside);
    if (!first) await this.#set(path, before, mode);
  }

  /** Does what is in a folder but for the folders, with which it resolves. */
  async #files(path: string): Promise<Entry[]> {
    const { session, signal } = this.#work;
    const folders: Entry[] = [];
    try {
      for await (const { entries, unlisted } of session.client.list(`${this.#top}${path}` || '/', { signal })) {
        folders.push(...entries.filter(({ kind }) => kind === 'folder'));
        const files = entries.filter(({ kind }) => kind === 'file');
        this.#passed += unlisted + entries.filter(({ kind }) => kind === 'link' || kind === 'other').length;
        for (let at = 0; at < files.length; at += AT_ONCE) {
          await Promise.all(files.slice(at, at + AT_ONCE).map(({ name, mode }) => this.#set(`${path}/${name}`, mode, this.#wish.modeOf(mode, 'file'))));
        }
      }
    } catch (error) {
      await this.#problem(path, error);
    }
    return folders;
  }

  async #set(path: string, before: number, mode: number): Promise<void> {
    const { session, signal } = this.#work;
    if (mode === before) {
      this.#same += 1;
      return;
    }
    try {
      if (!this.#wish.dry) await session.client.setAttributes(`${this.#top}${path}` || '/', { signal, mode });
      this.#changed += 1;
    } catch (error) {
      await this.#problem(path, error);
    }
  }

  async #problem(path: string, error: unknown): Promise<void> {
    const { signal, report } = this.#work;
    const failure = Failure.from(error);
    if (signal.aborted || FINAL.has(failure.code)) throw failure;
    this.#failedWith = this.#failed === 0 || this.#failedWith === failure.code ? failure.code : undefined;
    this.#failed += 1;
    if (this.#failed <= MAX_SHOWN || report.json) await report.problem(failure, `${this.#wish.typed.replace(/\/+$/, '')}${path}`);
  }

  async tell(): Promise<void> {
    const { report } = this.#work;
    const { typed, path, dry } = this.#wish;
    const [changed, same, passed, failed] = [this.#changed, this.#same, this.#passed, this.#failed];
    const aside = [...(same > 0 ? [`${formatCount(same)} had it already`] : []), ...(passed > 0 ? [`${formatCount(passed)} passed over (links and the like)`] : [])];
    const line = `${dry ? 'would change' : 'changed'} ${plural(changed, 'mode')} in ${printable(typed)}${aside.length === 0 ? '' : `, ${aside.join(', ')}`}`;
    const counts = { path, modes: changed, same, skipped: passed, failed };
    if (dry) await report.answer(line, { event: 'planned', verb: 'chmod', ...counts });
    else await report.done(line, { event: 'changed', ...counts });
    if (failed > 0) throw new Failure(changed === 0 && this.#failedWith !== undefined ? this.#failedWith : 'IO', `${plural(failed, 'name')} in it kept what they had`, { who: 'server', hint: 'see what is said of each above' });
  }
}
