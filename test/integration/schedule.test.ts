import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import type { Settings } from '../../src/settings/settings.js';
import { adminClient } from '../harness/databases.js';
import { connectAs, createSite, enqueue, setUp, tablesOf } from '../harness/deployment.js';
import { waitFor } from '../harness/wait-for.js';

let settings: Settings;
let work: pg.Client;
let cron: pg.Client;
let job: string;

beforeAll(async () => {
  const site = await createSite();
  settings = site.settings();
  await setUp(settings, { enable: false, parallel: 1 });
  work = await connectAs(settings.work);
  cron = await connectAs(settings.cron);
  job = defaultJobName(settings);
});

async function scheduleOf(frequency: number, version: string): Promise<string> {
  const { rows } = await work.query(
    'SELECT partitioncache.cron_schedule(partitioncache.start_interval($1, $2)) AS schedule',
    [frequency, version],
  );
  return rows[0].schedule;
}

describe('the schedule of a frequency', () => {
  it.each([
    [1, '* * * * *', '1 seconds'],
    [59, '* * * * *', '59 seconds'],
    [60, '* * * * *', '* * * * *'],
    // What no cron expression can say starts every minute; the run itself keeps the 90 s.
    [90, '* * * * *', '* * * * *'],
    [120, '*/2 * * * *', '*/2 * * * *'],
    [420, '* * * * *', '* * * * *'],
    [4200, '*/10 * * * *', '*/10 * * * *'],
    [3600, '0 * * * *', '0 * * * *'],
    [7200, '0 */2 * * *', '0 */2 * * *'],
    [86_400, '0 0 * * *', '0 0 * * *'],
    [172_800, '0 0 * * *', '0 0 * * *'],
  ])('of %i s is %s before pg_cron 1.5 and %s from it on', async (frequency, before, after) => {
    expect(await scheduleOf(frequency, '1.4-1')).toBe(before);
    expect(await scheduleOf(frequency, '1.5')).toBe(after);
    expect(await scheduleOf(frequency, '1.6')).toBe(after);
  });

  it('starts a slot at a divisor of every frequency up to two hours, or every minute', async () => {
    const { rows } = await work.query(
      `SELECT frequency, step
         FROM generate_series(1, 7200) AS frequency,
              LATERAL (SELECT partitioncache.start_interval(frequency, version) AS step, version
                       FROM unnest(ARRAY['1.4', '1.6']) AS version) AS chosen
        WHERE NOT (frequency % step = 0 OR step = 60) OR step > greatest(frequency, 60)`,
    );
    expect(rows).toEqual([]);
  });

  it('is one that this pg_cron accepts, whatever the frequency', async () => {
    const { rows: version } = await cron.query(
      "SELECT extversion FROM pg_extension WHERE extname = 'pg_cron'",
    );
    const { rows } = await work.query(
      `SELECT DISTINCT partitioncache.cron_schedule(partitioncache.start_interval(frequency, $1)) AS schedule
         FROM generate_series(1, 100000) AS frequency`,
      [version[0].extversion],
    );
    expect(rows.length).toBeGreaterThan(10);
    await cron.query('BEGIN');
    for (const { schedule } of rows) {
      await cron.query("SELECT cron.schedule_in_database('trial', $1, 'SELECT 1', 'postgres')", [
        schedule,
      ]);
    }
    await cron.query('ROLLBACK');
  });
});

describe('a run', () => {
  async function configure(frequency: number, version: string, enabled = true) {
    await work.query('UPDATE partitioncache.deployment SET pg_cron_version = $1', [version]);
    await work.query(
      `UPDATE ${tablesOf(settings).processorConfig} SET frequency_seconds = $1, enabled = $2`,
      [frequency, enabled],
    );
  }

  async function nextStep(dueInSeconds: number) {
    const { rows: slots } = await work.query(
      `INSERT INTO partitioncache.slot (job_name, slot) VALUES ($1, 1)
       ON CONFLICT (job_name, slot) DO UPDATE SET job_name = EXCLUDED.job_name RETURNING lock_key`,
      [job],
    );
    await work.query(
      'UPDATE partitioncache.slot SET next_due = clock_timestamp() + make_interval(secs => $1) WHERE lock_key = $2',
      [dueInSeconds, slots[0].lock_key],
    );
    const { rows } = await work.query(
      'SELECT * FROM partitioncache.next_step($1, 1, $2, clock_timestamp(), NULL)',
      [job, slots[0].lock_key],
    );
    return rows[0];
  }

  it.each([
    [90, '1.4', 30, 'waits: the next start, in 60 s, would be too late'],
    [90, '1.6', 30, 'waits: the next start, in 60 s, would be too late'],
    [5, '1.4', 4, 'waits: before 1.5 pg_cron starts it in 60 s only'],
    [
      1,
      '1.6',
      1,
      'waits: to be started each second would cost a session and a row of history each time',
    ],
  ])(
    'of a processor every %i s (pg_cron %s) that is due in %i s %s',
    async (frequency, version, due) => {
      await configure(frequency, version);
      const step = await nextStep(due);
      expect(step.finished).toBe(false);
      expect(step.wait_seconds).toBeGreaterThan(0);
      expect(step.wait_seconds).toBeLessThanOrEqual(1);
    },
  );

  it.each([
    [90, '1.4', 61],
    [4200, '1.6', 601],
    [40, '1.6', 41],
  ])(
    'of a processor every %i s (pg_cron %s) that is due in %i s ends: a later start is in time',
    async (frequency, version, due) => {
      await configure(frequency, version);
      expect((await nextStep(due)).finished).toBe(true);
    },
  );

  it('of a processor whose frequency was shortened does not wait for the old one', async () => {
    await configure(1, '1.4');
    const step = await nextStep(3000);
    expect(step).toMatchObject({ finished: false });
  });

  it('polls before pg_cron 1.5 at the frequency, drains what comes, and ends when it is disabled', async () => {
    await configure(1, '1.4');
    const app = await connectAs(settings.client);
    const runner = await connectAs({ ...settings.cron, database: settings.work.database });
    const run = runner.query('CALL partitioncache.run_processor($1, 1)', [job]);
    for (const hash of ['first', 'second']) {
      await enqueue(app, settings, [
        { hash, key: 'zipcode', datatype: 'integer', query: 'SELECT zipcode FROM pois' },
      ]);
      await waitFor(
        `fragment ${hash} in the cache`,
        async () =>
          (
            await app.query(
              `SELECT FROM ${tablesOf(settings).queries} WHERE query_hash = $1 AND status = 'ok'`,
              [hash],
            )
          ).rowCount,
        { deadlineMs: 20_000 },
      );
    }
    await configure(1, '1.4', false);
    await run;
    expect((await work.query('SELECT FROM partitioncache.batch')).rowCount).toBe(0);
  });

  it('of a slot ends at once while another run holds the slot', async () => {
    await configure(30, '1.4');
    const first = await connectAs({ ...settings.cron, database: settings.work.database });
    const second = await connectAs({ ...settings.cron, database: settings.work.database });
    const { rows } = await first.query('SELECT partitioncache.open_slot($1, 2) AS key', [job]);
    expect(rows[0].key).toBeGreaterThan(0);
    const { rows: other } = await second.query('SELECT partitioncache.open_slot($1, 2) AS key', [
      job,
    ]);
    expect(other).toEqual([{ key: null }]);
    await first.query('SELECT partitioncache.close_slot($1)', [rows[0].key]);
  });

  it('of an unknown processor is an error that says so', async () => {
    const client = await connectAs({ ...settings.cron, database: settings.work.database });
    await expect(client.query("CALL partitioncache.run_processor('nobody', 1)")).rejects.toThrow(
      'there is no processor "nobody"',
    );
  });

  it('is not misled by a search_path of its session', async () => {
    const admin = await adminClient(settings.work.database);
    await admin.query(`
      CREATE SCHEMA trap;
      GRANT USAGE ON SCHEMA trap TO PUBLIC;
      CREATE FUNCTION trap.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
      CREATE FUNCTION trap.pg_sleep(double precision) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$`);
    await admin.end();
    const client = await connectAs({ ...settings.cron, database: settings.work.database });
    await client.query('SET search_path = trap, pg_catalog');
    await expect(client.query('SELECT clock_timestamp()')).rejects.toThrow('trapped');

    await configure(30, '1.6');
    await work.query("UPDATE partitioncache.slot SET next_due = '-infinity'");
    const app = await connectAs(settings.client);
    await enqueue(app, settings, [
      {
        hash: 'not trapped',
        key: 'zipcode',
        datatype: 'integer',
        query: 'SELECT zipcode FROM pois',
      },
    ]);
    await client.query('CALL partitioncache.run_processor($1, 1)', [job]);
    const { rows } = await app.query(
      `SELECT status FROM ${tablesOf(settings).queries} WHERE query_hash = 'not trapped'`,
    );
    expect(rows).toEqual([{ status: 'ok' }]);
  });
});
