/**
 * OpenSSH's `sftp` against an `sshd` of our own: its in-process sftp server, AES-128-GCM on both sides (the cipher
 * class of our TLS), no compression, fresh keys, a free port of 127.0.0.1. Nothing of the machine's or the
 * person's own configuration is read. It does not flush to the disk, so it is compared with transfers that do not.
 */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const CIPHER = 'aes128-gcm@openssh.com';
const START_MS = 10_000;

/** sshd insists on an absolute path, and is often outside a person's own. @param {string} program @returns {string | undefined} */
function find(program) {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, program)).find((file) => existsSync(file));
}

/** A port that is free now. sshd cannot choose one itself and tell. @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** @param {number} port @returns {Promise<boolean>} */
function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); }).on('error', () => resolve(false));
  });
}

/** Keys and configuration of both sides, in `home`. @param {string} home @param {number} port */
function configure(home, port) {
  for (const key of ['host', 'user']) spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(home, key)]);
  copyFileSync(join(home, 'user.pub'), join(home, 'authorized_keys'));
  writeFileSync(join(home, 'known_hosts'), `[127.0.0.1]:${port} ${readFileSync(join(home, 'host.pub'), 'utf8')}`);
  writeFileSync(join(home, 'sshd_config'), [
    `Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${home}/host`, `AuthorizedKeysFile ${home}/authorized_keys`, `Ciphers ${CIPHER}`,
    'Subsystem sftp internal-sftp', 'StrictModes no', 'UsePAM no', 'PasswordAuthentication no', 'PermitRootLogin prohibit-password',
    'PidFile none', 'LogLevel ERROR', 'UseDNS no', '',
  ].join('\n'));
}

/** Quotes a path for sftp's batch language. @param {string} path */
function quote(path) {
  return `"${path.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** @param {string} work A folder of the benchmark's own. @returns {Promise<import('../measure.mjs').Peer | { skipped: string }>} */
export async function open(work) {
  const sshd = find('sshd');
  for (const program of ['sftp', 'ssh', 'ssh-keygen', 'sshd']) if (find(program) === undefined) return { skipped: `${program} is not installed` };
  const [home, folder] = [join(work, 'sftp'), join(work, 'sftp-served')];
  mkdirSync(home, { mode: 0o700 });
  mkdirSync(folder);
  // The folder sshd locks its unprivileged half in; the package's service would make it.
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const port = await freePort();
  configure(home, port);
  const words = openSync(join(home, 'sshd.log'), 'w');
  const server = spawn(sshd ?? '', ['-D', '-e', '-f', join(home, 'sshd_config')], { stdio: ['ignore', 'ignore', words] });
  closeSync(words);
  for (const until = performance.now() + START_MS; !(await answers(port)); await delay(20)) {
    if (server.exitCode !== null || performance.now() > until) {
      server.kill();
      return { skipped: `sshd did not start: ${readFileSync(join(home, 'sshd.log'), 'utf8').trim()}` };
    }
  }

  const options = ['-F', '/dev/null', '-q', '-P', String(port), '-c', CIPHER, '-i', join(home, 'user'), '-o', `UserKnownHostsFile=${home}/known_hosts`,
    '-o', 'StrictHostKeyChecking=yes', '-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes', '-o', 'Compression=no'];
  /** @param {string} line @returns {import('../measure.mjs').Command} */
  const batch = (line) => {
    writeFileSync(join(home, 'batch'), `${line}\n`);
    return { argv: ['sftp', ...options, '-b', join(home, 'batch'), `${userInfo().username}@127.0.0.1`] };
  };
  return {
    name: 'sftp', version: spawnSync('ssh', ['-V'], { encoding: 'utf8' }).stderr.trim(), folder, pid: server.pid ?? 0,
    put: (source) => batch(`put -r ${quote(source)} ${quote(folder)}`),
    get: (name, into) => batch(`get -r ${quote(join(folder, name))} ${quote(into)}`),
    async close() {
      const ended = new Promise((resolve) => { server.once('exit', resolve); });
      if (server.kill()) await ended;
    },
  };
}
