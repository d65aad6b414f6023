import { afterAll } from 'vitest';
import { stopOwnClusters } from './cluster.js';
import { removeSites } from './deployment.js';

// The test files that one worker runs share the modules that they import, which are run once; this one is run for each.
afterAll(async () => {
  try {
    await removeSites();
  } finally {
    await stopOwnClusters();
  }
});
