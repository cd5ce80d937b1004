/**
 * account and token: who may do what on the server running here, asked of it over its own socket. Loaded only when one of these is asked for.
 *
 * A token is printed alone on standard output, once, so that it can be piped; everything else is words or events.
 */
import { readFile } from 'node:fs/promises';
import { Failure, fromErrno } from '../errors.ts';
import { MAX_PASSWORD_BYTES, mustBePassword } from '../password.ts';
import { printable } from '../printable.ts';
import { askServer } from '../server/admin.ts';
import type { AccountInfo, AccountSays, TokenInfo } from '../server/requests.ts';
import type { Context } from './command.ts';
import { DONE, exitOf } from './exits.ts';
import { formatSize, parseAge, parseSize, plural } from './measures.ts';
import { Report } from './report.ts';
import { rehearse } from './server-rehearsal.ts';
import { pad, columnsOf } from './width.ts';
import { wouldDo, wouldEach } from './would.ts';

export interface AccountFlags {
  readonly state: string | undefined;
  readonly rights: string | undefined;
  readonly root: readonly string[];
  readonly rule: readonly string[];
  readonly quota: string | undefined;
  readonly 'quota-files': string | undefined;
  readonly rate: string | undefined;
  readonly 'ssh-key': readonly string[];
  readonly 'password-stdin': boolean;
  readonly 'no-password': boolean;
  readonly 'dry-run': boolean;
}

export interface TokenFlags {
  readonly state: string | undefined;
  readonly account: string | undefined;
  readonly name: string | undefined;
  readonly path: string | undefined;
  readonly rights: string | undefined;
  readonly for: string | undefined;
  readonly bytes: string | undefined;
  readonly files: string | undefined;
  readonly uses: string | undefined;
  readonly from: readonly string[];
  readonly 'dry-run': boolean;
}

const ACTIONS: ReadonlySet<string> = new Set(['list', 'add', 'change', 'check', 'show', 'remove']);

export async function account(context: Context, { flags, words }: { flags: AccountFlags; words: readonly string[] }): Promise<number> {
  const [action = 'list', ...names] = words;
  if (action === 'list' && names.length === 0) return listAccounts(context, flags.state);
  if (action === 'remove' && names.length > 0) return removeEach(context, 'account', flags, names);
  if (!ACTIONS.has(action)) throw usage(`account cannot ${printable(action)}`);
  const [name] = names;
  if (name === undefined || names.length > 1) throw usage(action === 'list' ? 'account list takes no names' : `account ${printable(action)} needs one name`);
  if (flags['no-password'] && flags['password-stdin']) throw usage('--no-password and --password-stdin contradict each other');
  if (action === 'check') return check(context, flags.state, name);
  if (action === 'show') return show(context, (await askServer(flags.state, { verb: 'account show', name })).account);
  if (action !== 'add' && action !== 'change') throw usage(`account cannot ${printable(action)}`);
  const says = await saysOf(flags);
  if (action === 'change' && Object.keys(says).length === 0 && !flags['no-password'] && !flags['password-stdin']) throw usage('account change needs to be told what to change');
  const wanted = { verb: `account ${action}`, name, ...says } as const;
  if (flags['dry-run']) { // a password is not read for it
    await rehearse(flags.state, wanted);
    return wouldDo(context, wanted.verb, `${action} ${name}`, { name, ...says });
  }
  const password = flags['no-password'] ? null : flags['password-stdin'] ? await readPassword(context) : undefined;
  if (typeof password === 'string') mustBePassword(Buffer.from(password)); // before anything else of it is done
  await askServer(flags.state, wanted);
  if (password !== undefined) await askServer(flags.state, { verb: 'account password', name, password });
  const { account: now } = await askServer(flags.state, { verb: 'account show', name });
  if (!context.settings.json && !context.settings.quiet) context.terminal.say(action === 'add' ? added(printable(name), now) : `changed ${printable(name)}`);
  return show(context, now);
}

/** An account that may do nothing is rarely meant: what it lacks is a flag. */
function added(name: string, { rights, rules }: AccountInfo): string {
  const idle = rights === 'none' && rules.every((rule) => rule.endsWith('=none'));
  return idle ? `added ${name}, which may do nothing yet; give it rights with: wherry account change ${name} --rights rw` : `added ${name}; let a device in with: wherry invite --account ${name}`;
}

/** The one line on standard input, without its end: never in an argument, where every user of the machine could read it. */
async function readPassword({ terminal, signal }: Context): Promise<string> {
  const text = (await terminal.text(MAX_PASSWORD_BYTES + '\r\n'.length, signal)).replace(/\r?\n$/, '');
  if (text === '') throw new Failure('USAGE', 'no password came on standard input', { hint: 'for example: wherry account change ann --password-stdin < password.txt' });
  return text;
}

async function check(context: Context, state: string | undefined, name: string): Promise<number> {
  const { right } = await askServer(state, { verb: 'account check', name, password: await readPassword(context) });
  if (!right) throw new Failure('AUTH', 'this is not the password of that account, or it has none', { who: 'rule', hint: `set another: wherry account change ${printable(name)} --password-stdin` });
  await context.report.answer('right', { event: 'checked', name, right });
  return DONE;
}

function usage(why: string): Failure {
  return new Failure('USAGE', why, { hint: 'account list, or account add|change|check|show|remove NAME' });
}

async function saysOf(flags: AccountFlags): Promise<AccountSays> {
  const keys = await Promise.all(flags['ssh-key'].map(async (file) => {
    try {
      return await readFile(file, 'utf8');
    } catch (error) {
      throw fromErrno(error, file, 'here');
    }
  }));
  return {
    ...(flags.rights !== undefined && { rights: flags.rights }), ...(flags.root.length > 0 && { roots: flags.root }),
    ...(flags.rule.length > 0 && { rules: flags.rule.filter((rule) => rule !== 'none') }), ...(keys.length > 0 && { sshKeys: keys }),
    ...(flags.quota !== undefined && { quotaBytes: orNone(flags.quota, (text) => parseSize(text, '--quota')) }),
    ...(flags['quota-files'] !== undefined && { quotaFiles: orNone(flags['quota-files'], (text) => parseCount(text, '--quota-files')) }),
    ...(flags.rate !== undefined && { rate: orNone(flags.rate, (text) => parseSize(text, '--rate')) }),
  };
}

function orNone(text: string, parse: (text: string) => number): number | null {
  return text === 'none' ? null : parse(text);
}

function parseCount(text: string, flag: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count) || count === 0) throw new Failure('USAGE', `${flag} is a number above zero, not "${printable(text)}"`);
  return count;
}

async function listAccounts({ report, terminal }: Context, state: string | undefined): Promise<number> {
  const { accounts } = await askServer(state, { verb: 'account list' });
  if (report.json) {
    for (const one of accounts) await report.event({ event: 'account', ...one });
    return DONE;
  }
  if (accounts.length === 0) terminal.say('no accounts yet; a device that joins gets one of its own');
  const widest = accounts.reduce((most, { name }) => Math.max(most, columnsOf(printable(name))), 0);
  await report.answer(accounts.map(({ name, rights, roots, devices }) => `${pad(printable(name), widest)}  ${rights}  ${printable(roots.join(' '))}  ${plural(devices.length, 'device')}`), {});
  return DONE;
}

async function show({ report }: Context, info: AccountInfo): Promise<number> {
  const { name, rights, roots, rules, idleRules: idle, quotaBytes, quotaFiles, rate, devices, tokens, hasPassword } = info;
  const lines: [string, string | undefined][] = [
    ['name', name], ['rights', rights], ['folders', roots.join(' ')], ['rules', rules.length === 0 ? undefined : rules.join(' ')],
    ['idle', idle === undefined ? undefined : `${idle.join(' ')} (for none of its folders: give its rules anew)`],
    ['quota', [quotaBytes === undefined ? [] : [formatSize(quotaBytes)], quotaFiles === undefined ? [] : [plural(quotaFiles, 'file')]].flat().join(', ') || undefined],
    ['rate', rate === undefined ? undefined : `${formatSize(rate)} a second`],
    ['password', hasPassword ? 'set' : undefined], ['devices', devices.length === 0 ? 'none' : devices.join(' ')], ['tokens', tokens.length === 0 ? undefined : tokens.join(' ')],
  ];
  await report.answer(lines.flatMap(([key, value]) => (value === undefined ? [] : [`${pad(key, 8)} ${printable(value)}`])), { event: 'account', ...info });
  return DONE;
}

async function removeEach(context: Context, what: 'account' | 'token', { state, 'dry-run': isDry }: AccountFlags | TokenFlags, names: readonly string[]): Promise<number> {
  const verb = what === 'account' ? 'account remove' : 'token revoke';
  if (isDry) return wouldEach(context, names, (name) => rehearse(state, { verb, name }), { verb, does: what === 'account' ? 'remove' : 'revoke' });
  const report = new Report(context.terminal, context.settings, verb);
  for (const name of names) {
    try {
      await askServer(state, { verb, name });
      await report.done(`${what === 'account' ? 'removed' : 'revoked'} ${printable(name)}`, { event: what === 'account' ? 'removed' : 'revoked', name });
    } catch (error) {
      await report.failed(error, name);
    }
  }
  return exitOf(names.length, report.failures);
}

export async function token(context: Context, { flags, words }: { flags: TokenFlags; words: readonly string[] }): Promise<number> {
  const [action = 'list', ...names] = words;
  if (action === 'list' && names.length === 0) return listTokens(context, flags.state);
  if (action === 'revoke' && names.length > 0) return removeEach(context, 'token', flags, names);
  if (action !== 'create' || names.length > 0) throw new Failure('USAGE', `token cannot ${printable(words.join(' '))}`, { hint: 'token create --account NAME, token list, or token revoke NAME' });
  if (flags.account === undefined) throw new Failure('USAGE', 'token create needs an account', { hint: 'for example: wherry token create --account ann --path reports --rights ro --for 30d' });
  const count = (text: string | undefined, flag: string): number | undefined => (text === undefined ? undefined : parseCount(text, flag));
  const wanted = {
    verb: 'token create', account: flags.account, name: flags.name, path: flags.path, rights: flags.rights,
    forMs: flags.for === undefined ? undefined : parseAge(flags.for, '--for'), bytes: flags.bytes === undefined ? undefined : parseSize(flags.bytes, '--bytes'),
    files: count(flags.files, '--files'), uses: count(flags.uses, '--uses'), from: flags.from.length > 0 ? flags.from : undefined,
  } as const;
  if (flags['dry-run']) {
    await rehearse(flags.state, wanted);
    return wouldDo(context, 'token create', `create a token of ${flags.account}`, { account: flags.account });
  }
  const { token: text, name, expires } = await askServer(flags.state, wanted);
  await context.report.answer(text, { event: 'token', token: text, name, expires });
  if (!context.settings.json && !context.settings.quiet) context.terminal.say(`${printable(name)}: shown only now; use it as $WHERRY_TOKEN${expires === undefined ? '' : `, until ${expires}`}`);
  return DONE;
}

async function listTokens({ report, terminal }: Context, state: string | undefined): Promise<number> {
  const { tokens } = await askServer(state, { verb: 'token list' });
  if (report.json) {
    for (const one of tokens) await report.event({ event: 'token', ...one });
    return DONE;
  }
  if (tokens.length === 0) terminal.say('no tokens');
  await report.answer(tokens.map(line), {});
  return DONE;
}

function line({ name, account: owner, path, rights, expires, bytes, files, uses, from, spent }: TokenInfo): string {
  const of = (used: number, most: number | undefined, say: (count: number) => string): string | undefined => (most === undefined ? undefined : `${say(used)} of ${say(most)}`);
  const parts = [
    `of ${owner}`, path, rights, of(spent.bytes, bytes, formatSize), of(spent.files, files, (count) => plural(count, 'file')), of(spent.uses, uses, (count) => plural(count, 'use')),
    from === undefined ? undefined : `from ${from.join(' ')}`, expires === undefined ? 'for ever' : `until ${expires.slice(0, 16).replace('T', ' ')} UTC`,
  ];
  return printable([name, ...parts.filter((part) => part !== undefined)].join('  '));
}
