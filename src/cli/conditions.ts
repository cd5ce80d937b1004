/** The flags of put and get, and those that contradict each other, or say nothing about what was typed: refused, and not passed over. */
import { Failure } from '../errors.ts';

export interface TransferFlags {
  readonly exclude: readonly string[];
  readonly follow: boolean;
  readonly 'no-sync': boolean;
  readonly update: boolean;
  readonly 'if-absent': boolean;
  readonly 'if-match'?: string | undefined;
  readonly yes: boolean;
  readonly resume: boolean;
  readonly 'dry-run': boolean;
  readonly failed?: string | undefined;
  readonly 'retry-failed'?: string | undefined;
  /** The folder that everything goes into; `target` is another name for it. */
  readonly into?: string | undefined;
  readonly target?: string | undefined;
}

/** The folder that everything goes into, by either of its flags. Throws USAGE. */
export function folderIn({ into, target }: { readonly into?: string | undefined; readonly target?: string | undefined }): string | undefined {
  if (into !== undefined && target !== undefined) throw new Failure('USAGE', '-O and -t both name the folder that everything goes into', { hint: 'give one of them' });
  return into ?? target;
}

export function checkConditions(flags: TransferFlags, sources: number): void {
  if (flags['if-match'] === undefined) return;
  if (flags.update) throw new Failure('USAGE', '--if-match and --update contradict each other', { hint: 'give one of them' });
  if (flags['if-absent']) throw new Failure('USAGE', '--if-match and --if-absent contradict each other', { hint: 'give one of them' });
  if (sources > 1) throw new Failure('USAGE', '--if-match is about one file', { hint: 'send the others with a command of their own' });
}

/** The words without those whose own names `exclude` has, as the shell makes them of `*`. Of `FOLDER/.` there is no name. Throws USAGE when nothing is left. */
export async function withoutExcluded({ exclude }: Pick<TransferFlags, 'exclude'>, words: readonly string[], isFolder: (word: string) => boolean): Promise<readonly string[]> {
  if (exclude.length === 0) return words;
  const { leftOut } = await import('../client/local.ts');
  const isExcluded = leftOut(exclude);
  const left = words.filter((word) => {
    const name = word.replace(/\/+$/, '').split('/').at(-1)!;
    return /^\.{0,2}$/.test(name) || !isExcluded(name, name, isFolder(word));
  });
  if (left.length === 0 && words.length > 0) throw new Failure('USAGE', '--exclude leaves out all that was named', { who: 'here', hint: 'give other names, or other patterns' });
  return left;
}

/** What a stream has no use for, whichever way it goes. */
const OF_FILES = ['exclude', 'follow', 'failed'] as const;

export function checkInput(flags: TransferFlags): void {
  checkConditions(flags, 1);
  if (flags.update) throw new Failure('USAGE', 'standard input has no time, so that --update says nothing about it', { hint: 'leave --update out' });
  refuse(flags, OF_FILES, 'is about files, and standard input is none');
}

export function checkOutput(flags: TransferFlags): void {
  refuse(flags, [...OF_FILES, 'update', 'if-absent', 'if-match'], 'is about a file here, and standard output is none');
}

function refuse(flags: TransferFlags, names: readonly (keyof TransferFlags)[], why: string): void {
  for (const name of names) {
    const value = flags[name];
    if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) continue;
    throw new Failure('USAGE', `--${name} ${why}`, { hint: 'leave it out' });
  }
}
