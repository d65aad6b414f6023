import type { Mend, Names, Sabotage } from './sabotage.js';

type Make = (names: Names) => string | readonly string[];

interface Made {
  /** Default: `verify --fix`. */
  readonly mend?: Mend;
  readonly undo?: Make;
  readonly keeps?: Sabotage['keeps'];
}

const lines = (made: string | readonly string[]) => (typeof made === 'string' ? [made] : made);

function sabotage(place: Sabotage['place']) {
  return (
    name: string,
    sql: Make,
    thing: Sabotage['thing'],
    { mend, undo, keeps }: Made = {},
  ): Sabotage => ({
    name,
    place,
    sql: (names) => lines(sql(names)),
    thing,
    ...(mend && { mend }),
    ...(keeps && { keeps }),
    ...(undo && { undo: (names: Names) => lines(undo(names)) }),
  });
}

const work = sabotage('work');
const cron = sabotage('cron');

const RECORD_ANEW = { mend: ['verify --record-anew'] } as const;
const PRINTED = { mend: 'printed' } as const;
const UNDO = { mend: 'undo' } as const;

const bare = (table: string) => table.split('.')[1] as string;

const CLIENT_TABLES = [
  'fragmentQueue',
  'processorConfig',
  'processorLog',
  'partitionMetadata',
  'queries',
] as const;

/** As a client makes them that finds them gone; see the clients' contract. */
const CLIENTS_OWN: readonly (readonly [table: (typeof CLIENT_TABLES)[number], columns: string])[] =
  [
    [
      'fragmentQueue',
      `id serial PRIMARY KEY, query text NOT NULL, hash text NOT NULL, partition_key text NOT NULL,
     partition_datatype text, priority integer NOT NULL DEFAULT 1, created_at timestamp DEFAULT now(),
     updated_at timestamp DEFAULT now(), UNIQUE (hash, partition_key)`,
    ],
    [
      'queries',
      `query_hash text NOT NULL, partition_key text NOT NULL, query text NOT NULL,
     status text NOT NULL DEFAULT 'ok', last_seen timestamp NOT NULL DEFAULT now(),
     PRIMARY KEY (query_hash, partition_key)`,
    ],
  ];

const tables: readonly Sabotage[] = [
  ...CLIENT_TABLES.map((table) =>
    work(
      `the clients' table ${table} dropped`,
      ({ tables }) => `DROP TABLE ${tables[table]} CASCADE`,
      ({ tables }) => tables[table],
      table === 'processorConfig' ? { mend: ['verify --fix', 'setup'] } : {},
    ),
  ),
  ...CLIENTS_OWN.map(([table, columns]) =>
    work(
      `the clients' table ${table} dropped, and made again by a client`,
      ({ tables, app }) => [
        `DROP TABLE ${tables[table]} CASCADE`,
        `SET ROLE ${app}`,
        `CREATE TABLE ${tables[table]} (${columns})`,
        'RESET ROLE',
      ],
      ({ tables }) => tables[table],
      PRINTED,
    ),
  ),
  ...[
    'applied_job',
    'cron_link',
    'deployment',
    'hold',
    'migrations',
    'release',
    'settings',
    'slot',
  ].map((table) =>
    work(
      `our table ${table} dropped`,
      ({ schema }) => `DROP TABLE ${schema}.${table} CASCADE`,
      ({ schema }) => `${schema}.${table}`,
    ),
  ),
  ...['ledger', 'recorded_object', 'recording'].map((table) =>
    work(
      `our table ${table} dropped`,
      ({ schema }) => `DROP TABLE ${schema}.${table} CASCADE`,
      ({ schema }) => schema,
      RECORD_ANEW,
    ),
  ),
  ...['slot', 'ledger'].map((table) =>
    work(
      `our table ${table} renamed`,
      ({ schema }) => `ALTER TABLE ${schema}.${table} RENAME TO renamed`,
      ({ schema }) => `${schema}.${table}`,
    ),
  ),
  ...['deployment', 'migrations'].map((table) =>
    cron(
      `the pg_cron database's table ${table} dropped`,
      ({ cronSchema }) => `DROP TABLE ${cronSchema}.${table} CASCADE`,
      ({ cronSchema }) => `${cronSchema}.${table}`,
    ),
  ),
  ...['ledger', 'recording'].map((table) =>
    cron(
      `the pg_cron database's table ${table} dropped`,
      ({ cronSchema }) => `DROP TABLE ${cronSchema}.${table} CASCADE`,
      ({ cronSchema }) => cronSchema,
      RECORD_ANEW,
    ),
  ),
  work(
    'the queue made a partitioned table',
    ({ tables }) => [
      `ALTER TABLE ${tables.fragmentQueue} RENAME TO was_plain`,
      `CREATE TABLE ${tables.fragmentQueue} (LIKE public.was_plain INCLUDING DEFAULTS) PARTITION BY LIST (partition_key)`,
    ],
    () => 'public.was_plain',
    { ...PRINTED, keeps: ({ tables }) => tables.fragmentQueue },
  ),
  work(
    'the queue put aside, with a view in its place',
    ({ tables }) => [
      `ALTER TABLE ${tables.fragmentQueue} RENAME TO was_plain`,
      `CREATE VIEW ${tables.fragmentQueue} AS SELECT * FROM public.was_plain`,
    ],
    () => 'public.was_plain',
    { ...PRINTED, keeps: ({ tables }) => tables.fragmentQueue },
  ),
  work(
    'the queue renamed',
    ({ tables }) => `ALTER TABLE ${tables.fragmentQueue} RENAME TO renamed`,
    () => 'public.renamed',
    { keeps: ({ tables }) => tables.fragmentQueue },
  ),
  work(
    'the queue replaced by a partitioned table, with its rows',
    ({ tables }) => [
      `CREATE TABLE public.parted (LIKE ${tables.fragmentQueue}) PARTITION BY LIST (partition_key)`,
      'CREATE TABLE public.part PARTITION OF public.parted DEFAULT',
      `INSERT INTO public.parted TABLE ${tables.fragmentQueue}`,
      `DROP TABLE ${tables.fragmentQueue} CASCADE`,
      `ALTER TABLE public.parted RENAME TO ${bare(tables.fragmentQueue)}`,
    ],
    ({ tables }) => `ALTER TABLE ${tables.fragmentQueue} RENAME TO "replaced_`,
    PRINTED,
  ),
  work(
    'a child of the queue',
    ({ tables }) => `CREATE TABLE public.child () INHERITS (${tables.fragmentQueue})`,
    () => 'public.child',
    PRINTED,
  ),
  work(
    'a child of our table ledger',
    ({ schema }) => `CREATE TABLE public.child () INHERITS (${schema}.ledger)`,
    () => 'ledger',
    PRINTED,
  ),
  work(
    'row-level security on our table ledger',
    ({ schema }) => `ALTER TABLE ${schema}.ledger ENABLE ROW LEVEL SECURITY`,
    () => 'ledger',
    PRINTED,
  ),
  work(
    'row-level security on the configuration',
    ({ tables }) => `ALTER TABLE ${tables.processorConfig} ENABLE ROW LEVEL SECURITY`,
    ({ tables }) => tables.processorConfig,
    PRINTED,
  ),
];

const rows: readonly Sabotage[] = [
  ...['deployment', 'settings', 'release', 'migrations'].map((table) =>
    work(
      `the rows of our table ${table} deleted`,
      ({ schema }) => `DELETE FROM ${schema}.${table}`,
      ({ schema }) => `${schema}.${table}`,
    ),
  ),
  ...['recording', 'ledger'].map((table) =>
    work(
      `the rows of our table ${table} deleted`,
      ({ schema }) => `DELETE FROM ${schema}.${table}`,
      () => 'record',
      RECORD_ANEW,
    ),
  ),
  cron(
    "the row of the pg_cron database's table deployment deleted",
    ({ cronSchema }) => `DELETE FROM ${cronSchema}.deployment`,
    ({ cronSchema }) => `${cronSchema}.deployment`,
  ),
  ...['deployment', 'settings'].map((table) =>
    work(
      `a second row in our table ${table}`,
      ({ schema }) => [
        `ALTER TABLE ${schema}.${table} DROP CONSTRAINT ${table}_only_row_check`,
        `CREATE TABLE public.second AS TABLE ${schema}.${table}`,
        'UPDATE public.second SET only_row = false',
        `INSERT INTO ${schema}.${table} TABLE public.second`,
        'DROP TABLE public.second',
      ],
      ({ schema }) => `${schema}.${table}`,
      PRINTED,
    ),
  ),
  work(
    'one row of the ledger deleted',
    ({ schema }) => `DELETE FROM ${schema}.ledger WHERE name LIKE '0005%'`,
    () => '0005_',
    RECORD_ANEW,
  ),
  work(
    'a checksum in the ledger edited',
    ({ schema }) => `UPDATE ${schema}.ledger SET up_checksum = 'x' WHERE name LIKE '0005%'`,
    () => '0005_',
    RECORD_ANEW,
  ),
  work(
    'a row of migrations doubled',
    ({ schema }) =>
      `INSERT INTO ${schema}.migrations (name, run_on) SELECT name, run_on FROM ${schema}.migrations WHERE name LIKE '0005%'`,
    () => '0005_',
  ),
  work(
    'one row of recorded_object deleted',
    ({ schema }) => `DELETE FROM ${schema}.recorded_object WHERE identity LIKE '%run_processor%'`,
    () => 'recorded_object',
    RECORD_ANEW,
  ),
];

const columns: readonly Sabotage[] = [
  work(
    'a column of the queue renamed',
    ({ tables }) => `ALTER TABLE ${tables.fragmentQueue} RENAME COLUMN priority TO importance`,
    ({ tables }) => `${tables.fragmentQueue}.priority`,
  ),
  work(
    'a column of the configuration dropped',
    ({ tables }) => `ALTER TABLE ${tables.processorConfig} DROP COLUMN timeout_seconds CASCADE`,
    ({ tables }) => `${tables.processorConfig}.timeout_seconds`,
  ),
  work(
    'a column of the configuration of another type',
    ({ tables, schema }) => [
      `DROP FUNCTION ${schema}.processor_status_rows CASCADE`,
      `ALTER TABLE ${tables.processorConfig} ALTER COLUMN result_limit TYPE bigint`,
    ],
    ({ tables }) => `${tables.processorConfig}.result_limit`,
    PRINTED,
  ),
  ...[
    ['release', 'plan_hash'],
    ['ledger', 'up_checksum'],
    ['ledger', 'down_sql'],
    ['migrations', 'run_on'],
    ['slot', 'slot'],
    ['recorded_object', 'parents'],
    ['recording', 'digest'],
    ['deployment', 'work_database'],
    ['deployment', 'cron_database'],
    ['settings', 'max_slots'],
    ['hold', 'pid'],
    ['applied_job', 'job_id'],
  ].map(([table, column]) =>
    work(
      `a column of our table ${table} renamed`,
      ({ schema }) => `ALTER TABLE ${schema}.${table} RENAME COLUMN ${column} TO renamed`,
      ({ schema }) => `${schema}.${table}.${column}`,
    ),
  ),
  work(
    'the sequence of the queue dropped',
    ({ tables }) => `DROP SEQUENCE ${tables.fragmentQueue}_id_seq CASCADE`,
    ({ tables }) => `${tables.fragmentQueue}_id_seq`,
  ),
  work(
    'the primary key of the configuration dropped',
    ({ tables }) =>
      `ALTER TABLE ${tables.processorConfig} DROP CONSTRAINT ${bare(tables.processorConfig)}_pkey CASCADE`,
    ({ tables }) => `${bare(tables.processorConfig)}_pkey`,
  ),
];

const routines: readonly Sabotage[] = [
  ...[
    'hold_own_tables',
    'desired_jobs',
    'mark_synced',
    'process_now',
    'pause_1',
    'foreign_parts',
    'sync_cron',
  ].map((routine) =>
    work(
      `our routine ${routine} dropped`,
      ({ schema }) => `DROP ROUTINE ${schema}.${routine} CASCADE`,
      ({ schema }) => `${schema}.${routine}`,
    ),
  ),
  ...['apply_jobs', 'drift', 'is_own'].map((routine) =>
    cron(
      `the pg_cron database's routine ${routine} dropped`,
      ({ cronSchema }) => `DROP ROUTINE ${cronSchema}.${routine} CASCADE`,
      ({ cronSchema }) => `${cronSchema}.${routine}`,
    ),
  ),
  work(
    'a routine with another signature',
    ({ schema, migrator }) => [
      `SET ROLE ${migrator}`,
      `DROP FUNCTION ${schema}.mark_synced(jsonb)`,
      `CREATE FUNCTION ${schema}.mark_synced(a integer) RETURNS void LANGUAGE sql AS ''`,
      'RESET ROLE',
    ],
    ({ schema }) => `${schema}.mark_synced(jsonb)`,
    PRINTED,
  ),
  work(
    'a second routine of the same name',
    ({ schema }) =>
      `CREATE FUNCTION ${schema}.desired_jobs() RETURNS jsonb LANGUAGE sql STABLE AS 'SELECT NULL::jsonb'`,
    ({ schema }) => `${schema}.desired_jobs()`,
    PRINTED,
  ),
  ...['processor_status', 'service', 'runs_1'].map((view) =>
    work(
      `our view ${view} dropped`,
      ({ schema }) => `DROP VIEW ${schema}.${view} CASCADE`,
      ({ schema }) => `${schema}.${view}`,
    ),
  ),
  cron(
    'the view jobs dropped',
    ({ cronSchema }) => `DROP VIEW ${cronSchema}.jobs`,
    ({ cronSchema }) => `${cronSchema}.jobs`,
  ),
  ...['chunk_end', 'run_context'].map((type) =>
    work(
      `our type ${type} dropped`,
      ({ schema }) => `DROP TYPE ${schema}.${type} CASCADE`,
      ({ schema }) => `${schema}.${type}`,
    ),
  ),
  work(
    'all triggers of the configuration disabled',
    ({ tables }) => `ALTER TABLE ${tables.processorConfig} DISABLE TRIGGER USER`,
    () => 'pcache_sync_cron',
  ),
  work(
    'intarray dropped',
    () => 'DROP EXTENSION intarray CASCADE',
    () => 'intarray',
  ),
];

const rights: readonly Sabotage[] = [
  work(
    'our schema taken from its owner',
    ({ schema, migrator }) => `REVOKE ALL ON SCHEMA ${schema} FROM ${migrator}`,
    ({ schema }) => schema,
    PRINTED,
  ),
  work(
    'all our tables taken from their owner',
    ({ schema, migrator }) => `REVOKE ALL ON ALL TABLES IN SCHEMA ${schema} FROM ${migrator}`,
    () => 'ledger',
    PRINTED,
  ),
  work(
    'the queue taken from its owner',
    ({ tables, migrator }) => `REVOKE ALL ON ${tables.fragmentQueue} FROM ${migrator}`,
    ({ tables }) => tables.fragmentQueue,
  ),
  work(
    'all that runs taken from the cron role',
    ({ schema, cronRole }) => [
      `REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA ${schema} FROM ${cronRole}`,
      `REVOKE USAGE ON SCHEMA ${schema} FROM ${cronRole}`,
    ],
    ({ cronRole }) => cronRole,
  ),
  cron(
    'EXECUTE on our function taken from its owner',
    ({ cronSchema, cronRole }) =>
      `REVOKE EXECUTE ON FUNCTION ${cronSchema}.apply_jobs FROM ${cronRole}`,
    ({ cronSchema }) => `${cronSchema}.apply_jobs`,
  ),
  cron(
    "pg_cron's schema and functions taken from the cron role",
    ({ cronRole }) => [
      `REVOKE USAGE ON SCHEMA cron FROM ${cronRole}`,
      `REVOKE EXECUTE ON FUNCTION cron.schedule_in_database(text, text, text, text, text, boolean), cron.unschedule(bigint) FROM ${cronRole}`,
    ],
    () => 'schedule_in_database',
    { mend: 'printed by doctor' },
  ),
  work(
    "the clients' schema taken from the migrator",
    ({ migrator, cronRole }) => [
      `REVOKE ALL ON SCHEMA public FROM ${migrator}, ${cronRole}`,
      'REVOKE ALL ON SCHEMA public FROM PUBLIC',
    ],
    () => 'public',
    { mend: 'printed by doctor' },
  ),
  work(
    'our schema given to another role',
    ({ schema, other }) => `ALTER SCHEMA ${schema} OWNER TO ${other}`,
    ({ other }) => other,
    PRINTED,
  ),
  ...['ledger', 'slot'].map((table) =>
    work(
      `our table ${table} given to another role`,
      ({ schema, other }) => `ALTER TABLE ${schema}.${table} OWNER TO ${other}`,
      ({ other }) => other,
      PRINTED,
    ),
  ),
  work(
    'the configuration given to the client',
    ({ tables, app }) => `ALTER TABLE ${tables.processorConfig} OWNER TO ${app}`,
    ({ app }) => app,
    PRINTED,
  ),
  work(
    'a function given to another role',
    ({ schema, other }) => `ALTER FUNCTION ${schema}.mark_synced(jsonb) OWNER TO ${other}`,
    ({ other }) => other,
    PRINTED,
  ),
];

const places: readonly Sabotage[] = [
  cron(
    "the pg_cron database's schema dropped",
    ({ cronSchema }) => `DROP SCHEMA ${cronSchema} CASCADE`,
    ({ cronSchema }) => cronSchema,
    { mend: ['up'] },
  ),
  cron(
    'pg_cron dropped',
    () => 'DROP EXTENSION pg_cron CASCADE',
    () => 'pg_cron',
    {
      mend: 'printed by doctor',
    },
  ),
  ...['unscheduled', 'deactivated'].map((how) =>
    cron(
      `a job ${how}`,
      () =>
        ({
          unscheduled: `SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname LIKE '%maintenance'`,
          deactivated: `UPDATE cron.job SET active = false WHERE jobname LIKE '%maintenance'`,
        })[how] as string,
      ({ database }) => `partitioncache_${database}_maintenance`,
      { mend: ['sync'] },
    ),
  ),
  work(
    'our schema dropped',
    ({ schema }) => `DROP SCHEMA ${schema} CASCADE`,
    ({ schema }) => `schema "${schema}" nothing that belongs to them`,
    { mend: ['adopt'], keeps: ({ tables }) => tables.fragmentQueue },
  ),
  work(
    'our schema renamed',
    ({ schema }) => `ALTER SCHEMA ${schema} RENAME TO renamed`,
    () => 'is in schema "renamed" now',
    { ...PRINTED, keeps: ({ tables }) => tables.fragmentQueue },
  ),
  ...(['app', 'cronRole', 'fragmentRole', 'migrator'] as const).map((role) =>
    work(
      `the ${role} renamed`,
      (names) => `ALTER ROLE ${names[role]} RENAME TO renamed`,
      (names) => `there is no role "${names[role]}"`,
      { mend: 'printed by doctor' },
    ),
  ),
  work(
    'the cron role may not log in',
    ({ cronRole }) => `ALTER ROLE ${cronRole} NOLOGIN`,
    ({ cronRole }) => cronRole,
    { ...UNDO, undo: ({ cronRole }) => `ALTER ROLE ${cronRole} LOGIN` },
  ),
  work(
    'the migrator may not log in',
    ({ migrator }) => `ALTER ROLE ${migrator} NOLOGIN`,
    ({ migrator }) => migrator,
    { ...UNDO, undo: ({ migrator }) => `ALTER ROLE ${migrator} LOGIN` },
  ),
  work(
    'the migrator may only read',
    ({ migrator }) => `ALTER ROLE ${migrator} SET default_transaction_read_only = on`,
    () => 'default_transaction_read_only',
    {
      ...UNDO,
      undo: ({ migrator }) => `ALTER ROLE ${migrator} RESET default_transaction_read_only`,
    },
  ),
];

export const sabotages: readonly Sabotage[] = [
  ...tables,
  ...rows,
  ...columns,
  ...routines,
  ...rights,
  ...places,
];
