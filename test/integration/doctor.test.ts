import { escapeIdentifier } from 'pg';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { applyRemediesAsAdministrator } from '../../src/doctor/apply-remedies.js';
import { failures } from '../../src/doctor/check-result.js';
import { runDoctor } from '../../src/doctor/run-doctor.js';
import { down } from '../../src/operations/down.js';
import { cronSchemaName } from '../../src/settings/cron-schema.js';
import type { Settings } from '../../src/settings/settings.js';
import type { ThrowawayCluster } from '../../tools/throwaway/cluster.js';
import { startOwnCluster } from '../harness/cluster.js';
import { createRole } from '../harness/databases.js';
import { migrationBefore } from '../harness/package-migrations.js';
import {
  asAdmin,
  CRON_DATABASE,
  complaints,
  createScenario,
  deploy,
  examine,
  examineOne,
  expectStatus,
  find,
  fingerprint,
  grantCron,
  ROOM_HIDDEN,
  remedyText,
  runRemedy,
  type Scenario,
  withAdmin,
} from './doctor-scenario.js';

let cluster: ThrowawayCluster;

beforeAll(async () => {
  cluster = await startOwnCluster({ settings: { 'cron.max_running_jobs': '32' } });
  await asAdmin({ cluster }, CRON_DATABASE, ['CREATE EXTENSION pg_cron']);
});

async function granted(changes: Partial<Settings> = {}): Promise<Scenario> {
  const scenario = await createScenario(cluster, changes);
  await grantCron(scenario);
  return scenario;
}

async function deployed(changes: Partial<Settings> = {}): Promise<Scenario> {
  const scenario = await granted(changes);
  await deploy(scenario.settings);
  return scenario;
}

const inWork = (scenario: Scenario, ...statements: string[]) =>
  asAdmin(scenario, scenario.settings.work.database, statements);
const inCron = (scenario: Scenario, ...statements: string[]) =>
  asAdmin(scenario, scenario.settings.cron.database, statements);

describe('a sound set-up', () => {
  test('has no complaints with the minimal grants, before and after it is deployed', async () => {
    const scenario = await granted();
    const before = await examine(scenario.settings);
    expect(complaints(before)).toEqual([]);
    expect(before.checks.filter(({ status }) => status === 'skipped')).toEqual([]);
    await deploy(scenario.settings);
    expect(complaints(await examine(scenario.settings))).toEqual([]);
  });

  test('is not changed', async () => {
    const scenario = await granted();
    const undeployed = await fingerprint(scenario);
    await examine(scenario.settings);
    expect(await fingerprint(scenario)).toEqual(undeployed);
    await deploy(scenario.settings);
    const before = await fingerprint(scenario);
    await examine(withAdmin(scenario));
    expect(await fingerprint(scenario)).toEqual(before);
  });

  test('may be one database and one superuser', async () => {
    const scenario = await granted();
    const superuser = {
      ...scenario.settings.cron,
      user: cluster.adminUser,
      password: cluster.adminPassword,
    };
    const settings: Settings = {
      ...scenario.settings,
      mode: 'single',
      transport: 'direct',
      work: superuser,
      cron: superuser,
      client: superuser,
      cronSchema: cronSchemaName('partitioncache', CRON_DATABASE),
    };
    // Whoever else may act as the fragment role could change what fragments run as.
    await inWork(scenario, `REVOKE ${settings.fragmentRole} FROM ${scenario.settings.work.user}`);
    const report = await examine(settings);
    expect(complaints(report)).toEqual([]);
    expect(report.checks.map(({ id }) => id)).not.toContain('same-cluster');
    expect(find(report, 'job-capacity').detail).toContain('cron.max_running_jobs = 32');
  });

  test('needs no pg_cron for the work stream alone', async () => {
    const { settings } = await createScenario(cluster);
    const unreachable = { ...settings, cron: { ...settings.cron, port: 1 } };
    const report = await runDoctor(unreachable, { streams: ['work'] });
    expect(complaints(report)).toEqual([]);
    expect(report.checks.map(({ id }) => id)).not.toContain('cron-connection');
  });
});

describe('connections', () => {
  test.each<[string, keyof Settings['work'], string | number, string, string]>([
    ['a wrong password', 'password', 'nonsense', 'password authentication failed', 'the password'],
    ['an unknown database', 'database', 'nowhere', '"nowhere" does not exist', 'CREATE DATABASE'],
    ['an unknown host', 'host', 'nowhere.invalid', '"nowhere.invalid" can\'t be', 'the host'],
    ['a closed port', 'port', 1, 'nothing accepts connections there', 'the port'],
  ])(
    '%s is reported for either database, and what depends on it is skipped',
    async (_, part, value, detail, remedy) => {
      const scenario = await granted();
      for (const side of ['work', 'cron'] as const) {
        const settings = {
          ...scenario.settings,
          [side]: { ...scenario.settings[side], [part]: value },
        };
        const report = await examine(settings);
        expect(complaints(report)).toEqual([`${side}-connection`]);
        const check = find(report, `${side}-connection`);
        expectStatus(check, 'failed');
        expect(check.detail).toContain(detail);
        expect(remedyText(check)).toContain(remedy);
        expect(find(report, 'same-cluster')).toMatchObject({
          status: 'skipped',
          detail: `not checked, because of: connection to the ${side === 'work' ? 'work' : 'pg_cron'} database`,
        });
        expect(JSON.stringify(report)).not.toContain('nonsense');
      }
    },
  );

  test('an administrator who cannot log in is only a warning', async () => {
    const scenario = await granted();
    const settings = { ...scenario.settings, admin: { user: 'postgres', password: 'nonsense' } };
    const report = await examine(settings);
    expect(complaints(report)).toEqual(['admin-connection']);
    expectStatus(find(report, 'admin-connection'), 'warning');
  });

  test('a read-only database is reported', async () => {
    const scenario = await granted();
    await inWork(
      scenario,
      `ALTER ROLE ${scenario.settings.work.user} SET default_transaction_read_only = on`,
    );
    const report = await examine(scenario.settings);
    expect(complaints(report)).toEqual(['work-writable']);
  });

  test('roles that do not exist are reported, and are not created as the administrator', async () => {
    const scenario = await granted();
    const settings = {
      ...withAdmin(scenario),
      client: { ...scenario.settings.client, user: 'No"body' },
    };
    const report = await examine(settings);
    expect(complaints(report)).toEqual(['roles']);
    expect(remedyText(find(report, 'roles'))).toContain('CREATE ROLE "No""body" LOGIN;');
    expect(await applyRemediesAsAdministrator(settings, report)).toEqual([]);
  });
});

interface Revoked {
  id: string;
  status?: 'failed' | 'warning';
  by: string;
  revoke: (scenario: Scenario) => Promise<unknown>;
}

const revocations: Revoked[] = [
  {
    id: 'work-connection',
    by: 'owner of the database',
    revoke: (s) => revokeConnect(s, s.settings.cron.user, s.settings.client.user),
  },
  {
    id: 'cron-usage',
    by: 'administrator',
    revoke: (s) => inCron(s, `REVOKE USAGE ON SCHEMA cron FROM ${s.settings.cron.user}`),
  },
  {
    id: 'cron-schedule',
    by: 'administrator',
    revoke: (s) =>
      inCron(
        s,
        `REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA cron FROM ${s.settings.cron.user}`,
        'REVOKE EXECUTE ON FUNCTION cron.unschedule(bigint) FROM PUBLIC',
      ),
  },
  {
    id: 'cron-history',
    by: 'administrator',
    revoke: (s) => inCron(s, 'REVOKE ALL ON cron.job, cron.job_run_details FROM PUBLIC'),
  },
  {
    id: 'cron-database-create',
    by: 'owner of the database',
    revoke: (s) => inCron(s, `REVOKE CREATE ON DATABASE postgres FROM ${s.settings.cron.user}`),
  },
  {
    id: 'cron-role-connect',
    by: 'owner of the database',
    revoke: (s) => revokeConnect(s, s.settings.work.user, s.settings.client.user),
  },
  {
    id: 'client-role-connect',
    status: 'warning',
    by: 'owner of the database',
    revoke: (s) => revokeConnect(s, s.settings.work.user, s.settings.cron.user),
  },
  {
    id: 'client-schema-migrator',
    by: 'owner of the schema',
    revoke: (s) => inWork(s, `REVOKE CREATE ON SCHEMA public FROM ${s.settings.work.user}`),
  },
  {
    id: 'client-schema-cron-role',
    by: 'owner of the schema',
    revoke: (s) =>
      inWork(
        s,
        'REVOKE ALL ON SCHEMA public FROM PUBLIC',
        `REVOKE ALL ON SCHEMA public FROM ${s.settings.cron.user}`,
      ),
  },
  {
    id: 'client-schema-client-role',
    status: 'warning',
    by: 'owner of the schema',
    revoke: (s) =>
      inWork(
        s,
        'REVOKE ALL ON SCHEMA public FROM PUBLIC',
        `REVOKE ALL ON SCHEMA public FROM ${s.settings.client.user}`,
      ),
  },
  {
    id: 'readable-tables',
    status: 'warning',
    by: 'owner of the tables',
    revoke: (s) =>
      inWork(
        s,
        'CREATE TABLE public."Points of ""interest""" (id integer)',
        'CREATE VIEW public.pois AS SELECT',
      ),
  },
];

async function revokeConnect(scenario: Scenario, ...kept: string[]) {
  const { database } = scenario.settings.work;
  return inWork(
    scenario,
    `REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC`,
    `GRANT CONNECT ON DATABASE ${database} TO ${kept.join(', ')}`,
  );
}

describe('a missing grant', () => {
  // The tests share the pg_cron database and the privileges that pg_cron itself grants to everyone.
  afterEach(() =>
    asAdmin({ cluster }, CRON_DATABASE, [
      'GRANT EXECUTE ON FUNCTION cron.unschedule(bigint) TO PUBLIC',
      'GRANT SELECT ON cron.job, cron.job_run_details TO PUBLIC',
      'GRANT DELETE ON cron.job_run_details TO PUBLIC',
    ]),
  );

  test.each(revocations)(
    '$id is found, and its lines fix it',
    async ({ id, status = 'failed', by, revoke }) => {
      const scenario = await granted();
      await revoke(scenario);
      const report = await examine(scenario.settings);
      expect(complaints(report)).toEqual([id]);
      const check = find(report, id);
      expectStatus(check, status);
      expect(check.remedy?.by).toBe(by);
      await runRemedy(scenario, check);
      expect(complaints(await examine(scenario.settings))).toEqual([]);
    },
  );

  test('work-database-create, which includes the right to create intarray, is found and fixed', async () => {
    const scenario = await granted();
    const { database, user } = scenario.settings.work;
    await inWork(scenario, `REVOKE CREATE ON DATABASE ${database} FROM ${user}`);
    const report = await examine(scenario.settings);
    expect(complaints(report)).toEqual(['work-database-create', 'intarray']);
    await runRemedy(scenario, find(report, 'intarray'));
    expect(complaints(await examine(scenario.settings))).toEqual(['work-database-create']);
    await runRemedy(scenario, find(report, 'work-database-create'));
    expect(complaints(await examine(scenario.settings))).toEqual([]);
  });

  test('is not required if the schemas were created in advance', async () => {
    const scenario = await createScenario(cluster);
    await grantCron(scenario);
    const { work, cron, schema, cronSchema } = scenario.settings;
    await inWork(
      scenario,
      `REVOKE CREATE ON DATABASE ${work.database} FROM ${work.user}`,
      'CREATE EXTENSION intarray SCHEMA public',
      `CREATE SCHEMA ${schema}`,
    );
    await inCron(
      scenario,
      `REVOKE CREATE ON DATABASE postgres FROM ${cron.user}`,
      `CREATE SCHEMA ${cronSchema}`,
    );
    const report = await examine(scenario.settings);
    expect(complaints(report)).toEqual(['cron-schema', 'work-schema']);
    await runRemedy(scenario, find(report, 'cron-schema'));
    await runRemedy(scenario, find(report, 'work-schema'));
    await deploy(scenario.settings);
    expect(complaints(await examine(scenario.settings))).toEqual([]);
  });

  test('is fixed for names with quotes, spaces and capitals too', async () => {
    const scenario = await createScenario(cluster, {}, 'Étr"ange \'');
    await inWork(
      scenario,
      'REVOKE ALL ON SCHEMA public FROM PUBLIC',
      'CREATE TABLE public."a""b" ()',
    );
    const { work, client } = scenario.settings;
    await inWork(
      scenario,
      `REVOKE ALL ON SCHEMA public FROM ${escapeIdentifier(work.user)}, ${escapeIdentifier(client.user)}`,
      `REVOKE ALL ON DATABASE ${escapeIdentifier(work.database)} FROM PUBLIC, ${escapeIdentifier(work.user)}`,
      `GRANT CONNECT ON DATABASE ${escapeIdentifier(work.database)} TO ${escapeIdentifier(work.user)}`,
    );
    const report = await examine(scenario.settings);
    expect(complaints(report)).toEqual([
      'cron-usage',
      'cron-schedule',
      'cron-role-connect',
      'work-database-create',
      'client-role-connect',
      'client-schema-migrator',
      'client-schema-client-role',
      'intarray',
      'readable-tables',
    ]);
    for (const id of complaints(report)) await runRemedy(scenario, find(report, id));
    expect(complaints(await examine(scenario.settings))).toEqual([]);
  });

  test('on more tables than anyone wants to read is counted', async () => {
    const scenario = await granted();
    await inWork(scenario, ...Array.from({ length: 25 }, (_, n) => `CREATE TABLE public.t${n} ()`));
    const check = await examineOne(scenario.settings, 'readable-tables');
    expect(check.remedy?.lines).toHaveLength(20);
    expect(check.detail).toContain('25 tables');
    expect(check.detail).toContain('5 more than listed here');
  });
});

describe('fixing as the administrator', () => {
  test('grants all that the roles lack, and no more', async () => {
    const scenario = await createScenario(cluster);
    await inWork(scenario, 'CREATE TABLE public.pois ()');
    const settings = withAdmin(scenario);
    const report = await examine(settings);
    expect(complaints(report)).toEqual(['cron-usage', 'cron-schedule', 'readable-tables']);
    expect(await applyRemediesAsAdministrator(settings, report)).toEqual([
      `GRANT USAGE ON SCHEMA "cron" TO "${settings.cron.user}";`,
      `GRANT EXECUTE ON FUNCTION "cron"."schedule_in_database"(text, text, text, text, text, boolean) TO "${settings.cron.user}";`,
    ]);
    expect(complaints(await examine(settings))).toEqual(['readable-tables']);
  });

  test('does nothing without an administrator', async () => {
    const { settings } = await createScenario(cluster);
    expect(await applyRemediesAsAdministrator(settings, await examine(settings))).toEqual([]);
  });

  test('changes nothing while something is missing that it cannot fix', async () => {
    const scenario = await createScenario(cluster, { clientSchema: 'missing' });
    const settings = withAdmin(scenario);
    const before = await fingerprint(scenario);
    const report = await examine(settings);
    expect(complaints(report)).toEqual(['cron-usage', 'cron-schedule', 'client-schema']);
    expect(await applyRemediesAsAdministrator(settings, report)).toEqual([]);
    expect(await fingerprint(scenario)).toEqual(before);
  });

  test('without the privilege names the line, the database and the remedy, and keeps nothing', async () => {
    const scenario = await createScenario(cluster);
    const role = await createRole('helper', cluster);
    const settings = { ...scenario.settings, admin: { user: role.name, password: role.password } };
    const report = await examine(settings);
    await expect(applyRemediesAsAdministrator(settings, report)).rejects.toMatchObject({
      name: 'RemedyError',
      line: `GRANT USAGE ON SCHEMA "cron" TO "${settings.cron.user}";`,
      database: 'postgres',
      message: expect.stringContaining('42501'),
      remedy: expect.stringContaining('PG_ADMIN_USER'),
    });
  });
});

describe('what is deployed', () => {
  test.each<[string, (settings: Settings) => Settings, string]>([
    [
      'PG_QUEUE_TABLE_PREFIX',
      (s) => ({ ...s, queuePrefix: 'other' }),
      'PG_QUEUE_TABLE_PREFIX=queue',
    ],
    ['PG_ARRAY_CACHE_TABLE_PREFIX', (s) => ({ ...s, tablePrefix: 'other' }), 'PREFIX=cache'],
    ['CACHE_BACKEND', (s) => ({ ...s, cacheBackend: 'bit' }), 'CACHE_BACKEND=postgresql_array'],
    ['PG_QUEUE_USER', (s) => ({ ...s, client: s.cron }), 'PG_QUEUE_USER=client_'],
  ])('is compared with what is configured: %s', async (name, change, remedy) => {
    const { settings } = await deployed();
    const report = await examine(change(settings));
    expect(failures(report).map(({ id }) => id)).toEqual(['deployment-identity']);
    const check = find(report, 'deployment-identity');
    expect(check.detail).toContain(`${name} was`);
    expect(remedyText(check)).toContain(remedy);
  });

  test('is not bound to another pg_cron than the one where its jobs are', async () => {
    const { settings } = await deployed();
    const report = await examine({
      ...settings,
      mode: 'single',
      transport: 'direct',
      cron: { ...settings.cron, database: settings.work.database },
    });
    const check = find(report, 'recorded-place');
    expect(check.status).toBe('failed');
    expect(check.detail).toContain('"postgres"');
    expect(remedyText(check)).toContain('pcache-migrate mode single');
    expect(remedyText(check)).toContain('PG_CRON_DATABASE=postgres');
  });

  test('may change between the transports link and deploy', async () => {
    const { settings } = await deployed();
    expectStatus(await examineOne({ ...settings, transport: 'link' }, 'deployment-identity'), 'ok');
  });

  test('belongs to another cron role: reported for both databases', async () => {
    const { settings } = await deployed();
    const other = await granted();
    const report = await examine({ ...settings, cron: other.settings.cron });
    expect(failures(report).map(({ id }) => id)).toEqual(['cron-schema', 'deployment-identity']);
    expect(remedyText(find(report, 'cron-schema'))).toContain(settings.cron.user);
  });

  test('belongs to another migrator', async () => {
    const { settings } = await deployed();
    const other = await createRole('other', cluster);
    const work = { ...settings.work, user: other.name, password: other.password };
    const report = await examine({ ...settings, work });
    expectStatus(find(report, 'work-schema'), 'failed');
    expect(remedyText(find(report, 'work-schema'))).toContain(`"${settings.work.user}"`);
    expectStatus(find(report, 'deployment-identity'), 'skipped');
  });

  test('is a schema of someone else', async () => {
    const scenario = await granted();
    const { work, cron, cronSchema } = scenario.settings;
    await inWork(
      scenario,
      `CREATE SCHEMA partitioncache AUTHORIZATION ${work.user}`,
      'CREATE TABLE partitioncache.deployment (version text)',
    );
    await inCron(
      scenario,
      `CREATE SCHEMA ${cronSchema} AUTHORIZATION ${cron.user}`,
      `CREATE VIEW ${cronSchema}.theirs AS SELECT`,
    );
    const report = await examine(scenario.settings);
    expect(complaints(report)).toEqual(['cron-schema', 'work-schema']);
    expect(find(report, 'work-schema').detail).toContain('it contains "deployment"');
    expect(find(report, 'cron-schema').detail).toContain('it contains "theirs"');
  });

  test('was there before us, made by somebody who could replace what we deploy in it', async () => {
    const scenario = await granted();
    const { work, cron, schema, cronSchema } = scenario.settings;
    const stranger = await createRole('stranger', cluster);
    const plant = (name: string, user: string) => [
      `CREATE SCHEMA ${name} AUTHORIZATION ${stranger.name}`,
      `GRANT ALL ON SCHEMA ${name} TO ${user}`,
    ];
    await inWork(scenario, ...plant(schema, work.user));
    await inCron(scenario, ...plant(cronSchema, cron.user));
    const report = await examine(scenario.settings);
    expect(failures(report).map(({ id }) => id)).toEqual(['cron-schema', 'work-schema']);
    for (const id of ['cron-schema', 'work-schema']) {
      expect(find(report, id).detail).toContain(`since role "${stranger.name}" owns it`);
      expect(remedyText(find(report, id))).toContain('set PCACHE_SCHEMA to');
    }
    const remove = [`DROP OWNED BY ${stranger.name} CASCADE`];
    await inWork(scenario, ...remove);
    await inCron(scenario, ...remove, `DROP ROLE ${stranger.name}`);
  });

  test('serves another work database under the same name', async () => {
    const { settings } = await deployed();
    const other = await granted({ cronSchema: settings.cronSchema });
    const report = await examine({ ...other.settings, cron: settings.cron });
    expect(failures(report).map(({ id }) => id)).toEqual(['cron-schema']);
    expect(find(report, 'cron-schema').detail).toContain(`database "${settings.work.database}"`);
  });

  test('came from a newer version, which may or may not shut this one out', async () => {
    const scenario = await deployed();
    await inWork(
      scenario,
      "INSERT INTO partitioncache.migrations (name, run_on) VALUES ('0999_new', now())",
      `INSERT INTO partitioncache.ledger
         (name, release, up_checksum, down_checksum, up_sql, down_sql, drops, breaks_older,
          in_transaction, package_version, duration)
       VALUES ('0999_new', 2, '', '', '', '', '{}', false, true, '9.8.7', '1s')`,
    );
    const tolerant = await examine(scenario.settings);
    expect(failures(tolerant)).toEqual([]);
    expect(find(tolerant, 'work-migrations').detail).toMatch(/and 1 more by pcache-migrate 9.8.7$/);

    await inWork(
      scenario,
      "UPDATE partitioncache.ledger SET breaks_older = true WHERE name = '0999_new'",
    );
    const report = await examine(scenario.settings);
    expect(failures(report).map(({ id }) => id)).toEqual(['work-migrations']);
    expect(find(report, 'work-migrations').detail).toContain('0999_new says that older versions');
    expect(remedyText(find(report, 'work-migrations'))).toContain(
      'Install pcache-migrate 9.8.7 or later',
    );
  });
});

describe('names that are taken', () => {
  test('by another deployment are refused, naming it', async () => {
    const { settings } = await deployed();
    const second: Settings = {
      ...settings,
      schema: 'second',
      cronSchema: cronSchemaName('second', settings.work.database),
    };
    const report = await examine(second);
    expect(complaints(report)).toEqual(['own-tables']);
    expect(find(report, 'own-tables').detail).toContain('deployment in schema "partitioncache"');
    expect(remedyText(find(report, 'own-tables'))).toContain('choose another');
    const beside = { ...second, queuePrefix: 'queue2', tablePrefix: 'cache2' };
    expect(complaints(await examine(beside))).toEqual([]);
  });

  test('by an older set-up are refused and listed', async () => {
    const scenario = await granted();
    await inWork(
      scenario,
      'CREATE TABLE public.queue_processor_config ()',
      'CREATE TABLE public.cache_cache_zipcode ()',
      'CREATE TABLE public.cached ()',
      `GRANT SELECT ON public.cached TO ${scenario.settings.fragmentRole}`,
    );
    const report = await examine(scenario.settings);
    expect(complaints(report)).toEqual(['own-tables']);
    expect(find(report, 'own-tables').detail).toContain(
      'already has "cache_cache_zipcode", "queue_processor_config"',
    );
    expect(remedyText(find(report, 'own-tables'))).toContain('pcache-migrate adopt');
  });

  test('by functions of another role are refused, until they are dropped', async () => {
    const scenario = await granted();
    const { client } = scenario.settings;
    const signature = 'partitioncache_get_queries_table_name(text)';
    await inWork(
      scenario,
      `CREATE FUNCTION public.partitioncache_get_queries_table_name(p_table_prefix text) RETURNS text LANGUAGE sql AS 'SELECT 1::text'`,
      `ALTER FUNCTION public.${signature} OWNER TO ${client.user}`,
    );
    const report = await examine(scenario.settings);
    expect(complaints(report)).toEqual(['client-functions']);
    expect(remedyText(find(report, 'client-functions'))).not.toMatch(/GRANT|OWNER/);
    const check = find(report, 'client-functions');
    expect(check.detail).toContain(`role "${client.user}"`);
    const line = check.remedy?.lines.find((each) => each.includes('DROP FUNCTION')) ?? '';
    expect(line.trim()).toBe(`DROP FUNCTION public.${signature};`);
    await inWork(scenario, line);
    expect(complaints(await examine(scenario.settings))).toEqual([]);
    await deploy(scenario.settings);
  });
});

describe('the cache backend', () => {
  test('roaringbit without its extension is refused', async () => {
    const scenario = await granted({ cacheBackend: 'roaringbit' });
    const report = await examine(scenario.settings);
    const [available] = await inWork(
      scenario,
      "SELECT FROM pg_available_extensions WHERE name = 'roaringbitmap'",
    );
    expect(complaints(report)).toEqual(['roaringbitmap']);
    expect(remedyText(find(report, 'roaringbitmap'))).toContain(
      'CREATE EXTENSION roaringbitmap SCHEMA "public";',
    );
    expect(find(report, 'roaringbitmap').remedy?.kind).toBe(available ? 'sql' : 'text');
  });

  test('bit needs no extension', async () => {
    const scenario = await granted({ cacheBackend: 'bit' });
    const ids = (await examine(scenario.settings)).checks.map(({ id }) => id);
    expect(ids).not.toContain('intarray');
    expect(ids).not.toContain('roaringbitmap');
  });
});

describe('the jobs', () => {
  test('are a warning if there are more than the server runs at once', async () => {
    const scenario = await deployed();
    const { cron } = scenario.settings;
    await inWork(
      scenario,
      'UPDATE partitioncache.settings SET max_slots = 40',
      ...[1, 2].map(
        (n) =>
          `INSERT INTO public.queue_processor_config
             (job_name, enabled, max_parallel_jobs, table_prefix, queue_prefix, cache_backend, target_database)
           VALUES ('p${n}', true, 20, 'cache', 'queue', 'array', '')`,
      ),
    );
    expect((await examineOne(scenario.settings, 'job-capacity')).detail).toContain(ROOM_HIDDEN);
    const check = await examineOne(withAdmin(scenario), 'job-capacity');
    expectStatus(check, 'warning');
    expect(check.detail).toContain(
      'cron.max_running_jobs = 32 (less 1 for jobs that end at once) lets at most 31 run at once',
    );
    await inCron(scenario, `GRANT pg_read_all_settings TO ${cron.user}`);
    expectStatus(await examineOne(scenario.settings, 'job-capacity'), 'warning');
  });

  test('of a cron stream that was rolled back in part are looked at as before', async () => {
    const scenario = await deployed();
    await down(scenario.settings, {
      waitSeconds: 20,
      drainSeconds: 20,
      onWait: () => {},
      log: () => {},
      confirm: async () => true,
      streams: ['cron'],
      extent: { to: await migrationBefore('cron', 'prune_job_runs') },
    });
    for (const id of ['job-logins', 'job-launch'] as const) {
      const { detail } = await examineOne(scenario.settings, id);
      expect(detail).not.toContain('no job has been scheduled yet');
    }
  });

  test.each([
    ['connection failed', 'pg_hba.conf'],
    [
      'could not start background process; more details may be available in the server log',
      'max_worker_processes',
    ],
    ['FATAL:  too many connections for role "someone"', 'CONNECTION LIMIT -1'],
    ['FATAL:  too many connections for database "some"', 'ALTER DATABASE'],
    ['FATAL:  sorry, too many clients already', 'Raise max_connections'],
  ])('whose last run said "%s" are a warning', async (message, remedy) => {
    const scenario = await deployed();
    const { work, cron } = scenario.settings;
    const run = (status: string, said: string, command = 'CALL partitioncache.run_maintenance()') =>
      inCron(
        scenario,
        `INSERT INTO cron.job_run_details
           (jobid, runid, job_pid, database, username, command, status, return_message, start_time, end_time)
         VALUES (1, nextval('cron.runid_seq'), 1, '${work.database}', '${cron.user}', '${command}', '${status}', '${said}', now(), now())`,
      );
    await run('failed', message, 'SELECT 1');
    await run('failed', 'ERROR: something else');
    expectStatus(await examineOne(scenario.settings, 'job-logins'), 'ok');
    await run('failed', message);
    const check = await examineOne(scenario.settings, 'job-logins');
    expectStatus(check, 'warning');
    expect(remedyText(check)).toContain(remedy);
    await run('succeeded', 'CALL');
    expectStatus(await examineOne(scenario.settings, 'job-logins'), 'ok');
  });
});
