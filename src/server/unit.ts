/**
 * Unit: the systemd unit of a server, with everything taken away from it that it does not need. Pure.
 *
 * What is there has its reason as a comment in the unit, where its owner reads it. What is left out on purpose: `DynamicUser=`, since
 * the files outlive the service and must keep their owner; `ProtectProc=` and `ProcSubset=`, since the numbers of other
 * users' processes, and which start of the machine this is, tell whether an unfinished file belongs to a process that lives.
 */
import { dirname } from 'node:path';
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';

export interface UnitOptions {
  /** What starts the command, absolute: Node, and its file. */
  readonly program: readonly string[];
  /** The configuration file, absolute. */
  readonly file: string;
  readonly user: string;
  /** Whose the state folder is now, where that is somebody else. */
  readonly owner?: string | undefined;
  /** The served folder and the state folder, absolute. */
  readonly folder: string;
  readonly state: string;
  /** How long running transfers may take after a stop (ms). */
  readonly graceMs: number;
  /** Whether a port below 1024 is among those listened at. */
  readonly isLowPort: boolean;
}

/** What a stop takes beyond the grace (s): cut transfers are put to rest, workers end, and the file of accounts is written. */
const TIDY_S = 30;
/** How long the process may be silent (s): its turns take milliseconds, and a machine that swaps is not to lose its server. */
const WATCHDOG_S = 60;
/** Descriptors: more than twice what the usual limits on connections and requests come to. */
const FILES = 65_536;
/** Where systemd makes a state folder by itself. */
const STATES = '/var/lib';

/** Throws USAGE for a path that no unit can hold. */
export function unitFor(options: UnitOptions): string {
  return `# Made by: wherry service. Put it into /etc/systemd/system/wherry.service, then: systemctl enable --now wherry
[Unit]
Description=Wherry file transfer
Documentation=man:wherry(1)
After=network-online.target
Wants=network-online.target

[Service]
${life(options)}

${places(options)}

${powers(options)}

[Install]
WantedBy=multi-user.target
`;
}

/** How it is started, told things and stopped. */
function life({ program, file, graceMs }: UnitOptions): string {
  return `Type=notify
# What is said to systemd comes from a child of the server, systemd-notify.
NotifyAccess=all
ExecStart=${[...program, 'serve', '--config', file].map(argument).join(' ')}
ExecReload=kill -HUP $MAINPID
# A mistake in the configuration does not mend itself.
Restart=on-failure
RestartSec=2
RestartPreventExitStatus=2
# The main process is told to stop; it tells the others, and waits for them.
KillMode=mixed
TimeoutStartSec=90
TimeoutStopSec=${Math.ceil(graceMs / 1000) + TIDY_S}
WatchdogSec=${WATCHDOG_S}
LimitNOFILE=${FILES}`;
}

/** Whose it is, what it sees of the machine, and what it may write to. */
function places({ program, file, user, owner, folder, state }: UnitOptions): string {
  const name = dirname(state) === STATES ? state.slice(STATES.length + 1) : undefined;
  const writable = name === undefined ? [folder, state] : [folder];
  const isHome = [...program, file, folder, state].some((path) => /^\/(home|root|run\/user)(\/|$)/.test(path));
  const isTemporary = [...program, file, folder, state].some((path) => /^\/(var\/)?tmp(\/|$)/.test(path));
  return [
    '# A user of its own, that stays: files have to keep their owner.',
    ...(owner === undefined ? [] : [`# The state folder is that of ${owner} as yet. Before the first start: chown -R ${user} ${word(state)}`]),
    `User=${user}`,
    '# The disk is read-only to it but for these.',
    'ProtectSystem=strict',
    ...(name === undefined ? [] : [`StateDirectory=${word(name)}`, 'StateDirectoryMode=0700']),
    `ReadWritePaths=${writable.map(word).join(' ')}`,
    ...(isHome ? ['# Something of it lies in a home folder.', 'ProtectHome=read-only'] : ['ProtectHome=yes']),
    ...(isTemporary ? ['# Something of it lies below /tmp, of which it would get an empty one of its own; what is there may be gone after a reboot.', 'PrivateTmp=no'] : ['PrivateTmp=yes']),
    'PrivateDevices=yes', 'DevicePolicy=closed', 'ProtectClock=yes', 'ProtectControlGroups=yes', 'ProtectHostname=yes', 'ProtectKernelLogs=yes',
    'ProtectKernelModules=yes', 'ProtectKernelTunables=yes',
  ].join('\n');
}

/** What it may ask of the kernel. */
function powers({ isLowPort }: UnitOptions): string {
  return `${isLowPort ? '# For a port below 1024.\nAmbientCapabilities=CAP_NET_BIND_SERVICE\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE' : 'CapabilityBoundingSet='}
NoNewPrivileges=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
KeyringMode=private
# AF_UNIX for the owner's commands, AF_NETLINK to ask which addresses the machine has.
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
SystemCallArchitectures=native
# V8 asks whether it can protect its code by keys.
SystemCallFilter=@system-service @pkey
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
# V8 makes machine code while it runs, and would end at its first line otherwise.
MemoryDenyWriteExecute=no`;
}

/** A path as systemd reads it back (systemd.syntax(7)): in quotes where it has to be, and no specifier. */
function word(path: string): string {
  if (/\p{Cc}/u.test(path)) throw new Failure('USAGE', `a unit cannot name ${printable(path)}`, { path, who: 'here', hint: 'choose a path without control characters' });
  const plain = path.replaceAll('%', '%%');
  return /^[\w@+=:,./%$-]+$/.test(plain) ? plain : `"${plain.replaceAll('\\', '\\\\').replaceAll('"', String.raw`\"`)}"`;
}

/** The same in a command, where variables are put in besides. */
function argument(text: string): string {
  return word(text).replaceAll('$', () => '$$');
}
