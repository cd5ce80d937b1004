/** put, get and change, and what sftp has beside them, in the table of commands. */
import { remote, type Command, type Context } from '../command.ts';
import type { Places } from '../places.ts';
import { folderIn, type TransferFlags } from '../conditions.ts';
import { BACKGROUND, MATCH, TRANSFER } from './transfer-flags.ts';

/** As sftp takes them, and what they mean here. */
const HABITS = '-p -P -r -R -f -a are taken as sftp has them, and change nothing but for -a: times and modes are always kept, folders always sent whole, what is done is on the disk, and what was cut goes on. With -a nothing is asked.';

/** The folder that -O or -t names, in the form that asks for a folder. */
function folderOf(flags: { readonly into: string | undefined; readonly target: string | undefined }): string | undefined {
  const folder = folderIn(flags);
  return folder === undefined || /[/:]$/.test(folder) ? folder : `${folder}/`;
}

/** What the folder that -O or -t names is completed with. */
function folderFrom(kind: 'remote-folder' | 'local-folder') {
  return { into: { ...TRANSFER.into, completes: [kind] }, target: { ...TRANSFER.target, completes: [kind] } } as const;
}

/** A job for when the server answers. */
function laterAs(verb: 'put' | 'get') {
  return async (context: Context, call: Places & { readonly flags: TransferFlags }): Promise<number> => (await import('../jobs/start.ts')).startPlaces(context, verb, call.flags, call, true);
}

const PUT = {
  where: 'both', shape: 'put', count: [1, Infinity], instead: 'retry-failed', flags: { ...TRANSFER, ...folderFrom('remote-folder'), ...MATCH, ...BACKGROUND }, needs: ['create'],
  away: laterAs('put'),
} as const;

const GET = {
  where: 'both', shape: 'get', count: [1, Infinity], instead: 'retry-failed', flags: { ...TRANSFER, ...folderFrom('local-folder'), ...MATCH, ...BACKGROUND }, needs: ['read'],
  away: laterAs('get'),
} as const;

export const TRANSFERS: readonly Command[] = [
  remote({
    ...PUT, name: 'put', words: 'LOCAL... [[NAME]:PATH]', promptWords: 'LOCAL... [REMOTE]', last: folderOf,
    summary: 'send files or folders',
    details: ['An existing file is replaced in one step, when all of the new one has arrived and is verified. At a terminal it is asked about first, unless it holds the same bytes. The old one is kept for undo.',
      'What was cut off goes on where it was: the same command again sends only what is missing of large files.',
      'With -u, files of which the one on the server is newer, or has the same size and time, are left out and counted: so small files that had arrived are not sent again.',
      'A folder goes into a TARGET that is there already, but for one that the same command made when it was cut: it goes on there for 7 days, and TARGET/ means into it. Of FOLDER/. (and of .) what is in it goes to the TARGET itself, whether it is there or not, as with cp.',
      'As LOCAL, - is standard input.', HABITS],
    examples: ['wherry put report.pdf :', 'wherry put photos :backup/', 'wherry put notes.txt :notes-old.txt'],
    run: async (work, call) => (await import('../jobs/suspend.ts')).orJob(work, 'put', call, (await import('../transfers.ts')).put),
  }),
  remote({
    ...GET, name: 'get', words: '[NAME]:PATH... [LOCAL]', promptWords: 'REMOTE... [LOCAL]', last: folderOf,
    summary: 'fetch files or folders',
    details: ['A file appears under its name when all of it has arrived and is verified. At a terminal, one that would be replaced is asked about first, unless it holds the same bytes.',
      'With -u, files of which the one here is newer, or has the same size and time, are left out and counted: so a folder of many small files goes on where it was cut.',
      'A folder goes into a LOCAL folder that is there already, but for one that the same command made when it was cut: it goes on there for 7 days, and LOCAL/ means into it. Of :FOLDER/. what is in it goes to LOCAL itself, whether it is there or not, as with cp.', 'As LOCAL, - is standard output.', HABITS],
    examples: ['wherry get :report.pdf', 'wherry get :photos backup/', 'wherry get :notes.txt notes-old.txt'],
    run: async (work, call) => (await import('../jobs/suspend.ts')).orJob(work, 'get', call, (await import('../transfers.ts')).get),
  }),
  remote({
    name: 'change', aliases: ['rename', 'mv'], where: 'both', words: '[NAME]:OLD NEW', promptWords: 'OLD NEW', shape: 'change', count: [2, 2],
    summary: 'rename a file or folder on the server',
    details: ['An existing NEW is never replaced unless -f is given. A slash behind NEW means: into that folder.'],
    flags: {
      force: { short: 'f', summary: 'replace a file that has the new name' },
      'dry-run': { short: 'n', summary: 'say what would be done, and change nothing' },
    },
    needs: ['rename'], examples: ['wherry change :draft.txt final.txt'],
    run: async (work, call) => (await import('../files.ts')).change(work, call),
  }),
  remote({
    name: 'undo', where: 'both', words: '[NAME]:', promptWords: '', shape: 'remote', completes: [], count: [0, 1],
    summary: 'reverse the last put, rm, change or mkdir',
    details: ['All that the last command of this device did to the server is reversed: what it replaced or removed comes back, what it made goes, what it renamed gets its name back. Again, it goes one command further back.',
      'What somebody changed since is never given up for it: then nothing is done, and it is told what was changed; -f undoes it all the same, and keeps that for --redo.',
      'At a terminal it is asked before files that were new are removed. The server keeps old versions for a day and up to 1 GiB, where its owner says nothing else; what was not kept is told. chmod is not reversed.'],
    flags: {
      force: { short: 'f', summary: 'also where something was changed since; do not ask' },
      redo: { summary: 'take back the last undo' },
      yes: { short: 'y', summary: 'do not ask' },
      'dry-run': { short: 'n', summary: 'say what would be done, and change nothing' },
    },
    needs: ['delete'], examples: ['wherry undo :', 'wherry undo -n :'],
    run: async (work, call) => (await import('../undo.ts')).undo(work, call),
  }),
  remote({
    ...PUT, name: 'mput', words: 'LOCAL...', last: (flags, at) => folderOf(flags) ?? (at === 'shell' ? ':' : './'), completes: ['local'],
    summary: 'send all that is named; -O names another folder for it',
    details: ['As put, but the last word is no target.'], examples: ['wherry mput a.txt b.txt', 'wherry mput -O :docs a.txt b.txt'],
    run: async (work, call) => (await import('../jobs/suspend.ts')).orJob(work, 'put', call, (await import('../transfers.ts')).putAll),
  }),
  remote({
    ...GET, name: 'mget', words: '[NAME]:PATH...', promptWords: 'REMOTE...', last: (flags) => folderOf(flags) ?? './', completes: ['remote'],
    summary: 'fetch all that is named; -O names another folder for it',
    details: ['As get, but the last word is no target. In the mget of sftp it is: there, mget a b fetches a over b.'], examples: ['wherry mget :a.txt :b.txt', 'wherry mget -O docs :a.txt :b.txt'],
    run: async (work, call) => (await import('../jobs/suspend.ts')).orJob(work, 'get', call, (await import('../transfers.ts')).getAll),
  }),
  remote({
    ...PUT, name: 'reput', where: 'prompt', words: 'LOCAL... [REMOTE]', last: folderOf,
    summary: 'go on with a put that was cut; put does so too, and asks',
    examples: ['reput big.iso'],
    run: async (work, call) => (await import('../jobs/suspend.ts')).orJob(work, 'put', { ...call, flags: { ...call.flags, resume: true } }, (await import('../transfers.ts')).put),
  }),
  remote({
    ...GET, name: 'reget', where: 'prompt', words: 'REMOTE... [LOCAL]', last: folderOf,
    summary: 'go on with a get that was cut; get does so too, and asks',
    examples: ['reget big.iso'],
    run: async (work, call) => (await import('../jobs/suspend.ts')).orJob(work, 'get', { ...call, flags: { ...call.flags, resume: true } }, (await import('../transfers.ts')).get),
  }),
];
