import type { ClientBase } from 'pg';
import { clientName, ownName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import { withOwnTables } from '../deployment/with-own-tables.js';
import type { Settings } from '../settings/settings.js';

export const RETRY_STATUSES = ['failed', 'timeout', 'limit'] as const;

export type RetryStatus = (typeof RETRY_STATUSES)[number];

export interface RetrySelection {
  readonly statuses: readonly RetryStatus[];
  /** Only these fragments; all of them if left out. */
  readonly hashes?: readonly string[] | undefined;
  readonly partitionKey?: string | undefined;
}

export interface RetryReport {
  /** How many are queued again. */
  readonly putBack: number;
  /** How many were already in the queue; they no longer wait. */
  readonly queuedAlready: number;
  /** How many were skipped because another session is settling or changing them. */
  readonly inUse: number;
  /** The given hashes that belong to no such fragment. */
  readonly unknown: readonly UnknownHash[];
}

export interface UnknownHash {
  readonly queryHash: string;
  /** What else is known about it; empty if nothing is. */
  readonly states: readonly FragmentState[];
}

export interface FragmentState {
  readonly partitionKey: string;
  readonly state: 'ok' | RetryStatus | 'queued';
}

/** Puts failures back into the queue, due at once, all or none. With `dryRun`, only reports what it would do. */
export async function retryFragments(
  work: ClientBase,
  settings: Settings,
  { statuses, hashes, partitionKey }: RetrySelection,
  { dryRun = false } = {},
): Promise<RetryReport> {
  const { rows } = await work.query<Omit<RetryReport, 'unknown'> & { unknown: string[] }>(
    `SELECT put_back::float8 AS "putBack", queued_already::float8 AS "queuedAlready",
            in_use::float8 AS "inUse", unknown_hashes AS unknown
       FROM ${ownName(settings, 'retry_fragments')}($1, $2, $3, $4)`,
    [statuses, hashes, partitionKey, dryRun],
  );
  const [{ unknown, ...counts }] = rows as [(typeof rows)[number]];
  return { ...counts, unknown: await statesOf(work, settings, unknown) };
}

async function statesOf(
  work: ClientBase,
  settings: Settings,
  hashes: readonly string[],
): Promise<UnknownHash[]> {
  const { queries, fragmentQueue } = deploymentTables(settings);
  const { rows } = await withOwnTables(work, settings, 'read', [queries, fragmentQueue], () =>
    work.query<UnknownHash>(
      `SELECT given.hash AS "queryHash", coalesce(known.states, '[]') AS states
       FROM unnest($1::text[]) WITH ORDINALITY AS given (hash, position)
       LEFT JOIN LATERAL (
         SELECT jsonb_agg(jsonb_build_object('partitionKey', partition_key, 'state', state) ORDER BY partition_key, state) AS states
           FROM (SELECT partition_key, status AS state FROM ${clientName(settings, queries)} WHERE query_hash = given.hash
                 UNION ALL
                 SELECT partition_key, 'queued' FROM ${clientName(settings, fragmentQueue)} WHERE hash = given.hash) AS each
       ) AS known ON true
      ORDER BY given.position`,
      [hashes],
    ),
  );
  return rows;
}
