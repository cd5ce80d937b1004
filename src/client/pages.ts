/** Pages: the names in a folder of the server, as they come. Every name is looked at before it is handed on. */
import type { RemotePath } from '../path.ts';
import { printable } from '../printable.ts';
import type { ListPage } from '../store/vault.ts';
import { heardEntry, heardName, heardPath } from './heard.ts';
import type { Requester } from './requester.ts';

/** `deep`: of all folders below too. */
export async function* listPages(requester: Requester, path: RemotePath, deep: boolean, signal: AbortSignal | undefined): AsyncGenerator<ListPage> {
  using exchange = await requester.open({ kind: 'list', path, deep }, signal);
  for (;;) {
    const received = await exchange.next();
    if (received.kind !== 'message' || received.message.kind !== 'entries') return;
    const { entries, unlisted, hidden } = received.message;
    for (const { name } of entries) (deep ? heardPath : heardName)(name);
    yield { entries: entries.map(heardEntry), unlisted, ...(hidden !== undefined && { hidden: hidden.map((name) => printable(name)) }) };
    exchange.consumed(received.bulk);
  }
}
