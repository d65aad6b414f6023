import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, escapeIdentifier } from 'pg';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { withClient } from '../../src/database/connect.js';
import { dropEmptyLedger, readLedger } from '../../src/migrations/ledger.js';
import { LedgerError } from '../../src/migrations/ledger-error.js';
import { CommitError, LockUnavailableError } from '../../src/migrations/locking-transaction.js';
import { MigrationError } from '../../src/migrations/migration-error.js';
import { readMigrations } from '../../src/migrations/read-migrations.js';
import { type MigrationStep, migrateDown, migrateUp } from '../../src/migrations/run-migrations.js';
import {
  type DownExtent,
  MigrationSelectionError,
} from '../../src/migrations/select-migrations.js';
import { adminClient, createDatabase, createRole, dropDatabase } from '../harness/databases.js';

const schema = 'Own Schema';
const names = ['0001_a', '0002_b', '0003_c'];

/** The one table that the engine itself writes. */
const [LEDGER = ''] =
  /CREATE TABLE \{\{own\}\}\.ledger \([^;]*\);/.exec(
    readFileSync('cron-migrations/0001_ledger.up.sql', 'utf8').replaceAll('cron_schema', 'own'),
  ) ?? [];

type Scripts = Record<string, [up: string, down: string]>;

const scripts: Scripts = {
  // As in each stream of the package, the first migration makes the ledger.
  '0001_a': [
    `${LEDGER}CREATE TABLE public.a ();`,
    'DROP TABLE {{own}}.ledger;\nDROP TABLE public.a;',
  ],
  '0002_b': ['CREATE TABLE public.b ();', 'DROP TABLE public.b;'],
  '0003_c': ['CREATE TABLE {{own}}.c ();', 'DROP TABLE {{own}}.c;'],
};

let database: string;
let client: Client;
let logged: string[];
let steps: MigrationStep[];
const directories: string[] = [];

beforeEach(async () => {
  database = await createDatabase('engine');
  client = await adminClient(database);
  logged = [];
  steps = [];
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await client.end();
  await dropDatabase(database);
});

afterAll(async () => {
  await Promise.all(directories.map((directory) => rm(directory, { recursive: true })));
});

async function directoryOf(files: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'pcache-migrate-'));
  directories.push(directory);
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

async function migrationsOf(changed: Scripts = {}) {
  const files = Object.entries({ ...scripts, ...changed }).flatMap(([name, [up, down]]) => [
    [`${name}.up.sql`, up],
    [`${name}.down.sql`, down],
  ]);
  return readMigrations(await directoryOf(Object.fromEntries(files)), { own: schema });
}

async function options(changed: Scripts = {}, lock = { lockTimeoutMs: 100, retries: 0 }) {
  const log = (message: string) => logged.push(message);
  const onProgress = (step: MigrationStep) => steps.push(step);
  const migrations = await migrationsOf(changed);
  const by = { release: 1, packageVersion: '0.0.1' };
  return { client, schema, migrations, log, onProgress, ...by, ...lock };
}

async function up(changed: Scripts = {}, to?: string) {
  return migrateUp({ ...(await options(changed)), to });
}

async function down(extent: DownExtent, changed: Scripts = {}) {
  return migrateDown({ ...(await options(changed)), ...extent });
}

async function dropLedger() {
  return dropEmptyLedger(client, schema, { lockTimeoutMs: 100, retries: 0, log: () => {} });
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  const result = await work.then(
    () => new Error('it did not fail'),
    (error: Error) => error,
  );
  return result;
}

async function applied(): Promise<string[]> {
  return (await readLedger(client, schema)).map(({ name }) => name);
}

/** Everything in the database that is neither PostgreSQL's nor the schema `public` itself. */
async function relations(): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT nspname || coalesce('.' || relname, '') AS name
     FROM pg_namespace LEFT JOIN pg_class ON relnamespace = pg_namespace.oid AND relkind IN ('r', 'S')
     WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
     ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

const ledgerRelations = [`${schema}.ledger`, `${schema}.migrations`, `${schema}.migrations_id_seq`];

describe('up', () => {
  test('applies all, records them in order, and then has nothing to do', async () => {
    expect(await up()).toEqual(names);
    expect(await applied()).toEqual(names);
    expect(await relations()).toEqual([`${schema}.c`, ...ledgerRelations, 'public.a', 'public.b']);
    expect(await up()).toEqual([]);
  });

  test('stops after the named migration, and continues from there', async () => {
    expect(await up({}, '0002_b')).toEqual(['0001_a', '0002_b']);
    expect(await up({}, '0001_a')).toEqual([]);
    expect(await up()).toEqual(['0003_c']);
    expect(await applied()).toEqual(names);
  });

  test('refuses an unknown migration before anything runs', async () => {
    await expect(up({}, '0004_d')).rejects.toThrow(MigrationSelectionError);
    expect(await relations()).toEqual(['public']);
  });

  test('records the time of application, whatever the time zones of session and process', async () => {
    await client.query("SET TimeZone = 'Pacific/Kiritimati'");
    vi.stubEnv('TZ', 'America/New_York');
    await up();
    const [first] = await readLedger(client, schema);
    expect(Math.abs(Number(first?.appliedAt) - Date.now())).toBeLessThan(60_000);
  });

  test('keeps the order of application when sessions have different time zones', async () => {
    await client.query("SET TimeZone = 'Pacific/Kiritimati'");
    await up({}, '0002_b');
    await client.query("SET TimeZone = 'Pacific/Pago_Pago'");
    await up();
    expect(await down({ count: 1 })).toEqual(['0003_c']);
  });

  test('changes no setting of the session', async () => {
    await client.query("SET lock_timeout = '7s'; SET TimeZone = 'Asia/Tokyo'");
    await up();
    const { rows } = await client.query(
      "SELECT current_setting('lock_timeout') AS lock, current_setting('TimeZone') AS zone",
    );
    expect(rows).toEqual([{ lock: '7s', zone: 'Asia/Tokyo' }]);
  });

  test('raises no notice of its own', async () => {
    const notices: (string | undefined)[] = [];
    client.on('notice', ({ message }) => notices.push(message));
    await up();
    await down({ all: true });
    expect(notices).toEqual([]);
  });

  test('reports each migration that it begins, and logs nothing', async () => {
    await up({}, '0001_a');
    await up();
    await down({ all: true });
    expect(steps).toEqual([
      { direction: 'up', index: 1, total: 1, migration: '0001_a' },
      { direction: 'up', index: 1, total: 2, migration: '0002_b' },
      { direction: 'up', index: 2, total: 2, migration: '0003_c' },
      { direction: 'down', index: 1, total: 3, migration: '0003_c' },
      { direction: 'down', index: 2, total: 3, migration: '0002_b' },
      { direction: 'down', index: 3, total: 3, migration: '0001_a' },
    ]);
    expect(logged).toEqual([]);
  });

  test('needs no right to create schemas if its schema exists', async () => {
    const role = await createRole('migrator');
    const quoted = escapeIdentifier(role.name);
    await client.query(
      `CREATE SCHEMA ${escapeIdentifier(schema)} AUTHORIZATION ${quoted}; GRANT CREATE ON SCHEMA public TO ${quoted}; SET ROLE ${quoted}`,
    );
    expect(await up()).toEqual(names);
  });

  test('says which right is missing to create its ledger', async () => {
    const role = await createRole('migrator');
    await client.query(`SET ROLE ${escapeIdentifier(role.name)}`);
    const error = await failureOf(up());
    expect(error).toBeInstanceOf(LedgerError);
    expect(error.message).toMatch(/permission denied for database.*42501/s);
    expect(error).toMatchObject({ remedy: expect.stringContaining('CREATE on the database') });
  });

  test('refuses a schema name that node-pg-migrate would not quote', async () => {
    const attempt = migrateUp({ ...(await options()), schema: `o'brien` });
    await expect(attempt).rejects.toThrow(/"o'brien" contains a quote/);
  });

  test('is not cut by a marker comment within a body', async () => {
    const body = "DO $$ BEGIN\n-- Down Migration\nEXECUTE 'CREATE TABLE public.b ()'; END $$;";
    await up({ '0002_b': [`${body}\nCREATE TABLE public.after ();`, 'DROP TABLE public.b;'] });
    expect(await relations()).toEqual(expect.arrayContaining(['public.b', 'public.after']));
  });
});

describe('one transaction:', () => {
  test('a failing third migration leaves nothing, no ledger and no schema', async () => {
    const sql = "CREATE TABLE {{own}}.c ();\n\nSELECT '😀😀😀',\nno_such_column;";
    const error = await failureOf(up({ '0003_c': [sql, 'DROP TABLE {{own}}.c;'] }));
    expect(await relations()).toEqual(['public']);
    expect(error).toBeInstanceOf(MigrationError);
    expect(error).toMatchObject({
      migration: '0003_c',
      direction: 'up',
      file: expect.stringMatching(/0003_c\.up\.sql$/),
      line: 4,
      sqlState: '42703',
      cause: { message: 'column "no_such_column" does not exist' },
    });
    expect(error.message).toMatch(/0003_c \(up\) failed, and was rolled back: column .*42703/);
    expect(error.message).toMatch(/0003_c\.up\.sql:4: SELECT '😀😀😀', no_such_column/);
  });

  test('an existing ledger keeps what it had', async () => {
    await up({}, '0001_a');
    await failureOf(up({ '0003_c': ['SELECT 1 / 0;', 'SELECT 1;'] }));
    expect(await applied()).toEqual(['0001_a']);
    expect(await relations()).toEqual([...ledgerRelations, 'public.a']);
  });

  test('the error carries detail, hint and the line of a statement without position', async () => {
    const raise = `SELECT 1;\n\nDO $$ BEGIN\n RAISE EXCEPTION 'no' USING DETAIL = 'why', HINT = 'how', ERRCODE = 'PC001';\nEND $$;`;
    const error = await failureOf(up({ '0001_a': [raise, 'SELECT 1;'] }));
    expect(error).toMatchObject({ line: 3, sqlState: 'PC001', detail: 'why', hint: 'how' });
    expect(error.message).toMatch(/DETAIL: why\nHINT: how\nCONTEXT: PL\/pgSQL/);
  });

  test('a failing down leaves all applied', async () => {
    await up({ '0001_a': [LEDGER, 'SELECT 1 / 0;'] });
    const error = await failureOf(down({ all: true }));
    expect(error).toMatchObject({ migration: '0001_a', direction: 'down', sqlState: '22012' });
    expect(await applied()).toEqual(names);
    expect(await relations()).toEqual(expect.arrayContaining(['public.b', `${schema}.c`]));
  });

  test('a constraint that fails only at COMMIT leaves nothing', async () => {
    const sql =
      'CREATE TABLE public.d (i int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO public.d VALUES (1), (1);';
    const error = await failureOf(up({ '0003_c': [sql, 'DROP TABLE public.d;'] }));
    expect(error).toBeInstanceOf(CommitError);
    expect(error.message).toMatch(/refused to commit and rolled the transaction back: .*23505/);
    expect(await relations()).toEqual(['public']);
  });
});

describe('a lock that cannot be acquired', () => {
  let blocker: Client;

  beforeEach(async () => {
    await client.query('CREATE TABLE public.busy ()');
    blocker = await adminClient(database);
    await blocker.query('BEGIN; LOCK TABLE public.busy IN ACCESS SHARE MODE');
  });

  afterEach(async () => {
    await blocker.end();
  });

  const alters: Scripts = {
    '0002_b': [
      'CREATE TABLE public.b ();\nALTER TABLE public.busy ADD i int;',
      'ALTER TABLE public.busy DROP i;',
    ],
  };

  test('is retried, and the run succeeds once the blocker is gone', async () => {
    const run = await options(alters, { lockTimeoutMs: 50, retries: 20 });
    const release = (message: string) => {
      logged.push(message);
      if (message.startsWith('No lock in attempt 2')) void blocker.query('COMMIT');
    };
    expect(await migrateUp({ ...run, log: release })).toEqual(names);
    expect(logged.join('\n')).toMatch(/No lock in attempt 1 of 21, rolled back; again in 50 ms/);
    expect(logged.join('\n')).toMatch(/No lock in attempt 2 of 21, rolled back; again in 100 ms/);
    // Each attempt from the beginning.
    const attempts = logged.length;
    expect(steps.map(({ index, migration }) => `${index} ${migration}`)).toEqual([
      ...Array(attempts).fill(['1 0001_a', '2 0002_b']).flat(),
      ...['1 0001_a', '2 0002_b', '3 0003_c'],
    ]);
    expect(await applied()).toEqual(names);
  });

  test('does not hold up the application behind it', async () => {
    const run = await options(alters, { lockTimeoutMs: 50, retries: 3 });
    const failing = failureOf(migrateUp(run));
    const reader = await adminClient(database);
    await reader.query("SET statement_timeout = '1s'");
    for (let i = 0; i < 20; i += 1) await reader.query('SELECT FROM public.busy');
    await reader.end();
    expect(await failing).toBeInstanceOf(LockUnavailableError);
  });

  test('is given up after the retries, with the statement and how to find the blocker', async () => {
    const error = await failureOf(
      migrateUp(await options(alters, { lockTimeoutMs: 50, retries: 1 })),
    );
    expect(error).toBeInstanceOf(LockUnavailableError);
    expect(error).toMatchObject({
      attempts: 2,
      cause: { name: 'MigrationError', migration: '0002_b', line: 2, sqlState: '55P03' },
    });
    expect(error.message).toMatch(/2 attempts of up to 50 ms/);
    expect(error.message).toMatch(/0002_b\.up\.sql:2: ALTER TABLE public\.busy ADD i int/);
    expect(error).toMatchObject({ remedy: expect.stringContaining('pg_blocking_pids') });
    expect(await relations()).toEqual(['public.busy']);
  });

  test('names who holds it, and the line that ends that', async () => {
    const { rows } = await blocker.query('SELECT pg_backend_pid() AS pid');
    const { user, password, host, port } = client;
    const settings = {
      user: user as string,
      password,
      host,
      port,
      database,
      ssl: { mode: 'disable' as const },
    };
    const run = await options(alters, { lockTimeoutMs: 300, retries: 0 });
    const failure = await withClient(settings, (own) =>
      failureOf(migrateUp({ ...run, client: own })),
    );
    expect(failure).toMatchObject({
      name: 'LockUnavailableError',
      message: expect.stringContaining(`The lock is held by pid ${rows[0].pid}, role "postgres"`),
      remedy: expect.stringContaining(`SELECT pg_terminate_backend(${rows[0].pid});`),
    });
    expect(failure.message).not.toContain('LOCK TABLE');
  });

  test('the query it gives names the blocker while the run waits', async () => {
    const run = await options(alters, { lockTimeoutMs: 1, retries: 0 });
    const { remedy = '' } = (await failureOf(migrateUp(run))) as LockUnavailableError;
    const whoBlocks = remedy.slice(remedy.indexOf('SELECT b.pid'), remedy.indexOf(';\nLet') + 1);
    const waiting = failureOf(migrateUp({ ...run, lockTimeoutMs: 2000 }));
    const observer = await adminClient(database);
    const { rows: blocking } = await blocker.query('SELECT pg_backend_pid() AS pid');
    await expect
      .poll(async () => (await observer.query(whoBlocks)).rows, { timeout: 1500 })
      .toEqual([expect.objectContaining(blocking[0])]);
    await blocker.query('COMMIT');
    expect((await waiting).message).toBe('it did not fail');
    await observer.end();
  });

  test.each([0, -1, 1.5, Number.NaN])('a lock timeout of %d is refused', async (lockTimeoutMs) => {
    await expect(migrateUp(await options({}, { lockTimeoutMs, retries: 0 }))).rejects.toThrow(
      RangeError,
    );
  });
});

test('a deadlock is retried', async () => {
  await client.query('CREATE TABLE public.x (); CREATE TABLE public.y ()');
  // A session looks for a deadlock only once, this long after it began to wait: the run becomes the victim.
  await client.query("SET deadlock_timeout = '400ms'");
  const other = await adminClient(database);
  await other.query("BEGIN; SET LOCAL deadlock_timeout = '1min'; LOCK TABLE public.y");
  const locks = 'LOCK TABLE public.x;\nLOCK TABLE public.y;';
  const run = await options(
    { '0002_b': [locks, 'SELECT 1;'] },
    { lockTimeoutMs: 1200, retries: 1 },
  );
  const running = migrateUp(run);
  await expect
    .poll(async () => (await other.query('SELECT FROM pg_locks WHERE NOT granted')).rowCount)
    .toBe(1);
  await other.query('LOCK TABLE public.x');
  await other.query('COMMIT');
  expect(await running).toEqual(names);
  expect(logged.join('\n')).toMatch(/No lock in attempt 1 of 2.*deadlock detected.*40P01/s);
  await other.end();
});

describe('down', () => {
  test.each<[string, DownExtent, string[]]>([
    ['one', { count: 1 }, ['0003_c']],
    ['two', { count: 2 }, ['0003_c', '0002_b']],
    ['to the one named', { to: '0001_a' }, ['0003_c', '0002_b']],
    ['to the last', { to: '0003_c' }, []],
    ['all', { all: true }, ['0003_c', '0002_b', '0001_a']],
  ])('%s', async (_, extent, expected) => {
    await up();
    expect(await down(extent)).toEqual(expected);
    expect(await applied()).toEqual(names.slice(0, names.length - expected.length));
  });

  test('treats a count beyond what is applied as all, and says so', async () => {
    await up({}, '0002_b');
    expect(await down({ count: 5 })).toEqual(['0002_b', '0001_a']);
    expect(logged).toContain('Only 2 of 5 migrations are applied.');
    expect(await applied()).toEqual([]);
  });

  test.each([0, -1])('refuses the count %d, which node-pg-migrate would misread', async (count) => {
    await up();
    await expect(down({ count })).rejects.toThrow(MigrationSelectionError);
    expect(await applied()).toEqual(names);
  });

  test('creates nothing if nothing is applied', async () => {
    expect(await down({ all: true })).toEqual([]);
    expect(await relations()).toEqual(['public']);
  });

  test('then up again gives the same', async () => {
    await up();
    const before = await relations();
    await down({ all: true });
    await up();
    expect(await relations()).toEqual(before);
  });
});

describe('before anything runs', () => {
  test('a missing down is refused', async () => {
    const directory = await directoryOf({ '0001_a.up.sql': 'CREATE TABLE public.a ();' });
    await expect(readMigrations(directory, {})).rejects.toThrow(/0001_a\.down\.sql: is missing/);
  });

  test('a file that was edited after it was applied is refused, with both checksums', async () => {
    await up({}, '0002_b');
    const edited: Scripts = {
      '0002_b': ['CREATE TABLE public.b (i int);', 'DROP TABLE public.b;'],
    };
    const error = await failureOf(up(edited));
    expect(error).toBeInstanceOf(LedgerError);
    const checksums = [await migrationsOf(), await migrationsOf(edited)].map(
      ([, second]) => second?.up.checksum,
    );
    expect(error.message).toContain(
      `0002_b.up.sql is not the file that was applied (SHA-256 applied: ${checksums[0]}, in this package: ${checksums[1]})`,
    );
    expect(await applied()).toEqual(['0001_a', '0002_b']);
  });

  test('a row deleted from one of its tables is found', async () => {
    await up();
    await client.query(`DELETE FROM "${schema}".migrations WHERE name = '0002_b'`);
    await expect(up()).rejects.toThrow(/0003_c in place 2, where 0002_b belongs/);
    await client.query(`DELETE FROM "${schema}".migrations WHERE name = '0003_c'`);
    await expect(up()).rejects.toThrow(/0002_b to 0003_c are missing in the table migrations/);
  });
});

describe('a schema that was there before', () => {
  test('is refused if somebody else owns it, who could replace what it gets', async () => {
    const [stranger, migrator] = [await createRole('stranger'), await createRole('migrator')];
    await client.query(`
      CREATE SCHEMA "${schema}" AUTHORIZATION ${stranger.name};
      GRANT ALL ON SCHEMA "${schema}", public TO ${migrator.name};
      SET ROLE ${migrator.name};`);
    await expect(up()).rejects.toThrow(
      new RegExp(`is not read, since others may have made it: .*"${stranger.name}"`),
    );
    await client.query('RESET ROLE');
    // Not a superuser either, who has the rights of every owner.
    await expect(applied()).rejects.toThrow('is not read');
    expect(await relations()).toEqual([schema, 'public']);
    await client.query(`ALTER SCHEMA "${schema}" OWNER TO postgres; SET ROLE ${migrator.name};`);
    expect(await up()).toEqual(names);
    await client.query(`RESET ROLE; DROP OWNED BY ${stranger.name}, ${migrator.name} CASCADE;
      DROP ROLE ${stranger.name}, ${migrator.name};`);
  });
});

describe('the ledger', () => {
  test('is read without being created', async () => {
    expect(await readLedger(client, schema)).toEqual([]);
    await client.query(`CREATE SCHEMA ${escapeIdentifier(schema)}`);
    expect(await readLedger(client, schema)).toEqual([]);
    expect(await relations()).toEqual([schema, 'public']);
  });

  test('is refused if the table is something else', async () => {
    await client.query(
      `CREATE SCHEMA "${schema}"; CREATE TABLE "${schema}".migrations (version int)`,
    );
    await expect(up()).rejects.toThrow(/not a ledger of pcache-migrate/);
  });

  test('tells a role that may not read it what is missing', async () => {
    await up();
    const role = await createRole('stranger');
    await client.query(`SET ROLE ${escapeIdentifier(role.name)}`);
    await expect(readLedger(client, schema)).rejects.toThrow(/cannot be read: .*permission denied/);
  });

  test('is dropped after the last migration, and the schema with it', async () => {
    await up();
    await down({ all: true });
    expect(await dropLedger()).toEqual({ table: true, schema: true });
    expect(await relations()).toEqual(['public']);
    expect(await dropLedger()).toEqual({ table: false, schema: false });
  });

  test('stays while a migration is applied', async () => {
    await up({}, '0001_a');
    await expect(dropLedger()).rejects.toThrow(/still holds 0001_a/);
    expect(await applied()).toEqual(['0001_a']);
  });

  test('is dropped without the schema if that contains anything else', async () => {
    await up();
    await down({ all: true });
    await client.query(`CREATE FUNCTION "${schema}".theirs() RETURNS int RETURN 1`);
    expect(await dropLedger()).toEqual({ table: true, schema: false });
    expect(await relations()).toEqual([schema, 'public']);
  });

  test('is dropped without the schema if that is someone else’s', async () => {
    const role = await createRole('owner');
    await client.query(`ALTER ROLE ${escapeIdentifier(role.name)} SUPERUSER;
      CREATE SCHEMA "${schema}" AUTHORIZATION ${escapeIdentifier(role.name)}`);
    await up();
    await down({ all: true });
    expect(await dropLedger()).toEqual({ table: true, schema: false });
  });

  test('stays complete if something else depends on it', async () => {
    await up();
    await down({ all: true });
    await client.query(`CREATE VIEW public.theirs AS SELECT name FROM "${schema}".migrations`);
    await expect(dropLedger()).rejects.toThrow(/cannot be dropped: .*view theirs depends/s);
    const [, ...namesTable] = ledgerRelations;
    expect(await relations()).toEqual([...namesTable, 'public']);
  });

  test('holds what was run, by whom and in which release, and what takes it back', async () => {
    await up({}, '0002_b');
    await migrateUp({ ...(await options()), release: 2, packageVersion: '0.0.2' });
    const { rows } = await client.query(
      `SELECT name, release, up_sql, down_sql, package_version, applied_by, duration > '0' AS took
         FROM "${schema}".ledger WHERE name <> '0001_a' ORDER BY name`,
    );
    const common = { applied_by: 'postgres', took: true };
    expect(rows).toEqual([
      {
        ...common,
        name: '0002_b',
        release: 1,
        package_version: '0.0.1',
        up_sql: 'CREATE TABLE public.b ();',
        down_sql: 'DROP TABLE public.b;',
      },
      {
        ...common,
        name: '0003_c',
        release: 2,
        package_version: '0.0.2',
        up_sql: `CREATE TABLE "${schema}".c ();`,
        down_sql: `DROP TABLE "${schema}".c;`,
      },
    ]);
  });

  test('is what a rollback goes by, whatever the files say by then', async () => {
    await up();
    const edited: Scripts = Object.fromEntries(
      names.map((name) => [name, ['SELECT 1;', 'SELECT 1 / 0;']]),
    );
    expect(await down({ toRelease: 0 }, edited)).toEqual(names.toReversed());
    expect(await relations()).toEqual([...ledgerRelations.slice(1), 'public']);
  });

  test('cannot end the transaction by a statement that is hidden in another', async () => {
    await up();
    // The name of the function looks like the BEGIN of a body, in which semicolons are no ends.
    const hidden = `CREATE FUNCTION public.begin() RETURNS int LANGUAGE sql AS 'SELECT 1'; COMMIT`;
    await client.query(`UPDATE "${schema}".ledger SET down_sql = $1 WHERE name = '0002_b'`, [
      `DROP TABLE public.b; ${hidden}`,
    ]);
    const failure = await failureOf(down({ all: true }));
    expect(failure).toMatchObject({ name: 'MigrationError', sqlState: '42601' });
    expect(await applied()).toEqual(names);
    expect(await relations()).toContain('public.b');
  });

  test('lets an older package roll back what a newer one applied', async () => {
    await up();
    const older = { ...(await options()), migrations: (await migrationsOf()).slice(0, 2) };
    expect(await migrateDown({ ...older, count: 2 })).toEqual(['0003_c', '0002_b']);
    expect(await applied()).toEqual(['0001_a']);
  });

  test.each([
    ['owns it', 'ALTER TABLE %I.ledger OWNER TO %r', 'table ledger belongs to role "%r"'],
    [
      'may write it',
      'GRANT UPDATE (down_sql) ON %I.ledger TO %r',
      'role "%r" may change table ledger',
    ],
    [
      'may write names',
      'GRANT INSERT ON %I.migrations TO %r',
      'role "%r" may change table migrations',
    ],
    [
      'adds rows from outside',
      'CREATE TABLE public.child () INHERITS (%I.ledger)',
      'has child tables',
    ],
  ])('is not run where somebody else %s', async (_, sabotage, reason) => {
    const [stranger, migrator] = [await createRole('stranger'), await createRole('migrator')];
    await client.query(`CREATE SCHEMA "${schema}" AUTHORIZATION ${migrator.name};
      GRANT CREATE ON SCHEMA public TO ${migrator.name}; SET ROLE ${migrator.name};`);
    await up();
    await client.query('RESET ROLE');
    await client.query(sabotage.replace('%I', `"${schema}"`).replace('%r', stranger.name));
    await client.query(`GRANT ALL ON ALL TABLES IN SCHEMA "${schema}" TO ${migrator.name};
      SET ROLE ${migrator.name};`);
    await expect(down({ all: true })).rejects.toThrow(reason.replace('%r', stranger.name));
    await client.query('RESET ROLE');
    expect(await relations()).toContain(`${schema}.c`);
    await client.query(`DROP OWNED BY ${stranger.name}, ${migrator.name} CASCADE;
      DROP ROLE ${stranger.name}, ${migrator.name};`);
  });
});

describe('an index that is built without a transaction', () => {
  const create = '--! no transaction\nCREATE INDEX CONCURRENTLY b_i ON public.b (i);';
  const drop = '--! no transaction\nDROP INDEX CONCURRENTLY public.b_i;';
  const indexed: Scripts = {
    '0002_b': ['CREATE TABLE public.b (i int);', 'DROP TABLE public.b;'],
    '0003_c': [create, drop],
    '0004_d': ['CREATE TABLE public.d ();', 'DROP TABLE public.d;'],
  };

  async function index(): Promise<boolean[]> {
    const { rows } = await client.query<{ indisvalid: boolean }>(
      "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('public.b_i')",
    );
    return rows.map(({ indisvalid }) => indisvalid);
  }

  test('is recorded between what comes before and after it, and dropped in its turn', async () => {
    expect(await up(indexed)).toEqual([...names, '0004_d']);
    expect(await index()).toEqual([true]);
    expect(steps.map(({ index, total }) => `${index}/${total}`)).toEqual([
      '1/4',
      '2/4',
      '3/4',
      '4/4',
    ]);
    expect(await down({ count: 2 }, indexed)).toEqual(['0004_d', '0003_c']);
    expect(await index()).toEqual([]);
    expect(await applied()).toEqual(['0001_a', '0002_b']);
  });

  test('is rebuilt by the next run when it failed half way', async () => {
    const unique = create.replace('CREATE INDEX', 'CREATE UNIQUE INDEX');
    const scripts: Scripts = { ...indexed, '0003_c': [unique, drop] };
    await up(scripts, '0002_b');
    await client.query('INSERT INTO public.b VALUES (1), (1)');
    const error = await failureOf(up(scripts));
    expect(error.message).toMatch(
      /0003_c \(up\) failed, and may have left its index invalid .*23505/s,
    );
    expect(await index()).toEqual([false]);
    expect(await applied()).toEqual(['0001_a', '0002_b']);
    await client.query('TRUNCATE public.b');
    expect(await up(scripts)).toEqual(['0003_c', '0004_d']);
    expect(await index()).toEqual([true]);
    expect(logged.join()).toMatch(/b_i" is there already, left invalid/);
  });

  test('keeps what came before it when it fails, and says so', async () => {
    const broken = create.replace('(i)', '(no_such_column)');
    const error = await failureOf(up({ ...indexed, '0003_c': [broken, drop] }));
    expect(error.message).toMatch(/applied before, and kept so: 0001_a to 0002_b/);
    expect(await applied()).toEqual(['0001_a', '0002_b']);
  });

  test('is taken over when only its entry in the ledger is missing', async () => {
    await up(indexed, '0002_b');
    await client.query('CREATE INDEX b_i ON public.b (i)');
    expect(await up(indexed)).toEqual(['0003_c', '0004_d']);
    expect(await index()).toEqual([true]);
  });

  test('may wait for the transactions of others longer than a lock may', async () => {
    await up(indexed, '0002_b');
    const other = await adminClient(database);
    // In a transaction, pg_stat_activity would stay as it was.
    const observer = await adminClient(database);
    await other.query('BEGIN; INSERT INTO public.b VALUES (1)');
    const running = up(indexed);
    await expect
      .poll(async () => {
        const { rows } = await observer.query<{ waited: boolean }>(
          `SELECT clock_timestamp() - query_start > '300ms' AS waited FROM pg_stat_activity
            WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'`,
        );
        return rows[0]?.waited;
      })
      .toBe(true);
    await other.query('COMMIT');
    expect(await running).toEqual(['0003_c', '0004_d']);
    await other.end();
    await observer.end();
  });

  test.each([
    'CREATE INDEX CONCURRENTLY IF NOT EXISTS b_i ON public.b (i);',
    'CREATE INDEX CONCURRENTLY ON public.b (i);',
    'CREATE INDEX CONCURRENTLY b_i ON b (i);',
    'VACUUM public.b;',
    `${create}\nSELECT 1;`,
  ])('is all that may stand there: not %j', async (sql) => {
    const wrong: Scripts = { ...indexed, '0003_c': [`--! no transaction\n${sql}`, drop] };
    await expect(up(wrong)).rejects.toThrow(/0003_c\.up\.sql: without a transaction there may be/);
    expect(await relations()).toEqual(['public']);
  });
});
