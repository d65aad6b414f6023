import type { ClientBase } from 'pg';
import { clientName } from '../deployment/own-names.js';
import { type DeploymentTables, deploymentTables } from '../deployment/placeholder-values.js';
import type { Settings } from '../settings/settings.js';
import { REQUIRED_COLUMNS } from './contract-names.js';
import type { ForeignTable } from './foreign-setup.js';
import { READS_QUIETLY, WHY_NOT_QUIETLY } from './reads-quietly.js';

interface Row {
  readonly name: string;
  readonly owner: string;
  readonly is_ours: boolean;
  readonly is_plain: boolean;
  readonly readable: boolean;
  readonly columns: readonly string[];
  readonly foreign_types: readonly string[];
  readonly triggers: readonly string[];
  readonly dependents: readonly string[];
  readonly grantees: ForeignTable['grantees'];
}

const QUERY = `
  SELECT c.relname::text AS name, pg_get_userbyid(c.relowner)::text AS owner,
         pg_has_role($3::name, c.relowner, 'USAGE') AS is_ours,
         ${READS_QUIETLY} AS is_plain,
         has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable,
         ARRAY(SELECT attname::text FROM pg_attribute
                WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum) AS columns,
         ARRAY(SELECT a.attname::text FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                  AND t.typnamespace <> 'pg_catalog'::regnamespace ORDER BY a.attnum) AS foreign_types,
         ARRAY(SELECT tgname::text FROM pg_trigger
                WHERE tgrelid = c.oid AND NOT tgisinternal ORDER BY 1) AS triggers,
         ARRAY(SELECT DISTINCT v.oid::regclass::text
                 FROM pg_depend AS d
                 JOIN pg_rewrite AS w ON w.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
                 JOIN pg_class AS v ON v.oid = w.ev_class AND v.oid <> c.oid
                WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
               UNION
               SELECT conrelid::regclass::text FROM pg_constraint
                WHERE confrelid = c.oid AND contype = 'f' ORDER BY 1) AS dependents,
         ARRAY(SELECT jsonb_build_object('role', r.rolname,
                                         'privileges', jsonb_agg(item.privilege_type ORDER BY item.privilege_type))
                 FROM aclexplode(c.relacl) AS item LEFT JOIN pg_roles AS r ON r.oid = item.grantee
                WHERE item.grantee <> c.relowner AND coalesce(r.rolname <> ALL ($4), true)
                GROUP BY r.rolname ORDER BY r.rolname) AS grantees
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relname = ANY ($2) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`;

/** The tables of the contract that are there, in the contract's order. */
export async function readForeignTables(
  client: ClientBase,
  settings: Settings,
): Promise<ForeignTable[]> {
  const names = deploymentTables(settings);
  const { work, cron, client: app } = settings;
  const { rows } = await client.query<Row>(QUERY, [
    settings.clientSchema,
    Object.values(names),
    work.user,
    [work.user, cron.user, app.user],
  ]);
  const tables: ForeignTable[] = [];
  for (const role of Object.keys(names) as (keyof DeploymentTables)[]) {
    const row = rows.find(({ name }) => name === names[role]);
    if (row === undefined) continue;
    const unusable = whyUnusable(role, row);
    const mayRead = row.readable && unusable === undefined;
    tables.push({
      role,
      name: row.name,
      owner: row.owner,
      isOurs: row.is_ours,
      unusable,
      rows: mayRead ? await countRows(client, settings, row.name) : null,
      columns: row.columns,
      triggers: row.triggers,
      dependents: row.dependents,
      grantees: row.grantees,
    });
  }
  return tables;
}

function whyUnusable(
  role: keyof DeploymentTables,
  { is_plain, columns, foreign_types }: Row,
): string | undefined {
  if (!is_plain) return WHY_NOT_QUIETLY;
  const missing = REQUIRED_COLUMNS[role].filter((column) => !columns.includes(column));
  if (missing.length > 0) return `it has no column ${missing.join(', ')}`;
  return foreign_types.length === 0
    ? undefined
    : `its column ${foreign_types.join(', ')} has a type of somebody's own`;
}

async function countRows(client: ClientBase, settings: Settings, name: string): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    `SELECT count(*) FROM ONLY ${clientName(settings, name)}`,
  );
  return Number(rows[0]?.count);
}
