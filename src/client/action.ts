/**
 * Action: the tag of what one call or command does, which goes with each of its requests, so that all of it is undone together.
 * Later ones are higher: so the server can tell which of two actions in one moment came last.
 */
import { Failure } from '../errors.ts';
import { printable } from '../printable.ts';

/** Of 64 bits, 48 are the time in milliseconds, and so many values are left to tell two in one of them apart. */
const RANDOM = 1 << 16;

let last = 0n;

/** A tag for an action: 16 hexadecimal digits. */
export function newAction(): string {
  const [random] = crypto.getRandomValues(new Uint16Array(1));
  const next = BigInt(Date.now()) * BigInt(RANDOM) + BigInt(random!);
  last = next > last ? next : last + 1n;
  return written(last);
}

/** The same each time for something that began at `time` (ms since 1970), the `number`th of its kind. */
export function actionAt(time: number, number: number): string {
  return written(BigInt(time) * BigInt(RANDOM) + BigInt(number % RANDOM));
}

function written(action: bigint): string {
  return action.toString(16).padStart(16, '0');
}

/** The tag as it goes over the wire. Throws USAGE. */
export function tagOf(action: string = newAction()): Uint8Array {
  if (!/^[0-9a-f]{16}$/.test(action)) throw new Failure('USAGE', `"${printable(action)}" is no action`, { who: 'here', hint: 'newAction() makes one: 16 hexadecimal digits' });
  return Buffer.from(action, 'hex');
}
