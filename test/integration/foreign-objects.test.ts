import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { runDoctor } from '../../src/doctor/run-doctor.js';
import { down } from '../../src/operations/down.js';
import { PreflightError } from '../../src/operations/preflight.js';
import { cronSchemaName } from '../../src/settings/cron-schema.js';
import type { Settings } from '../../src/settings/settings.js';
import { adminClient, createRole, type Role } from '../harness/databases.js';
import { connectAs, createSite, deploy, type TestSite } from '../harness/deployment.js';
import { type OutsiderSite, startOutsiderSite } from './foreign/outsider.js';

// What somebody else makes under a name that our code looks for must neither run nor be in the way unnoticed.

async function finding(settings: Settings, id: string, streams: ('work' | 'cron')[] = ['work']) {
  const { checks } = await runDoctor(settings, { streams });
  const check = checks.find((each) => each.id === id);
  return { status: check?.status, detail: check?.detail, remedy: check?.remedy?.lines.join('\n') };
}

const roll = { waitSeconds: 20, onWait: () => {}, log: () => {}, drainSeconds: 20 };

describe('what looks like a deployment', () => {
  let it_: OutsiderSite;

  beforeAll(async () => {
    it_ = await startOutsiderSite();
    await it_.outsider.query(`
      CREATE SCHEMA evil;
      GRANT USAGE ON SCHEMA evil TO PUBLIC;
      CREATE TABLE evil.deployment (
        work_database text, client_schema text, queue_prefix text, table_prefix text, cache_backend text);
      ALTER TABLE evil.deployment ENABLE ROW LEVEL SECURITY;
      CREATE POLICY p ON evil.deployment USING (public.spy());
      INSERT INTO evil.deployment VALUES ('x', 'public', 'q', 'evil_cache', 'array');
      CREATE TABLE evil.created_extension (extension_name text PRIMARY KEY);
      CREATE TRIGGER t BEFORE INSERT ON evil.created_extension FOR EACH ROW EXECUTE FUNCTION public.spy_row();
      CREATE FUNCTION evil.process_batch(text, integer) RETURNS integer LANGUAGE sql AS 'SELECT public.spy()::integer';
      CREATE FUNCTION evil.processor_named(text) RETURNS text LANGUAGE sql AS $$ SELECT public.spy()::text $$;
      CREATE FUNCTION evil.bootstrap_partition(text, text, integer, boolean) RETURNS boolean LANGUAGE sql AS 'SELECT public.spy()';
      GRANT ALL ON ALL TABLES IN SCHEMA evil TO PUBLIC`);
    await it_.victims();
    return () => it_.admin.end();
  });

  it('is not called by the clients’ functions', async () => {
    for (const statement of [
      'SELECT * FROM partitioncache_deployments()',
      'SELECT * FROM partitioncache_manual_process_queue(1)',
    ]) {
      await it_.app.query(statement);
    }
    await expect(
      it_.app.query(
        "SELECT partitioncache_bootstrap_partition('evil_cache', 'k', 'integer', 'array')",
      ),
    ).rejects.toThrow(/no deployment/);
    expect(await it_.victims()).toEqual([]);
  });

  it('is not called by the clients’ functions without row security either', async () => {
    await it_.outsider.query('ALTER TABLE evil.deployment DISABLE ROW LEVEL SECURITY');
    await it_.app.query('SELECT * FROM partitioncache_manual_process_queue(1)');
    await expect(
      it_.app.query(
        "SELECT partitioncache_bootstrap_partition('evil_cache', 'k', 'integer', 'array')",
      ),
    ).rejects.toThrow(/no deployment/);
    expect(await it_.victims()).toEqual([]);
  });

  it('is not called by doctor and down', async () => {
    for (const how of ['DISABLE', 'ENABLE']) {
      await it_.outsider.query(`ALTER TABLE evil.deployment ${how} ROW LEVEL SECURITY`);
      await runDoctor(it_.settings, { streams: ['work', 'cron'] });
      expect(await it_.victims()).toEqual([]);
      await down(it_.settings, {
        ...roll,
        streams: ['work', 'cron'],
        extent: { all: true },
        confirm: async () => true,
      });
      expect(await it_.victims()).toEqual([]);
      await deploy(it_.settings);
    }
  });
});

describe('functions that fit better than PostgreSQL’s own', () => {
  let it_: OutsiderSite;

  beforeAll(async () => {
    it_ = await startOutsiderSite();
    for (const count of [1, 2, 3, 4, 5, 6]) {
      const types = Array(count).fill('text').join(', ');
      await it_.outsider.query(
        `CREATE FUNCTION public.format(${types}) RETURNS text LANGUAGE sql
           AS $$ SELECT CASE WHEN public.spy() THEN pg_catalog.format(${types
             .split(', ')
             .map((_, i) => `$${i + 1}`)
             .join(', ')}) END $$`,
      );
    }
    await it_.victims();
    return () => it_.admin.end();
  });

  it.each([
    [
      'to clean up the queue',
      `SELECT non_blocking_fragment_queue_upsert('h', 'zipcode', 'integer', 'SELECT 1', 1, 'partitioncache_queue_query_fragment_queue');
       SELECT partitioncache_cleanup_cached_queue_items('partitioncache_queue', 'my_cache')`,
    ],
    [
      'to show queue and cache',
      "SELECT * FROM partitioncache_get_queue_and_cache_info('my_cache', 'partitioncache_queue')",
    ],
    [
      'to make missing tables',
      "DROP TABLE my_cache_queries; SELECT partitioncache_ensure_metadata_tables('my_cache')",
    ],
  ])('are not called %s', async (_, statements) => {
    await it_.work.query('BEGIN');
    const failed = await it_.work.query(statements).catch((error: Error) => error.message);
    await it_.work.query('ROLLBACK');
    expect(await it_.victims()).toEqual([]);
    expect(failed).not.toBeTypeOf('string');
  });

  it('under a name of the contract are reported', async () => {
    await it_.outsider.query(
      `CREATE FUNCTION public.non_blocking_fragment_queue_upsert(varchar, varchar, varchar, varchar, integer, varchar)
         RETURNS text LANGUAGE sql AS $$ SELECT public.spy()::text $$`,
    );
    const found = await finding(it_.settings, 'foreign-functions');
    expect(found).toMatchObject({ status: 'warning' });
    expect(found.detail).toContain(`of role "${it_.outsiderName}"`);
    expect(found.remedy).toContain('DROP FUNCTION');
    expect(found.remedy).not.toMatch(/GRANT|OWNER TO/);
  });

  it('is not taken for the aggregate of the clients when that is gone', async () => {
    await it_.admin.query('DROP AGGREGATE array_intersect_agg(anyarray)');
    await it_.outsider.query(`
      CREATE FUNCTION planted(anyarray, anyarray) RETURNS anyarray LANGUAGE sql AS 'SELECT $1';
      CREATE AGGREGATE array_intersect_agg(anyarray) (SFUNC = planted, STYPE = anyarray)`);
    const setUpExtensions = 'SELECT partitioncache_setup_array_extensions() AS complete';
    await expect(it_.app.query(setUpExtensions)).rejects.toMatchObject({
      code: '42809',
      message: `array_intersect_agg(anyarray) in schema public is of role ${it_.outsiderName}, and not used`,
      hint: expect.stringContaining('DROP ROUTINE public.array_intersect_agg(anyarray);'),
    });
    await it_.admin.query('DROP ROUTINE public.array_intersect_agg(anyarray)');
    expect((await it_.app.query(setUpExtensions)).rows).toEqual([{ complete: true }]);
    // Its own: nobody else's code runs as this client.
    expect((await it_.app.query(setUpExtensions)).rows).toEqual([{ complete: true }]);
  });
});

describe('what is there before a deployment', () => {
  let site: TestSite;
  let settings: Settings;
  let admin: pg.Client;
  let outsider: Role;
  let asOutsider: pg.Client;

  beforeAll(async () => {
    site = await createSite();
    settings = site.settings();
    admin = await adminClient(site.database, site.cluster);
    outsider = await createRole('outsider', site.cluster);
    await admin.query(`
      GRANT USAGE, CREATE ON SCHEMA public TO ${outsider.name};
      GRANT CREATE ON DATABASE ${site.database} TO ${outsider.name}`);
    asOutsider = await connectAs({
      ...settings.work,
      user: outsider.name,
      password: outsider.password,
    });
    return () => admin.end();
  });

  async function expectRefused(id: string) {
    const found = await finding(settings, id, ['work', 'cron']);
    expect(found).toMatchObject({ status: 'failed' });
    expect(found.remedy).not.toMatch(/GRANT /);
    const refused = await deploy(settings).catch((error: Error) => error);
    expect(refused).toBeInstanceOf(PreflightError);
    expect((refused as PreflightError).failed.map((check) => check.id)).toContain(id);
    return found;
  }

  it.each(['partitioncache_queue_processor_log', 'my_cache_queries', 'my_cache_cache_zipcode'])(
    'refuses an outsider’s %s',
    async (table) => {
      for (const [make, drop] of [
        [`CREATE TABLE ${table} ()`, `DROP TABLE ${table}`],
        [`CREATE VIEW ${table} AS SELECT 1 AS id`, `DROP VIEW ${table}`],
      ] as const) {
        await asOutsider.query(make);
        expect((await expectRefused('own-tables')).detail).toContain(table);
        await asOutsider.query(drop);
      }
    },
  );

  it.each([
    ['AGGREGATE', 'array_intersect_agg(anyarray)', '(SFUNC = planted, STYPE = anyarray)'],
    ['AGGREGATE', 'array_intersect_agg(integer[])', '(SFUNC = planted, STYPE = integer[])'],
    ['FUNCTION', 'array_intersect_agg(anyarray)', "RETURNS anyarray LANGUAGE sql AS 'SELECT $1'"],
  ])('refuses an outsider’s %s %s', async (kind, name, definition) => {
    await asOutsider.query(`
      CREATE FUNCTION planted(anyarray, anyarray) RETURNS anyarray LANGUAGE sql AS 'SELECT $1';
      CREATE ${kind} ${name} ${definition}`);
    const found = await expectRefused('foreign-functions');
    expect(found.detail).toContain(`of role "${outsider.name}"`);
    await asOutsider.query(found.remedy?.split('\n')[1] ?? '');
    expect(await finding(settings, 'foreign-functions')).toMatchObject({ status: 'ok' });
    await asOutsider.query('DROP FUNCTION planted(anyarray, anyarray)');
  });

  it('refuses our schema when an outsider owns it', async () => {
    await asOutsider.query(`
      CREATE SCHEMA partitioncache; GRANT USAGE, CREATE ON SCHEMA partitioncache TO PUBLIC`);
    const found = await expectRefused('work-schema');
    expect(found.detail).toContain(outsider.name);
    await asOutsider.query('DROP SCHEMA partitioncache');
  });

  it('refuses our schema when an outsider may create in it', async () => {
    await admin.query(`
      CREATE SCHEMA partitioncache AUTHORIZATION ${site.migrator.name};
      GRANT CREATE ON SCHEMA partitioncache TO ${outsider.name}`);
    const found = await expectRefused('work-schema');
    expect(found.remedy).toContain(
      `REVOKE CREATE ON SCHEMA "partitioncache" FROM "${outsider.name}";`,
    );
    await admin.query('DROP SCHEMA partitioncache');
  });

  it('refuses our schema in the pg_cron database when an outsider owns it', async () => {
    const cron = await adminClient('postgres', site.cluster);
    const schema = cronSchemaName(settings.schema, site.database);
    await cron.query(`
      CREATE SCHEMA ${schema} AUTHORIZATION ${outsider.name};
      GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${site.cronRole.name}`);
    try {
      expect((await expectRefused('cron-schema')).detail).toContain(outsider.name);
    } finally {
      await cron.query(`DROP SCHEMA ${schema}`);
      await cron.end();
    }
  });

  it('reports it later, too, when somebody may create in our schema', async () => {
    await deploy(settings);
    expect(await finding(settings, 'work-schema')).toMatchObject({ status: 'ok' });
    await admin.query(`GRANT CREATE ON SCHEMA partitioncache TO PUBLIC`);
    const found = await finding(settings, 'work-schema');
    expect(found).toMatchObject({ status: 'failed' });
    expect(found.remedy).toContain('REVOKE CREATE ON SCHEMA "partitioncache" FROM PUBLIC;');
    await admin.query(found.remedy?.split('\n')[0] ?? '');
    expect(await finding(settings, 'work-schema')).toMatchObject({ status: 'ok' });
  });
});
