import { expect, test } from 'vitest';
import { environmentFor, settingsFrom } from '../../../tools/quickstart/environment.js';
import { stepsOnKeptServer } from '../../../tools/quickstart/next-steps.js';
import { clusterAddress } from './cluster-address.js';

function steps(overridden: string[]): string {
  return stepsOnKeptServer({
    cluster: clusterAddress,
    settings: settingsFrom(environmentFor(clusterAddress), import.meta.dirname),
    envFile: '/tmp/quickstart/.env',
    stopCommand: 'stop it',
    overridden,
  }).join('\n');
}

test('in Docker, psql runs next to the server and so connects to its own port', () => {
  expect(steps([])).toMatch(
    /docker exec -it pcache-throwaway-1 psql postgresql:\/\/app:[\w-]+@127\.0\.0\.1:5432\/partition_cache_db/,
  );
  expect(steps([])).toMatch(
    /application +postgresql:\/\/app:[\w-]+@127\.0\.0\.1:25432\/partition_cache_db/,
  );
});

test("the commands leave out variables that lead to the caller's own server", () => {
  expect(steps([])).toContain('\n  npx pcache-migrate status --env-file /tmp/quickstart/.env\n');
  expect(steps(['DB_HOST', 'DB_URL'])).toContain(
    '\n  env -u DB_HOST -u DB_URL npx pcache-migrate status --env-file /tmp/quickstart/.env\n',
  );
});
