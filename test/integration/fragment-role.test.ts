import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import type { Settings } from '../../src/settings/settings.js';
import { adminClient, createRole } from '../harness/databases.js';
import {
  connectAs,
  createSite,
  deploy,
  enqueue,
  setUp,
  type TestSite,
  tablesOf,
} from '../harness/deployment.js';
import { examineOne } from './doctor-scenario.js';

// A fragment has the rights of the fragment role, whoever runs the processor, and keeps those only.

let site: TestSite;
let settings: Settings;
let admin: pg.Client;
let app: pg.Client;
let cronRole: pg.Client;
let role: string;

beforeAll(async () => {
  site = await createSite();
  settings = site.settings();
  role = site.fragmentRole as string;
  await setUp(settings, { enable: false });
  admin = await adminClient(site.database);
  app = await connectAs(settings.client);
  cronRole = await connectAs({ ...settings.cron, database: site.database });
  await admin.query(`
    CREATE TABLE for_fragments AS SELECT 1 AS key;
    CREATE TABLE for_others AS SELECT 2 AS key;
    GRANT SELECT ON for_fragments TO ${role};
    GRANT SELECT ON for_others TO ${site.cronRole.name}, ${site.app.name}, ${site.migrator.name};
    GRANT CREATE ON SCHEMA public TO ${site.app.name}`);
  return () => admin.end();
});

/** Who has a queued fragment evaluated, and how. */
const WAYS = [
  ['a run of the cron role', () => cronRole.query('CALL partitioncache.process_now($1)', [job()])],
  ['a client, by hand', () => app.query('SELECT partitioncache_manual_process_queue(1)')],
] as const;

function job(): string {
  return defaultJobName(settings);
}

async function outcomeOf(hash: string, query: string, process: () => Promise<unknown>) {
  const { processorLog } = tablesOf(settings);
  await enqueue(app, settings, [{ hash, key: 'zipcode', datatype: 'integer', query }]);
  await process();
  const { rows } = await admin.query(
    `SELECT coalesce(error_message, status) AS outcome FROM ${processorLog} WHERE query_hash = $1`,
    [hash],
  );
  return rows.map(({ outcome }) => outcome).join();
}

describe.each(WAYS)('in %s, a fragment', (way, process) => {
  it.each([
    ['reads what the fragment role may read', 'SELECT key FROM for_fragments', /^success$/],
    [
      'does not read what only the others may read',
      'SELECT key FROM for_others',
      /^42501: permission denied for table for_others$/,
    ],
    [
      'does not read the queue that it came from',
      'SELECT id FROM partitioncache_queue_query_fragment_queue',
      /^42501: permission denied for table/,
    ],
    [
      "does not reach the package's own schema",
      'SELECT max_slots FROM partitioncache.settings',
      /^42501: permission denied for schema partitioncache$/,
    ],
    [
      'is the fragment role, and no other',
      "SELECT 1 FROM set_config('role', session_user, false)",
      /^42501: cannot set parameter "role" within security-definer function$/,
    ],
    [
      'cannot end the session that runs it',
      'SELECT pg_terminate_backend(pg_backend_pid())::integer',
      /^42501: (must be a member of|permission denied to terminate process)/,
    ],
    [
      'cannot cancel the session that runs it',
      'SELECT pg_cancel_backend(pg_backend_pid())::integer',
      /^42501: (must be a member of|permission denied to cancel query)/,
    ],
  ])('%s', async (title, query, expected) => {
    expect(await outcomeOf(`${way}: ${title}`, query, process)).toMatch(expected);
  });

  it('evaluates a function with the rights of the fragment role, even while it is only planned', async () => {
    await app.query(`
      CREATE OR REPLACE FUNCTION public.planned() RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
      $$ BEGIN RETURN (SELECT key FROM public.for_others); END $$`);
    for (const [title, query, key] of [
      ['planned', 'SELECT id FROM pois WHERE (id = planned())', 'zipcode'],
      ['probed', 'SELECT id FROM pois WHERE (id = planned())', `new_${way.replaceAll(/\W/g, '_')}`],
    ] as const) {
      const hash = `${way}: ${title}`;
      await enqueue(app, settings, [{ hash, key, datatype: null, query }]);
      await process();
      const { rows } = await admin.query(
        `SELECT error_message AS error FROM ${tablesOf(settings).processorLog} WHERE query_hash = $1`,
        [hash],
      );
      expect(rows).toEqual([
        { error: expect.stringMatching(/^42501: permission denied for table for_others/) },
      ]);
    }
  });
});

it('gives nobody who calls the evaluating function more than a fragment has', async () => {
  const call = (query: string, closed: boolean) =>
    app.query('SELECT * FROM partitioncache.run_fragment($1, $2, $3, NULL)', [
      query,
      closed,
      'integer',
    ]);
  expect((await call('SELECT key FROM for_fragments', true)).rows[0].bigint_keys).toEqual(['1']);
  for (const closed of [true, false]) {
    for (const query of [
      'SELECT 1) AS a; CREATE TABLE public.stolen (); SELECT (1',
      'SELECT 1) AS a (key)) AS keys) AS b; ALTER FUNCTION partitioncache.run_fragment SECURITY INVOKER; SELECT 1 FROM (SELECT 1',
      `SELECT 1) AS a (key)) AS keys) AS b; SET ROLE ${site.migrator.name}; SELECT 1 FROM (SELECT 1`,
    ]) {
      await expect(call(query, closed)).rejects.toMatchObject({
        code: expect.stringMatching(/^(42601|25006|42501)$/),
      });
    }
  }
  const { rows } = await admin.query(
    `SELECT prosecdef, proowner::regrole::text AS owner, to_regclass('public.stolen') AS stolen
       FROM pg_proc WHERE proname = 'run_fragment'`,
  );
  expect(rows).toEqual([{ prosecdef: true, owner: role, stolen: null }]);
});

it('leaves nothing behind as its owner, whoever calls the evaluating function', async () => {
  // Large objects are writes only from PostgreSQL 16 on.
  for (const query of [
    "SELECT lo_from_bytea(0, 'left')::integer",
    "SELECT 1) AS a (key)) AS keys) AS b; SELECT lo_from_bytea(0, 'left'); SELECT 1 FROM (SELECT 1",
  ]) {
    await app
      .query('SELECT * FROM partitioncache.run_fragment($1, true, $2, NULL)', [query, 'integer'])
      .catch(() => {});
  }
  const { rows } = await admin.query(
    'SELECT oid FROM pg_largeobject_metadata WHERE lomowner = $1::regrole',
    [role],
  );
  expect(rows).toEqual([]);
});

describe('the role', () => {
  it('has no rights in our schema, before and after, and cannot log in', async () => {
    const { rows } = await admin.query(
      `SELECT has_schema_privilege($1, 'partitioncache', 'USAGE') AS usage,
              has_schema_privilege($1, 'partitioncache', 'CREATE') AS create,
              (SELECT rolcanlogin FROM pg_roles WHERE rolname = $1) AS login`,
      [role],
    );
    expect(rows).toEqual([{ usage: false, create: false, login: false }]);
  });

  it('that a restore has lost is missed before anything is claimed, and up puts it right', async () => {
    await admin.query(`ALTER FUNCTION partitioncache.run_fragment OWNER TO postgres`);
    await enqueue(app, settings, [
      {
        hash: 'restored',
        key: 'zipcode',
        datatype: 'integer',
        query: 'SELECT key FROM for_others',
      },
    ]);
    for (const [, process] of WAYS) {
      await expect(process()).rejects.toMatchObject({
        code: '28000',
        message: `fragments would run as role "postgres", not as role "${role}"`,
        hint: expect.stringContaining(`SELECT partitioncache.set_fragment_role('${role}');`),
      });
    }
    await expect(
      cronRole.query('CALL partitioncache.run_processor($1, 1)', [job()]),
    ).rejects.toMatchObject({ code: '28000' });
    const { rowCount } = await admin.query(
      `SELECT FROM ${tablesOf(settings).fragmentQueue} WHERE hash = 'restored'`,
    );
    expect(rowCount).toBe(1);
    expect(await examineOne(settings, 'fragment-role')).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('fragments have the rights of "postgres"'),
    });
    // Only its owner may give it away: who restored it.
    await admin.query(`ALTER FUNCTION partitioncache.run_fragment OWNER TO ${site.migrator.name}`);
    expect((await deploy(settings)).fragmentRole).toBe(role);
    await cronRole.query('CALL partitioncache.process_now($1)', [job()]);
    expect(await examineOne(settings, 'fragment-role')).toMatchObject({ status: 'ok' });
    const { rows } = await admin.query(
      `SELECT error_message AS error FROM ${tablesOf(settings).processorLog} WHERE query_hash = 'restored'`,
    );
    expect(rows).toEqual([{ error: '42501: permission denied for table for_others' }]);
  });

  it('is not lost by a forgotten variable', async () => {
    const forgetful = site.settings({ PG_FRAGMENT_ROLE: '' });
    await expect(deploy(forgetful)).rejects.toMatchObject({ name: 'PreflightError' });
    expect(await examineOne(forgetful, 'deployment-identity')).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining(`PG_FRAGMENT_ROLE was "${role}" and is now ""`),
    });
  });

  it('comes to a deployment that had none, and goes again, on purpose', async () => {
    const late = await createSite();
    const without = late.settings({ PG_FRAGMENT_ROLE: '' });
    const within = late.settings();
    await setUp(without, { enable: false });
    expect(await examineOne(without, 'fragment-role')).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining(`none: fragments have all rights of role`),
    });
    expect(await examineOne(within, 'fragment-role')).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('pcache-migrate up gives them those of'),
    });
    expect((await deploy(within)).fragmentRole).toBe(late.fragmentRole);
    expect((await deploy(within)).fragmentRole).toBe(null);
    expect(await examineOne(within, 'fragment-role')).toMatchObject({ status: 'ok' });
    const migrator = await connectAs(within.work);
    await migrator.query('SELECT partitioncache.set_fragment_role(NULL)');
    const { rows } = await migrator.query(
      `SELECT prosecdef, proowner::regrole::text AS owner FROM pg_proc WHERE proname = 'run_fragment'`,
    );
    expect(rows).toEqual([{ prosecdef: false, owner: late.migrator.name }]);
    await deploy(without);
  });
});

describe('a role that is not fit', () => {
  const quoted = () => pg.escapeIdentifier(role);

  it.each([
    [
      'may log in',
      () => `ALTER ROLE ${quoted()} LOGIN`,
      () => `ALTER ROLE ${quoted()} NOLOGIN`,
      'has LOGIN',
    ],
    [
      'is a superuser',
      () => `ALTER ROLE ${quoted()} SUPERUSER`,
      () => `ALTER ROLE ${quoted()} NOSUPERUSER`,
      'has SUPERUSER',
    ],
    [
      'may end the sessions of others',
      () => `GRANT pg_signal_backend TO ${quoted()}`,
      () => `REVOKE "pg_signal_backend" FROM ${quoted()}`,
      'is a member of "pg_signal_backend"',
    ],
    [
      'has the rights of the cron role',
      () => `GRANT ${site.cronRole.name} TO ${quoted()}`,
      () => `REVOKE "${site.cronRole.name}" FROM ${quoted()}`,
      'is a member of "cron_',
    ],
    [
      'has members who could change what fragments run as',
      () => `GRANT ${quoted()} TO ${site.app.name}`,
      () => `REVOKE ${quoted()} FROM "${site.app.name}"`,
      'has the member "app_',
    ],
  ])('is refused, and nothing is deployed: one that %s', async (_, spoil, mend, detail) => {
    await admin.query(spoil());
    try {
      expect(await examineOne(settings, 'fragment-role')).toMatchObject({
        status: 'failed',
        detail: expect.stringContaining(detail),
        remedy: { kind: 'text', lines: expect.arrayContaining([`${mend()};`]) },
      });
    } finally {
      await admin.query(mend());
    }
    expect(await examineOne(settings, 'fragment-role')).toMatchObject({ status: 'ok' });
  });

  it('is refused: one that the migrator is no member of, with the line that helps', async () => {
    await admin.query(`REVOKE ${quoted()} FROM ${site.migrator.name}`);
    const found = await examineOne(settings, 'fragment-role');
    expect(found).toMatchObject({ status: 'failed' });
    await admin.query((found.remedy?.lines ?? []).join('\n'));
    expect(await examineOne(settings, 'fragment-role')).toMatchObject({ status: 'ok' });
  });

  it('is refused: one that does not exist, and none is created', async () => {
    const found = await examineOne(
      site.settings({ PG_FRAGMENT_ROLE: 'nobody at all' }),
      'fragment-role',
    );
    expect(found).toMatchObject({
      status: 'failed',
      detail: 'there is no role "nobody at all"',
      remedy: { kind: 'text' },
    });
  });

  it.each([
    ['PG_CRON_USER', 'cron role'],
    ['PG_QUEUE_USER', 'client role'],
    ['DB_USER', 'migrator'],
  ])('is refused at the edge: the one of %s', (name, part) => {
    const environment = site.environment();
    expect(() => site.settings({ PG_FRAGMENT_ROLE: environment[name] })).toThrow(
      `is the ${part} (${name}) as well`,
    );
  });

  it('is refused by the database as well', async () => {
    const migrator = await connectAs(settings.work);
    const login = await createRole('login');
    await admin.query(`GRANT ${login.name} TO ${site.migrator.name}`);
    for (const [name, code] of [
      [login.name, '22023'],
      [site.cronRole.name, '22023'],
      [site.migrator.name, '22023'],
      ['postgres', '22023'],
      ['nobody', '42704'],
    ]) {
      await expect(
        migrator.query('SELECT partitioncache.set_fragment_role($1)', [name]),
      ).rejects.toMatchObject({ code });
    }
    await admin.query(`DROP ROLE ${login.name}`);
    const { rows } = await migrator.query(
      `SELECT proowner::regrole::text AS owner, fragment_role FROM pg_proc, partitioncache.deployment WHERE proname = 'run_fragment'`,
    );
    expect(rows).toEqual([{ owner: role, fragment_role: role }]);
  });
});
