/**
 * Channel: lines of JSON over the agent's socket, for both ends. The only file of the command line that touches a socket.
 *
 * Each end says its version first. A line has a bound, so has the number of connections, and a peer that is silent for
 * long is let go: but for a question that takes its time, during which nobody has to say anything. What a line means
 * is for others to check.
 */
import { chmodSync, existsSync } from 'node:fs';
import { lstat, mkdir, rm, rmdir, stat } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { Failure, fromErrno } from '../../errors.ts';
import { SOFTWARE_VERSION } from '../../version.ts';
import { fieldsOf } from './job.ts';

/** Raised when an older end could misunderstand a line. */
const PROTOCOL = 1;
/** What is asked of the agent: a job with as many words as one may have. */
const MAX_ASKED = 2 << 20;
/** What it answers: all jobs, each without most of its words. */
const MAX_ANSWERED = 64 << 20;
/** The other end is on this machine; a person may sit at it, who only looks. */
const SILENCE_MS = 60_000;
/** Terminals of one person. */
const MAX_CONNECTIONS = 64;
/** Older than any start takes: what is left of one that was killed. */
const STALE_LOCK_MS = 10_000;

export class Channel implements Disposable {
  readonly #socket: Socket;
  readonly #lines: AsyncGenerator;

  /** `longest`: of a line that is heard. */
  constructor(socket: Socket, longest: number) {
    this.#socket = socket;
    // Errors are heard by whoever reads.
    socket.on('error', () => socket.destroy());
    socket.on('timeout', () => socket.destroy());
    this.patience(SILENCE_MS);
    this.#lines = readLines(socket, longest);
  }

  /** How long the other end may be silent; 0: for ever. */
  patience(milliseconds = SILENCE_MS): void {
    this.#socket.setTimeout(milliseconds);
  }

  /** Sends one line; resolves when the system has taken it, or nobody will, so that who asks and does not listen fills no memory. */
  say(value: unknown): Promise<void> {
    return new Promise((done) => {
      if (this.#socket.writable) this.#socket.write(`${JSON.stringify(value)}\n`, () => done());
      else done();
    });
  }

  /** The next line; throws LOST at the end, PROTOCOL for what is no JSON, LIMIT for a line without an end. */
  async next(): Promise<unknown> {
    const line: IteratorResult<unknown, unknown> = await this.#lines.next();
    if (line.done === true) throw new Failure('LOST', 'the agent for jobs is gone', { who: 'here' });
    return line.value;
  }

  /** Settles when the connection is over. */
  get closed(): Promise<void> {
    return this.#socket.destroyed ? Promise.resolve() : new Promise((done) => { this.#socket.once('close', () => done()); });
  }

  /** Says who is here, and hears who is there. Throws VERSION when the two do not understand each other. */
  async greet(): Promise<void> {
    await this.say({ wherry: PROTOCOL, version: SOFTWARE_VERSION });
    const there = fieldsOf(await this.next());
    if (there['wherry'] === PROTOCOL) return;
    throw new Failure('VERSION', 'the agent for jobs is of another version of Wherry', { who: 'here', hint: 'end it with: wherry agent --stop; unfinished jobs go on with the next one' });
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

async function* readLines(socket: Socket, longest: number): AsyncGenerator {
  let rest = '';
  socket.setEncoding('utf8');
  try {
    for await (const chunk of socket as AsyncIterable<string>) {
      rest += chunk;
      for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 1);
        yield parsed(line);
      }
      if (rest.length > longest) throw new Failure('LIMIT', `a line of more than ${longest} letters`);
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('LOST', 'the agent for jobs is gone', { who: 'here', cause: error });
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new Failure('PROTOCOL', 'a line that is not JSON');
  }
}

/** A channel to the agent; undefined when none listens. */
export function openChannel(path: string): Promise<Channel | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(new Channel(socket, MAX_ANSWERED)));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined);
      else reject(fromErrno(error, path, 'here'));
    });
  });
}

export interface Listening extends AsyncDisposable {
  /** Connections that are open. */
  readonly attached: number;
  /** Whether the name of the socket still leads here. */
  holds(): Promise<boolean>;
}

/**
 * Listens on `path`, in a folder that only this user can open. What an agent that was killed left there is removed. Throws BUSY
 * when another one listens or is just starting.
 */
export async function listenOn(path: string, serve: (channel: Channel) => Promise<void>): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    void serve(new Channel(socket, MAX_ASKED));
  });
  server.maxConnections = MAX_CONNECTIONS;
  const own = await alone(path, async () => {
    const other = await openChannel(path);
    other?.[Symbol.dispose]();
    if (other !== undefined) throw new Failure('BUSY', 'another agent for jobs is running', { who: 'here' });
    await rm(path, { force: true });
    return listen(server, path);
  });
  return {
    get attached() { return sockets.size; },
    holds: async () => (await lstat(path).then(({ ino }) => ino, () => 0)) === own,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((done) => { server.close(() => done()); });
      for (const socket of sockets) socket.destroySoon();
      await closed; // removes the socket's name too
    },
  };
}

/** Resolves with the number of the socket's file. */
async function listen(server: Server, path: string): Promise<number> {
  const listening = new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(fromErrno(error, path, 'here')));
    server.listen(path, () => resolve());
  });
  // The name exists as soon as `listen` has returned; nobody else may use it from then on.
  if (existsSync(path)) chmodSync(path, 0o600);
  await listening;
  return (await lstat(path)).ino;
}

/** Runs `action` while no other agent starts in the same place. */
async function alone<T>(path: string, action: () => Promise<T>): Promise<T> {
  const lock = join(path, '..', 'starting');
  for (let tries = 0; ; tries += 1) {
    try {
      await mkdir(lock);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fromErrno(error, lock, 'here');
      const age = Date.now() - (await stat(lock).then((about) => about.mtimeMs, () => Date.now()));
      if (tries > 0 || age < STALE_LOCK_MS) throw new Failure('BUSY', 'another agent for jobs is just starting', { who: 'here' });
      await rmdir(lock).catch(() => undefined);
    }
  }
  try {
    return await action();
  } finally {
    await rmdir(lock).catch(() => undefined);
  }
}
