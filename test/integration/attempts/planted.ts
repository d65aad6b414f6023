import { runDoctor } from '../../../src/doctor/run-doctor.js';
import { readStatus } from '../../../src/operations/status.js';
import { connectAs, enqueue } from '../../harness/deployment.js';
import type { Attempt, Scene, Theme } from './attempt.js';
import { connectCronRole, processFragment } from './place.js';
import {
  exists,
  forgetWitness,
  identifier,
  inWork,
  literal,
  ranAsAnother,
  trapFunction,
} from './sql.js';

const TABLE = 'public.my_cache_cache_planted';
const KEYS = 'query_hash text PRIMARY KEY, partition_keys integer[]';
const COUNT =
  'partition_keys_count integer GENERATED ALWAYS AS (cardinality(partition_keys)) STORED';

/** A function that tells the witness as whom it ran, and calls itself immutable, so that it may stand anywhere. */
function trap(name: string, parameters: string, returns: string, value: string): string {
  return `CREATE FUNCTION ${name}(${parameters}) RETURNS ${returns} LANGUAGE plpgsql IMMUTABLE AS $$
          BEGIN PERFORM public.tell_witness(); RETURN ${value}; END $$`;
}

/** Plants the table of a partition that is not known yet; then a client queues a fragment of it. */
function plantedCache(what: string, statements: readonly string[]): Attempt {
  return {
    what: `run code as whoever uses the cache: a table ${what}`,
    prepare: forgetWitness,
    statements: () => [...statements, `GRANT ALL ON ${TABLE} TO PUBLIC`],
    others: unlessControl(useCache),
    look: ranAsAnother,
    restore: removePlanted,
    // Not even a superuser's table is used: so here the cron role uses it as if it were ours.
    control: ({ place }) => [
      ...statements,
      `GRANT ALL ON ${TABLE} TO PUBLIC`,
      `SET ROLE ${place.roles.cron.name}`,
      `SELECT FROM ${TABLE}`,
      `INSERT INTO ${TABLE} (query_hash, partition_keys) VALUES ('used', '{1}')`,
      `DELETE FROM ${TABLE} WHERE query_hash = 'used'`,
    ],
  };
}

/** The control itself does what would be a success. */
function unlessControl(others: (scene: Scene) => Promise<void>) {
  return (scene: Scene) => (scene.attacker === 'control' ? Promise.resolve() : others(scene));
}

/** All that is done with a cache table: a set is stored, looked for, cleaned up after, and deleted. */
async function useCache({ place }: Scene): Promise<void> {
  const { settings, tables } = place;
  const item = (hash: string) => ({
    hash,
    key: 'planted',
    datatype: 'integer',
    query: 'SELECT 1',
  });
  const known = (hash: string, status: string) =>
    place.work.query(
      `INSERT INTO ${tables.queries} (query_hash, partition_key, query, status)
       VALUES ($1, 'planted', 'SELECT 1', $2)`,
      [hash, status],
    );
  const cronRole = await connectCronRole(place);
  await processFragment(place, item('planted: new'), cronRole);
  await known('planted: known', 'ok');
  await processFragment(place, item('planted: known'), cronRole);
  const client = await connectAs(settings.client);
  await enqueue(client, settings, [item('planted: known')]);
  // Refused or not, the next one has to be tried, too.
  await cronRole
    .query(`SELECT ${settings.schema}.delete_cached_duplicates(0, 1000)`)
    .catch(() => {});
  await known('planted: limit', 'limit');
  await client
    .query(`SELECT ${settings.schema}.retry_fragments('{limit}', '{"planted: limit"}')`)
    .catch(() => {});
  await client.end();
  await cronRole.end();
}

async function removePlanted(scene: Scene): Promise<void> {
  const { tables, settings } = scene.place;
  await inWork(
    () => `DO $$ BEGIN EXECUTE coalesce((
             SELECT format('DROP %s %s CASCADE', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass)
               FROM pg_class WHERE oid = to_regclass('${TABLE}')), 'SELECT'); END $$`,
    () => 'DROP TABLE IF EXISTS public.planted_parent CASCADE',
    () => 'DROP DOMAIN IF EXISTS public.planted_keys CASCADE',
    () => 'DROP FUNCTION IF EXISTS public.planted() CASCADE',
    () => 'DROP FUNCTION IF EXISTS public.planted_by(integer[]) CASCADE',
    () => `DELETE FROM ${tables.partitionMetadata} WHERE partition_key = 'planted'`,
    () => `DELETE FROM ${tables.queries} WHERE partition_key = 'planted'`,
    () => `DELETE FROM ${tables.fragmentQueue} WHERE partition_key = 'planted'`,
    () => `DELETE FROM ${settings.schema}.attempt WHERE partition_key = 'planted'`,
  )(scene);
}

const byKeys = trap('public.planted_by', 'keys integer[]', 'boolean', 'true');

const caches: readonly Attempt[] = [
  plantedCache('with a trigger', [
    `CREATE TABLE ${TABLE} (${KEYS}, ${COUNT})`,
    trapFunction('public.planted'),
    `CREATE TRIGGER planted BEFORE INSERT ON ${TABLE} FOR EACH ROW EXECUTE FUNCTION public.planted()`,
  ]),
  plantedCache('with a rule', [
    `CREATE TABLE ${TABLE} (${KEYS}, ${COUNT})`,
    byKeys,
    `CREATE RULE planted AS ON DELETE TO ${TABLE} DO ALSO SELECT public.planted_by('{}')`,
  ]),
  plantedCache('with a default', [
    trap('public.planted', '', 'integer', '1'),
    `CREATE TABLE ${TABLE} (${KEYS}, ${COUNT}, planted integer DEFAULT public.planted())`,
  ]),
  plantedCache('with a generated column', [
    byKeys,
    `CREATE TABLE ${TABLE} (${KEYS}, ${COUNT},
       planted boolean GENERATED ALWAYS AS (public.planted_by(partition_keys)) STORED)`,
  ]),
  plantedCache('with a check', [
    byKeys,
    `CREATE TABLE ${TABLE} (${KEYS}, ${COUNT}, CHECK (public.planted_by(partition_keys)))`,
  ]),
  plantedCache('with a policy', [
    byKeys,
    `CREATE TABLE ${TABLE} (${KEYS}, ${COUNT})`,
    `ALTER TABLE ${TABLE} ENABLE ROW LEVEL SECURITY`,
    `CREATE POLICY planted ON ${TABLE} USING (public.planted_by(partition_keys))`,
  ]),
  plantedCache('with an index on an expression', [
    byKeys,
    `CREATE TABLE ${TABLE} (${KEYS}, ${COUNT})`,
    `CREATE INDEX ON ${TABLE} ((public.planted_by(partition_keys)))`,
  ]),
  plantedCache('with a domain of its own', [
    byKeys,
    'CREATE DOMAIN public.planted_keys AS integer[] CHECK (public.planted_by(VALUE))',
    `CREATE TABLE ${TABLE} (query_hash text PRIMARY KEY, partition_keys public.planted_keys, ${COUNT})`,
  ]),
  plantedCache('that is a partition of another table', [
    trapFunction('public.planted'),
    'CREATE TABLE public.planted_parent (query_hash text PRIMARY KEY, partition_keys integer[]) PARTITION BY LIST (query_hash)',
    `CREATE TRIGGER planted AFTER INSERT ON public.planted_parent
       FOR EACH ROW EXECUTE FUNCTION public.planted()`,
    `CREATE TABLE ${TABLE} PARTITION OF public.planted_parent DEFAULT`,
  ]),
  plantedCache('that is a view', [
    byKeys,
    `CREATE VIEW ${TABLE} AS SELECT 'planted: known'::text AS query_hash, '{}'::integer[] AS partition_keys
       WHERE public.planted_by('{}')`,
  ]),
];

/** What fits better than PostgreSQL's own, and does the same after it has told the witness. */
function shadows(schema: string): string[] {
  const shadow = (name: string, parameters: string, returns: string, call: string) =>
    `CREATE FUNCTION ${schema}.${name}(${parameters}) RETURNS ${returns} LANGUAGE plpgsql AS $$
     BEGIN INSERT INTO public.witness DEFAULT VALUES; RETURN ${call}; END $$`;
  return [
    shadow('format', 'text, text', 'text', 'pg_catalog.format($1, VARIADIC ARRAY[$2])'),
    shadow('format', 'text, name', 'text', 'pg_catalog.format($1, VARIADIC ARRAY[$2])'),
    shadow('format', 'text, text, text', 'text', 'pg_catalog.format($1, VARIADIC ARRAY[$2, $3])'),
    shadow('quote_ident', 'name', 'text', 'pg_catalog.quote_ident($1::text)'),
    shadow('cardinality', 'bigint[]', 'integer', 'pg_catalog.cardinality($1)'),
    shadow('cardinality', 'text[]', 'integer', 'pg_catalog.cardinality($1)'),
    shadow('to_regclass', 'name', 'regclass', 'pg_catalog.to_regclass($1::text)'),
    shadow('array_length', 'text[], integer', 'integer', 'pg_catalog.array_length($1, $2)'),
    shadow('current_database', '', 'name', 'pg_catalog.current_database()'),
    shadow('equals', 'name, varchar', 'boolean', '$1 OPERATOR(pg_catalog.=) $2::text'),
    `CREATE OPERATOR ${schema}.= (FUNCTION = ${schema}.equals, LEFTARG = name, RIGHTARG = varchar)`,
  ];
}

function unshadowed(schema: string): string {
  return `DROP FUNCTION IF EXISTS ${schema}.format(text, text), ${schema}.format(text, name),
            ${schema}.format(text, text, text), ${schema}.quote_ident(name), ${schema}.cardinality(bigint[]),
            ${schema}.cardinality(text[]), ${schema}.to_regclass(name), ${schema}.array_length(text[], integer),
            ${schema}.current_database(), ${schema}.equals(name, varchar) CASCADE`;
}

/** What the operator and the jobs do all day. */
async function work(scene: Scene): Promise<void> {
  const { settings } = scene.place;
  await readStatus(settings);
  await runDoctor(settings, { streams: ['work', 'cron'] });
  const cronRole = await connectCronRole(scene.place);
  await processFragment(
    scene.place,
    { hash: `work ${scene.attacker}`, key: 'zipcode', datatype: 'integer', query: 'SELECT 1' },
    cronRole,
  );
  await cronRole.end();
}

export const planted: Theme = {
  name: 'Have its code run by somebody else',
  attempts: [
    ...caches,
    {
      what: 'run code as anyone: functions and operators that fit better, in the clients’ schema',
      prepare: forgetWitness,
      statements: () => shadows('public'),
      others: work,
      look: ranAsAnother,
      restore: inWork(() => unshadowed('public')),
      control: () => ["INSERT INTO public.witness VALUES ('somebody')"],
    },
    {
      what: 'run code as the cron role: a schema of its name, with such functions',
      prepare: forgetWitness,
      statements: ({ place }) => {
        const schema = place.roles.cron.name;
        return [
          `CREATE SCHEMA ${schema}`,
          `GRANT ALL ON SCHEMA ${schema} TO PUBLIC`,
          ...shadows(schema),
        ];
      },
      others: work,
      look: ranAsAnother,
      restore: inWork(({ place }) => `DROP SCHEMA IF EXISTS ${place.roles.cron.name} CASCADE`),
      control: () => ["INSERT INTO public.witness VALUES ('somebody')"],
    },
    {
      what: 'run code as the migrator: names of its own in pg_temp, then a definer function',
      prepare: forgetWitness,
      statements: ({ place }) => [
        ...shadows('pg_temp'),
        'CREATE DOMAIN pg_temp.regclass AS oid',
        'CREATE TEMP TABLE deployment AS SELECT 1 AS cache_backend',
        'SET search_path = pg_temp, public',
        `SELECT ${place.settings.schema}.bootstrap_partition('shadowed', 'integer', NULL, false)`,
      ],
      look: ranAsAnother,
      restore: inWork(
        () => 'DROP TABLE IF EXISTS public.my_cache_cache_shadowed',
        ({ place }) =>
          `DELETE FROM ${place.tables.partitionMetadata} WHERE partition_key = 'shadowed'`,
      ),
      control: () => ["INSERT INTO public.witness VALUES ('somebody')"],
    },
    ...['datatype', 'key'].map((argument): Attempt => {
      const sql = `integer[], x integer); CREATE TABLE partitioncache.pwned (); --`;
      return {
        what: `run code as the migrator: SQL in the ${argument} given to bootstrap_partition`,
        statements: ({ place }) => [
          `SELECT ${place.settings.schema}.bootstrap_partition(${
            argument === 'key' ? `${literal(sql)}, 'integer'` : `'pwned', ${literal(sql)}`
          }, NULL, false)`,
        ],
        look: () => "SELECT to_regclass('partitioncache.pwned') IS NOT NULL",
        control: () => ['CREATE TABLE partitioncache.pwned ()'],
        restore: inWork(
          () => 'DROP TABLE IF EXISTS partitioncache.pwned',
          () => `DROP TABLE IF EXISTS public.${identifier(`my_cache_cache_${sql}`)}`,
          ({ place }) =>
            `DELETE FROM ${place.tables.partitionMetadata} WHERE partition_key IN ('pwned', ${literal(sql)})`,
        ),
      };
    }),
    {
      what: 'run code as a client: a view that looks like a deployment, beside a function of ours’ name',
      prepare: forgetWitness,
      statements: () => [
        trap('public.planted', '', 'text', "'planted'"),
        `CREATE VIEW public.service AS
           SELECT public.planted() AS queue_prefix, 'planted' AS table_prefix, 'array' AS cache_backend,
                  'public' AS client_schema`,
        'GRANT SELECT ON public.service TO PUBLIC',
        trap('public.processor_named', 'name text', 'text', 'NULL'),
      ],
      others: async ({ place }) => {
        const client = await connectAs(place.settings.client);
        await client.query('SELECT * FROM partitioncache_manual_process_queue(1)');
        await client.end();
      },
      look: ranAsAnother,
      restore: inWork(
        () => 'DROP VIEW IF EXISTS public.service',
        () => 'DROP FUNCTION IF EXISTS public.planted(), public.processor_named(text)',
      ),
      control: () => ["INSERT INTO public.witness VALUES ('somebody')"],
    },
    {
      what: 'run code as the migrator: a table that looks like a deployment, with a policy',
      prepare: forgetWitness,
      statements: () => [
        'CREATE TABLE public.deployment (queue_prefix text, table_prefix text, cache_backend text, client_schema text)',
        "INSERT INTO public.deployment VALUES ('planted', 'planted', 'array', 'public')",
        'GRANT SELECT ON public.deployment TO PUBLIC',
        trap('public.planted', '', 'boolean', 'true'),
        'ALTER TABLE public.deployment ENABLE ROW LEVEL SECURITY',
        'CREATE POLICY planted ON public.deployment USING (public.planted())',
      ],
      others: async ({ place }) => {
        const migrator = await connectAs(place.settings.work);
        // What `down` asks before it drops what deployments share.
        await migrator.query(`SELECT ${place.settings.schema}.is_last_deployment()`);
        await migrator.end();
      },
      look: ranAsAnother,
      restore: inWork(
        () => 'DROP TABLE IF EXISTS public.deployment CASCADE',
        () => 'DROP FUNCTION IF EXISTS public.planted() CASCADE',
      ),
      control: () => ["INSERT INTO public.witness VALUES ('somebody')"],
    },
    {
      what: 'run code as whoever works on the queue: a trigger on it',
      prepare: forgetWitness,
      statements: ({ place }) => [
        trapFunction('public.planted'),
        `CREATE TRIGGER planted BEFORE INSERT ON ${place.tables.fragmentQueue}
           FOR EACH ROW EXECUTE FUNCTION public.planted()`,
      ],
      control: ({ place }) => [
        trapFunction('public.planted'),
        `CREATE TRIGGER planted BEFORE INSERT ON ${place.tables.fragmentQueue}
           FOR EACH ROW EXECUTE FUNCTION public.planted()`,
        `SET ROLE ${place.roles.client.name}`,
        `INSERT INTO ${place.tables.fragmentQueue} (query, hash, partition_key) VALUES ('', '', '')`,
      ],
      others: unlessControl(work),
      look: ranAsAnother,
      restore: inWork(
        () => 'DROP FUNCTION IF EXISTS public.planted() CASCADE',
        ({ place }) => `DELETE FROM ${place.tables.fragmentQueue} WHERE hash = ''`,
      ),
    },
    {
      what: 'run code as whoever configures the processor: a rule on its table',
      prepare: forgetWitness,
      statements: ({ place }) => [
        trap('public.planted', '', 'boolean', 'true'),
        `CREATE RULE planted AS ON UPDATE TO ${place.tables.processorConfig} DO ALSO SELECT public.planted()`,
      ],
      others: async ({ place }) => {
        const client = await connectAs(place.settings.client);
        await client.query(`UPDATE ${place.tables.processorConfig} SET updated_at = now()`);
        await client.end();
      },
      look: ranAsAnother,
      restore: inWork(() => 'DROP FUNCTION IF EXISTS public.planted() CASCADE'),
    },
    {
      what: 'run code as everybody: an event trigger',
      prepare: forgetWitness,
      statements: () => [
        `CREATE FUNCTION public.planted() RETURNS event_trigger LANGUAGE plpgsql AS $$
         BEGIN INSERT INTO public.witness DEFAULT VALUES; END $$`,
        'CREATE EVENT TRIGGER planted ON ddl_command_end EXECUTE FUNCTION public.planted()',
      ],
      others: inWork(() => 'CREATE TEMP TABLE IF NOT EXISTS something ()'),
      look: ranAsAnother,
      restore: inWork(
        () => 'DROP EVENT TRIGGER IF EXISTS planted',
        () => 'DROP FUNCTION IF EXISTS public.planted()',
      ),
    },
    {
      what: 'have its own code run as the cron role, in a routine that the jobs call',
      statements: ({ place }) => [
        `ALTER PROCEDURE ${place.settings.schema}.run_processor(text, integer) SET work_mem = '65kB'`,
      ],
      look: () =>
        exists("pg_proc WHERE proname = 'run_processor' AND 'work_mem=65kB' = ANY (proconfig)"),
      restore: inWork(
        ({ place }) =>
          `ALTER PROCEDURE ${place.settings.schema}.run_processor(text, integer) RESET ALL`,
      ),
      // Of the other deployment's procedure it would be no attack.
      leave: { migrator: 'trusted' },
    },
  ],
};
