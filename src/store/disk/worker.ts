/**
 * Worker: the entry of a thread that does synchronous disk work for a vault. Started by `crew.ts`, never imported.
 * Packs go back by transfer, not by copy.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { ready } from '../../digest.ts';
import { Operations, type Setup } from './operations.ts';
import { Runner, type Reply, type Request } from './runner.ts';

await ready();

const port = parentPort!;
const runner = new Runner(new Operations(workerData as Setup));

port.on('message', (request: Request | 'close') => {
  if (request === 'close') {
    runner[Symbol.dispose]();
    port.close();
    return;
  }
  const reply = runner.run(request);
  port.postMessage(reply, buffersOf(reply));
});

/** The buffer of the pack in a step of packing: a megabyte that the worker is done with. */
function buffersOf(reply: Reply): ArrayBuffer[] {
  if (!('value' in reply) || typeof reply.value !== 'object' || reply.value === null || !('pack' in reply.value)) return [];
  const { pack } = reply.value;
  return pack instanceof Uint8Array && pack.buffer instanceof ArrayBuffer && pack.byteLength > 0 ? [pack.buffer] : [];
}
