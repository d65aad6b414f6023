import { escapeIdentifier } from 'pg';
import { ownName } from '../../deployment/own-names.js';
import { ok, sql, warning } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';
import { list } from '../wording.js';

/** A GRANT … ON ALL TABLES and default privileges for a role's tables reach the link's table too. */
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
    if (rows.length === 0) return ok('the migrator and superusers alone');
    const table = ownName(settings, 'cron_link');
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
