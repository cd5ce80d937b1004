/**
 * A folder, either way: the client's side of the `putTree` and `getTree` exchanges.
 *
 * Small files go in packs, without a round trip each; large ones beside them, a few at a time, in exchanges of their
 * own. A folder gets its mode and time when everything in it has arrived. One file that fails is a problem of the
 * item and stops nothing; a connection that breaks, or a cancel, ends the whole. Memory does not grow with the tree.
 */
import { Failure } from '../errors.ts';
import { readPack } from '../pack.ts';
import { below, checkName, child, parentOf, ROOT, type RemotePath } from '../path.ts';
import { printable } from '../printable.ts';
import type { Exchange } from '../session/exchange.ts';
import type { FolderAttributes, Vault } from '../store/vault.ts';
import { InOrder } from '../transfer/inorder.ts';
import { MAX_PACKS, sayFolders } from '../transfer/tree.ts';
import type { Message } from '../wire/messages.ts';
import type { Problem } from './api.ts';
import { getFile, here, putFile, type FileOptions } from './file.ts';
import { heard, heardPath } from './heard.ts';
import { Lanes } from './lanes.ts';
import type { Requester } from './requester.ts';
import type { ItemTally } from './tally.ts';

export interface TreeOptions extends Omit<FileOptions, 'onBytes'> {
  readonly exclude: readonly string[];
  readonly follow: boolean;
  /** Whether the names of single files are of interest (they cost a look into every pack). */
  readonly names: boolean;
}

/** Large files at once: enough to hide the round trips of their beginnings and ends. */
const LANES = 4;

/** Sends the folder `top` of a local vault. */
export async function putTree(requester: Requester, vault: Vault, top: RemotePath, to: RemotePath, item: ItemTally, options: TreeOptions): Promise<void> {
  using exchange = await requester.open({ kind: 'putTree', path: to, level: options.level, ifAbsent: options.ifAbsent }, options.signal);
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
  readonly #lanes = new Lanes(LANES);
  readonly #acks: PackAcks;
  #packs = 0;
  #waiting: FolderAttributes[] = []; // complete but for a large file

  constructor(requester: Requester, exchange: Exchange, vault: Vault, top: RemotePath, to: RemotePath, item: ItemTally, options: TreeOptions) {
    this.#requester = requester;
    this.#exchange = exchange;
    this.#vault = vault;
    this.#top = top;
    this.#to = to;
    this.#item = item;
    this.#options = options;
    this.#acks = new PackAcks(exchange, item);
  }

  async run(): Promise<void> {
    const answers = this.#acks.run();
    answers.catch(() => {}); // awaited below; until then the exchange itself rejects
    try {
      for await (const step of this.#vault.pack(this.#top, { exclude: this.#options.exclude, follow: this.#options.follow })) {
        if (step.pack.byteLength > 0) {
          this.#acks.sent(this.#options.names ? fileNames(step.pack) : undefined);
          this.#packs += 1;
          await this.#exchange.batch(step.pack);
        }
        this.#item.skip(step.skipped);
        for (const problem of step.problems) this.#item.problem({ ...problem, who: 'here' });
        for (const file of step.large) await this.#lanes.start(parentOf(file.path), () => this.#large(file.path, file.size));
        await this.#folders(step.folders);
      }
      await this.#lanes.idle();
      await this.#folders([]);
      this.#exchange.say({ kind: 'finish' });
      await answers;
    } finally {
      await this.#lanes.idle();
    }
  }

  /** Tells of folders that are complete, children before parents, and keeps back those with a large file on its way. */
  async #folders(more: readonly FolderAttributes[]): Promise<void> {
    const all = [...this.#waiting, ...more];
    this.#waiting = all.filter(({ path }) => this.#lanes.busy(path));
    await sayFolders(this.#exchange, all.filter((folder) => !this.#waiting.includes(folder)));
  }

  async #large(path: RemotePath, size: number): Promise<void> {
    try {
      await this.#acks.reached(this.#packs); // its folder is in a pack that was sent before
      await using source = await this.#vault.read(below(this.#top, path));
      this.#item.tally.begin(path, size);
      const sent = await putFile(this.#requester, source, below(this.#to, path), { ...this.#options, onBytes: (bytes, kept) => this.#item.moved(bytes, kept) });
      this.#item.file(sent.digest);
      this.#item.fileDone(path);
    } catch (error) {
      this.#item.problem(problemOf(path, error));
    }
  }
}

/** The server's acknowledgements of packs, in order. */
class PackAcks {
  readonly #exchange: Exchange;
  readonly #item: ItemTally;
  readonly #names: (readonly RemotePath[] | undefined)[] = [];
  #count = 0;
  #failed = new Set<string>();
  #waiting: { count: number; resolve: () => void; reject: (error: unknown) => void }[] = [];

  constructor(exchange: Exchange, item: ItemTally) {
    this.#exchange = exchange;
    this.#item = item;
  }

  /** A pack is about to be sent, with these files. */
  sent(names: readonly RemotePath[] | undefined): void {
    this.#names.push(names);
  }

  /** Resolves when `count` packs have been acknowledged. */
  reached(count: number): Promise<void> {
    if (this.#count >= count) return Promise.resolve();
    if (this.#exchange.failure !== undefined) return Promise.reject(this.#exchange.failure);
    return new Promise((resolve, reject) => { this.#waiting.push({ count, resolve, reject }); });
  }

  /** Takes answers until the last one. */
  async run(): Promise<void> {
    try {
      for (;;) {
        const received = await this.#exchange.next();
        if (received.kind !== 'message') throw new Failure('INTERNAL', 'unexpected bytes in answer to a tree');
        this.#exchange.consumed(received.bulk);
        if (received.message.kind === 'done') return;
        if (received.message.kind === 'problems') this.#problems(received.message);
        else if (received.message.kind === 'batched') this.#batched(received.message);
      }
    } catch (error) {
      for (const { reject } of this.#waiting.splice(0)) reject(error);
      throw error;
    }
  }

  #problems({ problems }: Message<'problems'>): void {
    for (const { path, code, message } of problems) {
      this.#failed.add(path);
      this.#item.problem({ path: heardPath(path), code, message, who: 'server' });
    }
  }

  #batched({ files, bytes }: Message<'batched'>): void {
    this.#count += 1;
    this.#item.stored(files, bytes);
    for (const path of this.#names.shift() ?? []) if (!this.#failed.has(path)) this.#item.fileDone(path);
    this.#failed.clear();
    this.#waiting = this.#waiting.filter((waiter) => {
      if (waiter.count > this.#count) return true;
      waiter.resolve();
      return false;
    });
  }
}

/** Fetches the folder `from` as the folder `top` of a local vault. */
export async function getTree(requester: Requester, from: RemotePath, vault: Vault, top: RemotePath, item: ItemTally, options: TreeOptions): Promise<void> {
  using exchange = await requester.open({ kind: 'getTree', path: from, exclude: options.exclude, ...(options.follow && { follow: true }) }, options.signal);
  const get = new TreeGet(requester, from, vault, top, item, options);
  try {
    await get.run(exchange);
  } finally {
    await get.lanes.idle();
  }
}

class TreeGet {
  readonly lanes = new Lanes(LANES);
  readonly #requester: Requester;
  readonly #from: RemotePath;
  readonly #vault: Vault;
  readonly #top: RemotePath;
  readonly #item: ItemTally;
  readonly #options: TreeOptions;
  #waiting: FolderAttributes[] = []; // complete but for a large file

  constructor(requester: Requester, from: RemotePath, vault: Vault, top: RemotePath, item: ItemTally, options: TreeOptions) {
    this.#requester = requester;
    this.#from = from;
    this.#vault = vault;
    this.#top = top;
    this.#item = item;
    this.#options = options;
  }

  async run(exchange: Exchange): Promise<void> {
    const work = new InOrder(MAX_PACKS, (failure) => exchange.cancel(failure));
    try {
      for (;;) {
        const received = await exchange.next();
        const done = async (): Promise<void> => exchange.consumed(received.bulk);
        if (received.kind === 'batch') await work.add(() => storePack(this.#vault, this.#top, received.pack, this.#item, this.#options), done);
        else if (received.kind === 'message') {
          if (received.message.kind === 'done') break;
          await this.#hear(received.message, work);
          await done();
        }
      }
    } catch (error) {
      exchange.cancel(Failure.from(error)); // ends what waits for the peer
      await work.idle().catch(() => {});
      throw error;
    }
    await work.idle();
    await this.lanes.idle();
    await this.#folders([]);
  }

  async #hear(message: Message, work: InOrder): Promise<void> {
    if (message.kind === 'problems') takeProblems(message, this.#item);
    else if (message.kind === 'folders') {
      const folders = message.folders.map((folder) => ({ ...folder, path: heardPath(folder.path) }));
      await work.add(() => this.#folders(folders), async () => {});
    } else if (message.kind === 'large') {
      // The folders of these files are in packs that came before.
      const packs = work.soFar();
      for (const file of message.files) await this.#large(file, packs);
    }
  }

  async #folders(more: readonly FolderAttributes[]): Promise<void> {
    const all = [...this.#waiting, ...more];
    this.#waiting = all.filter(({ path }) => this.lanes.busy(path));
    const ready = all.filter((folder) => !this.#waiting.includes(folder));
    if (ready.length === 0) return;
    for (const problem of await here(this.#vault.finishFolders(this.#top, ready, this.#options.level))) this.#item.problem({ ...problem, who: 'here' });
  }

  async #large(file: Message<'large'>['files'][number], packs: Promise<void>): Promise<void> {
    const path = heardPath(file.name);
    const item = this.#item;
    await this.lanes.start(parentOf(path), async () => {
      await packs;
      try {
        item.tally.begin(path, file.size);
        const options = { ...this.#options, onBytes: (bytes: number, kept: number) => item.moved(bytes, kept) };
        const stored = await getFile(this.#requester, below(this.#from, path), file, this.#vault, below(this.#top, path), options);
        item.file(stored.digest);
        item.fileDone(path);
      } catch (error) {
        item.problem(problemOf(path, error));
      }
    });
  }
}

async function storePack(vault: Vault, top: RemotePath, pack: Uint8Array, item: ItemTally, options: TreeOptions): Promise<void> {
  const names = options.names ? fileNames(pack) : [];
  const { files, bytes, problems } = await here(vault.receiveBatch(top, pack, { level: options.level, condition: options.ifAbsent ? 'absent' : 'any' })).catch((error: unknown) => { throw heard(error); });
  item.stored(files, bytes);
  const failed = new Set<string>(problems.map(({ path }) => path));
  for (const problem of problems) item.problem({ ...problem, who: 'here' });
  for (const path of names) if (!failed.has(path)) item.fileDone(path);
}

function takeProblems({ problems, skipped }: Message<'problems'>, item: ItemTally): void {
  item.skip(skipped);
  for (const { path, code, message } of problems) item.problem({ path: printable(path) as RemotePath, code, message: printable(message), who: 'server' });
}

/** The files in a pack, below the top of the tree. */
function fileNames(pack: Uint8Array): RemotePath[] {
  const names: RemotePath[] = [];
  let folder = ROOT;
  for (const record of readPack(pack)) {
    if (record.kind === 'folder') folder = record.path;
    else names.push(child(folder, checkName(record.name)));
  }
  return names;
}

/** What failed at the server or on the way says so; the rest is this machine's. */
function problemOf(path: RemotePath, error: unknown): Problem {
  const { code, message, who = 'here' } = Failure.from(error);
  return { path, code, message, who };
}

