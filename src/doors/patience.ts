/**
 * Patience: a connection that waits for its turn at the gate: what it says meanwhile is kept, so that its end is noticed.
 *
 * Of a socket that nobody reads the system does not say that the other side has closed it, and whoever had left would keep a place in the
 * line, and then take the turn of somebody who is there. What it said is put back when its turn comes. Knows no protocol.
 */
import type { Socket } from 'node:net';
import type { Entering, Gate } from './gate.ts';

/** What is read of it, but for the rest of one piece (bytes): the first message of TLS is below. Who says more is not asked until its turn. */
const ENOUGH = 4096;

/** As `gate.enter`. */
export function comeIn(gate: Gate, address: string, socket: Socket, entering: Entering): void {
  let isTurn = false;
  let proceed = (): void => { isTurn = true; };
  gate.enter(address, socket, { ...entering, admit: (leave) => { proceed(); entering.admit(leave); } });
  if (!isTurn && !socket.destroyed) proceed = readOn(socket);
}

/** What is returned puts back what came, and leaves the socket paused. */
function readOn(socket: Socket): () => void {
  const chunks: Buffer[] = [];
  let size = 0;
  const keep = (chunk: Buffer): void => {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size >= ENOUGH) socket.pause();
  };
  socket.on('data', keep).resume();
  return () => {
    socket.off('data', keep).pause();
    if (chunks.length > 0 && !socket.readableEnded && !socket.destroyed) socket.unshift(Buffer.concat(chunks));
  };
}
