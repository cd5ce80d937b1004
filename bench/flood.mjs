/**
 * `npm run bench -- flood [FLAGS]`: what a flood of strangers costs somebody who is signed in.
 *
 *   --rate N      sign-ins a second (500)             --seconds N   how long a download is measured (10)
 *   --mib N       of the file that is fetched (64)    --rounds N    of without and with (5)
 *   --slow N      connections that hardly go on (1000)   --small N  small files fetched meanwhile (100)
 *   --bans on|off with bans as usual, or without; by default one after the other
 *
 * One client fetches a file again and again while attempts with wrong keys, tickets, tokens or codes come from ten other addresses of this
 * machine, once with those banned as usual and once never banned, so that each attempt may cost what the server lets it. The loss is
 * against the same download just before. Whoever floods takes processors too, which a real server does not
 * share with them: so in each round the same number of connections is also made to a bare TCP server beside it, and told is what the download loses
 * against that as well. That is the server's part and more, since the generator's handshakes are missing there. Its CPU seconds are said, and what the server
 * computes for the attempts when there is no download.
 * The goal is that the server's part is below 20 %, for each kind; the rest is for reading. Judged at full rate only.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { node, root } from '../scripts/prepare.mjs';
import { leave } from './cleanup.mjs';
import { own } from './servers.mjs';
import { median, quantile } from './statistics.mjs';

/**
 * @typedef {import('./verdicts.mjs').Verdict} Verdict
 * @typedef {{ address: string, ticket: string, cpu: number, lines: number, rate: number, began: number, shaken: number, answered: number, skipped: number, standing: number[], opened: number[], refused: number }} Told
 *    What the programs of this say, each what it has to say.
 * @typedef {{ rate: number, seconds: number, mib: number, rounds: number, slow: number, small: number, bans: Bans }} Sizes
 * @typedef {'on' | 'off' | 'both'} Bans
 */

const dist = resolve(root, process.env['WHERRY_DIST'] ?? 'dist');
const library = join(dist, 'index.js');
const GOAL = 0.2;
const RATE = 500;
const SLOW = 1000;
/** Addresses of whoever floods: not that of the client, 127.0.0.1. */
const STRANGERS = '127.0.0.64/26';
const KINDS = ['device', 'invite', 'token', 'code'];

/** @param {string} line */
const say = (line) => process.stdout.write(`${line}\n`);

/** A program of ours, what it says, and how it is ended: by the end of its input. @param {string} name @param {readonly string[]} words @param {Record<string, string>} [env] */
function start(name, words, env = {}) {
  const child = spawn(node, [join(import.meta.dirname, name), ...words], { stdio: ['pipe', 'pipe', name === 'flood-server.mjs' ? 'ignore' : 'inherit'], env: { ...process.env, ...env } });
  const process_ = own(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  /** @returns {Promise<Told>} */
  const told = async () => {
    const next = await lines.next();
    if (next.done === true) throw new Error(`${name} ended without a word`);
    return /** @type {Told} */ (JSON.parse(next.value));
  };
  return {
    told,
    /** CPU seconds so far, of a server. @returns {Promise<number>} */
    async cpu() {
      child.stdin?.write('\n');
      return (await told()).cpu;
    },
    async end() {
      child.stdin?.end();
      const last = await told();
      await process_.close();
      return last;
    },
  };
}

/** A server, and a device that has joined it. @param {string} work @param {string} [network] Never banned. */
async function open(work, network) {
  for (const folder of ['served', 'home', 'local']) mkdirSync(join(work, folder), { recursive: true });
  const server = start('flood-server.mjs', [library, join(work, 'served'), join(work, 'state'), ...(network === undefined ? [] : [network])], { WHERRY_HOME: join(work, 'server') });
  const { address, ticket } = await server.told();
  const env = { WHERRY_HOME: join(work, 'home') };
  const joined = spawn(node, [join(dist, 'bin', 'wherry.js'), 'join', '--as', 'flood'], { env: { ...process.env, ...env, WHERRY_TICKET: ticket }, stdio: 'ignore' });
  const [code] = /** @type {[number | null]} */ (await once(joined, 'exit'));
  if (code !== 0) throw new Error('the client could not join');
  /** @param {string[]} words */
  const client = async (...words) => {
    const running = start('flood-client.mjs', [library, ...words, join(work, 'local')], env);
    return running.end();
  };
  return { server, client, port: Number(/\d+$/.exec(address)?.[0]), state: join(work, 'state') };
}

/** Opens codes again and again, since wrong ones end them; from here, since a command would take a processor of whoever is measured. @param {string} state */
async function keepCodesOpen(state) {
  const { askServer } = /** @type {typeof import('../src/server/admin.ts')} */ (await import(pathToFileURL(join(dist, 'server', 'admin.js')).href));
  const again = setInterval(() => void askServer(state, { verb: 'code' }).catch(() => undefined), 3000);
  return () => clearInterval(again);
}

/** @typedef {Awaited<ReturnType<typeof open>>} Opened @typedef {{ all: number[], own: number[], last: Told }} Lost Against the download before, and against one beside connections to another server. */

/** What a download loses to one flood after the other. @param {Opened} rig @param {readonly (() => ReturnType<typeof start>)[]} floods @param {Sizes} sizes @returns {Promise<Lost[]>} */
async function losses(rig, floods, { rounds, seconds, rate }) {
  const bare = createServer((socket) => { socket.on('error', () => {}).destroy(); }).listen(0, '127.0.0.1');
  await once(bare, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (bare.address());
  /** @param {() => ReturnType<typeof start>} flood */
  const beside = async (flood) => {
    const running = flood();
    const { rate: reached } = await rig.client('large', String(seconds), 'large');
    return { reached, last: await running.end() };
  };
  const all = floods.map(() => /** @type {{ loss: number, own: number, last: Told }[]} */ ([]));
  for (let round = 0; round < rounds; round += 1) {
    const without = await rig.client('large', String(seconds), 'large');
    const elsewhere = await beside(() => start('flood-attack.mjs', ['device', String(rate), String(port), dist]));
    for (const [index, flood] of floods.entries()) {
      const during = await beside(flood);
      all[index]?.push({ loss: 1 - during.reached / without.rate, own: 1 - during.reached / elsewhere.reached, last: during.last });
    }
  }
  bare.close();
  return all.map((rows) => {
    const last = rows.at(-1)?.last;
    if (last === undefined) throw new Error('no round was asked for');
    return { all: rows.map(({ loss }) => loss), own: rows.map(({ own }) => own), last };
  });
}

/** What the flood alone makes the server compute, as a share of one processor. That can be told on a machine that is not quiet, too.
 *  @param {Opened} rig @param {() => ReturnType<typeof start>} flood @param {number} seconds */
async function load({ server }, flood, seconds) {
  const running = flood();
  await delay(1000); // it begins with what may come at once
  const before = { cpu: await server.cpu(), at: performance.now() };
  await delay(seconds * 1000);
  const share = (await server.cpu() - before.cpu) / ((performance.now() - before.at) / 1000);
  await running.end();
  return share;
}

/** @param {readonly number[]} values */
const percent = (values) => `${(median(values) * 100).toFixed(1)} % (${values.map((value) => (value * 100).toFixed(1)).join(', ')})`;

/** A server to flood, with files to fetch. @param {string} work @param {Sizes} sizes @param {string} [network] Never banned. */
async function fresh(work, { mib }, network) {
  rmSync(work, { recursive: true, force: true });
  const rig = await open(work, network);
  writeFileSync(join(work, 'served', 'large'), Buffer.alloc(mib << 20, 7));
  writeFileSync(join(work, 'served', 'small'), 'small');
  return rig;
}

/** Sign-ins of each of these kinds, at one server. @param {string} work @param {readonly string[]} kinds @param {string | undefined} network Never banned. @param {Sizes} sizes @returns {Promise<Verdict[]>} */
async function signIns(work, kinds, network, sizes) {
  const { rate, seconds } = sizes;
  const rig = await fresh(work, sizes, network);
  const close = kinds.includes('code') ? await keepCodesOpen(rig.state) : () => {};
  const attacks = kinds.map((kind) => () => start('flood-attack.mjs', [kind, String(rate), String(rig.port), dist]));
  /** @type {number[]} */
  const shares = [];
  for (const attack of attacks) shares.push(await load(rig, attack, seconds));
  const lost = await losses(rig, attacks, sizes);
  close();
  const { lines } = await rig.server.end();
  /** @type {Verdict[]} */
  const verdicts = [];
  for (const [index, { all, own: part, last }] of lost.entries()) {
    const text = `${rate} sign-ins a second by ${kinds[index]}, ${network === undefined ? 'banned as usual' : 'never banned'}: the download loses ${percent(all)}, of which at most ${percent(part)} to the server`;
    const share = shares[index] ?? 0;
    say(`${text}; alone, they take the server ${(share * 100).toFixed(1)} % of a processor, ${((share / rate) * 1000).toFixed(3)} CPU seconds for 1,000; of the last round ${last.began} began, ${last.shaken} came to TLS, ${last.skipped} were left out, and took ${last.cpu.toFixed(1)} CPU seconds to make; ${lines} lines of log`);
    if (rate >= RATE) verdicts.push({ text: `${text}, that below ${GOAL * 100} %`, met: median(part) < GOAL });
  }
  return verdicts;
}

/** Small files among connections that hardly go on. @param {Opened} rig @param {number} count @param {Sizes} sizes @returns {Promise<Verdict[]>} */
async function among(rig, count, { small }) {
  const running = start('flood-attack.mjs', ['slow', String(count), String(rig.port), dist]);
  const { standing, opened, refused } = await rig.client('small', String(small), 'small');
  await running.end();
  const [one, other] = [standing, opened].map((times) => `${quantile(times, 0.5).toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(1)} ms`);
  say(`among ${count} connections that hardly go on, a small file takes ${one}; with a connection of its own ${other}, ${refused} refused`);
  const met = refused === 0 && [standing, opened].every((times) => quantile(times, 0.99) < 1000);
  return count < SLOW ? [] : [{ text: `among ${count} slow connections p99 of a small file is below 1 s, and none is refused`, met }];
}

/** @param {string} work @param {Sizes} sizes @returns {Promise<Verdict[]>} */
async function measure(work, sizes) {
  /** @type {Verdict[]} */
  const verdicts = [];
  // Where bans hold, each kind has a server of its own: addresses that are banned for one would try nothing of the next.
  if (sizes.bans !== 'off') for (const kind of KINDS) verdicts.push(...await signIns(join(work, 'rig'), [kind], undefined, sizes));
  if (sizes.bans !== 'on') verdicts.push(...await signIns(join(work, 'rig'), KINDS, STRANGERS, sizes));
  const rig = await fresh(join(work, 'rig'), sizes, STRANGERS);
  for (const count of [0, sizes.slow]) verdicts.push(...await among(rig, count, sizes));
  await rig.server.end();
  return verdicts;
}

/** @param {readonly string[]} args @returns {Promise<Verdict[]>} */
export async function flood(args) {
  const text = { type: /** @type {const} */ ('string') };
  const { values } = parseArgs({ args: [...args], options: { rate: text, seconds: text, mib: text, rounds: text, slow: text, small: text, bans: text } });
  const { rate = RATE, seconds = 10, mib = 64, rounds = 5, slow = SLOW, small = 200, bans = 'both' } = values;
  if (bans !== 'on' && bans !== 'off' && bans !== 'both') throw new Error(`--bans is on or off, not ${bans}`);
  const work = mkdtempSync('/dev/shm/wherry-flood-');
  const gone = leave(() => rmSync(work, { recursive: true, force: true }));
  try {
    return await measure(work, { rate: Number(rate), seconds: Number(seconds), mib: Number(mib), rounds: Number(rounds), slow: Number(slow), small: Number(small), bans });
  } finally {
    rmSync(work, { recursive: true, force: true });
    gone();
  }
}
