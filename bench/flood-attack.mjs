/**
 * Whoever floods a server, in a process of its own:
 *
 *     flood-attack.mjs KIND RATE PORT DIST
 *
 * KIND is `device`, `invite`, `token` or `code`: RATE new TLS connections a second, each of which tries to sign in with a key, a ticket,
 * a token or a code that is wrong, from ten addresses of this machine; `tcp` only connects and waits to be hung up on. `slow`: RATE
 * connections at a time that begin something and hardly go on, each replaced when it was put out. Attempts are begun by the
 * clock, whether or not the others have ended. Says how many began, how many came as far as TLS, how many were answered,
 * and the CPU seconds of this process, in one line of JSON when its input ends.
 */
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { pathToFileURL } from 'node:url';

/** @typedef {import('node:tls').TLSSocket} TLSSocket @typedef {import('node:net').Socket} Socket */

/** Attempts that may be under way: more would measure the memory of this process. */
const MOST = 4000;
const ADDRESSES = 10;

const [kind = '', rateText = '', portText = '', dist = ''] = process.argv.slice(2);
const rate = Number(rateText);
const port = Number(portText);
/** Of the build that is flooded. @param {string} name @returns {Promise<unknown>} */
const built = (name) => import(pathToFileURL(join(dist, name)).href);
const { ALPN, VERSION, encodeMessage } = /** @type {typeof import('../src/wire/messages.ts')} */ (await built('wire/messages.js'));
const { EXPORTER_BYTES, EXPORTER_LABEL, createKey, pinOf, publicBytes, signProof } = /** @type {typeof import('../src/identity.ts')} */ (await built('identity.js'));
const { generatorOf, multiply, newScalar } = /** @type {typeof import('../src/cpace.ts')} */ (await built('cpace.js'));
const { Secret } = /** @type {typeof import('../src/secret.ts')} */ (await built('secret.js'));

const key = createKey();
const hello = encodeMessage(0, { kind: 'hello', version: VERSION, agent: 'flood', maxBody: 1 << 20, credit: 0 });
const point = multiply(newScalar(), generatorOf({ secret: new Secret(Buffer.from('7-acorn-zebra')), session: Buffer.alloc(32), channel: Buffer.alloc(32) }));
const count = { began: 0, shaken: 0, answered: 0, skipped: 0 };
let open = 0;
let next = 0;

/** @returns {Socket} */
function dial() {
  next = (next + 1) % ADDRESSES;
  count.began += 1;
  open += 1;
  const socket = connectTcp({ host: '127.0.0.1', port, localAddress: `127.0.0.${100 + next}` });
  socket.on('error', () => {}).once('close', () => { open -= 1; });
  return socket;
}

/** @param {Socket} socket @returns {TLSSocket} */
function shake(socket) {
  const secure = connectTls({ socket, ALPNProtocols: [ALPN], rejectUnauthorized: false, minVersion: 'TLSv1.3' });
  return secure.on('error', () => {}).once('secureConnect', () => { count.shaken += 1; });
}

/** @param {TLSSocket} secure */
function proof(secure) {
  const method = /** @type {import('../src/identity.ts').ProofKind} */ (kind);
  const own = publicBytes(key);
  const certificate = secure.getPeerX509Certificate();
  if (certificate === undefined) throw new Error('a server without a certificate');
  const claim = { kind: method, exporter: new Uint8Array(secure.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0))), serverPin: pinOf(certificate), ...(method === 'invite' && { device: own }) };
  const signature = signProof(key, claim);
  return encodeMessage(0, { kind: 'auth', method, key: own, signature, ...(method === 'invite' && { device: own, deviceSignature: signature }), ...(method === 'code' && { confirmation: new Uint8Array(64) }) });
}

function attempt() {
  const socket = dial();
  if (kind === 'tcp') return void socket.resume();
  const secure = shake(socket);
  secure.once('secureConnect', () => {
    secure.write(hello);
    if (kind === 'code') secure.write(encodeMessage(0, { kind: 'codeStart', point }));
    else secure.write(proof(secure));
  });
  let asked = kind !== 'code';
  secure.on('data', (/** @type {Buffer} */ chunk) => {
    // A server greets by itself; the answer to a start is longer.
    if (!asked && chunk.byteLength > 40) { asked = true; secure.write(proof(secure)); }
  });
  secure.once('end', () => { count.answered += 1; }).once('close', () => socket.destroy());
}

/** Something that is begun and hardly goes on: a byte a second. @param {number} which */
function dawdle(which) {
  const socket = dial();
  /** @param {Socket} into @param {Uint8Array} bytes */
  const drip = (into, bytes) => {
    let at = 0;
    const timer = setInterval(() => { if (at < bytes.byteLength) into.write(bytes.subarray(at, at += 1)); }, 1000);
    socket.once('close', () => clearInterval(timer));
  };
  if (which % 3 === 0) drip(socket, Buffer.from([0x16, 3, 1, 2, 0, ...Buffer.alloc(512, 1)]));
  if (which % 3 === 1) {
    const secure = shake(socket);
    secure.once('secureConnect', () => { secure.write(hello); drip(secure, encodeMessage(0, { kind: 'auth', method: 'device', key: publicBytes(key), signature: new Uint8Array(64) })); });
  }
  socket.resume().once('close', () => setTimeout(() => dawdle(which), 100));
}

if (kind === 'slow') for (let which = 0; which < rate; which += 1) dawdle(which);
else {
  const began = performance.now();
  setInterval(() => {
    const due = Math.floor(((performance.now() - began) / 1000) * rate);
    for (let behind = due - count.began - count.skipped; behind > 0; behind -= 1) {
      if (open < MOST) attempt();
      else count.skipped += 1;
    }
  }, 5);
}
process.stdin.resume().once('end', () => {
  const { user, system } = process.cpuUsage();
  process.stdout.write(`${JSON.stringify({ ...count, cpu: (user + system) / 1e6 })}\n`, () => process.exit(0));
});
