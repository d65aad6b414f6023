import type { ClientBase } from 'pg';
import { ownName } from '../deployment/own-names.js';
import type { Settings } from '../settings/settings.js';
import { readProcessors } from './read-processors.js';

export interface ActiveFragment {
  readonly processor: string;
  readonly slot: number;
  readonly pid: number;
  readonly queryHash: string;
  readonly seconds: number;
}

export interface StillAtWork {
  /** Processors that are enabled. */
  readonly enabled: readonly string[];
  /** Fragments that were begun and are not settled. */
  readonly active: readonly ActiveFragment[];
}

/** What goes on working after a processor was stopped. */
export async function stillAtWork(work: ClientBase, settings: Settings): Promise<StillAtWork> {
  const processors = await readProcessors(work, settings);
  const { rows } = await work.query<ActiveFragment>(
    `SELECT job_name AS processor, slot, pid, query_hash AS "queryHash",
            extract(epoch FROM running_for)::float8 AS seconds
       FROM ${ownName(settings, 'active_items')} ORDER BY started_at`,
  );
  return {
    enabled: processors.filter(({ enabled }) => enabled).map(({ jobName }) => jobName),
    active: rows,
  };
}
