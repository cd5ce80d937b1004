/**
 * Getting a folder: the client's side of the `getTree` exchange. What holds for both ways is said in `tree.ts`.
 *
 * What comes on the exchange is taken whether or not the large files that were told of make progress: they come over the same connection.
 */
import { Failure } from '../errors.ts';
import { heldAs, markLeft, MAX_LEFT } from '../left.ts';
import { MAX_PACKED_FILE } from '../pack.ts';
import { below, parentOf, ROOT, type RemotePath } from '../path.ts';
import { printable } from '../printable.ts';
import type { Exchange } from '../session/exchange.ts';
import type { FolderAttributes, Vault } from '../store/vault.ts';
import { InOrder } from '../transfer/inorder.ts';
import { MAX_PACKS } from '../transfer/tree.ts';
import type { Message } from '../wire/messages.ts';
import { Beside } from './beside.ts';
import { getFile, here } from './file.ts';
import { heard, heardPath } from './heard.ts';
import { filesIn, Sieve } from './sieve.ts';
import type { Requester } from './requester.ts';
import type { ItemTally } from './tally.ts';
import { endOf, FILES_AT_ONCE, isSpared, problemOf, type TreeOptions } from './tree.ts';

/** Fetches the folder `from` as the folder `top` of a local vault. */
export async function getTree(requester: Requester, from: RemotePath, vault: Vault, top: RemotePath, item: ItemTally, options: TreeOptions): Promise<void> {
  const sieve = new Sieve(options.left, options.fetched);
  const held = (options.held ?? []).filter(({ path }) => !sieve.holds(path)).slice(0, MAX_LEFT - sieve.marked);
  using exchange = await requester.open({ kind: 'getTree', path: from, exclude: options.exclude, ...(options.follow && { follow: true }), leave: sieve.marks(), held: markLeft(held.map(({ path, digest }) => heldAs(path, digest))) }, options.signal);
  exchange.watch(options.waits);
  sieve.count(item);
  const get = new TreeGet(requester, from, vault, top, item, sieve, options, held.length);
  try {
    await get.run(exchange);
  } finally {
    await get.beside.idle();
  }
}

/** A large file of the server's folder, as far as it was told, with its place below the top. */
interface LargeFile { readonly path: RemotePath; readonly told: Message<'large'>['files'][number] }

class TreeGet {
  readonly beside = new Beside<LargeFile>(FILES_AT_ONCE, ({ path }) => parentOf(path));
  readonly #requester: Requester;
  readonly #from: RemotePath;
  readonly #vault: Vault;
  readonly #top: RemotePath;
  readonly #item: ItemTally;
  readonly #sieve: Sieve;
  readonly #options: TreeOptions;
  #waiting: FolderAttributes[] = []; // complete but for a large file
  #ended: Failure | undefined;
  readonly #replaceable: Uint8Array | undefined;
  /** Files that were told as here, and of which it was not said yet that they are the same. */
  #held: number;

  constructor(requester: Requester, from: RemotePath, vault: Vault, top: RemotePath, item: ItemTally, sieve: Sieve, options: TreeOptions, held: number) {
    this.#held = held;
    this.#requester = requester;
    this.#from = from;
    this.#vault = vault;
    this.#top = top;
    this.#item = item;
    this.#sieve = sieve;
    this.#options = options;
    this.#replaceable = markLeft(options.replaceable ?? []);
  }

  async run(exchange: Exchange): Promise<void> {
    const work = new InOrder(MAX_PACKS, (failure) => exchange.cancel(failure), this.#options.waits);
    try {
      for (;;) {
        const received = await exchange.next();
        if (this.#item.full !== undefined) throw this.#item.full;
        if (received.kind === 'batch') await work.add(() => this.#store(received.pack), async () => exchange.consumed(received.bulk));
        else if (received.kind === 'message') {
          const { message } = received;
          if (message.kind === 'done') break;
          if (message.kind === 'large') this.#beside(message, work.soFar(), exchange, received.bulk);
          else {
            await this.#hear(message, work);
            exchange.consumed(received.bulk);
          }
        }
      }
    } catch (error) {
      exchange.cancel(Failure.from(error)); // ends what waits for the peer
      await work.idle().catch(() => {});
      throw error;
    }
    await work.idle();
    await this.beside.idle();
    if (this.#ended !== undefined) throw this.#ended;
    await this.#folders([]);
  }

  async #hear(message: Message, work: InOrder): Promise<void> {
    if (message.kind === 'problems') takeProblems(message, this.#item);
    else if (message.kind === 'same') this.#same(message);
    if (message.kind !== 'folders') return;
    const folders = message.folders.map((folder) => ({ ...folder, path: heardPath(folder.path) }));
    await work.add(() => this.#folders(folders), async () => {});
  }

  /** Has these files fetched; their folders are in packs that came before. */
  #beside({ files }: Message<'large'>, packs: Promise<void>, exchange: Exchange, bulk: number): void {
    if (this.#ended !== undefined) throw this.#ended;
    exchange.taken(bulk);
    const wanted = files.map((told) => ({ path: heardPath(told.name), told })).filter(({ path }) => !this.#sieve.holds(path));
    this.beside.add(wanted, async (file) => {
      await packs;
      if (this.#ended === undefined && exchange.failure === undefined) await this.#large(file);
    }, () => exchange.grant(bulk));
  }

  #same({ files, bytes }: Message<'same'>): void {
    if ((this.#held -= files) < 0 || bytes > files * MAX_PACKED_FILE) throw new Failure('PROTOCOL', 'the server left out more files than it was told are here', { who: 'server', hint: 'look at what is there, and fetch it again' });
    this.#item.stored(files, bytes, bytes);
  }

  async #folders(more: readonly FolderAttributes[]): Promise<void> {
    // What is told of a folder again takes the place of what was told before: so no more wait than there are files on their way.
    const known = new Map([...this.#waiting, ...more].map((folder) => [folder.path, folder]));
    if (this.#options.keepTop) known.delete(ROOT);
    // In one pass: as many wait as there are folders whose large files have not come yet.
    const ready: FolderAttributes[] = [];
    this.#waiting = [];
    for (const folder of known.values()) (this.beside.busy(folder.path) ? this.#waiting : ready).push(folder);
    if (ready.length === 0) return;
    for (const problem of await here(this.#vault.finishFolders(this.#top, ready, this.#options.level))) this.#item.problem({ ...problem, who: 'here' });
  }

  async #large({ path, told }: LargeFile): Promise<void> {
    const item = this.#item;
    try {
      using single = item.single(path, told.size);
      const stored = await getFile(this.#requester, below(this.#from, path), told, this.#vault, below(this.#top, path), { ...this.#options, ifAbsent: isSpared(path, this.#options), onBytes: single.onBytes, onLanes: single.onLanes });
      single.stored(stored.digest);
      this.#sieve.note(path, stored.size);
      item.fileDone(path);
    } catch (error) {
      this.#ended ??= endOf(error);
      if (this.#ended === undefined) item.problem(problemOf(path, error));
      this.#ended ??= item.full;
    }
  }

  async #store(told: Uint8Array): Promise<void> {
    const { level, ifAbsent, names } = this.#options;
    const pack = this.#sieve.sift(told);
    const inside = names || this.#sieve.notes ? filesIn(pack) : [];
    const { files, bytes, problems } = await here(this.#vault.receiveBatch(this.#top, pack, { level, condition: ifAbsent ? 'absent' : 'any', replaceable: this.#replaceable })).catch((error: unknown) => { throw heard(error); });
    this.#item.stored(files, bytes);
    const failed = new Set<string>(problems.map(({ path }) => path));
    for (const problem of problems) this.#item.problem({ ...problem, who: 'here' });
    for (const { path, size } of inside) {
      if (failed.has(path)) continue;
      this.#sieve.note(path, size);
      if (names) this.#item.fileDone(path);
    }
  }
}

function takeProblems({ problems, skipped }: Message<'problems'>, item: ItemTally): void {
  item.skip(skipped);
  for (const { path, code, message } of problems) item.problem({ path: printable(path) as RemotePath, code, message: printable(message), who: 'server' });
}
