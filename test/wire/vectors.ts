/** The vectors as tests read them: messages as JSON, bytes in it as `{ hex }`; and frames as the decoder gives them, whole. */
import { readFileSync } from 'node:fs';
import { DATA, FrameDecoder, MAX_BODY } from '../../src/wire/frame.ts';
import type { Message } from '../../src/wire/messages.ts';

export interface MessageVector { readonly title: string; readonly exchange: number; readonly hex: string; readonly message: unknown }
export interface FrameVector { readonly title: string; readonly hex: string; readonly events: readonly WholeFrame[] }
export interface ToleratedVector { readonly title: string; readonly hex: string; readonly message: { readonly kind: string } }
export interface RefusedVector { readonly title: string; readonly to: 'client' | 'server'; readonly phase: string; readonly code: string; readonly hex: string }
export interface Spoken { readonly from: 'client' | 'server'; readonly exchange: number; readonly says: { readonly kind: string }; readonly hex: string }
export interface TranscriptVector { readonly title: string; readonly words: readonly Spoken[] }

interface Files { frames: FrameVector; messages: MessageVector; refused: RefusedVector; tolerated: ToleratedVector; transcripts: TranscriptVector }

export function load<N extends keyof Files>(name: N): readonly Files[N][] {
  return JSON.parse(readFileSync(new URL(`vectors/${name}.json`, import.meta.url), 'utf8')) as Files[N][];
}

/** As it stands in a vector: bytes as hex, nothing for what is undefined. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString('hex') };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined).map(([key, part]) => [key, plain(part)]));
}

/** The other way round. */
export function revive(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revive);
  if (typeof value !== 'object' || value === null) return value;
  if ('hex' in value) return new Uint8Array(Buffer.from(String(value.hex), 'hex'));
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, revive(part)]));
}

export function reviveMessage(value: unknown): Message {
  return revive(value) as Message;
}

export type WholeFrame =
  | { readonly kind: 'data' | 'batch'; readonly exchange: number; readonly offset: number; readonly bytes: unknown }
  | { readonly kind: 'frame'; readonly type: number; readonly critical: boolean; readonly exchange: number; readonly body: unknown };

/** What a decoder, given these chunks one by one, says in all: pieces put together, so that cuts do not show. */
export function decodeAll(chunks: readonly Uint8Array[]): WholeFrame[] {
  const decoder = new FrameDecoder();
  decoder.limit = MAX_BODY;
  const frames: WholeFrame[] = [];
  let begun: { kind: 'data' | 'batch'; exchange: number; offset: number } | undefined;
  let pieces: Uint8Array[] = [];
  for (const chunk of chunks) {
    // A copy that is overwritten afterwards, as a socket's buffer may be: nothing must be kept that was not copied.
    const lent = Buffer.from(chunk);
    for (const event of decoder.push(lent)) {
      if (event.kind === 'frame') {
        const { type, critical, exchange } = event.header;
        frames.push({ kind: 'frame', type, critical, exchange, body: plain(event.body) });
      } else if (event.kind === 'begin') {
        begun = { kind: event.header.type === DATA ? 'data' : 'batch', exchange: event.header.exchange, offset: event.offset };
        pieces = [];
      } else {
        pieces.push(Uint8Array.from(event.bytes));
        if (event.last) frames.push({ ...begun!, bytes: plain(Buffer.concat(pieces)) });
      }
    }
    lent.fill(0xdd);
  }
  return frames;
}
