import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { clientName, ownName } from '../../src/deployment/own-names.js';
import { deploymentTables } from '../../src/deployment/placeholder-values.js';
import type { PcacheError } from '../../src/errors/pcache-error.js';
import { cacheTablesWithoutGrants } from '../../src/operations/cache-grants.js';
import { type DownOptions, down } from '../../src/operations/down.js';
import { plan } from '../../src/operations/plan.js';
import { readStatus } from '../../src/operations/status.js';
import { verify } from '../../src/operations/verify.js';
import { placeHold } from '../../src/processor/holds.js';
import type { Settings } from '../../src/settings/settings.js';
import { adminClient, createRole } from '../harness/databases.js';
import { connectAs, createSite, deploy, setUp, type TestSite } from '../harness/deployment.js';
import { dumpSchema } from '../harness/dump-schema.js';
import { migrationBefore } from '../harness/package-migrations.js';
import { populate } from '../harness/populate.js';
import { whatRuns, whileNoQueueIsDropped } from '../harness/refused-drop.js';
import { cli } from '../unit/cli/fake-world.js';

function takeDown(settings: Settings, options: Partial<DownOptions> = {}) {
  return down(settings, {
    streams: ['work', 'cron'],
    extent: { all: true },
    confirm: async () => false,
    drainSeconds: 30,
    waitSeconds: 20,
    onWait: () => {},
    log: () => {},
    ...options,
  });
}

/** Every row of the clients' tables and of ours that hold what people or the processor put there. */
async function rowsOf(client: pg.Client, settings: Settings) {
  const caches = [1, 2, 3].map((i) => `${settings.tablePrefix}_cache_key${i}`);
  const { activeJobs, ...tables } = deploymentTables(settings);
  const names = [
    ...[activeJobs, ...Object.values(tables), ...caches].map((name) => clientName(settings, name)),
    ...['settings', 'attempt', 'hold'].map((name) => ownName(settings, name)),
  ];
  const rows: Record<string, unknown[]> = {};
  for (const name of names) {
    const found = await client.query(`SELECT to_jsonb(t) AS row FROM ${name} AS t ORDER BY 1`);
    // The numbers of jobs are pg_cron's to give, and to note them is a change.
    rows[name] = found.rows.map(({ row: { job_ids, ...row } }) =>
      job_ids === undefined ? row : { ...row, updated_at: 'whenever' },
    );
  }
  return rows;
}

async function schemasNamed(client: pg.Client, name: string) {
  const { rows } = await client.query(
    `SELECT obj_description(oid, 'pg_namespace') AS comment, nspacl::text AS acl
       FROM pg_namespace WHERE nspname = $1`,
    [name],
  );
  return rows;
}

interface FilledSite {
  readonly site: TestSite;
  readonly settings: Settings;
  readonly admin: pg.Client;
}

/** Without work that nobody does: maintenance would remove it, also while processing is held. */
async function fillUp(work: pg.Client, settings: Settings): Promise<void> {
  await work.query('BEGIN');
  await populate(work, settings);
  await work.query(`DELETE FROM ${ownName(settings, 'batch')}`);
  await work.query(`DELETE FROM ${clientName(settings, deploymentTables(settings).activeJobs)}`);
  await work.query('COMMIT');
}

/** Deployed, with a thousand rows in every table that has to last, and a processor that is enabled and has nothing due. */
async function filledSite(link: boolean, changes: NodeJS.ProcessEnv = {}): Promise<FilledSite> {
  const site = await createSite({ link });
  const settings = site.settings(changes);
  await setUp(settings, { enable: true, parallel: 2, frequencySeconds: 3600 });
  const admin = await adminClient(site.database);
  const work = await connectAs(settings.work);
  await fillUp(work, settings);
  await work.query(`UPDATE ${ownName(settings, 'settings')} SET max_attempts = 7, max_slots = 30`);
  await placeHold(work, settings, 'pause', 'the load');
  await work.end();
  return { site, settings, admin };
}

const BIT = { CACHE_BACKEND: 'postgresql_bit', PG_BIT_CACHE_TABLE_PREFIX: 'my_cache' };

describe.each([
  ['deploy', 'array', {}],
  ['link', 'bit', BIT],
])('transport %s, backend %s', (transport, _, changes) => {
  let it_: FilledSite;

  beforeAll(async () => {
    it_ = await filledSite(transport === 'link', changes);
    return () => it_.admin.end();
  });

  it('keeps every row through down --all and up, and nobody else may see it meanwhile', async () => {
    const { site, settings, admin } = it_;
    const rows = await rowsOf(admin, settings);
    const schema = await dumpSchema(site.cluster, site.database);
    const downPlan = await plan(settings, {
      direction: 'down',
      streams: ['work', 'cron'],
      extent: { all: true },
    });
    const tables = deploymentTables(settings);
    expect(downPlan.kept).toEqual(
      expect.arrayContaining([...Object.values(tables), 'settings', 'attempt', 'hold']),
    );

    const { lost, keptTables, keptSchema } = await takeDown(settings);
    expect({ lost, keptSchema }).toEqual({ lost: [], keptSchema: 'partitioncache_kept' });
    const counts = Object.fromEntries(keptTables.map((kept) => [kept.table, kept.rows]));
    expect(counts).toMatchObject({
      [tables.fragmentQueue]: 1000,
      [tables.originalQueue]: 1000,
      [tables.processorLog]: 1000,
      [tables.queries]: 1000,
      [tables.processorConfig]: 1,
      [tables.partitionMetadata]: 3,
      my_cache_cache_key1: 1000,
      my_cache_cache_key3: 1000,
      settings: 1,
      attempt: 1000,
      hold: 1,
    });
    const [kept] = await schemasNamed(admin, 'partitioncache_kept');
    expect(kept.comment).toMatch(
      /since 2\d{3}-.*undid release 1 of .*pcache-migrate up.*DROP SCHEMA "partitioncache_kept" CASCADE;/,
    );
    expect(kept.acl).toBeNull();
    const status = await readStatus(settings);
    expect(status.kept.map(({ table }) => table).sort()).toEqual(Object.keys(counts).sort());
    expect(status.unknown).toEqual([]);

    const upPlan = await plan(settings, { direction: 'up', streams: ['work', 'cron'] });
    expect(upPlan.kept).toEqual(Object.keys(counts).sort());
    const { takenBack, stillKept, jobs } = await deploy(settings);
    expect(stillKept).toEqual([]);
    expect(Object.fromEntries(takenBack.map((one) => [one.table, one.rows]))).toEqual(counts);
    expect(await rowsOf(admin, settings)).toEqual(rows);
    expect(await schemasNamed(admin, 'partitioncache_kept')).toEqual([]);
    expect(await dumpSchema(site.cluster, site.database)).toBe(schema);
    expect(jobs.filter(({ action }) => action === 'scheduled')).toHaveLength(5);
    expect(await verify(settings)).toMatchObject({ clean: true });
    expect(await readStatus(settings)).toMatchObject({ upToDate: true, kept: [] });
    const { rows: next } = await admin.query(
      `INSERT INTO ${clientName(settings, tables.fragmentQueue)} (query, hash, partition_key)
       VALUES ('SELECT 1', 'the next', 'key1') RETURNING id`,
    );
    expect(next).toEqual([{ id: 1001 }]);
  });

  it('leaves what is enabled as it was, with its jobs, when it fails', async () => {
    const { settings, admin } = it_;
    const cronAdmin = await adminClient('postgres');
    const before = await whatRuns(admin, cronAdmin, settings);
    expect(before).toMatchObject({ processors: [{ enabled: true }], jobs: { length: 5 } });
    const to = await migrationBefore('work', 'notify_queue');
    await whileNoQueueIsDropped(admin, settings, async () => {
      await expect(takeDown(settings, { streams: ['work'], extent: { to } })).rejects.toThrow(
        'not this one',
      );
    });
    expect(await whatRuns(admin, cronAdmin, settings)).toEqual(before);
    expect(await readStatus(settings)).toMatchObject({ upToDate: true, kept: [] });
    await cronAdmin.end();
  });

  // What follows is the same for all transports, but most is at stake with the link.
  if (transport !== 'link') return;

  it('keeps those of a part, and leaves no job that calls what is gone', async () => {
    const { settings, admin } = it_;
    const rows = await rowsOf(admin, settings);
    const { keptTables, jobs } = await takeDown(settings, {
      streams: ['work'],
      extent: { to: await migrationBefore('work', 'notify_queue') },
    });
    expect(keptTables.map(({ table }) => table)).not.toContain('settings');
    expect(keptTables.map(({ table }) => table)).toContain('my_cache_cache_key1');
    expect(jobs.map(({ action }) => action)).toEqual(Array(5).fill('unscheduled'));
    const { takenBack, jobs: again } = await deploy(settings);
    expect(takenBack).toHaveLength(keptTables.length);
    expect(await rowsOf(admin, settings)).toEqual(rows);
    expect(again.map(({ action }) => action)).toEqual(Array(5).fill('scheduled'));
    expect(await verify(settings)).toMatchObject({ clean: true });
  });

  it('names what others hang on what it drops, with the lines, before it changes anything', async () => {
    const { settings, admin } = it_;
    const rows = await rowsOf(admin, settings);
    const app = await connectAs(settings.client);
    const queue = clientName(settings, deploymentTables(settings).fragmentQueue);
    const lines = [
      'DROP VIEW public."on the view";',
      'DROP VIEW public.in_the_way;',
      'ALTER TABLE public.refers DROP CONSTRAINT "tied";',
      'DROP VIEW public.named;',
      `DROP STATISTICS ${queue.replaceAll('"', '')};`,
      'ALTER DOMAIN public.checked DROP CONSTRAINT "named";',
    ];
    await admin.query(`GRANT REFERENCES ON my_cache_cache_key1 TO ${settings.client.user}`);
    await app.query(`
      CREATE VIEW in_the_way AS SELECT * FROM ${queue};
      CREATE VIEW "on the view" AS SELECT id FROM in_the_way;
      CREATE VIEW named AS SELECT public.partitioncache_get_queries_table_name('x');
      CREATE TABLE refers (query_hash text CONSTRAINT tied REFERENCES my_cache_cache_key1);
      -- With the name of a table of ours, which is what they are not on.
      CREATE STATISTICS ${queue}
        ON (public.partitioncache_get_queries_table_name(query_hash)), query_hash FROM refers;
      CREATE DOMAIN checked AS text CONSTRAINT named
        CHECK (public.partitioncache_get_queries_table_name(VALUE) IS NOT NULL)`);
    const refused = await takeDown(settings).catch((error: PcacheError) => error);
    expect(refused).toMatchObject({
      name: 'InTheWayError',
      message: expect.stringContaining(`view public.in_the_way of role "${settings.client.user}"`),
    });
    const found = (refused as PcacheError).remedy?.match(/^ {2}.*$/gm)?.map((line) => line.trim());
    expect(found?.sort()).toEqual([...lines].sort());
    expect(await schemasNamed(admin, 'partitioncache_kept')).toEqual([]);
    expect(await rowsOf(admin, settings)).toEqual(rows);
    expect(await readStatus(settings)).toMatchObject({ upToDate: true });
    for (const line of found ?? []) await app.query(line);
    await app.query('DROP TABLE refers; DROP DOMAIN checked');
    await admin.query(`REVOKE REFERENCES ON my_cache_cache_key1 FROM ${settings.client.user}`);
  });

  it('names who holds the lock that anybody who may connect can take', async () => {
    const { settings, admin } = it_;
    const { rows } = await admin.query(
      "SELECT 'partitioncache.hold'::regclass::oid::integer AS id",
    );
    const stranger = await connectAs(settings.client);
    await stranger.query("SET application_name = 'a stranger'");
    const { rows: pids } = await stranger.query(
      `SELECT pg_advisory_lock(${rows[0].id}, 0), pg_backend_pid() AS pid`,
    );
    const who = `pid ${pids[0].pid}, role "${settings.client.user}", application "a stranger"`;
    await expect(takeDown(settings)).rejects.toMatchObject({
      message: expect.stringMatching(
        new RegExp(`held: ${who}.*pg_terminate_backend\\(${pids[0].pid}\\)`, 's'),
      ),
    });
    await stranger.end();
    expect(await readStatus(settings)).toMatchObject({ upToDate: true });
  });
});

describe('what does not fit', () => {
  let it_: FilledSite;
  let bits: Settings;

  beforeAll(async () => {
    it_ = await filledSite(false);
    bits = it_.site.settings(BIT);
    return () => it_.admin.end();
  });

  it('stays kept and is named with the reason, and is not replaced by a second down', async () => {
    const { admin, settings } = it_;
    const tables = deploymentTables(settings);
    await admin.query(
      `ALTER TABLE ${clientName(settings, tables.originalQueue)} ADD COLUMN note text`,
    );
    const rows = await rowsOf(admin, settings);
    await takeDown(settings);
    const planned = await plan(bits, { direction: 'up', streams: ['work', 'cron'] });
    const shown = await cli(['plan'], { env: it_.site.environment(BIT) });
    const { takenBack, stillKept } = await deploy(bits);
    // Columns are compared when the table is there.
    const known = stillKept.filter(({ table }) => table !== tables.originalQueue);
    expect(planned.stillKept).toEqual(
      known.map(({ table, rows, reason }) => ({ table, rows, reason })),
    );
    const [, section = ''] = shown.stdout.split('Kept by earlier rollbacks, and not taken back');
    expect(section).toMatch(
      new RegExp(`partitioncache_kept\\.${tables.queries} +1,000 +.*backend "array"`),
    );
    const comesBack = /Taken back from schema "partitioncache_kept", where they fit: (.*)\./;
    expect(comesBack.exec(shown.stdout)?.[1]?.split(', ')).toEqual(
      [...takenBack.map(({ table }) => table), tables.originalQueue].sort(),
    );
    expect(takenBack).toContainEqual({ table: tables.fragmentQueue, rows: 1000 });
    expect(Object.fromEntries(stillKept.map(({ table, reason }) => [table, reason]))).toMatchObject(
      {
        [tables.queries]: expect.stringContaining('of a cache with backend "array"'),
        my_cache_cache_key2: expect.stringContaining('of a cache with backend "array"'),
        [tables.processorConfig]: expect.stringContaining('serves another cache'),
      },
    );

    const work = await connectAs(bits.work);
    await fillUp(work, bits);
    const before = await rowsOf(admin, bits);
    await expect(takeDown(bits)).rejects.toMatchObject({
      name: 'NoRoomForKeptError',
      message: expect.stringMatching(
        /is there already, kept with \d+ rows since .*Nothing was changed/,
      ),
      remedy: expect.stringMatching(/DROP TABLE "partitioncache_kept"\."\w+";.*--drop-data/s),
    });
    expect(await rowsOf(admin, bits)).toEqual(before);

    await takeDown(bits, { dropData: true, confirm: async ({ lost }) => lost.length > 0 });
    const last = await deploy(settings);
    expect(last.stillKept).toMatchObject([{ table: tables.originalQueue, rows: 1000 }]);
    const found = await rowsOf(admin, settings);
    for (const name of [tables.queries, tables.processorConfig, 'my_cache_cache_key1']) {
      const table = clientName(settings, name);
      expect(found[table]).toEqual(rows[table]);
    }
  });

  it('goes with down --all --drop-data, also where nothing is applied any more, and after the question', async () => {
    const { admin, settings } = it_;
    await takeDown(settings);
    const kept = (await readStatus(settings)).kept.map(({ table, rows }) => ({
      table: `partitioncache_kept.${table}`,
      rows,
    }));
    expect(kept).toContainEqual({ table: 'partitioncache_kept.my_cache_cache_key1', rows: 1000 });
    const dropData = { dropData: true } as const;
    const request = {
      direction: 'down',
      streams: ['work', 'cron'],
      extent: { all: true },
    } as const;
    const planned = await plan(settings, { ...request, ...dropData });
    expect(planned).toMatchObject({ direction: 'down', isPending: true, kept: [] });
    expect(
      planned.givenUp.map(({ table, rows }) => ({ table: `partitioncache_kept.${table}`, rows })),
    ).toEqual(kept);
    expect(planned.givenUp.filter(({ bytes }) => bytes < 8192)).toEqual([]);
    const asked = await cli(['plan', '--down', '--all', '--drop-data'], {
      env: it_.site.environment(),
    });
    expect(asked.stdout).toContain('Dropped with their rows, which earlier rollbacks kept');
    expect(asked.stdout).toMatch(/partitioncache_kept\.my_cache_cache_key1 +1,000 +\d+ kB/);
    expect(asked.code).toBe(3);
    // A role that may only plan sees no rows, and approves the same.
    const planner = await createRole('planner');
    const seen = await plan(
      { ...settings, planner: { user: planner.name, password: planner.password } },
      { ...request, ...dropData },
    );
    expect(seen.givenUp.map(({ table }) => table)).toEqual(
      planned.givenUp.map(({ table }) => table),
    );
    expect(new Set(seen.givenUp.map(({ rows }) => rows))).toEqual(new Set([null]));
    expect(seen.hash).toBe(planned.hash);
    expect(await plan(settings, request)).toMatchObject({ isPending: false, givenUp: [] });
    expect(await takeDown(settings, dropData)).toMatchObject({ confirmed: false });
    expect((await readStatus(settings)).kept).toHaveLength(kept.length);
    const report = await takeDown(settings, { ...dropData, confirm: async () => true });
    expect(report.lost).toEqual(kept);
    expect(await schemasNamed(admin, 'partitioncache_kept')).toEqual([]);
    expect(await takeDown(settings, dropData)).toMatchObject({ confirmed: true, lost: [] });
    const after = await plan(settings, { ...request, ...dropData });
    expect(after).toMatchObject({ isPending: false, givenUp: [] });
    expect(after.hash).not.toBe(planned.hash);
  });

  it('stays kept where a run makes no such table, as plan says before, to every role the same', async () => {
    const { settings } = it_;
    await deploy(settings);
    const work = await connectAs(settings.work);
    await fillUp(work, settings);
    await work.end();
    await takeDown(settings);
    const part = {
      streams: ['work'],
      to: await migrationBefore('work', 'notify_queue'),
    } as const;
    const planned = await plan(settings, { direction: 'up', ...part });
    const planner = await createRole('planner');
    const seen = await plan(
      { ...settings, planner: { user: planner.name, password: planner.password } },
      { direction: 'up', ...part },
    );
    const { stillKept } = await deploy(settings, part);
    const reason = 'this run of up makes no such table';
    expect(stillKept).toContainEqual(
      expect.objectContaining({ table: 'attempt', rows: 1000, reason }),
    );
    const said = stillKept.map(({ since, ...rest }) => rest);
    expect(planned.stillKept).toEqual(said);
    expect(seen.stillKept).toEqual(said.map((one) => ({ ...one, rows: null })));
    expect(seen.hash).toBe(planned.hash);
  });
});

describe('where nothing can be kept', () => {
  let it_: FilledSite;

  beforeAll(async () => {
    it_ = await filledSite(false);
    return () => it_.admin.end();
  });

  it('says what to grant, or how to drop the rows, and changes nothing', async () => {
    const { admin, settings, site } = it_;
    const rows = await rowsOf(admin, settings);
    const database = pg.escapeIdentifier(site.database);
    await admin.query(`ALTER DATABASE ${database} OWNER TO postgres`);
    await admin.query(`REVOKE CREATE ON DATABASE ${database} FROM ${site.migrator.name}`);
    await expect(takeDown(settings)).rejects.toMatchObject({
      name: 'NoRoomForKeptError',
      remedy: `As the owner of the database: GRANT CREATE ON DATABASE ${database} TO "${site.migrator.name}"; Or drop them with their rows: pcache-migrate down --drop-data`,
    });
    await admin.query('CREATE SCHEMA partitioncache_kept');
    await admin.query(`ALTER SCHEMA partitioncache_kept OWNER TO ${site.app.name}`);
    await expect(takeDown(settings)).rejects.toMatchObject({
      name: 'NoRoomForKeptError',
      message: expect.stringContaining(`belongs to role "${site.app.name}"`),
    });
    expect(await rowsOf(admin, settings)).toEqual(rows);
    expect(await readStatus(settings)).toMatchObject({ upToDate: true, kept: [] });
  });
});

describe('what clients have put under the names of cache tables', () => {
  let site: TestSite;
  let settings: Settings;
  let theirs: Settings;
  let admin: pg.Client;
  const own = 'my_cache_cache_zipcode';
  const notOurs = [
    { table: 'my_cache_cache_accounts', reason: 'it has not the columns of a cache table' },
    { table: 'my_cache_cache_mine', reason: expect.stringMatching(/^it belongs to role "?app/) },
    {
      table: 'my_cache_cache_x_cache_zipcode',
      reason: 'it belongs to another deployment',
    },
    { table: 'my_cache_cache_x_queries', reason: 'it belongs to another deployment' },
  ];

  const present = async () => {
    const { rows } = await admin.query<{ relname: string }>(
      `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
          AND relname LIKE 'my\\_cache\\_cache\\_%' ORDER BY 1`,
    );
    return rows.map(({ relname }) => relname);
  };

  beforeAll(async () => {
    site = await createSite();
    settings = site.settings(BIT);
    theirs = site.settings({
      PCACHE_SCHEMA: 'theirs',
      PG_QUEUE_TABLE_PREFIX: 'theirs_queue',
      PG_ARRAY_CACHE_TABLE_PREFIX: 'my_cache_cache_x',
    });
    admin = await adminClient(site.database);
    await deploy(settings);
    await deploy(theirs);
    const work = await connectAs(settings.work);
    for (const schema of [settings.schema, theirs.schema]) {
      await work.query(`SELECT ${schema}.bootstrap_partition('zipcode', 'integer', NULL, false)`);
    }
    await work.query('CREATE TABLE my_cache_cache_accounts (iban text PRIMARY KEY)');
    const app = await connectAs(settings.client);
    await app.query('CREATE TABLE my_cache_cache_mine (LIKE my_cache_cache_zipcode INCLUDING ALL)');
    await app.query(
      `INSERT INTO my_cache_partition_metadata (partition_key, datatype, bitsize)
       SELECT key, 'integer', 8 FROM unnest('{accounts,mine,none,x_cache_zipcode,x_queries}'::text[]) AS key`,
    );
    await work.query(`INSERT INTO ${own} VALUES ('h', NULL)`);
    return () => admin.end();
  });

  it('is not widened with the rights of our owner', async () => {
    const app = await connectAs(settings.client);
    await expect(
      app.query(
        "UPDATE my_cache_partition_metadata SET bitsize = 64 WHERE partition_key = 'accounts'",
      ),
    ).rejects.toMatchObject({
      code: '42809',
      message: expect.stringContaining('it has not the columns of a cache table'),
    });
  });

  it('keeps its views, which read nothing until it is back with the grants that it had', async () => {
    const acls = async () => {
      const { rows } = await admin.query<{ acl: string }>(
        `SELECT x.*::text AS acl FROM pg_class AS c, pg_attribute AS a,
                LATERAL (SELECT unnest(c.relacl)::text UNION SELECT attname || unnest(attacl)::text) AS x
          WHERE c.oid = '${own}'::regclass AND attrelid = c.oid ORDER BY 1`,
      );
      return rows.map(({ acl }) => acl);
    };
    await admin.query(`
      GRANT SELECT ON ${own} TO PUBLIC;
      GRANT UPDATE (partition_keys) ON ${own} TO ${site.app.name} WITH GRANT OPTION`);
    const before = await acls();
    const app = await connectAs(settings.client);
    await app.query(`CREATE VIEW reads AS SELECT * FROM ${own}`);
    await takeDown(settings);
    await expect(app.query('SELECT * FROM reads')).rejects.toMatchObject({ code: '42501' });
    await deploy(settings);
    expect(await acls()).toEqual(before);
    expect((await app.query('SELECT query_hash FROM reads')).rows).toEqual([{ query_hash: 'h' }]);
    await app.query('DROP VIEW reads');
  });

  it('is not ours: nobody gets rights on it, and down leaves it alone and says so', async () => {
    const there = await present();
    const work = await connectAs(settings.work);
    expect(await cacheTablesWithoutGrants(work, settings)).toEqual([]);

    const kept = await takeDown(settings);
    expect(kept.keptTables.map(({ table }) => table)).toEqual(['my_cache_partition_metadata', own]);
    expect(kept.notOurs).toEqual(notOurs);
    expect(await present()).toEqual(there.filter((name) => name !== own));
    expect((await deploy(settings)).stillKept).toEqual([]);
    expect(await present()).toEqual(there);

    const asked: string[] = [];
    const dropped = await takeDown(settings, {
      dropData: true,
      confirm: async ({ lost }) => {
        asked.push(...lost.filter(({ rows }) => rows > 0).map(({ table }) => table));
        return true;
      },
    });
    expect(asked).toEqual(['my_cache_partition_metadata', own]);
    expect(dropped.notOurs).toEqual(notOurs);
    expect(await present()).toEqual(there.filter((name) => name !== own));
    expect(await verify(theirs)).toMatchObject({ clean: true });
  });
});
