/**
 * BLAKE3, of one buffer and of a stream, in its standard form, so that `b3sum` agrees.
 *
 * The native package is used where it loads (7 GB/s on one core), WebAssembly otherwise (0.5-0.8 GB/s, the
 * same answers). This is the only file that knows which. `ready` must be awaited once per thread before
 * anything else here is called; that keeps hashing itself synchronous.
 */
import { createRequire } from 'node:module';

/** Bytes of a digest. */
export const DIGEST_BYTES = 32;

/** Unit of resume, repair and changed-only: small enough that a cut costs little, large enough that the
 *  digests of a 1 TiB file are 32 MiB. */
export const BLOCK_BYTES = 1 << 20;

export interface Hasher {
  update(bytes: Uint8Array): void;
  /** The digest of all that was given, once; then `reset` before the next use. */
  digest(): Uint8Array;
  reset(): void;
}

interface Engine {
  readonly name: 'native' | 'wasm';
  hasher(): Hasher;
  once(bytes: Uint8Array): Uint8Array;
}

let engine: Engine | undefined;

function native(): Engine | undefined {
  try {
    const { Blake3Hasher, blake3 } = createRequire(import.meta.url)('@napi-rs/blake-hash') as typeof import('@napi-rs/blake-hash');
    return {
      name: 'native',
      hasher() {
        const state = new Blake3Hasher();
        return { update: (bytes) => void state.update(bytes), digest: () => state.digestBuffer(), reset: () => state.reset() };
      },
      once: (bytes) => blake3(bytes),
    };
  } catch {
    return undefined; // no binary for this platform, or optional packages were left out
  }
}

async function wasm(): Promise<Engine> {
  const { createBLAKE3 } = await import('hash-wasm');
  // One instance for all streams: `save` and `load` give each stream its own state, so that any number may overlap.
  const core = (await createBLAKE3()).init();
  return {
    name: 'wasm',
    hasher() {
      let state = core.init().save();
      return {
        update(bytes) { core.load(state); core.update(bytes); state = core.save(); },
        digest() { core.load(state); return core.digest('binary'); },
        reset() { state = core.init().save(); },
      };
    },
    once(bytes) { core.init(); core.update(bytes); return core.digest('binary'); },
  };
}

/** Chooses the implementation; `prefer: 'wasm'` is for machines, and tests, without the native one. */
export async function ready(prefer?: 'wasm'): Promise<'native' | 'wasm'> {
  if (prefer === 'wasm') engine = await wasm();
  engine ??= native() ?? (await wasm());
  return engine.name;
}

function chosen(): Engine {
  engine ??= native();
  if (engine === undefined) throw new Error('digest.ready() was not awaited');
  return engine;
}

/** A new stream of bytes to hash. */
export function createHasher(): Hasher {
  return chosen().hasher();
}

/** The digest of one buffer. */
export function digestOf(bytes: Uint8Array): Uint8Array {
  return chosen().once(bytes);
}

/** Lower-case hexadecimal, as `b3sum` prints it. */
export function hex(digest: Uint8Array): string {
  return Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString('hex');
}

export function sameDigest(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && Buffer.compare(a, b) === 0;
}
