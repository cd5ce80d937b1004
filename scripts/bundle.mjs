/**
 * `node scripts/bundle.mjs DIST`: puts the command's own modules, as compiled into DIST, into a few files in DIST/bin.
 * Every module that is loaded by itself costs about a millisecond, and a one-shot command loads 70 (measured: `wherry ls`
 * takes 0.21 s instead of 0.30 s on a busy machine). Other people's packages stay outside, for everybody to see and audit.
 * The workers' files lie beside the others, because `store/disk/crew.ts`, `access/hashing.ts` and `client/thread/threads.ts` find them by their names there.
 */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const dist = process.argv[2] ?? 'dist';
await build({
  entryPoints: { wherry: join(dist, 'cli', 'main.js'), worker: join(dist, 'store', 'disk', 'worker.js'), hasher: join(dist, 'access', 'hasher.js'), carrier: join(dist, 'client', 'thread', 'carrier.js') },
  outdir: join(dist, 'bin'), chunkNames: '[name]-[hash]', bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20',
  packages: 'external', logLevel: 'warning',
});
chmodSync(join(dist, 'bin', 'wherry.js'), 0o755);
