/**
 * Announce: says on the local network, to whoever asks, that a code with some number is open here and at which port; nothing else, and only while it is.
 */
import { randomBytes } from 'node:crypto';
import { openEars, type Ear } from './multicast.ts';
import { isAsked, recordsOf } from './records.ts';

/** Answers on one interface are at least this far apart (ms): all hear each of them, and a flood of questions makes no flood of answers. */
const APART_MS = 250;
/** Listening at these is listening at every address. */
const EVERYWHERE: readonly (string | undefined)[] = [undefined, '0.0.0.0', '::'];

export interface AnnounceOptions { readonly number: number; readonly bound: readonly { readonly host: string | undefined; readonly port: number }[] }

/** Begins, and takes it back when it is disposed. Rejects with CONNECT where there is no network to say it on. */
export async function announce({ number, bound }: AnnounceOptions): Promise<AsyncDisposable> {
  const tag = randomBytes(4).toString('hex');
  const portOf = (address: string): number | undefined => bound.find(({ host }) => EVERYWHERE.includes(host) || host === address)?.port;
  const said = new Map<Ear, number>();
  const say = async (ear: Ear, gone = false): Promise<void> => ear.answer(recordsOf({ number, tag, port: portOf(ear.address)! }, ear.address, gone));
  const ears = await openEars((address) => portOf(address) !== undefined, ({ questions }, ear) => {
    const now = performance.now();
    if (!isAsked(questions) || now - (said.get(ear) ?? -Infinity) < APART_MS) return;
    said.set(ear, now);
    void say(ear);
  });
  for (const ear of ears.ears) void say(ear);
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(ears.ears.map((ear) => say(ear, true)));
      await ears[Symbol.asyncDispose]();
    },
  };
}
