export interface ReviewedSql {
  readonly file: string;
  /** Of what is executed there. When that changes, the test shows the new one: look at it again first. */
  readonly digest: string;
  /** Where each part that is not %I, %L or a constant comes from. */
  readonly reason: string;
}

export interface ReviewedTemplates {
  readonly file: string;
  readonly inserted: readonly string[];
  readonly reason: string;
}

export const REVIEWED_SQL: readonly ReviewedSql[] = [
  {
    file: 'migrations/0002_queues.up.sql',
    digest: '6b83e1031a9d',
    reason: 'pg_get_serial_sequence returns the name quoted; it runs once, as the migrator.',
  },
  {
    file: 'migrations/0003_processor_tables.up.sql',
    digest: 'a383f2e661e8',
    reason:
      'pg_get_serial_sequence returns the name quoted, and the name with || goes through %I; it runs once, as the migrator.',
  },
  {
    file: 'routines/work/alter_bit_cache.sql',
    digest: '13a21fb40e13',
    reason: 'v_table is made by %I, p_bits is an integer, set_bits_expression() is a constant.',
  },
  {
    file: 'routines/work/bootstrap_partition.sql',
    digest: '59846278afdd',
    reason:
      'v_column and v_count are chosen from constants and an integer; an unknown datatype raises before.',
  },
  {
    file: 'routines/work/delete_cached_of.sql',
    digest: '59873c8d436a',
    reason: 'The queue is a placeholder, quoted by the migration; v_cache is made by %I.',
  },
  {
    file: 'routines/work/evaluate_item.sql',
    digest: '0bfe133c3565',
    reason:
      'v_query has the fragment in it, on purpose: this is where it runs. collected_as() returns constants, the limit is an integer.',
  },
  {
    file: 'routines/work/is_cached.sql',
    digest: 'ffebd63a8982',
    reason: 'v_table is made by %I.',
  },
  {
    file: 'routines/work/lock_claimable.sql',
    digest: '784566d212df',
    reason:
      'The tables are placeholders, quoted by the migration; v_stretch is one of four constants.',
  },
  {
    file: 'routines/work/non_blocking_fragment_queue_batch_upsert.sql',
    digest: '43acd126145c',
    reason:
      "The queue is made by %I from the clients' schema and the name given; it runs with the caller's own rights.",
  },
  {
    file: 'routines/work/non_blocking_fragment_queue_upsert.sql',
    digest: '4571f7e83cfc',
    reason:
      "v_queue is made by %I from the clients' schema and the name given; it runs with the caller's own rights.",
  },
  {
    file: 'routines/work/non_blocking_original_queue_upsert.sql',
    digest: '29b59043f7cd',
    reason:
      "v_queue is made by %I from the clients' schema and the name given; it runs with the caller's own rights.",
  },
  {
    file: 'routines/work/partitioncache_cleanup_cached_queue_items.sql',
    digest: 'e6a6eb05f1f1',
    reason:
      "Names put together with || go through %I; v_cache is a regclass, which prints itself quoted. It runs with the caller's own rights.",
  },
  {
    file: 'routines/work/partitioncache_create_bitsize_trigger.sql',
    digest: 'eaba19c231f5',
    reason: "v_table is made by %I; it runs with the caller's own rights.",
  },
  {
    file: 'routines/work/partitioncache_ensure_metadata_tables.sql',
    digest: '47d585abbeb7',
    reason:
      'The checks and columns are constants chosen by the backend; names put together with || go through %I.',
  },
  {
    file: 'routines/work/partitioncache_get_queue_and_cache_info.sql',
    digest: '08059d0c39c1',
    reason:
      'v_bitsize is one of two constants; names put together with || go through %I; the || within are of the query itself.',
  },
  {
    file: 'routines/work/probe_fragment.sql',
    digest: '2cd2f9c76a36',
    reason:
      'v_query has the fragment in it, on purpose, and is planned only (LIMIT 0), in a read-only subtransaction.',
  },
  {
    file: 'routines/work/require_closed.sql',
    digest: '2eac9c174c88',
    reason:
      'The fragment, on purpose: a cursor is opened and closed, which parses and plans it and runs nothing.',
  },
  {
    file: 'routines/work/retry_fragments.sql',
    digest: '444f3c4af708',
    reason:
      "v_table is a regclass, which prints itself quoted; it runs with the caller's own rights.",
  },
  {
    file: 'routines/work/sync_cron.sql',
    digest: 'e53f9acff11e',
    reason: "v_call is made by %I and %L from the deployment's own desired_jobs().",
  },
];

export const REVIEWED_TEMPLATES: readonly ReviewedTemplates[] = [
  {
    file: 'src/cli/commands/processor-disable.ts',
    inserted: ['pid', 'processor', 'slot', 'queryHash', 'Math.round(seconds)'],
    reason: 'No statement that is run: lines to paste, whose text the printer escapes.',
  },
  {
    file: 'src/doctor/checks/client-functions.ts',
    inserted: ['migrator', 'signature'],
    reason: 'No statement that is run: a line to paste, from an escaped name and a regprocedure.',
  },
  {
    file: 'src/doctor/checks/link.ts',
    inserted: ['STARTED', 'schema'],
    reason: 'STARTED is a constant of the file; schema has been through escapeIdentifier.',
  },
  {
    file: 'src/doctor/checks/own-triggers.ts',
    inserted: ['kind', 'when', 'each', 'argument'],
    reason: 'Constants of the file; the one argument has been through escapeLiteral.',
  },
  {
    file: 'src/doctor/grants.ts',
    inserted: ['privilege'],
    reason: 'Made in the file from constants and names that have been through escapeIdentifier.',
  },
  {
    file: 'src/migrations/locking-transaction.ts',
    inserted: ['lockTimeoutMs'],
    reason: 'A number of this package.',
  },
  {
    file: 'src/doctor/schema-state.ts',
    inserted: ['TRUSTED_OWNER'],
    reason: 'A constant, shared with the migrations.',
  },
  {
    file: 'src/migrations/provide-schema.ts',
    inserted: ['TRUSTED_OWNER'],
    reason: 'A constant, shared with doctor.',
  },
  {
    file: 'src/operations/drain-runs.ts',
    inserted: ['pid'],
    reason: "No statement that is run: a line to paste, from a number of the server's.",
  },
  {
    file: 'src/processor/processor-config.ts',
    inserted: ['configTable(settings)', "[...fixed, ...columns].join(', ')", "set.join(', ')"],
    reason:
      'configTable is clientName; the columns are constants of the file, their values parameters.',
  },
];
