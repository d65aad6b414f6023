import { type ClientBase, escapeIdentifier } from 'pg';
import { inTransaction } from '../database/in-transaction.js';
import { clientName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import type { Settings } from '../settings/settings.js';
import { cacheTablesAmong } from './data-at-stake.js';

/** What the processor and the clients need on each cache table; these are made by runs, so no release records them. */
const PRIVILEGES = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];

/** Our cache tables on which the cron role or the clients lack a right, as after a restore without them. */
export async function cacheTablesWithoutGrants(
  work: ClientBase,
  settings: Settings,
): Promise<string[]> {
  const { partitionMetadata } = deploymentTables(settings);
  const { own } = await cacheTablesAmong(work, settings, [partitionMetadata]);
  const { rows } = await work.query<{ table: string }>(
    `SELECT relname AS table FROM pg_catalog.pg_class AS c
       JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND relname = ANY ($2)
        AND EXISTS (
          SELECT FROM unnest($3::name[]) AS role, unnest($4::text[]) AS privilege
           WHERE NOT pg_catalog.has_table_privilege(role, c.oid, privilege))
      ORDER BY relname`,
    [settings.clientSchema, own, [settings.cron.user, settings.client.user], PRIVILEGES],
  );
  return rows.map(({ table }) => table);
}

export async function grantOnCacheTables(
  work: ClientBase,
  settings: Settings,
  tables: readonly string[],
): Promise<void> {
  const roles = [settings.cron.user, settings.client.user].map(escapeIdentifier).join(', ');
  await inTransaction(work, async () => {
    for (const table of tables) {
      await work.query(
        `GRANT ${PRIVILEGES.join(', ')} ON ${clientName(settings, table)} TO ${roles}`,
      );
    }
  });
}
