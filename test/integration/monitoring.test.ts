import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { cronName } from '../../src/deployment/own-names.js';
import type { Settings } from '../../src/settings/settings.js';
import { adminClient } from '../harness/databases.js';
import { connectAs, createSite, setUp, type TestSite, tablesOf } from '../harness/deployment.js';

let site: TestSite;
let settings: Settings;
let admin: pg.Client;
let cron: pg.Client;
let work: pg.Client;

beforeAll(async () => {
  site = await createSite();
  settings = site.settings();
  // So seldom that pg_cron starts none of the jobs while the history below is looked at.
  await setUp(settings, { parallel: 2, frequencySeconds: 86_400 });
  admin = await adminClient('postgres');
  cron = await connectAs(settings.cron);
  work = await connectAs(settings.work);
  return () => admin.end();
});

async function nextRun(schedule: string) {
  const { rows } = await cron.query(
    `SELECT extract(epoch FROM next - now())::float8 AS seconds, to_char(next AT TIME ZONE 'GMT', 'HH24:MI:SS') AS at,
            extract(minute FROM next AT TIME ZONE 'GMT')::int AS minute, extract(hour FROM next AT TIME ZONE 'GMT')::int AS hour
       FROM ${cronName(settings, 'next_run')}($1, now() - interval '3 s') AS next`,
    [schedule],
  );
  return rows[0];
}

describe('the next run of a job', () => {
  it.each([
    ['* * * * *', 60, /:00$/],
    ['*/5 * * * *', 300, /:\d[05]:00$/],
    ['0 * * * *', 3600, /:00:00$/],
    ['0 */6 * * *', 21_600, /^(00|06|12|18):00:00$/],
    ['17 3 * * *', 86_400, /^03:17:00$/],
    ['0 0 * * *', 86_400, /^00:00:00$/],
  ])('with schedule %s is the next such time', async (schedule, atMost, at) => {
    const next = await nextRun(schedule);
    expect(next.seconds).toBeGreaterThan(0);
    expect(next.seconds).toBeLessThanOrEqual(atMost);
    expect(next.at).toMatch(at);
  });

  it('in seconds counts from the end of the last run, and is never in the past', async () => {
    expect((await nextRun('10 seconds')).seconds).toBeCloseTo(7, 3);
    expect((await nextRun('1 seconds')).seconds).toBe(0);
  });

  it('of a schedule this package does not write is not guessed', async () => {
    expect((await nextRun('5 4 * * 1')).seconds).toBeNull();
  });
});

describe('the run history', () => {
  async function addRun(
    job: { jobid: string; command: string; database: string },
    daysAgo: number,
    status: string,
  ) {
    await admin.query(
      `INSERT INTO cron.job_run_details (jobid, runid, database, username, command, status, return_message, start_time, end_time)
       VALUES ($1, nextval('cron.runid_seq'), $2, $3, $4, $5, 'by the test', now() - make_interval(days => $6, secs => 4), now() - make_interval(days => $6))`,
      [job.jobid, job.database, site.cronRole.name, job.command, status, daysAgo],
    );
  }

  it('shows what cron.job does not: last and next run, average duration, failures', async () => {
    const { rows: jobs } = await admin.query(
      "SELECT jobid, command, database FROM cron.job WHERE username = $1 AND command LIKE '%run_processor%' ORDER BY jobname",
      [site.cronRole.name],
    );
    await addRun(jobs[0], 2, 'succeeded');
    await addRun(jobs[0], 1, 'failed');
    const migrator = await connectAs({ ...settings.work, database: settings.cron.database });
    const { rows } = await migrator.query(
      `SELECT last_status, last_message, next_run > now() AS upcoming, extract(epoch FROM average_duration)::int AS average,
              runs::int, failures::int
         FROM ${cronName(settings, 'jobs')} WHERE command LIKE '%, 1)'`,
    );
    expect(rows).toEqual([
      {
        last_status: 'failed',
        last_message: 'by the test',
        upcoming: true,
        average: 4,
        runs: 2,
        failures: 1,
      },
    ]);
    const runs = await migrator.query(
      `SELECT status, extract(epoch FROM duration)::int AS seconds FROM ${cronName(settings, 'job_runs')}
        WHERE job_name LIKE 'partitioncache_process_queue%' ORDER BY runid`,
    );
    expect(runs.rows).toEqual([
      { status: 'succeeded', seconds: 4 },
      { status: 'failed', seconds: 4 },
    ]);
  });

  it('is pruned of our old runs, also of jobs that are gone, and of nobody else’s', async () => {
    const own = `CALL partitioncache.run_processor('gone', 1)`;
    await addRun({ jobid: '0', command: own, database: site.database }, 10, 'succeeded');
    await addRun({ jobid: '0', command: own, database: 'another_database' }, 10, 'succeeded');
    await addRun({ jobid: '0', command: 'SELECT 1', database: site.database }, 10, 'succeeded');
    const { rows } = await cron.query(
      `SELECT ${cronName(settings, 'prune_job_runs')}(7) AS deleted`,
    );
    expect(rows).toEqual([{ deleted: '1' }]);
    const { rows: left } = await admin.query(
      'SELECT database, command FROM cron.job_run_details WHERE username = $1 AND jobid = 0 ORDER BY command',
      [site.cronRole.name],
    );
    expect(left).toEqual([
      { database: 'another_database', command: own },
      { database: site.database, command: 'SELECT 1' },
    ]);
  });
});

describe('the processor log', () => {
  it('loses what is older than log_retention_days', async () => {
    await work.query(
      `INSERT INTO ${tablesOf(settings).processorLog} (job_id, query_hash, partition_key, status, created_at)
       VALUES ('j', 'old', 'k', 'success', now() - interval '31 days'), ('j', 'young', 'k', 'success', now() - interval '29 days')`,
    );
    const runner = await connectAs({ ...settings.cron, database: site.database });
    const { rows } = await runner.query('SELECT partitioncache.delete_old_log() AS deleted');
    expect(rows).toEqual([{ deleted: '1' }]);
    const { rows: left } = await work.query(
      `SELECT query_hash FROM ${tablesOf(settings).processorLog}`,
    );
    expect(left).toEqual([{ query_hash: 'young' }]);
  });
});
