/**
 * Admin: a running server asked by its owner, over a Unix socket in its state folder that only its user can open.
 *
 * One request and one answer, each a line of JSON, then the connection ends. Whoever may open the socket may do
 * everything here: the file system decides who that is. Holding the socket is also what makes a server the only
 * one on its state folder: a second one finds it answered and stops.
 */
import { chmodSync, existsSync } from 'node:fs';
import { mkdir, rm, rmdir, stat } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Code, CODES, Failure, fromErrno } from '../errors.ts';
import { printable } from '../printable.ts';
import { serversFolder } from './config.ts';
import { type AdminRequest, type AnswerTo, parseRequest } from './requests.ts';
import { isAnswered, runningServers, SOCKET } from './running.ts';

/** Room for all the rules that an account may have, which are given at once; a longer line is not a request. */
const MAX_REQUEST_BYTES = 512 << 10;
/** Room for the longest list of devices. */
const MAX_ANSWER_BYTES = 16 << 20;
/** The asker is on this machine and has its line ready. */
const PATIENCE_MS = 10_000;
/** Administration is typed by one person. */
const MAX_CONNECTIONS = 16;
/** `sun_path` holds 104 bytes on BSD and macOS, 108 on Linux, with a NUL at the end. */
const MAX_SOCKET_PATH = 103;
/** Older than any start takes: what is left of one that was killed. */
const STALE_LOCK_MS = 10_000;

/** How long a command waits for an answer (ms), and its server for the end of it: an upgrade starts a program, and waits until it serves. */
const LONG_MS = 90_000;

function patienceFor(verb: AdminRequest['verb']): number {
  return verb === 'upgrade' ? LONG_MS : PATIENCE_MS;
}

export interface Admin extends AsyncDisposable {
  /** Frees the name at once; whoever asked before is answered still. */
  leave(): void;
}

/** Opens the socket in `state`. Throws BUSY when another server runs on the same state folder. */
export async function openAdmin(state: string, answer: (request: AdminRequest) => Promise<AnswerTo<AdminRequest>>): Promise<Admin> {
  const path = join(state, SOCKET);
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    throw new Failure('USAGE', `the path of the state folder is too long for a socket: ${printable(path)}`, { path, who: 'here', hint: `choose one of at most ${MAX_SOCKET_PATH - SOCKET.length - 1} bytes with --state` });
  }
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    void serveOne(socket, answer);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await alone(state, async () => {
    if ((await isAnswered(path)) === true) throw new Failure('BUSY', `another server is running on the state folder ${printable(state)}`, { path: state, who: 'here', hint: 'stop it first, or choose another folder with --state', retry: false });
    await rm(path, { force: true }); // left behind by a server that was killed
    await listen(server, path);
  });
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= new Promise((done) => { server.close(() => done()); })); // removes the socket's name too, at once
  return {
    leave: () => void close(),
    async [Symbol.asyncDispose]() {
      const done = close();
      for (const socket of sockets) socket.destroy();
      await done;
    },
  };
}

/** Asks the server whose state folder it is; without one, the only server of this user that is running. */
export async function askServer<R extends AdminRequest>(state: string | undefined, request: R, env?: NodeJS.ProcessEnv): Promise<AnswerTo<R>> {
  const folder = state ?? (await onlyRunning(serversFolder(env)));
  const line = await exchange(join(folder, SOCKET), `${JSON.stringify(request)}\n`, patienceFor(request.verb));
  const reply = JSON.parse(line) as { ok: true; answer: AnswerTo<R> } | { ok: false; code: Code; message: string; hint?: string };
  if (reply.ok) return reply.answer;
  throw new Failure(Object.hasOwn(CODES, reply.code) ? reply.code : 'INTERNAL', reply.message, { who: 'rule', hint: reply.hint });
}

async function onlyRunning(servers: string): Promise<string> {
  const running = await runningServers(servers);
  const [first, second] = running;
  if (first === undefined) throw new Failure('CONNECT', 'no server of yours is running on this machine', { who: 'here', hint: 'start one with "wherry serve DIR", or name its state folder with --state' });
  if (second === undefined) return first;
  const choices = await Promise.all(running.map(async (state) => ({ state, folder: await servedBy(state) })));
  const lines = choices.map(({ state, folder }) => `${folder === undefined ? '' : `for ${printable(folder)}: `}--state ${word(state)}`);
  throw new Failure('USAGE', `${running.length} servers of yours are running on this machine`, { who: 'here', hint: `add ${lines.toSorted().join('; ')}` });
}

/** A path as a shell reads it back. */
function word(path: string): string {
  const shown = printable(path);
  return /^[\w@%+=:,./-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", `'\\''`)}'`;
}

/** The folder that the server on `state` serves; undefined when it does not say so. */
async function servedBy(state: string): Promise<string | undefined> {
  return askServer(state, { verb: 'folder' }).then(({ folder }) => folder, () => undefined);
}

async function exchange(path: string, line: string, patienceMs: number): Promise<string> {
  const socket = connect(path);
  socket.setTimeout(patienceMs, () => socket.destroy(new Failure('TIMEOUT', 'the server does not answer', { path, who: 'here' })));
  try {
    socket.write(line);
    return await readLine(socket, MAX_ANSWER_BYTES);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') throw new Failure('DENIED', `this user may not speak to the server at ${printable(path)}`, { path, who: 'here', hint: 'type it as the user that the server runs as: sudo -u NAME wherry ...', cause: error });
    throw new Failure('CONNECT', `no server answers at ${printable(path)}`, { path, who: 'here', hint: 'is it running, and is this its state folder?', cause: error });
  } finally {
    socket.destroy();
  }
}

async function serveOne(socket: Socket, answer: (request: AdminRequest) => Promise<unknown>): Promise<void> {
  socket.setTimeout(PATIENCE_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  const reply = (value: unknown): void => { socket.end(`${JSON.stringify(value)}\n`, () => socket.destroy()); };
  try {
    const request = parseRequest(await readLine(socket, MAX_REQUEST_BYTES));
    socket.setTimeout(patienceFor(request.verb));
    reply({ ok: true, answer: await answer(request) });
  } catch (error) {
    const { code, message, hint } = Failure.from(error);
    reply({ ok: false, code, message, hint });
  }
}

/** The first line that comes, without its end. Rejects when the peer leaves before, or sends more than `limit`. */
function readLine(socket: Socket, limit: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    socket.on('error', reject);
    socket.on('close', () => reject(new Failure('LOST', 'the other side closed before the end of the line')));
    socket.on('data', (chunk: Buffer) => {
      length += chunk.byteLength;
      chunks.push(chunk);
      const end = chunk.indexOf(0x0a);
      if (end < 0 && length <= limit) return;
      socket.removeAllListeners('data').pause();
      if (length > limit) reject(new Failure('LIMIT', `a line of more than ${limit} bytes`));
      else resolve(Buffer.concat(chunks).toString('utf8', 0, length - chunk.byteLength + end));
    });
  });
}

async function listen(server: Server, path: string): Promise<void> {
  const listening = new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(fromErrno(error, path, 'here')));
    server.listen(path, () => resolve());
  });
  // The name exists as soon as `listen` has returned; nobody else may use it from then on.
  if (existsSync(path)) chmodSync(path, 0o600);
  await listening;
}

/** Runs `action` while no other process starts on the same state folder. */
async function alone(state: string, action: () => Promise<void>): Promise<void> {
  const lock = join(state, 'starting');
  for (let tries = 0; ; tries++) {
    try {
      await mkdir(lock);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fromErrno(error, lock, 'here');
      const age = Date.now() - (await stat(lock).then((about) => about.mtimeMs, () => 0));
      if (tries > 0 || age < STALE_LOCK_MS) throw new Failure('BUSY', `another server is just starting on the state folder ${printable(state)}`, { path: state, who: 'here', hint: 'try again in a moment' });
      await rmdir(lock).catch(() => undefined);
    }
  }
  try {
    await action();
  } finally {
    await rmdir(lock).catch(() => undefined);
  }
}
