import type { ClientBase } from 'pg';
import { ownName } from '../deployment/own-names.js';
import type { Settings } from '../settings/settings.js';

/** Failures of one kind within the last 24 hours. */
export interface FailureClass {
  /** Left out if the message contains none. */
  readonly sqlState: string | undefined;
  readonly reason: 'error' | 'timeout' | 'set aside';
  readonly failures: number;
  /** How many fragments failed; one fragment may fail several times. */
  readonly fragments: number;
  /** How many of the fragments failed in this way last, and have not been evaluated or retried since. */
  readonly stillFailed: number;
  readonly lastSeen: Date;
  /** The most recent of them. */
  readonly example: {
    readonly queryHash: string;
    readonly partitionKey: string;
    readonly message: string | undefined;
  };
}

interface FailureRow {
  sqlstate: string | null;
  reason: FailureClass['reason'];
  failures: number;
  fragments: number;
  still_failed: number;
  last_seen: Date;
  example_hash: string;
  example_partition_key: string;
  example_message: string | null;
}

/** The failures of the last 24 hours by SQLSTATE, the most recent first. */
export async function readFailures(work: ClientBase, settings: Settings): Promise<FailureClass[]> {
  const { rows } = await work.query<FailureRow>(
    `SELECT sqlstate, reason, failures::float8, fragments::float8, still_failed::float8,
            last_seen::timestamptz, example_hash, example_partition_key, example_message
       FROM ${ownName(settings, 'failures')}
      ORDER BY last_seen DESC, sqlstate`,
  );
  return rows.map((row) => ({
    sqlState: row.sqlstate ?? undefined,
    reason: row.reason,
    failures: row.failures,
    fragments: row.fragments,
    stillFailed: row.still_failed,
    lastSeen: row.last_seen,
    example: {
      queryHash: row.example_hash,
      partitionKey: row.example_partition_key,
      message: row.example_message ?? undefined,
    },
  }));
}
