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
    file: 'migrations/0003_queues.up.sql',
    digest: '6b83e1031a9d',
    reason: 'pg_get_serial_sequence returns the name quoted; it runs once, as the migrator.',
  },
  {
    file: 'migrations/0004_processor_tables.up.sql',
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
    digest: 'c1050d6eacf5',
    reason:
      'The tables are placeholders, quoted by the migration, the schema goes through %I; v_stretch is one of five constants, v_order one of two.',
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
    digest: 'ba3a68baa293',
    reason: "v_call is made by %I and %L from the deployment's own cron_schema and desired_jobs().",
  },
];

export const REVIEWED_TEMPLATES: readonly ReviewedTemplates[] = [
  {
    file: 'src/database/dependents.ts',
    inserted: [
      'WORDS[type] ?? type.toUpperCase()',
      'names[0]',
      'identity',
      'on',
      'parent',
      'part',
      'type.toUpperCase()',
    ],
    reason:
      'Lines for people to paste, never run: identities that PostgreSQL quoted, and names by escapeIdentifier or plainName.',
  },
  {
    file: 'src/migrations/ledger.ts',
    inserted: ['listed'],
    reason: 'The name of a table with its schema by escapeIdentifier, or a constant.',
  },
  {
    file: 'src/objects/alteration.ts',
    inserted: ['action', 'name', 'relation', 'wanted.value'],
    reason:
      'Identities that PostgreSQL quoted, and a default from a record that nobody but its trusted owner can have written.',
  },
  {
    file: 'src/objects/creation.ts',
    inserted: [
      'column',
      'definition',
      "definition.replace(OWNED, '')",
      'expected.identity',
      'identity',
      'kind.toUpperCase()',
      "lines.join(',\\n')",
      'name',
      'relation',
    ],
    reason:
      'Identities and definitions that PostgreSQL printed, from a record that nobody but its trusted owner can have written.',
  },
  {
    file: 'src/objects/record-anew.ts',
    inserted: [
      'identity',
      "isTrusted('c.relowner')",
      "recordTable(scope.schema, 'recorded_object')",
      "recordTable(scope.schema, 'recording')",
    ],
    reason:
      'recordTable quotes the schema; the tables are constants; the condition is a text of ours; the identity is quoted by format, in a line for people.',
  },
  {
    file: 'src/objects/renamed.ts',
    inserted: [
      'columnOf(identity).name',
      'columnOf(there).name',
      'identity',
      'kind.toUpperCase()',
      'name',
      'nameAside(identity)',
      'relation',
      'there',
    ],
    reason:
      'Identities that PostgreSQL quoted when it listed them, and a name by escapeIdentifier.',
  },
  {
    file: 'src/objects/type-alteration.ts',
    inserted: ['identity', 'nameIn(one)', 'one'],
    reason:
      'An identity that PostgreSQL quoted, and attributes as it printed them into a record that nobody but its trusted owner can have written.',
  },
  {
    file: 'src/database/blockers.ts',
    inserted: ['pid'],
    reason: 'A number from pg_blocking_pids; for people to paste.',
  },
  {
    file: 'src/deployment/lost-deployment.ts',
    inserted: ['own'],
    reason: 'The name of a schema by escapeIdentifier.',
  },
  {
    file: 'src/doctor/renamed-role.ts',
    inserted: ['now'],
    reason:
      'A role as quote_ident printed it, or by escapeIdentifier; for people to read and paste.',
  },
  {
    file: 'src/objects/required-rows.ts',
    inserted: ['list', 'own', 'table'],
    reason: 'Constants of this file, and the schema by escapeIdentifier.',
  },
  {
    file: 'src/operations/record-anew.ts',
    inserted: ['own'],
    reason: 'The schema by escapeIdentifier.',
  },
  {
    file: 'src/jobs/left-behind.ts',
    inserted: ["callsHere('command', '$1::text')", 'which'],
    reason: 'A condition of the file and one of own-commands, whose values are parameters.',
  },
  {
    file: 'src/jobs/fleet-jobs.ts',
    inserted: ["callsHere('query', '$3::text')", "callsWork('query', '$2::text')"],
    reason: 'Conditions whose values are parameters.',
  },
  {
    file: 'src/operations/adopt-names.ts',
    inserted: ['config'],
    reason: 'It is the configuration table by clientName.',
  },
  {
    file: 'src/operations/cache-grants.ts',
    inserted: ["PRIVILEGES.join(', ')", 'roles'],
    reason: 'A constant of the file, and names that have been through escapeIdentifier.',
  },
  {
    file: 'src/processor/deployment-settings.ts',
    inserted: ["columns.join(', ')", 'config'],
    reason: 'Constants of the file, and clientName.',
  },
  {
    file: 'src/cli/commands/pause.ts',
    inserted: ['pid'],
    reason: "No statement that is run: a line to paste, from a number of the server's.",
  },
  {
    file: 'src/cli/commands/processor-disable.ts',
    inserted: ['pid', 'shown(processor)', 'slot', 'shown(queryHash)', 'Math.round(seconds)'],
    reason:
      'No statement that is run: lines to paste, of numbers; the texts stand in a comment, with line breaks escaped.',
  },
  {
    file: 'src/deployment/definers-of-superusers.ts',
    inserted: ['name'],
    reason:
      'No statement that is run: a line to paste, of one of two constants and a regprocedure, which quotes itself; pasteable.',
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
    inserted: [
      'LOOK_BEFORE',
      'kind',
      'kind.toUpperCase()',
      'name',
      'owner',
      'pasteable(nameAside(name))',
      'table',
    ],
    reason:
      'No statement that is run: lines to paste; one of four constants of the query, trigger, rule or policy, names that foreign_parts formats by %I, and others through escapeIdentifier.',
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
    file: 'src/deployment/kept-tables.ts',
    inserted: ['NAMES'],
    reason: 'A constant of the file; its values are parameters.',
  },
  {
    file: 'src/deployment/own-data.ts',
    inserted: ['table'],
    reason: 'One of three constants, after a name that has been through escapeIdentifier.',
  },
  {
    file: 'src/deployment/restored-owners.ts',
    inserted: ["isTrusted('n.nspowner')"],
    reason: 'A constant, shared with doctor. The lines that are run are made by %I of its answer.',
  },
  {
    file: 'src/deployment/stand-ins.ts',
    inserted: [
      'SIGNATURES[name][1]',
      'cronRole',
      "isStandIn('p')",
      'parameters',
      'procedure',
      'types',
    ],
    reason:
      'cronRole has been through escapeIdentifier, procedure is ownName; the rest are constants of the file.',
  },
  {
    file: 'src/doctor/grants.ts',
    inserted: ['privilege'],
    reason: 'Made in the file from constants and names that have been through escapeIdentifier.',
  },
  {
    file: 'src/doctor/schema-state.ts',
    inserted: ["isStandIn('p', '$4::name')"],
    reason: 'Made of constants, some through escapeLiteral.',
  },
  {
    file: 'src/doctor/strangers.ts',
    inserted: ['name', "role === 'PUBLIC' ? role : escapeIdentifier(role)"],
    reason: 'No statement that is run: lines to paste; name has been through escapeIdentifier.',
  },
  {
    file: 'src/database/copy-row.ts',
    inserted: ['table'],
    reason: 'What its one caller passes is ownName.',
  },
  {
    file: 'src/database/in-read-only-transaction.ts',
    inserted: ['LOCK_TIMEOUT_SECONDS'],
    reason: 'A number of this package.',
  },
  {
    file: 'src/jobs/other-jobs.ts',
    inserted: ['ESCAPED_LITERAL', 'IS_OWN', 'UNPRINTABLE', 'active', "texts.join(', ')"],
    reason:
      'Constants, one with parameters; and a line to paste, of texts that have been through escapeLiteral.',
  },
  {
    file: 'src/jobs/room.ts',
    inserted: ['name', 'number', 'value'],
    reason: 'Lines to paste, which are not run: a setting by its constant name, and numbers.',
  },
  {
    file: 'src/migrations/change-index.ts',
    inserted: ['name'],
    reason: 'Its two parts have been through escapeIdentifier.',
  },
  {
    file: 'src/migrations/locking-transaction.ts',
    inserted: ['lockTimeoutMs'],
    reason: 'A number of this package.',
  },
  {
    file: 'src/migrations/provide-schema.ts',
    inserted: ["isTrusted('n.nspowner')"],
    reason: 'A constant, shared with doctor.',
  },
  {
    file: 'src/migrations/who-else-made-it.ts',
    inserted: ["isTrusted('n.nspowner', '$3')", "isTrusted('relowner', '$3')"],
    reason: 'A constant, shared with doctor.',
  },
  {
    file: 'src/objects/digest.ts',
    inserted: ['rows'],
    reason: 'A constant of this package, or the name of a table from recordTable.',
  },
  {
    file: 'src/objects/listing/attachments.ts',
    inserted: [
      "columnKeys('r', 'c.conkey')",
      "columnKeys('r', 'i.indkey::smallint[]')",
      'plain',
      "written('c.xmin')",
      "written('i.xmin')",
      "written('p.xmin')",
      "written('s.xmin')",
      "written('t.xmin')",
      "written('w.xmin')",
    ],
    reason: 'Constants of this room: the listing is one constant, but for its parameters.',
  },
  {
    file: 'src/objects/listing/listing-sql.ts',
    inserted: [
      'relation()',
      'union(parts.map((part) => part(written)))',
      'union([comment(written), owner(), grant(written), defaultPrivileges()])',
    ],
    reason: 'Parts of the listing, all of them constants of this folder.',
  },
  {
    file: 'src/objects/listing/others.ts',
    inserted: [
      'plain',
      "written('a.xmin')",
      "written('c.xmin')",
      "written('d.xmin')",
      "written('e.xmin')",
      "written('n.xmin')",
      "written('p.xmin')",
      "written('t.xmin')",
    ],
    reason: 'Constants of this room: the listing is one constant, but for its parameters.',
  },
  {
    file: 'src/objects/listing/relations.ts',
    inserted: [
      "options('r')",
      "written('a.xmin')",
      "written('d.xmin')",
      "written('r.written_by')",
      "written('rewrite.xmin')",
      "written('s.xmin')",
    ],
    reason: 'Constants of this room: the listing is one constant, but for its parameters.',
  },
  {
    file: 'src/objects/listing/rights.ts',
    inserted: ["written('a.xmin')", "written('d.xmin')"],
    reason: 'Constants of this room: the listing is one constant, but for its parameters.',
  },
  {
    file: 'src/objects/named-difference.ts',
    inserted: [
      'LOOK_BEFORE',
      'expected?.definition',
      'object.identity',
      'object.kind.toUpperCase()',
    ],
    reason:
      'No statement that is run: a line to paste, of identities that PostgreSQL quoted, and a constant.',
  },
  {
    file: 'src/objects/record-objects.ts',
    inserted: ['recordDigest(schema)', "recordTable(schema, 'recording')", 'recording', 'table'],
    reason: 'recordTable quotes the schema; the tables are constants.',
  },
  {
    file: 'src/objects/record.ts',
    inserted: ["recordTable(schema, 'recorded_object')", "recordTable(schema, 'recording')"],
    reason: 'recordTable quotes the schema; the tables are constants.',
  },
  {
    file: 'src/objects/remedy.ts',
    inserted: [
      'column',
      'defaultPrivilege(identity, line)',
      'expected?.definition',
      'identity',
      "identity.replace(/^of table /, '')",
      'kind.toUpperCase()',
      'name',
      'one',
      'relation',
      'type',
    ],
    reason:
      'No statement that is run: lines to paste, of identities and definitions that PostgreSQL printed.',
  },
  {
    file: 'src/objects/repair.ts',
    inserted: [
      'identity',
      'kind.toUpperCase()',
      'name',
      'object.identity',
      'object.kind.toUpperCase()',
      'on',
      'option',
      "privileges.join(', ')",
      'relation',
      'role',
      'state',
      'text',
      'to',
    ],
    reason:
      'Identities that PostgreSQL quoted when it listed them, and definitions from a record that nobody but its trusted owner can have written (who-else-may-write.ts); text has been through escapeLiteral.',
  },
  {
    file: 'src/objects/restore-objects.ts',
    inserted: ['table'],
    reason: 'recordTable quotes the schema; the tables are constants.',
  },
  {
    file: 'src/objects/roots.ts',
    inserted: [
      "isMember('pg_class', 'c.oid')",
      "isMember('pg_proc', 'p.oid')",
      "isMember('pg_type', 't.oid')",
      "written('c.xmin')",
      "written('e.xmin')",
      "written('p.xmin')",
      "written('t.xmin')",
    ],
    reason: 'Constants of this room.',
  },
  {
    file: 'src/operations/copy-back.ts',
    inserted: ['columns', 'config', 'from', 'last', 'to'],
    reason:
      'from, to and config are keptName, ownName or clientName; columns and last are names of the catalogue that have been through escapeIdentifier.',
  },
  {
    file: 'src/operations/data-at-stake.ts',
    inserted: ['worth'],
    reason:
      'A condition of own-data.ts: a constant, or column names through %I with the defaults that our migrations gave them, as PostgreSQL prints them.',
  },
  {
    file: 'src/operations/drain-runs.ts',
    inserted: ['pid'],
    reason: "No statement that is run: a line to paste, from a number of the server's.",
  },
  {
    file: 'src/operations/kept-grants.ts',
    inserted: [
      'columns',
      "grant.isGrantable ? ' WITH GRANT OPTION' : ''",
      'inSql(grant.grantee)',
      'inSql(role)',
      'privilegeOf(grant)',
      'table',
    ],
    reason:
      'table is clientName; roles and columns go through escapeIdentifier, and a privilege is a word of capital letters.',
  },
  {
    file: 'src/operations/keep-data.ts',
    inserted: ['copy', 'from', 'schema', 'table', 'where'],
    reason:
      'Names by keptName, ownName or clientName, or through escapeIdentifier; where is a condition of own-data.ts, as in data-at-stake.ts.',
  },
  {
    file: 'src/processor/processor-config.ts',
    inserted: ['configTable(settings)', "[...fixed, ...columns].join(', ')", "set.join(', ')"],
    reason:
      'configTable is clientName; the columns are constants of the file, their values parameters.',
  },
  {
    file: 'src/adoption/aside-problems.ts',
    inserted: ['name', 'to'],
    reason: 'Quoted names of a schema and of a role.',
  },
  {
    file: 'src/adoption/copy-rows.ts',
    inserted: ['common.map(({ name, type ', 'from', 'last', "names.join(', ')", 'to'],
    reason:
      'Tables and columns are quoted names; the types, and the conditions on a row, are those of a table that this transaction made; PostgreSQL quotes the name of a sequence.',
  },
  {
    file: 'src/adoption/drop-foreign-code.ts',
    inserted: ['object', 'table'],
    reason:
      'One of four constants with a regprocedure, which quotes itself, or with a quoted name.',
  },
  {
    file: 'src/adoption/lines-by-hand.ts',
    inserted: ['job.jobId', 'kind', 'name', 'ownCopyRows(settings)', 'signature', 'to'],
    reason:
      'Quoted names and literals, a number, one of three constants and a regprocedure, which quotes itself.',
  },
  {
    file: 'src/adoption/losses.ts',
    inserted: ["privileges.join(', ')", "role === null ? 'PUBLIC' : escapeIdentifier(role)"],
    reason: 'No statement that is run: PostgreSQL names the privileges, and the role is quoted.',
  },
  {
    file: 'src/adoption/read-aside.ts',
    inserted: ["isTrusted('n.nspowner', '$2')"],
    reason: 'A condition of ours, without any name.',
  },
  {
    file: 'src/adoption/read-caches.ts',
    inserted: [
      'DELETES_QUIETLY',
      'isKnown',
      "ofExtension('d.refclassid', 'd.refobjid')",
      "ofExtension(\"'pg_type'::regclass\", 't.oid')",
    ],
    reason: 'Conditions of ours, with a quoted name.',
  },
  {
    file: 'src/adoption/read-cron-side.ts',
    inserted: ['DELETES_QUIETLY', 'ownCopyRows(settings)'],
    reason: 'Conditions of ours, with literals of the settings, which are quoted.',
  },
  {
    file: 'src/adoption/read-tables.ts',
    inserted: ['READS_QUIETLY'],
    reason: 'A condition of ours, without any name.',
  },
  {
    file: 'src/adoption/remove-cron-side.ts',
    inserted: ['table'],
    reason: 'Schema and table have been through escapeIdentifier.',
  },
  {
    file: 'src/adoption/set-functions-aside.ts',
    inserted: ['kind', 'signature'],
    reason: 'One of three constants and a regprocedure, which quotes itself.',
  },
  {
    file: 'src/adoption/take-caches.ts',
    inserted: ['bits === undefined', 'from', "roles.join(', ')", 'table'],
    reason: 'Quoted names of tables and roles, and true or false.',
  },
  {
    file: 'src/adoption/take-config.ts',
    inserted: ['columns', 'from', 'table'],
    reason: 'Quoted names of tables; the columns are some of a list of constants.',
  },
  {
    file: 'src/adoption/take-over.ts',
    inserted: ['datatype', 'from'],
    reason: 'A quoted name of a table, and one of two constants.',
  },
  {
    file: 'src/operations/adopt-foreign.ts',
    inserted: ['name', 'pid'],
    reason: 'name is clientName, which quotes; pid is a number, in a line to paste.',
  },
];
