/**
 * LaneBook: the transfers of this process that lanes may join, by account and key.
 *
 * A key is found only under the account that its transfer belongs to, and only while that runs. So there are never
 * more of them than open requests, and one that was overheard is of no use to another account.
 */
import { Failure } from '../errors.ts';
import { hex } from '../digest.ts';
import type { RemotePath } from '../path.ts';
import { Lanes } from '../transfer/lanes.ts';

/** Which way a transfer goes: a lane the other way has nothing to do with it. */
export type Way = 'put' | 'get';

/** A lane found its transfer: whose connection that began on, and of what file it is. */
export interface Joined { readonly of: number; readonly way: Way; readonly path: RemotePath }

/** The transfers of one account. */
export interface AccountLanes {
  /** A transfer begins: its lanes, until they are disposed. Undefined where the client offered no key. Throws BUSY when the key is in use. */
  open(way: Way, path: RemotePath, key: Uint8Array | undefined): (Disposable & { readonly lanes: Lanes }) | undefined;
  /** The lanes of a transfer that runs. Throws NOTFOUND. */
  find(way: Way, key: Uint8Array): Lanes;
}

export class LaneBook {
  readonly #running = new Map<string, { readonly lanes: Lanes; readonly joined: Joined }>();

  /** For one connection, by its number; `onJoined` hears of the lanes that it becomes. */
  of(account: string, session: number, onJoined: (joined: Joined) => void): AccountLanes {
    const idOf = (way: Way, key: Uint8Array): string => `${way} ${hex(key)} ${account}`;
    return {
      open: (way, path, key) => (key === undefined ? undefined : this.#open(idOf(way, key), { of: session, way, path })),
      find: (way, key) => {
        const running = this.#running.get(idOf(way, key));
        if (running === undefined) throw new Failure('NOTFOUND', 'no transfer of this key is running', { who: 'server' });
        onJoined(running.joined);
        return running.lanes;
      },
    };
  }

  #open(id: string, joined: Joined): Disposable & { readonly lanes: Lanes } {
    if (this.#running.has(id)) throw new Failure('BUSY', 'another transfer has the same key', { who: 'server', retry: true });
    const lanes = new Lanes();
    this.#running.set(id, { lanes, joined });
    return {
      lanes,
      [Symbol.dispose]: () => {
        this.#running.delete(id);
        lanes[Symbol.dispose]();
      },
    };
  }
}
