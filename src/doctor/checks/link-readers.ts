import { type ClientBase, escapeIdentifier } from 'pg';
import { ownName } from '../../deployment/own-names.js';
import type { Settings } from '../../settings/settings.js';
import { type Finding, ok, sql, warning } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';
import { list } from '../wording.js';

/** A GRANT … ON ALL TABLES reaches the link's table too. */
export const linkReaders: DoctorCheck = {
  id: 'link-readers',
  title: "readers of the link's password",
  needs: ['work-connection'],
  run: async ({ settings, work }) => {
    const { rows } = await clientOf(work).query<{ grantee: string | null }>(
      `SELECT DISTINCT CASE grantee WHEN 0 THEN NULL ELSE pg_get_userbyid(grantee)::text END AS grantee
         FROM pg_class
         JOIN pg_namespace ON pg_namespace.oid = relnamespace
         JOIN pg_attribute ON attrelid = pg_class.oid
        CROSS JOIN LATERAL aclexplode(relacl || attacl)
        WHERE nspname = $1 AND relname = 'cron_link' AND grantee <> relowner
        ORDER BY 1`,
      [settings.schema],
    );
    const table = ownName(settings, 'cron_link');
    if (rows.length === 0) return readersOfAll(settings, clientOf(work), table);
    return warning(
      `${list(rows.map(({ grantee }) => grantee ?? 'PUBLIC'))} may use the table ${table}, which holds it`,
      sql(
        'migrator',
        settings.work.database,
        ...rows.map(
          ({ grantee }) =>
            `REVOKE ALL ON ${table} FROM ${grantee === null ? 'PUBLIC' : escapeIdentifier(grantee)} CASCADE;`,
        ),
      ),
    );
  },
};

/** They need no grant on the table, so that nothing but their membership shows it. From PostgreSQL 14 on. */
async function readersOfAll(
  { work }: Settings,
  client: ClientBase,
  table: string,
): Promise<Finding> {
  const { rows } = await client.query<{ name: string; direct: boolean }>(
    `SELECT reader.rolname AS name,
            EXISTS (SELECT FROM pg_auth_members WHERE roleid = all_data.oid AND member = reader.oid) AS direct
       FROM pg_roles AS reader JOIN pg_roles AS all_data ON all_data.rolname = 'pg_read_all_data'
      WHERE pg_has_role(reader.oid, all_data.oid, 'MEMBER')
        AND NOT reader.rolsuper AND reader.oid <> all_data.oid AND reader.rolname <> current_user
      ORDER BY 1`,
  );
  if (rows.length === 0) return ok('the migrator and superusers alone');
  return warning(
    `${list(rows.map(({ name }) => name))} may read the table ${table}, which holds it, by pg_read_all_data`,
    sql(
      'administrator',
      work.database,
      ...rows
        .filter(({ direct }) => direct)
        .map(({ name }) => `REVOKE pg_read_all_data FROM ${escapeIdentifier(name)};`),
    ),
  );
}
