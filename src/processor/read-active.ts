import type { ClientBase } from 'pg';
import { ownName } from '../deployment/own-names.js';
import type { Settings } from '../settings/settings.js';

/** A fragment that was started and is not settled yet. */
export interface ActiveFragment {
  readonly processor: string;
  /** 0 means a run by hand. */
  readonly slot: number;
  readonly pid: number;
  readonly queryHash: string;
  readonly partitionKey: string;
  /** 0 if it was started within the last second. */
  readonly seconds: number;
}

/** What the slots are working on, the longest-running first. */
export async function readActive(work: ClientBase, settings: Settings): Promise<ActiveFragment[]> {
  const { rows } = await work.query<ActiveFragment>(
    `SELECT job_name AS processor, slot, pid, query_hash AS "queryHash", partition_key AS "partitionKey",
            coalesce(extract(epoch FROM running_for), 0)::float8 AS seconds
       FROM ${ownName(settings, 'active_items')} ORDER BY started_at, job_name, slot`,
  );
  return rows;
}
