import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'core/src/**/*.test.ts',
      'core/kernels/**/*.test.ts',
      'platform-node/src/**/*.test.ts',
      'apps/node/src/**/*.test.ts',
      'otigen/src/**/*.test.ts',
      'scripts/**/*.test.ts',
    ],
    // Native modules (LevelDB) and worker threads need processes of their own.
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
