import type pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { PcacheError } from '../../src/errors/pcache-error.js';
import { type AdoptForeignOptions, adoptForeign } from '../../src/operations/adopt-foreign.js';
import type { Settings } from '../../src/settings/settings.js';
import { adminClient, createRole } from '../harness/databases.js';
import { connectAs, createSite, type TestSite } from '../harness/deployment.js';
import { makeForeignSetup } from '../harness/foreign-setup.js';
import { waitFor } from '../harness/wait-for.js';

// Whoever owned a part of the old set-up has hung something on it that would run as the migrator, or as the
// administrator, when that part is taken over. The versions of the server do not matter.

const quietly = {
  confirm: async () => true,
  drainSeconds: 20,
  waitSeconds: 20,
  onWait: () => {},
  log: () => {},
};
const test = it.skipIf(inject('runtime').kind === 'local');
let admin: pg.Client;

beforeAll(async () => {
  admin = await adminClient('postgres');
});

afterAll(() => admin.end());

interface Setup {
  readonly site: TestSite;
  readonly settings: Settings;
  /** The client's role, which owns the old set-up. */
  readonly app: pg.Client;
}

async function make(name: string): Promise<Setup> {
  const site = await createSite();
  const settings = site.settings({
    PG_QUEUE_TABLE_PREFIX: `old_${name}`,
    PG_ARRAY_CACHE_TABLE_PREFIX: `cache_${name}`,
    PG_ADMIN_USER: site.cluster.adminUser,
    PG_ADMIN_PASSWORD: site.cluster.adminPassword,
  });
  await makeForeignSetup(site.cluster, settings, { owner: site.app.name, jobsOf: undefined });
  return { site, settings, app: await connectAs(settings.client) };
}

/** It may refuse; what matters is what ran meanwhile. */
async function adopt(
  settings: Settings,
  options: Partial<AdoptForeignOptions> = {},
): Promise<void> {
  await adoptForeign(settings, { ...quietly, ...options }).catch(() => {});
}

/** A trigger that fires when a row of `parent` is deleted, at the end of the transaction. */
const planted = (schema: string, parent: string, column: string, key: string) => `
  CREATE TABLE ${schema}.loot (who text);
  GRANT ALL ON ${schema}.loot TO PUBLIC;
  CREATE TABLE ${schema}.kid (k text REFERENCES ${parent} (${column}) ON DELETE CASCADE);
  INSERT INTO ${schema}.kid VALUES ('${key}');
  CREATE FUNCTION ${schema}.steal() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO ${schema}.loot VALUES (current_user); RETURN NULL; END $$;
  CREATE CONSTRAINT TRIGGER steal AFTER DELETE ON ${schema}.kid DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION ${schema}.steal();`;

async function victims(client: pg.Client, schema: string): Promise<string[]> {
  const { rows } = await client.query(`SELECT DISTINCT who FROM ${schema}.loot`);
  return rows.map(({ who }) => who);
}

test('a table that refers to a cache table does not run as the migrator', async () => {
  const { site, settings, app } = await make('a');
  await app.query(planted('public', 'public.cache_a_cache_zipcode', 'query_hash', 'known1'));
  await adopt(settings);
  expect((await victims(app, 'public')).filter((who) => who !== site.app.name)).toEqual([]);
});

test("a table that refers to the cron role's copy does not run as the administrator", async () => {
  const { site, settings } = await make('b');
  const cron = await connectAs(settings.cron);
  const copy = 'public.old_b_processor_config';
  const evil = `evil_${site.database}`;
  // Where another set-up uses the copy as well, rows are deleted instead of the table.
  await admin.query(
    `ALTER TABLE ${copy} DISABLE TRIGGER USER;
     INSERT INTO ${copy} (job_name, table_prefix, queue_prefix, cache_backend, target_database)
       VALUES ('x', 'x', 'x', 'array', 'x');
     ALTER TABLE ${copy} ENABLE TRIGGER USER;
     CREATE SCHEMA ${evil} AUTHORIZATION ${site.cronRole.name}`,
  );
  const { rows } = await admin.query(`SELECT job_name FROM ${copy} WHERE job_name <> 'x'`);
  let plant: Promise<unknown> | undefined;
  await adopt(settings, {
    onProgress: () => {
      plant ??= cron.query(planted(evil, copy, 'job_name', rows[0].job_name));
    },
  });
  await plant;
  const found = await victims(admin, evil);
  await admin.query(`DROP SCHEMA ${evil} CASCADE; DROP TABLE IF EXISTS ${copy} CASCADE`);
  expect(found.filter((who) => who !== site.cronRole.name)).toEqual([]);
});

test('a function that became SECURITY DEFINER after the look does not run as the migrator', async () => {
  const { site, settings, app } = await make('c');
  const caller = await connectAs(settings.client);
  const answers = new Set<string>();
  let isOver = false;
  const calling = (async () => {
    while (!isOver) {
      await caller
        .query("SELECT public.non_blocking_fragment_queue_upsert('a', 'b', 'integer', 'c') AS who")
        .then(({ rows }) => answers.add(rows[0].who))
        .catch(() => {});
    }
  })();
  await adopt(settings, {
    confirm: async () => {
      await app.query(
        `CREATE OR REPLACE FUNCTION public.non_blocking_fragment_queue_upsert(
           p_hash text, p_partition_key text, p_partition_datatype text, p_query text,
           p_priority integer DEFAULT 1, p_queue_table text DEFAULT 'partitioncache_fragmentqueue')
         RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN current_user; END'`,
      );
      return true;
    },
  });
  isOver = true;
  await calling;
  expect([...answers]).not.toContain(site.migrator.name);
});

test("a column that the client's own function computes does not run as the cron role", async () => {
  const { site, settings, app } = await make('e');
  await app.query(
    `CREATE TABLE public.loot (who text);
     GRANT ALL ON public.loot TO PUBLIC;
     CREATE FUNCTION public.really() RETURNS void LANGUAGE plpgsql
       AS 'BEGIN INSERT INTO public.loot VALUES (current_user); END';
     CREATE FUNCTION public.partitioncache_get_cache_table_name(k integer[]) RETURNS integer
       LANGUAGE plpgsql IMMUTABLE
       AS 'BEGIN PERFORM public.really(); RETURN cardinality(k); END';
     ALTER TABLE public.cache_e_cache_zipcode DROP COLUMN partition_keys_count;
     ALTER TABLE public.cache_e_cache_zipcode ADD COLUMN partition_keys_count integer
       GENERATED ALWAYS AS (public.partitioncache_get_cache_table_name(partition_keys)) STORED;
     DELETE FROM public.loot`,
  );
  await adopt(settings);
  const { rows: functions } = await app.query(
    `SELECT pronamespace::regnamespace::text AS schema, proargtypes::text AS arguments FROM pg_proc
      WHERE proname = 'partitioncache_get_cache_table_name'`,
  );
  // Ours alone: the client's went with the old table, which had used it.
  expect(functions).toEqual([{ schema: 'public', arguments: '25 25' }]);
  const cronRole = await connectAs({ ...settings.cron, database: site.database });
  await cronRole
    .query(
      "INSERT INTO public.cache_e_cache_zipcode (query_hash, partition_keys) VALUES ('fresh', '{1}')",
    )
    .catch(() => {});
  expect((await victims(app, 'public')).filter((who) => who !== site.app.name)).toEqual([]);
});

test('a job of another role does not become one of the administrator who follows the way back', async () => {
  const { settings, site } = await make('f');
  const neighbour = await createSite();
  const cron = await connectAs(neighbour.settings().cron);
  const role = neighbour.cronRole.name;
  const command = "SELECT 1 /* partitioncache_run_single_job_with_params('old_f' */";
  await cron.query('SELECT cron.schedule_in_database($1, $2, $3, $4)', [
    'x',
    '0 0 1 1 *',
    command,
    site.database,
  ]);
  const failed = await adoptForeign(settings, {
    ...quietly,
    // What the way back is printed for: the jobs are stopped, and then it fails.
    onProgress: () => {
      throw new Error('stopped');
    },
  }).catch((error: PcacheError) => error);
  const line = String((failed as PcacheError).remedy)
    .split('\n')
    .find((text) => text.includes('schedule_in_database'));
  await admin.query(line ?? 'SELECT 1 / 0');
  const jobs = 'FROM cron.job WHERE command = $1';
  const { rows } = await admin.query(`SELECT username ${jobs}`, [command]);
  await admin.query(`SELECT cron.unschedule(jobid) ${jobs}`, [command]);
  expect(rows).toEqual([{ username: role }]);
});

test('an index that was not committed when adopt looked keeps the table with its owner', async () => {
  const { site, settings, app } = await make('g');
  const queue = 'public.old_g_query_fragment_queue';
  await app.query(
    `CREATE FUNCTION public.f(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN t; END'`,
  );
  const work = await adminClient(site.database);
  let planted: Promise<unknown> | undefined;
  await adopt(settings, {
    confirm: async () => {
      await app.query(`BEGIN; CREATE INDEX evil ON ${queue} (public.f(hash))`);
      const waits = 'SELECT FROM pg_locks WHERE NOT granted AND relation = $1::regclass';
      planted = waitFor(
        'adopt to wait for the index',
        async () => (await work.query(waits, [queue])).rowCount === 1,
        { deadlineMs: 15_000 },
      ).finally(() => app.query('COMMIT'));
      return true;
    },
  });
  await planted;
  const { rows } = await work.query(
    'SELECT relowner::regrole::text AS owner FROM pg_class WHERE oid = $1::regclass',
    [queue],
  );
  await work.end();
  expect(rows).toEqual([{ owner: site.app.name }]);
});

test("a function of another role stays, whatever the set-up's owner has it called by", async () => {
  const { settings, app, site } = await make('h');
  const victim = await createRole('victim', site.cluster);
  const work = await adminClient(site.database);
  await work.query(`
    GRANT CREATE ON SCHEMA public TO ${victim.name};
    SET ROLE ${victim.name};
    CREATE FUNCTION public.notify_orders() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`);
  await app.query(`CREATE TRIGGER a AFTER INSERT ON public.old_h_query_fragment_queue
    FOR EACH ROW EXECUTE FUNCTION public.notify_orders()`);
  await adopt(settings);
  const { rows } = await work.query(
    `SELECT oid::regprocedure::text AS name, proowner::regrole::text AS owner FROM pg_proc
      WHERE proname = 'notify_orders'`,
  );
  await work.query(`RESET ROLE; DROP OWNED BY ${victim.name} CASCADE; DROP ROLE ${victim.name}`);
  await work.end();
  expect(rows).toEqual([{ name: 'notify_orders()', owner: victim.name }]);
});

test('a job of others that was not shown is not unscheduled', async () => {
  const { settings, app, site } = await make('i');
  const neighbour = await createSite();
  const cron = await connectAs(neighbour.settings().cron);
  await cron.query('SELECT cron.schedule_in_database($1, $2, $3, $4)', [
    'victimproc_1',
    '0 0 1 1 *',
    "SELECT * FROM public.partitioncache_run_single_job_with_params('victimproc', 'c', 'q', 'array', 1800, NULL, NULL)",
    site.database,
  ]);
  const refused = adoptForeign(settings, {
    ...quietly,
    confirm: async () => {
      await app.query(`INSERT INTO public.old_i_processor_config
        (job_name, enabled, table_prefix, queue_prefix, cache_backend, target_database)
        VALUES ('victimproc', false, 'zz', 'zz', 'array', 'zz')`);
      return true;
    },
  });
  await expect(refused).rejects.toThrow(/"victimproc_1" of role .* was not shown/);
  const { rows } = await cron.query('SELECT jobname FROM cron.job');
  expect(rows).toEqual([{ jobname: 'victimproc_1' }]);
});
