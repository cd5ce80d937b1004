/** Watched: open files and uploads as an account sees them. They ask again with every call whether it is still let in, and tell once how they ended. */
import { type Code, Failure } from '../errors.ts';
import type { Source, Upload } from '../store/vault.ts';

interface Watch {
  /** Throws when the account is let in no more. */
  alive(): void;
  /** Told once, the first time it is called. */
  over(outcome: 'ok' | Code, bytes: number): void;
}

export function watchedSource(source: Source, { alive, over }: Watch): Source {
  let bytes = 0;
  let outcome: 'ok' | Code = 'ok';
  const watch = noting((code) => { outcome = code; });
  const reading = (read: () => Promise<number>): Promise<number> => watch(async () => {
    alive();
    const count = await read();
    alive(); // it may have waited long for its turn
    bytes += count;
    return count;
  });
  return {
    entry: source.entry,
    read: (into, position) => reading(() => source.read(into, position)),
    readv: (into, position) => reading(() => source.readv(into, position)),
    changed: () => watch(async () => {
      const changed = await source.changed();
      if (changed) outcome = 'CHANGED';
      return changed;
    }),
    async [Symbol.asyncDispose]() {
      over(outcome, bytes);
      await source[Symbol.asyncDispose]();
    },
  };
}

/** `told`: a failure to take the name in the words that fit the account. */
export function watchedUpload(upload: Upload, { alive, over }: Watch, told: (failure: Failure) => Failure): Upload {
  let written = 0;
  let outcome: Code = 'CANCELLED';
  const watch = noting((code) => { outcome = code; });
  return {
    basis: upload.basis,
    inPlace: upload.inPlace,
    readBasis: (into, position) => watch(() => upload.readBasis(into, position)),
    basisChanged: () => watch(() => upload.basisChanged()),
    read: (into, position) => watch(() => upload.read(into, position)),
    write: (chunks, position) => watch(async () => {
      alive();
      await upload.write(chunks, position);
      for (const chunk of chunks) written += chunk.byteLength;
    }),
    commit: async (size, mtime) => {
      try {
        alive();
        await upload.commit(size, mtime);
      } catch (error) {
        over(Failure.from(error).code, written);
        throw told(Failure.from(error));
      }
      over('ok', size);
    },
    async discard() {
      over(outcome, written);
      await upload.discard();
    },
    async [Symbol.asyncDispose]() {
      over(outcome, written);
      await upload[Symbol.asyncDispose]();
    },
  };
}

/** Runs calls and notes the code of one that failed. */
function noting(note: (code: Code) => void): <T>(action: () => Promise<T>) => Promise<T> {
  return async (action) => {
    try {
      return await action();
    } catch (error) {
      note(Failure.from(error).code);
      throw error;
    }
  };
}
