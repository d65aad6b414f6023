import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Settings } from '../../src/settings/settings.js';
import { adminClient } from '../harness/databases.js';
import { connectAs, createSite, setUp, type TestSite, tablesOf } from '../harness/deployment.js';
import { allValuesOf, HOSTILE_TEXTS, PWNED, type Values } from '../harness/hostile-values.js';

// A definer function runs as its owner: nothing that another role hands to it may become SQL. All of them are found
// in the catalogue, so that one that is added later is called, too.

type Side = 'work' | 'cron';

interface DefinerFunction {
  readonly oid: number;
  readonly call: string;
  readonly parameters: readonly { readonly name: string; readonly type: number }[];
}

describe.each(['postgresql_array', 'postgresql_bit'])('the definer functions of %s', (backend) => {
  let site: TestSite;
  let settings: Settings;
  let admins: Record<Side, pg.Client>;
  let jobs: unknown;

  beforeAll(async () => {
    site = await createSite();
    settings = site.settings({ CACHE_BACKEND: backend, PG_BIT_CACHE_TABLE_PREFIX: 'my_cache' });
    await setUp(settings, { enable: true, parallel: 1, frequencySeconds: 86_400 });
    admins = {
      work: await adminClient(settings.work.database),
      cron: await adminClient(settings.cron.database),
    };
    const { rows } = await admins.work.query(`SELECT ${settings.schema}.desired_jobs() AS jobs`);
    jobs = rows[0].jobs;
    return async () => {
      await admins.work.end();
      await admins.cron.end();
    };
  });

  const schemaOn = (side: Side) => (side === 'work' ? settings.schema : settings.cronSchema);

  async function functionsFor(side: Side, role: string): Promise<DefinerFunction[]> {
    const { rows } = await admins[side].query<DefinerFunction>(
      `SELECT pg_proc.oid::int AS oid,
              CASE prokind WHEN 'p' THEN 'CALL ' ELSE 'SELECT ' END || format('%I.%I', nspname, proname) AS call,
              coalesce((SELECT json_agg(json_build_object('name', proargnames[place], 'type', type::int) ORDER BY place)
                          FROM unnest(proargtypes) WITH ORDINALITY AS parameter (type, place)), '[]') AS parameters
         FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
        WHERE nspname IN ($1, $2) AND prosecdef AND prorettype <> 'trigger'::regtype
          AND has_schema_privilege($3, nspname, 'USAGE')
          AND has_function_privilege($3, pg_proc.oid, 'EXECUTE') ORDER BY call`,
      [schemaOn(side), settings.clientSchema, role],
    );
    return rows;
  }

  let calls = 0;

  /** A value with which the function goes on to its end; each partition key is a new one. */
  function harmless(name: string, values: Values): string {
    return name === 'p_partition_key' ? `'key_${calls}'` : values.harmless;
  }

  /** Calls with each hostile value in each argument; returns how many calls that were. */
  async function attack(side: Side, client: pg.Client, { call, parameters }: DefinerFunction) {
    const before = calls;
    const values = await allValuesOf(
      admins[side],
      parameters.map(({ type }) => type),
      jobs,
    );
    for (const [place, { hostile }] of values.entries()) {
      for (const value of hostile) {
        const args = values.map((one, index) =>
          index === place ? value : harmless(parameters[index]?.name ?? '', one),
        );
        await refusedOrNot(client, `${call}(${args.join(', ')})`);
        calls += 1;
      }
    }
    return calls - before;
  }

  async function pwned(side: Side): Promise<boolean> {
    const { rowCount } = await admins[side].query('SELECT FROM pg_namespace WHERE nspname = $1', [
      PWNED,
    ]);
    return rowCount !== 0;
  }

  const roles = () => ({
    migrator: site.migrator,
    'cron role': site.cronRole,
    client: site.app,
  });

  it.each([
    ['work', 'migrator'],
    ['work', 'cron role'],
    ['work', 'client'],
    ['cron', 'migrator'],
    ['cron', 'cron role'],
    ['cron', 'client'],
  ] as const)('in the %s database take nothing of the %s for SQL', async (side, role) => {
    const { name: user, password } = roles()[role];
    const client = await connectAs({ ...settings[side], user, password });
    const functions = await functionsFor(side, user);
    for (const definer of functions) {
      const made = await attack(side, client, definer);
      if (definer.parameters.length > 0) expect(made).toBeGreaterThan(2);
      expect(await pwned(side), definer.call).toBe(false);
    }
    if (side === 'work') expect(functions.length).toBeGreaterThan(0);
    expect(await alienCommands()).toEqual([]);
  });

  /** What apply_jobs has scheduled and is none of the four commands there are, with one quoted name in it. */
  async function alienCommands(): Promise<string[]> {
    const { rows } = await admins.cron.query<{ command: string; database: string }>(
      'SELECT command, database FROM cron.job WHERE username = $1',
      [settings.cron.user],
    );
    const ours = [
      /^CALL partitioncache\.run_processor\((?:'(?:[^'\\]|'')*'| E'(?:[^'\\]|''|\\\\)*'), -?[0-9]+\)$/,
      /^CALL partitioncache\.run_maintenance\(\)$/,
      /^SELECT [a-z0-9_]+\.prune_job_runs\(-?[0-9]+\)$/,
      /^SELECT [a-z0-9_]+\.dispatch\((?:true|false)\)$/,
    ];
    return rows
      .filter(
        ({ command, database }) =>
          ![settings.work.database, settings.cron.database].includes(database) ||
          !ours.some((pattern) => pattern.test(command)),
      )
      .map(({ command }) => command);
  }

  it('take nothing for SQL where a client has recreated the metadata without its constraint', async () => {
    const table = tablesOf(settings).partitionMetadata;
    const { rows } = await admins.work.query(
      `SELECT conname FROM pg_constraint WHERE conrelid = '${table}'::regclass AND contype = 'c'
         AND pg_get_constraintdef(oid) LIKE '%datatype%'`,
    );
    expect(rows).toHaveLength(1);
    await admins.work.query(`ALTER TABLE ${table} DROP CONSTRAINT ${rows[0].conname}`);
    const client = await connectAs(settings.client);
    for (const definer of await functionsFor('work', settings.client.user)) {
      await attack('work', client, definer);
    }
    expect(await pwned('work')).toBe(false);
  });

  it('take nothing for SQL that a client writes to the rows of their triggers', async () => {
    const { rows: triggers } = await admins.work.query<{ table: string; columns: string[] }>(
      `SELECT tgrelid::regclass::text AS table,
              (SELECT array_agg(attname::text) FROM pg_attribute
                WHERE attrelid = tgrelid AND attnum > 0 AND NOT attisdropped AND atttypid = 'text'::regtype) AS columns
         FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid WHERE prosecdef`,
    );
    expect(triggers.length).toBeGreaterThan(0);
    const client = await connectAs(settings.client);
    await refusedOrNot(
      client,
      `SELECT ${settings.schema}.bootstrap_partition('a', 'integer', 8, false)`,
    );
    let changes = 0;
    for (const { table, columns } of triggers) {
      for (const column of columns) {
        for (const text of HOSTILE_TEXTS) {
          for (const own of [column, `${column} = ${pg.escapeLiteral(text)}, enabled`, 'bitsize']) {
            const value =
              own === column ? pg.escapeLiteral(text) : own === 'bitsize' ? 'bitsize + 1' : 'true';
            changes += await refusedOrNot(client, `UPDATE ${table} SET ${own} = ${value}`);
          }
        }
      }
    }
    expect(changes).toBeGreaterThan(HOSTILE_TEXTS.length);
    expect(await pwned('work')).toBe(false);
    expect(await pwned('cron')).toBe(false);
  });

  it('would be noticed if one took a text for SQL', async () => {
    const name = `${settings.schema}.careless`;
    await admins.work.query(`
      CREATE FUNCTION ${name}(p_where text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
      BEGIN EXECUTE 'SELECT (' || p_where || ')'; RETURN true; END $$;
      ALTER FUNCTION ${name} OWNER TO ${site.migrator.name};`);
    const client = await connectAs(settings.client);
    const [careless] = (await functionsFor('work', settings.client.user)).filter(({ call }) =>
      call.endsWith('.careless'),
    );
    if (careless === undefined) throw new Error('the function was not found in the catalogue');
    await attack('work', client, careless);
    expect(await pwned('work')).toBe(true);
    await admins.work.query(`DROP SCHEMA ${PWNED}; DROP FUNCTION ${name};`);
  });
});

describe('run_fragment, the one whose text is SQL', () => {
  let site: TestSite;
  let settings: Settings;
  let admin: pg.Client;
  let victim: number;

  beforeAll(async () => {
    site = await createSite();
    settings = site.settings();
    await setUp(settings, { enable: false });
    admin = await adminClient(site.database);
    await admin.query('CREATE TABLE everybodys (key integer); GRANT ALL ON everybodys TO PUBLIC');
    const session = await connectAs({ ...settings.cron, database: site.database });
    victim = (await session.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
    return () => admin.end();
  });

  const callers = () => [settings.client, { ...settings.cron, database: site.database }];

  /** Ends the query into which the fragment is put, and leaves the rest of it a beginning. */
  function run(client: pg.Client, statement: string) {
    const fragment = `SELECT 1) AS fragment (key)) AS keys) AS found; ${statement};
      SELECT pg_typeof(keys), keys FROM (SELECT ARRAY(SELECT DISTINCT fragment.* FROM (SELECT 1::bigint`;
    return client.query(
      `SELECT bigint_keys FROM ${settings.schema}.run_fragment($1, true, 'integer', NULL)`,
      [fragment],
    );
  }

  it('runs as the fragment role whatever is written behind a parenthesis too many', async () => {
    for (const caller of callers()) {
      const client = await connectAs(caller);
      await expect(
        run(client, "DO $$ BEGIN RAISE 'it is %', current_user; END $$"),
      ).rejects.toThrow(`it is ${site.fragmentRole}`);
    }
  });

  const OWN = 'partitioncache.run_fragment(text, boolean, text, bigint)';

  it.each<[string, string, () => string]>([
    ['writes where everybody may', '25006', () => 'INSERT INTO everybodys VALUES (1)'],
    ['makes its transaction writable', '25001', () => 'SET TRANSACTION READ WRITE'],
    ['does so by the setting', '25001', () => 'SET transaction_read_only = off'],
    ['ends its transaction', '0A000', () => 'COMMIT'],
    ['becomes the caller again', '42501', () => 'RESET ROLE'],
    ['becomes the migrator', '42501', () => `SET ROLE ${site.migrator.name}`],
    ['becomes another session', '42501', () => 'RESET SESSION AUTHORIZATION'],
    ['takes the rights from the function', '25006', () => `ALTER FUNCTION ${OWN} SECURITY INVOKER`],
    ['gives the function away', '25006', () => `GRANT EXECUTE ON FUNCTION ${OWN} TO PUBLIC`],
    ['makes a schema', '25006', () => `CREATE SCHEMA ${PWNED}`],
    ['makes a temporary table', '25006', () => 'CREATE TEMP TABLE deployment ()'],
    ['ends a session of the cron role', '42501', () => `SELECT pg_terminate_backend(${victim})`],
    ['cancels a session of the cron role', '42501', () => `SELECT pg_cancel_backend(${victim})`],
    ['reads the queue', '42501', () => `SELECT FROM ${tablesOf(settings).fragmentQueue}`],
    ['reads our schema', '42501', () => 'SELECT FROM partitioncache.service'],
    ['locks the queue', '42501', () => `LOCK TABLE ${tablesOf(settings).fragmentQueue}`],
    ['runs a program', '42501', () => "COPY (SELECT 1) TO PROGRAM 'true'"],
  ])('refuses it a statement that %s', async (_, code, statement) => {
    for (const caller of callers()) {
      const client = await connectAs(caller);
      await expect(run(client, statement())).rejects.toMatchObject({ code });
      await client.end();
    }
  });
});

/** How many rows it changed; 0 if the server refused. */
async function refusedOrNot(client: pg.Client, statement: string): Promise<number> {
  try {
    const { rowCount } = await client.query(statement);
    return rowCount ?? 0;
  } catch (error) {
    if (error instanceof pg.DatabaseError && !error.code?.startsWith('08')) return 0;
    throw error;
  }
}
