import type { Client } from 'pg';
import { pollUntil } from './poll.js';
import type { Site } from './site.js';

export const slotsByDefault = 5;

/** Waits until pg_cron has started a run of the first slot; the others come with work. */
export async function awaitFirstRuns(pgCron: Client, site: Site): Promise<void> {
  await pollUntil(
    'pg_cron has started the first slot',
    async () => {
      const { rowCount } = await pgCron.query(
        `SELECT FROM cron.job_run_details
          WHERE database = $1 AND command LIKE '%run_processor(%, 1)' AND status <> 'failed'
          LIMIT 1`,
        [site.settings.work.database],
      );
      return rowCount === 1;
    },
    { everyMs: 200, deadlineMs: 150_000 },
  );
}

/** Rows of pg_cron's run history for this site's jobs. */
export async function runHistoryRows(pgCron: Client, site: Site): Promise<number> {
  const { rows } = await pgCron.query<{ count: number }>(
    'SELECT count(*)::integer FROM cron.job_run_details WHERE username = $1',
    [site.settings.cron.user],
  );
  return rows[0]?.count ?? 0;
}

/** How many runs of this site's jobs have failed so far, by what pg_cron says of them. */
export async function failedRuns(pgCron: Client, site: Site): Promise<ReadonlyMap<string, number>> {
  const { rows } = await pgCron.query<{ message: string; count: number }>(
    `SELECT split_part(btrim(coalesce(return_message, '')), E'\\n', 1) AS message, count(*)::integer
       FROM cron.job_run_details WHERE username = $1 AND status = 'failed' GROUP BY 1 ORDER BY 1`,
    [site.settings.cron.user],
  );
  return new Map(rows.map(({ message, count }) => [message, count]));
}

export async function walBytes(client: Client): Promise<number> {
  const { rows } = await client.query(
    "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS bytes",
  );
  return rows[0].bytes;
}
