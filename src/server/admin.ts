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
import { type Role, ROLES } from '../rights.ts';
import { MAX_INVITE_MS, serversFolder } from './config.ts';
import { isAnswered, runningServers, SOCKET } from './running.ts';

export type AdminRequest =
  | { readonly verb: 'invite'; readonly role?: Role | undefined; readonly forMs?: number | undefined; readonly name?: string | undefined }
  | { readonly verb: 'devices list' }
  | { readonly verb: 'devices revoke'; readonly name: string };

/** A device as its owner is shown it; times are ISO 8601. */
export interface DeviceInfo { readonly name: string; readonly role: Role; readonly added: string; readonly lastSeen?: string | undefined }

/** What each request is answered with. */
export interface AdminAnswers {
  'invite': { readonly ticket: string; readonly role: Role; readonly expires: string };
  'devices list': { readonly devices: readonly DeviceInfo[] };
  'devices revoke': { readonly name: string };
}
export type AnswerTo<R extends AdminRequest> = AdminAnswers[R['verb']];

/** Room for the longest name; a longer line is not a request. */
const MAX_REQUEST_BYTES = 16 << 10;
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

/** Opens the socket in `state`. Throws BUSY when another server runs on the same state folder. */
export async function openAdmin(state: string, answer: (request: AdminRequest) => Promise<AdminAnswers[AdminRequest['verb']]>): Promise<AsyncDisposable> {
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
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((done) => { server.close(() => done()); });
      for (const socket of sockets) socket.destroy();
      await closed; // removes the socket's name too
    },
  };
}

/** Asks the server whose state folder it is; without one, the only server of this user that is running. */
export async function askServer<R extends AdminRequest>(state: string | undefined, request: R, env?: NodeJS.ProcessEnv): Promise<AnswerTo<R>> {
  const folder = state ?? (await onlyRunning(serversFolder(env)));
  const line = await exchange(join(folder, SOCKET), `${JSON.stringify(request)}\n`);
  const reply = JSON.parse(line) as { ok: true; answer: AnswerTo<R> } | { ok: false; code: Code; message: string; hint?: string };
  if (reply.ok) return reply.answer;
  throw new Failure(Object.hasOwn(CODES, reply.code) ? reply.code : 'INTERNAL', reply.message, { who: 'rule', hint: reply.hint });
}

async function onlyRunning(servers: string): Promise<string> {
  const running = await runningServers(servers);
  const [first, second] = running;
  if (first === undefined) throw new Failure('CONNECT', 'no server of yours is running on this machine', { who: 'here', hint: 'start one with "wherry serve DIR", or name its state folder with --state' });
  if (second !== undefined) throw new Failure('USAGE', `${running.length} servers of yours are running on this machine`, { who: 'here', hint: `say which one with --state: ${running.map(printable).join(', ')}` });
  return first;
}

async function exchange(path: string, line: string): Promise<string> {
  const socket = connect(path);
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Failure('TIMEOUT', 'the server does not answer', { path, who: 'here' })));
  try {
    socket.write(line);
    return await readLine(socket, MAX_ANSWER_BYTES);
  } catch (error) {
    if (error instanceof Failure) throw error;
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
    reply({ ok: true, answer: await answer(request) });
  } catch (error) {
    const { code, message, hint } = Failure.from(error);
    reply({ ok: false, code, message, hint });
  }
}

function parseRequest(line: string): AdminRequest {
  let fields: Record<string, unknown>;
  try {
    fields = Object(JSON.parse(line)) as Record<string, unknown>;
  } catch {
    throw new Failure('PROTOCOL', 'the request is not JSON');
  }
  const { verb, role, forMs, name } = fields;
  if (verb === 'devices list') return { verb };
  if (verb === 'devices revoke' && typeof name === 'string') return { verb, name };
  if (verb !== 'invite') throw new Failure('PROTOCOL', 'the running server does not know this request', { hint: 'is it an older version? restart it' });
  if (role !== undefined && (typeof role !== 'string' || !Object.hasOwn(ROLES, role))) throw new Failure('USAGE', 'there is no such role', { hint: `roles: ${Object.keys(ROLES).join(', ')}` });
  if (forMs !== undefined && !(typeof forMs === 'number' && forMs > 0 && forMs <= MAX_INVITE_MS)) throw new Failure('USAGE', 'a ticket is for at most 30 days', { hint: 'for example --for 10m' });
  if (name !== undefined && typeof name !== 'string') throw new Failure('USAGE', 'a name is text');
  return { verb, role: role as Role | undefined, forMs, name };
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
