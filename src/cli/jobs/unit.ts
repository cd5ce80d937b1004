/**
 * A unit for systemd, so that unfinished jobs go on after a reboot though nobody has logged in. Written as a file, and
 * enabled by a link, which is all that `systemctl --user enable` does: no other program is run.
 */
import { createHash } from 'node:crypto';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { Failure, fromErrno } from '../../errors.ts';
import type { Context } from '../command.ts';
import { DONE } from '../exits.ts';

interface Unit { readonly folder: string; readonly file: string; readonly wants: string; readonly link: string }

function unitOf(home: string | undefined): Unit {
  if (process.platform !== 'linux') throw new Failure('UNSUPPORTED', 'units are for systemd, which is for Linux', { who: 'here', hint: 'unfinished jobs go on with the next wherry command that is about jobs' });
  const { XDG_CONFIG_HOME: config } = process.env;
  const folder = join(config === undefined || config === '' ? join(homedir(), '.config') : resolve(config), 'systemd', 'user');
  const own = homeOf(home);
  // One for each folder of keys, since each has an agent.
  const name = `wherry-agent${own === undefined ? '' : `-${createHash('sha256').update(own).digest('hex').slice(0, 8)}`}.service`;
  const wants = join(folder, 'default.target.wants');
  return { folder, file: join(folder, name), wants, link: join(wants, name) };
}

function homeOf(home: string | undefined): string | undefined {
  const named = home ?? process.env['WHERRY_HOME'];
  return named === undefined || named === '' ? undefined : resolve(named);
}

/** As a word of a unit: quoted, with its specifiers and variables taken literally. */
function word(text: string): string {
  if (/[\n\r\0]/.test(text)) throw new Failure('USAGE', 'a path with a line break cannot stand in a unit', { who: 'here' });
  return `"${text.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`;
}

function unitText(home: string | undefined): string {
  const own = homeOf(home);
  const command = [process.execPath, resolve(process.argv[1] ?? 'wherry'), 'agent', ...(own === undefined ? [] : [`--home=${own}`])];
  return [
    '[Unit]', 'Description=Wherry: unfinished jobs go on', '',
    '[Service]', `ExecStart=${command.map(word).join(' ')}`, 'Restart=on-failure', 'RestartSec=10', 'RestartPreventExitStatus=11', '',
    '[Install]', 'WantedBy=default.target', '',
  ].join('\n');
}

export async function install({ report, settings, terminal }: Context): Promise<number> {
  const { folder, file, wants, link } = unitOf(settings.home);
  try {
    await mkdir(wants, { recursive: true });
    await writeFile(file, unitText(settings.home));
    await rm(link, { force: true });
    await symlink(file, link);
  } catch (error) {
    throw fromErrno(error, folder, 'here');
  }
  await report.answer(`wrote ${file}: unfinished jobs go on when you log in`, { event: 'installed', path: file });
  if (!settings.json && !settings.quiet) terminal.say(`so that they go on after a reboot without that, type: loginctl enable-linger ${userInfo().username}`);
  return DONE;
}

export async function uninstall({ report, settings }: Context): Promise<number> {
  const { folder, file, link } = unitOf(settings.home);
  try {
    await rm(link, { force: true });
    await rm(file, { force: true });
  } catch (error) {
    throw fromErrno(error, folder, 'here');
  }
  await report.answer(`removed ${file}`, { event: 'uninstalled', path: file });
  return DONE;
}
