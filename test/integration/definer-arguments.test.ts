import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Settings } from '../../src/settings/settings.js';
import { adminClient } from '../harness/databases.js';
import { connectAs, createSite, deploy, tablesOf } from '../harness/deployment.js';

const payload = 'CREATE TABLE public.pwned (i integer)';

/** What would end a literal, an identifier, a type or a column list, and go on with a statement. */
const hostile = [
  `integer[], x integer); ${payload}; --`,
  `bigint[], x integer); ${payload}; --`,
  `x'; ${payload}; --`,
  `x"; ${payload}; --`,
  `x); ${payload}; --`,
  `x"(i integer); ${payload}; --`,
  `$$; ${payload}; --`,
  `\\'; ${payload}; --`,
  `x\n; ${payload};\n--`,
];

interface DefinerFunction {
  name: string;
  parameters: { name: string; type: string }[];
}

// A definer function runs as the migrator: nothing that a client or a job hands to it may become SQL.
describe.each(['postgresql_array', 'postgresql_bit'])('the definer functions of %s', (backend) => {
  let settings: Settings;
  let admin: pg.Client;

  beforeAll(async () => {
    const site = await createSite();
    settings = site.settings({
      CACHE_BACKEND: backend,
      PG_BIT_CACHE_TABLE_PREFIX: 'my_cache',
    });
    await deploy(settings);
    admin = await adminClient(site.database);
    return () => admin.end();
  });

  async function callableBy(role: string): Promise<DefinerFunction[]> {
    const { rows } = await admin.query<DefinerFunction>(
      `SELECT proname AS name,
              (SELECT json_agg(json_build_object('name', proargnames[place], 'type', format_type(type, NULL)) ORDER BY place)
                 FROM unnest(proargtypes) WITH ORDINALITY AS parameter (type, place)) AS parameters
         FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
        WHERE nspname = $1 AND prosecdef AND prorettype <> 'trigger'::regtype
          AND has_function_privilege($2, pg_proc.oid, 'EXECUTE') ORDER BY proname`,
      [settings.schema, role],
    );
    return rows;
  }

  let calls = 0;

  /** A value with which the function goes on to its end; each partition key is a new one. */
  function harmless({ name, type }: { name: string; type: string }): string {
    const values: Record<string, string> = {
      p_partition_key: `'key_${calls}'`,
      p_datatype: "'integer'",
      text: "'integer'",
      integer: '8',
      bigint: '8',
      boolean: 'true',
    };
    const value = values[name] ?? values[type];
    if (value === undefined) throw new Error(`a harmless value of type ${type} is missing here`);
    return value;
  }

  /** Calls with each hostile value in each text argument; returns how many calls that were. */
  async function attack(client: pg.Client, functions: readonly DefinerFunction[]): Promise<number> {
    const before = calls;
    for (const { name, parameters } of functions) {
      for (const attacked of parameters) {
        if (attacked.type !== 'text') continue;
        for (const value of hostile) {
          const values = parameters.map((parameter) =>
            parameter === attacked ? '$1' : harmless(parameter),
          );
          await client
            .query(`SELECT ${settings.schema}.${name}(${values.join(', ')})`, [value])
            .catch(() => {});
          calls += 1;
        }
      }
    }
    return calls - before;
  }

  const pwned = async () =>
    (await admin.query("SELECT to_regclass('public.pwned') AS it")).rows[0].it;

  it.each(['client', 'cron'] as const)('take nothing of the %s role for SQL', async (side) => {
    const functions = await callableBy(settings[side].user);
    expect(functions.map(({ name }) => name)).toContain('bootstrap_partition');
    const client = await connectAs({ ...settings[side], database: settings.work.database });
    expect(await attack(client, functions)).toBeGreaterThan(hostile.length);
    expect(await pwned()).toBeNull();
  });

  it('do so also where a client has recreated the metadata without its constraint', async () => {
    const table = tablesOf(settings).partitionMetadata;
    const { rows } = await admin.query(
      `SELECT conname FROM pg_constraint WHERE conrelid = '${table}'::regclass AND contype = 'c'
         AND pg_get_constraintdef(oid) LIKE '%datatype%'`,
    );
    expect(rows).toHaveLength(1);
    await admin.query(`ALTER TABLE ${table} DROP CONSTRAINT ${rows[0].conname}`);
    const client = await connectAs(settings.client);
    await attack(client, await callableBy(settings.client.user));
    expect(await pwned()).toBeNull();
  });
});
