import type pg from 'pg';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { withAdvisoryLock } from '../../src/database/advisory-lock.js';
import { streamSites } from '../../src/deployment/stream-sites.js';
import { digestOf } from '../../src/objects/digest.js';
import { recordAnew } from '../../src/operations/record-anew.js';
import { fix, verify } from '../../src/operations/verify.js';
import type { Settings } from '../../src/settings/settings.js';
import { runServerTool } from '../../tools/throwaway/server-tool.js';
import { adminClient, createRole } from '../harness/databases.js';
import { connectAs, setUp, type TestSite } from '../harness/deployment.js';
import { dumpSchema } from '../harness/dump-schema.js';
import { cli } from '../unit/cli/fake-world.js';
import { complaintsOf } from './broken/judge.js';
import { fixing } from './verify/report.js';
import { all, QUEUE, stranger, undo, verifiedSite } from './verify/site.js';

let made: TestSite;
let settings: Settings;
let admin: pg.Client;

beforeAll(async () => {
  ({ site: made, settings, admin } = await verifiedSite());
  return () => admin.end();
});

// Each test leaves the shared site as the next one expects it.
beforeEach(() => {
  undo.push(async () => expect(await fix(settings, fixing)).toMatchObject({ clean: true }));
});

describe('what people read', () => {
  it('says what a role may do that nobody granted it, and --fix takes it away', async () => {
    const name = await stranger(admin);
    await admin.query(`GRANT SELECT, INSERT ON ${QUEUE} TO ${name}`);
    const report = await verify(settings);
    const difference = report.databases[0]?.differences.find(
      ({ identity }) => identity === `table ${QUEUE} TO ${name}`,
    );
    expect(difference).toMatchObject({
      problem: 'unexpected',
      found: 'INSERT\nSELECT',
      meaning: `Role ${name} may add rows to and read table ${QUEUE} (the queue of fragments), which no release granted. What is queued is SQL that the processor runs.`,
      remedy: 'pcache-migrate verify --fix',
    });
    const { stdout } = await cli(['verify', '--fix', '--yes'], { env: made.environment() });
    expect(stdout).toContain(`took away the grant on table ${QUEUE} to ${name}`);
    expect(all(await verify(settings))).toEqual([]);
    const { rows } = await admin.query(`SELECT has_table_privilege($1, $2, 'SELECT') AS may`, [
      name,
      QUEUE,
    ]);
    expect(rows).toEqual([{ may: false }]);
  });

  it('shows a routine as a diff, and a client’s replacement as such', async () => {
    await admin.query(`ALTER FUNCTION partitioncache_deployments() OWNER TO ${made.app.name}`);
    undo.push(() =>
      admin.query(`ALTER FUNCTION partitioncache_deployments() OWNER TO ${made.migrator.name}`),
    );
    const line = `ALTER FUNCTION public.partitioncache_deployments() OWNER TO ${made.migrator.name}; -- look at it right before: what its present owner puts on it`;
    expect((await cli(['verify'], { env: made.environment() })).stdout).toContain(line);
    await admin.query(`ALTER FUNCTION partitioncache_deployments() VOLATILE`);
    const { code, stdout } = await cli(['verify'], { env: made.environment() });
    expect(code).toBe(3);
    expect(stdout).toContain('- STABLE');
    expect(stdout).toContain("a client's own tool may have done so");
    expect(stdout).toContain(
      `It belongs to role "${made.app.name}": only that role or an administrator can change it.`,
    );
    expect(stdout).not.toContain(line);
    expect(stdout).toContain('give it to that role only once nothing else about it differs');
  });

  it('asks before it restores, shows what, and needs --yes where it cannot ask', async () => {
    await admin.query(`COMMENT ON TABLE ${QUEUE} IS NULL`);
    const step = `in database "${made.database}": make the comment of table ${QUEUE}`;
    const env = made.environment();

    const silent = await cli(['verify', '--fix'], { env });
    expect(silent).toMatchObject({ code: 2 });
    expect(silent.stderr).toContain(step);
    const refused = await cli(['verify', '--fix'], { env, terminal: true, typed: 'n\n' });
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain(step);
    expect(refused.stdout).toContain('Nothing was changed.');

    const { code, stdout } = await cli(['verify', '--fix', '--yes', '--json'], { env });
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({
      code: 0,
      ok: true,
      clean: true,
      restored: [{ database: made.database, object: `comment table ${QUEUE}`, problem: 'missing' }],
    });
    const clean = await cli(['verify'], { env });
    expect(clean).toMatchObject({ code: 0 });
    expect(clean.stdout).toContain('As the releases left it');
  });

  it('restores the jobs, too', async () => {
    const { settings, admin } = await verifiedSite();
    undo.push(() => admin.end());
    await setUp(settings, { parallel: 1, frequencySeconds: 3600, enable: true });
    const cron = await connectAs(settings.cron);
    await cron.query(
      "SELECT cron.unschedule(jobid) FROM cron.job WHERE command LIKE '%run_processor%'",
    );
    expect((await verify(settings)).jobs).toMatchObject([{ problem: 'missing' }]);
    const fixed = await fix(settings, fixing);
    expect(fixed).toMatchObject({ clean: true, jobActions: [{ action: 'scheduled' }] });
  });

  it('says when the link leads elsewhere', async () => {
    const { settings, admin } = await verifiedSite({ link: true });
    undo.push(() => admin.end());
    await admin.query('UPDATE partitioncache.cron_link SET host = $1', ['elsewhere']);
    const report = await verify(settings);
    expect(report).toMatchObject({
      clean: false,
      link: { found: expect.stringContaining('elsewhere:') },
    });
    expect(JSON.stringify(report)).not.toContain(settings.cron.password);
  });

  it('says when the link has another password than the settings, as status does', async () => {
    const { site, settings, admin } = await verifiedSite({ link: true });
    undo.push(() => admin.end());
    await admin.query("UPDATE partitioncache.cron_link SET password = 'of yesterday'");
    const report = await verify(settings);
    expect(report).toMatchObject({
      clean: false,
      link: { found: expect.stringContaining('with another') },
    });
    expect(JSON.stringify(report)).not.toContain(settings.cron.password);
    expect(JSON.stringify(report)).not.toContain('of yesterday');

    const run = (command: string) => cli(command.split(' '), { env: site.environment() });
    const { code, stdout } = await run('status');
    expect(code).toBe(3);
    expect(stdout).toMatch(
      /The link to the pg_cron database leads to .*, with another, and .*, with the password of the settings\. Renew it with: .*pcache-migrate up/,
    );
    expect(stdout).not.toContain('of yesterday');
    expect(stdout).not.toContain(settings.cron.password);
    await run('up');
    expect(await run('status')).toMatchObject({ code: 0 });
  });
});

it('says of what is not deployed that nothing is known', async () => {
  const { site: empty, admin } = await verifiedSite({ deployed: false });
  undo.push(() => admin.end());
  const run = (line: string) => cli(line.split(' '), { env: empty.environment() });
  const { code, stdout } = await run('verify');
  expect(code).toBe(1);
  expect(stdout).toContain('No release has recorded its objects in schema "partitioncache"');
  expect(stdout).toContain(`pg_cron's jobs: nothing is deployed in schema "partitioncache"`);
  expect(stdout).toContain('Nothing differs, as far as it could be looked at.');
  expect(stdout).not.toContain('SQLSTATE');

  // Half of it: there are things yet to come that the commands ask for.
  await run('up --stream work --to 0012_bit_caches');
  for (const line of ['status', 'verify', 'pause', 'resume', 'processor status', 'sync']) {
    expect([line, ...complaintsOf(await run(line))]).toEqual([line]);
  }
});

it('does not wait for ever for a table that somebody has locked, and says which and who', async () => {
  const locker = await connectAs(settings.client);
  undo.push(() => locker.query('ROLLBACK'));
  const { rows } = await locker.query('SELECT pg_backend_pid() AS pid');
  await locker.query(`BEGIN; LOCK TABLE ${QUEUE}`);
  await expect(verify(settings)).rejects.toMatchObject({
    name: 'LockedTablesError',
    message: `A lock for reading could not be had in 10 s: table ${QUEUE} is locked by process ${rows[0].pid} of role "${made.app.name}".`,
  });
});

describe('where nothing can be written', () => {
  it('a role that may only read sees what differs, and says that it may not ask for the jobs', async ({
    skip,
  }) => {
    const { rows } = await admin.query("SELECT FROM pg_roles WHERE rolname = 'pg_read_all_data'");
    skip(rows.length === 0, 'pg_read_all_data is of PostgreSQL 14 and later');
    await admin.query(`GRANT SELECT ON partitioncache.slot TO PUBLIC`);
    const reader = await createRole('reader', made.cluster);
    undo.push(() => admin.query(`DROP ROLE ${reader.name}`));
    await admin.query(`GRANT pg_read_all_data TO ${reader.name}`);
    const env = made.environment({
      PG_PLAN_USER: reader.name,
      PG_PLAN_PASSWORD: reader.password,
    });
    const { code, stdout } = await cli(['verify', '--as-planner', '--json'], { env });
    const report = JSON.parse(stdout);
    expect(code).toBe(3);
    expect(all(report)).toEqual(['unexpected grant table partitioncache.slot TO PUBLIC']);
    expect(report.unknown).toEqual([expect.stringMatching(/^pg_cron's jobs: .*permission denied/)]);

    await admin.query(`REVOKE SELECT ON partitioncache.slot FROM PUBLIC`);
    expect(await cli(['verify', '--as-planner', '--json'], { env })).toMatchObject({ code: 1 });
  });

  it('works where every transaction is read-only', async () => {
    await admin.query(`ALTER ROLE ${made.migrator.name} SET default_transaction_read_only = on`);
    await admin.query(`ALTER ROLE ${made.cronRole.name} SET default_transaction_read_only = on`);
    for (const { name } of [made.migrator, made.cronRole]) {
      undo.push(() => admin.query(`ALTER ROLE ${name} RESET default_transaction_read_only`));
    }
    expect(await verify(settings)).toMatchObject({ clean: true });
  });

  it('works in a database that is read-only, where status says that nothing is processed', async () => {
    const run = (line: string) => cli(line.split(' '), { env: made.environment() });
    expect(await run('status')).toMatchObject({ code: 0 });
    await admin.query(`ALTER DATABASE ${made.database} SET default_transaction_read_only = on`);
    undo.push(async () => {
      const elsewhere = await adminClient('postgres');
      await elsewhere.query(`ALTER DATABASE ${made.database} RESET default_transaction_read_only`);
      await elsewhere.end();
    });
    expect(await run('verify')).toMatchObject({ code: 0 });
    const { code, stdout } = await run('status');
    expect(code).toBe(3);
    expect(stdout).toMatch(
      /No fragment is processed\. Nothing can be written in database ".*are read-only there.* RESET/,
    );
    expect(stdout).toContain('Jobs of pg_cron');
    expect(JSON.parse((await run('status --json')).stdout)).toMatchObject({
      readOnly: { isForAll: true },
      drift: [],
      unknown: [],
    });
  });
});

describe('a record that was changed by hand', () => {
  it('is compared with nothing, and nothing is advised by it', async () => {
    await admin.query('CREATE TABLE public.kept AS TABLE partitioncache.recorded_object');
    await admin.query('TRUNCATE partitioncache.recorded_object');
    const { code, stdout } = await cli(['verify'], { env: made.environment() });
    await admin.query('INSERT INTO partitioncache.recorded_object TABLE public.kept');
    await admin.query('DROP TABLE public.kept');
    expect(stdout).toContain('is not as the last release wrote it');
    expect(stdout).not.toContain('DROP');
    expect(code).toBe(1);
  });
});

describe('after a major upgrade', () => {
  it('compares what every version prints alike, calls the rest unknown, and --fix prints it anew', async () => {
    // As an older server may have printed it: the same view, in other words.
    await admin.query(
      `UPDATE partitioncache.recorded_object
          SET server_version_num = 120000,
              definition = CASE WHEN kind = 'view' THEN replace(definition, ' SELECT ', ' select ') ELSE definition END`,
    );
    await admin.query(
      `UPDATE partitioncache.recording
          SET digest = (${digestOf('SELECT * FROM partitioncache.recorded_object')})`,
    );
    const { rows: views } = await admin.query<{ kind: string; identity: string }>(
      "SELECT kind, identity FROM partitioncache.recorded_object WHERE kind = 'view' ORDER BY identity",
    );
    const before = await verify(settings);
    expect(all(before)).toEqual([]);
    expect(before.clean).toBe(false);
    const notCompared = before.databases[0]?.notCompared ?? [];
    expect(notCompared.toSorted((one, other) => (one.identity < other.identity ? -1 : 1))).toEqual(
      views,
    );
    expect(views.length).toBeGreaterThan(10);
    await admin.query(
      `CREATE OR REPLACE FUNCTION partitioncache.fragment_text(p_query text) RETURNS text LANGUAGE sql AS 'SELECT 1::text'`,
    );
    expect(all(await verify(settings))).toEqual([
      'changed function partitioncache.fragment_text(text)',
    ]);
    expect(await fix(settings, fixing)).toMatchObject({ clean: true });
  });
});

describe('--fix', () => {
  it('runs no record that somebody else may have written', async () => {
    const name = await stranger(admin);
    await admin.query(`GRANT UPDATE (definition) ON partitioncache.recorded_object TO ${name}`);
    await admin.query(`COMMENT ON TABLE ${QUEUE} IS 'other'`);
    await expect(fix(settings, fixing)).rejects.toMatchObject({
      name: 'UntrustedRecordError',
      message: expect.stringContaining(`role "${name}" may change table recorded_object`),
    });
    expect(all(await verify(settings))).toContain(`changed comment table ${QUEUE}`);
  });

  it('runs no second statement that a record holds', async () => {
    const identity = 'partitioncache.fragment_text(text)';
    const { rows } = await admin.query(
      'SELECT definition FROM partitioncache.recorded_object WHERE identity = $1',
      [identity],
    );
    const record = (definition: string) =>
      admin.query(
        'UPDATE partitioncache.recorded_object SET definition = $2 WHERE identity = $1 AND kind = $3',
        [identity, definition, 'function'],
      );
    await record(`${rows[0].definition}; COMMIT; CREATE TABLE public.intruder ()`);
    undo.push(() => record(rows[0].definition));
    await admin.query(`DROP FUNCTION ${identity}`);
    await fix(settings, fixing).catch(() => {});
    expect((await admin.query("SELECT to_regclass('public.intruder') AS made")).rows).toEqual([
      { made: null },
    ]);
  });

  it('mends the rest where somebody has put a table in the place of ours, and records none of his', async () => {
    const name = await stranger(admin);
    const table = 'public.my_cache_queries';
    await admin.query(`
      CREATE SCHEMA aside;
      ALTER TABLE ${table} SET SCHEMA aside;
      CREATE TABLE ${table} (LIKE aside.my_cache_queries);
      ALTER TABLE ${table} OWNER TO ${name};
      GRANT ALL ON ${table} TO PUBLIC;
      COMMENT ON TABLE ${QUEUE} IS 'other'`);
    undo.push(() =>
      admin.query(
        `DROP TABLE ${table}; ALTER TABLE aside.my_cache_queries SET SCHEMA public; DROP SCHEMA aside`,
      ),
    );
    await expect(
      recordAnew(settings, { ...fixing, confirm: async () => true }),
    ).rejects.toMatchObject({
      name: 'NotOursError',
      message: expect.stringContaining(`${table} belongs to role "${name}"`),
    });
    const fixed = await fix(settings, fixing);
    expect(fixed.restored.map(({ object }) => object)).toEqual([`comment table ${QUEUE}`]);
    expect(
      fixed.databases[0]?.differences.find(
        ({ kind, identity }) =>
          kind === 'grant' && identity === `table ${table} TO ${made.app.name}`,
      ),
    ).toMatchObject({ restorable: false, remedy: expect.stringContaining(`role "${name}"`) });
  });

  it('does not record anew what lacks something that the migrations made', async () => {
    await admin.query(`
      ALTER TABLE ${QUEUE} RENAME COLUMN priority TO other;
      ALTER TYPE partitioncache.batch_item RENAME TO other_item;
      ALTER TABLE partitioncache.hold RENAME TO other_hold;
      ALTER VIEW partitioncache.claims RENAME TO other_claims;
      ALTER FUNCTION partitioncache.is_held RENAME TO other_function;
      ALTER TRIGGER pcache_notify ON ${QUEUE} RENAME TO other_trigger`);
    undo.push(() =>
      admin.query(`
        ALTER TABLE ${QUEUE} RENAME COLUMN other TO priority;
        ALTER TYPE partitioncache.other_item RENAME TO batch_item;
        ALTER TABLE partitioncache.other_hold RENAME TO hold;
        ALTER VIEW partitioncache.other_claims RENAME TO claims;
        ALTER FUNCTION partitioncache.other_function RENAME TO is_held;
        ALTER TRIGGER other_trigger ON ${QUEUE} RENAME TO pcache_notify`),
    );
    const { code, stdout } = await cli(['verify', '--record-anew', '--yes', '--json'], {
      env: made.environment(),
    });
    const { error } = JSON.parse(stdout);
    expect({ code, name: error.name }).toEqual({ code: 1, name: 'MissingObjectsError' });
    expect(
      error.missing.map((one: { kind: string; identity: string }) => `${one.kind} ${one.identity}`),
    ).toEqual([
      'table partitioncache.hold',
      'routine partitioncache.is_held',
      `column ${QUEUE}.priority`,
      `trigger pcache_notify on ${QUEUE}`,
      'view partitioncache.claims',
      'type partitioncache.batch_item',
    ]);
    expect(error.missing[5].statement).toMatch(/^CREATE TYPE "partitioncache".batch_item AS/);
  });

  it('prints the statements that make again what is gone, as a run of all migrations does', async () => {
    const before = await dumpSchema(made.cluster, made.database);
    await admin.query(`
      DROP TABLE partitioncache.hold CASCADE;
      DROP FUNCTION partitioncache.run_fragment, partitioncache.is_held CASCADE;
      DROP VIEW partitioncache.claims CASCADE;
      DROP TRIGGER pcache_notify ON ${QUEUE}`);
    const recorded = ['verify', '--record-anew', '--yes', '--json'];
    const refused = await cli(recorded, { env: made.environment() });
    const { missing } = JSON.parse(refused.stdout).error as {
      missing: { database: string; statement: string; after: string[] }[];
    };
    expect(missing.length).toBeGreaterThan(4);
    const migrator = await connectAs(settings.work);
    for (const { statement } of missing) await migrator.query(statement);
    for (const { after } of missing) for (const line of after) await migrator.query(line);
    await migrator.end();
    expect(await dumpSchema(made.cluster, made.database)).toBe(before);
    expect(all(await verify(settings))).toEqual([]);
    expect(await cli(recorded, { env: made.environment() })).toMatchObject({ code: 0 });
    expect(all(await verify(settings))).toEqual([]);
  });

  it('is named by up, which does not mend what was changed by hand', async () => {
    await admin.query("ALTER FUNCTION partitioncache.is_held() SET work_mem = '1MB'");
    const { code, stdout } = await cli(['up'], { env: made.environment() });
    expect(code).toBe(0);
    expect(stdout).toContain(
      `In database "${made.database}", something is gone or was changed by hand, which up does not mend: pcache-migrate verify says what.`,
    );
    await fix(settings, fixing);
    expect((await cli(['up'], { env: made.environment() })).stdout).not.toContain('verify');
  });

  it('is not named by status while another command changes the deployment', async () => {
    await admin.query("ALTER FUNCTION partitioncache.is_held() SET work_mem = '1MB'");
    const { lock } = streamSites(settings).work;
    const status = await withAdvisoryLock(admin, lock, { waitSeconds: 0 }, () =>
      cli(['status'], { env: made.environment() }),
    );
    expect(status.code).toBe(3);
    expect(status.stdout).toMatch(/Another command of pcache-migrate is at work \(pid [0-9]+/);
    expect(status.stdout).not.toContain('verify --fix');
    const after = await cli(['status'], { env: made.environment() });
    expect(after.stdout).not.toContain('at work');
  });

  it('is not mended by prune, which says so where there is no pg_cron', async () => {
    const { code, stderr } = await cli(['prune', '--dry-run'], {
      env: { ...made.environment(), PG_CRON_DATABASE: made.database },
    });
    expect(code).toBe(1);
    expect(stderr).toContain('The extension pg_cron is missing');
    expect(stderr).toContain('Run pcache-migrate doctor');
  });

  it('records anew what lacks nothing', async () => {
    await recordAnew(settings, { ...fixing, confirm: async () => true });
    expect(all(await verify(settings))).toEqual([]);
  });

  it('has nobody read a view that somebody has put in the place of ours', async () => {
    const name = await stranger(admin);
    const table = 'public.my_cache_queries';
    await admin.query(`
      CREATE SCHEMA aside;
      ALTER TABLE ${table} SET SCHEMA aside;
      CREATE VIEW ${table} AS SELECT * FROM aside.my_cache_queries;
      ALTER VIEW ${table} OWNER TO ${name}`);
    undo.push(() =>
      admin.query(
        `DROP VIEW ${table}; ALTER TABLE aside.my_cache_queries SET SCHEMA public; DROP SCHEMA aside`,
      ),
    );
    const found = (await verify(settings)).databases[0]?.differences ?? [];
    const remedy = found.find(({ identity }) => identity === table)?.remedy;
    expect(remedy).toContain(`ALTER VIEW ${table} RENAME TO "replaced_my_cache_queries";`);
    expect(remedy).toContain('whoever else reads it runs what hangs on it');
    expect(found.map((one) => one.remedy).join('\n')).not.toMatch(/INSERT|\bTABLE .*replaced_/);
  });

  it('leaves a view that others build on, and says why', async () => {
    await admin.query(
      'CREATE OR REPLACE VIEW partitioncache.held_back AS SELECT query_hash, partition_key, suspect, not_before, 1 AS more FROM partitioncache.attempt',
    );
    await admin.query('CREATE VIEW public.built_on AS SELECT more FROM partitioncache.held_back');
    undo.push(() => admin.query('DROP VIEW public.built_on'));
    await admin.query(`COMMENT ON TABLE ${QUEUE} IS 'other'`);
    const fixed = await fix(settings, fixing);
    expect(fixed.restored.map(({ object }) => object)).toEqual([`comment table ${QUEUE}`]);
    expect(fixed.refused).toMatchObject([
      { object: 'view partitioncache.held_back', reason: expect.stringContaining('built_on') },
    ]);
    expect(all(fixed)).toEqual(['changed view partitioncache.held_back']);
  });

  it('does not leave a definer function with our rights', async () => {
    await admin.query('DROP FUNCTION partitioncache.run_fragment');
    await admin.query(`REVOKE ${made.fragmentRole} FROM ${made.migrator.name}`);
    undo.push(() => admin.query(`GRANT ${made.fragmentRole} TO ${made.migrator.name}`));
    await expect(fix(settings, fixing)).rejects.toMatchObject({
      name: 'NotRestoredError',
      message: expect.stringContaining('owner function partitioncache.run_fragment'),
    });
    expect(all(await verify(settings))).toEqual([
      'missing function partitioncache.run_fragment(text, boolean, text, bigint)',
    ]);
  });

  it('mends a database that was restored without owners and privileges', async () => {
    const { site: made, settings, admin } = await verifiedSite();
    undo.push(() => admin.end());
    const dump = await runServerTool(made.cluster, 'pg_dump', [
      '--username=postgres',
      `--dbname=${made.database}`,
      '--inserts',
      '--no-owner',
      '--no-privileges',
    ]);
    await admin.query(
      `DROP SCHEMA partitioncache CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public;
       GRANT USAGE ON SCHEMA public TO PUBLIC; GRANT CREATE ON SCHEMA public TO ${made.migrator.name}`,
    );
    const restoring = await adminClient(made.database);
    await restoring.query(`SET ROLE ${made.migrator.name}`);
    await restoring.query(
      dump
        .split('\n')
        .filter(
          (line) =>
            !line.startsWith('\\') &&
            !/^(COMMENT ON (EXTENSION|SCHEMA)|CREATE SCHEMA public)/.test(line),
        )
        .join('\n'),
    );
    await restoring.end();
    const found = await verify(settings);
    expect(all(found).filter((one) => one.startsWith('missing grant')).length).toBeGreaterThan(50);
    expect(found.databases[0]?.differences.map(({ meaning }) => meaning).join('\n')).toContain(
      'The jobs of pg_cron run as it, and fail there.',
    );
    const fixed = await fix(settings, fixing);
    expect(all(fixed)).toEqual([]);
  });
});
