import type { ClientBase } from 'pg';
import { isTrusted } from '../migrations/trusted-owner.js';
import type { Settings } from '../settings/settings.js';
import { keptSchema } from './contract-names.js';
import type { ForeignAside, ForeignFunction } from './foreign-setup.js';

/** Looks at the schema that the old tables are moved to: whose it is, and which of their names it has already. */
export async function readAside(
  work: ClientBase,
  settings: Settings,
  tables: readonly string[],
  functions: readonly ForeignFunction[],
): Promise<ForeignAside> {
  const { rows } = await work.query<{ exists: boolean; stranger: string | null; may_use: boolean }>(
    `SELECT n.oid IS NOT NULL AS exists,
            CASE WHEN n.oid IS NOT NULL AND NOT ${isTrusted('n.nspowner', '$2')}
                 THEN pg_get_userbyid(n.nspowner)::text END AS stranger,
            CASE WHEN n.oid IS NULL THEN has_database_privilege($2::name, current_database(), 'CREATE')
                 ELSE has_schema_privilege($2::name, n.oid, 'USAGE')
                      AND has_schema_privilege($2::name, n.oid, 'CREATE') END AS may_use
       FROM (VALUES ($1::name)) AS wanted (name) LEFT JOIN pg_namespace AS n ON n.nspname = wanted.name`,
    [keptSchema(settings), settings.work.user],
  );
  const { rows: taken } = await work.query<{ name: string }>(
    `WITH moved AS (
       SELECT c.oid, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = ANY ($2)
     ),
     along AS (
       SELECT relname FROM moved
       UNION
       SELECT c.relname FROM pg_class AS c JOIN pg_index ON indexrelid = c.oid
        WHERE indrelid IN (SELECT oid FROM moved)
       UNION
       SELECT c.relname FROM pg_class AS c JOIN pg_depend AS d ON d.objid = c.oid
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
          AND d.deptype IN ('a', 'i') AND c.relkind = 'S' AND d.refobjid IN (SELECT oid FROM moved)
     )
     SELECT relname::text AS name FROM along, pg_namespace AS aside
      WHERE aside.nspname = $3
        AND relname IN (SELECT relname FROM pg_class WHERE relnamespace = aside.oid
                        UNION SELECT typname FROM pg_type WHERE typnamespace = aside.oid)
     UNION ALL
     SELECT p.oid::regprocedure::text FROM pg_proc AS p
       JOIN pg_namespace AS aside ON aside.oid = p.pronamespace
       JOIN pg_proc AS old ON old.proname = p.proname AND old.proargtypes = p.proargtypes
      WHERE aside.nspname = $3 AND old.oid = ANY ($4::regprocedure[])
      ORDER BY 1`,
    [
      settings.clientSchema,
      tables,
      keptSchema(settings),
      functions.map(({ signature }) => signature),
    ],
  );
  return {
    exists: rows[0]?.exists === true,
    stranger: rows[0]?.stranger ?? undefined,
    mayUse: rows[0]?.may_use === true,
    taken: taken.map(({ name }) => name),
  };
}
