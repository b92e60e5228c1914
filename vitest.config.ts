import { defineConfig } from 'vitest/config';

/** CI asks for a machine-readable report besides the readable one. */
const report = process.env['ORDEAL_TEST_REPORT'];

export default defineConfig({
  test: {
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    projects: [
      {
        test: {
          name: 'offline',
          include: ['test/**/*.test.ts'],
          exclude: ['test/docker/**'],
          testTimeout: 30_000,
          // The default leaves a core to the one who waits: on two cores, one worker.
          maxWorkers: '100%',
        },
      },
      {
        test: {
          name: 'docker',
          include: ['test/docker/**/*.test.ts'],
          globalSetup: ['test/docker/images.setup.ts'],
          fileParallelism: false,
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
