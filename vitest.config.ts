import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: 'test/harness/global-setup.ts',
          setupFiles: 'test/harness/after-file.ts',
          // To load some 400 modules takes two seconds of each of a hundred files. What a file keeps in the process it
          // must put back, as vi.unstubAllEnvs does.
          isolate: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
