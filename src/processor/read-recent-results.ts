import type { ClientBase } from 'pg';
import { ownName } from '../deployment/own-names.js';
import type { Settings } from '../settings/settings.js';

/** What became of the fragments in the last hour, by all processors of the deployment together. */
export interface RecentResults {
  readonly failedLastHour: number;
  /** Undefined where there was none in that hour. */
  readonly lastSuccess: Date | undefined;
}

export async function readRecentResults(
  work: ClientBase,
  settings: Settings,
): Promise<RecentResults> {
  // The clients' tables keep the time of the server without its zone.
  const { rows } = await work.query<{ failed: number; last_success: Date | null }>(
    `SELECT coalesce(sum(failed_last_hour), 0)::float8 AS failed,
            max(last_success)::timestamptz AS last_success
       FROM ${ownName(settings, 'processor_status')}`,
  );
  return {
    failedLastHour: rows[0]?.failed ?? 0,
    lastSuccess: rows[0]?.last_success ?? undefined,
  };
}
