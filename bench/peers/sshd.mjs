/**
 * An `sshd` of our own, for every tool that speaks over ssh: its in-process sftp server, AES-128-GCM on both sides (the
 * cipher class of our TLS), no compression, fresh keys, a free port. Nothing of the machine's or the person's own
 * configuration is read.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { find, freePort, lacking, startServer, versionOf } from '../servers.mjs';

const CIPHER = 'aes128-gcm@openssh.com';

/** @typedef {import('../places.mjs').Place} Place @typedef {import('../measure.mjs').Peer} Peer */
/** @typedef {object} Ssh
 *  @property {string} home Where keys are, and files of the tool may be. @property {string} folder What the server serves.
 *  @property {string} user @property {string} host @property {number} port The one that clients dial. @property {string} key @property {string} known
 *  @property {string[]} options Of `ssh`, `sftp` and `scp`, all but the port.
 *  @property {string} ssh The command line of `ssh` with its options and the port, for tools that start it.
 *  @property {string} version */

/** Keys and configuration of both sides, in `home`. @param {string} home @param {string} host @param {number} port @param {number} dialled */
function configure(home, host, port, dialled) {
  for (const key of ['host', 'user']) spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(home, key)]);
  copyFileSync(join(home, 'user.pub'), join(home, 'authorized_keys'));
  writeFileSync(join(home, 'known_hosts'), `[${host}]:${dialled} ${readFileSync(join(home, 'host.pub'), 'utf8')}`);
  // Some tools open many connections at once; ten unauthenticated ones are the limit otherwise. A shell reads files in
  // HOME, even for a command, and what a person has there can cost more than the transfer.
  writeFileSync(join(home, 'sshd_config'), [
    `Port ${port}`, `ListenAddress ${host}`, `HostKey ${home}/host`, `AuthorizedKeysFile ${home}/authorized_keys`, `Ciphers ${CIPHER}`,
    'Subsystem sftp internal-sftp', 'StrictModes no', 'UsePAM no', 'PasswordAuthentication no', 'PermitRootLogin prohibit-password',
    'PidFile none', 'LogLevel ERROR', 'UseDNS no', 'MaxStartups 64', `SetEnv HOME=${home}`, '',
  ].join('\n'));
}

/** Opens a tool that speaks over ssh: `make` is given the server, and says what is special about the tool.
 *  @param {string} work A folder of the benchmark's own. @param {Place} place @param {readonly string[]} programs What the tool needs besides ssh.
 *  @param {(ssh: Ssh) => Omit<Peer, 'folder' | 'pid' | 'close'>} make @returns {Promise<Peer | { skipped: string }>} */
export async function overSsh(work, place, programs, make) {
  const no = lacking([...programs, 'ssh', 'ssh-keygen', 'sshd']);
  if (no !== undefined) return no;
  const [home, folder] = [join(work, 'ssh'), join(work, 'served')];
  mkdirSync(home, { mode: 0o700 });
  mkdirSync(folder);
  // The folder sshd locks its unprivileged half in; the package's service would make it.
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const listening = await freePort();
  const port = await place.door(listening);
  configure(home, place.host, listening, port);
  const server = await startServer(place, [find('sshd') ?? '', '-D', '-e', '-f', join(home, 'sshd_config')], listening, join(home, 'sshd.log'));
  if ('skipped' in server) return server;
  const options = ['-F', '/dev/null', '-q', '-c', CIPHER, '-i', join(home, 'user'), '-o', `UserKnownHostsFile=${home}/known_hosts`,
    '-o', 'StrictHostKeyChecking=yes', '-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes', '-o', 'Compression=no'];
  const ssh = {
    home, folder, user: userInfo().username, host: place.host, port, key: join(home, 'user'), known: join(home, 'known_hosts'), options,
    ssh: ['ssh', ...options, '-p', String(port)].join(' '), version: versionOf(['ssh', '-V']),
  };
  return { ...make(ssh), ...server, folder };
}
