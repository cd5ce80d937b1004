/**
 * Meet: a spoken code becomes a connection to the one server that knows it.
 *
 * Who is asked is not trusted: anybody may announce the number of a code, and what answers at an address may be anybody. Each
 * that is dialled could check one guess of its own against what this device confirms, and learns no more; so only a
 * few are, one after the other, and a person is asked to type the code again for more. What holds then is what was proven: this
 * server, by the key that its connection showed, has the code that the person was told.
 */
import type { KeyObject } from 'node:crypto';
import { hostname } from 'node:os';
import { startAgreement, type Confirmations } from '../agreement.ts';
import { sameConfirmation } from '../cpace.ts';
import { Failure } from '../errors.ts';
import { publicBytes, signProof } from '../identity.ts';
import type { parseCode, SpokenCode } from '../spoken.ts';
import { cut } from '../wire/messages.ts';
import { dial, type Dialled, type MutualProof } from './dial.ts';

export async function meet({ code, at }: ReturnType<typeof parseCode>, deviceKey: KeyObject, signal: AbortSignal | undefined): Promise<Dialled> {
  const candidates = at === undefined ? await (await import('../nearby/find.ts')).find(code.number, signal) : [[at]];
  let why: Failure | undefined;
  for (const addresses of candidates) {
    try {
      return await dial({ addresses, pin: undefined, signal, prove: (exporter, serverPin) => proof({ code, exporter, serverPin }, deviceKey) });
    } catch (error) {
      const failure = Failure.from(error);
      why = why?.code === 'AUTH' ? why : failure; // what a server says about the code, rather than that another one is silent
      if (signal?.aborted === true) break;
    }
  }
  throw why!; // there was at least one
}

function proof(meeting: { readonly code: SpokenCode; readonly exporter: Uint8Array; readonly serverPin: Uint8Array }, deviceKey: KeyObject): MutualProof {
  const { exporter, serverPin } = meeting;
  const device = publicBytes(deviceKey);
  const exchange = startAgreement(meeting);
  let confirmed: Confirmations | undefined;
  return {
    start: { kind: 'codeStart', point: exchange.point },
    next({ point }) {
      confirmed = exchange.confirm(point);
      return {
        kind: 'auth', method: 'code', key: device, signature: signProof(deviceKey, { kind: 'code', exporter, serverPin }), label: cut(hostname(), 64),
        confirmation: confirmed.client(device),
      };
    },
    isProven: ({ confirmation }) => confirmed !== undefined && confirmation !== undefined && sameConfirmation(confirmed.server(device), confirmation),
  };
}
