import { type Attack, byFunction, bySuperuser, harmless, inRole, refused } from './attack.js';

const transaction: readonly Attack[] = [
  ...['COMMIT', 'ROLLBACK', 'BEGIN', 'SAVEPOINT a', 'ROLLBACK TO a', "PREPARE TRANSACTION 'a'"].map(
    (statement) =>
      refused(
        `${statement} by a function`,
        byFunction(statement),
        '0A000: EXECUTE of transaction commands is not implemented',
      ),
  ),
  refused(
    'COMMIT by a procedure that a function calls',
    byFunction('CALL attack.commit()'),
    '2D000: invalid transaction termination',
  ),
  refused(
    'ROLLBACK by a procedure that a function calls',
    byFunction('CALL attack.roll_back()'),
    '2D000: invalid transaction termination',
  ),
  refused(
    'COMMIT in a DO in a function',
    byFunction('DO $$ BEGIN COMMIT; END $$'),
    '2D000: invalid transaction termination',
  ),
  refused(
    'a write in a DO in a function',
    byFunction('DO $$ BEGIN DELETE FROM attack.witness; END $$'),
    '25006: cannot execute DELETE in a read-only transaction',
  ),
  refused(
    'taking off read-only by SET',
    byFunction('SET transaction_read_only = off'),
    '25001: cannot set transaction read-write mode inside a read-only transaction',
  ),
  refused(
    'taking off read-only by set_config',
    "SELECT 1 FROM set_config('transaction_read_only', 'off', false)",
    '25001: cannot set transaction read-write mode inside a read-only transaction',
  ),
  refused(
    'taking off read-only by SET TRANSACTION as a superuser',
    bySuperuser('SET TRANSACTION READ WRITE'),
    '25001: cannot set transaction read-write mode inside a read-only transaction',
  ),
  refused(
    'another isolation level',
    byFunction('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE'),
    /25001: SET TRANSACTION ISOLATION LEVEL must (be called before any query|not be called in a subtransaction)$/,
  ),
  refused(
    'exporting the snapshot',
    'SELECT length(pg_export_snapshot())',
    '25001: cannot export a snapshot from a subtransaction',
  ),
  harmless('taking a transaction id', 'SELECT (txid_current() > 0)::integer'),
];

function notWithin(parameter: string): string {
  return `42501: cannot set parameter "${parameter}" within security-definer function`;
}

const role: readonly Attack[] = [
  inRole(
    notWithin('role'),
    harmless(
      'SET ROLE to a role it is a member of',
      "SELECT attack.run('SET ROLE ' || attack.owner())",
    ),
  ),
  inRole(
    notWithin('role'),
    harmless(
      'role by set_config, for the session',
      "SELECT 1 FROM set_config('role', attack.owner(), false)",
    ),
  ),
  inRole(
    notWithin('role'),
    harmless(
      'role by set_config, for the transaction',
      "SELECT 1 FROM set_config('role', attack.owner(), true)",
    ),
  ),
  inRole(
    notWithin('role'),
    refused(
      'SET ROLE to a superuser',
      byFunction('SET ROLE postgres'),
      '42501: permission denied to set role "postgres"',
    ),
  ),
  refused(
    'SET ROLE in a function that a superuser owns',
    bySuperuser('SET ROLE postgres'),
    '42501: cannot set parameter "role" within security-definer function',
  ),
  inRole(
    notWithin('session_authorization'),
    refused(
      'SET SESSION AUTHORIZATION',
      byFunction('SET SESSION AUTHORIZATION postgres'),
      /42501: permission denied to set session authorization/,
    ),
  ),
  inRole(
    notWithin('session_authorization'),
    harmless('RESET SESSION AUTHORIZATION', byFunction('SET SESSION AUTHORIZATION DEFAULT')),
  ),
];

const settings: readonly Attack[] = [
  ...(
    [
      ['search_path', 'nowhere'],
      ['statement_timeout', '1'],
      ['lock_timeout', '1'],
      ['idle_in_transaction_session_timeout', '1'],
      ['client_min_messages', 'error'],
      ['default_transaction_read_only', 'on'],
      ['default_transaction_isolation', 'serializable'],
      ['synchronous_commit', 'off'],
      ['standard_conforming_strings', 'off'],
      ['DateStyle', 'German'],
      ['TimeZone', 'Asia/Tokyo'],
      ['work_mem', '64kB'],
      ['enable_seqscan', 'off'],
      ['application_name', 'attacker'],
      ['attack.mark', 'left'],
    ] as const
  ).flatMap(([name, value]) => [
    harmless(
      `set_config of ${name} for the session`,
      `SELECT 1 FROM set_config('${name}', '${value}', false)`,
    ),
    harmless(
      `set_config of ${name} for the transaction`,
      `SELECT 1 FROM set_config('${name}', '${value}', true)`,
    ),
  ]),
  harmless('SET by a function', byFunction("SET TimeZone = 'Asia/Tokyo'")),
  harmless('SET LOCAL by a function', byFunction("SET LOCAL TimeZone = 'Asia/Tokyo'")),
  harmless('RESET ALL by a function', byFunction('RESET ALL')),
  refused(
    'set_config of session_replication_role',
    "SELECT 1 FROM set_config('session_replication_role', 'replica', false)",
    '42501: permission denied to set parameter "session_replication_role"',
  ),
  harmless(
    'session_replication_role by a superuser’s function',
    bySuperuser('SET session_replication_role = replica'),
  ),
  refused(
    'UPDATE of pg_settings',
    byFunction("UPDATE pg_settings SET setting = '64' WHERE name = 'work_mem'"),
    '25006: cannot execute SELECT in a read-only transaction',
  ),
  refused(
    'LOAD by a function',
    byFunction("LOAD 'dblink'"),
    '42501: access to library "dblink" is not allowed',
  ),
  refused(
    'reloading the configuration',
    'SELECT pg_reload_conf()::integer',
    '42501: permission denied for function pg_reload_conf',
  ),
  refused(
    'COPY to a program by a function',
    byFunction("COPY attack.witness TO PROGRAM 'cat'"),
    /42501: (must be superuser or have privileges of the pg_execute_server_program role to COPY to or from an external program|permission denied to COPY to or from an external program)$/,
  ),
  refused(
    'COPY to a file by a function',
    byFunction("COPY attack.witness TO '/tmp/attack'"),
    /42501: (must be superuser or have privileges of the pg_write_server_files role to COPY to a file|permission denied to COPY to a file)$/,
  ),
  refused(
    'COPY to the client by a function',
    byFunction('COPY attack.witness TO STDOUT'),
    '0A000: cannot COPY to/from client in PL/pgSQL',
  ),
];

const leftBehind: readonly Attack[] = [
  harmless('LISTEN by a function', byFunction('LISTEN attack')),
  harmless('UNLISTEN by a function', byFunction('UNLISTEN *')),
  harmless('NOTIFY by a function', byFunction("NOTIFY attack, 'loot'")),
  harmless('pg_notify', "SELECT 1 FROM pg_notify('attack', 'loot')"),
  harmless('a cursor that a function leaves open', 'SELECT attack.leave_cursor_open()'),
  harmless(
    'a cursor WITH HOLD by a function',
    byFunction('DECLARE held CURSOR WITH HOLD FOR SELECT 1'),
  ),
  harmless('CLOSE ALL by a function', byFunction('CLOSE ALL')),
  refused(
    'closing the processor’s cursors',
    'SELECT attack.close_all_cursors()',
    /24000: cannot drop (pinned|active) portal/,
  ),
  harmless('PREPARE by a function', byFunction('PREPARE left_behind AS SELECT 1')),
  harmless(
    'PREPARE by a function, with the next fragment’s text',
    byFunction('PREPARE zipcode AS SELECT zipcode FROM pois'),
  ),
  harmless('DEALLOCATE ALL by a function', byFunction('DEALLOCATE ALL')),
  refused(
    'DISCARD ALL by a function',
    byFunction('DISCARD ALL'),
    /25001: DISCARD ALL cannot (be executed from a function|(be run|run) inside a (subtransaction|transaction block))$/,
  ),
  harmless('DISCARD PLANS by a function', byFunction('DISCARD PLANS')),
  harmless('DISCARD TEMP by a function', byFunction('DISCARD TEMP')),
  harmless(
    'LOCK TABLE by a function',
    byFunction('LOCK TABLE attack.witness IN ACCESS EXCLUSIVE MODE'),
  ),
  refused(
    'a replication slot',
    "SELECT 1 FROM pg_create_physical_replication_slot('attack')",
    /42501: (must be superuser or replication role to use replication slots|permission denied to use replication slots)$/,
  ),
];

const ownLocks =
  "FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND pid = pg_backend_pid()";
const slots = 'FROM generate_series(0, 30) AS slot';

/** Locks of the session outlast a rollback: nothing releases them automatically. */
export const advisoryLocks: readonly Attack[] = [
  harmless('an advisory lock', 'SELECT 1 FROM pg_advisory_lock(4711)'),
  harmless(
    'an advisory lock, taken thrice',
    'SELECT (pg_advisory_lock(4711) IS NULL)::integer FROM generate_series(1, 3)',
    [0],
  ),
  harmless(
    'a shared advisory lock of two numbers',
    'SELECT 1 FROM pg_advisory_lock_shared(4711, 2)',
  ),
  harmless('an advisory lock of the transaction', 'SELECT 1 FROM pg_advisory_xact_lock(4711)'),
  harmless(
    'an advisory lock by a function, when it is planned',
    'SELECT attack.lock_when_planned()',
  ),
  harmless(
    'an advisory lock before an error that is caught',
    "SELECT attack.run_and_hush('SELECT 1 / 0 FROM pg_advisory_lock(4711)')",
    [2],
  ),
  refused(
    'an advisory lock before an error',
    'SELECT 1 / 0 FROM pg_advisory_lock(4711)',
    '22012: division by zero',
  ),
  harmless('pg_advisory_unlock_all', 'SELECT 1 FROM pg_advisory_unlock_all()'),
  refused(
    'pg_advisory_unlock_all before an error',
    'SELECT 1 / 0 FROM pg_advisory_unlock_all()',
    '22012: division by zero',
  ),
  harmless(
    'unlocking its own slot',
    `SELECT least(0, count(pg_advisory_unlock(classid::integer, objid::integer)))::integer ${ownLocks}`,
    [0],
  ),
  harmless(
    'locking its own slot once more',
    `SELECT least(0, count(pg_try_advisory_lock(classid::integer, objid::integer)))::integer ${ownLocks}`,
    [0],
  ),
  harmless(
    'locking its own slot as shared, too',
    `SELECT least(0, count(pg_try_advisory_lock_shared(classid::integer, objid::integer)))::integer ${ownLocks}`,
    [0],
  ),
  harmless(
    'locking beside everything that the processor locks',
    `SELECT least(0, count(pg_try_advisory_lock(classid::integer, 0)))::integer ${ownLocks}`,
    [0],
  ),
  harmless(
    'locking all other slots',
    `SELECT least(0, count(pg_try_advisory_lock('partitioncache'::regnamespace::oid::integer, slot)))::integer ${slots}`,
    [0],
  ),
  harmless(
    'unlocking all slots and locking them as shared',
    `SELECT least(0, count(pg_try_advisory_lock_shared('partitioncache'::regnamespace::oid::integer, slot)))::integer
       FROM pg_advisory_unlock_all(), generate_series(0, 30) AS slot`,
    [0],
  ),
];

export const session: readonly Attack[] = [...transaction, ...role, ...settings, ...leftBehind];
