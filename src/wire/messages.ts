/**
 * Messages: everything the two ends can say, in one table.
 *
 * The table is the specification: the encoder, the decoder, the types, the tables of `docs/protocol.md` and the
 * fuzz tests all come from it. Numbers are never reused. `bulk` messages, like DATA and BATCH frames, are paid for
 * with credit (`session/`); the others are small answers of which every request gets a bounded number.
 * Pure. Names and paths in messages are text: whoever acts on one parses it with `path.ts` first.
 */
import { CODES, Failure, PARTIES, type Code } from '../errors.ts';
import { DIGEST_BYTES } from '../digest.ts';
import { KINDS } from '../entry.ts';
import { MAX_PATH_BYTES } from '../path.ts';
import { RIGHTS } from '../rights.ts';
import { MAX_LEFT_BYTES } from '../left.ts';
import { CONFIRMATION_BYTES, POINT_BYTES } from '../identity.ts';
import { bytes, choice, field, FieldReader, FieldWriter, flag, integer, list, optional, readFields, record, text, uint, writeFields, type Fields, type FieldType, type Value } from './fields.ts';
import { DATA, BATCH, CREDIT, HEADER_BYTES, MAX_CONTROL_BODY, writeHeader } from './frame.ts';

/** The protocol's version, also in its ALPN name. */
export const VERSION = 1;
export const ALPN = 'wherry/1';

/** Texts for people: long enough for a sentence, short enough to repeat for each of 1,000 files. */
const MAX_TEXT = 1024;
/** Names of devices and software. */
const MAX_LABEL = 128;
/** Digests in one message: 32 KiB, for 1 GiB of a file. */
export const MAX_DIGESTS = 1024;
/** What is told of a small block: the hash of its start (`transfer/rolling.ts`), the highest byte first, and the first 10 bytes of its digest. */
export const SKETCH_BYTES = 14;
/** Small blocks in one message: 4 MiB of a file, with the smallest ones. */
export const MAX_SKETCHES = 256;
/** Entries in one page of a listing: with the longest names still one control frame. */
export const MAX_ENTRIES = 1000;
/** Names of a page that cannot be shown and are told escaped: more than a person renames one by one, little beside the page. */
export const MAX_HIDDEN = 20;
/** What fits a control frame beside its other fields. */
export const MAX_COMPRESSED = MAX_CONTROL_BODY - 64;
/** Bit of `hello.takes`: this side expands zstd. */
export const TAKES_ZSTD = 1;
/** Long enough that nobody finds one by chance. */
export const LANE_KEY_BYTES = 16;
/** Long enough that two actions of one device never have the same. */
export const ACTION_BYTES = 8;
/** Steps in one message about an undo: as many as have room with the longest paths. */
export const MAX_UNDONE = 32;
/** What undoing a step comes to. */
export const REVERSALS = ['remove', 'removeFolder', 'replace', 'restore', 'restoreFolder', 'makeFolder', 'rename', 'lost'] as const;
/** Files named in one message about a tree: as many as have room with the longest paths. */
export const MAX_LISTED = 64;

const byNumber = new Map<number, Code>((Object.keys(CODES) as Code[]).map((code) => [CODES[code], code]));

/** A code by its number in `errors.ts`; one that is not known yet is read as INTERNAL. */
const code: FieldType<Code> = {
  wire: 0, about: { is: 'code' },
  write: (w, v) => w.varint(CODES[v]),
  read: (r) => byNumber.get(r.varint()) ?? 'INTERNAL',
};
const path = text(MAX_PATH_BYTES);
const digest = bytes(DIGEST_BYTES, DIGEST_BYTES);
/** Chosen at random for one transfer by the client that asks for it; together with its account it finds the transfer. */
const laneKey = bytes(LANE_KEY_BYTES, LANE_KEY_BYTES);
/** Chosen by the client for all requests of one action, later ones higher; they are undone together. Without it nothing can be undone. */
const action = bytes(ACTION_BYTES, ACTION_BYTES);
const level = choice(['visible', 'durable']);

/** A path in a deep listing; a name in a listing of one folder. */
const entry = record({ name: field(1, path), kind: field(2, choice(KINDS)), size: field(3, uint), mtime: field(4, integer), mode: field(5, uint) });
const problem = record({ path: field(1, path), code: field(2, code), message: field(3, text(MAX_TEXT)) });

interface Definition { readonly type: number; readonly bulk: boolean; readonly about: string; readonly fields: Fields }

function message<F extends Fields>(type: number, about: string, fields: F): { type: number; bulk: false; about: string; fields: F } {
  return { type, bulk: false, about, fields };
}

function bulk<F extends Fields>(type: number, about: string, fields: F): { type: number; bulk: true; about: string; fields: F } {
  return { type, bulk: true, about, fields };
}

export const MESSAGES = {
  // The connection. All on exchange 0, but for `error` and `cancel`, which may also end one exchange.
  hello: message(0x00, 'first word of each side: what it speaks and takes', {
    version: field(1, uint), agent: field(2, text(MAX_LABEL)), maxBody: field(3, uint), credit: field(4, uint), takes: optional(5, uint),
  }),
  auth: message(0x01, 'proof of who the client is', {
    method: field(1, choice(['device', 'invite', 'code', 'token'])), key: field(2, bytes(32, 32)), signature: field(3, bytes(64, 64)),
    device: optional(4, bytes(32, 32)), label: optional(5, text(MAX_LABEL)), deviceSignature: optional(6, bytes(64, 64)),
    confirmation: optional(7, bytes(CONFIRMATION_BYTES, CONFIRMATION_BYTES)),
  }),
  ready: message(0x02, 'the proof was accepted', {
    account: field(1, text(MAX_LABEL)), rights: field(2, list(choice(RIGHTS), RIGHTS.length)), name: field(3, text(MAX_LABEL)),
    confirmation: optional(4, bytes(CONFIRMATION_BYTES, CONFIRMATION_BYTES)),
  }),
  ping: message(0x04, 'are you there?', { token: field(1, uint) }),
  pong: message(0x05, 'yes', { token: field(1, uint) }),
  goaway: message(0x06, 'no new requests; running ones may end within the time', { code: field(1, code), graceMs: field(2, uint) }),
  cancel: message(0x08, 'the client wants no more of this exchange', { code: field(1, code) }),
  error: message(0x09, 'the exchange, or on 0 the connection, has failed', {
    code: field(1, code), message: field(2, text(MAX_TEXT)), path: optional(3, path), who: optional(4, choice(PARTIES)),
    retry: field(5, flag), hint: optional(6, text(MAX_TEXT)),
  }),

  codeStart: message(0x0d, 'the client has a spoken code; its share of the exchange that proves so', { point: field(1, bytes(POINT_BYTES, POINT_BYTES)) }),
  codeAnswer: message(0x0e, 'a code is open here; the share of the server', { point: field(1, bytes(POINT_BYTES, POINT_BYTES)) }),

  // Requests: each opens an exchange of its own.
  stat: message(0x10, 'what is at this path?', { path: field(1, path) }),
  list: message(0x11, 'what is in this folder?', { path: field(1, path), deep: field(2, flag) }),
  makeFolder: message(0x12, 'make a folder', { path: field(1, path), parents: field(2, flag), action: optional(3, action) }),
  remove: message(0x13, 'remove a file or folder', { path: field(1, path), deep: field(2, flag), only: optional(3, choice(['file', 'folder'])), ifMatch: optional(5, digest), action: optional(6, action) }),
  move: message(0x14, 'rename', { from: field(1, path), to: field(2, path), replace: field(3, flag), ifMatch: optional(4, digest), action: optional(5, action) }),
  usage: message(0x15, 'how much is at and below this path?', { path: field(1, path) }),
  space: message(0x16, 'how much room is there?', {}),
  hash: message(0x17, 'what is the digest of this file, read now?', { path: field(1, path), algorithm: field(2, choice(['blake3', 'sha256'])) }),
  put: message(0x18, 'here comes a file', {
    path: field(1, path), size: optional(2, uint), mtime: field(3, integer), mode: field(4, uint), level: field(5, level), ifAbsent: field(6, flag),
    lanes: optional(7, laneKey), ifMatch: optional(8, digest), again: optional(9, digest), action: optional(10, action),
  }),
  get: message(0x19, 'send me a file; of an older version I hold `basis` bytes', { path: field(1, path), basis: field(2, uint), lanes: optional(3, laneKey), blockSize: optional(4, uint) }),
  putTree: message(0x1b, 'here comes a folder', { path: field(1, path), level: field(2, level), ifAbsent: field(3, flag), replaceable: optional(4, bytes(MAX_LEFT_BYTES, 1)), action: optional(5, action) }),
  getTree: message(0x1c, 'send me a folder', { path: field(1, path), exclude: field(2, list(text(MAX_PATH_BYTES), 1000)), follow: optional(3, flag), leave: optional(4, bytes(MAX_LEFT_BYTES, 1)), held: optional(5, bytes(MAX_LEFT_BYTES, 1)) }),
  putLane: message(0x1d, 'data of the `put` with this key may come here too', { key: field(1, laneKey) }),
  getLane: message(0x1e, 'send data of the `get` with this key here too', { key: field(1, laneKey) }),
  setAttributes: message(0x1f, 'set the mode or the time of a file or folder', { path: field(1, path), mode: optional(2, uint), mtime: optional(3, integer) }),

  undo: message(0x25, 'undo the last action of this device, or with `redo` its last undo; `force`: also what was changed since; `rehearse`: only say how', {
    redo: field(1, flag), force: field(2, flag), rehearse: field(3, flag), action: field(4, action),
  }),

  measure: message(0x24, 'how fast is this way? For at most so many bytes and milliseconds; `clock`: what time is it?', {
    what: field(1, choice(['clock', 'up', 'down', 'disk'])), bytes: field(2, uint), milliseconds: field(3, uint),
  }),

  // Answers.
  measured: message(0x28, 'the time here (microseconds since 1970), how many bytes went this way and how long each part took (microseconds); `heldMicros`: how much of it they were held up by the rate that the server allows', {
    time: field(1, integer), bytes: field(2, uint), micros: field(3, uint), flushMicros: optional(4, uint), readMicros: optional(5, uint), heldMicros: optional(6, uint),
  }),
  entry: message(0x30, 'what is there; nothing, when the entry is missing', { entry: optional(1, entry) }),
  entries: bulk(0x31, 'a page of a listing', { entries: field(1, list(entry, MAX_ENTRIES)), unlisted: field(2, uint), hidden: optional(3, list(path, MAX_HIDDEN)) }),
  done: message(0x32, 'the request is fulfilled', {}),
  used: message(0x33, 'files, folders and bytes', { files: field(1, uint), folders: field(2, uint), bytes: field(3, uint), unlisted: optional(4, uint) }),
  room: message(0x34, 'bytes free and in all; names too, where the disk counts them', { free: field(1, uint), total: field(2, uint), freeNames: optional(3, uint), names: optional(4, uint) }),
  undone: bulk(0x36, 'steps that were, or would be, undone, and what each came to; when the action was done (microseconds since 1970)', {
    at: field(1, integer), steps: field(2, list(record({ path: field(1, path), what: field(2, choice(REVERSALS)), to: optional(3, path), bytes: field(4, uint), code: optional(5, code), message: optional(6, text(MAX_TEXT)) }), MAX_UNDONE)),
  }),
  digest: message(0x35, 'the digest', { digest: field(1, digest) }),

  // One file, from its sender to its receiver (decisions: one mechanism for resume, repair and changed-only).
  accept: message(0x40, 'go on; of this file I hold `basis` bytes', { holds: field(1, choice(['none', 'part', 'old'])), basis: field(2, uint), blockSize: optional(3, uint) }),
  offer: message(0x41, 'what the file that was asked for is', { size: field(1, uint), mtime: field(2, integer), mode: field(3, uint) }),
  hashes: bulk(0x42, 'digests of the blocks that the receiver holds, in order, from block `first` on', { first: field(1, uint), digests: field(2, list(digest, MAX_DIGESTS)), sketches: optional(3, bytes(MAX_SKETCHES * SKETCH_BYTES)) }),
  keep: bulk(0x43, 'these bytes you hold already', { offset: field(1, uint), length: field(2, uint), from: optional(3, uint) }),
  commit: message(0x44, 'that was all; its size and digest', { size: field(1, uint), digest: field(2, digest), mtime: optional(3, integer) }),
  stored: message(0x45, 'the file has its name', { level: field(1, level), digest: field(2, digest) }),
  whole: message(0x4b, 'tell no more digests: from here on all is sent', {}),
  compressedData: bulk(0x49, '`size` bytes of the file from `offset` on, compressed by zstd; instead of DATA', { offset: field(1, uint), size: field(2, uint), bytes: field(3, bytes(MAX_COMPRESSED, 1)) }),

  // A lane: an exchange on another connection of the same account, which carries nothing but data of one file.
  lent: message(0x46, 'the transfer was found, and this is a lane of it', {}),
  enough: message(0x47, 'send no more over this lane', {}),
  landed: message(0x48, 'all that came over this lane is where it belongs', {}),
  // A tree: BATCH frames with packs of small files, and what a pack cannot hold.
  compressedBatch: bulk(0x55, 'a pack of `size` bytes, compressed by zstd; instead of BATCH', { size: field(1, uint), bytes: field(2, bytes(MAX_COMPRESSED, 1)) }),
  batched: bulk(0x50, 'so much of one pack is in place, `kept` bytes of it since before; what is not was told before', { files: field(1, uint), bytes: field(2, uint), kept: optional(3, uint) }),
  folders: bulk(0x51, 'folders that are complete: their modes and times', { folders: field(1, list(record({ path: field(1, path), mode: field(2, uint), mtime: field(3, integer) }), MAX_LISTED)) }),
  large: bulk(0x52, 'files that want an exchange of their own', { files: field(1, list(entry, MAX_LISTED)) }),
  problems: bulk(0x53, 'what could not be sent or stored, and how many links and devices were passed over', { problems: field(1, list(problem, MAX_LISTED)), skipped: field(2, uint) }),
  same: bulk(0x56, 'so many small files do not come, since the receiver holds the same bytes', { files: field(1, uint), bytes: field(2, uint) }),
  finish: message(0x54, 'that was all of this tree, or of this lane', {}),
} as const satisfies Record<string, Definition>;

export type Kind = keyof typeof MESSAGES;
export type Message<K extends Kind = Kind> = { [P in K]: { readonly kind: P } & Value<(typeof MESSAGES)[P]['fields']> }[K];

const KINDS_BY_TYPE = new Map<number, Kind>((Object.keys(MESSAGES) as Kind[]).map((kind) => [MESSAGES[kind].type, kind]));
for (const type of [DATA, BATCH, CREDIT]) if (KINDS_BY_TYPE.has(type)) throw new Error(`frame type ${type} has two meanings`);

/** What kind of message a frame type carries; undefined for one this version does not know. */
export function kindOf(type: number): Kind | undefined {
  return KINDS_BY_TYPE.get(type);
}

/** The whole frame of a message. */
export function encodeMessage(exchange: number, message: Message): Buffer {
  const { type, fields } = MESSAGES[message.kind];
  const writer = new FieldWriter(HEADER_BYTES);
  writeFields(writer, fields as Fields, message as never);
  const frame = writer.finish();
  writeHeader(frame, type, exchange, frame.byteLength - HEADER_BYTES);
  return frame;
}

/** The message of this kind in `body`. Throws `PROTOCOL`. */
export function decodeMessage<K extends Kind>(kind: K, body: Uint8Array): Message<K> {
  return { kind, ...readFields(new FieldReader(body), MESSAGES[kind].fields as Fields) } as unknown as Message<K>;
}

/** A failure as it crosses the wire: never a cause, never a stack, and texts cut to what fits. */
export function errorMessage(failure: Failure): Message<'error'> {
  const internal = failure.code === 'INTERNAL';
  return {
    kind: 'error', code: failure.code, retry: failure.retry, who: failure.who ?? 'server',
    message: internal ? 'the server made a mistake; its log says more' : cut(failure.message, MAX_TEXT),
    path: failure.path === undefined ? undefined : cut(failure.path, MAX_PATH_BYTES),
    hint: failure.hint === undefined ? undefined : cut(failure.hint, MAX_TEXT),
  };
}

/** The failure that a peer's `error` tells of. */
export function failureOf(message: Message<'error'>): Failure {
  const { code: what, message: why, path: where, who, retry, hint } = message;
  return new Failure(what, why, { path: where, who, retry, hint });
}

/** `value` cut at a character so that it is at most `max` bytes. */
export function cut(value: string, max: number): string {
  const well = value.toWellFormed();
  if (Buffer.byteLength(well) <= max) return well;
  const bytes = Buffer.from(well).subarray(0, max - 3);
  let end = bytes.byteLength;
  while (end > 0 && (bytes[end - 1]! & 0xc0) === 0x80) end -= 1;
  if (end > 0 && bytes[end - 1]! >= 0xc0) end -= 1;
  return `${bytes.toString('utf8', 0, end)}…`;
}

