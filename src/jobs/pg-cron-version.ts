import type { ClientBase } from 'pg';

/** Version of the extension pg_cron in this database, such as `1.4-1`; undefined if it is not installed. */
export async function readPgCronVersion(cron: ClientBase): Promise<string | undefined> {
  const { rows } = await cron.query<{ extversion: string }>(
    "SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'pg_cron'",
  );
  return rows[0]?.extversion;
}
