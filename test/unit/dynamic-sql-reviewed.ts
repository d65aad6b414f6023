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
    digest: '4e9c8e75c188',
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
    file: 'routines/work/is_cached.sql',
    digest: 'ffebd63a8982',
    reason: 'v_table is made by %I.',
  },
  {
    file: 'routines/work/lock_claimable.sql',
    digest: 'd9cd8877223d',
    reason:
      'The tables are placeholders, quoted by the migration, the schema goes through %I; v_stretch is one of four constants.',
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
    digest: '69b4df7e015c',
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
    digest: '8aee721d3192',
    reason:
      'The checks and columns are constants chosen by the backend; names put together with || go through %I.',
  },
  {
    file: 'routines/work/partitioncache_get_queue_and_cache_info.sql',
    digest: 'd5b5cfc795de',
    reason:
      'v_bitsize is one of two constants; names put together with || go through %I; the || within are of the query itself.',
  },
  {
    file: 'routines/work/retry_fragments.sql',
    digest: '444f3c4af708',
    reason:
      "v_table is a regclass, which prints itself quoted; it runs with the caller's own rights.",
  },
  {
    file: 'routines/work/run_fragment.sql',
    digest: '5a5c151dc2ee',
    reason:
      'p_fragment is SQL, on purpose: this is where a fragment runs, as the fragment role, in a transaction that is made read-only before; v_collected is one of four constants, the limit a number.',
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
    inserted: ['pid', 'shown(processor)', 'slot', 'shown(queryHash)', 'Math.round(seconds)'],
    reason:
      'No statement that is run: lines to paste, of numbers; the texts stand in a comment, with line breaks escaped.',
  },
  {
    file: 'src/doctor/checks/client-functions.ts',
    inserted: ['pasteable(signature)'],
    reason: 'No statement that is run: a line to paste, of a regprocedure, which quotes itself.',
  },
  {
    file: 'src/doctor/checks/foreign-functions.ts',
    inserted: ['kind', 'pasteable(signature)'],
    reason:
      'No statement that is run: a line to paste, of one of three constants and a regprocedure, which quotes itself.',
  },
  {
    file: 'src/doctor/checks/foreign-tables.ts',
    inserted: ['kind', 'pasteable(clientName(settings, name))'],
    reason: 'No statement that is run: a line to paste; one of four constants of the query.',
  },
  {
    file: 'src/doctor/checks/fragment-role.ts',
    inserted: ['role', 'power'],
    reason:
      'role has been through escapeIdentifier; power is one of five constants of the query. Lines to paste.',
  },
  {
    file: 'src/doctor/checks/link-readers.ts',
    inserted: ["grantee === null ? 'PUBLIC' : escapeIdentifier(grantee)", 'table'],
    reason: 'table is ownName, and the rest as it says.',
  },
  {
    file: 'src/doctor/checks/link.ts',
    inserted: ['STARTED', 'TRIAL', 'schema'],
    reason:
      'STARTED and TRIAL are constants of the file; schema has been through escapeIdentifier.',
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
    file: 'src/doctor/strangers.ts',
    inserted: ['name', "role === 'PUBLIC' ? role : escapeIdentifier(role)"],
    reason: 'No statement that is run: lines to paste; name has been through escapeIdentifier.',
  },
  {
    file: 'src/migrations/locking-transaction.ts',
    inserted: ['lockTimeoutMs'],
    reason: 'A number of this package.',
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
