import type { Attempt, Scene, Theme } from './attempt.js';
import { exists, identifier, inCron, inWork, literal } from './sql.js';

const schemaOf = ({ place }: Scene) => place.settings.schema;
const cronSchemaOf = ({ place }: Scene) => identifier(place.settings.cronSchema);

const inOwnSchema: readonly Attempt[] = [
  {
    what: 'create a table in our schema',
    statements: (scene) => [`CREATE TABLE ${schemaOf(scene)}.intruder ()`],
    look: (scene) => `SELECT to_regclass('${schemaOf(scene)}.intruder') IS NOT NULL`,
    restore: inWork((scene) => `DROP TABLE IF EXISTS ${schemaOf(scene)}.intruder`),
    leave: { migrator: 'its task' },
  },
  {
    what: 'create a table in our schema of the pg_cron database',
    in: 'cron',
    statements: (scene) => [`CREATE TABLE ${cronSchemaOf(scene)}.intruder ()`],
    look: (scene) => `SELECT to_regclass('${cronSchemaOf(scene)}.intruder') IS NOT NULL`,
    restore: inCron((scene) => `DROP TABLE IF EXISTS ${cronSchemaOf(scene)}.intruder`),
    leave: { cron: 'its task' },
  },
  {
    what: 'replace one of our functions',
    statements: (scene) => [
      `CREATE OR REPLACE FUNCTION ${schemaOf(scene)}.has_runs() RETURNS boolean
         LANGUAGE sql STABLE AS 'SELECT true /* intruder */'`,
    ],
    look: () => exists("pg_proc WHERE proname = 'has_runs' AND prosrc LIKE '%intruder%'"),
    prepare: remember('has_runs'),
    restore: inWork(() => 'DO $$ BEGIN EXECUTE (SELECT text FROM remembered); END $$'),
    leave: { migrator: 'its task' },
  },
  {
    what: 'make one of our functions run with the rights of its owner',
    statements: (scene) => [
      `ALTER FUNCTION ${schemaOf(scene)}.cache_table_name(text) SECURITY DEFINER`,
    ],
    look: (scene) =>
      exists(
        `pg_proc WHERE oid = '${schemaOf(scene)}.cache_table_name(text)'::regprocedure AND prosecdef`,
      ),
    restore: inWork(
      (scene) => `ALTER FUNCTION ${schemaOf(scene)}.cache_table_name(text) SECURITY INVOKER`,
    ),
    leave: { migrator: 'its task' },
  },
  {
    what: 'have fragments run with the rights of whoever runs the processor',
    statements: (scene) => [
      `ALTER FUNCTION ${schemaOf(scene)}.run_fragment(text, boolean, text, bigint) SECURITY INVOKER`,
    ],
    look: (scene) =>
      exists(
        `pg_proc WHERE proname = 'run_fragment' AND pronamespace = '${schemaOf(scene)}'::regnamespace AND NOT prosecdef`,
      ),
    restore: inWork(
      (scene) =>
        `ALTER FUNCTION ${schemaOf(scene)}.run_fragment(text, boolean, text, bigint) SECURITY DEFINER`,
    ),
    leave: { migrator: 'its task' },
  },
  {
    what: 'become the owner of one of our tables',
    statements: (scene) => [`ALTER TABLE ${schemaOf(scene)}.attempt OWNER TO ${scene.me}`],
    look: (scene) =>
      exists(
        `pg_class WHERE oid = '${schemaOf(scene)}.attempt'::regclass AND relowner = ${literal(scene.me)}::regrole
           AND relowner <> ${literal(scene.place.roles.migrator.name)}::regrole`,
      ),
    restore: inWork(
      (scene) =>
        `ALTER TABLE ${schemaOf(scene)}.attempt OWNER TO ${scene.place.roles.migrator.name}`,
    ),
  },
  {
    what: 'replace a function that the clients call',
    statements: () => [
      `CREATE OR REPLACE FUNCTION public.partitioncache_get_queries_table_name(p_table_prefix text) RETURNS text
         LANGUAGE sql AS $$ SELECT 'intruder' $$`,
    ],
    look: () => exists("pg_proc WHERE proname LIKE 'partitioncache%' AND prosrc LIKE '%intruder%'"),
    prepare: remember('partitioncache_get_queries_table_name'),
    restore: inWork(() => 'DO $$ BEGIN EXECUTE (SELECT text FROM remembered); END $$'),
    leave: { migrator: 'its task' },
  },
];

function remember(name: string): Attempt['prepare'] {
  return inWork(
    () => 'DROP TABLE IF EXISTS remembered',
    () =>
      `CREATE TEMP TABLE remembered AS
         SELECT pg_get_functiondef(pg_proc.oid) AS text FROM pg_proc
          WHERE proname = '${name}' AND pronamespace IN ('partitioncache'::regnamespace, 'public'::regnamespace)`,
  );
}

const ledger: readonly Attempt[] = [
  {
    what: 'alter the ledger of the work stream',
    statements: (scene) => [
      `UPDATE ${schemaOf(scene)}.migrations SET run_on = run_on - interval '1 day'`,
    ],
    prepare: inWork(
      () => 'DROP TABLE IF EXISTS ledger_before',
      (scene) => `CREATE TEMP TABLE ledger_before AS SELECT * FROM ${schemaOf(scene)}.migrations`,
    ),
    look: (scene) =>
      exists(`(TABLE ${schemaOf(scene)}.migrations EXCEPT TABLE ledger_before) AS changed`),
    restore: inWork(
      (scene) =>
        `UPDATE ${schemaOf(scene)}.migrations AS now SET run_on = ledger_before.run_on
           FROM ledger_before WHERE ledger_before.id = now.id`,
    ),
    leave: { migrator: 'its task' },
  },
  {
    what: 'alter the ledger of the cron stream',
    in: 'cron',
    statements: (scene) => [
      `UPDATE ${cronSchemaOf(scene)}.migrations SET run_on = run_on - interval '1 day'`,
    ],
    prepare: inCron(
      () => 'DROP TABLE IF EXISTS ledger_before',
      (scene) =>
        `CREATE TEMP TABLE ledger_before AS SELECT * FROM ${cronSchemaOf(scene)}.migrations`,
    ),
    look: (scene) =>
      exists(`(TABLE ${cronSchemaOf(scene)}.migrations EXCEPT TABLE ledger_before) AS changed`),
    restore: inCron(
      (scene) =>
        `UPDATE ${cronSchemaOf(scene)}.migrations AS now SET run_on = ledger_before.run_on
           FROM ledger_before WHERE ledger_before.id = now.id`,
    ),
    leave: { cron: 'its task' },
  },
];

/** One row of an internal table, changed and put back. */
function change(what: string, table: string, assignment: string, undone: string): Attempt {
  return {
    what,
    statements: (scene) => [`UPDATE ${schemaOf(scene)}.${table} SET ${assignment}`],
    look: (scene) => exists(`${schemaOf(scene)}.${table} WHERE ${assignment}`),
    restore: inWork((scene) => `UPDATE ${schemaOf(scene)}.${table} SET ${undone}`),
    leave: { migrator: 'its task' },
  };
}

const internalTables: readonly Attempt[] = [
  change('raise the limit of slots', 'settings', 'max_slots = 1000', 'max_slots = 20'),
  change('change the number of attempts', 'settings', 'max_attempts = 999', 'max_attempts = 3'),
  {
    what: 'point the deployment at another cron role',
    statements: (scene) => [`UPDATE ${schemaOf(scene)}.deployment SET cron_role = 'intruder'`],
    look: (scene) => exists(`${schemaOf(scene)}.deployment WHERE cron_role = 'intruder'`),
    restore: inWork(
      (scene) =>
        `UPDATE ${schemaOf(scene)}.deployment SET cron_role = ${literal(scene.place.roles.cron.name)}`,
    ),
    leave: { migrator: 'its task' },
  },
  {
    what: 'claim fragments that no run has claimed',
    statements: (scene) => [
      `INSERT INTO ${schemaOf(scene)}.batch (lock_key, pid, queue_ids, alone) VALUES (-4711, 1, '{}', false)`,
    ],
    look: (scene) => exists(`${schemaOf(scene)}.batch WHERE lock_key = -4711`),
    restore: inWork((scene) => `DELETE FROM ${schemaOf(scene)}.batch WHERE lock_key = -4711`),
    leave: { migrator: 'its task', cron: 'its task' },
  },
  {
    what: 'take the claims of a run away',
    prepare: inWork(
      // A run that is alive: the claims of others are taken back by every run.
      (scene) => `SELECT pg_advisory_lock('${schemaOf(scene)}'::regnamespace::oid::integer, -4711)`,
      (scene) =>
        `INSERT INTO ${schemaOf(scene)}.batch (lock_key, pid, queue_ids, alone) VALUES (-4711, pg_backend_pid(), '{}', false)`,
    ),
    statements: (scene) => [`DELETE FROM ${schemaOf(scene)}.batch WHERE lock_key = -4711`],
    look: (scene) =>
      `SELECT NOT EXISTS (SELECT FROM ${schemaOf(scene)}.batch WHERE lock_key = -4711)`,
    restore: inWork(
      () => 'SELECT pg_advisory_unlock_all()',
      (scene) => `DELETE FROM ${schemaOf(scene)}.batch WHERE lock_key = -4711`,
    ),
    leave: { migrator: 'its task', cron: 'its task' },
  },
  {
    what: 'put off a fragment of somebody else’s for years',
    statements: (scene) => [
      `INSERT INTO ${schemaOf(scene)}.attempt (query_hash, partition_key, attempts, not_before, last_error)
         VALUES ('someone', 'zipcode', 1, 'infinity', '')`,
    ],
    look: (scene) => exists(`${schemaOf(scene)}.attempt WHERE query_hash = 'someone'`),
    restore: inWork(
      (scene) => `DELETE FROM ${schemaOf(scene)}.attempt WHERE query_hash = 'someone'`,
    ),
    leave: { migrator: 'its task', cron: 'its task' },
  },
  {
    what: 'put off a slot for years',
    prepare: inWork(
      (scene) =>
        `INSERT INTO ${schemaOf(scene)}.slot (job_name, slot) VALUES ('someone', 1) ON CONFLICT DO NOTHING`,
    ),
    statements: (scene) => [
      `UPDATE ${schemaOf(scene)}.slot SET next_due = 'infinity' WHERE job_name = 'someone'`,
    ],
    look: (scene) =>
      exists(`${schemaOf(scene)}.slot WHERE job_name = 'someone' AND next_due = 'infinity'`),
    restore: inWork((scene) => `DELETE FROM ${schemaOf(scene)}.slot WHERE job_name = 'someone'`),
    leave: { migrator: 'its task', cron: 'its task' },
  },
  {
    what: 'make it look as if pg_cron knew of every job',
    statements: (scene) => [
      `INSERT INTO ${schemaOf(scene)}.applied_job (job_name, schedule, command, job_id) VALUES ('intruder', '* * * * *', '', 1)`,
    ],
    look: (scene) => exists(`${schemaOf(scene)}.applied_job WHERE job_name = 'intruder'`),
    restore: inWork(
      (scene) => `DELETE FROM ${schemaOf(scene)}.applied_job WHERE job_name = 'intruder'`,
    ),
    leave: { migrator: 'its task' },
  },
];

const clientsTables: readonly Attempt[] = [
  {
    what: 'drop the trigger by which pg_cron learns of changes',
    statements: ({ place }) => [
      `ALTER TABLE ${place.tables.processorConfig} DISABLE TRIGGER pcache_sync_cron`,
    ],
    look: () => exists("pg_trigger WHERE tgname = 'pcache_sync_cron' AND tgenabled = 'D'"),
    restore: inWork(
      ({ place }) => `ALTER TABLE ${place.tables.processorConfig} ENABLE TRIGGER pcache_sync_cron`,
    ),
    leave: { migrator: 'its task' },
  },
  {
    what: 'add a column to the queue',
    statements: ({ place }) => [
      `ALTER TABLE ${place.tables.fragmentQueue} ADD COLUMN intruder text`,
    ],
    look: ({ place }) =>
      exists(
        `pg_attribute WHERE attrelid = '${place.tables.fragmentQueue}'::regclass AND attname = 'intruder'`,
      ),
    restore: inWork(
      ({ place }) => `ALTER TABLE ${place.tables.fragmentQueue} DROP COLUMN IF EXISTS intruder`,
    ),
    leave: { migrator: 'its task' },
  },
  {
    what: 'drop the log',
    statements: ({ place }) => [
      // Renamed, since a success would be the end of the test.
      `ALTER TABLE ${place.tables.processorLog} RENAME TO dropped_log`,
    ],
    look: () => "SELECT to_regclass('public.dropped_log') IS NOT NULL",
    restore: inWork(
      ({ place }) =>
        `ALTER TABLE IF EXISTS public.dropped_log RENAME TO ${place.tables.processorLog.split('.')[1]}`,
    ),
    leave: { migrator: 'its task' },
  },
  {
    what: 'empty the log by TRUNCATE',
    prepare: inWork(
      ({ place }) =>
        `INSERT INTO ${place.tables.processorLog} (job_id, query_hash, partition_key, status)
           VALUES ('canary', 'canary', 'canary', 'success')`,
    ),
    statements: ({ place }) => [`TRUNCATE ${place.tables.processorLog}`],
    look: ({ place }) =>
      `SELECT NOT EXISTS (SELECT FROM ${place.tables.processorLog} WHERE job_id = 'canary')`,
    restore: inWork(
      ({ place }) => `DELETE FROM ${place.tables.processorLog} WHERE job_id = 'canary'`,
    ),
    leave: { migrator: 'its task' },
  },
  {
    what: 'let everybody write to the queue',
    statements: ({ place }) => [`GRANT INSERT ON ${place.tables.fragmentQueue} TO PUBLIC`],
    look: ({ place }) =>
      exists(
        `pg_class, aclexplode(relacl) AS acl
          WHERE pg_class.oid = '${place.tables.fragmentQueue}'::regclass AND acl.grantee = 0`,
      ),
    restore: inWork(({ place }) => `REVOKE INSERT ON ${place.tables.fragmentQueue} FROM PUBLIC`),
    leave: { migrator: 'its task' },
  },
];

/** Changing what is ours. */
export const ownObjects: Theme = {
  name: 'Change what is ours',
  attempts: [...inOwnSchema, ...ledger, ...internalTables, ...clientsTables],
};
