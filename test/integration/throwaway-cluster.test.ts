import { connect } from 'node:net';
import pg from 'pg';
import { expect, test } from 'vitest';
import { runServerTool } from '../../tools/throwaway/server-tool.js';
import { sharedCluster, startOwnCluster } from '../harness/cluster.js';
import { connectionConfig } from '../harness/connection.js';
import { adminClient, createDatabase, createRole, dropDatabase } from '../harness/databases.js';
import { waitFor } from '../harness/wait-for.js';

test('a cron job of the shared cluster runs in another database and succeeds', {
  timeout: 150_000,
}, async () => {
  const database = await createDatabase('smoke');
  const client = await adminClient('postgres');
  try {
    const { rows: versions } = await client.query(
      "SELECT extversion FROM pg_extension WHERE extname = 'pg_cron'",
    );
    // pg_cron 1.4 starts jobs only on the minute.
    const schedule = versions[0].extversion.startsWith('1.4') ? '* * * * *' : '1 seconds';
    const { rows: jobs } = await client.query(
      "SELECT cron.schedule_in_database($1, $2, 'SELECT 1', $1) AS id",
      [database, schedule],
    );
    const statuses = await waitFor(
      'a finished run of the job',
      async () => {
        const { rows } = await client.query(
          'SELECT status, return_message FROM cron.job_run_details WHERE jobid = $1 ORDER BY runid',
          [jobs[0].id],
        );
        return rows;
      },
      {
        deadlineMs: 130_000,
        until: (rows) => rows.some(({ status }) => status === 'succeeded' || status === 'failed'),
      },
    );
    expect(statuses[0].status).toBe('succeeded');
    await client.query('SELECT cron.unschedule($1::bigint)', [jobs[0].id]);
  } finally {
    await client.end();
    await dropDatabase(database);
  }
});

test('a role logs in over TCP with its password only', async () => {
  const role = await createRole('smoke');
  const config = { ...connectionConfig(sharedCluster(), 'postgres'), user: role.name };
  const right = new pg.Client({ ...config, password: role.password });
  await right.connect();
  await right.end();
  const wrong = new pg.Client({ ...config, password: 'wrong' });
  await expect(wrong.connect()).rejects.toThrow('password authentication failed');
});

test('tools of the server run next to it', async () => {
  const dump = await runServerTool(sharedCluster(), 'pg_dump', ['--schema-only', 'template1']);
  expect(dump).toContain('PostgreSQL database dump');
});

test('a cluster of its own restarts with another cron.database_name and stops for good', async () => {
  const cluster = await startOwnCluster({ settings: { work_mem: '5MB' } });
  const other = await createDatabase('other', { cluster });
  await cluster.restart({ cronDatabase: other, settings: { maintenance_work_mem: '32MB' } });

  const client = await adminClient(other, cluster);
  await client.query('CREATE EXTENSION pg_cron');
  const { rows } = await client.query(
    `SELECT current_setting('cron.database_name') AS cron_database,
            current_setting('work_mem') AS work_mem,
            current_setting('maintenance_work_mem') AS maintenance_work_mem`,
  );
  await client.end();
  expect(rows).toEqual([{ cron_database: other, work_mem: '5MB', maintenance_work_mem: '32MB' }]);
  expect(await cluster.logs()).toContain('database system is ready to accept connections');

  await cluster.stop();
  await cluster.stop();
  await expect(canConnect(cluster.port)).resolves.toBe(false);
});

test('a cluster without pg_cron in shared_preload_libraries refuses the extension', async () => {
  const cluster = await startOwnCluster({ preloadPgCron: false });
  const client = await adminClient('postgres', cluster);
  await expect(client.query('CREATE EXTENSION pg_cron')).rejects.toThrow('cron');
  await client.end();
});

test('a server that cannot start says why', async () => {
  await expect(startOwnCluster({ settings: { shared_buffers: 'plenty' } })).rejects.toThrow(
    'invalid value for parameter "shared_buffers"',
  );
});

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
