import type pg from 'pg';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cronName, ownName } from '../../src/deployment/own-names.js';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { runProcessor } from '../../src/processor/run-processor.js';
import type { Settings } from '../../src/settings/settings.js';
import { adminClient } from '../harness/databases.js';
import {
  connectAs,
  createSite,
  enqueue,
  setUp,
  type TestSite,
  tablesOf,
} from '../harness/deployment.js';
import { waitFor } from '../harness/wait-for.js';
import { cli } from '../unit/cli/fake-world.js';

let site: TestSite;
let settings: Settings;
let admin: pg.Client;
let cron: pg.Client;
let work: pg.Client;

beforeAll(async () => {
  site = await createSite();
  settings = site.settings();
  // So rarely that pg_cron starts none of the jobs while the history below is examined.
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
        WHERE job_name = $1 ORDER BY runid`,
      [`partitioncache_${site.database}_mycache_1`],
    );
    expect(runs.rows).toEqual([
      { status: 'succeeded', seconds: 4 },
      { status: 'failed', seconds: 4 },
    ]);
  });

  it('loses our old runs, also those of jobs that are gone, and no one else’s', async () => {
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
    const { rows } = await runner.query('SELECT partitioncache.delete_old_log(10) AS deleted');
    expect(rows).toEqual([{ deleted: 1 }]);
    const { rows: left } = await work.query(
      `SELECT query_hash FROM ${tablesOf(settings).processorLog}`,
    );
    expect(left).toEqual([{ query_hash: 'young' }]);
  });
});

// Each fills the clients' tables as the processor and the clients do, and takes it back.
describe('the views of the work database', () => {
  const processor = () => defaultJobName(settings);

  beforeEach(async () => {
    const { fragmentQueue, processorLog, queries } = tablesOf(settings);
    await work.query(`DELETE FROM ${fragmentQueue}; DELETE FROM ${processorLog}; DELETE FROM ${queries};
                      DELETE FROM ${ownName(settings, 'attempt')}`);
  });

  async function view(name: string, columns: string, order = '1') {
    const { rows } = await work.query(
      `SELECT ${columns} FROM ${ownName(settings, name)} ORDER BY ${order}`,
    );
    return rows;
  }

  async function know(rows: readonly [hash: string, status: string, ago: string][]) {
    for (const [hash, status, ago] of rows) {
      await work.query(
        `INSERT INTO ${tablesOf(settings).queries} (query_hash, partition_key, query, status, last_seen)
         VALUES ($1, 'zipcode', 'SELECT 1', $2, now()::timestamp - $3::interval)`,
        [hash, status, ago],
      );
    }
  }

  it.each(['queue_depth', 'throughput', 'failures', 'known_fragments', 'active_items'])(
    '%s can be read by client and cron role, and says what it shows',
    async (name) => {
      const query = `SELECT * FROM ${ownName(settings, name)}`;
      const runner = await connectAs({ ...settings.cron, database: site.database });
      const app = await connectAs(settings.client);
      const read = async (client: pg.Client) => (await client.query(query)).fields.length;
      expect(await read(app)).toBeGreaterThan(0);
      expect(await read(runner)).toBeGreaterThan(0);
      const { rows } = await work.query('SELECT obj_description($1::regclass) AS comment', [
        ownName(settings, name),
      ]);
      expect(rows[0].comment).toMatch(/\.$/);
    },
  );

  it('do not keep a client from recreating its tables', async () => {
    const { fragmentQueue, processorLog, queries } = tablesOf(settings);
    await work.query('BEGIN');
    try {
      for (const table of [fragmentQueue, processorLog, queries]) {
        await work.query(`DROP TABLE ${table}`);
      }
    } finally {
      await work.query('ROLLBACK');
    }
  });

  it('queue_depth has the queue by priority and age, and how much of it waits', async () => {
    expect(await view('queue_depth', '*')).toEqual([]);
    await work.query(
      `INSERT INTO ${tablesOf(settings).fragmentQueue} (hash, partition_key, query, priority, created_at)
       SELECT hash, 'zipcode', 'SELECT 1', priority, now()::timestamp - ago::interval
         FROM (VALUES ('new', 1, '0 s'), ('put back', 1, '2 min'), ('tried before', 1, '11 min'),
                      ('failed', 1, '30 s'), ('failed long ago', 1, '2 h'), ('cached', 7, '5 min'))
              AS item (hash, priority, ago)`,
    );
    await know([
      ['failed', 'failed', '10 s'],
      ['failed long ago', 'failed', '1 h'],
      ['cached', 'ok', '10 s'],
    ]);
    await work.query(
      `INSERT INTO ${ownName(settings, 'attempt')} (query_hash, partition_key, attempts, not_before, last_error)
       VALUES ('put back', 'zipcode', 1, now() + interval '1 h', ''), ('failed', 'zipcode', 1, now() + interval '1 h', ''),
              ('tried before', 'zipcode', 1, now() - interval '1 s', '')`,
    );
    expect(
      await view(
        'queue_depth',
        `priority, queued::int, waiting::int, over_1_minute::int AS m1, over_10_minutes::int AS m10, over_1_hour::int AS h1,
         round(extract(epoch FROM oldest_age) / 60)::int AS minutes, now()::timestamp - oldest_since = oldest_age AS consistent`,
        'priority DESC',
      ),
    ).toEqual([
      { priority: 7, queued: 1, waiting: 0, m1: 1, m10: 0, h1: 0, minutes: 5, consistent: true },
      { priority: 1, queued: 5, waiting: 2, m1: 3, m10: 2, h1: 1, minutes: 120, consistent: true },
    ]);
  });

  it('throughput has what was settled in the last minutes, and how long it took', async () => {
    await work.query(
      `INSERT INTO ${tablesOf(settings).processorLog} (job_id, query_hash, partition_key, status, execution_time_ms, created_at)
       SELECT $1, n::text, 'zipcode', 'success', n, now()::timestamp - interval '30 s' FROM generate_series(1, 90) AS n
       UNION ALL SELECT $1, 'f' || n, 'zipcode', 'failed', 200, now()::timestamp - interval '2 min' FROM generate_series(1, 9) AS n
       UNION ALL SELECT $1, 't', 'zipcode', 'timeout', 9999999.999, now()::timestamp - interval '2 min'
       UNION ALL SELECT $1, 's' || n, 'zipcode', 'skipped', 0.001, now()::timestamp - interval '10 min' FROM generate_series(1, 200) AS n
       UNION ALL SELECT $1, 'b', 'zipcode', 'started', NULL, now()::timestamp
       UNION ALL SELECT $1, 'old', 'zipcode', 'success', 5000, now()::timestamp - interval '16 min'
       UNION ALL SELECT 'removed', 'r', 'zipcode', 'success', 3, now()::timestamp - interval '10 min'`,
      [processor()],
    );
    const columns = `minutes AS last, settled::int, succeeded::int AS ok, failed::int, timed_out::int AS timeout, skipped::int,
      per_second::float8 AS rate, ARRAY[p50_ms, p95_ms, p99_ms, max_ms]::float8[] AS ms`;
    const none = { ok: 0, failed: 0, timeout: 0, skipped: 0 };
    expect(await view('throughput', columns, 'job_name, minutes')).toEqual([
      { last: 1, settled: 90, ...none, ok: 90, rate: 1.5, ms: [45, 86, 90, 90] },
      {
        last: 5,
        settled: 100,
        ...none,
        ok: 90,
        failed: 9,
        timeout: 1,
        rate: 0.333,
        ms: [50, 200, 200, 9999999.999],
      },
      {
        last: 15,
        settled: 300,
        ok: 90,
        failed: 9,
        timeout: 1,
        skipped: 200,
        rate: 0.333,
        ms: [50, 200, 200, 9999999.999],
      },
      { last: 15, settled: 1, ...none, ok: 1, rate: 0.001, ms: [3, 3, 3, 3] },
    ]);
    await work.query(`DELETE FROM ${tablesOf(settings).processorLog}`);
    expect(await view('throughput', columns, 'minutes')).toEqual(
      [1, 5, 15].map((last) => ({
        last,
        settled: 0,
        ...none,
        rate: 0,
        ms: [null, null, null, null],
      })),
    );
  });

  it('failures has them by SQLSTATE with the last as an example, and how many are still failed', async () => {
    await work.query(
      `INSERT INTO ${tablesOf(settings).processorLog} (job_id, query_hash, partition_key, status, error_message, created_at)
       SELECT $1, hash, 'zipcode', status, message, now()::timestamp - ago::interval
         FROM (VALUES ('old', 'failed', '42501: too old', '25 h'),
                      ('a', 'failed', '42P01: relation "x" does not exist', '3 h'),
                      ('b', 'failed', '42P01: relation "y" does not exist', '2 h'),
                      ('a', 'failed', '42P01: relation "x" still does not exist', '1 h'),
                      ('b', 'timeout', 'cancelled after timeout_seconds = 5', '30 min'),
                      ('c', 'timeout', '57014: cancelled after timeout_seconds = 5', '20 min'),
                      ('d', 'failed', 'set aside after 3 attempts; the last one: 40001: no', '10 min'),
                      ('e', 'failed', 'the bit cache could not be widened to 9 bits: full', '9 min'),
                      ('f', 'success', '42501: no failure', '8 min'))
              AS item (hash, status, message, ago)`,
      [processor()],
    );
    await know([
      ['a', 'failed', '1 h'],
      ['b', 'timeout', '30 min'],
      ['c', 'ok', '0 s'],
      ['d', 'failed', '10 min'],
    ]);
    const columns = `sqlstate, reason, failures::int, fragments::int, still_failed::int AS still, example_hash AS hash,
      example_partition_key AS key, example_message AS message, round(extract(epoch FROM now()::timestamp - last_seen) / 60)::int AS minutes`;
    const key = 'zipcode';
    expect(await view('failures', columns, 'minutes DESC')).toEqual([
      {
        sqlstate: '42P01',
        reason: 'error',
        failures: 3,
        fragments: 2,
        still: 1,
        hash: 'a',
        key,
        message: '42P01: relation "x" still does not exist',
        minutes: 60,
      },
      {
        sqlstate: '57014',
        reason: 'timeout',
        failures: 2,
        fragments: 2,
        still: 1,
        hash: 'c',
        key,
        message: '57014: cancelled after timeout_seconds = 5',
        minutes: 20,
      },
      {
        sqlstate: null,
        reason: 'set aside',
        failures: 1,
        fragments: 1,
        still: 1,
        hash: 'd',
        key,
        message: 'set aside after 3 attempts; the last one: 40001: no',
        minutes: 10,
      },
      {
        sqlstate: null,
        reason: 'error',
        failures: 1,
        fragments: 1,
        still: 0,
        hash: 'e',
        key,
        message: 'the bit cache could not be widened to 9 bits: full',
        minutes: 9,
      },
    ]);
    const { rows } = await work.query(
      `SELECT sqlstate FROM ${ownName(settings, 'failures_within')}('26 hours') WHERE sqlstate = '42501'`,
    );
    expect(rows).toHaveLength(1);
    expect(await view('known_fragments', 'status, fragments::int')).toEqual([
      { status: 'failed', fragments: 2 },
      { status: 'ok', fragments: 1 },
      { status: 'timeout', fragments: 1 },
    ]);
  });
});

describe('processor status', () => {
  it('is short when nothing happens, and says what to do about failures', async () => {
    const { fragmentQueue, processorLog, queries } = tablesOf(settings);
    await work.query(
      `DELETE FROM ${fragmentQueue}; DELETE FROM ${processorLog}; DELETE FROM ${queries}`,
    );
    const status = async (options: string[] = []) =>
      (
        await cli(['processor', 'status', ...options], {
          env: site.environment(),
          now: () => new Date(),
        })
      ).stdout;
    const paragraphs = async () => (await status()).trim().split('\n\n').slice(1);
    expect(await paragraphs()).toEqual([
      'Queue: empty',
      'At work: nothing',
      'Settled: nothing in the last 15 min',
      'Failures: none in the last 24 h',
    ]);

    const app = await connectAs(settings.client);
    const fragment = (hash: string, query: string) => ({
      hash,
      key: 'zipcode',
      datatype: 'integer',
      query,
    });
    await enqueue(app, settings, [
      fragment('good', 'SELECT zipcode FROM pois'),
      fragment(
        'bad',
        `SELECT zipcode FROM ${'long_name_'.repeat(6)}, (SELECT 1) AS "${'x'.repeat(60)}", nowhere`,
      ),
    ]);
    const runner = await connectAs({ ...settings.cron, database: site.database });
    await runProcessor(runner, settings, defaultJobName(settings), 10);
    await enqueue(
      app,
      settings,
      [1, 2, 3, 4, 5, 6].map((n) => fragment(`queued ${n}`, 'SELECT 1')),
    );
    await work.query(
      `UPDATE ${fragmentQueue} SET priority = id, created_at = now()::timestamp - interval '150 s'`,
    );

    const [queue, active, settled, failures, remedy] = await paragraphs();
    expect(queue).toMatch(/^Queue: 6 fragments, the oldest for 2 min\n {2}priority +queued/);
    expect(queue?.split('\n')).toHaveLength(7);
    expect(queue).toMatch(/^ {2}≤ \d+ +2 +- +2 +- +- +2 min$/m);
    expect(active).toBe('At work: nothing');
    expect(settled).toMatch(
      /^ {2}15 min +2 +0\.002 +1 +1 +- +- +[\d.]+ ms +[\d.]+ ms +[\d.]+ ms +[\d.]+ ms$/m,
    );
    expect(failures).toMatch(
      /^ {2}42P01 {2}1 time, 1 still failed, last (\d+ s ago|now)\n {4}relation "long_name_.*\n {4}\(fragment bad of zipcode\)$/m,
    );
    expect(remedy).toBe(
      'Not cached: 1 failed. Once the cause is fixed: pcache-migrate processor retry',
    );

    const document = JSON.parse(await status(['--json']));
    expect(document).toMatchObject({
      processors: [{ jobName: defaultJobName(settings), queued: 6, active: 0 }],
      queue: { queued: 6, waiting: 0, oldestSeconds: expect.closeTo(150, -2) },
      active: [],
      throughput: [
        { minutes: 1 },
        { minutes: 5 },
        {
          minutes: 15,
          settled: 2,
          succeeded: 1,
          failed: 1,
          evaluationMs: { p50: expect.any(Number) },
        },
      ],
      failures: [
        {
          sqlState: '42P01',
          failures: 1,
          stillFailed: 1,
          example: {
            queryHash: 'bad',
            partitionKey: 'zipcode',
            message: expect.stringContaining('does not exist'),
          },
        },
      ],
      fragments: { ok: 1, failed: 1, timeout: 0, limit: 0 },
    });
    expect(document.queue.priorities).toHaveLength(6);
    const age = Date.now() - Date.parse(document.failures[0].lastSeen);
    expect(Math.abs(age)).toBeLessThan(60_000);
  });

  it('shows what is at work while it is, and for how long', async () => {
    const app = await connectAs(settings.client);
    await work.query(`DELETE FROM ${tablesOf(settings).fragmentQueue}`);
    await enqueue(app, settings, [
      {
        hash: 'slow',
        key: 'zipcode',
        datatype: 'integer',
        query: 'SELECT zipcode FROM pois, pg_sleep(60)',
      },
    ]);
    const runner = await connectAs({ ...settings.cron, database: site.database });
    const { rows } = await runner.query('SELECT pg_backend_pid() AS pid');
    const [{ pid }] = rows;
    const running = runProcessor(runner, settings, defaultJobName(settings), 1).catch(() => {});
    try {
      const shown = await waitFor(
        'the fragment to be shown with its age',
        async () => (await cli(['processor', 'status'], { env: site.environment() })).stdout,
        { deadlineMs: 20_000, until: (stdout) => /by hand +[1-9]\d* s /.test(stdout) },
      );
      expect(shown).toMatch(/^At work: 1 fragment$/m);
      expect(shown).toMatch(new RegExp(`^ {2}by hand +\\d+ s +${pid} +zipcode +slow$`, 'm'));
      const { stdout } = await cli(['processor', 'status', '--json'], { env: site.environment() });
      expect(JSON.parse(stdout).active).toEqual([
        {
          processor: defaultJobName(settings),
          slot: 0,
          pid,
          queryHash: 'slow',
          partitionKey: 'zipcode',
          seconds: expect.any(Number),
        },
      ]);
    } finally {
      await admin.query('SELECT pg_cancel_backend($1)', [pid]);
      await running;
    }
  });
});
