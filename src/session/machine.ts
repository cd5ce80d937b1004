/**
 * Machine: one connection's protocol without I/O. Bytes in, events out; words in, bytes out.
 *
 * It holds the state of every exchange, refuses what the tables of `rules.ts` do not allow (from the peer: a
 * `Failure('PROTOCOL')`; from our own side: a plain error, because that is a bug), and counts credit both ways.
 * No socket, no clock, no promise. It forgets an exchange when it is over; late words on it are dropped.
 *
 * Credit: bulk bodies (DATA, BATCH and the messages marked bulk) may only be sent against credit that the receiver
 * gave for their exchange. Each exchange starts with what the receiver's HELLO said. Every word that may be said more
 * than once in an exchange is bulk, so that credit bounds all that waits to be read. All the credit that was given and not
 * paid back is the window: what may be on the way at once. It becomes wider by a word of its own, so that credit always says what was put away.
 */
import { Failure } from '../errors.ts';
import { BATCH, creditFrame, CREDIT, DATA, FrameDecoder, HEADER_BYTES, MAX_BODY, STALLED, stalledFrame, WIDER, widerFrame, writeDataHead, writeHeader, type FrameEvent, type Header } from '../wire/frame.ts';
import { decodeMessage, encodeMessage, kindOf, MESSAGES, VERSION, type Kind, type Message } from '../wire/messages.ts';
import { CONNECTION_WORDS, FIRST, isRequest, next, OPEN, OPENINGS, OVER, SILENT, type Request, type Side, type State, type Word } from './rules.ts';

/** Exchanges open at once on one connection: bounds the table, and what one peer can make a server do at a time. */
export const MAX_EXCHANGES = 256;
/** Bytes of bulk bodies that one exchange may have on the way at first: 16 MiB fill 1 Gbit/s at 130 ms. */
export const INITIAL_CREDIT = 16 << 20;
/** What a bulk frame costs besides its body: about what keeping track of it takes, so that credit bounds memory also when frames are tiny. */
export const FRAME_COST = 512;

export type MachineEvent =
  /** `over`: it was the last word of its exchange. */
  | { readonly event: 'message'; readonly exchange: number; readonly message: Message; readonly bulk: number; readonly over: boolean }
  /** A DATA or BATCH frame begins: `size` bytes follow as pieces. `bulk` is what it costs. */
  | { readonly event: 'begin'; readonly exchange: number; readonly word: 'data' | 'batch'; readonly offset: number; readonly size: number; readonly bulk: number }
  /** `bytes` becomes less when only some of it can be dealt with. */
  | { readonly event: 'piece'; readonly exchange: number; bytes: Uint8Array; readonly last: boolean }
  | { readonly event: 'credit'; readonly exchange: number }
  /** The peer waits for credit. */
  | { readonly event: 'stalled'; readonly exchange: number }
  /** An exchange that the client cancelled has come to its end; what was said meanwhile was dropped. */
  | { readonly event: 'over'; readonly exchange: number };

interface ExchangeState {
  readonly request: Request;
  state: State;
  cancelled: boolean;
  /** Bulk bytes we may still send, and still take. */
  toSend: number;
  toTake: number;
  /** What the peer has let be on the way at once, and what we have sent since we last said that it is too little. */
  window: number;
  sinceStalled: number;
}

function violation(what: string): never {
  throw new Failure('PROTOCOL', `the other side broke the protocol: ${what}`, { who: 'network' });
}

/** What the body of a bulk message costs: what is compressed as much as what it expands to, because that is what it comes to take in memory. */
function costOf(message: Message, length: number): number {
  if (message.kind === 'compressedData') return Math.max(length, message.size + 8);
  return message.kind === 'compressedBatch' ? Math.max(length, message.size) : length;
}

const other = (side: Side): Side => (side === 'client' ? 'server' : 'client');

export class Machine {
  readonly side: Side;
  readonly #decoder = new FrameDecoder();
  readonly #exchanges = new Map<number, ExchangeState>();
  /** How far the opening of each side has come. */
  readonly #opened: Record<Side, string> = { client: SILENT, server: SILENT };
  #lastExchange = 0; // the highest id that was opened
  #peerCredit = 0;
  #peerTakes = 0;
  #dropping = false; // the frame whose pieces come now is on an exchange that is over
  #current = 0; // the exchange whose pieces come now

  constructor(side: Side) {
    this.side = side;
  }

  /** Whether the peer's HELLO has this bit of `takes`. */
  peerTakes(bit: number): boolean { return Math.floor(this.#peerTakes / bit) % 2 === 1; }

  /** How many exchanges are open. */
  get open(): number { return this.#exchanges.size; }

  isOpen(exchange: number): boolean { return this.#exchanges.has(exchange); }

  /** Both openings are done: requests may be made. */
  get ready(): boolean { return this.#opened.client === OPEN && this.#opened.server === OPEN; }

  /** From now on frames of full size are taken. Called when the peer has proved who it is. */
  trust(): void { this.#decoder.limit = MAX_BODY; }

  /** What the bytes say. Throws `PROTOCOL`; the connection is then of no further use. */
  receive(chunk: Uint8Array): MachineEvent[] {
    const events: MachineEvent[] = [];
    for (const event of this.#decoder.push(chunk)) {
      const known = this.#translate(event);
      if (known !== undefined) events.push(known);
    }
    return events;
  }

  /** As `FrameDecoder.inside`: whether `chunk` is the end of the bulk body it lies in; undefined: ask `receive`. */
  inside(chunk: Uint8Array): boolean | undefined { return this.#decoder.inside(chunk); }
  /** A frame has begun to come and is not whole. */
  get inFrame(): boolean { return this.#decoder.inFrame; }
  /** The head of the word that has begun to come, if there is one. */
  get gathering(): Header | undefined { return this.#decoder.gathering; }
  /** Nobody wants the bulk body that comes now. */
  get dropping(): boolean { return this.#dropping; }

  #translate(event: FrameEvent): MachineEvent | undefined {
    if (event.kind === 'piece') return this.#dropping ? undefined : { event: 'piece', exchange: this.#current, bytes: event.bytes, last: event.last };
    const { header } = event;
    if (event.kind === 'begin') {
      const word = header.type === DATA ? 'data' : 'batch';
      this.#current = header.exchange;
      this.#dropping = !this.#hear(header.exchange, word);
      if (this.#dropping) return undefined;
      const bulk = this.#charge(header.exchange, header.length);
      return { event: 'begin', exchange: header.exchange, word, offset: event.offset, size: event.size, bulk };
    }
    if (header.type === CREDIT || header.type === WIDER) return this.#credited(header, event.body);
    if (header.type === STALLED) return this.#exchanges.has(header.exchange) ? { event: 'stalled', exchange: header.exchange } : this.#late(header.exchange);
    const kind = kindOf(header.type);
    if (kind === undefined) return header.critical ? violation(`an unknown frame of type ${header.type}`) : undefined;
    return this.#message(header, kind, event.body);
  }

  #message(header: Header, kind: Kind, body: Uint8Array): MachineEvent | undefined {
    const before = this.#exchanges.size;
    if (isRequest(kind) && this.side === 'server') this.#accept(header.exchange, kind);
    else if (!this.#hear(header.exchange, kind)) return this.#exchanges.size < before ? { event: 'over', exchange: header.exchange } : undefined;
    const message = decodeMessage(kind, body);
    const bulk = MESSAGES[kind].bulk ? this.#charge(header.exchange, costOf(message, header.length)) : 0;
    if (message.kind === 'hello') this.#greeted(message);
    return { event: 'message', exchange: header.exchange, message, bulk, over: !this.#exchanges.has(header.exchange) };
  }

  #greeted(hello: Message<'hello'>): void {
    if (hello.version !== VERSION) throw new Failure('VERSION', `the other side speaks version ${hello.version} of the protocol, this one version ${VERSION}`, { who: 'network' });
    this.#peerCredit = Math.min(hello.credit, 0x7fff_ffff);
    this.#peerTakes = hello.takes ?? 0;
    for (const exchange of this.#exchanges.values()) { // asked before this was known
      exchange.toSend += this.#peerCredit;
      exchange.window += this.#peerCredit;
    }
  }

  #credited(header: Header, body: Uint8Array): MachineEvent | undefined {
    if (body.byteLength !== 4) violation('credit that is not 4 bytes');
    const exchange = this.#exchanges.get(header.exchange);
    if (exchange === undefined) return this.#late(header.exchange);
    const amount = Buffer.from(body.buffer, body.byteOffset, 4).readUInt32BE(0);
    exchange.toSend += amount;
    if (header.type === WIDER) exchange.window += amount;
    if (exchange.toSend > Number.MAX_SAFE_INTEGER) violation('credit beyond 2^53');
    return { event: 'credit', exchange: header.exchange };
  }

  /** A word for an exchange that we do not have: legal when it was open once. */
  #late(exchange: number): undefined {
    if (exchange === 0 || exchange % 2 === 0 || exchange > this.#lastExchange) violation(`a word on exchange ${exchange}, which was never opened`);
    return undefined;
  }

  /** What a bulk frame with a body of `length` bytes costs, paid by the peer. */
  #charge(exchange: number, length: number): number {
    const state = this.#exchanges.get(exchange)!;
    const cost = length + FRAME_COST;
    state.toTake -= cost;
    if (state.toTake < 0) violation('more bytes than there was credit for');
    return cost;
  }

  /** The same, paid by us. */
  #pay(exchange: number, length: number): void {
    const state = this.#exchanges.get(exchange)!;
    state.toSend -= length + FRAME_COST;
    state.sinceStalled += length + FRAME_COST;
    if (state.toSend < 0) throw new Error('this side is about to break the protocol: more bytes than it has credit for');
  }

  /** A request from the client: the next odd id. */
  #accept(exchange: number, request: Request): void {
    if (this.#opened.client !== OPEN) violation(`${request} before the opening`);
    if (exchange % 2 === 0 || exchange <= this.#lastExchange) violation(`exchange ${exchange} opened out of order`);
    if (this.#exchanges.size >= MAX_EXCHANGES) violation(`more than ${MAX_EXCHANGES} requests at once`);
    this.#enter(exchange, request);
  }

  #enter(exchange: number, request: Request): void {
    this.#lastExchange = exchange;
    this.#exchanges.set(exchange, { request, state: FIRST, cancelled: false, toSend: this.#peerCredit, toTake: INITIAL_CREDIT, window: this.#peerCredit, sinceStalled: Infinity });
  }

  /** Applies a word of the peer; false when it came too late to matter. */
  #hear(exchange: number, word: Word): boolean {
    if (exchange === 0) { this.#opening(other(this.side), word, violation); return true; }
    const state = this.#exchanges.get(exchange);
    if (state === undefined) { this.#late(exchange); return false; }
    return this.#step(exchange, state, other(this.side), word, violation);
  }

  #opening(side: Side, word: Word, refuse: (what: string) => never): void {
    const state = this.#opened[side];
    const to = OPENINGS[side][state]?.[word];
    if (to !== undefined) this.#opened[side] = to;
    else if (word !== 'error' && (state === SILENT || !CONNECTION_WORDS[side].has(word))) refuse(`${word} on the connection, out of turn`);
  }

  #step(exchange: number, state: ExchangeState, side: Side, word: Word, refuse: (what: string) => never): boolean {
    if (word === 'error' && side === 'server') { this.#exchanges.delete(exchange); return !state.cancelled; }
    if (word === 'cancel' && side === 'client' && !state.cancelled) { state.cancelled = true; return true; }
    const to = next(state.request, state.state, side, word);
    if (to === undefined) return refuse(`${word} in answer to ${state.request}, out of turn`);
    state.state = to;
    if (to === OVER) this.#exchanges.delete(exchange);
    // After a cancel, what the client still hears or the server still takes is of no interest to it.
    return !state.cancelled;
  }

  /** Opens an exchange with this request (client only): its id and its frame. */
  request(message: Message<Request>): { exchange: number; frame: Buffer } {
    const exchange = this.#lastExchange + (this.#lastExchange === 0 ? 1 : 2);
    this.#enter(exchange, message.kind);
    return { exchange, frame: encodeMessage(exchange, message) };
  }

  /** The frame that says `message`; undefined when the exchange is over and nobody would listen. */
  say(exchange: number, message: Message): Buffer | undefined {
    if (!this.#speak(exchange, message.kind)) return undefined;
    const frame = encodeMessage(exchange, message);
    if (MESSAGES[message.kind].bulk) this.#pay(exchange, costOf(message, frame.byteLength - HEADER_BYTES));
    return frame;
  }

  /** Writes the head of a DATA frame into the first 20 bytes of `frame`, the rest of which is the data. False: nobody listens. */
  sayData(exchange: number, frame: Buffer, offset: number, size: number): boolean {
    if (!this.#speak(exchange, 'data')) return false;
    this.#pay(exchange, size + 8);
    writeDataHead(frame, exchange, offset, size);
    return true;
  }

  /** Writes the header of a BATCH frame into the first 12 bytes of `frame`, the rest of which is the pack. False: nobody listens. */
  sayBatch(exchange: number, frame: Buffer, size: number): boolean {
    if (!this.#speak(exchange, 'batch')) return false;
    this.#pay(exchange, size);
    writeHeader(frame, BATCH, exchange, size);
    return true;
  }

  #speak(exchange: number, word: Word): boolean {
    const bug = (what: string): never => { throw new Error(`this side is about to break the protocol: ${what}`); };
    if (exchange === 0) { this.#opening(this.side, word, bug); return true; }
    const state = this.#exchanges.get(exchange);
    if (state === undefined || (state.cancelled && this.side === 'client')) return false;
    this.#step(exchange, state, this.side, word, bug);
    return true;
  }

  /** Bulk bytes that may be sent on `exchange` now; undefined when it is over or cancelled. */
  credit(exchange: number): number | undefined {
    const state = this.#exchanges.get(exchange);
    return state === undefined || (state.cancelled && this.side === 'client') ? undefined : state.toSend;
  }

  /** Credit that was paid on `exchange` and not given back; all of it, when the exchange is over. */
  unpaid(exchange: number): number {
    const state = this.#exchanges.get(exchange);
    return state === undefined ? Infinity : state.window - state.toSend;
  }

  /** The frame that gives the peer `amount` more bytes of credit; undefined when the exchange is over. */
  grant(exchange: number, amount: number): Buffer | undefined {
    return this.#take(exchange, amount) ? creditFrame(exchange, amount) : undefined;
  }

  /** The frame that lets the peer have `amount` more bytes on the way; undefined when the exchange is over. */
  widen(exchange: number, amount: number): Buffer | undefined {
    return this.#take(exchange, amount) ? widerFrame(exchange, amount) : undefined;
  }

  #take(exchange: number, amount: number): boolean {
    const state = this.#exchanges.get(exchange);
    if (state !== undefined) state.toTake += amount;
    return state !== undefined;
  }

  /** The frame that says that we wait for credit; undefined when it was said already, less than half a window ago. */
  stall(exchange: number): Buffer | undefined {
    const state = this.#exchanges.get(exchange);
    if (state === undefined || state.window === 0 || state.sinceStalled < state.window / 2) return undefined;
    state.sinceStalled = 0;
    return stalledFrame(exchange);
  }
}
