/**
 * audit: the files in which a server keeps who did what, checked and shown. Reads files alone: no server need run.
 */
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AUDIT, filesOf, KEPT_FILES } from '../server/audit/folder.ts';
import type { AuditRecord } from '../server/audit/record.ts';
import { recordsOf, verifyAudit, type Verified } from '../server/audit/verify.ts';
import { serversFolder } from '../server/config.ts';
import { createLog, type ServerEvent } from '../server/log.ts';
import { runningServers } from '../server/running.ts';
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Context } from './command.ts';
import { DONE } from './exits.ts';
import { parseAge, plural } from './measures.ts';

interface AuditFlags { readonly state: string | undefined; readonly since: string | undefined; readonly account: string | undefined }

export async function audit(context: Context, { flags, words }: { flags: AuditFlags; words: readonly string[] }): Promise<number> {
  const [action = '', ...files] = words;
  if (action === 'verify') return verify(context, files.length > 0 ? files : await filesIn(flags.state));
  if (action !== 'show') throw new Failure('USAGE', `audit cannot ${printable(action)}`, { hint: 'audit verify, or audit show' });
  if (files.length > 0) throw new Failure('USAGE', 'audit show takes no words', { hint: 'choose with --since and --account' });
  return show(context, await filesIn(flags.state), flags);
}

async function verify({ report }: Context, files: readonly string[]): Promise<number> {
  const { broken, missing, ...found } = await verifyAudit(files);
  if (broken !== undefined) {
    throw new Failure('VERIFY', `the audit was changed at line ${broken.line}: ${broken.why}; ${verifiedBefore(found.records)}`, {
      path: broken.file, who: 'here', retry: false, hint: 'compare with a copy from another place, and find out who could write to this folder',
    });
  }
  if (missing.length > 0) {
    const gaps = missing.map(({ first, last }) => (first === last ? `${first}` : `${first} to ${last}`)).join(' and ');
    throw new Failure('VERIFY', `records ${gaps} are missing, as the audit says itself: their file was gone while the server wrote to it, or at a start; the other ${found.records} are as written, the last one is number ${found.last?.seq}, with the digest ${found.digest}`, {
      who: 'here', retry: false, hint: 'put the missing file back, or name it with the others: wherry audit verify FILE...; else find out who could write to this folder',
    });
  }
  await report.answer(verifiedLines(found, files.length), { event: 'verified', files: files.length, ...found });
  return DONE;
}

function verifiedBefore(records: number): string {
  return records === 0 ? 'nothing before it was verified' : `${plural(records, 'record')} before it ${records === 1 ? 'is' : 'are'} as written`;
}

function verifiedLines({ records, first, last, digest, torn, lost, unfinished }: Omit<Verified, 'broken' | 'missing'>, files: number): string[] {
  if (first === undefined || last === undefined) return ['no records yet'];
  const lines = [
    `${plural(records, 'record')} in ${plural(files, 'file')}, as written: number ${first.seq} to ${last.seq}, from ${first.time} to ${last.time}`,
    `last digest ${digest}`,
  ];
  if (first.seq > 1) lines.push(`records 1 to ${first.seq - 1} are not in these files: ${files < KEPT_FILES ? `a server removes none as long as there are at most ${KEPT_FILES}` : `the oldest file is removed whenever there are more than ${KEPT_FILES}`}`);
  if (torn > 0) lines.push(`${plural(torn, 'line')} torn by a crash, as the audit says itself`);
  if (lost > 0) lines.push(`${plural(lost, 'record')} lost, as the audit says itself: they came faster than they could be written, or the disk was full`);
  if (unfinished > 0) lines.push(`${plural(unfinished, 'byte')} at the end are no whole record: the server writes, or was killed while it wrote`);
  return lines;
}

async function show({ report, terminal }: Context, files: readonly string[], { since, account }: AuditFlags): Promise<number> {
  const from = since === undefined ? '' : new Date(Date.now() - parseAge(since, '--since')).toISOString();
  for await (const { record, line } of recordsOf(files)) {
    if (record.time < from || (account !== undefined && record['account'] !== account)) continue;
    await terminal.data(report.json ? `${line}\n` : textOf(record));
  }
  return DONE;
}

/** As the log of the server prints it, with the number and the time of the record. */
function textOf({ seq, time, event, ...rest }: AuditRecord): string {
  const fields = Object.entries(rest).filter(([key]) => key !== 'prev').map(([key, value]) => [key, typeof value === 'object' ? JSON.stringify(value) : value]);
  let text = '';
  createLog({ format: 'text', write: (line) => { text += line; }, now: () => new Date(time) })({ ...Object.fromEntries(fields) as Record<string, string>, event: event as ServerEvent['event'] });
  const at = 'YYYY-MM-DD HH:MM:SS'.length;
  const known = text.slice(at).trim();
  return `${text.slice(0, at)} #${seq} ${known.startsWith(event) || !OWN.has(event) ? known : `${event} ${known}`.trim()}\n`;
}

/** Events that only an audit has, and that are shown by their names. */
const OWN: ReadonlySet<string> = new Set(['started', 'asked', 'audit-lost', 'audit-torn', 'audit-missing']);

/** The files of the audit in a state folder; without one, of the only server that has any. */
async function filesIn(state: string | undefined): Promise<string[]> {
  const files = await filesOf(join(state ?? await onlyAudited(), AUDIT)).catch((error: unknown) => {
    const failure = Failure.from(error);
    if (failure.code !== 'NOTFOUND') throw failure;
    return [];
  });
  if (files.length === 0) throw new Failure('NOTFOUND', 'there is no audit in that state folder', { path: state, who: 'here', hint: 'a server keeps one in the folder of its --state' });
  return files;
}

async function onlyAudited(): Promise<string> {
  const servers = serversFolder();
  const running = await runningServers(servers);
  const [only, ...others] = running.length > 0 ? running : await keptIn(servers);
  if (only === undefined) throw new Failure('NOTFOUND', 'no server of yours has an audit on this machine', { who: 'here', hint: 'name its state folder with --state' });
  if (others.length > 0) throw new Failure('USAGE', `${others.length + 1} servers of yours have an audit`, { who: 'here', hint: `add ${[only, ...others].map((one) => `--state ${printable(one)}`).toSorted().join(' or ')}` });
  return only;
}

/** The state folders below `servers` in which there is an audit. */
async function keptIn(servers: string): Promise<string[]> {
  const names = await readdir(servers).catch(() => []);
  const kept = await Promise.all(names.map(async (name) => (await filesOf(join(servers, name, AUDIT)).catch(() => [])).map((file) => dirname(dirname(file))).slice(0, 1)));
  return kept.flat();
}
