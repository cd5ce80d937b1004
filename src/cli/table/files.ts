/** Files of the server in the table of commands. */
import type { Flags } from '../arguments.ts';
import { remote, type Command } from '../command.ts';

/** The flags of a listing, on the server and here. */
export const LIST = {
  long: { short: 'l', summary: 'mode, size, time and name, one a line' },
  one: { short: '1', summary: 'one name a line' },
  all: { short: 'a', summary: 'names that begin with a dot too' },
  human: { short: 'h', summary: 'sizes as 4.1 GiB' },
  size: { short: 'S', summary: 'largest first' },
  time: { short: 't', summary: 'newest first' },
  reverse: { short: 'r', summary: 'in the reverse order' },
  unsorted: { short: 'f', summary: 'in the order of the folder, which is the quickest' },
  // There are no owners to be shown as numbers.
  numeric: { short: 'n', summary: '' },
} as const satisfies Flags;

export const FILES: readonly Command[] = [
  remote({
    name: 'ls', aliases: ['dir'], where: 'both', words: '[NAME]:[PATH]...', promptWords: '[PATH]...', shape: 'remote', count: [0, Infinity],
    summary: 'list folders',
    flags: {
      ...LIST,
      hash: { summary: 'the BLAKE3 digest of each file before its name; reads them all' },
      deep: { short: 'R', summary: 'folders below too' },
    },
    needs: ['list'], examples: ['wherry ls :', 'wherry ls -lh :photos'],
    run: async (work, call) => (await import('../folders.ts')).list(work, call),
  }),
  remote({
    name: 'cat', where: 'both', words: '[NAME]:PATH...', promptWords: 'PATH...', shape: 'remote', count: [1, Infinity],
    summary: 'write files to standard output',
    flags: {}, needs: ['read'], examples: ['wherry cat :notes.txt'],
    run: async (work, call) => (await import('../files.ts')).cat(work, call),
  }),
  remote({
    name: 'more', aliases: ['less'], where: 'both', words: '[NAME]:PATH...', promptWords: 'PATH...', shape: 'remote', count: [1, Infinity],
    summary: 'read files page by page, with $PAGER',
    flags: {}, needs: ['read'], examples: ['wherry more :notes.txt'],
    run: async (work, call) => (await import('../files.ts')).page(work, call),
  }),
  remote({
    name: 'edit', where: 'both', words: '[NAME]:PATH', promptWords: 'PATH', shape: 'remote', count: [1, 1],
    summary: 'change a file with $VISUAL or $EDITOR',
    details: ['The file is fetched to a private folder and sent back when the editor ends, if it was changed here and not there. Otherwise the edited copy is kept, and it is told where.'],
    flags: { 'dry-run': { short: 'n', summary: 'say what would be done, and change nothing' } }, needs: ['read', 'create', 'overwrite'], examples: ['wherry edit :notes.txt'],
    run: async (work, call) => (await import('../edit.ts')).edit(work, call),
  }),
  remote({
    name: 'rm', where: 'both', words: '[NAME]:PATH...', promptWords: 'PATH...', shape: 'remote', count: [1, Infinity],
    summary: 'remove files',
    details: ['At a terminal what goes is asked about one by one, with what a folder holds, unless -f or -y is given. All in a folder goes, also names that ls leaves out because they cannot be shown.',
      'The server keeps what is removed for undo, a day where its owner says nothing else: what has to be gone at once is not removed by this.'],
    flags: {
      yes: { short: 'y', summary: 'do not ask' },
      'dry-run': { short: 'n', summary: 'say what would be done, and change nothing' },
      recursive: { short: 'r', summary: 'remove folders with all in them' },
      force: { short: 'f', summary: 'do not ask, and accept what is not there' },
    },
    needs: ['delete'], examples: ['wherry rm :draft.txt', 'wherry rm -r :old'],
    run: async (work, call) => (await import('../removal.ts')).remove(work, call),
  }),
  remote({
    name: 'mkdir', where: 'both', words: '[NAME]:PATH...', promptWords: 'PATH...', shape: 'remote', isNew: true, count: [1, Infinity],
    summary: 'make folders',
    flags: { parents: { short: 'p', summary: 'make those above too, and accept one that exists' }, 'dry-run': { short: 'n', summary: 'say what would be done, and change nothing' } },
    needs: ['mkdir'], examples: ['wherry mkdir -p :photos/2026/summer'],
    run: async (work, call) => (await import('../files.ts')).makeFolder(work, call),
  }),
  remote({
    name: 'rmdir', where: 'both', words: '[NAME]:PATH...', promptWords: 'PATH...', shape: 'remote', completes: ['remote-folder'], count: [1, Infinity],
    summary: 'remove empty folders',
    flags: { 'dry-run': { short: 'n', summary: 'say what would be done, and change nothing' } }, needs: ['delete'], examples: ['wherry rmdir :old'],
    run: async (work, call) => (await import('../removal.ts')).removeFolder(work, call),
  }),
  remote({
    name: 'chmod', where: 'both', words: 'MODE [NAME]:PATH...', promptWords: 'MODE PATH...', shape: 'chmod', count: [2, Infinity],
    summary: 'change who may read, write and run',
    details: ['MODE is octal as 640, or symbolic as u+x,go-w. X is x for folders, and for files that somebody may run already: u+rwX suits -R. Set-user-id, set-group-id and the sticky bit are never set, and links are never followed.'],
    flags: { recursive: { short: 'R', summary: 'folders with all in them; links are passed over' }, 'dry-run': { short: 'n', summary: 'say what would be done, and change nothing' } },
    needs: ['setattr'], examples: ['wherry chmod 640 :report.pdf', 'wherry chmod -R go-w,u+rwX :photos'],
    run: async (work, call) => (await import('../modes.ts')).changeMode(work, call),
  }),
  remote({
    name: 'stat', where: 'both', words: '[NAME]:PATH...', promptWords: 'PATH...', shape: 'remote', count: [1, Infinity],
    summary: 'show all about files or folders',
    flags: {}, needs: ['list'], examples: ['wherry stat :report.pdf'],
    run: async (work, call) => (await import('../files.ts')).stat(work, call),
  }),
  remote({
    name: 'du', where: 'both', words: '[NAME]:[PATH]...', promptWords: '[PATH]...', shape: 'remote', count: [0, Infinity],
    summary: 'add up the sizes in folders',
    flags: { total: { short: 's', summary: '' }, human: { short: 'h', summary: '' } }, // what fingers type; both are always so
    needs: ['list'], examples: ['wherry du :photos'],
    run: async (work, call) => (await import('../files.ts')).usage(work, call),
  }),
  remote({
    name: 'df', where: 'both', words: '[NAME]:', promptWords: '', shape: 'remote', completes: [], count: [0, 1],
    summary: 'show the free space on the server',
    flags: { human: { short: 'h', summary: '' }, inodes: { short: 'i', summary: 'the free names (inodes) too' } }, needs: ['list'], examples: ['wherry df :', 'wherry df -i :'],
    run: async (work, call) => (await import('../files.ts')).space(work, call),
  }),
  remote({
    name: 'find', where: 'both', words: '[NAME]:[PATH]...', promptWords: '[PATH]...', shape: 'remote', completes: ['remote-folder'], count: [0, Infinity],
    summary: 'list everything below folders',
    flags: { name: { value: 'GLOB', summary: 'only names that match, as *.pdf' } }, needs: ['list'], examples: ["wherry find --name '*.pdf' :"],
    run: async (work, call) => (await import('../folders.ts')).find(work, call),
  }),
  remote({
    name: 'hash', where: 'both', words: '[NAME]:PATH...', promptWords: 'PATH...', shape: 'remote', count: [1, Infinity],
    summary: 'show digests of files, as b3sum does',
    flags: { sha256: { summary: 'SHA-256 instead of BLAKE3, as sha256sum does' } }, needs: ['read'], examples: ['wherry hash :big.iso'],
    run: async (work, call) => (await import('../files.ts')).hash(work, call),
  }),
];
