/**
 * Two machines on one: a pair of network namespaces, the server in one and the client in the other, joined by a cable
 * with a rate cap (veth and tbf) or by one with a delay and losses (two TUN devices and shaper.py between
 * them). The TCP of the kernel sees all of it, unlike with a proxy that ends the connections and hides slow start. Nothing leaves this
 * machine. Namespaces and devices are removed at the end, on every way out.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { leave } from './cleanup.mjs';
import { find, lacking, own } from './servers.mjs';

/** Of the range for documentation (RFC 5737), so that nothing real is ever meant. */
const [FAR, NEAR] = ['192.0.2.1', '192.0.2.2'];
/** One link at a time in this process, and other processes have other numbers. */
const NAMES = { far: `wb-far-${process.pid}`, near: `wb-near-${process.pid}` };
/** Jumbo frames on the delayed link: the shaper handles every packet by itself. */
export const MTU = 9000;
/** Bits a second through the shaper; with 100 ms it is 12.5 MB that must be under way to fill it. */
export const SHAPED_RATE = 1_000_000_000;

/** @typedef {import('./places.mjs').Line} Line */

/** Runs a command that must succeed. @param {readonly string[]} argv */
function must([program = '', ...args]) {
  const { status, stderr } = spawnSync(find(program) ?? program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr?.trim() ?? 'it could not be started'}`);
}

/** @param {string} name @param {readonly string[]} argv @returns {string[]} */
function inside(name, argv) {
  return [find('ip') ?? 'ip', 'netns', 'exec', name, ...argv];
}

/** A device that is in its namespace already gets its address and the way to the other one, which also says what TCP uses there: kernels
 *  may refuse that as a setting of a namespace.
 *  @param {string} name @param {string} device @param {string} congestion */
function raise(name, device, congestion) {
  const [mine, other] = name === NAMES.far ? [FAR, NEAR] : [NEAR, FAR];
  must(['ip', '-n', name, 'addr', 'add', `${mine}/32`, 'dev', device]);
  must(['ip', '-n', name, 'link', 'set', device, 'up']);
  must(['ip', '-n', name, 'link', 'set', 'lo', 'up']);
  must(['ip', '-n', name, 'route', 'add', `${other}/32`, 'dev', device, 'src', mine, 'congctl', congestion]);
}

/** A pair of devices that the kernel connects, each sending no faster than `rate`. @param {string} rate @param {string} congestion */
function capped(rate, congestion) {
  must(['ip', 'link', 'add', 'wb0', 'netns', NAMES.far, 'type', 'veth', 'peer', 'name', 'wb0', 'netns', NAMES.near]);
  for (const name of [NAMES.far, NAMES.near]) {
    raise(name, 'wb0', congestion);
    must(inside(name, ['tc', 'qdisc', 'add', 'dev', 'wb0', 'root', 'tbf', 'rate', rate, 'burst', '128kb', 'latency', '50ms']));
  }
}

/** Two TUN devices with a program between them. @param {Line} line @param {string} congestion @returns {Promise<import('./servers.mjs').Server>} */
async function shaped({ rtt = 0, loss = 0 }, congestion) {
  const devices = [`wf${process.pid}`, `wn${process.pid}`];
  const shaper = spawn('python3', [join(import.meta.dirname, 'shaper.py'), ...devices, String(rtt / 2), String(SHAPED_RATE), String(loss)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const server = own(shaper);
  /** @type {boolean} */
  const ready = await new Promise((resolve) => {
    shaper.stdout.once('data', () => resolve(true));
    shaper.once('exit', () => resolve(false));
  });
  if (!ready) throw new Error('shaper.py did not start');
  for (const [i, name] of [NAMES.far, NAMES.near].entries()) {
    const device = devices[i] ?? '';
    must(['ip', 'link', 'set', device, 'mtu', String(MTU), 'netns', name]);
    raise(name, device, congestion);
  }
  return server;
}

function removeBoth() {
  for (const name of Object.values(NAMES)) spawnSync(find('ip') ?? 'ip', ['netns', 'delete', name], { stdio: 'ignore' });
}

/** Why this cannot be done here, if so. @param {Line} line @returns {{ skipped: string } | undefined} */
function impossible(line) {
  if (process.getuid?.() !== 0) return { skipped: 'network namespaces need root' };
  if (line.rate === undefined && !existsSync('/dev/net/tun')) return { skipped: 'there is no /dev/net/tun' };
  return lacking(line.rate === undefined ? ['ip', 'python3'] : ['ip', 'tc']);
}

/** @param {Line} line @returns {{ name: string, title: string }} */
function titles({ rate, rtt = 0, loss = 0 }) {
  if (rate !== undefined) return { name: `rate ${rate}`, title: `a link of ${rate}, files in memory, nothing flushed` };
  const lost = loss === 0 ? 'no losses' : `${loss * 100} % of packets lost`;
  return { name: `rtt ${rtt} ms, loss ${loss * 100} %`, title: `a link with a round trip of ${rtt} ms and ${lost}, ${SHAPED_RATE / 1e6} Mbit/s, packets of ${MTU} bytes; files in memory, nothing flushed` };
}

/** @param {Line} line @param {string} congestion What TCP uses at both ends.
 *  @returns {Promise<Omit<import('./places.mjs').Place, 'base' | 'durable'> | { skipped: string }>} */
export async function openLink(line, congestion) {
  const no = impossible(line);
  if (no !== undefined) return no;
  const gone = leave(removeBoth);
  /** @type {import('./servers.mjs').Server | undefined} */
  let shaper;
  const close = async () => {
    await shaper?.close();
    removeBoth();
    gone();
  };
  try {
    for (const name of Object.values(NAMES)) {
      must(['ip', 'netns', 'add', name]);
      // What one tool taught the kernel about the link must not help or harm the next.
      must(inside(name, ['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/tcp_no_metrics_save']));
    }
    if (line.rate === undefined) shaper = await shaped(line, congestion);
    else capped(line.rate, congestion);
  } catch (error) {
    await close();
    return { skipped: `this machine does not allow it: ${error instanceof Error ? error.message : String(error)}` };
  }
  const { name, title } = titles(line);
  return { name: `${name}, ${congestion}`, title: `${title}; TCP with ${congestion}`, host: FAR, far: (argv) => inside(NAMES.far, argv), near: (argv) => inside(NAMES.near, argv), door: (port) => Promise.resolve(port), close };
}
