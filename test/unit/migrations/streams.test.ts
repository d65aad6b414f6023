import { join } from 'node:path';
import { expect, test } from 'vitest';
import { streams } from '../../../src/migrations/streams.js';

const packageRoot = join(import.meta.dirname, '../../..');

test('the streams are in the package, wherever the process runs', () => {
  expect(streams.work.directory).toBe(join(packageRoot, 'migrations'));
  expect(streams.cron.directory).toBe(join(packageRoot, 'cron-migrations'));
});
