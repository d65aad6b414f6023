import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { runCli } from '../../src/cli/run-cli.js';
import { ownName } from '../../src/deployment/own-names.js';
import {
  type AdoptForeignOptions,
  type AdoptForeignReport,
  adoptForeign,
  planForeignAdoption,
} from '../../src/operations/adopt-foreign.js';
import { down } from '../../src/operations/down.js';
import { verify } from '../../src/operations/verify.js';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { runProcessor } from '../../src/processor/run-processor.js';
import type { Settings } from '../../src/settings/settings.js';
import { startOwnCluster } from '../harness/cluster.js';
import { adminClient, createRole } from '../harness/databases.js';
import { connectAs, createSite, deploy, type TestSite, tablesOf } from '../harness/deployment.js';
import { jobCommand, makeForeignSetup, rowsOf } from '../harness/foreign-setup.js';
import { waitFor } from '../harness/wait-for.js';
import { fakeWorld } from '../unit/cli/fake-world.js';

// What does not depend on the version of PostgreSQL or pg_cron is tried with one.
const describeOnce = describe.skipIf(inject('runtime').kind === 'local');

const options: AdoptForeignOptions = {
  confirm: async () => true,
  drainSeconds: 20,
  waitSeconds: 20,
  onWait: () => {},
  log: () => {},
};

/** What a processor's row says by the way, and not of itself. */
const NOT_SETTINGS = 'updated_at job_ids geometry_column h3_resolution bbox_cell_size bbox_srid';

async function oldJobs(admin: pg.Client, site: TestSite): Promise<string[]> {
  const { rows } = await admin.query(
    "SELECT jobname FROM cron.job WHERE database = $1 AND command LIKE '%run_single_job%'",
    [site.database],
  );
  return rows.map(({ jobname }) => jobname);
}

/** Rarely, so that it does not keep the server busy. */
const ENABLED = { frequency_seconds: 3600 };

async function isLikeOurOwn(settings: Settings) {
  expect(await verify(settings)).toMatchObject({ clean: true });
  const again = await deploy(settings);
  expect(again).toMatchObject({ release: null, jobs: [] });
  expect(again.streams.flatMap(({ migrations }) => migrations)).toEqual([]);
}

const prefixes = (name: string, backend: string) => ({
  PG_QUEUE_TABLE_PREFIX: `old_${name}`,
  CACHE_BACKEND: `postgresql_${backend}`,
  [`PG_${backend.toUpperCase()}_CACHE_TABLE_PREFIX`]: `cache_${name}`,
});

const itOnce = it.skipIf(inject('runtime').kind === 'local');

describe('a set-up of one role, array, cross mode', () => {
  let site: TestSite;
  let settings: Settings;
  let admin: pg.Client;
  let work: pg.Client;
  let before: Record<string, string[]>;
  let report: AdoptForeignReport;

  beforeAll(async () => {
    site = await createSite({ oneRole: true });
    settings = site.settings(prefixes('array', 'array'));
    admin = await adminClient('postgres');
    const owner = site.migrator.name;
    await makeForeignSetup(site.cluster, settings, {
      owner,
      jobsOf: owner,
      parallel: 2,
      schedule: '0 0 1 1 *',
      config: { frequency_seconds: 90, result_limit: 250 },
      staleConfig: { frequency_seconds: 1, result_limit: 250 },
    });
    work = await connectAs(settings.work);
    before = await rowsOf(work, settings, {
      [`${settings.queuePrefix}_processor_config`]: NOT_SETTINGS,
    });
    return () => admin.end();
  });

  it('shows what it will do, and changes nothing', async () => {
    const proposal = await planForeignAdoption(settings);
    expect(proposal).toMatchObject({ problems: [], asAdministrator: [], byHand: [] });
    expect(proposal?.steps.map(({ what }) => what).join('\n')).toContain(
      `"${defaultJobName(settings)}_1" of role`,
    );
    expect(proposal?.changes.join('\n')).toMatch(
      /frequency_seconds was 1 in the work database and 90[\s\S]*schedule "0 0 1 1 \*"[\s\S]*result_limit 250, which was never applied/,
    );
    expect(proposal?.notKept.join('\n')).toMatch(/triggers trg_notify_[\s\S]*h3_resolution/);
    expect(await oldJobs(admin, site)).toHaveLength(2);
    expect(
      await rowsOf(work, settings, { [`${settings.queuePrefix}_processor_config`]: NOT_SETTINGS }),
    ).toEqual(before);
  });

  it('takes every row over, and leaves nothing of the tool, while clients go on', async () => {
    const client = await enqueueForEver(settings);
    report = await adoptForeign(settings, options);
    const enqueued = await client.stop();
    expect(enqueued.length).toBeGreaterThan(10);
    const { rows: lost } = await work.query(
      `SELECT hash FROM unnest($1::text[]) AS hash
        WHERE hash NOT IN (SELECT hash FROM ${tablesOf(settings).fragmentQueue}
                           UNION SELECT query_hash FROM ${tablesOf(settings).queries})`,
      [enqueued],
    );
    expect(lost).toEqual([]);
    await withoutLive(work, settings);
    expect(report.tables.filter(({ kept }) => kept !== undefined)).toEqual([]);
    const after = await rowsOf(work, settings, {
      [`${settings.queuePrefix}_processor_config`]: NOT_SETTINGS,
    });
    const { fragmentQueue, processorConfig, activeJobs } = Object.fromEntries(
      Object.entries(tablesOf(settings)).map(([key, name]) => [key, name.split('"')[3] ?? '']),
    ) as ReturnType<typeof tablesOf>;
    const added =
      after[fragmentQueue]?.filter((row) => !before[fragmentQueue]?.includes(row)) ?? [];
    expect(added.map((row) => JSON.parse(row).hash)).toEqual(['was_at_work']);
    expect(JSON.parse(added[0] ?? '').id).toBeGreaterThan(4);
    expect(after[fragmentQueue]).toEqual(expect.arrayContaining(before[fragmentQueue] ?? []));
    expect(after[activeJobs]).toEqual([]);
    expect(after[processorConfig]?.map((row) => JSON.parse(row))).toEqual(
      before[processorConfig]?.map((row) => ({ ...JSON.parse(row), frequency_seconds: 90 })),
    );
    for (const [table, rows] of Object.entries(before)) {
      if ([fragmentQueue, processorConfig, activeJobs].includes(table)) continue;
      expect(rows.length).toBeGreaterThan(0);
      expect([table, after[table]]).toEqual([table, rows]);
    }
    expect(await oldJobs(admin, site)).toEqual([]);
    const { rows } = await admin.query('SELECT relname FROM pg_class WHERE relname = $1', [
      processorConfig,
    ]);
    expect(rows).toEqual([]);
  });

  it('is then like any deployment of ours', async () => {
    await isLikeOurOwn(settings);
    expect(await planForeignAdoption(settings)).toBeUndefined();
  });

  it("is rid again of what the tool's set-up adds to it later", async () => {
    const config = `SELECT * FROM ${tablesOf(settings).processorConfig}`;
    const { rows: before } = await work.query(config);
    await work.query(
      "CREATE FUNCTION public.partitioncache_run_single_job_with_params() RETURNS void LANGUAGE sql AS ''",
    );
    const cron = await connectAs(settings.cron);
    await cron.query(
      `SELECT cron.schedule_in_database('partitioncache_process_queue_1', '0 0 1 1 *', $1, $2)`,
      [jobCommand(settings), site.database],
    );
    expect((await planForeignAdoption(settings))?.steps.map(({ what }) => what)).toEqual([
      expect.stringContaining('unschedule 1 job of the tool'),
      expect.stringContaining('drop public.partitioncache_run_single_job_with_params()'),
      expect.stringContaining('apply what is pending'),
    ]);
    await adoptForeign(settings, options);
    expect(await planForeignAdoption(settings)).toBeUndefined();
    expect((await work.query(config)).rows).toEqual(before);
    expect(await verify(settings)).toMatchObject({ clean: true });
  });

  itOnce('is set up again by the tool, over what down has kept', async () => {
    await work.query(`UPDATE ${ownName(settings, 'settings')} SET max_slots = 2, batch_size = 7`);
    await down(settings, {
      ...options,
      streams: ['cron', 'work'],
      extent: { all: true },
      confirm: async () => true,
    });
    const kept = async () =>
      (await work.query('SELECT name, rows FROM partitioncache_kept.kept_table ORDER BY name'))
        .rows;
    const keptBefore = await kept();
    const owner = site.migrator.name;
    await work.query(`DROP TABLE public.${settings.tablePrefix}_eviction_log`);
    await makeForeignSetup(site.cluster, settings, { owner, parallel: 3, config: ENABLED });
    const { steps, notKept } = (await planForeignAdoption(settings)) ?? {};
    expect(steps?.map(({ what }) => what)).toContain(
      "take back what an earlier down kept of this package's own: settings",
    );
    const clients = keptBefore.filter(({ name }) => name !== 'settings');
    for (const { name, rows } of clients) {
      expect(notKept).toContainEqual(
        expect.stringMatching(`^${name}: ${rows} rows? that an earlier down kept stay`),
      );
    }
    const { tables } = await adoptForeign(settings, options);
    expect(tables.filter((table) => table.kept !== undefined)).toEqual([]);
    expect(await kept()).toEqual(clients);
    const { rows } = await work.query(
      `SELECT max_slots, batch_size FROM ${ownName(settings, 'settings')}`,
    );
    // The processors of the set-up have three slots.
    expect(rows).toEqual([{ max_slots: 3, batch_size: 7 }]);
    await isLikeOurOwn(settings);
  });
});

/** What is left of the set-up with several roles, whoever owns it. */
async function toolFunctions(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query(
    `SELECT proname FROM pg_proc
      WHERE proname IN ('partitioncache_sync_old_bits_processor_config', 'partitioncache_intersect_two',
                        'partitioncache_notify_queue', 'partitioncache_run_single_job_with_params')
        AND (current_database() <> 'postgres' OR proname LIKE '%old_bits%')`,
  );
  return rows.map(({ proname }) => proname);
}

describeOnce('a set-up of several roles, bit, cross mode, with an administrator', () => {
  let site: TestSite;
  let settings: Settings;
  let admin: pg.Client;
  let work: pg.Client;
  let before: Record<string, string[]>;
  /** Roles of the old set-up, which are none of the deployment's. */
  let oldClient: string;
  let oldCron: string;

  beforeAll(async () => {
    site = await createSite();
    const { adminUser, adminPassword } = site.cluster;
    settings = site.settings({
      ...prefixes('bits', 'bit'),
      PG_ADMIN_USER: adminUser,
      PG_ADMIN_PASSWORD: adminPassword,
    });
    admin = await adminClient('postgres');
    const there = await adminClient(site.database);
    oldClient = (await createRole('old_client')).name;
    oldCron = (await createRole('old_cron')).name;
    await there.query(`GRANT USAGE, CREATE ON SCHEMA public TO ${oldClient}`);
    await admin.query(`GRANT ${site.cronRole.name} TO ${oldCron}`);
    await makeForeignSetup(site.cluster, settings, {
      owner: oldClient,
      jobsOf: oldCron,
      copyOwner: oldCron,
      schedule: '0 0 1 1 *',
      config: { enabled: false },
    });
    await there.query(`GRANT SELECT, DELETE ON ${tablesOf(settings).fragmentQueue} TO ${oldCron}`);
    before = await rowsOf(there, settings);
    await there.query(
      `INSERT INTO public.${settings.tablePrefix}_cache_id (query_hash, partition_keys) VALUES ('unknown', repeat('1', 200)::bit(200))`,
    );
    work = await connectAs(settings.work);
    return async () => {
      for (const client of [there, admin]) {
        await client.query(`DROP OWNED BY ${oldClient}, ${oldCron} CASCADE`);
        if (client === admin) await admin.query(`DROP ROLE ${oldClient}, ${oldCron}`);
        await client.end();
      }
    };
  });

  it('says without an administrator what one has to type, and changes nothing', async () => {
    const alone = { ...settings, admin: undefined };
    const failure = await adoptForeign(alone, options).catch((error: Error) => error);
    expect(failure).toMatchObject({
      name: 'NotAdoptableError',
      message: expect.stringContaining(
        `ALTER TABLE "public"."old_bits_query_fragment_queue" OWNER TO "${settings.work.user}";`,
      ),
    });
    expect(failure).toMatchObject({
      message: expect.stringMatching(/ALTER FUNCTION .*non_blocking.* OWNER TO/),
    });
    const copy = 'public.old_bits_processor_config';
    expect(failure).toMatchObject({ message: expect.stringContaining('GRANT SELECT ON "public"') });
    await admin.query(`GRANT SELECT ON ${copy} TO ${settings.cron.user}`);
    const proposal = await planForeignAdoption(alone);
    await admin.query(`REVOKE SELECT ON ${copy} FROM ${settings.cron.user}`);
    expect(proposal?.notKept).toContain(
      `the privileges of role "${oldCron}", which is none of this deployment's (PG_QUEUE_USER is the client); to give them again: GRANT DELETE, SELECT ON ${tablesOf(settings).fragmentQueue} TO "${oldCron}";`,
    );
    expect(proposal?.byHand).toMatchObject([
      {
        why: expect.stringContaining(`cannot be seen by role "${site.cronRole.name}"`),
        by: 'administrator',
        lines: [expect.stringMatching(/^SELECT cron.unschedule\(jobid\) FROM cron.job WHERE/)],
      },
      {
        by: `role "${oldCron}" or administrator`,
        lines: [
          expect.stringMatching(/^DROP TABLE/),
          'DROP FUNCTION public.partitioncache_sync_old_bits_processor_config();',
        ],
      },
    ]);
    expect(await oldJobs(admin, site)).toHaveLength(5);
  });

  it('finds what is in its way before the old jobs are gone', async () => {
    const there = await adminClient(site.database);
    const seen = await planForeignAdoption(settings);
    expect(seen?.steps.map(({ what }) => what)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^cache_bits_cache_id: 6 sets of 200 bits cannot be trusted/),
        expect.stringMatching(/^cache_bits_cache_zipcode: 5 sets of 200 bits cannot be trusted/),
      ]),
    );
    expect(seen?.notKept).toContainEqual(
      expect.stringMatching(/^cache_bits_cache_id: 1 set whose query is not known/),
    );
    const schema = 'partitioncache_before_adopt';
    const others = `CREATE SCHEMA ${schema} AUTHORIZATION ${site.app.name}`;
    await there.query(others);
    const expected = `schema "${schema}", where adopt puts what does not fit, belongs to role "${site.app.name}"`;
    const { problems } = (await planForeignAdoption(settings)) ?? {};
    expect(problems).toEqual([expect.stringContaining(expected)]);
    // Also where it comes only after the look.
    await there.query(`DROP SCHEMA ${schema}`);
    const late = { ...options, confirm: async () => Boolean(await there.query(others)) };
    await expect(adoptForeign(settings, late)).rejects.toMatchObject({
      name: 'NotAdoptableError',
      message: expect.stringContaining(expected),
    });
    const index = 'old_bits_query_fragment_queue_pkey';
    await there.query(
      `ALTER SCHEMA ${schema} OWNER TO ${site.migrator.name};
       CREATE TABLE ${schema}.mine (id integer CONSTRAINT ${index} PRIMARY KEY)`,
    );
    expect((await planForeignAdoption(settings))?.problems).toEqual([
      expect.stringContaining(`still has ${index}`),
    ]);
    // With a schema that is there and may not be used, the administrator gives what is missing.
    await there.query(
      `DROP SCHEMA ${schema} CASCADE; CREATE SCHEMA ${schema} AUTHORIZATION postgres`,
    );
    expect(await planForeignAdoption(settings)).toMatchObject({
      problems: [],
      asAdministrator: expect.arrayContaining([
        `GRANT USAGE, CREATE ON SCHEMA "${schema}" TO "${site.migrator.name}";`,
      ]),
    });
    await there.query(`DROP SCHEMA ${schema}`);
    expect(await oldJobs(admin, site)).toHaveLength(5);
    await there.end();
  });

  it('ends the same wherever it is killed', async () => {
    const points = [
      /^SELECT cron.unschedule\(jobid\)/,
      /^INSERT INTO "public"."old_bits_processor_config"/,
      /"apply_jobs"\(\$1/,
      /^DROP TABLE "public"."old_bits_processor_config"/,
    ];
    for (const point of points) {
      const error = await killedAt(point, () => adoptForeign(settings, options));
      expect([String(point), error]).toEqual([String(point), expect.any(Error)]);
      expect(error?.message).not.toMatch(/^error:/);
    }
    const { tables } = await adoptForeign(settings, options);
    expect(tables).toEqual([]);
    expect(await toolFunctions(admin)).toEqual([]);
    const there = await adminClient(site.database);
    expect(await toolFunctions(there)).toEqual([]);
    await there.end();
    expect(await oldJobs(admin, site)).toEqual([]);
    const { rowCount } = await admin.query(
      "SELECT FROM pg_class WHERE relname = 'old_bits_processor_config'",
    );
    expect(rowCount).toBe(0);
    await isLikeOurOwn(settings);
    expect(await planForeignAdoption(settings)).toBeUndefined();
  });

  it('queues again each set that may lack keys, and keeps what nobody could evaluate', async () => {
    const after = await rowsOf(work, settings);
    const cached = after[`${settings.tablePrefix}_cache_id`]?.map((row) => JSON.parse(row));
    expect(cached).toEqual([
      { query_hash: 'known8', partition_keys: null, partition_keys_count: null },
    ]);
    const queue = (after[`${settings.queuePrefix}_query_fragment_queue`] ?? []).map((row) =>
      JSON.parse(row),
    );
    const again = queue.filter(({ priority }) => priority === 0);
    expect(again.map(({ hash, partition_key }) => `${hash} ${partition_key}`).sort()).toEqual(
      [1, 2, 3, 4, 5].flatMap((n) => ['id', 'zipcode'].map((key) => `known${n} ${key}`)),
    );
    expect(after[`${settings.tablePrefix}_queries`]).toEqual(
      before[`${settings.tablePrefix}_queries`],
    );
    const { rows } = await work.query(
      `SELECT query_hash FROM partitioncache_before_adopt.${settings.tablePrefix}_cache_id`,
    );
    expect(rows).toEqual([{ query_hash: 'unknown' }]);

    const cron = await connectAs({ ...settings.cron, database: site.database });
    await runProcessor(cron, settings, defaultJobName(settings), 1000);
    const { rows: widened } = await work.query(
      `SELECT max(length(partition_keys)) AS bits, max(partition_keys_count) AS keys, count(partition_keys) AS sets
         FROM public.${settings.tablePrefix}_cache_id`,
    );
    expect(widened[0].bits).toBeGreaterThan(2000);
    expect(Number(widened[0].sets)).toBe(5);
    expect(widened[0].keys).toBeGreaterThan(1000);
  });
});

/** A client that uses the queue table as it finds it, and minds every error. */
async function enqueueForEver(settings: Settings) {
  const client = await connectAs(settings.work);
  const enqueued: string[] = [];
  let isStopped = false;
  const run = async () => {
    while (!isStopped) {
      const hash = `live${enqueued.length}`;
      await client.query(
        `INSERT INTO ${tablesOf(settings).fragmentQueue} (query, hash, partition_key, partition_datatype)
         VALUES ('SELECT 1 AS zipcode', $1, 'zipcode', 'integer')`,
        [hash],
      );
      enqueued.push(hash);
      await sleep(20);
    }
  };
  const running = run();
  running.catch(() => {});
  return {
    stop: async () => {
      isStopped = true;
      await running;
      return enqueued;
    },
  };
}

async function withoutLive(work: pg.Client, settings: Settings) {
  const { fragmentQueue, queries, processorLog } = tablesOf(settings);
  await work.query(
    `DELETE FROM ${fragmentQueue} WHERE hash LIKE 'live%';
     DELETE FROM ${queries} WHERE query_hash LIKE 'live%';
     DELETE FROM ${processorLog} WHERE query_hash LIKE 'live%';
     DELETE FROM public.${settings.tablePrefix}_cache_zipcode WHERE query_hash LIKE 'live%';`,
  );
}

/** The connection that is about to run such a statement is lost; the error that comes of it. */
async function killedAt(point: RegExp, use: () => Promise<unknown>): Promise<Error | undefined> {
  const query = pg.Client.prototype.query;
  let isKilled = false;
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    if (!isKilled && typeof args[0] === 'string' && point.test(args[0])) {
      isKilled = true;
      (
        this as unknown as { connection: { stream: { destroy: () => void } } }
      ).connection.stream.destroy();
    }
    return Reflect.apply(query, this, args);
  } as typeof query;
  try {
    await use();
    return undefined;
  } catch (error) {
    return error as Error;
  } finally {
    pg.Client.prototype.query = query;
  }
}

/** The error that comes of a change before the first such statement. */
async function changedBefore(
  point: RegExp,
  change: () => Promise<unknown>,
  use: () => Promise<unknown>,
): Promise<unknown> {
  const query = pg.Client.prototype.query;
  let isChanged = false;
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    if (isChanged || typeof args[0] !== 'string' || !point.test(args[0])) {
      return Reflect.apply(query, this, args);
    }
    isChanged = true;
    return change().then(() => Reflect.apply(query, this, args));
  } as typeof query;
  try {
    return await use().catch((error: unknown) => error);
  } finally {
    pg.Client.prototype.query = query;
  }
}

describeOnce('a set-up in single mode whose job is running', () => {
  it('waits for it, and processes nothing twice', async () => {
    const cluster = await startOwnCluster({ cronDatabase: 'all_in_one' });
    const creator = await adminClient('postgres', cluster);
    await creator.query('CREATE DATABASE all_in_one');
    await creator.end();
    let admin = await adminClient('all_in_one', cluster);
    await admin.query('CREATE EXTENSION pg_cron');
    const site = await createSite({
      cluster,
      cronDatabase: 'all_in_one',
      database: 'all_in_one',
      oneRole: true,
    });
    const settings = site.settings(prefixes('single', 'array'));
    await makeForeignSetup(cluster, settings, {
      owner: site.migrator.name,
      jobsOf: site.migrator.name,
      parallel: 1,
      schedule: '@reboot',
    });
    const { fragmentQueue, queries } = tablesOf(settings);
    await admin.query(
      `INSERT INTO ${fragmentQueue} (query, hash, partition_key, priority)
       VALUES ('SELECT zipcode FROM public.pois /* pg_sleep */', 'slow', 'zipcode', 9)`,
    );
    await admin.end();
    await cluster.restart();
    admin = await adminClient('all_in_one', cluster);
    await waitFor(
      'the old job',
      async () =>
        (await admin.query("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).rowCount,
      { deadlineMs: 20_000 },
    );
    let waited: readonly number[] = [];
    const onOldRuns = (pids: readonly number[]) => {
      waited = pids;
    };
    await killedAt(/"apply_jobs"\(\$1/, () => adoptForeign(settings, { ...options, onOldRuns }));
    expect(waited).toHaveLength(1);
    await adoptForeign(settings, options);
    const work = await connectAs(settings.work);
    const { rows: left } = await work.query(`SELECT hash FROM ${fragmentQueue} ORDER BY 1`);
    expect(left.map(({ hash }) => hash)).toEqual(['queued2', 'queued3', 'queued4', 'was_at_work']);
    const { rows: known } = await work.query(
      `SELECT status, partition_keys FROM ${queries} JOIN public.${settings.tablePrefix}_cache_zipcode USING (query_hash)
        WHERE query_hash = 'slow'`,
    );
    expect(known).toEqual([{ status: 'ok', partition_keys: [0] }]);
    expect(await oldJobs(admin, site)).toEqual([]);
    await isLikeOurOwn(settings);

    await waitFor(
      'an empty queue',
      async () => (await admin.query(`SELECT FROM ${fragmentQueue}`)).rowCount === 0,
      { deadlineMs: 30_000 },
    );
    const { rows: runs } = await admin.query(
      "SELECT DISTINCT split_part(command, '(', 1) AS run FROM cron.job_run_details WHERE database = $1 ORDER BY 1",
      [site.database],
    );
    expect(runs.map(({ run }) => run)).toContain('CALL partitioncache.run_processor');
    await admin.end();
  }, 90_000);
});

describe('a set-up with what nobody foresaw', () => {
  let site: TestSite;
  let settings: Settings;
  let work: pg.Client;
  const kept = (name: string) => `partitioncache_before_adopt."${name}"`;

  beforeAll(async () => {
    site = await createSite({ oneRole: true });
    settings = site.settings(prefixes('odd', 'array'));
    const owner = site.migrator.name;
    await makeForeignSetup(site.cluster, settings, { owner, parallel: 20, config: ENABLED });
    work = await connectAs(settings.work);
    const { fragmentQueue, processorConfig, processorLog, originalQueue, partitionMetadata } =
      tablesOf(settings);
    await work.query(`
      CREATE VIEW public.my_function AS SELECT public.partitioncache_get_cache_table_name('a', 'b') AS name;
      CREATE VIEW public.my_queue AS SELECT count(*) FROM ${fragmentQueue};
      INSERT INTO ${processorConfig} (job_name, enabled, max_parallel_jobs, frequency_seconds, table_prefix, queue_prefix,
                                      cache_backend, target_database)
        VALUES ('another cache', true, 5, 3600, 'elsewhere', 'old_odd', 'bit', 'x'),
               ('second', true, 5, 3600, 'cache_odd', 'old_odd', 'array', 'x');
      ALTER TABLE ${processorLog} DROP CONSTRAINT old_odd_processor_log_status_check;
      INSERT INTO ${processorLog} (job_id, query_hash, partition_key, status) VALUES ('j', 'h', 'k', 'odd');
      ALTER TABLE ${originalQueue} ADD note text;
      UPDATE ${originalQueue} SET note = 'mine' WHERE id = 1;
      CREATE FUNCTION public.partitioncache_my_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
      CREATE TRIGGER mine BEFORE INSERT ON public.cache_odd_cache_id
        FOR EACH ROW EXECUTE FUNCTION public.partitioncache_my_trigger();
      CREATE TABLE public.cache_odd_cache_city (query_hash text PRIMARY KEY, partition_keys text[],
        partition_keys_count integer GENERATED ALWAYS AS (cardinality(partition_keys)) STORED);
      INSERT INTO public.cache_odd_cache_city VALUES ('a', '{x,y}');
      CREATE TABLE public.cache_odd_cache_shape (query_hash text PRIMARY KEY, partition_keys box[], partition_keys_count integer);
      INSERT INTO public.cache_odd_cache_shape VALUES ('b', NULL, 0), ('known1', ARRAY['(1,1),(0,0)'::box], 1);
      INSERT INTO ${tablesOf(settings).queries} (query_hash, partition_key, query) VALUES ('known1', 'shape', 'SELECT 1');
      INSERT INTO ${partitionMetadata} (partition_key, datatype) VALUES ('shape', 'box');
      CREATE TABLE public.other_processor_config (job_name text);`);
  });

  itOnce('is not taken over when it changes after the last look', async () => {
    const other = await connectAs(settings.work);
    const add = `CREATE TABLE public.cache_odd_cache_late (query_hash text PRIMARY KEY, partition_keys integer[])`;
    const failure = await changedBefore(
      /^LOCK TABLE ONLY/,
      () => other.query(add),
      () => adoptForeign(settings, options),
    );
    expect(failure).toMatchObject({
      name: 'AdoptionStoppedError',
      message:
        'Somebody changed the old set-up while adopt ran: table cache_odd_cache_late is new. Nothing was taken over.',
      remedy:
        'See what is to be done now: pcache-migrate adopt --dry-run\nThen run pcache-migrate adopt again; it goes on where it stopped.',
    });
    await other.query('DROP TABLE public.cache_odd_cache_late');
  });

  it('is adopted as far as it fits, and the rest is said and kept', async () => {
    // As a job of a role that the migrator knows nothing of.
    const job = await adminClient(site.database);
    const { rows: pids } = await job.query<{ pid: number }>(
      "SELECT pg_backend_pid() AS pid, set_config('application_name', 'pg_cron', false)",
    );
    await job.query(`BEGIN; LOCK TABLE ${tablesOf(settings).fragmentQueue} IN ROW EXCLUSIVE MODE`);
    let waited: readonly number[] = [];
    const { proposal, tables } = await adoptForeign(settings, {
      ...options,
      onOldRuns: (running) => {
        waited = running;
        void job.end();
      },
    });
    expect(waited).toEqual(pids.map(({ pid }) => pid));
    expect(proposal.changes.join('\n')).toMatch(
      /"second" is enabled but this role sees no job[\s\S]*25 slots together: max_slots, .* becomes 25/,
    );
    expect(proposal.notKept.join('\n')).toMatch(
      /"another cache" fills the cache "elsewhere"[\s\S]*my_queue will go on reading[\s\S]*my_function will go on using the old one[\s\S]*other_processor_config\) uses the same functions/,
    );
    const why = Object.fromEntries(
      tables.flatMap(({ table, kept }) => (kept === undefined ? [] : [[table, kept]])),
    );
    expect(why).toEqual({
      old_odd_original_query_queue: expect.stringContaining('no column note'),
      old_odd_query_fragment_queue: expect.stringContaining('something of others reads it'),
      old_odd_processor_config: expect.stringContaining('"another cache" fills another cache'),
      old_odd_processor_log: expect.stringContaining('1 of its rows do not fit'),
      cache_odd_partition_metadata: expect.stringContaining('1 of its rows do not fit'),
      cache_odd_cache_shape: expect.stringContaining('query is not known (box[])'),
    });
    const count = async (from: string) =>
      Number((await work.query(`SELECT count(*) FROM ${from}`)).rows[0].count);
    expect(await count('public.my_queue')).toBe(1);
    const { rows: names } = await work.query(
      "SELECT name, public.partitioncache_get_cache_table_name('a', 'b') AS ours FROM public.my_function",
    );
    expect(names).toEqual([{ name: 'old', ours: 'a_cache_b' }]);
    const { rows: functions } = await work.query(
      "SELECT proname FROM pg_proc WHERE pronamespace = 'partitioncache_before_adopt'::regnamespace",
    );
    expect(functions).toEqual([{ proname: 'partitioncache_get_cache_table_name' }]);
    expect(await count(kept('old_odd_original_query_queue'))).toBe(3);
    expect(await count(tablesOf(settings).originalQueue)).toBe(3);
    expect(await count('public.cache_odd_cache_city')).toBe(1);
    expect(await count('public.cache_odd_cache_id')).toBe(6);
    const { rows } = await work.query(
      `SELECT datatype FROM ${tablesOf(settings).partitionMetadata} WHERE partition_key = 'city'`,
    );
    expect(rows).toEqual([{ datatype: 'text' }]);
    await isLikeOurOwn(settings);
  });
});

describe('a set-up with roaring bitmaps', () => {
  it('keeps its cache tables as they are', async ({ skip }) => {
    const site = await createSite({ oneRole: true });
    const admin = await adminClient(site.database);
    try {
      const { rowCount } = await admin.query(
        "SELECT FROM pg_available_extensions WHERE name = 'roaringbitmap'",
      );
      // Debian's PostgreSQL 15 has none.
      if (rowCount === 0) skip();
      await admin.query('CREATE EXTENSION roaringbitmap');
    } finally {
      await admin.end();
    }
    const settings = site.settings(prefixes('roaring', 'roaringbit'));
    await makeForeignSetup(site.cluster, settings, {
      owner: site.migrator.name,
      config: { enabled: false },
    });
    const work = await connectAs(settings.work);
    // As where the tool has its configuration in the pg_cron database alone.
    const { processorConfig } = tablesOf(settings);
    await work.query(`DROP TABLE ${processorConfig}`);
    const adopt = async (...args: string[]) => {
      const world = fakeWorld({ env: site.environment(prefixes('roaring', 'roaringbit')) });
      const code = await runCli(['adopt', ...args], world);
      return { code, text: world.stdout.text + world.stderr.text };
    };
    const cache = `${settings.tablePrefix}_cache_zipcode`;
    const look = async () => ({
      oid: (await work.query('SELECT $1::regclass::oid AS oid', [`public.${cache}`])).rows[0].oid,
      rows: (await work.query(`SELECT * FROM public.${cache} ORDER BY query_hash`)).rows,
    });
    const before = await look();
    expect(await adopt('--dry-run')).toEqual({
      code: 3,
      text: expect.stringMatching(
        /To be done:\n.*deploy this package[\s\S]*cache_roaring_cache_zipcode: 5 sets, as they are[\s\S]*not kept:\n/,
      ),
    });
    expect(await adopt('--yes')).toEqual({
      code: 0,
      text: expect.stringMatching(/Taken over: \d+ rows of 9 tables[\s\S]*This is release 1/),
    });
    expect(await look()).toEqual(before);
    const { rows: processors } = await work.query(
      `SELECT job_name, enabled FROM ${processorConfig}`,
    );
    expect(processors).toEqual([{ job_name: defaultJobName(settings), enabled: false }]);
    expect(await verify(settings)).toMatchObject({ clean: true });
  });
});
