/** Refusals: what a drive says when it says no, in the words that fit the account. Pure; nothing is decided here. */
import type { Ended } from '../access/entries.ts';
import { may, type Refusal } from '../access/rules.ts';
import { Failure } from '../errors.ts';
import type { RemotePath } from '../path.ts';
import { askForTicket, type Right } from '../rights.ts';
import type { Condition } from '../store/vault.ts';

/** What an account without the right may not do, in the words of the message. */
const DEEDS: Readonly<Record<Right, string>> = {
  list: 'see what is here',
  read: 'read files here',
  create: 'add files here',
  overwrite: 'replace files here',
  delete: 'delete here',
  rename: 'rename here',
  mkdir: 'make folders here',
  setattr: 'change times and permissions here',
  share: 'hand on access here',
};

export function denied({ path, lacking }: Refusal, { byToken = false, byOwner = false }: { readonly byToken?: boolean | undefined; readonly byOwner?: boolean | undefined } = {}): Failure {
  const [first] = lacking;
  if (first === undefined) return new Failure('DENIED', 'folders in it have rules of their own, so that it cannot be renamed as one', { path, who: 'rule', hint: 'rename what is in it, or ask the owner of the server' });
  if (byToken) return new Failure('DENIED', `this token does not reach here: with it nobody may ${DEEDS[first]}`, { path, who: 'rule', hint: 'name what it is for, or ask the owner of the server for another: wherry token create' });
  return new Failure('DENIED', `this account may not ${DEEDS[first]}`, { path, who: 'rule', hint: byOwner ? `ask the owner of the server for the right to ${DEEDS[first]} (wherry account change)` : askForTicket(lacking) });
}

/** To somebody who is signed in and goes on no longer. Where they may come again, the code is that of a server that goes: clients dial anew. */
export function accessEnded(why: Ended, path?: RemotePath): Failure {
  switch (why) {
    case 'changed': return new Failure('SHUTDOWN', 'the owner of the server has changed what this account may do', { path, who: 'rule', hint: 'run the same command again: it goes on with what holds now, and what was sent is kept' });
    case 'expired': return new Failure('AUTH', 'this token has expired', { path, who: 'rule', hint: 'ask for a new one; on the server: wherry token create' });
    case 'revoked': return new Failure('AUTH', 'the access of this device was revoked', { path, who: 'rule', hint: 'ask the owner of the server for a new ticket, then: wherry join' });
  }
}

/** EXISTS in the words that fit the account: why it was not replaced, and without the other name where names are not its to see. */
export function explained(rights: readonly Right[], asked: Condition): (failure: Failure) => Failure {
  return (failure) => {
    if (failure.code !== 'EXISTS') return failure;
    const { path, who } = failure;
    if (asked === 'any' && !may(rights, 'replace')) {
      const message = 'this name is taken, and the rights of this account do not allow to replace it';
      return new Failure('EXISTS', message, { path, who: 'rule', hint: 'choose another name' });
    }
    return may(rights, 'list') ? failure : new Failure('EXISTS', 'this name is taken', { path, who, hint: 'choose another name' });
  };
}
