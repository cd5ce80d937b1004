/** What waits for a socket, which is a stream of Node that counts what it is offered. */
import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { Outlet } from '../../src/session/outlet.ts';

/** Takes the first write and never says so, until it is told to. */
class Slow extends Duplex {
  offered = 0;
  taken = '';
  #goOn: ((error?: Error) => void) | undefined;
  #isSlow = true;

  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, written: () => void): void {
    this.taken += chunk.toString('latin1');
    if (this.#isSlow) this.#goOn = written;
    else written();
  }

  /** As a socket does: what it was about to write has failed. */
  override _destroy(error: Error | null, gone: (error: Error | null) => void): void {
    this.#goOn?.(new Error('gone'));
    gone(error);
  }

  override write(...given: unknown[]): boolean {
    this.offered += 1;
    return (super.write as (...words: unknown[]) => boolean)(...given);
  }

  goOn(): void {
    this.#isSlow = false;
    this.#goOn?.();
  }
}

const FRAME = 1 << 10;
/** An outlet to a slow socket, with so many frames that wait. */
function waiting(frames: number, written: () => void): { socket: Slow; outlet: Outlet } {
  const socket = new Slow();
  socket.on('error', () => {});
  const outlet = new Outlet(socket, () => {});
  for (let number = 0; number < frames; number += 1) outlet.write(Buffer.alloc(FRAME, String.fromCharCode(97 + (number % 26))), written);
  return { socket, outlet };
}

test.each([1000, 4000])('D6: %d frames that wait for a socket that is gone are not offered to it, and are told to be over once each', async (frames) => {
  let written = 0;
  const { socket, outlet } = waiting(frames, () => { written += 1; });
  const { offered } = socket;
  expect(offered).toBeLessThan(frames);
  const closed = new Promise<void>((resolve) => { socket.once('close', resolve); });
  socket.destroy();
  await closed;
  expect([socket.offered - offered, written, outlet.unsent]).toEqual([0, frames, 0]);
});

test('what waits goes out in order when the socket takes it, and each frame is told to be out once', async () => {
  let written = 0;
  const frames = 1000;
  const { socket, outlet } = waiting(frames, () => { written += 1; });
  socket.goOn();
  outlet.end();
  await new Promise<void>((resolve) => { socket.once('finish', resolve); });
  expect(socket.taken).toBe(Array.from({ length: frames }, (_, number) => String.fromCharCode(97 + (number % 26)).repeat(FRAME)).join(''));
  expect([written, outlet.unsent]).toEqual([frames, 0]);
});
