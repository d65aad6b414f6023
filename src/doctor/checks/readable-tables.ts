import { type ClientBase, escapeIdentifier } from 'pg';
import { deploymentTables } from '../../deployment/placeholder-values.js';
import { ok, sql, warning } from '../check-result.js';
import type { Context, DoctorCheck } from '../context.js';
import { readDeployments } from '../deployment-record.js';
import { clientOf } from '../reach.js';

const MOST_LINES = 20;

export const readableTables: DoctorCheck = {
  id: 'readable-tables',
  title: 'tables that fragments read',
  needs: ['client-schema', 'roles', 'fragment-role'],
  run: async ({ settings, work }) => {
    const client = clientOf(work);
    const { clientSchema } = settings;
    const role = settings.fragmentRole ?? settings.cron.user;
    const tables = await unreadableTables(client, settings, role);
    if (tables.length === 0)
      return ok(`all in schema "${clientSchema}"; other schemas are not checked`);
    const more = tables.length - MOST_LINES;
    return warning(
      `role "${role}", whose rights fragments have, may not read ${tables.length} ${tables.length === 1 ? 'table' : 'tables'} of schema "${clientSchema}"` +
        (more > 0 ? ` (${more} more than listed here)` : '') +
        '; grant what your fragments need',
      sql(
        'owner of the tables',
        settings.work.database,
        ...tables
          .slice(0, MOST_LINES)
          .map(
            (table) =>
              `GRANT SELECT ON ${escapeIdentifier(clientSchema)}.${escapeIdentifier(table)} TO ${escapeIdentifier(role)};`,
          ),
      ),
    );
  },
};

/** Tables and views, except those of deployments, clients and extensions. */
async function unreadableTables(
  client: ClientBase,
  settings: Context['settings'],
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
