/**
 * Agreement: the exchange of `cpace.ts` about one spoken code, over one connection, as each of the two ends sees it.
 *
 * The client starts and confirms first; the server answers only whoever has confirmed. What is confirmed is the code, the connection
 * (its TLS exporter), the server's key (its pin) and the key of the device that joins. Pure, but for the random scalars.
 */
import { confirmationOf, generatorOf, joined, multiply, newScalar, sharedKey, type Agreed, type Share } from './cpace.ts';
import { Secret } from './secret.ts';
import { formatCode, type SpokenCode } from './spoken.ts';

const CHANNEL = Buffer.from('wherry/1 spoken code');
/** What each end says beside its point: its part, so that neither can be given back its own words. */
const CLIENT = Buffer.from('client');
const SERVER = Buffer.from('server');

/** What both ends must have in common. The pin is the whole one, of the key that the connection showed. */
export interface Meeting { readonly code: SpokenCode; readonly exporter: Uint8Array; readonly serverPin: Uint8Array }

/** The confirmations of both ends, for a device with this public key. */
export interface Confirmations { client(device: Uint8Array): Uint8Array; server(device: Uint8Array): Uint8Array }

/** The client's point, and what follows from the server's. `confirm` throws PROTOCOL for what is no point. */
export function startAgreement(meeting: Meeting): { readonly point: Uint8Array; confirm(serverPoint: Uint8Array): Confirmations } {
  const agreed = agreedOn(meeting);
  const scalar = newScalar();
  const point = multiply(scalar, generatorOf(agreed));
  return { point, confirm: (serverPoint) => confirmations(agreed, multiply(scalar, serverPoint), point, serverPoint) };
}

/** The server's point for a client's, and what the client must confirm then. Throws PROTOCOL for what is no point. */
export function answerAgreement(meeting: Meeting, clientPoint: Uint8Array): Confirmations & { readonly point: Uint8Array } {
  const scalar = newScalar();
  const product = multiply(scalar, clientPoint); // first of all, so that what is no point costs no more
  const agreed = agreedOn(meeting);
  const point = multiply(scalar, generatorOf(agreed));
  return { point, ...confirmations(agreed, product, clientPoint, point) };
}

function agreedOn({ code, exporter, serverPin }: Meeting): Agreed {
  return { secret: new Secret(Buffer.from(formatCode(code))), session: exporter, channel: joined(CHANNEL, serverPin) };
}

function confirmations(agreed: Agreed, product: Uint8Array, clientPoint: Uint8Array, serverPoint: Uint8Array): Confirmations {
  const client: Share = { point: clientPoint, data: CLIENT };
  const server: Share = { point: serverPoint, data: SERVER };
  const key = sharedKey(agreed, product, client, server);
  return { client: (device) => confirmationOf(agreed, key, client, device), server: (device) => confirmationOf(agreed, key, server, device) };
}
