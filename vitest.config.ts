/** Tests are TypeScript and run against `dist`, the build that ships, so that workers and the start-up path are the real ones. */
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

const root = import.meta.dirname;
const build = resolve(root, process.env['WHERRY_DIST'] ?? 'dist');

export default defineConfig({
  plugins: [
    {
      name: 'test-the-build',
      enforce: 'pre',
      resolveId(source, importer) {
        if (importer === undefined || !source.startsWith('.') || !source.endsWith('.ts')) return null;
        const file = resolve(dirname(importer), source);
        const inside = file.startsWith(`${root}/src/`);
        return inside ? file.replace(`${root}/src/`, `${build}/`).replace(/\.ts$/, '.js') : null;
      },
    },
  ],
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/system/**'],
    server: { deps: { external: [/\/dist[^/]*\//] } },
    pool: 'forks',
    // Most tests wait for processes of their own, or for a time to pass; by default two cores would run one file at a time.
    maxWorkers: 3,
    // Servers in the tests' own process announce themselves here, and not to the person who runs the tests.
    env: { XDG_DATA_HOME: join(tmpdir(), `wherry-test-data-${process.getuid?.() ?? 0}`) },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // By default a second, which a busy machine may take for anything.
    expect: { poll: { timeout: 30_000 } },
  },
});
