/**
 * Edit: a file of the server in the editor of this machine. It is fetched to a folder that nobody else can enter, and put back
 * only over the version that was fetched. When it cannot be put back, the edited copy stays, and it is told where.
 */
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Entry, Summary } from '../client/api.ts';
import { digestOf, hex, ready } from '../digest.ts';
import { Failure } from '../errors.ts';
import { baseName } from '../path.ts';
import { printable } from '../printable.ts';
import type { Work } from './command.ts';
import { DONE } from './exits.ts';
import { checkedPath, remotePath } from './files.ts';
import { formatSize } from './measures.ts';
import { mustHave, mustHaveParent } from './rehearsal.ts';
import { quoted } from './script/words.ts';

const USUAL = 'vi';
const PRIVATE = 0o600;
const NEW_MODE = 0o644;

export async function edit(work: Work, { flags, remote }: { flags: { 'dry-run': boolean }; remote: readonly string[] }): Promise<number> {
  const { session, terminal, settings, signal, report } = work;
  const typed = remote[0]!;
  if (!flags['dry-run'] && (!terminal.canAsk || settings.noInput || settings.json)) throw new Failure('USAGE', 'edit needs a terminal', { hint: 'a script fetches the file and sends it with: wherry put --if-match DIGEST FILE :NAME' });
  const path = remotePath(session, typed);
  const entry = await session.client.stat(path, { signal });
  if (entry !== undefined && entry.kind !== 'file') throw new Failure(entry.kind === 'folder' ? 'ISDIR' : 'UNSUPPORTED', entry.kind === 'folder' ? 'is a folder' : 'not a file', { path: typed, who: 'server', hint: 'name a file' });
  if (flags['dry-run']) return rehearse(work, typed, path, entry);
  await ready();
  const folder = await mkdtemp(join(tmpdir(), 'wherry-edit-'));
  const copy = join(folder, baseName(checkedPath(session, typed)));
  let kept = false;
  try {
    if (entry !== undefined) {
      whole(await session.client.get(path, copy, { signal, level: 'visible' }));
      await chmod(copy, PRIVATE);
    }
    const before = await digestAt(copy);
    await runEditor(copy);
    const after = await digestAt(copy);
    if (after === before) {
      await report.done(`${printable(typed)}  not changed`, { event: 'unchanged', path });
      return DONE;
    }
    kept = true;
    if (after === undefined) throw new Failure('NOTFOUND', 'the editor left no file', { path: copy, who: 'here', hint: 'nothing was changed on the server' });
    await chmod(copy, entry?.mode ?? NEW_MODE);
    whole(await session.client.put(copy, path, { signal, action: work.action, ...(before === undefined ? { ifAbsent: true } : { ifMatch: before }) }));
    kept = false;
    await report.done(`${printable(typed)}  saved on the server`, { event: 'saved', path });
    return DONE;
  } catch (error) {
    throw kept ? keptAs(Failure.from(error), copy, typed) : error;
  } finally {
    if (!kept) await rm(folder, { recursive: true, force: true });
  }
}

/** Nothing is fetched, and no editor opened. */
async function rehearse(work: Work, typed: string, path: string, entry: Entry | undefined): Promise<number> {
  mustHave(work, entry === undefined ? ['create'] : ['read', 'create', 'overwrite']);
  if (entry === undefined) await mustHaveParent(work, checkedPath(work.session, typed));
  const name = printable(typed);
  const how = entry === undefined ? `would open a new file with ${printable(program())}, and store it as ${name}, if it is written` : `would fetch ${name}, ${formatSize(entry.size)}, open a copy with ${printable(program())}, and replace it, if it is changed`;
  await work.report.answer(how, { event: 'planned', verb: 'edit', path, bytes: entry?.size ?? 0, replaced: entry === undefined ? 0 : 1, editor: program() });
  return DONE;
}

function whole({ items }: Summary): void {
  const failure = items[0]?.failure;
  if (failure !== undefined) throw failure;
}

async function digestAt(path: string): Promise<string | undefined> {
  try {
    return hex(digestOf(await readFile(path)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function program(): string {
  const { VISUAL: visual = '', EDITOR: editor = '' } = process.env;
  return visual !== '' ? visual : editor !== '' ? editor : USUAL;
}

function runEditor(path: string): Promise<void> {
  const named = program();
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', `${named} "$1"`, 'sh', path], { stdio: 'inherit' });
    child.once('error', (cause) => reject(new Failure('IO', `${named} could not be run`, { who: 'here', hint: 'set EDITOR to an editor', cause })));
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Failure('IO', `nothing was sent to the server: the editor ${printable(named)} ended with ${code ?? 'a signal'}`, { who: 'here', hint: 'set EDITOR to another editor' }))));
  });
}

function keptAs(failure: Failure, copy: string, typed: string): Failure {
  const message = failure.code === 'PRECONDITION' || failure.code === 'EXISTS' ? `somebody else changed it meanwhile (${failure.message})` : failure.message;
  const names = `${quoted(copy)} ${quoted(typed)}`;
  return new Failure(failure.code, message, { path: typed, who: failure.who, retry: failure.retry, hint: `your copy is kept: ${printable(copy)}; cat ${printable(quoted(typed))} shows theirs; to replace it: put -y ${printable(names)}`, cause: failure });
}
