export type Place = 'work' | 'cron';

/** The names that a sabotage needs. */
export interface Names {
  readonly schema: string;
  readonly cronSchema: string;
  readonly queue: string;
  readonly config: string;
  readonly migrator: string;
  readonly cronRole: string;
  readonly app: string;
  /** A role that has no part in the deployment. */
  readonly other: string;
}

type Statements = string | readonly string[];

/** A change by hand, as a superuser, of one kind of object. */
export interface Sabotage {
  readonly name: string;
  readonly place: Place;
  readonly sql: (names: Names) => Statements;
  /** `problem kind identity`, each once, sorted. */
  readonly named: (names: Names) => string[];
  /** Where --fix leaves it: how the test takes it back. */
  readonly undo?: (names: Names) => Statements;
}

const mended: readonly Sabotage[] = [
  {
    name: 'the body of a function',
    place: 'work',
    sql: ({ schema }) =>
      `CREATE OR REPLACE FUNCTION ${schema}.fragment_text(p_query text) RETURNS text LANGUAGE sql AS 'SELECT p_query'`,
    named: ({ schema }) => [`changed function ${schema}.fragment_text(text)`],
  },
  {
    name: 'the parameters of a function, which cannot be replaced',
    place: 'work',
    sql: ({ schema, migrator }) => [
      `SET ROLE ${migrator}`,
      `DROP FUNCTION ${schema}.fragment_text(text)`,
      `CREATE FUNCTION ${schema}.fragment_text(p_other text) RETURNS text LANGUAGE sql AS 'SELECT p_other'`,
      `REVOKE ALL ON FUNCTION ${schema}.fragment_text FROM PUBLIC`,
      'RESET ROLE',
    ],
    named: ({ schema, cronRole, app }) =>
      [
        `changed function ${schema}.fragment_text(text)`,
        `missing comment function ${schema}.fragment_text(text)`,
        `missing grant function ${schema}.fragment_text(text) TO ${cronRole}`,
        `missing grant function ${schema}.fragment_text(text) TO ${app}`,
      ].sort(),
  },
  {
    name: 'a function that is gone',
    place: 'work',
    sql: ({ schema }) => `DROP FUNCTION ${schema}.check_slots(text, text, integer)`,
    named: ({ schema }) => [`missing function ${schema}.check_slots(text, text, integer)`],
  },
  {
    name: 'a function that lost SECURITY DEFINER',
    place: 'work',
    sql: ({ schema }) => `ALTER FUNCTION ${schema}.sync_cron() SECURITY INVOKER`,
    named: ({ schema }) => [`changed function ${schema}.sync_cron()`],
  },
  {
    name: 'the search_path of a function',
    place: 'cron',
    sql: ({ cronSchema }) => `ALTER FUNCTION ${cronSchema}.apply_jobs(jsonb) RESET search_path`,
    named: ({ cronSchema }) => [`changed function ${cronSchema}.apply_jobs(jsonb)`],
  },
  {
    name: 'the function of the fragment role, gone',
    place: 'work',
    sql: ({ schema }) => `DROP FUNCTION ${schema}.run_fragment(text, boolean, text, bigint)`,
    named: ({ schema }) => [`missing function ${schema}.run_fragment(text, boolean, text, bigint)`],
  },
  {
    name: 'the function of the fragment role, given to the migrator',
    place: 'work',
    sql: ({ schema, migrator }) =>
      `ALTER FUNCTION ${schema}.run_fragment(text, boolean, text, bigint) OWNER TO ${migrator}`,
    named: ({ schema }) => [
      `changed owner function ${schema}.run_fragment(text, boolean, text, bigint)`,
    ],
  },
  {
    name: 'a function of the clients',
    place: 'work',
    sql: () => 'DROP FUNCTION public.partitioncache_deployments()',
    named: () => ['missing function public.partitioncache_deployments()'],
  },
  {
    name: 'a procedure',
    place: 'work',
    sql: ({ schema }) =>
      `CREATE OR REPLACE PROCEDURE ${schema}.run_processor(p_job_name text, p_slot integer) LANGUAGE plpgsql AS 'BEGIN END'`,
    named: ({ schema }) => [`changed procedure ${schema}.run_processor(text, integer)`],
  },
  {
    name: 'an aggregate that is gone',
    place: 'work',
    sql: () => 'DROP AGGREGATE public.array_intersect_agg(anyarray)',
    named: () => ['missing aggregate public.array_intersect_agg(anyarray)'],
  },
  {
    name: 'an aggregate that is another',
    place: 'work',
    sql: () =>
      'CREATE OR REPLACE AGGREGATE public.array_intersect_agg(anyarray) (SFUNC = public.partitioncache_array_intersect, STYPE = anyarray, PARALLEL = safe)',
    named: () => ['changed aggregate public.array_intersect_agg(anyarray)'],
  },
  {
    name: 'what a view reads',
    place: 'work',
    sql: ({ schema }) =>
      `CREATE OR REPLACE VIEW ${schema}.held_back AS SELECT query_hash, partition_key, suspect, not_before FROM ${schema}.attempt WHERE false`,
    named: ({ schema }) => [`changed view ${schema}.held_back`],
  },
  {
    name: 'a view that is gone',
    place: 'cron',
    sql: ({ cronSchema }) => `DROP VIEW ${cronSchema}.job_runs`,
    named: ({ cronSchema }) => [`missing view ${cronSchema}.job_runs`],
  },
  {
    name: 'a view with a column more, which cannot be replaced',
    place: 'work',
    sql: ({ schema }) =>
      `CREATE OR REPLACE VIEW ${schema}.held_back AS SELECT query_hash, partition_key, suspect, not_before, 1 AS more FROM ${schema}.attempt`,
    named: ({ schema }) => [`changed view ${schema}.held_back`],
  },
  {
    name: 'the options of a view',
    place: 'cron',
    sql: ({ cronSchema }) => `ALTER VIEW ${cronSchema}.jobs SET (security_barrier = true)`,
    named: ({ cronSchema }) => [`changed view ${cronSchema}.jobs`],
  },
  {
    name: 'a trigger that is gone',
    place: 'work',
    sql: ({ config }) => `DROP TRIGGER pcache_sync_cron ON ${config}`,
    named: ({ config }) => [`missing trigger pcache_sync_cron ON ${config}`],
  },
  {
    name: 'a trigger that is switched off',
    place: 'work',
    sql: ({ config }) => `ALTER TABLE ${config} DISABLE TRIGGER pcache_validate`,
    named: ({ config }) => [`changed trigger pcache_validate ON ${config}`],
  },
  {
    name: 'a comment that is another',
    place: 'work',
    sql: ({ queue }) => `COMMENT ON TABLE ${queue} IS 'mine'`,
    named: ({ queue }) => [`changed comment table ${queue}`],
  },
  {
    name: 'a comment that is gone',
    place: 'cron',
    sql: ({ cronSchema }) => `COMMENT ON COLUMN ${cronSchema}.ledger.release IS NULL`,
    named: ({ cronSchema }) => [`missing comment column ${cronSchema}.ledger.release`],
  },
  {
    name: 'a grant of EXECUTE that is gone',
    place: 'work',
    sql: ({ schema, cronRole }) =>
      `REVOKE EXECUTE ON PROCEDURE ${schema}.run_processor FROM ${cronRole}`,
    named: ({ schema, cronRole }) => [
      `missing grant procedure ${schema}.run_processor(text, integer) TO ${cronRole}`,
    ],
  },
  {
    name: 'a privilege less on a table',
    place: 'work',
    sql: ({ queue, app }) => `REVOKE INSERT ON ${queue} FROM ${app}`,
    named: ({ queue, app }) => [`changed grant table ${queue} TO ${app}`],
  },
  {
    name: 'a role more that may read the queue',
    place: 'work',
    sql: ({ queue, other }) => `GRANT SELECT ON ${queue} TO ${other}`,
    named: ({ queue, other }) => [`unexpected grant table ${queue} TO ${other}`],
  },
  {
    name: 'a column that a role more may change',
    place: 'work',
    sql: ({ queue, other }) => `GRANT UPDATE (priority) ON ${queue} TO ${other}`,
    named: ({ queue, other }) => [`unexpected grant table ${queue} TO ${other}`],
  },
  {
    name: 'a grant that may be passed on, and was',
    place: 'work',
    sql: ({ schema, other, app }) => [
      `GRANT SELECT ON ${schema}.claims TO ${app} WITH GRANT OPTION`,
      `SET ROLE ${app}`,
      `GRANT SELECT ON ${schema}.claims TO ${other}`,
      'RESET ROLE',
    ],
    named: ({ schema, other, app }) =>
      [
        `unexpected grant view ${schema}.claims TO ${other}`,
        `changed grant view ${schema}.claims TO ${app}`,
      ].sort(),
  },
  {
    name: 'a grant to every role',
    place: 'cron',
    sql: ({ cronSchema }) => `GRANT EXECUTE ON FUNCTION ${cronSchema}.apply_jobs TO PUBLIC`,
    named: ({ cronSchema }) => [
      `unexpected grant function ${cronSchema}.apply_jobs(jsonb) TO PUBLIC`,
    ],
  },
  {
    name: 'the right to create in our schema',
    place: 'work',
    sql: ({ schema, other }) => `GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${other}`,
    named: ({ schema, other }) => [`unexpected grant schema ${schema} TO ${other}`],
  },
  {
    name: "a client's use of our schema",
    place: 'work',
    sql: ({ schema, app }) => `REVOKE USAGE ON SCHEMA ${schema} FROM ${app}`,
    named: ({ schema, app }) => [`missing grant schema ${schema} TO ${app}`],
  },
  {
    name: 'a grant on a sequence',
    place: 'work',
    sql: ({ queue, app }) => `REVOKE USAGE ON SEQUENCE ${queue}_id_seq FROM ${app}`,
    named: ({ queue, app }) => [`changed grant sequence ${queue}_id_seq TO ${app}`],
  },
  {
    name: 'a privilege on a column of a sequence that belongs to a table',
    place: 'work',
    sql: ({ queue, app }) => `GRANT SELECT (last_value) ON TABLE ${queue}_id_seq TO ${app}`,
    named: ({ queue, app }) => [`changed grant sequence ${queue}_id_seq TO ${app}`],
  },
  {
    name: 'what a type is open to',
    place: 'work',
    sql: ({ schema }) => `REVOKE USAGE ON TYPE ${schema}.run_step FROM PUBLIC`,
    named: ({ schema }) => [`missing grant type ${schema}.run_step TO PUBLIC`],
  },
  {
    name: 'what an owner took from himself',
    place: 'work',
    sql: ({ schema, migrator }) => `REVOKE DELETE ON ${schema}.slot FROM ${migrator}`,
    named: ({ schema }) => [`changed grant table ${schema}.slot TO its owner`],
  },
];

const left: readonly Sabotage[] = [
  {
    name: 'the owner of a table, who is a stranger',
    place: 'work',
    sql: ({ schema, other }) => `ALTER TABLE ${schema}.slot OWNER TO ${other}`,
    named: ({ schema }) => [`changed owner table ${schema}.slot`],
    undo: ({ schema, migrator }) => `ALTER TABLE ${schema}.slot OWNER TO ${migrator}`,
  },
  {
    name: "a client's function that its tool has made its own",
    place: 'work',
    sql: ({ app }) => `ALTER FUNCTION public.partitioncache_deployments() OWNER TO ${app}`,
    named: () => ['changed owner function public.partitioncache_deployments()'],
    undo: ({ migrator }) =>
      `ALTER FUNCTION public.partitioncache_deployments() OWNER TO ${migrator}`,
  },
  {
    name: 'a column more',
    place: 'work',
    sql: ({ queue }) => `ALTER TABLE ${queue} ADD COLUMN note text`,
    named: ({ queue }) => [`unexpected column ${queue}.note`],
    undo: ({ queue }) => `ALTER TABLE ${queue} DROP COLUMN note`,
  },
  {
    name: 'a column less, with the index on it',
    place: 'work',
    sql: ({ queue }) => `ALTER TABLE ${queue} DROP COLUMN priority`,
    named: ({ queue }) => [`missing column ${queue}.priority`],
  },
  {
    name: 'the type of a column',
    place: 'work',
    sql: ({ queue }) => `ALTER TABLE ${queue} ALTER COLUMN hash TYPE varchar(100)`,
    named: ({ queue }) => [`changed column ${queue}.hash`],
    undo: ({ queue }) => `ALTER TABLE ${queue} ALTER COLUMN hash TYPE text`,
  },
  {
    name: 'the default of a column',
    place: 'work',
    sql: ({ schema }) => `ALTER TABLE ${schema}.settings ALTER COLUMN batch_size SET DEFAULT 5`,
    named: ({ schema }) => [`changed column ${schema}.settings.batch_size`],
  },
  {
    name: 'NOT NULL of a column',
    place: 'cron',
    sql: ({ cronSchema }) =>
      `ALTER TABLE ${cronSchema}.deployment ALTER COLUMN work_schema DROP NOT NULL`,
    named: ({ cronSchema }) => [`changed column ${cronSchema}.deployment.work_schema`],
  },
  {
    name: 'a constraint less',
    place: 'work',
    sql: ({ schema }) => `ALTER TABLE ${schema}.slot DROP CONSTRAINT slot_slot_check`,
    named: ({ schema }) => [`missing constraint slot_slot_check ON ${schema}.slot`],
  },
  {
    name: 'a constraint that is not validated',
    place: 'work',
    sql: ({ schema }) => [
      `ALTER TABLE ${schema}.slot DROP CONSTRAINT slot_slot_check`,
      `ALTER TABLE ${schema}.slot ADD CONSTRAINT slot_slot_check CHECK (slot >= 0) NOT VALID`,
    ],
    named: ({ schema }) => [`changed constraint slot_slot_check ON ${schema}.slot`],
    undo: ({ schema }) => `ALTER TABLE ${schema}.slot VALIDATE CONSTRAINT slot_slot_check`,
  },
  {
    name: 'a constraint more',
    place: 'work',
    sql: ({ queue }) => `ALTER TABLE ${queue} ADD CONSTRAINT short CHECK (length(query) < 9999)`,
    named: ({ queue }) => [`unexpected constraint short ON ${queue}`],
    undo: ({ queue }) => `ALTER TABLE ${queue} DROP CONSTRAINT short`,
  },
  {
    name: 'a foreign key to one of our tables',
    place: 'work',
    sql: ({ queue }) =>
      `CREATE TABLE public.notes (id integer CONSTRAINT of_queue REFERENCES ${queue})`,
    named: () => ['unexpected constraint of_queue ON public.notes'],
    undo: () => 'DROP TABLE public.notes',
  },
  {
    name: 'an index less',
    place: 'work',
    sql: ({ schema }) => `DROP INDEX ${schema}.batch_alone_idx`,
    named: ({ schema }) => [`missing index ${schema}.batch_alone_idx`],
  },
  {
    name: 'an index more',
    place: 'work',
    sql: ({ queue }) => `CREATE INDEX more ON ${queue} (partition_key)`,
    named: () => ['unexpected index public.more'],
    undo: () => 'DROP INDEX public.more',
  },
  {
    name: 'an index that is not valid',
    place: 'work',
    sql: ({ schema }) =>
      `UPDATE pg_index SET indisvalid = false WHERE indexrelid = '${schema}.batch_alone_idx'::regclass`,
    named: ({ schema }) => [`changed index ${schema}.batch_alone_idx`],
    undo: ({ schema }) => `REINDEX INDEX ${schema}.batch_alone_idx`,
  },
  {
    name: 'a trigger of somebody else on the queue',
    place: 'work',
    sql: ({ queue }) =>
      `CREATE TRIGGER spy BEFORE UPDATE ON ${queue} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
    named: ({ queue }) => [`unexpected trigger spy ON ${queue}`],
    undo: ({ queue }) => `DROP TRIGGER spy ON ${queue}`,
  },
  {
    name: 'a rule on the queue',
    place: 'work',
    sql: ({ queue }) => `CREATE RULE nothing AS ON DELETE TO ${queue} DO INSTEAD NOTHING`,
    named: ({ queue }) => [`unexpected rule nothing ON ${queue}`],
    undo: ({ queue }) => `DROP RULE nothing ON ${queue}`,
  },
  {
    name: 'row-level security with a policy',
    place: 'work',
    sql: ({ queue }) => [
      `ALTER TABLE ${queue} ENABLE ROW LEVEL SECURITY`,
      `CREATE POLICY mine ON ${queue} FOR SELECT TO PUBLIC USING (priority > 3)`,
    ],
    named: ({ queue }) => [`changed table ${queue}`, `unexpected policy mine ON ${queue}`],
    undo: ({ queue }) => [
      `DROP POLICY mine ON ${queue}`,
      `ALTER TABLE ${queue} DISABLE ROW LEVEL SECURITY`,
    ],
  },
  {
    name: 'a table without a log, and with options',
    place: 'work',
    sql: ({ schema }) => [
      `ALTER TABLE ${schema}.attempt SET UNLOGGED`,
      `ALTER TABLE ${schema}.attempt SET (fillfactor = 50)`,
    ],
    named: ({ schema }) => [`changed table ${schema}.attempt`],
    undo: ({ schema }) => [
      `ALTER TABLE ${schema}.attempt RESET (fillfactor)`,
      `ALTER TABLE ${schema}.attempt SET LOGGED`,
    ],
  },
  {
    name: 'a table that is gone, with all that is in it',
    place: 'work',
    sql: ({ schema }) => `DROP TABLE ${schema}.created_extension`,
    named: ({ schema }) => [`missing table ${schema}.created_extension`],
  },
  {
    name: 'a table that is a view now',
    place: 'work',
    sql: ({ schema }) => [
      `ALTER TABLE ${schema}.created_extension RENAME TO hidden`,
      `CREATE VIEW ${schema}.created_extension AS SELECT * FROM ${schema}.hidden`,
    ],
    named: ({ schema }) => [
      `changed table ${schema}.created_extension`,
      `unexpected table ${schema}.hidden`,
    ],
    undo: ({ schema }) => [
      `DROP VIEW ${schema}.created_extension`,
      `ALTER TABLE ${schema}.hidden RENAME TO created_extension`,
    ],
  },
  {
    name: 'a child of the queue',
    place: 'work',
    sql: ({ queue }) => `CREATE TABLE public.child () INHERITS (${queue})`,
    named: ({ queue }) => [`unexpected child table public.child OF ${queue}`],
    undo: () => 'DROP TABLE public.child',
  },
  {
    name: 'the parameters of a sequence',
    place: 'work',
    sql: ({ queue }) => `ALTER SEQUENCE ${queue}_id_seq INCREMENT 10 CYCLE`,
    named: ({ queue }) => [`changed sequence ${queue}_id_seq`],
    undo: ({ queue }) => `ALTER SEQUENCE ${queue}_id_seq INCREMENT 1 NO CYCLE`,
  },
  {
    name: 'an attribute more of a type',
    place: 'work',
    sql: ({ schema }) => `ALTER TYPE ${schema}.chunk_end ADD ATTRIBUTE more integer`,
    named: ({ schema }) => [`changed type ${schema}.chunk_end`],
    undo: ({ schema }) => `ALTER TYPE ${schema}.chunk_end DROP ATTRIBUTE more`,
  },
  {
    name: 'an extension that is gone',
    place: 'work',
    sql: () => 'DROP EXTENSION intarray',
    named: () => ['missing extension intarray'],
  },
  {
    name: 'default privileges for what the migrator makes',
    place: 'work',
    sql: ({ migrator, other }) =>
      `ALTER DEFAULT PRIVILEGES FOR ROLE ${migrator} GRANT SELECT ON TABLES TO ${other}`,
    named: ({ migrator }) => [`unexpected default privileges FOR ROLE ${migrator} ON TABLES`],
    undo: ({ migrator, other }) =>
      `ALTER DEFAULT PRIVILEGES FOR ROLE ${migrator} REVOKE SELECT ON TABLES FROM ${other}`,
  },
  {
    name: 'default privileges in our schema',
    place: 'cron',
    sql: ({ cronSchema, cronRole, other }) =>
      `ALTER DEFAULT PRIVILEGES FOR ROLE ${cronRole} IN SCHEMA ${cronSchema} GRANT EXECUTE ON FUNCTIONS TO ${other}`,
    named: ({ cronSchema, cronRole }) => [
      `unexpected default privileges FOR ROLE ${cronRole} IN SCHEMA ${cronSchema} ON FUNCTIONS`,
    ],
    undo: ({ cronSchema, cronRole, other }) =>
      `ALTER DEFAULT PRIVILEGES FOR ROLE ${cronRole} IN SCHEMA ${cronSchema} REVOKE EXECUTE ON FUNCTIONS FROM ${other}`,
  },
  {
    name: 'everything that is not ours in our schema',
    place: 'cron',
    sql: ({ cronSchema }) => [
      `CREATE FUNCTION ${cronSchema}.f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'`,
      `CREATE TABLE ${cronSchema}.t (id serial PRIMARY KEY)`,
      `CREATE VIEW ${cronSchema}.v AS SELECT 1 AS a`,
      `CREATE MATERIALIZED VIEW ${cronSchema}.m AS SELECT 1 AS a`,
      `CREATE TYPE ${cronSchema}.e AS ENUM ('a', 'b')`,
      `CREATE DOMAIN ${cronSchema}.d AS integer CHECK (value > 0)`,
      `CREATE COLLATION ${cronSchema}.c (locale = 'C')`,
    ],
    named: ({ cronSchema }) => [
      `unexpected collation ${cronSchema}.c`,
      `unexpected domain ${cronSchema}.d`,
      `unexpected function ${cronSchema}.f(integer)`,
      `unexpected materialized view ${cronSchema}.m`,
      `unexpected table ${cronSchema}.t`,
      `unexpected type ${cronSchema}.e`,
      `unexpected view ${cronSchema}.v`,
    ],
    undo: ({ cronSchema }) => [
      `DROP FUNCTION ${cronSchema}.f`,
      `DROP TABLE ${cronSchema}.t`,
      `DROP VIEW ${cronSchema}.v`,
      `DROP MATERIALIZED VIEW ${cronSchema}.m`,
      `DROP TYPE ${cronSchema}.e`,
      `DROP DOMAIN ${cronSchema}.d`,
      `DROP COLLATION ${cronSchema}.c`,
    ],
  },
  {
    name: 'extended statistics on the queue, and another target of them',
    place: 'work',
    sql: ({ queue }) => [
      `CREATE STATISTICS public.s (dependencies) ON hash, partition_key FROM ${queue}`,
      `ALTER TABLE ${queue} ALTER COLUMN hash SET STATISTICS 500`,
    ],
    named: ({ queue }) => [`changed column ${queue}.hash`, 'unexpected statistics public.s'],
    undo: ({ queue }) => [
      'DROP STATISTICS public.s',
      `ALTER TABLE ${queue} ALTER COLUMN hash SET STATISTICS -1`,
    ],
  },
];

export const sabotages: readonly Sabotage[] = [...mended, ...left];
