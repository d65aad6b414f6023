import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { down } from '../../src/operations/down.js';
import { PreflightError } from '../../src/operations/preflight.js';
import { readStatus } from '../../src/operations/status.js';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { runProcessor } from '../../src/processor/run-processor.js';
import type { Settings } from '../../src/settings/settings.js';
import { adminClient } from '../harness/databases.js';
import {
  connectAs,
  createSite,
  deploy,
  enqueue,
  setUp,
  type TestSite,
  tablesOf,
} from '../harness/deployment.js';
import { dumpSchema } from '../harness/dump-schema.js';
import { migrationBefore } from '../harness/package-migrations.js';
import {
  bitBackend,
  clientsOwnTables,
  clientsOwnVersion,
  contractFunctions,
  type Scenario,
  startScenario,
} from './client-contract.js';

function takeDown(settings: Settings, to?: string) {
  return down(settings, {
    streams: to === undefined ? ['work', 'cron'] : ['work'],
    extent: to === undefined ? { all: true } : { to },
    dropData: true,
    confirm: async () => true,
    drainSeconds: 30,
    waitSeconds: 20,
    onWait: () => {},
    log: () => {},
  });
}

/** One role deploys, schedules and is the client: the guide's `your_username`. */
async function createSingleRoleSite(environment: NodeJS.ProcessEnv) {
  const site = await createSite();
  const { name, password } = site.cronRole;
  const admin = await adminClient(site.database);
  await admin.query(
    `GRANT CREATE ON DATABASE ${site.database} TO ${name}; GRANT USAGE, CREATE ON SCHEMA public TO ${name};
     REVOKE ${site.fragmentRole} FROM ${site.migrator.name}; GRANT ${site.fragmentRole} TO ${name}`,
  );
  await admin.end();
  const settings = site.settings({
    DB_USER: name,
    DB_PASSWORD: password,
    PG_QUEUE_USER: name,
    PG_QUEUE_PASSWORD: password,
    ...environment,
  });
  return { site, settings };
}

describe.each([
  ['array', {}],
  ['bit', bitBackend],
])('a client whose role owns the deployment with backend %s', (_backend, environment) => {
  let site: TestSite;
  let settings: Settings;
  let client: pg.Client;
  let empty: string;

  beforeAll(async () => {
    ({ site, settings } = await createSingleRoleSite(environment));
    empty = await dumpSchema(site.cluster, site.database);
    await setUp(settings, { enable: false, parallel: 1, frequencySeconds: 3600 });
    client = await connectAs(settings.client);
  });

  async function replaceFunctions(): Promise<void> {
    for (const contract of contractFunctions) await client.query(clientsOwnVersion(contract));
    expect(await functionsOfTheClient()).toBe(contractFunctions.length);
  }

  async function functionsOfTheClient(): Promise<number> {
    const { rowCount } = await client.query(
      "SELECT FROM pg_proc WHERE prosrc LIKE '%own % was called%'",
    );
    return rowCount ?? 0;
  }

  let keys = 0;
  /** Fragments of a new partition key, whose table must be created and, with backend bit, widened. */
  async function queue(): Promise<string> {
    keys += 1;
    const key = `key_${keys}`;
    await client.query(
      `INSERT INTO ${tablesOf(settings).fragmentQueue} (hash, partition_key, partition_datatype, query) VALUES
         ('first', $1, 'integer', 'SELECT 3'), ('second', $1, 'integer', 'SELECT 5 UNION SELECT 1234')`,
      [key],
    );
    return key;
  }

  async function expectCached(key: string): Promise<void> {
    const { rows } = await client.query(
      `SELECT query_hash, partition_keys_count AS count FROM ${settings.tablePrefix}_cache_${key} ORDER BY 1`,
    );
    expect(rows).toEqual([
      { query_hash: 'first', count: 1 },
      { query_hash: 'second', count: 2 },
    ]);
  }

  async function expectProcessing(): Promise<void> {
    const job = defaultJobName(settings);
    const byHand = await queue();
    expect((await runProcessor(client, settings, job, 10)).outcomes).toEqual({ ok: 2 });
    await expectCached(byHand);

    // The exact CALL of pg_cron's job, which the transport `deploy` does not tell about this change.
    const byJob = await queue();
    const { processorConfig } = tablesOf(settings);
    await client.query(`UPDATE ${processorConfig} SET enabled = true`);
    // The previous run was less than its frequency ago.
    await client.query("UPDATE partitioncache.slot SET next_due = '-infinity'");
    await client.query(`CALL partitioncache.run_processor('${job}', 1)`);
    await client.query(`UPDATE ${processorConfig} SET enabled = false`);
    await expectCached(byJob);
    // What a maintenance run does; the run itself lasts a minute.
    await client.query(
      `SELECT partitioncache.delete_old_log(10), partitioncache.cancel_overdue(), partitioncache.release_results(),
              partitioncache.share_waiting(), partitioncache.release_dead_batches(), partitioncache.publish_running(),
              partitioncache.delete_idle_attempts(), partitioncache.delete_cached_duplicates(0, 10)`,
    );
  }

  /** It is said that something is not as it was released, and nothing else is wrong. */
  async function expectChangedByTheClientAlone() {
    const { streams, drift, unknown, objects } = await readStatus(settings);
    expect(streams.flatMap(({ pending, problems }) => [...pending, ...problems])).toEqual([]);
    expect([...drift, ...unknown]).toEqual([]);
    expect(objects).toMatchObject([
      { stream: 'work', changed: true },
      { stream: 'cron', changed: false },
    ]);
  }

  it('may replace all functions with its own: none of our code calls them', async () => {
    await replaceFunctions();
    await expectProcessing();
    await expectChangedByTheClientAlone();
    expect((await deploy(settings)).streams.flatMap(({ migrations }) => migrations)).toEqual([]);
    expect(await functionsOfTheClient()).toBe(contractFunctions.length);
  });

  it('gets ours back by down and up', async () => {
    await replaceFunctions();
    await takeDown(settings, await migrationBefore('work', 'non_blocking_fragment_queue_upsert'));
    expect(await functionsOfTheClient()).toBe(0);
    await deploy(settings);
    await expectProcessing();
    const { rows } = await client.query(
      'SELECT processed_count FROM partitioncache_manual_process_queue(1)',
    );
    expect(rows).toEqual([{ processed_count: 0 }]);
  });

  it('may drop and recreate the queue', async () => {
    const { [queueTable(settings)]: definition } = clientsOwnTables(settings);
    await client.query(`DROP TABLE ${queueTable(settings)}`);
    await client.query(`CREATE TABLE ${queueTable(settings)} (${definition})`);
    await expectProcessing();
    await enqueue(client, settings, [
      { hash: 'again', key: 'key_1', datatype: 'integer', query: 'SELECT 7' },
    ]);
    expect((await runProcessor(client, settings, defaultJobName(settings), 10)).outcomes).toEqual({
      ok: 1,
    });
    await expectChangedByTheClientAlone();
  });

  it('may drop and recreate all of its tables', async () => {
    const own = Object.entries(clientsOwnTables(settings)).filter(
      ([table]) => !table.includes('_cache_zipcode'),
    );
    const { rows: caches } = await client.query(
      'SELECT relname FROM pg_class WHERE starts_with(relname, $1) AND relkind = $2',
      [`${settings.tablePrefix}_cache_`, 'r'],
    );
    for (const { relname } of caches) await client.query(`DROP TABLE ${relname}`);
    const { rows } = await client.query(`SELECT * FROM ${tablesOf(settings).processorConfig}`);
    for (const [table] of own) await client.query(`DROP TABLE IF EXISTS ${table}`);
    for (const [table, definition] of own) {
      await client.query(`CREATE TABLE ${table} (${definition})`);
    }
    await client.query(
      `INSERT INTO ${tablesOf(settings).processorConfig} SELECT * FROM jsonb_populate_recordset(NULL::${tablesOf(settings).processorConfig}, $1)`,
      [JSON.stringify(rows)],
    );
    if (settings.cacheBackend === 'bit') {
      await client.query('SELECT partitioncache_create_bitsize_trigger($1)', [
        settings.tablePrefix,
      ]);
    }
    await expectProcessing();
    await expectChangedByTheClientAlone();
  });

  it('gets the tables of the cache back from ours as they were', async () => {
    const tables = ['partition_metadata', 'queries'].map(
      (name) => `${settings.tablePrefix}_${name}`,
    );
    await takeDown(settings);
    await deploy(settings);
    const before = await shape(tables);
    for (const table of tables) await client.query(`DROP TABLE ${table}`);
    await client.query('SELECT partitioncache_ensure_metadata_tables($1)', [settings.tablePrefix]);
    expect(await shape(tables)).toEqual(before);
  });

  async function shape(tables: readonly string[]) {
    const { rows } = await client.query(
      `SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid),
              ARRAY(SELECT pg_get_constraintdef(pg_constraint.oid) FROM pg_constraint WHERE conrelid = attrelid ORDER BY 1) AS constraints
         FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE relname = ANY ($1) AND attnum > 0 ORDER BY relname, attnum`,
      [tables],
    );
    return rows;
  }

  it('leaves nothing when everything is rolled back, even with its own functions', async () => {
    await replaceFunctions();
    await takeDown(settings);
    expect(await dumpSchema(site.cluster, site.database)).toBe(empty);
  });
});

function queueTable({ queuePrefix }: Settings): string {
  return `${queuePrefix}_query_fragment_queue`;
}

describe('a cache table that the client created itself', () => {
  let scenario: Scenario;

  beforeAll(async () => {
    scenario = await startScenario();
    const { app, settings } = scenario;
    const { my_cache_cache_zipcode: definition } = clientsOwnTables(settings);
    await app.query(`CREATE TABLE my_cache_cache_own (${definition})`);
    await app.query(
      "INSERT INTO my_cache_partition_metadata (partition_key, datatype) VALUES ('own', 'integer')",
    );
  });

  async function process(hash: string) {
    const { app, cronRole, settings } = scenario;
    await enqueue(app, settings, [
      { hash, key: 'own', datatype: 'integer', query: 'SELECT 1' },
      { hash: `${hash}, then`, key: 'zipcode', datatype: 'integer', query: 'SELECT 1' },
    ]);
    return (await runProcessor(cronRole, settings, defaultJobName(settings), 10)).outcomes;
  }

  it('is not used by the jobs, which say so and go on', async () => {
    expect(await process('closed')).toEqual({ failed: 1, ok: 1 });
    const { rows } = await scenario.app.query(
      `SELECT query_hash, status, error_message FROM ${tablesOf(scenario.settings).processorLog} ORDER BY id`,
    );
    expect(rows).toEqual([
      {
        query_hash: 'closed',
        status: 'failed',
        error_message:
          '42809: table public.my_cache_cache_own is not used, because it is not as role ' +
          `${scenario.site.migrator.name} made it: owner ${scenario.site.app.name}; drop that, or the table; ` +
          'the processor makes its own',
      },
      { query_hash: 'closed, then', status: 'success', error_message: null },
    ]);
  });

  it('is not used either once the jobs may: a trigger of the client would run as the cron role', async () => {
    await scenario.app.query(
      `GRANT SELECT, INSERT, UPDATE ON my_cache_cache_own TO ${scenario.site.cronRole.name}`,
    );
    expect(await process('granted')).toEqual({ failed: 1, ok: 1 });
  });

  it('is made by the processor once it is dropped', async () => {
    await scenario.app.query('DROP TABLE my_cache_cache_own');
    expect(await process('dropped')).toEqual({ ok: 2 });
    const { rows } = await scenario.app.query('SELECT * FROM my_cache_cache_own');
    expect(rows).toEqual([{ query_hash: 'dropped', partition_keys: [1], partition_keys_count: 1 }]);
  });
});

describe('what deployments share', () => {
  async function createSecond(clientSchema: string) {
    const scenario = await startScenario();
    const { site } = scenario;
    const admin = await adminClient(site.database);
    await admin.query(
      `CREATE SCHEMA IF NOT EXISTS ${clientSchema};
       GRANT USAGE, CREATE ON SCHEMA ${clientSchema} TO ${site.migrator.name}, ${site.app.name};
       GRANT USAGE ON SCHEMA ${clientSchema} TO ${site.cronRole.name}, ${site.fragmentRole}`,
    );
    await admin.end();
    const second = site.settings({
      PCACHE_SCHEMA: 'second',
      PCACHE_CLIENT_SCHEMA: clientSchema,
      PG_QUEUE_TABLE_PREFIX: 'second_queue',
      PG_ARRAY_CACHE_TABLE_PREFIX: 'second_cache',
    });
    await deploy(second);
    return { ...scenario, second };
  }

  it.each(['public', 'elsewhere'])(
    'is dropped with the last one, when the other is in schema %s',
    async (clientSchema) => {
      const { app, settings, second } = await createSecond(clientSchema);
      const intarray = async () =>
        (await app.query("SELECT FROM pg_extension WHERE extname = 'intarray'")).rowCount;
      await takeDown(settings);
      await app.query(`SET search_path = ${clientSchema}`);
      const { rows } = await app.query(
        "SELECT partitioncache_setup_array_extensions() AS complete, array_intersect_agg(k) AS both FROM (VALUES ('{1,2}'::text[]), ('{2}')) AS v (k)",
      );
      expect(rows).toEqual([{ complete: true, both: ['2'] }]);
      expect(
        await enqueue(app, second, [
          { hash: 'h', key: 'k', datatype: 'text', query: "SELECT 'a'" },
        ]),
      ).toEqual(['inserted']);
      expect(await intarray()).toBe(1);
      await takeDown(second);
      expect(await intarray()).toBe(0);
    },
  );
});

describe('an aggregate that was there before', () => {
  const AGGREGATE = `
    CREATE FUNCTION _array_intersect(anyarray, anyarray) RETURNS anyarray LANGUAGE sql STRICT
      AS 'SELECT ARRAY(SELECT unnest($1) INTERSECT SELECT unnest($2))';
    CREATE AGGREGATE array_intersect_agg(anyarray) (SFUNC = _array_intersect, STYPE = anyarray)`;

  it('is used when an administrator made it, and stays when everything is rolled back', async () => {
    const site = await createSite();
    const settings = site.settings();
    const app = await connectAs(settings.client);
    const admin = await adminClient(site.database);
    await admin.query(AGGREGATE);
    await admin.end();
    const empty = await dumpSchema(site.cluster, site.database);
    await deploy(settings);
    const { rows } = await app.query('SELECT partitioncache_setup_array_extensions() AS complete');
    expect(rows).toEqual([{ complete: true }]);
    await takeDown(settings);
    expect(await dumpSchema(site.cluster, site.database)).toBe(empty);
  });

  it('is refused when a client made it', async () => {
    const site = await createSite();
    const settings = site.settings();
    const app = await connectAs(settings.client);
    await app.query(AGGREGATE);
    const refused = await deploy(settings).catch((error: Error) => error);
    expect(refused).toBeInstanceOf(PreflightError);
    expect((refused as PreflightError).failed).toMatchObject([
      { id: 'foreign-functions', detail: expect.stringContaining(`of role "${site.app.name}"`) },
    ]);
    await app.query('DROP AGGREGATE array_intersect_agg(anyarray)');
    await deploy(settings);
  });
});
