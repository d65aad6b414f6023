import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { cronName } from '../../src/deployment/own-names.js';
import type { Settings } from '../../src/settings/settings.js';
import { adminClient } from '../harness/databases.js';
import { connectAs, createSite, setUp, type TestSite } from '../harness/deployment.js';

// apply_jobs runs as the cron role. The migrator may call it, and must not get any statement of its own run
// as that role, or any other job of that role changed.
describe('apply_jobs, called by a hostile migrator', () => {
  let site: TestSite;
  let settings: Settings;
  let migrator: pg.Client;
  let cron: pg.Client;
  let admin: pg.Client;

  beforeAll(async () => {
    site = await createSite();
    settings = site.settings();
    await setUp(settings, { enable: false, parallel: 1 });
    migrator = await connectAs({ ...settings.work, database: 'postgres' });
    cron = await connectAs(settings.cron);
    admin = await adminClient('postgres');
    return () => admin.end();
  });

  const apply = (jobs: readonly object[]) =>
    migrator.query(`SELECT ${cronName(settings, 'apply_jobs')}($1::jsonb)`, [JSON.stringify(jobs)]);

  const jobs = async () =>
    (
      await admin.query(
        'SELECT jobname, command, database, active FROM cron.job WHERE username = $1 ORDER BY 1',
        [site.cronRole.name],
      )
    ).rows;

  const job = (changes: object) => ({
    job_name: 'partitioncache_hostile',
    schedule: '0 0 1 1 *',
    kind: 'processor',
    processor: 'p',
    slot: 1,
    command: 'GRANT pg_write_all_data TO attacker',
    database: site.database,
    ...changes,
  });

  it.each([
    ['processor', {}, "CALL partitioncache.run_processor('p', 1)"],
    [
      'processor',
      { processor: "p', 1); DROP TABLE pois; --" },
      "CALL partitioncache.run_processor('p'', 1); DROP TABLE pois; --', 1)",
    ],
    ['maintenance', { kind: 'maintenance' }, 'CALL partitioncache.run_maintenance()'],
  ])(
    'a %s job runs what this package makes of it, in the work database: %j',
    async (_, changes, command) => {
      await apply([job(changes)]);
      expect(await jobs()).toEqual([
        { jobname: 'partitioncache_hostile', command, database: site.database, active: true },
      ]);
    },
  );

  it('a history job prunes the own history, and nothing else', async () => {
    await apply([job({ kind: 'history', keep_days: 3 })]);
    expect(await jobs()).toEqual([
      {
        jobname: 'partitioncache_hostile',
        command: `SELECT ${settings.cronSchema}.prune_job_runs(3)`,
        database: 'postgres',
        active: true,
      },
    ]);
  });

  it.each([
    ['another kind', { kind: 'shell' }, '22023'],
    ['no kind', { kind: null }, '22023'],
    ['a slot that is SQL', { slot: '1); DROP TABLE pois; --' }, '22P02'],
    ['days that are SQL', { kind: 'history', keep_days: '1); DROP TABLE pois; --' }, '22P02'],
    ['a name that is not ours', { job_name: 'backup' }, '22023'],
    ['no name', { job_name: null }, '22023'],
    ['no schedule', { schedule: null }, '22023'],
    ['the jobs of a copy of the work database', { database: 'a_copy' }, '22023'],
    ['jobs of no database', { database: null }, '22023'],
  ])('refuses %s, and changes nothing', async (_, changes, code) => {
    const before = await jobs();
    await expect(apply([job(changes)])).rejects.toMatchObject({ code });
    expect(await jobs()).toEqual(before);
  });

  it('does not take over a job of another deployment of the same cron role by its name', async () => {
    const name = 'partitioncache_another_database_maintenance';
    await cron.query("SELECT cron.schedule_in_database($1, '0 0 1 1 *', 'SELECT 1', 'template1')", [
      name,
    ]);
    const before = await jobs();
    await expect(apply([job({ job_name: name })])).rejects.toMatchObject({
      code: '42710',
      message: `the name "${name}" belongs to a job of database "template1", which is not of this deployment`,
    });
    expect(await jobs()).toEqual(before);
  });
});
