/** Putting a folder: the client's side of the `putTree` exchange. What holds for both ways is said in `tree.ts`. */
import type { Failure } from '../errors.ts';
import { markLeft } from '../left.ts';
import { below, parentOf, ROOT, type RemotePath } from '../path.ts';
import type { Exchange } from '../session/exchange.ts';
import { awaited } from '../session/waits.ts';
import type { FolderAttributes, Vault } from '../store/vault.ts';
import { sayFolders } from '../transfer/tree.ts';
import { PackAcks } from './acks.ts';
import { putFile } from './file.ts';
import { filesIn } from './sieve.ts';
import { Slots } from './slots.ts';
import type { Requester } from './requester.ts';
import type { ItemTally } from './tally.ts';
import { endOf, FILES_AT_ONCE, isSpared, problemOf, type TreeOptions } from './tree.ts';

/** Sends the folder `top` of a local vault. */
export async function putTree(requester: Requester, vault: Vault, top: RemotePath, to: RemotePath, item: ItemTally, options: TreeOptions): Promise<void> {
  using exchange = await requester.open({ kind: 'putTree', path: to, level: options.level, ifAbsent: options.ifAbsent, replaceable: markLeft(options.replaceable ?? []), action: options.action }, options.signal);
  exchange.watch(options.waits, false);
  await new TreePut(requester, exchange, vault, top, to, item, options).run();
}

class TreePut {
  readonly #requester: Requester;
  readonly #exchange: Exchange;
  readonly #vault: Vault;
  readonly #top: RemotePath;
  readonly #to: RemotePath;
  readonly #item: ItemTally;
  readonly #options: TreeOptions;
  readonly #slots = new Slots(FILES_AT_ONCE);
  readonly #acks: PackAcks;
  #packs = 0;
  #waiting: FolderAttributes[] = []; // complete but for a large file
  #ended: Failure | undefined;

  constructor(requester: Requester, exchange: Exchange, vault: Vault, top: RemotePath, to: RemotePath, item: ItemTally, options: TreeOptions) {
    this.#requester = requester;
    this.#exchange = exchange;
    this.#vault = vault;
    this.#top = top;
    this.#to = to;
    this.#item = item;
    this.#options = options;
    this.#acks = new PackAcks(exchange, item, options.sent);
  }

  async run(): Promise<void> {
    const answers = this.#acks.run();
    answers.catch(() => {}); // awaited below; until then the exchange itself rejects
    try {
      const { exclude, follow, left, waits } = this.#options;
      for await (const step of awaited(this.#vault.pack(this.#top, { exclude, follow, leave: markLeft(left, Infinity) }), 'disk', waits)) {
        const key = step.pack.byteLength === 0 ? undefined : this.#options.sent.keyOfPack(step.pack, this.#to);
        if (this.#options.sent.has(key)) this.#item.stored(step.files, step.bytes, step.bytes);
        else if (step.pack.byteLength > 0) {
          this.#acks.sent({ names: this.#options.names ? filesIn(step.pack).map(({ path }) => path) : undefined, key, files: step.files, bytes: step.bytes });
          this.#packs += 1;
          await this.#exchange.batch(step.pack);
        }
        this.#item.skip(step.skipped);
        for (const problem of step.problems) this.#item.problem({ ...problem, who: 'here' });
        for (const file of step.large) await this.#slots.start(parentOf(file.path), () => this.#large(file.path, file.size));
        this.#ended ??= this.#item.full;
        if (this.#ended !== undefined) throw this.#ended;
        await this.#folders(step.folders);
      }
      await this.#slots.idle();
      this.#ended ??= this.#item.full;
      if (this.#ended !== undefined) throw this.#ended;
      await this.#folders([]);
      this.#exchange.say({ kind: 'finish' });
      this.#exchange.watch(waits); // from here on nothing but answers is awaited
      await answers;
    } finally {
      await this.#slots.idle();
    }
  }

  /** Tells of folders that are complete, children before parents, and keeps back those with a large file on its way. */
  async #folders(more: readonly FolderAttributes[]): Promise<void> {
    const all = [...this.#waiting, ...(this.#options.keepTop ? more.filter(({ path }) => path !== ROOT) : more)];
    this.#waiting = all.filter(({ path }) => this.#slots.busy(path));
    await sayFolders(this.#exchange, all.filter((folder) => !this.#waiting.includes(folder)));
  }

  async #large(path: RemotePath, size: number): Promise<void> {
    if (this.#item.full !== undefined) return;
    try {
      await this.#acks.reached(this.#packs); // its folder is in a pack that was sent before
      await using source = await this.#vault.read(below(this.#top, path));
      const key = this.#options.sent.keyOfFile(source.entry, below(this.#to, path));
      if (this.#options.sent.has(key)) return this.#item.stored(1, size, size);
      using single = this.#item.single(path, size);
      const sent = await putFile(this.#requester, source, below(this.#to, path), { ...this.#options, ifAbsent: isSpared(path, this.#options), onBytes: single.onBytes, onSent: single.onSent, onLanes: single.onLanes });
      single.stored(sent.digest);
      this.#options.sent.note(key);
      this.#item.fileDone(path);
    } catch (error) {
      this.#ended ??= endOf(error);
      if (this.#ended === undefined) this.#item.problem(problemOf(path, error));
    }
  }
}
