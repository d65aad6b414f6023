/** A rule of squawk that is not asked for, as a whole or in one direction. */
export interface RuleOff {
  readonly rule: string;
  readonly of: 'every migration' | 'every rollback';
  readonly reason: string;
}

/** What squawk objects to in one file, and why it is right there all the same. */
export interface LintException {
  readonly file: string;
  readonly rule: string;
  /** How each line that it objects to begins, white space collapsed. */
  readonly lines: readonly string[];
  readonly reason: string;
}

export const RULES_OFF: readonly RuleOff[] = [
  {
    rule: 'require-lock-timeout',
    of: 'every migration',
    reason:
      'pcache-migrate sets lock_timeout before the first statement of each run, and tries again.',
  },
  {
    rule: 'require-statement-timeout',
    of: 'every migration',
    reason:
      'How long a statement may take depends on the size of the tables, which a file cannot know. Whoever deploys can interrupt it: it is then cancelled and rolled back.',
  },
  {
    rule: 'ban-drop-table',
    of: 'every rollback',
    reason:
      'A rollback drops what its migration created. Of tables that hold rows of the clients it says so in its header (--! drops), and pcache-migrate asks first.',
  },
];

const BOUNDED = 'A setting or a count that a CHECK or its meaning keeps small.';
const CONTRACT =
  "Part of the contract with PartitionCache's clients, which create the same table with this type.";

export const EXCEPTIONS: readonly LintException[] = [
  {
    file: 'migrations/0001_ledger.up.sql',
    rule: 'prefer-bigint-over-int',
    lines: ['number integer', 'release integer', 'server_version_num integer', 'format integer'],
    reason: 'Numbers of releases, one for each deployment, and of versions.',
  },
  {
    file: 'migrations/0002_deployment_record.up.sql',
    rule: 'prefer-bigint-over-int',
    lines: [
      'batch_size integer',
      'max_attempts integer',
      'retry_backoff_seconds integer',
      'log_retention_days integer',
      'run_retention_days integer',
      'max_slots integer',
      'pid integer',
    ],
    reason: BOUNDED,
  },
  {
    file: 'migrations/0003_queues.up.sql',
    rule: 'prefer-bigint-over-int',
    lines: ['id serial', 'priority integer'],
    reason: CONTRACT,
  },
  {
    file: 'migrations/0003_queues.up.sql',
    rule: 'prefer-identity',
    lines: ['id serial'],
    reason: CONTRACT,
  },
  {
    file: 'migrations/0003_queues.up.sql',
    rule: 'prefer-timestamp-tz',
    lines: ['created_at timestamp', 'updated_at timestamp'],
    reason: CONTRACT,
  },
  {
    file: 'migrations/0004_processor_tables.up.sql',
    rule: 'prefer-bigint-over-int',
    lines: [
      'max_parallel_jobs integer',
      'frequency_seconds integer',
      'timeout_seconds integer',
      'stale_after_seconds integer',
      'result_limit integer',
      'default_bitsize integer',
      'id serial',
      'rows_affected integer',
      'pid integer',
    ],
    reason: CONTRACT,
  },
  {
    file: 'migrations/0004_processor_tables.up.sql',
    rule: 'prefer-identity',
    lines: ['id serial'],
    reason: CONTRACT,
  },
  {
    file: 'migrations/0004_processor_tables.up.sql',
    rule: 'prefer-timestamp-tz',
    lines: ['updated_at timestamp', 'created_at timestamp', 'started_at timestamp'],
    reason: CONTRACT,
  },
  {
    file: 'migrations/0005_cache_metadata.up.sql',
    rule: 'prefer-timestamp-tz',
    lines: ['created_at timestamp', 'last_seen timestamp'],
    reason: CONTRACT,
  },
  {
    file: 'migrations/0013_claims.up.sql',
    rule: 'prefer-bigint-over-int',
    lines: ['lock_key integer', 'pid integer'],
    reason: 'The types that advisory locks of two keys and pg_stat_activity have.',
  },
  {
    file: 'migrations/0013_claims.up.sql',
    rule: 'prefer-bigint-over-int',
    lines: ['slot integer', 'attempts integer'],
    reason: BOUNDED,
  },
  {
    file: 'migrations/0013_claims.up.sql',
    rule: 'prefer-bigint-over-int',
    lines: ['queue_ids integer[]'],
    reason: "Holds ids of the queue, whose type is the clients' contract.",
  },
  {
    file: 'cron-migrations/0001_ledger.up.sql',
    rule: 'prefer-bigint-over-int',
    lines: ['release integer', 'server_version_num integer', 'format integer'],
    reason: 'Numbers of releases, one for each deployment, and of versions.',
  },
];
