/** Tests that compare Wherry with programs of the system: the same build and settings as the others, another folder. */
import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

export default defineConfig({
  ...base,
  // Real servers and clients are started, some of them slow.
  test: { ...base.test, maxWorkers: 2, include: ['test/system/**/*.test.ts'], exclude: [], testTimeout: 120_000, hookTimeout: 120_000 },
});
