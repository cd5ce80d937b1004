/**
 * The pump itself, both roles:
 *
 *     pump.mjs serve HOST PORT KEY CERT
 *     pump.mjs put FROM TO HOST PORT CERT      pump.mjs get FROM TO HOST PORT CERT
 *
 * The client says one line of JSON, then the bytes flow one way, and the receiver's digest comes back against the
 * sender's. Blocks of 1 MiB, one being read or written while the other is on the socket; hashed whole. Not for use:
 * it reads and writes any path it is told.
 */
import { createRequire } from 'node:module';
import { closeSync, openSync, read, readFileSync, statSync, write } from 'node:fs';
import { connect, createServer } from 'node:tls';

/** @typedef {import('node:tls').TLSSocket} Socket */
/** @typedef {{ update: (bytes: Buffer) => void, digest: () => string }} Hasher */

const BLOCK = 1 << 20;
const CIPHER = 'TLS_AES_128_GCM_SHA256';
const { Blake3Hasher } = /** @type {{ Blake3Hasher: new () => Hasher }} */ (createRequire(import.meta.url)('@napi-rs/blake-hash'));

/** @param {(done: (error: Error | null, count: number) => void) => void} call @returns {Promise<number>} */
function once(call) {
  return new Promise((resolve, reject) => { call((error, count) => { if (error === null) resolve(count); else reject(error); }); });
}

/** Sends a file. @param {string} path @param {Socket} socket @returns {Promise<string>} Its digest. */
async function send(path, socket) {
  const file = openSync(path, 'r');
  const hasher = new Blake3Hasher();
  const buffers = [Buffer.allocUnsafeSlow(BLOCK), Buffer.allocUnsafeSlow(BLOCK), Buffer.allocUnsafeSlow(BLOCK)];
  /** @type {Promise<void>[]} */
  const sent = buffers.map(() => Promise.resolve());
  for (let i = 0; ; i += 1) {
    const [slot, buffer] = [i % buffers.length, buffers[i % buffers.length] ?? Buffer.alloc(0)];
    await sent[slot];
    const count = await once((done) => { read(file, buffer, 0, BLOCK, null, done); });
    if (count === 0) break;
    const part = buffer.subarray(0, count);
    hasher.update(part);
    sent[slot] = new Promise((resolve, reject) => { socket.write(part, (error) => { if (error) reject(error); else resolve(); }); });
  }
  await Promise.all(sent);
  closeSync(file);
  return hasher.digest();
}

/** What arrives, gathered into blocks; each is hashed and written while the next fills. */
class Sink {
  #file;
  #left;
  #hasher = new Blake3Hasher();
  #buffers = [Buffer.allocUnsafeSlow(BLOCK), Buffer.allocUnsafeSlow(BLOCK), Buffer.allocUnsafeSlow(BLOCK)];
  #filled = 0;
  #turn = 0;
  /** @type {Promise<unknown>} */
  #writing = Promise.resolve();
  #waiting = 0;

  /** @param {string} path @param {number} size */
  constructor(path, size) {
    this.#file = openSync(path, 'w');
    this.#left = size;
  }

  /** @param {Buffer} chunk @param {Socket | undefined} source Held when the disk is behind. */
  take(chunk, source) {
    for (let at = 0; at < chunk.length;) {
      const buffer = this.#buffers[this.#turn] ?? Buffer.alloc(0);
      const count = chunk.copy(buffer, this.#filled, at, Math.min(chunk.length, at + BLOCK - this.#filled));
      at += count;
      this.#filled += count;
      this.#left -= count;
      if (this.#filled === BLOCK || this.#left === 0) this.#flush(buffer.subarray(0, this.#filled), source);
    }
  }

  /** @param {Buffer} block @param {Socket | undefined} source */
  #flush(block, source) {
    this.#hasher.update(block);
    this.#turn = (this.#turn + 1) % this.#buffers.length;
    this.#filled = 0;
    this.#waiting += 1;
    // One block is being written, one may wait, and the third fills.
    if (this.#waiting > 1) source?.pause();
    this.#writing = this.#writing.then(() => once((done) => { write(this.#file, block, done); })).then(() => {
      this.#waiting -= 1;
      source?.resume();
    });
  }

  get done() {
    return this.#left === 0;
  }

  async finish() {
    await this.#writing;
    closeSync(this.#file);
    return this.#hasher.digest();
  }
}

/** @typedef {{ way: 'put' | 'get', path: string, size: number }} Question */

/** The server's side of one connection. @param {Socket} socket */
function serveOne(socket) {
  let line = '';
  /** @type {Sink | undefined} */
  let sink;
  socket.on('error', () => socket.destroy());
  socket.on('data', (/** @type {Buffer} */ chunk) => {
    let bytes = chunk;
    if (sink === undefined) {
      const end = chunk.indexOf(10);
      line += chunk.subarray(0, end < 0 ? chunk.length : end).toString();
      if (end < 0) return;
      const { way, path, size } = /** @type {Question} */ (JSON.parse(line));
      if (way === 'get') {
        socket.write(`${statSync(path).size}\n`);
        void send(path, socket).then((digest) => socket.end(digest));
        return;
      }
      sink = new Sink(path, size);
      bytes = chunk.subarray(end + 1);
    }
    sink.take(bytes, socket);
    if (sink.done) void sink.finish().then((digest) => socket.end(digest));
  });
}

/** @param {string} path @param {string} to @param {Socket} socket */
async function put(path, to, socket) {
  let answer = '';
  socket.on('data', (chunk) => { answer += String(chunk); });
  const ended = new Promise((resolve) => { socket.once('end', resolve); });
  socket.write(`${JSON.stringify({ way: 'put', path: to, size: statSync(path).size })}\n`);
  const mine = await send(path, socket);
  await ended;
  if (answer !== mine) throw new Error('the digests differ');
  socket.end();
}

/** @param {string} path @param {string} to @param {Socket} socket */
async function get(path, to, socket) {
  let [head, tail] = ['', ''];
  /** @type {Sink | undefined} */
  let sink;
  let left = 0;
  socket.on('data', (/** @type {Buffer} */ chunk) => {
    let bytes = chunk;
    if (sink === undefined) {
      const end = chunk.indexOf(10);
      head += chunk.subarray(0, end < 0 ? chunk.length : end).toString();
      if (end < 0) return;
      left = Number(head);
      sink = new Sink(to, left);
      bytes = chunk.subarray(end + 1);
    }
    const body = bytes.subarray(0, left);
    left -= body.length;
    sink.take(body, socket);
    tail += bytes.subarray(body.length).toString();
  });
  const ended = new Promise((resolve) => { socket.once('end', resolve); });
  socket.write(`${JSON.stringify({ way: 'get', path, size: 0 })}\n`);
  await ended;
  if ((await sink?.finish()) !== tail) throw new Error('the digests differ');
}

const [role, ...words] = process.argv.slice(2);
if (role === 'serve') {
  const [host = '', port = '', key = '', cert = ''] = words;
  createServer({ key: readFileSync(key), cert: readFileSync(cert), minVersion: 'TLSv1.3', ciphers: CIPHER, noDelay: true }, serveOne).listen(Number(port), host);
} else {
  const [from = '', to = '', host = '', port = '', cert = ''] = words;
  const socket = connect({ host, port: Number(port), ca: readFileSync(cert), minVersion: 'TLSv1.3', ciphers: CIPHER, checkServerIdentity: () => undefined });
  socket.setNoDelay(true);
  socket.on('error', (/** @type {Error} */ error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
  socket.once('secureConnect', () => {
    (role === 'put' ? put : get)(from, to, socket).catch((/** @type {Error} */ error) => {
      process.stderr.write(`${error.message}\n`);
      process.exit(1);
    });
  });
}
