import type { ClientBase } from 'pg';
import type { Settings, Transport } from '../settings/settings.js';
import { ownName } from './own-names.js';

/** What the work database has recorded of its cron stream. */
export interface CronRecord {
  readonly cron_database: string | null;
  readonly cron_database_before: string | null;
  readonly cron_database_next: string | null;
  readonly cron_database_left: string | null;
  readonly transport: Transport;
  readonly is_deployed: boolean;
}

/**
 * Undefined where nothing is deployed, or this role may not read it; and where it was written under another name than
 * the database has now, unless that is `writtenAs`: it says nothing of where the jobs of a renamed or copied one shall be.
 */
export async function readCronRecord(
  work: ClientBase,
  settings: Settings,
  writtenAs?: string,
): Promise<CronRecord | undefined> {
  // With row security it is not ours, and to read it would run its owner's code.
  const { rowCount } = await work.query(
    `SELECT FROM pg_catalog.pg_class AS c
       JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
       JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'cron_database_next'
      WHERE n.nspname = $1 AND c.relname = 'deployment' AND c.relkind = 'r' AND NOT c.relrowsecurity
        AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
        AND pg_catalog.has_table_privilege(c.oid, 'SELECT')`,
    [settings.schema],
  );
  if (rowCount !== 1) return undefined;
  const { rows } = await work.query<CronRecord>(
    // As JSON, since somebody may have renamed a column.
    `SELECT r.cron_database, r.cron_database_before, r.cron_database_next, r.cron_database_left,
            r.transport, r.pg_cron_version IS NOT NULL AS is_deployed
       FROM ${ownName(settings, 'deployment')} AS d
      CROSS JOIN LATERAL pg_catalog.jsonb_to_record(pg_catalog.to_jsonb(d)) AS r (
         work_database text, cron_database text, cron_database_before text,
         cron_database_next text, cron_database_left text, transport text, pg_cron_version text)
      WHERE r.work_database = coalesce($1::text, pg_catalog.current_database())`,
    [writtenAs],
  );
  return rows[0];
}
