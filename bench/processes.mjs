/**
 * What processes cost: CPU seconds and peak memory, read from Linux's /proc (proc(5)).
 *
 * CPU of a client is what bash's `times` says of it and of all it waited for, exact to the millisecond.
 * CPU of a server is the growth of utime + stime + cutime + cstime of its main process, with all its threads, read once
 * the processes it started for the connection have ended and been waited for; exact to a clock tick (10 ms).
 * Peak memory is the sum of VmHWM, the kernel's own high-water mark, over a process and its descendants, sampled;
 * growth in a process's last moments, shorter than a sample, is not seen. A server's mark is that of its whole life.
 * Pages that processes share (the program's code) are counted for each of them, for every tool alike.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { leave } from './cleanup.mjs';

/** USER_HZ, which is 100 on every architecture Linux runs Node on. */
const TICKS_PER_SECOND = 100;
/** Often enough to see a run of a tenth of a second, rare enough not to disturb it. */
const SAMPLE_MS = 25;
/** How long a server may take to clear away what it started for a connection. */
const SETTLE_MS = 5000;
/** A client that takes longer hangs: the slowest need some minutes, for a million files or with a round trip for each. */
const CLIENT_MS = 1_200_000;
/** As much as is kept of what a failing client says. */
const MAX_WORDS = 4000;

/** @typedef {{ argv: readonly string[], env?: Record<string, string>, says?: string }} Command What it `says` is in a file that `argv` names; for people. */
/** @typedef {{ seconds: number, clientCpu: number, code: number | null, words: string }} End */
/** @typedef {{ pid: number, kill: () => void, ended: Promise<End> }} Client */
/** @typedef {{ seconds: number, clientCpu: number, serverCpu: number, clientPeak: number, serverPeak: number,
 *    code: number | null, words: string }} Cost Peaks are bytes. */

/** @param {string} file @returns {string} Empty when the process is gone. */
function proc(file) {
  try {
    return readFileSync(`/proc/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** A process and all its descendants. @param {number} pid @returns {number[]} */
function family(pid) {
  /** @type {string[]} */
  let threads = [];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // gone
  }
  const children = threads.flatMap((thread) => proc(`${pid}/task/${thread}/children`).split(' ').filter(Boolean));
  return [pid, ...children.flatMap((child) => family(Number(child)))];
}

/** @param {number} pid @returns {number} Seconds, of the process and of all children it has waited for. */
function cpuSeconds(pid) {
  const stat = proc(`${pid}/stat`);
  // The name in the second field may hold anything, so fields are counted from its closing bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
}

/** @param {number} pid @returns {number} Bytes. */
function peakMemory(pid) {
  return family(pid).reduce((sum, one) => sum + Number(/VmHWM:\s+(\d+)/.exec(proc(`${one}/status`))?.[1] ?? 0) * 1024, 0);
}

/** Ticks the host took from this machine, and all ticks, since it was started. @returns {{ steal: number, all: number }} */
export function machineTicks() {
  const ticks = (proc('stat').split('\n', 1)[0] ?? '').trim().split(/\s+/).slice(1, 9).map(Number);
  return { steal: ticks[7] ?? 0, all: ticks.reduce((sum, one) => sum + one, 0) };
}

/** Waits until the server has no more processes than before. @param {number} pid @param {number} processes */
async function settled(pid, processes) {
  const until = performance.now() + SETTLE_MS;
  while (family(pid).length > processes && performance.now() < until) await delay(2);
}

/** Starts a client in a process group of its own, so that it can be ended with all it started.
 *  @param {Command} command @param {string} output Where standard output goes. @returns {Client} */
export function start(command, output = '/dev/null') {
  // The shell costs every tool the same 2 ms; its own time is not in the second line of `times`.
  const script = '"$@"; code=$?; times >&3; exit $code';
  const sink = openSync(output, 'w');
  const begun = performance.now();
  const child = spawn('bash', ['-c', script, 'bench', ...command.argv], {
    env: { ...process.env, ...command.env, LC_ALL: 'C' }, stdio: ['ignore', sink, 'pipe', 'pipe'], detached: true,
  });
  closeSync(sink);
  const kill = () => {
    // Gone already is as good as ended.
    try { process.kill(-(child.pid ?? 0), 'SIGKILL'); } catch { /* no such process */ }
  };
  const gone = leave(kill);
  const hangs = setTimeout(kill, CLIENT_MS);
  let [words, times] = ['', ''];
  child.stderr?.on('data', (chunk) => { words = (words + String(chunk)).slice(-MAX_WORDS); });
  child.stdio[3]?.on('data', (chunk) => { times += String(chunk); });
  /** @type {Client['ended']} */
  const ended = new Promise((resolve, reject) => {
    let end = 0;
    child.on('error', reject);
    child.on('exit', () => { end = performance.now(); });
    child.on('close', (code) => resolve({ seconds: (end - begun) / 1000, clientCpu: childrenSeconds(times), code, words }));
  });
  return { pid: child.pid ?? 0, kill, ended: ended.finally(() => { clearTimeout(hangs); gone(); }) };
}

/** Runs a client to its end, `server` being the main process of the other side.
 *  @param {Command} command @param {number} server @param {string} [output] @returns {Promise<Cost>} */
export async function measure(command, server, output) {
  const before = { cpu: cpuSeconds(server), processes: family(server).length };
  const client = start(command, output);
  let [clientPeak, serverPeak] = [0, 0];
  const sample = setInterval(() => {
    clientPeak = Math.max(clientPeak, peakMemory(client.pid));
    serverPeak = Math.max(serverPeak, peakMemory(server));
  }, SAMPLE_MS);
  try {
    const end = await client.ended;
    await settled(server, before.processes);
    return { ...end, serverCpu: cpuSeconds(server) - before.cpu, clientPeak, serverPeak };
  } finally {
    clearInterval(sample);
  }
}

/** The second line of `times`: user and system time of all that the shell waited for. @param {string} times @returns {number} */
function childrenSeconds(times) {
  const line = times.trim().split('\n')[1] ?? '';
  return [...line.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}
