import { type ClientBase, escapeIdentifier } from 'pg';
import { deploymentTables } from '../deployment/placeholder-values.js';
import { pasteable } from '../errors/shown.js';
import type { Settings } from '../settings/settings.js';
import { readDeployments } from './deployment-record.js';

/** What fragments may not read of the clients' schema. */
export interface UnreadableTables {
  /** Whose rights fragments have. */
  readonly role: string;
  /** The statements that change that, one for each table. */
  readonly lines: readonly string[];
}

export async function findUnreadableTables(
  client: ClientBase,
  settings: Settings,
): Promise<UnreadableTables> {
  const role = settings.fragmentRole ?? settings.cron.user;
  const tables = await unreadableTables(client, settings, role);
  return {
    role,
    lines: tables.map((table) =>
      pasteable(
        `GRANT SELECT ON ${escapeIdentifier(settings.clientSchema)}.${escapeIdentifier(table)} TO ${escapeIdentifier(role)};`,
      ),
    ),
  };
}

/** Tables and views, except those of deployments, clients and extensions. */
async function unreadableTables(
  client: ClientBase,
  settings: Settings,
  role: string,
): Promise<string[]> {
  const deployments = (await readDeployments(client)).flatMap(({ deployment }) => deployment ?? []);
  const prefixes = [
    settings,
    ...deployments
      .filter(({ client_schema }) => client_schema === settings.clientSchema)
      .map((row) => ({ queuePrefix: row.queue_prefix, tablePrefix: row.table_prefix })),
  ];
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname::text AS name
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
        AND NOT has_table_privilege($2::name, c.oid, 'SELECT')
        AND c.relname <> ALL ($3)
        AND NOT EXISTS (SELECT FROM unnest($4::text[]) AS prefix WHERE starts_with(c.relname, prefix))
        AND NOT EXISTS (SELECT FROM pg_depend d
                         WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
      ORDER BY 1`,
    [
      settings.clientSchema,
      role,
      prefixes.flatMap((each) => Object.values(deploymentTables(each))),
      prefixes.flatMap(({ tablePrefix }) => [`${tablePrefix}_cache_`, `${tablePrefix}_eviction_`]),
    ],
  );
  return rows.map(({ name }) => name);
}
