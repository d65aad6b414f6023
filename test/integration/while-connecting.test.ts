import { beforeAll, expect, it } from 'vitest';
import { whileConnecting, withClient } from '../../src/database/connect.js';
import { ConnectionError } from '../../src/database/connection-error.js';
import { withDatabases } from '../../src/deployment/with-databases.js';
import type { Settings } from '../../src/settings/settings.js';
import { connectAs, createSite } from '../harness/deployment.js';
import { waitFor } from '../harness/wait-for.js';

let settings: Settings;

beforeAll(async () => {
  settings = (await createSite()).settings();
});

/** Waits until the server has no session of ours in the work database. */
async function untilNoneIsLeft(): Promise<void> {
  const observer = await connectAs(settings.cron);
  await waitFor(
    'the connection is ended',
    async () => {
      const { rowCount } = await observer.query(
        "SELECT FROM pg_stat_activity WHERE datname = $1 AND application_name = 'pcache-migrate'",
        [settings.work.database],
      );
      return rowCount === 0;
    },
    { deadlineMs: 30_000 },
  );
}

it('connects both at once, and says of the work database first that it cannot be reached', async () => {
  const nowhere = { ...settings.work, database: 'no_such_work' };
  const failure = withDatabases(
    { ...settings, work: nowhere, cron: { ...settings.cron, database: 'no_such_cron' } },
    async () => 'connected',
  );
  await expect(failure).rejects.toBeInstanceOf(ConnectionError);
  await expect(failure).rejects.toThrow('no_such_work');
});

it('ends a connection that nobody took, whatever happened meanwhile', async () => {
  const failure = whileConnecting(settings.work, async () => {
    throw new Error('something else');
  });
  await expect(failure).rejects.toThrow('something else');
  await untilNoneIsLeft();
});

it('hands over a connection that can be used, and that is ended then', async () => {
  const database = await whileConnecting(settings.work, (begun) =>
    withClient(
      settings.work,
      async (client) => {
        const { rows } = await client.query('SELECT current_database() AS name');
        return rows[0].name;
      },
      begun,
    ),
  );
  expect(database).toBe(settings.work.database);
  await untilNoneIsLeft();
});
