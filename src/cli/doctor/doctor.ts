/**
 * doctor: what is between this machine and a server. The steps of connecting, one after the other, then what a connection is like.
 *
 * The first step that fails ends it, as that failure and with its exit code: what comes behind it could only fail for the
 * same reason. What the rights do not allow to measure is told as that, and is no failure.
 */
import { networkInterfaces } from 'node:os';
import { connect } from '../../client/client.ts';
import { knock, known, resolveHost, shake } from '../../client/reach.ts';
import { Failure } from '../../errors.ts';
import { SOFTWARE_VERSION } from '../../version.ts';
import type { Context } from '../command.ts';
import { DONE } from '../exits.ts';
import { rightsText } from '../help.ts';
import { Steps } from './steps.ts';
import { measureAll } from './way.ts';

export async function doctor(context: Context, { words, flags }: { words: readonly string[]; flags: { quick: boolean } }): Promise<number> {
  const steps = new Steps(context);
  const server = await steps.run('server', 'looking for the name', () => known(words[0] ?? context.settings.server ?? (process.env['WHERRY_SERVER'] || undefined), context.settings.home), ({ name, joined }) => [`${name}, joined ${joined.slice(0, 10)}`, { name, joined }]);
  const address = await findWay(steps, context, server);
  const shaken = await steps.run('encryption', 'shaking hands', () => shake(address, server.pin, context.signal), ({ protocol, cipher, milliseconds }) => [`${protocol}, ${cipher}`, { protocol, cipher, milliseconds }]);
  await steps.run('identity', 'comparing the key', () => Promise.resolve(sameKey(shaken, words[0] ?? server.name)), (fingerprint) => [`${fingerprint}, the key that was joined`, { fingerprint }]);
  await using client = await steps.run('signed in', 'signing in', () => connect({ server: server.name, home: context.settings.home, signal: context.signal }), (one) => [`as ${one.server.account}, ${rightsText(one.server.rights)}`, { account: one.server.account, rights: one.server.rights }]);
  await steps.run('versions', 'comparing versions', () => Promise.resolve(client.server.agent), (agent) => [`here wherry/${SOFTWARE_VERSION}, there ${agent}`, { here: `wherry/${SOFTWARE_VERSION}`, there: agent }]);
  await measureAll(steps, context, client, flags.quick);
  return DONE;
}

type Known = Awaited<ReturnType<typeof known>>;
type Way = Known['addresses'][number];

/** The first address at which something listens; of several that fail, the failure of the last is told. */
async function findWay(steps: Steps, { signal }: Context, { addresses }: Known): Promise<Way> {
  const [last] = addresses.slice(-1);
  if (last === undefined) throw new Failure('CONNECT', 'no address of the server is known', { who: 'here', hint: 'join it again with a new ticket: wherry join' });
  for (const address of addresses) {
    const text = `${address.host}:${address.port}`;
    const optional = address !== last;
    const found = await steps.attempt('address', `looking up ${address.host}`, optional, () => resolveHost(address), (all) => [`${text}${all[0] === address.host ? '' : ` is ${all.join(', ')}`}`, { address: text, resolved: all }]);
    if (found === undefined) continue;
    const open = await steps.attempt('port', `knocking at ${text}`, optional, () => knock(address, signal), ({ local, milliseconds }) => [`open; from here by ${local} (${interfaceOf(local)})`, { open: true, local, interface: interfaceOf(local), milliseconds }]);
    if (open !== undefined) return address;
  }
  throw new Failure('INTERNAL', 'no address was tried');
}

function interfaceOf(address: string): string {
  const plain = address.replace(/^::ffff:/, '');
  return Object.entries(networkInterfaces()).find(([, all]) => all?.some((one) => one.address === plain) === true)?.[0] ?? 'unknown interface';
}

function sameKey({ isKnown, fingerprint }: { isKnown: boolean; fingerprint: string }, name: string): string {
  if (isKnown) return fingerprint;
  throw new Failure('IDENTITY', `the server has another key than the one that was joined: its fingerprint is ${fingerprint}`, { who: 'network', hint: `somebody may be in between, or ${name} was set up anew; ask its owner, and if so join again with a new ticket: wherry join` });
}

