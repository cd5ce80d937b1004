/** invite and devices: letting people in to the server that runs here, taking back what would let them in, and locking them out. Loaded only when one of these is asked for. */
import { askServer } from '../server/admin.ts';
import { joinBy } from '../server/log.ts';
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Role } from '../rights.ts';
import type { Context } from './command.ts';
import { DONE, exitOf } from './exits.ts';
import { parseAge, plural } from './measures.ts';
import { ROLE_TEXT } from './meet/greeting.ts';
import { Report } from './report.ts';
import { type RoleFlags, roleOf } from './serving.ts';
import { rehearse } from './server-rehearsal.ts';
import { wouldDo, wouldEach } from './would.ts';

export interface InviteFlags extends RoleFlags {
  readonly account: string | undefined;
  readonly state: string | undefined;
  readonly for: string | undefined;
  readonly code: boolean;
  readonly qr: boolean;
  readonly 'dry-run': boolean;
}

/** The ticket as a code for a camera, or why it is not there. */
export async function showQr(terminal: Context['terminal'], ticket: string): Promise<void> {
  const { drawQr } = await import('./meet/qr.ts');
  const drawn = drawQr(ticket, terminal.width, terminal.isColoured);
  if (typeof drawn === 'number') terminal.say(`the QR code needs ${drawn} columns, and this terminal has ${terminal.width}: make it wider, or copy the ticket`);
  else await terminal.data(`\n${drawn.join('\n')}\n`);
}

export async function invite(context: Context, { flags, words }: { flags: InviteFlags; words: readonly string[] }): Promise<number> {
  const [action, ...ids] = words;
  if (action === 'list' && ids.length === 0) return listInvites(context, flags.state);
  if (action === 'revoke' && ids.length > 0) return revokeInvites(context, flags, ids);
  if (action === 'revoke') throw new Failure('USAGE', 'invite revoke needs the ID of a ticket', { hint: 'wherry invite list shows them' });
  if (action !== undefined) throw new Failure('USAGE', `invite cannot ${printable(words.join(' '))}`, { hint: 'invite alone makes a ticket; invite list, or invite revoke ID' });
  const forMs = flags.for === undefined ? undefined : parseAge(flags.for, '--for');
  const { account } = flags;
  if (account !== undefined && roleOf(flags) !== undefined) throw new Failure('USAGE', 'a device of an account has its rights', { hint: 'leave out the role, or change the account: wherry account change' });
  if (flags.code) return inviteByCode(context, flags, forMs);
  const wanted = { verb: 'invite', role: roleOf(flags), forMs, account } as const;
  if (flags['dry-run']) {
    await rehearse(flags.state, wanted);
    return wouldDo(context, 'invite', 'make a ticket', {});
  }
  const { ticket, id, role, expires } = await askServer(flags.state, wanted);
  // The ticket alone on standard output, so that it can be piped.
  await context.report.answer(ticket, { event: 'invited', ticket, id, ...(account === undefined ? { role } : { account }), expires });
  if (context.settings.json) return DONE;
  if (flags.qr) await showQr(context.terminal, ticket);
  if (!context.settings.quiet) context.terminal.say(`${forWhom(account, role)}; works once, until ${expires}`);
  return DONE;
}

function forWhom(account: string | undefined, role: Role): string {
  return account === undefined ? ROLE_TEXT[role] : `for ${printable(account)}`;
}

async function inviteByCode(context: Context, flags: InviteFlags, forMs: number | undefined): Promise<number> {
  const { report, settings, terminal } = context;
  if (flags.qr) throw new Failure('USAGE', 'a code is said, not drawn', { hint: 'leave out --code or --qr' });
  const { account } = flags;
  const wanted = { verb: 'code', role: roleOf(flags), forMs, account } as const;
  if (flags['dry-run']) {
    await rehearse(flags.state, wanted);
    return wouldDo(context, 'invite', 'open a code', {});
  }
  const { code, role, at, expires } = await askServer(flags.state, wanted);
  await report.answer(code, { event: 'code', spoken: code, at, ...(account === undefined ? { role } : { account }), expires });
  if (!settings.json && !settings.quiet) terminal.say(`${forWhom(account, role)}; ${joinBy(code, at)}; works once, until ${expires}`);
  return DONE;
}

async function listInvites({ report, terminal }: Context, state: string | undefined): Promise<number> {
  const { invites } = await askServer(state, { verb: 'invite list' });
  if (report.json) {
    for (const one of invites) await report.event({ event: 'invite', ...one });
    return DONE;
  }
  if (invites.length === 0) terminal.say('no open tickets');
  await report.answer(invites.map(({ id, account, role, name, spoken, expires }) => {
    const parts = [account === undefined ? role : `of ${account}`, spoken ? 'by a code' : undefined, name === undefined ? undefined : `as ${name}`, `until ${expires.slice(0, 16).replace('T', ' ')} UTC`];
    return printable([id, ...parts.filter((part) => part !== undefined)].join('  '));
  }), {});
  return DONE;
}

async function revokeInvites(context: Context, { state, 'dry-run': isDry }: InviteFlags, ids: readonly string[]): Promise<number> {
  if (isDry) return wouldEach(context, ids, (id) => rehearse(state, { verb: 'invite revoke', id }), { verb: 'invite revoke', does: 'revoke' });
  const report = new Report(context.terminal, context.settings, 'invite revoke');
  for (const id of ids) {
    try {
      await askServer(state, { verb: 'invite revoke', id });
      await report.done(`revoked ${printable(id)}`, { event: 'revoked', id });
    } catch (error) {
      await report.failed(error, id);
    }
  }
  return exitOf(ids.length, report.failures);
}

export async function devices(context: Context, { flags, words }: { flags: { state: string | undefined; 'dry-run': boolean }; words: readonly string[] }): Promise<number> {
  const [action = 'list', ...names] = words;
  if (action === 'list' && names.length === 0) return listDevices(context, flags.state);
  if (action !== 'revoke') throw new Failure('USAGE', `devices cannot ${printable(action)}`, { hint: 'devices list, or devices revoke NAME' });
  if (names.length === 0) throw new Failure('USAGE', 'devices revoke needs the name of a device', { hint: 'wherry devices list shows the names' });
  if (flags['dry-run']) return wouldEach(context, names, (name) => rehearse(flags.state, { verb: 'devices revoke', name }), { verb: 'devices revoke', does: 'revoke' });
  const report = new Report(context.terminal, context.settings, 'devices revoke');
  for (const name of names) {
    try {
      const { invites } = await askServer(flags.state, { verb: 'devices revoke', name });
      await report.done(`revoked ${printable(name)}`, { event: 'revoked', name, invites });
      if (invites > 0 && !report.json && !context.settings.quiet) context.terminal.say(`${plural(invites, 'open ticket')} could let it in again; see wherry invite list, and withdraw with wherry invite revoke ID`);
    } catch (error) {
      await report.failed(error, name);
    }
  }
  return exitOf(names.length, report.failures);
}

async function listDevices({ report }: Context, state: string | undefined): Promise<number> {
  const { devices: known } = await askServer(state, { verb: 'devices list' });
  if (report.json) {
    for (const device of known) await report.event({ event: 'device', ...device });
    return DONE;
  }
  const widest = (texts: readonly string[]): number => texts.reduce((most, text) => Math.max(most, text.length), 0);
  const [names, rights] = [widest(known.map(({ name }) => name)), widest(known.map((device) => device.rights))];
  await report.answer(known.map(({ name, account, rights: may, added, lastSeen }) => {
    const whose = account === name ? '' : `of ${printable(account)}  `;
    return `${printable(name).padEnd(names)}  ${may.padEnd(Math.max(4, rights))}  ${whose}added ${added.slice(0, 10)}  ${lastSeen === undefined ? 'not seen yet' : `last seen ${lastSeen.slice(0, 16).replace('T', ' ')} UTC`}`;
  }), {});
  return DONE;
}
