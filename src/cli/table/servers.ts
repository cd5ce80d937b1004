/** Getting to know servers, and running one, in the table of commands. */
import type { Flags } from '../arguments.ts';
import { asking, plain, type Command } from '../command.ts';
import { DRY_RUN } from './dry-run.ts';

const ROLE = {
  ro: { summary: 'who joins may list and read' },
  rw: { summary: 'who joins may do everything' },
  drop: { summary: 'who joins may add new files, and see nothing' },
} as const satisfies Flags;

const QR = { qr: { summary: 'also draw the ticket as a QR code, for a phone to hand over' } } as const satisfies Flags;

const STATE = { state: { value: 'DIR', summary: 'the state folder of the server; by default the only one running' } } as const satisfies Flags;

/** The flags that have a key of the configuration file beside them, and go before it. */
const SETTINGS = {
  listen: { value: 'HOST:PORT', many: true, summary: 'where to listen; by default every address at port 9437' },
  ...ROLE,
  state: { value: 'DIR', summary: 'where the server keeps its key and the devices it knows' },
  grace: { value: 'TIME', summary: 'how long running transfers may take to end after ^C; 10s by default' },
  'upgrade-grace': { value: 'TIME', summary: 'how long they may go on at the old version after wherry upgrade; 24h by default' },
  workers: { value: 'N', summary: 'processes to spread many clients over; auto: one for each processor, at most 8' },
  'portable-names': { summary: 'refuse new names that Windows could not store, as CON, a:b or one with a dot at its end' },
  'allow-similar-names': { summary: 'accept names that differ only in letter case or Unicode form' },
  'yes-serve-this': { summary: 'serve it even if it is the whole disk, a home folder, one of the system, or holds the server\'s own program or settings' },
  rate: { value: 'SIZE', summary: 'bytes a second of all transfers together, each way, 100M' },
  metrics: { value: 'HOST:PORT', summary: 'also listen for metrics and health over HTTP, as 127.0.0.1:9438; see wherry help metrics' },
  'metrics-from-anywhere': { summary: 'let --metrics listen at an address that other machines reach' },
  'no-audit': { summary: 'keep no audit of who did what in the state folder' },
} as const satisfies Flags;

/** The same where a configuration file is looked at. */
const OF_SERVE = Object.keys(SETTINGS) as (keyof typeof SETTINGS)[];

export const SERVERS: readonly Command[] = [
  plain({
    name: 'join', where: 'shell', words: '[CODE[@HOST]]', count: [0, 8],
    summary: 'get to know a server, with a ticket or a code from it',
    details: ['The ticket is read from $WHERRY_TICKET, from standard input, or asked for.', 'A CODE like 7-crater-lantern, from "wherry serve --code", finds its server on the local network, or at HOST.', 'A server that is known by its key already keeps its name here, unless --as is given.'],
    flags: { as: { value: 'NAME', summary: 'the name to call the server by' } }, needs: [], examples: ['wherry join', 'wherry join 7-crater-lantern', 'wherry join --as lab < ticket.txt'],
    run: async (context, call) => (await import('../join.ts')).join(context, call),
  }),
  plain({
    name: 'serve', where: 'shell', words: '[DIR]', count: [0, 1],
    summary: 'serve a folder, and print a ticket for it',
    details: ['With --workers, all connections from one address go to the same process: one client uses one of them, many clients use all.', 'With --config no ticket is printed unless the file or --ro, --rw or --drop asks for one, and SIGHUP reads the file again. Flags go before the file.'],
    flags: {
      config: { value: 'FILE', completes: ['local'], summary: 'read a configuration file; auto: the one at its usual place' },
      ...SETTINGS,
      code: { summary: 'also open a short code to say, announced on the local network while it is open' },
      ...QR,
    },
    needs: [], examples: ['wherry serve', 'wherry serve --config /etc/wherry/wherry.toml', 'wherry serve /srv/files --ro --listen 192.168.1.5:9437'],
    run: async (context, call) => (await import('../serve.ts')).serve(context, call),
  }),
  asking({
    name: 'invite', where: 'shell', words: '[list | revoke ID...]', count: [0, Infinity],
    summary: 'print another ticket for the server running here, or list and withdraw open ones',
    details: ['list shows the tickets that can still be used, each by an ID that lets nobody in; revoke withdraws them.'],
    flags: { ...ROLE, account: { value: 'NAME', summary: 'the account that the device goes to, with the rights of that' }, for: { value: 'TIME', summary: 'how long it can be used; 10m by default' }, code: { summary: 'print a short code to say instead, for at most 10m' }, ...QR, ...DRY_RUN, ...STATE },
    actions: { '': ['ro', 'rw', 'drop', 'account', 'for', 'code', 'qr'], list: [], revoke: [] },
    needs: [], examples: ['wherry invite --ro --for 1h', 'wherry invite list', 'wherry invite revoke 4f1c09a7be52'],
    run: async (context, call) => (await import('../admin.ts')).invite(context, call),
  }),
  asking({
    name: 'devices', where: 'shell', words: '[list | revoke NAME...]', count: [0, Infinity],
    summary: 'list the devices the server running here knows, or lock some out',
    flags: { ...DRY_RUN, ...STATE }, needs: [], examples: ['wherry devices', 'wherry devices revoke laptop'],
    run: async (context, call) => (await import('../admin.ts')).devices(context, call),
  }),
  asking({
    name: 'account', where: 'shell', words: '[list | add | change | check | show | remove] [NAME...]', count: [0, Infinity],
    summary: 'who may do what on the server running here',
    details: [
      'RIGHTS are a role (ro, rw, drop, owner), none, or rights with commas between: list, read, create, overwrite, delete, rename, mkdir, setattr, share.',
      'A --root is the folder that the account sees as its whole world; several need names. A --rule holds for a folder and all below, with its path on the server: home/ann/inbox, not inbox. The longest decides.',
      'What is changed holds at once: transfers that run for the account end, and go on anew with what holds then.',
    ],
    flags: {
      rights: { value: 'RIGHTS', summary: 'what it may do in its folders' },
      root: { value: '[NAME=]PATH', many: true, summary: 'a folder of the server that it sees; by default all of it' },
      rule: { value: 'PATH=RIGHTS', many: true, summary: 'other rights in a folder; all rules at once, or none' },
      quota: { value: 'SIZE', summary: 'what its folders may hold, 10G; none: as much as there is' },
      'quota-files': { value: 'N', summary: 'how many files and folders its folders may hold' },
      rate: { value: 'SIZE', summary: 'bytes a second of all its transfers, each way, 10M' },
      'password-stdin': { summary: 'read a password from standard input; check: whether it is the one' },
      'no-password': { summary: 'take the password away' },
      'ssh-key': { value: 'FILE', many: true, summary: 'an Ed25519 public key of OpenSSH, as a device of it' },
      ...DRY_RUN,
      ...STATE,
    },
    actions: {
      '': [], list: [], show: [], remove: [], check: ['password-stdin'],
      add: ['rights', 'root', 'rule', 'quota', 'quota-files', 'rate', 'password-stdin', 'ssh-key'],
      change: ['rights', 'root', 'rule', 'quota', 'quota-files', 'rate', 'password-stdin', 'no-password', 'ssh-key'],
    },
    needs: [], examples: ['wherry account add ann --rights rw --root home/ann --quota 10G', 'wherry account change ann --rule home/ann/inbox=drop', 'wherry account show ann'],
    run: async (context, call) => (await import('../people.ts')).account(context, call),
  }),
  asking({
    name: 'token', where: 'shell', words: '[list | create | revoke NAME...]', count: [0, Infinity],
    summary: 'access for programs, in the name of an account',
    details: ['The token is printed once. A program gives it as $WHERRY_TOKEN, with the server as $WHERRY_SERVER.'],
    flags: {
      account: { value: 'NAME', summary: 'whose rights it narrows' },
      name: { value: 'NAME', summary: 'what to call it' },
      path: { value: 'PATH', summary: 'only below this path, as the account sees it' },
      rights: { value: 'RIGHTS', summary: 'only these of its rights' },
      for: { value: 'TIME', summary: 'how long, 30d; by default until it is revoked' },
      bytes: { value: 'SIZE', summary: 'how many bytes may be moved with it' },
      files: { value: 'N', summary: 'how many files' },
      uses: { value: 'N', summary: 'in how many connections' },
      from: { value: 'NETWORK', many: true, summary: 'only from there, 10.0.0.0/8' },
      ...DRY_RUN,
      ...STATE,
    },
    actions: { '': [], list: [], revoke: [], create: ['account', 'name', 'path', 'rights', 'for', 'bytes', 'files', 'uses', 'from'] },
    needs: [], examples: ['wherry token create --account ann --path reports --rights ro --for 30d', 'wherry token revoke ann-token-1'],
    run: async (context, call) => (await import('../people.ts')).token(context, call),
  }),
  asking({
    name: 'bans', where: 'shell', words: '[list | lift ADDRESS... | lift all]', count: [0, Infinity],
    summary: 'list the addresses the server running here does not let in, or let some in again',
    details: ['Who tries wrong keys, tickets or codes, or does not speak the protocol, is banned for half an hour, longer each time.'],
    flags: { ...DRY_RUN, ...STATE }, needs: [], examples: ['wherry bans', 'wherry bans lift 192.0.2.7'],
    run: async (context, call) => (await import('../bans.ts')).bans(context, call),
  }),
  plain({
    name: 'config', where: 'shell', words: 'check [FILE] | show [FILE] | example', completes: [{ check: 'whether a file is right', show: 'what a file comes to', example: 'a file with every key' }, 'local'], count: [1, 2],
    summary: 'check or show the configuration file of a server, or print an example',
    details: ['Without FILE: /etc/wherry/wherry.toml for root and services, else server.toml in $WHERRY_HOME or ~/.config/wherry.', 'check names every mistake with its line and column, and exits with 2.', 'Flags of serve can be given, and go before the file.'],
    flags: { origin: { summary: 'show behind each value where it comes from' }, ...SETTINGS }, actions: { check: OF_SERVE, show: ['origin', ...OF_SERVE], example: [] }, needs: [], examples: ['wherry config check', 'wherry config show wherry.toml --origin', 'wherry config example'],
    run: async (context, call) => (await import('../configuration.ts')).config(context, call),
  }),
  asking({
    name: 'reload', where: 'shell', words: '', count: [0, 0],
    summary: 'have the server running here read its configuration file again',
    details: ['No connection is dropped. What is wrong, or cannot change while it runs, is told, and then nothing changes.'],
    flags: STATE, needs: [], examples: ['wherry reload', 'wherry reload --state /var/lib/wherry'],
    run: async (context, call) => (await import('../configuration.ts')).reload(context, call),
  }),
  asking({
    name: 'upgrade', where: 'shell', words: '', count: [0, 0],
    summary: 'have the version that is installed now take the place of the server running here',
    details: ['Type it after the new version was installed where the old one was. No connection is refused meanwhile; transfers that run end at the old process.', 'When the new version does not come up, the old one goes on, and this says why and exits with 1.'],
    flags: STATE, needs: [], examples: ['wherry upgrade', 'wherry upgrade --state /var/lib/wherry'],
    run: async (context, call) => (await import('../upgrade.ts')).upgrade(context, call),
  }),
  plain({
    name: 'service', where: 'shell', words: '[FILE]', completes: ['local'], count: [0, 1],
    summary: 'print a hardened systemd unit for a server, from its configuration file',
    details: ['Without FILE: the configuration file at its usual place. It has to name the folder and the state folder.', 'The unit starts this very program, and belongs into /etc/systemd/system/wherry.service. docs/operation.md goes through what it allows and why.'],
    flags: { user: { value: 'NAME', summary: 'the user it runs as; wherry by default' } }, needs: [], examples: ['wherry service', 'wherry service /etc/wherry/wherry.toml --user files'],
    run: async (context, call) => (await import('../service.ts')).service(context, call),
  }),
];
