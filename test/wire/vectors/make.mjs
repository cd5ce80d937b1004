/**
 * Writes the vectors beside it: `node test/wire/vectors/make.mjs [BUILD]`. The JSON files are the reference, not this
 * script: it is run when a message is added, and a change of an existing line is a change of the protocol.
 *
 * What must be refused is put together byte by byte here, so that no encoder stands between the rule and its proof.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const build = resolve(process.argv[2] ?? 'dist');
const { MESSAGES, VERSION, encodeMessage } = await import(`${build}/wire/messages.js`);
const { BATCH, DATA_HEAD_BYTES, GREASE, creditFrame, greaseFrame, stalledFrame, widerFrame, writeDataHead, writeHeader } = await import(`${build}/wire/frame.js`);
const { digestOf } = await import(`${build}/digest.js`);

const plain = (value) => {
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString('hex') };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined).map(([key, part]) => [key, plain(part)]));
};
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const save = (name, vectors) => writeFileSync(new URL(`${name}.json`, import.meta.url), `[\n${vectors.map((vector) => `  ${JSON.stringify(vector)}`).join(',\n')}\n]\n`);
const filled = (length, first) => Uint8Array.from({ length }, (_, at) => (first + at) & 0xff);

/** One value of every type; `richly` takes larger ones. */
function sample(type, richly) {
  const { about } = type;
  if (about.is === 'uint') return richly ? Number.MAX_SAFE_INTEGER : 0;
  if (about.is === 'integer') return richly ? -1_700_000_000_123_456 : 1_700_000_000_123_456;
  if (about.is === 'flag') return richly;
  if (about.is === 'code') return richly ? 'INTERNAL' : 'NOTFOUND';
  if (about.is === 'choice') return about.of[richly ? about.of.length - 1 : 0];
  if (about.is === 'text') return richly ? 'fotos/Łódź – 写真 🏞.jpg' : '';
  if (about.is === 'bytes') return filled(Math.max(about.min, richly ? Math.min(about.max, 200) : about.min), 1);
  if (about.is === 'list') return richly ? [sample(about.of, true), sample(about.of, false)] : [];
  return messageOf(about.fields, richly);
}

function messageOf(fields, richly) {
  return Object.fromEntries(Object.entries(fields).filter(([, { optional }]) => richly || !optional).map(([name, { type }]) => [name, sample(type, richly)]));
}

const messages = [];
for (const [kind, { fields }] of Object.entries(MESSAGES)) {
  for (const richly of [false, true]) {
    const message = { kind, ...messageOf(fields, richly) };
    const exchange = richly ? 0xffff_ffff : 1;
    messages.push({ title: `${kind}, ${richly ? 'every optional field, large values' : 'no optional field, small values'}`, exchange, hex: hex(encodeMessage(exchange, message)), message: plain(message) });
  }
  const optional = Object.entries(fields).filter(([, field]) => field.optional);
  for (const [name, { type }] of optional.length > 1 ? optional : []) {
    const message = { kind, ...messageOf(fields, false), [name]: sample(type, true) };
    messages.push({ title: `${kind}, of the optional fields only ${name}`, exchange: 1, hex: hex(encodeMessage(1, message)), message: plain(message) });
  }
}
for (const value of [0x7f, 0x80, 0x3fff, 0x4000, 0xffff_ffff, 0x1_0000_0000]) {
  const message = { kind: 'ping', token: value };
  messages.push({ title: `ping with ${value}, where the number gets a byte longer or could overflow`, exchange: 0, hex: hex(encodeMessage(0, message)), message: plain(message) });
}
for (const mtime of [0, -1, 0xffff_ffff, 0x1_0000_0000, -0x1_0000_0001, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
  const message = { kind: 'offer', size: 0, mtime, mode: 0o644 };
  messages.push({ title: `offer with the time ${mtime}`, exchange: 1, hex: hex(encodeMessage(1, message)), message: plain(message) });
}
save('messages', messages);

/** A frame put together by hand. */
function frame(type, body, { exchange = 1, flags = 1, length = body.length, reserved = 0 } = {}) {
  const head = Buffer.alloc(12);
  head.writeUInt32BE(length, 0);
  head[4] = type;
  head[5] = flags;
  head.writeUInt16BE(reserved, 6);
  head.writeUInt32BE(exchange, 8);
  return Buffer.concat([head, Buffer.from(body)]);
}
const data = (exchange, offset, bytes) => {
  const whole = Buffer.concat([Buffer.alloc(DATA_HEAD_BYTES), bytes]);
  writeDataHead(whole, exchange, offset, bytes.length);
  return whole;
};
const batch = (exchange, pack) => {
  const head = Buffer.alloc(12);
  writeHeader(head, BATCH, exchange, pack.length);
  return Buffer.concat([head, pack]);
};
const abc = Buffer.from('abc');

save('frames', [
  { title: 'data at the start', hex: hex(data(1, 0, abc)), events: [{ kind: 'data', exchange: 1, offset: 0, bytes: { hex: hex(abc) } }] },
  { title: 'data beyond 4 GiB', hex: hex(data(3, 0x1_0000_0001, abc)), events: [{ kind: 'data', exchange: 3, offset: 0x1_0000_0001, bytes: { hex: hex(abc) } }] },
  { title: 'data at the last offset there is', hex: hex(data(3, Number.MAX_SAFE_INTEGER, abc)), events: [{ kind: 'data', exchange: 3, offset: Number.MAX_SAFE_INTEGER, bytes: { hex: hex(abc) } }] },
  { title: 'a pack', hex: hex(batch(5, abc)), events: [{ kind: 'batch', exchange: 5, offset: 0, bytes: { hex: hex(abc) } }] },
  { title: 'credit', hex: hex(creditFrame(7, 0x0100_0000)), events: [{ kind: 'frame', type: 0x07, critical: true, exchange: 7, body: { hex: '01000000' } }] },
  { title: 'a sender that waits for credit', hex: hex(stalledFrame(7)), events: [{ kind: 'frame', type: 0x0b, critical: false, exchange: 7, body: { hex: '' } }] },
  { title: 'a wider window', hex: hex(widerFrame(7, 0x0100_0000)), events: [{ kind: 'frame', type: 0x0c, critical: false, exchange: 7, body: { hex: '01000000' } }] },
  { title: 'a frame without a meaning', hex: hex(greaseFrame()), events: [{ kind: 'frame', type: GREASE, critical: false, exchange: 0, body: { hex: '5a5a5a5a5a' } }] },
  { title: 'a type of the future, not critical, without a body', hex: hex(frame(0xee, [], { flags: 0 })), events: [{ kind: 'frame', type: 0xee, critical: false, exchange: 1, body: { hex: '' } }] },
  { title: 'unknown flags, which are ignored', hex: hex(frame(0x16, [], { flags: 0xff })), events: [{ kind: 'frame', type: 0x16, critical: true, exchange: 1, body: { hex: '' } }] },
  { title: 'several frames one after the other', hex: hex(Buffer.concat([frame(0x16, []), data(1, 2, abc), greaseFrame(), batch(3, abc)])), events: [
    { kind: 'frame', type: 0x16, critical: true, exchange: 1, body: { hex: '' } },
    { kind: 'data', exchange: 1, offset: 2, bytes: { hex: hex(abc) } },
    { kind: 'frame', type: GREASE, critical: false, exchange: 0, body: { hex: '5a5a5a5a5a' } },
    { kind: 'batch', exchange: 3, offset: 0, bytes: { hex: hex(abc) } },
  ] },
]);

const ping = (...body) => frame(0x04, body, { exchange: 0 });
const stat = (...body) => frame(0x10, body);
save('tolerated', [
  { title: 'an unknown number behind the known fields', hex: hex(ping(0x02, 0x09, 0x04, 0x01)), message: { kind: 'ping', token: 9 } },
  { title: 'unknown bytes behind the known fields', hex: hex(ping(0x02, 0x09, 0x0f, 0x02, 0xff, 0xff)), message: { kind: 'ping', token: 9 } },
  { title: 'an unknown field with a number of two bytes', hex: hex(ping(0x02, 0x09, 0xa0, 0x1f, 0x00)), message: { kind: 'ping', token: 9 } },
  { title: 'an unknown field where an optional one is missing', hex: hex(frame(0x13, [0x03, 0x01, 0x61, 0x04, 0x01, 0x08, 0x07])), message: { kind: 'remove', path: 'a', deep: true } },
  { title: 'an unknown field within a record', hex: hex(frame(0x30, [0x03, 0x15, 0x03, 0x01, 0x61, 0x04, 0x00, 0x06, 0x01, 0x09, 0x08, 0, 0, 0, 0, 0, 0, 0, 2, 0x0a, 0x04, 0x0c, 0x07])), message: { kind: 'entry', entry: { name: 'a', kind: 'file', size: 1, mtime: 2, mode: 4 } } },
  { title: 'a code of the future, read as INTERNAL', hex: hex(frame(0x08, [0x02, 0xe7, 0x07])), message: { kind: 'cancel', code: 'INTERNAL' } },
]);

const long = (bytes) => { // a length as a varint
  const out = [];
  let rest = bytes;
  while (rest >= 0x80) { out.push((rest % 0x80) | 0x80); rest = Math.floor(rest / 0x80); }
  return [...out, rest];
};
const textOf = (length) => [0x03, ...long(length), ...Buffer.alloc(length, 0x61)];
const entries = (count) => {
  const one = [0x03, 0x00, 0x04, 0x00, 0x06, 0x00, 0x09, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0x0a, 0x00];
  const all = Array.from({ length: count }, () => [one.length, ...one]).flat();
  return [0x03, ...long(all.length), ...all, 0x04, 0x00];
};
const hello = (version) => encodeMessage(0, { kind: 'hello', version, agent: '', maxBody: 0, credit: 0 });
/** `fresh`: nothing was said before. `open`: both openings are done and exchange 1 is a `put` that was accepted (`get` for the client). */
save('refused', [
  ['a body above the limit before sign-in', 'server', 'fresh', frame(0x00, [], { exchange: 0, length: (16 << 10) + 1 })],
  ['a control body above the limit', 'server', 'open', frame(0x10, [], { exchange: 3, length: (512 << 10) + 1 })],
  ['data above the limit', 'server', 'open', frame(0x20, [0, 0, 0, 0, 0, 0, 0, 0], { length: (1 << 20) + 65 })],
  ['a pack above the limit', 'server', 'open', frame(0x21, [], { length: (1 << 20) + 65 })],
  ['a length of 2^31', 'server', 'fresh', frame(0x00, [], { exchange: 0, length: 0x8000_0000 })],
  ['a length of 2^32 - 1', 'server', 'open', frame(0x04, [], { exchange: 0, length: 0xffff_ffff })],
  ['an unknown type above the limit, although it would be skipped', 'server', 'open', frame(0xee, [], { flags: 0, length: 0xffff_ffff })],
  ['reserved bytes that are set', 'server', 'fresh', frame(0x00, [], { exchange: 0, reserved: 1 })],
  ['an unknown critical type', 'server', 'open', frame(0xee, [])],
  ['a critical type that will never have a meaning', 'server', 'open', frame(0x3a, [])],
  ['data without data', 'server', 'open', frame(0x20, [0, 0, 0, 0, 0, 0, 0, 0])],
  ['data shorter than its offset', 'server', 'open', frame(0x20, [0, 0, 0, 0, 0, 0, 0, 0], { length: 4 })],
  ['an empty pack', 'server', 'open', frame(0x21, [])],
  ['data at 2^53', 'server', 'open', frame(0x20, [0, 0x20, 0, 0, 0, 0, 0, 0, 1])],
  ['data at 2^64 - 1', 'server', 'open', frame(0x20, [255, 255, 255, 255, 255, 255, 255, 255, 1])],
  ['data on the connection', 'server', 'open', frame(0x20, [0, 0, 0, 0, 0, 0, 0, 0, 1], { exchange: 0 })],
  ['data on an exchange that never was', 'server', 'open', frame(0x20, [0, 0, 0, 0, 0, 0, 0, 0, 1], { exchange: 5 })],
  ['data on an even exchange', 'server', 'open', frame(0x20, [0, 0, 0, 0, 0, 0, 0, 0, 1], { exchange: 2 })],
  ['credit of 3 bytes', 'server', 'open', frame(0x07, [0, 0, 1])],
  ['credit of 5 bytes', 'server', 'open', frame(0x07, [0, 0, 0, 0, 1])],
  ['credit for the connection', 'server', 'open', frame(0x07, [0, 0, 0, 1], { exchange: 0 })],
  ['a wider window of 3 bytes', 'server', 'open', frame(0x0c, [0, 0, 1], { flags: 0 })],
  ['a wider window for the connection', 'server', 'open', frame(0x0c, [0, 0, 0, 1], { exchange: 0, flags: 0 })],
  ['a sender that waits on the connection', 'server', 'open', frame(0x0b, [], { exchange: 0, flags: 0 })],
  ['credit before anything', 'server', 'fresh', frame(0x07, [0, 0, 0, 1])],
  ['a number that is not in its shortest form', 'server', 'open', ping(0x02, 0x80, 0x00)],
  ['a field number that is not in its shortest form', 'server', 'open', ping(0x82, 0x00, 0x01)],
  ['a number of 2^53', 'server', 'open', ping(0x02, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10)],
  ['a number of nine bytes', 'server', 'open', ping(0x02, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01)],
  ['an unknown field with a number of 2^53', 'server', 'open', ping(0x02, 0x09, 0x04, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10)],
  ['a body that ends behind a key', 'server', 'open', ping(0x02)],
  ['a body that ends within a number', 'server', 'open', ping(0x02, 0x80)],
  ['a text that ends before its length', 'server', 'open', frame(0x10, [0x03, 0x02, 0x61], { exchange: 3 })],
  ['an unknown field that ends before its length', 'server', 'open', ping(0x02, 0x09, 0x0f, 0x02, 0xff)],
  ['a length of 2^53 - 1 in a short body', 'server', 'open', frame(0x10, [0x03, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], { exchange: 3 })],
  ['fields out of order', 'server', 'open', frame(0x12, [0x04, 0x01, 0x03, 0x01, 0x61], { exchange: 3 })],
  ['a field twice', 'server', 'open', ping(0x02, 0x01, 0x02, 0x01)],
  ['a field with the number 0', 'server', 'open', ping(0x00, 0x01, 0x02, 0x01)],
  ['a number where bytes belong', 'server', 'open', frame(0x10, [0x02, 0x01], { exchange: 3 })],
  ['bytes where a number belongs', 'server', 'open', ping(0x03, 0x01, 0x01)],
  ['a missing field', 'server', 'open', ping()],
  ['a missing field before one that is there', 'server', 'open', frame(0x12, [0x04, 0x01], { exchange: 3 })],
  ['a word that is not on the list', 'server', 'open', frame(0x17, [0x03, 0x01, 0x61, 0x04, 0x02], { exchange: 3 })],
  ['a word with the number 2^53 - 1', 'server', 'open', frame(0x17, [0x03, 0x01, 0x61, 0x04, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], { exchange: 3 })],
  ['a flag that is 2', 'server', 'open', frame(0x12, [0x03, 0x01, 0x61, 0x04, 0x02], { exchange: 3 })],
  ['text that is not UTF-8', 'server', 'open', frame(0x10, [0x03, 0x01, 0xff], { exchange: 3 })],
  ['text with an overlong form', 'server', 'open', frame(0x10, [0x03, 0x02, 0xc0, 0xaf], { exchange: 3 })],
  ['text with half of a surrogate pair', 'server', 'open', frame(0x10, [0x03, 0x03, 0xed, 0xa0, 0x80], { exchange: 3 })],
  ['text cut within a character', 'server', 'open', frame(0x10, [0x03, 0x02, 0xe2, 0x82], { exchange: 3 })],
  ['a path that is too long', 'server', 'open', frame(0x10, textOf(4097), { exchange: 3 })],
  ['a label that is too long', 'server', 'fresh', frame(0x00, [0x02, 0x01, 0x05, ...long(129), ...Buffer.alloc(129, 0x61), 0x06, 0x00, 0x08, 0x00], { exchange: 0 })],
  ['a list that is too long', 'client', 'list', frame(0x31, entries(1001))],
  ['a record that ends within', 'client', 'list', frame(0x31, [0x03, 0x03, 0x05, 0x03, 0x00, 0x04, 0x00])],
  ['a digest of 31 bytes', 'server', 'open', frame(0x44, [0x02, 0x00, 0x05, 31, ...Buffer.alloc(31)])],
  ['a digest of 33 bytes', 'server', 'open', frame(0x44, [0x02, 0x00, 0x05, 33, ...Buffer.alloc(33)])],
  ['a time of 7 bytes', 'server', 'open', frame(0x44, [0x02, 0x00, 0x05, 32, ...Buffer.alloc(32), 0x07, 7, ...Buffer.alloc(7)])],
  ['a time beyond 2^53', 'server', 'open', frame(0x44, [0x02, 0x00, 0x05, 32, ...Buffer.alloc(32), 0x07, 8, 0x7f, ...Buffer.alloc(7)])],
  ['a key of 31 bytes', 'server', 'greeted', frame(0x01, [0x02, 0x00, 0x05, 31, ...Buffer.alloc(31)], { exchange: 0 })],
  ['another version of the protocol', 'server', 'fresh', hello(VERSION + 1), 'VERSION'],
  ['version 0', 'client', 'fresh', hello(0), 'VERSION'],
  ['auth before hello', 'server', 'fresh', frame(0x01, [], { exchange: 0 })],
  ['a request before hello', 'server', 'fresh', stat(0x03, 0x00)],
  ['a request before auth', 'server', 'greeted', stat(0x03, 0x00)],
  ['hello twice', 'server', 'greeted', hello(VERSION)],
  ['the start of a code before hello', 'server', 'fresh', encodeMessage(0, { kind: 'codeStart', point: filled(32, 1) })],
  ['a share of 31 bytes', 'server', 'greeted', frame(0x0b, [0x03, 31, ...filled(31, 1)], { exchange: 0 })],
  ['a start of a code without its share', 'server', 'greeted', frame(0x0b, [], { exchange: 0 })],
  ['the answer of a server from a client', 'server', 'greeted', encodeMessage(0, { kind: 'codeAnswer', point: filled(32, 1) })],
  ['the start of a code after sign-in', 'server', 'open', encodeMessage(0, { kind: 'codeStart', point: filled(32, 1) })],
  ['a request from a server', 'client', 'open', frame(0x10, [0x03, 0x00], { exchange: 3 })],
  ['an answer on an exchange that never was', 'client', 'open', frame(0x32, [], { exchange: 99 })],
  ['an answer from a client', 'server', 'open', frame(0x45, [])],
  ['an error from a client on an exchange', 'server', 'open', frame(0x09, [])],
  ['an HTTP request', 'server', 'fresh', Buffer.from('GET / HTTP/1.1\r\nHost: example.org\r\n\r\n')],
  ['a greeting of SSH', 'server', 'fresh', Buffer.from('SSH-2.0-OpenSSH_9.6\r\n')],
].map(([title, to, phase, bytes, code = 'PROTOCOL']) => ({ title, to, phase, code, hex: hex(bytes) })));

// Transcripts: what both ends say, word by word.
const key = filled(32, 0x20);
const opening = [
  ['client', 0, { kind: 'hello', version: VERSION, agent: 'wherry/0.1.0', maxBody: (1 << 20) + 64, credit: 16 << 20 }],
  ['client', 0, { kind: 'auth', method: 'device', key, signature: filled(64, 0x40) }],
  ['server', 0, { kind: 'hello', version: VERSION, agent: 'wherry/0.1.0', maxBody: (1 << 20) + 64, credit: 16 << 20 }],
  ['server', 0, { kind: 'ready', account: 'anna', rights: ['list', 'read', 'create'], name: 'archive' }],
];
const byCode = [
  opening[0],
  ['client', 0, { kind: 'codeStart', point: filled(32, 0x60) }],
  opening[2],
  ['server', 0, { kind: 'codeAnswer', point: filled(32, 0x80) }],
  ['client', 0, { kind: 'auth', method: 'code', key, signature: filled(64, 0x40), label: 'laptop', confirmation: filled(64, 0xa0) }],
  ['server', 0, { kind: 'ready', account: 'laptop', rights: ['list', 'read', 'create'], name: 'archive', confirmation: filled(64, 0xc0) }],
];
const content = Buffer.from('the quick brown fox');
const digest = digestOf(content);
const [mtime, mode] = [1_700_000_000_000_000, 0o644];
const entry = (name, size) => ({ name, kind: 'file', size, mtime, mode });
const spoken = ([from, exchange, says]) => {
  if (says.kind === 'data') return { from, exchange, says: plain(says), hex: hex(data(exchange, says.offset, says.bytes)) };
  if (says.kind === 'batch') return { from, exchange, says: plain(says), hex: hex(batch(exchange, says.bytes)) };
  if (says.kind === 'credit') return { from, exchange, says, hex: hex(creditFrame(exchange, says.amount)) };
  return { from, exchange, says: plain(says), hex: hex(encodeMessage(exchange, says)) };
};
save('transcripts', [
  { title: 'a device that joins by a spoken code', words: [...byCode, ['client', 0, { kind: 'goaway', code: 'SHUTDOWN', graceMs: 0 }]] },
  { title: 'a put that goes on where an earlier one was cut', words: [
    ...opening,
    ['client', 1, { kind: 'put', path: 'fox.txt', size: content.length, mtime, mode, level: 'durable', ifAbsent: false }],
    ['server', 1, { kind: 'accept', holds: 'part', basis: 10 }],
    ['server', 1, { kind: 'hashes', first: 0, digests: [digestOf(content.subarray(0, 10))] }],
    ['client', 1, { kind: 'keep', offset: 0, length: 10 }],
    ['client', 1, { kind: 'data', offset: 10, bytes: content.subarray(10) }],
    ['server', 1, { kind: 'credit', amount: 529 }],
    ['client', 1, { kind: 'commit', size: content.length, digest }],
    ['server', 1, { kind: 'stored', level: 'durable', digest }],
  ] },
  { title: 'a get of which an old version is held', words: [
    ...opening,
    ['client', 1, { kind: 'get', path: 'fox.txt', basis: 12 }],
    ['client', 1, { kind: 'hashes', first: 0, digests: [digestOf(abc)] }],
    ['server', 1, { kind: 'offer', size: content.length, mtime, mode }],
    ['server', 1, { kind: 'data', offset: 0, bytes: content }],
    ['server', 1, { kind: 'commit', size: content.length, digest }],
  ] },
  { title: 'a folder sent, with one file that could not be stored', words: [
    ...opening,
    ['client', 1, { kind: 'putTree', path: 'docs', level: 'visible', ifAbsent: true }],
    ['client', 1, { kind: 'batch', bytes: content }],
    ['client', 1, { kind: 'batch', bytes: abc }],
    ['server', 1, { kind: 'problems', problems: [{ path: 'a.txt', code: 'EXISTS', message: 'already exists' }], skipped: 0 }],
    ['server', 1, { kind: 'batched', files: 2, bytes: 11 }],
    ['client', 1, { kind: 'folders', folders: [{ path: 'sub', mode: 0o755, mtime }] }],
    ['client', 1, { kind: 'finish' }],
    ['server', 1, { kind: 'batched', files: 1, bytes: 3 }],
    ['server', 1, { kind: 'done' }],
  ] },
  { title: 'a folder fetched, and its large file beside it', words: [
    ...opening,
    ['client', 1, { kind: 'getTree', path: 'docs', exclude: ['*.o'] }],
    ['server', 1, { kind: 'batch', bytes: abc }],
    ['server', 1, { kind: 'large', files: [entry('big.iso', content.length)] }],
    ['client', 3, { kind: 'get', path: 'docs/big.iso', basis: 0 }],
    ['server', 1, { kind: 'folders', folders: [{ path: '', mode: 0o700, mtime }] }],
    ['server', 3, { kind: 'offer', size: content.length, mtime, mode }],
    ['server', 1, { kind: 'done' }],
    ['server', 3, { kind: 'data', offset: 0, bytes: content }],
    ['server', 3, { kind: 'commit', size: content.length, digest, mtime }],
  ] },
  { title: 'a put that is cancelled, and requests after it', words: [
    ...opening,
    ['client', 1, { kind: 'put', path: 'fox.txt', mtime, mode, level: 'visible', ifAbsent: false }],
    ['server', 1, { kind: 'accept', holds: 'none', basis: 0 }],
    ['client', 1, { kind: 'data', offset: 0, bytes: content }],
    ['client', 1, { kind: 'cancel', code: 'CANCELLED' }],
    ['client', 3, { kind: 'stat', path: 'fox.txt' }],
    ['server', 3, { kind: 'entry' }],
    ['client', 0, { kind: 'goaway', code: 'SHUTDOWN', graceMs: 0 }],
  ] },
].map(({ title, words }) => ({ title, words: words.map(spoken) })));
