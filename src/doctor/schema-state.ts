import type { ClientBase } from 'pg';
import { isStandIn } from '../deployment/stand-ins.js';
import { LEDGER_TABLES } from '../migrations/ledger.js';

/** What a role finds under the name of our schema. */
export interface SchemaState {
  readonly owner: string;
  readonly isOurs: boolean;
  readonly hasUsage: boolean;
  readonly hasCreate: boolean;
  /** The table `deployment`, which distinguishes our schemas from others; undefined if there is none. */
  readonly deployment:
    | { readonly owner: string; readonly ownedByUs: boolean; readonly readable: boolean }
    | undefined;
  /** Some of what it contains besides the ledger. */
  readonly contents: readonly string[];
  /** Roles besides ours and superusers that may create something in it, or drop what is in it. */
  readonly strangers: readonly string[];
}

/** The column that identifies the table `deployment`: work databases have one, pg_cron databases the other. */
export type MarkerColumn = 'queue_prefix' | 'work_schema';

interface Row {
  owner: string;
  is_ours: boolean;
  has_usage: boolean;
  has_create: boolean;
  deployment_owner: string | null;
  owned_by_us: boolean;
  readable: boolean;
  contents: string[];
  strangers: string[];
}

// The query identifies objects by oid: identifying them by name would itself need USAGE on the schema.
const QUERY = `
  SELECT pg_get_userbyid(n.nspowner)::text AS owner,
         pg_has_role($4::name, n.nspowner, 'USAGE') AS is_ours,
         has_schema_privilege($4::name, n.oid, 'USAGE') AS has_usage,
         has_schema_privilege($4::name, n.oid, 'CREATE') AS has_create,
         pg_get_userbyid(d.relowner)::text AS deployment_owner,
         coalesce(pg_has_role($4::name, d.relowner, 'USAGE'), false) AS owned_by_us,
         coalesce(has_table_privilege($4::name, d.oid, 'SELECT'), false) AS readable,
         ARRAY(
           SELECT relname::text FROM pg_class
           WHERE relnamespace = n.oid AND relkind IN ('r', 'p', 'v', 'm', 'f') AND relname <> ALL ($3)
           UNION ALL
           SELECT p.proname || '()' FROM pg_proc AS p
            WHERE p.pronamespace = n.oid AND NOT ${isStandIn('p', '$4::name')}
           LIMIT 5
         ) AS contents,
         ARRAY(
           SELECT coalesce(r.rolname::text, 'PUBLIC')
             FROM (SELECT n.nspowner AS role
                   UNION
                   SELECT grantee FROM aclexplode(n.nspacl) WHERE privilege_type = 'CREATE') AS those
             LEFT JOIN pg_roles r ON r.oid = those.role
            WHERE r.rolsuper IS NOT TRUE AND r.rolname IS DISTINCT FROM $4
              AND r.oid IS DISTINCT FROM d.relowner
            ORDER BY 1
         ) AS strangers
    FROM pg_namespace n
    LEFT JOIN pg_class d
      ON d.relnamespace = n.oid AND d.relname = 'deployment' AND d.relkind = 'r'
     AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = d.oid AND attname = $2)
   WHERE n.nspname = $1`;

/** As `role` finds it, whoever is connected; undefined if there is no such schema. */
export async function readSchemaState(
  client: ClientBase,
  schema: string,
  marker: MarkerColumn,
  role: string,
): Promise<SchemaState | undefined> {
  const { rows } = await client.query<Row>(QUERY, [schema, marker, LEDGER_TABLES, role]);
  const row = rows[0];
  return (
    row && {
      owner: row.owner,
      isOurs: row.is_ours,
      hasUsage: row.has_usage,
      hasCreate: row.has_create,
      deployment:
        row.deployment_owner === null
          ? undefined
          : { owner: row.deployment_owner, ownedByUs: row.owned_by_us, readable: row.readable },
      contents: row.contents,
      strangers: row.strangers,
    }
  );
}
