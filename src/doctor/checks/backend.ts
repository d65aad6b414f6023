import { type ClientBase, escapeIdentifier } from 'pg';
import { readStreamPlan } from '../../deployment/stream-plan.js';
import { failed, ok, sql, text, warning } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';

export const intarray: DoctorCheck = {
  id: 'intarray',
  title: 'extension intarray',
  needs: ['work-migrations', 'client-schema'],
  run: async ({ settings, work }) => {
    const client = clientOf(work);
    const { database } = settings.work;
    const extension = await readExtension(client, 'intarray', settings.work.user);
    if (extension.installed) return ok('installed');
    if (!extension.available) {
      return warning(
        'not available on this server: the cache works, but its intersections are slower',
        text(
          'administrator',
          `Install PostgreSQL's contrib modules on the server's machine (Debian and Ubuntu have them in postgresql-${extension.server_major}; elsewhere the package is postgresql-contrib).`,
        ),
      );
    }
    if (extension.creatable) return ok('will be installed');
    const remedy = sql(
      'administrator',
      database,
      `CREATE EXTENSION intarray SCHEMA ${escapeIdentifier(settings.clientSchema)};`,
    );
    const missing = `missing in database "${database}", and role "${settings.work.user}" may not create it`;
    const { pending } = await readStreamPlan(client, settings, 'work');
    return pending.length > 0
      ? failed(missing, remedy)
      : warning(`${missing}; intersections are slower without it`, remedy);
  },
};

export const roaringbitmap: DoctorCheck = {
  id: 'roaringbitmap',
  title: 'extension roaringbitmap',
  needs: ['work-connection'],
  run: async ({ settings, work }) => {
    const { database } = settings.work;
    const statement = `CREATE EXTENSION roaringbitmap SCHEMA ${escapeIdentifier(settings.clientSchema)};`;
    const extension = await readExtension(clientOf(work), 'roaringbitmap', settings.work.user);
    if (extension.installed) return ok('installed');
    if (extension.available) {
      return failed(
        `missing in database "${database}", and CACHE_BACKEND is postgresql_roaringbit`,
        sql('administrator', database, statement),
      );
    }
    return failed(
      'not available on this server, and CACHE_BACKEND is postgresql_roaringbit',
      text(
        'administrator',
        `Install pg_roaringbitmap for PostgreSQL ${extension.server_major} on the server's machine, then run in database "${database}": ${statement}`,
        'Or choose another CACHE_BACKEND: postgresql_array or postgresql_bit.',
      ),
    );
  },
};

interface Extension {
  installed: boolean;
  available: boolean;
  /** Whether the migrator may create it. */
  creatable: boolean;
  server_major: number;
}

async function readExtension(client: ClientBase, name: string, role: string): Promise<Extension> {
  const { rows } = await client.query<Extension>(
    // Uses to_jsonb: before PostgreSQL 13 there are no trusted extensions and no such column.
    `SELECT EXISTS (SELECT FROM pg_extension WHERE extname = $1) AS installed,
            EXISTS (SELECT FROM pg_available_extensions WHERE name = $1) AS available,
            (SELECT rolsuper FROM pg_roles WHERE rolname = $2)
            OR (has_database_privilege($2::name, current_database(), 'CREATE')
                AND EXISTS (SELECT FROM pg_available_extension_versions v
                             WHERE v.name = $1 AND coalesce((to_jsonb(v) ->> 'trusted')::boolean, false))) AS creatable,
            current_setting('server_version_num')::integer / 10000 AS server_major`,
    [name, role],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('A query without FROM returned no row.');
  return row;
}
