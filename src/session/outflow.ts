/**
 * Outflow: how much of what was written to a socket the network has taken, byte by byte.
 *
 * A write is told to be done when all of it is; of a large frame to a slow reader that takes minutes in which something moves
 * all the same. Node counts what waits in the system's queue, and shows it to its own sockets alone (seen on Node 20 and 24);
 * where it is not found, the answer is that it is not known.
 */
import type { Duplex } from 'node:stream';

interface Inner { readonly _parent?: Inner | null; readonly _handle?: { readonly writeQueueSize?: number } | null; readonly bytesWritten?: number }

/** Bytes that left this process by `socket`; undefined: not known. Of TLS, those of the connection below it. */
export function takenFrom(socket: Duplex): number | undefined {
  const inner = socket as unknown as Inner;
  const { _handle: handle, bytesWritten } = inner._parent ?? inner;
  return typeof handle?.writeQueueSize === 'number' && typeof bytesWritten === 'number' ? bytesWritten - handle.writeQueueSize : undefined;
}
