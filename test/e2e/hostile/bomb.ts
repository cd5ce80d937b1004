/** Bomb: what expands to far more than anybody has asked for; sent by a server to clients (`amounts.ts`), and by a client to a server. */

/** Zstd of 2^31 - 1 zero bytes: blocks of 128 KiB, each of one byte that is repeated. */
export function bomb(): Uint8Array {
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]); // no size, a window of 2 MiB
  const block = Buffer.from([0x02, 0x00, 0x10, 0x00]); // 128 KiB of one byte
  return Buffer.concat([head, ...Array.from({ length: 16_383 }, () => block), Buffer.from([0x03, 0x00, 0x10, 0x00])]);
}
