/**
 * Instead: words that are commands in other programs, and what one types here for them. Pure. Only for words that are no command and no
 * alias here: what another program calls by another name, and would not be found by its letters.
 */
const REMOVE = 'did you mean wherry rm?';
const RENAME = 'did you mean wherry change?';
const COPY = 'wherry put sends; wherry get fetches; on the server itself nothing is copied';
const SET = 'there is nothing to set: flags stand behind each command, and alias at the prompt keeps them';
const OWNERS = 'owners stay as they are on the server; wherry chmod changes modes';
const LEAVE = 'bye at the prompt ends the session';
const MIRROR = 'wherry put -u DIR : sends what is new or newer in a folder; wherry get -u :DIR fetches it; nothing is removed';
const EXACT = 'there is no need for it: files arrive byte for byte, and are verified';
const HERE = 'at the prompt, what stands behind ! is a command of this machine';

const INSTEAD: Readonly<Record<string, string>> = {
  mirror: MIRROR, sync: MIRROR, rsync: MIRROR,
  cp: COPY, copy: COPY,
  del: REMOVE, delete: REMOVE, mdelete: REMOVE, mdel: REMOVE, erase: REMOVE, unlink: REMOVE, mrm: REMOVE,
  move: RENAME, ren: RENAME,
  set: SET, setenv: SET,
  binary: EXACT, bin: EXACT, ascii: EXACT, passive: EXACT,
  lmkdir: HERE, lrm: HERE, lmv: HERE, lcat: HERE,
  chown: OWNERS, chgrp: OWNERS,
  close: LEAVE, disconnect: LEAVE, logout: LEAVE,
};

/** What to type for a word of another program. */
export function insteadOf(word: string): string | undefined {
  const name = word.toLowerCase();
  return Object.hasOwn(INSTEAD, name) ? INSTEAD[name] : undefined;
}
