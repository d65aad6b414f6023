import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Settings } from '../../src/settings/settings.js';
import { connectAs, createSite, setUp, tablesOf } from '../harness/deployment.js';
import { waitFor } from '../harness/wait-for.js';

// Whoever may write the configuration, as a client may, must not fill the pg_cron that others share.
describe('the slots of all processors together', () => {
  let settings: Settings;
  let app: pg.Client;
  let work: pg.Client;
  let config: string;

  beforeAll(async () => {
    const site = await createSite();
    settings = site.settings();
    await setUp(settings, { enable: true, parallel: 5 });
    app = await connectAs(settings.client);
    work = await connectAs(settings.work);
    config = tablesOf(settings).processorConfig;
  });

  const add = (client: pg.Client, name: string, slots: number, enabled = true) =>
    client.query(
      `INSERT INTO ${config} (job_name, enabled, max_parallel_jobs, table_prefix, queue_prefix, cache_backend, target_database)
       SELECT $1, $2, $3, table_prefix, queue_prefix, cache_backend, target_database FROM ${config} LIMIT 1`,
      [name, enabled, slots],
    );

  const slots = async () =>
    (await work.query(`SELECT sum(max_parallel_jobs)::int AS slots FROM ${config} WHERE enabled`))
      .rows[0].slots;

  it('have a limit that a client meets with a new processor, and cannot raise', async () => {
    await expect(add(app, 'greedy', 16)).rejects.toMatchObject({
      code: '23514',
      message:
        'processor "greedy" cannot have 16 slots: the enabled processors would have 21, the limit is 20',
      hint: expect.stringContaining('UPDATE partitioncache.settings SET max_slots = 21;'),
    });
    await expect(app.query('UPDATE partitioncache.settings SET max_slots = 99')).rejects.toThrow(
      'permission denied',
    );
    expect(await slots()).toBe(5);
  });

  it('count when a processor is enabled, renamed or widened, not while it is disabled', async () => {
    await add(app, 'second', 15, false);
    await app.query(`UPDATE ${config} SET enabled = true WHERE job_name = 'second'`);
    expect(await slots()).toBe(20);
    await app.query(`UPDATE ${config} SET job_name = 'renamed' WHERE job_name = 'second'`);
    await expect(
      app.query(`UPDATE ${config} SET max_parallel_jobs = 16 WHERE job_name = 'renamed'`),
    ).rejects.toMatchObject({ code: '23514' });
    await expect(
      app.query(`UPDATE ${config} SET max_parallel_jobs = max_parallel_jobs + 1`),
    ).rejects.toMatchObject({ code: '23514' });
    await app.query(`UPDATE ${config} SET max_parallel_jobs = 14 WHERE job_name = 'renamed'`);
    expect(await slots()).toBe(19);
  });

  it('cannot exceed the limit by two changes at once', async () => {
    const observer = await connectAs(settings.work);
    const pid = (await app.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
    await work.query('BEGIN');
    await add(work, 'third', 1);
    // Handled from the start: its refusal may arrive before the answer to COMMIT does.
    const refused = expect(add(app, 'fourth', 1)).rejects.toMatchObject({ code: '23514' });
    await waitFor(
      'the second change waits for the first',
      async () => {
        const { rows } = await observer.query('SELECT pg_blocking_pids($1) AS pids', [pid]);
        return rows[0].pids.length > 0;
      },
      { deadlineMs: 30_000 },
    );
    await work.query('COMMIT');
    await refused;
    expect(await slots()).toBe(20);
  });

  it('block nothing but more slots once the limit is lowered', async () => {
    await work.query('UPDATE partitioncache.settings SET max_slots = 2');
    await app.query(`UPDATE ${config} SET timeout_seconds = 60`);
    await app.query(`UPDATE ${config} SET max_parallel_jobs = 3 WHERE job_name = 'renamed'`);
    await app.query(`UPDATE ${config} SET enabled = false`);
    expect(await slots()).toBeNull();
  });
});
