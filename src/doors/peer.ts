/** Peer: what a socket says about who is at its other end. Pure. */
import type { Socket } from 'node:net';
import { plainAddress } from '../network.ts';

/** Where a connection comes from, in the form of `plainAddress`: whoever asks for an address of a peer asks here. */
export function addressOf({ remoteAddress }: Pick<Socket, 'remoteAddress'>): string {
  return plainAddress(remoteAddress ?? 'unknown');
}

export function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
