import { type Attack, byFunction, bySuperuser, harmless, inRole, refused } from './attack.js';

// An attack that fails for lack of a privilege shows nothing, so most of these run as a superuser.
const readOnly = (command: string) => `25006: cannot execute ${command} in a read-only transaction`;

const outsideTransaction = (command: string) =>
  new RegExp(
    `25001: ${command} cannot (be executed from a function|(be run|run) inside a (subtransaction|transaction block))$`,
  );

// Whatever comes first: a write, a COMMIT, a lock that is taken, or a privilege that the role does not have.
const fromWithin =
  /25006: cannot execute [A-Z ]+ in a read-only transaction|2D000: invalid transaction termination|55P03: another run by hand of .* is under way|42501: permission denied for procedure (run_maintenance|run_processor|process_now)/;

export const writes: readonly Attack[] = [
  refused(
    'INSERT by a function',
    byFunction("INSERT INTO attack.witness VALUES ('written')"),
    readOnly('INSERT'),
  ),
  refused(
    'UPDATE by a function',
    byFunction("UPDATE attack.witness SET note = 'changed'"),
    readOnly('UPDATE'),
  ),
  refused('DELETE by a function', byFunction('DELETE FROM attack.witness'), readOnly('DELETE')),
  refused(
    'TRUNCATE by a function',
    bySuperuser('TRUNCATE attack.witness'),
    readOnly('TRUNCATE TABLE'),
  ),
  refused(
    'INSERT by a function that a superuser owns',
    bySuperuser("INSERT INTO attack.witness VALUES ('written')"),
    readOnly('INSERT'),
  ),
  refused(
    'INSERT by a function that claims to be immutable, when it is planned',
    'SELECT attack.write_when_planned()',
    readOnly('INSERT'),
  ),
  refused(
    'a data-modifying CTE in a function',
    byFunction('WITH gone AS (DELETE FROM attack.witness RETURNING 1) SELECT 1 FROM gone'),
    readOnly('SELECT'),
  ),
  refused(
    'COPY into a table from a program',
    bySuperuser("COPY attack.witness FROM PROGRAM 'echo written'"),
    readOnly('COPY FROM'),
  ),
  refused(
    'INSERT ON CONFLICT by a function',
    byFunction("INSERT INTO attack.witness VALUES ('written') ON CONFLICT DO NOTHING"),
    readOnly('INSERT'),
  ),
  refused('FOR UPDATE', 'SELECT 1 FROM attack.witness FOR UPDATE', readOnly('SELECT FOR UPDATE')),
  refused('FOR SHARE', 'SELECT 1 FROM attack.witness FOR SHARE', readOnly('SELECT FOR SHARE')),
  harmless(
    'INSERT by a function that hushes the error up',
    "SELECT attack.run_and_hush('INSERT INTO attack.witness VALUES (1)')",
    [2],
  ),

  refused(
    'CREATE TABLE by a function',
    bySuperuser('CREATE TABLE attack.loot (id integer)'),
    readOnly('CREATE TABLE'),
  ),
  refused(
    'CREATE TABLE AS by a function',
    bySuperuser('CREATE TABLE attack.loot AS SELECT 1'),
    readOnly('CREATE TABLE AS'),
  ),
  refused(
    'a temporary table by a function',
    byFunction('CREATE TEMPORARY TABLE pois (id integer)'),
    readOnly('CREATE TABLE'),
  ),
  refused(
    'CREATE FUNCTION by a function',
    bySuperuser("CREATE FUNCTION attack.loot() RETURNS integer LANGUAGE sql AS 'SELECT 1'"),
    readOnly('CREATE FUNCTION'),
  ),
  refused(
    'DROP TABLE by a function',
    bySuperuser('DROP TABLE attack.witness'),
    readOnly('DROP TABLE'),
  ),
  refused(
    'ALTER TABLE by a function',
    bySuperuser('ALTER TABLE attack.witness ADD COLUMN loot integer'),
    readOnly('ALTER TABLE'),
  ),
  refused('GRANT by a function', bySuperuser('GRANT ALL ON pois TO PUBLIC'), readOnly('GRANT')),
  refused(
    'CREATE ROLE by a function',
    bySuperuser('CREATE ROLE attack_role SUPERUSER'),
    readOnly('CREATE ROLE'),
  ),
  refused(
    'ALTER ROLE SET by a function',
    bySuperuser("ALTER ROLE CURRENT_USER SET work_mem = '64kB'"),
    readOnly('ALTER ROLE'),
  ),
  refused(
    'ALTER SYSTEM by a function',
    bySuperuser("ALTER SYSTEM SET work_mem = '64kB'"),
    outsideTransaction('ALTER SYSTEM'),
  ),
  harmless('REINDEX by a function', bySuperuser('REINDEX TABLE pois')),
  harmless('CLUSTER by a function', bySuperuser('CLUSTER pois USING pois_pkey')),
  harmless('ANALYZE by a function', bySuperuser('ANALYZE pois')),
  refused(
    'VACUUM by a function',
    bySuperuser('VACUUM attack.witness'),
    outsideTransaction('VACUUM'),
  ),

  refused('nextval', "SELECT nextval('attack.counter')::integer", readOnly('nextval()')),
  refused('setval', "SELECT setval('attack.counter', 99)::integer", readOnly('setval()')),

  ...largeObjects([
    ['lo_create', 'SELECT lo_create(4711)::integer', [4711]],
    ['lo_from_bytea', "SELECT lo_from_bytea(4712, '\\xff')::integer", [4712]],
    ['lo_unlink', bySuperuser('SELECT lo_unlink(1)'), [1]],
    ['lo_put', "SELECT 1 FROM lo_put(1, 0, '\\xff')", [1]],
  ]),

  refused(
    'a write into the result of the next fragment',
    byFunction("INSERT INTO my_cache_cache_zipcode VALUES ('then', '{666}')"),
    readOnly('INSERT'),
  ),
  refused(
    'a status for the next fragment, so that it is taken for failed',
    byFunction(
      "INSERT INTO my_cache_queries (query_hash, partition_key, query, status) VALUES ('then', 'zipcode', '', 'failed')",
    ),
    readOnly('INSERT'),
  ),
  refused(
    'deleting the queue',
    byFunction('DELETE FROM partitioncache_queue_query_fragment_queue'),
    readOnly('DELETE'),
  ),
  refused(
    'disabling the processor',
    byFunction('UPDATE partitioncache_queue_processor_config SET enabled = false'),
    readOnly('UPDATE'),
  ),
  refused(
    'queueing another fragment through the clients’ function',
    "SELECT length(non_blocking_fragment_queue_upsert('more', 'zipcode', 'integer', 'SELECT 1', 9, 'partitioncache_queue_query_fragment_queue'))",
    readOnly('SELECT FOR UPDATE'),
  ),
  inRole(
    /42704: no deployment of pcache-migrate/,
    refused(
      'a partition through the clients’ function',
      "SELECT partitioncache_bootstrap_partition('my_cache', 'loot', 'integer', 'array')::integer",
      readOnly('INSERT'),
    ),
  ),
  inRole(
    /42501: permission denied for (table|schema)|P0002: there is no processor/,
    refused(
      'the clients’ own processing, from within',
      'SELECT processed_count FROM partitioncache_manual_process_queue(10)',
      fromWithin,
    ),
  ),
  inRole(
    /42501: permission denied for (table|schema)|P0002: there is no processor/,
    refused(
      'a run, from within',
      "SELECT attack.run(format('CALL partitioncache.run_processor(%L, 2)', job_name)) FROM partitioncache_queue_processor_config",
      fromWithin,
    ),
  ),
  inRole(
    /42501: permission denied for (table|schema)|P0002: there is no processor/,
    refused(
      'a fragment by hand, from within',
      "SELECT attack.run(format('CALL partitioncache.process_now(%L, NULL)', job_name)) FROM partitioncache_queue_processor_config",
      fromWithin,
    ),
  ),
  inRole(
    /42501: permission denied for (table|schema)|P0002: there is no processor/,
    refused(
      'the maintenance, from within',
      byFunction('CALL partitioncache.run_maintenance()'),
      fromWithin,
    ),
  ),
];

// Undone like everything else; PostgreSQL counts them as writes from 16 on.
function largeObjects(attempts: readonly (readonly [string, string, readonly number[]])[]) {
  return attempts.map(([name, query, keys]) => ({
    ...harmless(name, query, keys),
    refusedFrom: { version: 160_000, error: readOnly(`${name}()`) },
  }));
}
