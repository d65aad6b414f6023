import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { sync } from '../../src/operations/sync.js';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { runProcessor } from '../../src/processor/run-processor.js';
import { runServerTool } from '../../tools/throwaway/server-tool.js';
import { adminClient } from '../harness/databases.js';
import { connectAs, createSite, deploy, enqueue, setUp } from '../harness/deployment.js';
import { type Scenario, startScenario } from './client-contract.js';

const CONFIG = 'partitioncache_queue_processor_config';

describe('the configuration of a processor', () => {
  let scenario: Scenario;
  let app: pg.Client;

  beforeAll(async () => {
    scenario = await startScenario();
    app = scenario.app;
  });

  const required = () => ({
    job_name: 'another',
    table_prefix: 'my_cache',
    queue_prefix: 'partitioncache_queue',
    cache_backend: 'array',
    target_database: scenario.site.database,
  });

  function insert(row: Record<string, unknown>) {
    const columns = Object.keys(row);
    return app.query(
      `INSERT INTO ${CONFIG} (${columns}) VALUES (${columns.map((_, i) => `$${i + 1}`)}) RETURNING *`,
      Object.values(row),
    );
  }

  it('has the defaults of the contract where a client gives only what it must', async () => {
    const { rows } = await insert(required());
    await app.query(`DELETE FROM ${CONFIG} WHERE job_name = 'another'`);
    expect(rows).toEqual([
      {
        ...required(),
        enabled: false,
        max_parallel_jobs: 5,
        frequency_seconds: 1,
        timeout_seconds: 1800,
        stale_after_seconds: 3600,
        result_limit: null,
        default_bitsize: null,
        job_ids: [],
        updated_at: expect.any(Date),
      },
    ]);
  });

  it.each(['job_name', 'table_prefix', 'queue_prefix', 'cache_backend'] as const)(
    'must have %s',
    async (column) => {
      // Our trigger sees the row first, and reports the same column as missing.
      await expect(insert({ ...required(), [column]: null })).rejects.toMatchObject({
        code: column === 'job_name' ? '23502' : '23514',
      });
    },
  );

  it.each([
    ['max_parallel_jobs', [1, 20], [0, 21]],
    ['frequency_seconds', [1, 86401], [0, -1]],
    ['timeout_seconds', [1, 2147483647], [0, -1]],
    ['result_limit', [1, null], [0, -1]],
    ['default_bitsize', [1, null], [0, -1]],
  ])('keeps %s within its bounds', async (column, good, bad) => {
    const change = (value: unknown) =>
      app.query(`UPDATE ${CONFIG} SET ${column} = $1 WHERE job_name = 'bounds'`, [value]);
    await insert({ ...required(), job_name: 'bounds' });
    for (const value of good) expect((await change(value)).rowCount).toBe(1);
    for (const value of bad) {
      await expect(change(value)).rejects.toMatchObject({
        code: '23514',
        constraint: `${CONFIG}_${column}_check`,
      });
    }
    await app.query(`DELETE FROM ${CONFIG} WHERE job_name = 'bounds'`);
  });
});

// The guide's "Database Migration".
describe('the configuration exported by pg_dump and restored into another database', () => {
  it('configures a processor of that database, and does not touch the first one', async () => {
    const from = await createSite();
    const first = from.settings();
    await setUp(first, { enable: true, parallel: 2, frequencySeconds: 3600, timeoutSeconds: 77 });
    const to = await createSite();
    const second = to.settings();
    await deploy(second);

    const file = `/tmp/config_backup_${randomBytes(4).toString('hex')}.sql`;
    try {
      await runServerTool(from.cluster, 'pg_dump', [
        '--username=postgres',
        `--dbname=${from.database}`,
        '--data-only',
        '--table=*processor_config',
        `--file=${file}`,
      ]);
      await runServerTool(to.cluster, 'psql', [
        '--username=postgres',
        `--dbname=${to.database}`,
        '--set=ON_ERROR_STOP=1',
        '--no-psqlrc',
        `--file=${file}`,
      ]);
    } finally {
      await rm(file, { force: true });
    }

    const app = await connectAs(second.client);
    const { rows: restored } = await app.query(`SELECT * FROM ${CONFIG}`);
    expect(restored).toMatchObject([
      {
        job_name: defaultJobName(first),
        target_database: to.database,
        enabled: true,
        max_parallel_jobs: 2,
        frequency_seconds: 3600,
        timeout_seconds: 77,
      },
    ]);

    const admin = await adminClient('postgres');
    try {
      const jobsOf = async (role: string) =>
        (
          await admin.query(
            `SELECT jobid, jobname, database, command FROM cron.job
              WHERE username = $1 AND command LIKE '%run_processor%' ORDER BY jobname`,
            [role],
          )
        ).rows;
      const before = await jobsOf(from.cronRole.name);
      expect(before).toHaveLength(2);
      expect(await jobsOf(to.cronRole.name)).toEqual([]);

      await sync(second, { waitSeconds: 20, onWait: () => {} });
      const jobs = await jobsOf(to.cronRole.name);
      expect(jobs.map(({ database }) => database)).toEqual([to.database, to.database]);
      expect(await jobsOf(from.cronRole.name)).toEqual(before);
      expect(new Set([...before, ...jobs].map(({ jobname }) => jobname)).size).toBe(4);
      const { rows: registered } = await app.query(`SELECT job_ids FROM ${CONFIG}`);
      expect(registered[0].job_ids).toEqual(jobs.map(({ jobid }) => jobid));
    } finally {
      await admin.end();
    }

    await enqueue(app, second, [
      { hash: 'h', key: 'zipcode', datatype: 'integer', query: 'SELECT 1' },
    ]);
    const cronRole = await connectAs({ ...second.cron, database: to.database });
    expect((await runProcessor(cronRole, second, defaultJobName(first), 10)).outcomes).toEqual({
      ok: 1,
    });
  });
});
