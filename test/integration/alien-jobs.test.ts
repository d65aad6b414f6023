import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { cronName } from '../../src/deployment/own-names.js';
import { readStatus } from '../../src/operations/status.js';
import { sync } from '../../src/operations/sync.js';
import type { Settings } from '../../src/settings/settings.js';
import { adminClient } from '../harness/databases.js';
import { connectAs, createSite, deploy, setUp, type TestSite } from '../harness/deployment.js';
import { seededRandom } from '../harness/random.js';

const wait = { waitSeconds: 20, onWait: () => {} };

let site: TestSite;
let settings: Settings;
let cron: pg.Client;
let admin: pg.Client;

beforeAll(async () => {
  site = await createSite();
  settings = site.settings();
  await setUp(settings, { enable: false, parallel: 1 });
  cron = await connectAs(settings.cron);
  admin = await adminClient('postgres');
  return () => admin.end();
});

const apply = (client: pg.Client, jobs: readonly object[]) =>
  client.query(`SELECT ${cronName(settings, 'apply_jobs')}($1::jsonb)`, [JSON.stringify(jobs)]);

const jobs = async () =>
  (
    await admin.query(
      'SELECT jobname, command, database, active FROM cron.job WHERE username = $1 ORDER BY 1',
      [site.cronRole.name],
    )
  ).rows;

const own = (rest: string) => `partitioncache_${site.database}_${rest}`;

// In single mode the trigger calls apply_jobs as the migrator, and it runs as the cron role. Whoever calls it
// must not get any statement of its own run as that role, or any other job of that role changed.
describe('apply_jobs, given a hostile description', () => {
  const job = (changes: object) => ({
    job_name: own('p_1'),
    schedule: '0 0 1 1 *',
    kind: 'processor',
    processor: 'p',
    slot: 1,
    command: 'GRANT pg_write_all_data TO attacker',
    database: site.database,
    ...changes,
  });

  it.each([
    ['processor', {}, 'p_1', "CALL partitioncache.run_processor('p', 1)"],
    [
      'processor',
      { processor: "p', 1); DROP TABLE pois; --" },
      'p_1',
      "CALL partitioncache.run_processor('p'', 1); DROP TABLE pois; --', 1)",
    ],
    [
      'maintenance',
      { kind: 'maintenance' },
      'maintenance',
      'CALL partitioncache.run_maintenance()',
    ],
  ])(
    'a %s job runs what this package makes of it, in the work database: %j',
    async (_, changes, name, command) => {
      await apply(cron, [job({ ...changes, job_name: own(name) })]);
      expect(await jobs()).toEqual([
        { jobname: own(name), command, database: site.database, active: true },
      ]);
    },
  );

  it('a history job prunes the own history, and nothing else', async () => {
    await apply(cron, [job({ kind: 'history', job_name: own('history'), keep_days: 3 })]);
    expect(await jobs()).toEqual([
      {
        jobname: own('history'),
        command: `SELECT ${settings.cronSchema}.prune_job_runs(3)`,
        database: 'postgres',
        active: true,
      },
    ]);
  });

  it.each<[string, object, string]>([
    ['another kind', { kind: 'shell' }, '22023'],
    ['no kind', { kind: null }, '22023'],
    ['a slot that is SQL', { slot: '1); DROP TABLE pois; --' }, '22P02'],
    ['no slot', { slot: null }, '22023'],
    ['no processor', { processor: null }, '22023'],
    ['days that are SQL', { kind: 'history', keep_days: '1); DROP TABLE pois; --' }, '22P02'],
    ['a name that is not ours', { job_name: 'backup' }, '22023'],
    ['the name of another database', { job_name: 'partitioncache_other_p_1' }, '22023'],
    ['no name', { job_name: null }, '22023'],
    ['no schedule', { schedule: null }, '22023'],
    ['the jobs of a copy of the work database', { database: 'a_copy' }, '22023'],
    ['jobs of no database', { database: null }, '22023'],
  ])('refuses %s, and changes nothing', async (_, changes, code) => {
    const before = await jobs();
    await expect(apply(cron, [job(changes)])).rejects.toMatchObject({ code });
    expect(await jobs()).toEqual(before);
  });

  it.each([
    ['the name of another slot', 'p_2'],
    ['the name of maintenance', 'maintenance'],
    ['a name that goes on in another database', 'x_p_1'],
  ])('refuses %s for a slot, and changes nothing', async (_, name) => {
    const before = await jobs();
    await expect(apply(cron, [job({ job_name: own(name) })])).rejects.toMatchObject({
      code: '22023',
      message: `job "${own(name)}" is no job of this package`,
    });
    expect(await jobs()).toEqual(before);
  });
});

describe('the migrator of a cross deployment', () => {
  it.each(['apply_jobs', 'drift'])('may not call %s', async (name) => {
    const migrator = await connectAs({ ...settings.work, database: settings.cron.database });
    await expect(migrator.query(`SELECT ${cronName(settings, name)}('[]')`)).rejects.toMatchObject({
      code: '42501',
      message: `permission denied for function ${name}`,
    });
  });
});

describe('jobs that are not of our making', () => {
  const schedule = (name: string, command: string, database: string) =>
    cron.query("SELECT cron.schedule_in_database($1, '0 0 1 1 *', $2, $3)", [
      name,
      command,
      database,
    ]);
  const driftOf = async (of: Settings) =>
    Object.fromEntries(
      (await readStatus(of)).drift.map(({ jobName, problem, actual }) => [
        jobName,
        [problem, actual],
      ]),
    );

  it('show as drift; sync removes those with our names, leaves the others and says so', async () => {
    await sync(settings, wait);
    const second = site.settings({
      PCACHE_SCHEMA: 'partitioncache_second',
      PG_QUEUE_TABLE_PREFIX: 'second_queue',
      PG_ARRAY_CACHE_TABLE_PREFIX: 'second_cache',
    });
    await setUp(second, { parallel: 1, frequencySeconds: 3600 });
    const before = await jobs();
    for (const deployment of [settings, second]) expect(await driftOf(deployment)).toEqual({});

    const tool = `partitioncache_process_queue_${site.database}_mycache_1`;
    const impostors: [name: string, command: string, database: string][] = [
      [own('intruder_1'), 'SELECT 1', site.database],
      [own('intruder_2'), 'SELECT 2', 'template1'],
      // Another deployment's command does not make our name its own.
      [own('intruder_3'), 'CALL partitioncache_second.run_maintenance()', site.database],
    ];
    const others: [name: string, command: string, database: string][] = [
      ['nightly vacuum', 'VACUUM', site.database],
      [tool, "SELECT * FROM partitioncache_run_single_job_with_params('x')", site.database],
    ];
    // Their databases, or deployments, are called much like ours.
    const neighbours: [name: string, command: string, database: string][] = [
      [own('x_maintenance'), 'CALL partitioncache.run_maintenance()', 'template1'],
      [own('x_mycache_1'), 'SELECT 3', 'template1'],
      [own('second_0123456789ab_1'), 'SELECT 4', 'template1'],
      [`partitioncache_${site.database}x_maintenance`, 'SELECT 5', 'template1'],
      ['elsewhere', 'SELECT 6', 'template1'],
    ];
    for (const job of [...impostors, ...others, ...neighbours]) await schedule(...job);
    await cron.query(
      "SELECT cron.schedule_in_database($1, '0 0 1 1 *', 'GRANT ALL', $2, NULL, false)",
      [own('maintenance'), 'template1'],
    );

    const drift = await driftOf(settings);
    for (const [name, command, database] of impostors) {
      expect(drift[name]).toEqual(['impostor', `0 0 1 1 * ${command} in ${database}`]);
    }
    for (const [name, command, database] of others) {
      expect(drift[name]).toEqual(['foreign', `0 0 1 1 * ${command} in ${database}`]);
    }
    expect(Object.keys(drift)).toHaveLength(impostors.length + others.length + 1);

    const actions = Object.fromEntries(
      (await sync(settings, wait)).jobs.map(({ jobName, action }) => [jobName, action]),
    );
    for (const [name] of impostors) expect(actions[name]).toBe('unscheduled');
    for (const [name] of others) expect(actions[name]).toBe('left');
    const seenBySecond = (await sync(second, wait)).jobs.map(({ action }) => action);
    expect(new Set(seenBySecond)).toEqual(new Set(['left']));
    const name = ({ jobname }: { jobname: string }) => jobname;
    expect((await jobs()).map(name).sort()).toEqual(
      [...before.map(name), ...[...others, ...neighbours].map(([known]) => known)].sort(),
    );
    expect(await jobs()).toEqual(expect.arrayContaining(before));
    expect(Object.keys(await driftOf(settings)).sort()).toEqual(
      others.map(([known]) => known).sort(),
    );
  });

  it('go with up as well where they carry our names', async () => {
    await schedule(own('late_1'), 'SELECT 1', site.database);
    const { jobs: actions } = await deploy(settings);
    expect(actions).toContainEqual({ action: 'unscheduled', jobName: own('late_1') });
    expect((await jobs()).map(({ jobname }) => jobname)).not.toContain(own('late_1'));
  });

  it('without a name show by their number', async () => {
    const { rows } = await admin.query(
      `INSERT INTO cron.job (schedule, command, nodename, nodeport, database, username)
       VALUES ('0 0 1 1 *', 'SELECT 1', 'localhost', 5432, $1, $2) RETURNING jobid`,
      [site.database, site.cronRole.name],
    );
    expect(await driftOf(settings)).toHaveProperty([`(job ${rows[0].jobid})`, 0], 'foreign');
  });
});

describe('is_own_name', () => {
  it('knows all names of this deployment, and none of another', async () => {
    const random = seededRandom();
    const hint = `PCACHE_TEST_SEED=${random.seed}`;
    console.log(`own names: ${hint}`);
    const words = ['a', 'b', 'x', '1', 'maintenance', 'history', 'queue', 'process', 'mycache'];
    const more = ['0123456789ab', "it's", 'ü', 'a\nb', '.', '%', '*', 'partitioncache', ''];
    const word = () =>
      Array.from({ length: random.integer(1, 3) }, () => random.pick([...words, ...more])).join(
        '_',
      );
    const { database } = site;
    const databases = [database, database, `${database}_${word()}`, `${database}x`, word() || 'y'];
    const given = Array.from({ length: 4000 }, () => ({
      database: random.pick([...databases, `${database}_${word()}`]),
      schema: random.pick(['partitioncache', 'partitioncache', 'partitioncache_two', 'two']),
      processor: random.pick([null, word(), `partitioncache_process_queue_${database}_mycache`]),
      slot: String(random.integer(1, 20)),
    }));
    const work = await connectAs(settings.work);
    const { rows: named } = await work.query(
      `SELECT given.*, partitioncache.cron_job_name(
                processor, CASE WHEN processor IS NULL THEN 'maintenance' ELSE slot END,
                database, schema, 'my_cache') AS name
         FROM jsonb_to_recordset($1) AS given (database text, schema text, processor text, slot text)`,
      [JSON.stringify(given)],
    );
    const { rows } = await cron.query(
      `SELECT named.*, ${cronName(settings, 'is_own_name')}(name, ARRAY[processor]) AS own
         FROM jsonb_to_recordset($1) AS named (database text, schema text, processor text, name text)`,
      [JSON.stringify(named)],
    );
    for (const row of rows) {
      const expected = row.database === database && row.schema === 'partitioncache';
      expect(row.own, `${hint}: ${JSON.stringify(row)}`).toBe(expected);
    }
    expect(rows.filter(({ own }) => own).length, hint).toBeGreaterThan(300);
    expect(rows.filter(({ own }) => !own).length, hint).toBeGreaterThan(300);
  });
});
