/**
 * Outlet: what is written to one socket, handed to it slice by slice, in order.
 *
 * Node's TLS keeps, for as long as a connection lasts, memory for the largest write it ever encrypted (`NodeBIO`, seen on Node 20
 * and 24): blocks of 1 MiB, written whole, cost a server 1 MiB for each connection that ever fetched a file. So the socket has one
 * slice at a time, the smaller the more connections there are; or several frames that are less together, which it sends as one.
 * What waits here is the caller's memory, not a copy. Bounding how much that is is up to the caller.
 */
import type { Duplex } from 'node:stream';

/** Bytes that the slices of all connections of the process may have together. */
const ALL_BYTES = 8 << 20;
/** At most: more gains nothing. At least: a record of TLS, which is encrypted as one in any case. */
const [MOST, LEAST] = [256 << 10, 16 << 10];

let open = 0;

/** Bytes of a slice now. */
function sliceBytes(): number {
  return Math.max(LEAST, Math.min(MOST, ALL_BYTES / open - (ALL_BYTES / open) % LEAST));
}

interface Waiting { readonly frame: Uint8Array; readonly written: (() => void) | undefined }

/** In the place of what is out, which is nobody's to keep. */
const OUT: Waiting = { frame: new Uint8Array(), written: undefined };

export class Outlet {
  readonly #socket: Duplex;
  readonly #onTaken: () => void;
  readonly #waiting: Waiting[] = [];
  /** Of those, how many at the front are out. */
  #gone = 0;
  /** Bytes of the first that waits which the socket has had; bytes of all that wait which it has not. */
  #at = 0;
  #left = 0;
  #ending = false;

  /** `onTaken` is called whenever the system has taken something. */
  constructor(socket: Duplex, onTaken: () => void) {
    this.#socket = socket;
    this.#onTaken = onTaken;
    open += 1;
    socket.once('close', () => {
      open -= 1;
      // What the socket does not take any more is nobody's.
      this.#left = 0;
      this.#gone = 0;
      for (const { written } of this.#waiting.splice(0)) written?.();
    });
  }

  /** Bytes that the system has not taken yet. */
  get unsent(): number { return this.#left + this.#socket.writableLength; }

  /** Sends `frame`; `written` is called when its bytes may change again, also when they were not sent after all. */
  write(frame: Uint8Array, written?: () => void): void {
    if (this.#socket.destroyed) return written?.();
    this.#waiting.push({ frame, written });
    this.#left += frame.byteLength;
    this.#push();
  }

  /** Ends the socket when all has been sent. */
  end(): void {
    this.#ending = true;
    this.#push();
  }

  readonly #push = (): void => {
    const slice = sliceBytes();
    // One that is destroyed takes nothing: to offer it each of what may be 300,000 answers would stop the process for long.
    for (let first = this.#waiting[this.#gone]; first !== undefined && !this.#socket.destroyed; first = this.#waiting[this.#gone]) {
      const bytes = first.frame.subarray(this.#at, this.#at + slice);
      if (this.#socket.writableLength > 0 && this.#socket.writableLength + bytes.byteLength > slice) return;
      this.#at += bytes.byteLength;
      this.#left -= bytes.byteLength;
      const last = this.#at === first.frame.byteLength;
      if (last) {
        this.#pass();
        this.#at = 0;
      }
      const { written } = first;
      this.#socket.write(bytes, () => {
        this.#onTaken();
        if (last) written?.();
        this.#push();
      });
    }
    if (this.#ending) this.#socket.end();
  };

  /** The first is out. They move up only now and then: each time, many small ones would cost the square of their number. */
  #pass(): void {
    this.#waiting[this.#gone] = OUT;
    this.#gone += 1;
    if (this.#gone * 2 < this.#waiting.length) return;
    this.#waiting.splice(0, this.#gone);
    this.#gone = 0;
  }
}
