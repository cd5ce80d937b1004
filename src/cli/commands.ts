/**
 * Commands: the one table. The shell, the prompt, help and completion all read it, and nothing else knows the names.
 *
 * An entry states everything about its command but how it is done; that is loaded when it is run. The order is that
 * of help: the five words first, then files, folders, and what concerns servers.
 */
import type { Flags } from './arguments.ts';
import { plain, remote, type Command } from './command.ts';

const TRANSFER = {
  exclude: { value: 'GLOB', many: true, summary: 'leave out what matches, as *.o or node_modules or build/**' },
  follow: { summary: 'send what links lead to, where that is in the same folder' },
  'if-absent': { summary: 'fail where a file exists instead of replacing it' },
  'no-sync': { summary: 'do not wait for the disk to have everything' },
  // Folders are always sent whole; the flag is what fingers type.
  recursive: { short: 'r', summary: '' },
} as const satisfies Flags;

const ROLE = {
  ro: { summary: 'who joins may list and read' },
  rw: { summary: 'who joins may do everything' },
  drop: { summary: 'who joins may add new files, and see nothing' },
} as const satisfies Flags;

const STATE = { state: { value: 'DIR', summary: 'the state folder of the server; by default the only one running' } } as const satisfies Flags;

const THE_FIVE: readonly Command[] = [
  remote({
    name: 'put', where: 'both', words: 'LOCAL... [[NAME]:PATH]', promptWords: 'LOCAL... [REMOTE]', shape: 'put', count: [1, Infinity],
    summary: 'send files or folders',
    details: ['An existing file is replaced in one step, when all of the new one has arrived and is verified.',
      'What was cut off goes on where it was: the same command again sends only what is missing of large files.',
      'A folder goes into a TARGET that is there already, also one that a cut-off command has made.', 'As LOCAL, - is standard input.'],
    flags: TRANSFER, needs: ['create'],
    examples: ['wherry put report.pdf :', 'wherry put photos :backup/', 'wherry put notes.txt :notes-old.txt'],
    run: async (work, call) => (await import('./transfers.ts')).put(work, call),
  }),
  remote({
    name: 'get', where: 'both', words: '[NAME]:PATH... [LOCAL]', promptWords: 'REMOTE... [LOCAL]', shape: 'get', count: [1, Infinity],
    summary: 'fetch files or folders',
    details: ['A file appears under its name when all of it has arrived and is verified.', 'As LOCAL, - is standard output.'],
    flags: TRANSFER, needs: ['read'],
    examples: ['wherry get :report.pdf', 'wherry get :photos backup/', 'wherry get :notes.txt notes-old.txt'],
    run: async (work, call) => (await import('./transfers.ts')).get(work, call),
  }),
  remote({
    name: 'change', aliases: ['rename', 'mv'], where: 'both', words: '[NAME]:OLD NEW', promptWords: 'OLD NEW', shape: 'change', count: [2, 2],
    summary: 'rename a file or folder on the server',
    details: ['An existing NEW is never replaced unless -f is given. A slash behind NEW means: into that folder.'],
    flags: { force: { short: 'f', summary: 'replace a file that has the new name' } }, needs: ['rename'],
    examples: ['wherry change :draft.txt final.txt'],
    run: async (work, call) => (await import('./files.ts')).change(work, call),
  }),
  plain({
    name: 'help', aliases: ['?'], where: 'both', words: '[WORD]', count: [0, 1],
    summary: 'show what can be done here, or all about one command',
    flags: {}, needs: [], examples: ['wherry help put'],
    run: async (context, call) => (await import('./guide.ts')).help(context, call, COMMANDS),
  }),
  remote({
    name: 'bye', aliases: ['exit', 'quit'], where: 'prompt', words: '', count: [0, 0],
    summary: 'end the session',
    flags: {}, needs: [], examples: ['bye'],
    run: async (work) => {
      work.session.ended = true;
      return 0;
    },
  }),
];

const FILES: readonly Command[] = [
  remote({
    name: 'ls', aliases: ['dir'], where: 'both', words: '[NAME]:[PATH]...', promptWords: '[PATH]...', shape: 'remote', count: [0, Infinity],
    summary: 'list folders',
    flags: {
      long: { short: 'l', summary: 'mode, size, time and name, one a line' },
      one: { short: '1', summary: 'one name a line' },
      all: { short: 'a', summary: 'names that begin with a dot too' },
      human: { short: 'h', summary: 'sizes as 4.1 GiB' },
      size: { short: 'S', summary: 'largest first' },
      time: { short: 't', summary: 'newest first' },
      reverse: { short: 'r', summary: 'in the reverse order' },
      deep: { short: 'R', summary: 'folders below too' },
    },
    needs: ['list'], examples: ['wherry ls :', 'wherry ls -lh :photos'],
    run: async (work, call) => (await import('./folders.ts')).list(work, call),
  }),
  remote({
    name: 'cat', where: 'both', words: '[NAME]:PATH...', promptWords: 'PATH...', shape: 'remote', count: [1, Infinity],
    summary: 'write files to standard output',
    flags: {}, needs: ['read'], examples: ['wherry cat :notes.txt'],
    run: async (work, call) => (await import('./files.ts')).cat(work, call),
  }),
  remote({
    name: 'rm', where: 'both', words: '[NAME]:PATH...', promptWords: 'PATH...', shape: 'remote', count: [1, Infinity],
    summary: 'remove files',
    details: ['At a terminal, rm -r asks before it removes a folder, unless -f is given.'],
    flags: {
      recursive: { short: 'r', summary: 'remove folders with all in them' },
      force: { short: 'f', summary: 'do not ask, and accept what is not there' },
    },
    needs: ['delete'], examples: ['wherry rm :draft.txt', 'wherry rm -r :old'],
    run: async (work, call) => (await import('./files.ts')).remove(work, call),
  }),
  remote({
    name: 'mkdir', where: 'both', words: '[NAME]:PATH...', promptWords: 'PATH...', shape: 'remote', count: [1, Infinity],
    summary: 'make folders',
    flags: { parents: { short: 'p', summary: 'make those above too, and accept one that exists' } },
    needs: ['mkdir'], examples: ['wherry mkdir -p :photos/2026/summer'],
    run: async (work, call) => (await import('./files.ts')).makeFolder(work, call),
  }),
  remote({
    name: 'rmdir', where: 'both', words: '[NAME]:PATH...', promptWords: 'PATH...', shape: 'remote', count: [1, Infinity],
    summary: 'remove empty folders',
    flags: {}, needs: ['delete'], examples: ['wherry rmdir :old'],
    run: async (work, call) => (await import('./files.ts')).removeFolder(work, call),
  }),
  remote({
    name: 'stat', where: 'both', words: '[NAME]:PATH...', promptWords: 'PATH...', shape: 'remote', count: [1, Infinity],
    summary: 'show all about files or folders',
    flags: {}, needs: ['list'], examples: ['wherry stat :report.pdf'],
    run: async (work, call) => (await import('./files.ts')).stat(work, call),
  }),
  remote({
    name: 'du', where: 'both', words: '[NAME]:[PATH]...', promptWords: '[PATH]...', shape: 'remote', count: [0, Infinity],
    summary: 'add up the sizes in folders',
    flags: { total: { short: 's', summary: '' }, human: { short: 'h', summary: '' } }, // what fingers type; both are always so
    needs: ['list'], examples: ['wherry du :photos'],
    run: async (work, call) => (await import('./files.ts')).usage(work, call),
  }),
  remote({
    name: 'df', where: 'both', words: '[NAME]:', promptWords: '', shape: 'remote', count: [0, 1],
    summary: 'show the free space on the server',
    flags: { human: { short: 'h', summary: '' } }, needs: ['list'], examples: ['wherry df :'],
    run: async (work) => (await import('./files.ts')).space(work),
  }),
  remote({
    name: 'find', where: 'both', words: '[NAME]:[PATH]...', promptWords: '[PATH]...', shape: 'remote', count: [0, Infinity],
    summary: 'list everything below folders',
    flags: { name: { value: 'GLOB', summary: 'only names that match, as *.pdf' } }, needs: ['list'], examples: ["wherry find --name '*.pdf' :"],
    run: async (work, call) => (await import('./folders.ts')).find(work, call),
  }),
  remote({
    name: 'hash', where: 'both', words: '[NAME]:PATH...', promptWords: 'PATH...', shape: 'remote', count: [1, Infinity],
    summary: 'show digests of files, as b3sum does',
    flags: { sha256: { summary: 'SHA-256 instead of BLAKE3, as sha256sum does' } }, needs: ['read'], examples: ['wherry hash :big.iso'],
    run: async (work, call) => (await import('./files.ts')).hash(work, call),
  }),
];

const FOLDERS: readonly Command[] = [
  remote({
    name: 'cd', where: 'prompt', words: '[PATH]', shape: 'remote', count: [0, 1],
    summary: 'go to a folder on the server; alone, to the top',
    flags: {}, needs: ['list'], examples: ['cd photos/2026'],
    run: async (work, call) => (await import('./folders.ts')).enter(work, call),
  }),
  remote({
    name: 'pwd', where: 'prompt', words: '', count: [0, 0],
    summary: 'show the folder on the server',
    flags: {}, needs: [], examples: ['pwd'],
    run: async (work) => (await import('./folders.ts')).where(work),
  }),
  remote({
    name: 'lcd', where: 'prompt', words: '[DIR]', count: [0, 1],
    summary: 'go to a folder here; alone, to the home folder',
    flags: {}, needs: [], examples: ['lcd ~/Downloads'],
    run: async (work, call) => (await import('./folders.ts')).enterHere(work, call),
  }),
  remote({
    name: 'lpwd', where: 'prompt', words: '', count: [0, 0],
    summary: 'show the folder here',
    flags: {}, needs: [], examples: ['lpwd'],
    run: async (work) => (await import('./folders.ts')).whereHere(work),
  }),
  remote({
    name: 'lls', where: 'prompt', words: '[DIR]', count: [0, 1],
    summary: 'list a folder here',
    flags: {}, needs: [], examples: ['lls'],
    run: async (work, call) => (await import('./folders.ts')).listHere(work, call),
  }),
];

const SERVERS: readonly Command[] = [
  remote({
    name: 'connect', where: 'shell', words: '[NAME]', count: [0, 1],
    summary: 'open the prompt; what wherry alone does',
    details: ['Commands from a pipe or a file are run one by one, up to the first that fails; -COMMAND may fail.'],
    flags: {}, needs: [], examples: ['wherry', 'wherry connect lab', 'wherry < commands.txt'],
    run: async (work) => (await import('./prompt.ts')).runPrompt(work, COMMANDS),
  }),
  plain({
    name: 'join', where: 'shell', words: '', count: [0, 1],
    summary: 'get to know a server, with a ticket from it',
    details: ['The ticket is read from $WHERRY_TICKET, from standard input, or asked for.'],
    flags: { as: { value: 'NAME', summary: 'the name to call the server by' } }, needs: [], examples: ['wherry join', 'wherry join --as lab < ticket.txt'],
    run: async (context, call) => (await import('./join.ts')).join(context, call),
  }),
  plain({
    name: 'serve', where: 'shell', words: '[DIR]', count: [0, 1],
    summary: 'serve a folder, and print a ticket for it',
    flags: {
      listen: { value: 'HOST:PORT', many: true, summary: 'where to listen; by default every address at port 9437' },
      ...ROLE,
      state: { value: 'DIR', summary: 'where the server keeps its key and the devices it knows' },
      grace: { value: 'TIME', summary: 'how long running transfers may take to end after ^C; 10s by default' },
      'allow-similar-names': { summary: 'accept names that differ only in letter case or Unicode form' },
    },
    needs: [], examples: ['wherry serve', 'wherry serve /srv/files --ro --listen 192.168.1.5:9437'],
    run: async (context, call) => (await import('./admin.ts')).serve(context, call),
  }),
  plain({
    name: 'invite', where: 'shell', words: '', count: [0, 0],
    summary: 'print another ticket for the server running here',
    flags: { ...ROLE, for: { value: 'TIME', summary: 'how long it can be used; 10m by default' }, ...STATE }, needs: [], examples: ['wherry invite --ro --for 1h'],
    run: async (context, call) => (await import('./admin.ts')).invite(context, call),
  }),
  plain({
    name: 'devices', where: 'shell', words: '[list | revoke NAME...]', count: [0, Infinity],
    summary: 'list the devices the server running here knows, or lock some out',
    flags: STATE, needs: [], examples: ['wherry devices', 'wherry devices revoke laptop'],
    run: async (context, call) => (await import('./admin.ts')).devices(context, call),
  }),
];

export const COMMANDS: readonly Command[] = [...THE_FIVE, ...FILES, ...FOLDERS, ...SERVERS];
