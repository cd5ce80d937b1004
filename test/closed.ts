/**
 * The end of a socket that its peer ends, however that comes: whoever still writes is sent a reset, which `once` of node:events would throw.
 */
import type { Socket } from 'node:net';

export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => { socket.on('error', () => undefined).once('close', () => resolve()); });
}
