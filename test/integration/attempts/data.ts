import type { Attempt, Scene, Theme } from './attempt.js';
import { exists, inWork } from './sql.js';

/** What the clients' contract lets a client do; the cron role does it for the processor. */
const byContract: Attempt['leave'] = {
  migrator: 'its task',
  cron: 'its task',
  client: 'its task',
};

function insert(
  what: string,
  table: (scene: Scene) => string,
  columns: string,
  values: string,
  canary: string,
): Attempt {
  return {
    what,
    statements: (scene) => [`INSERT INTO ${table(scene)} (${columns}) VALUES (${values})`],
    look: (scene) => exists(`${table(scene)} WHERE ${canary}`),
    restore: inWork((scene) => `DELETE FROM ${table(scene)} WHERE ${canary}`),
    leave: byContract,
  };
}

function read(what: string, table: (scene: Scene) => string, leave = byContract): Attempt {
  return {
    what,
    statements: () => [],
    // Read without a row, it would say nothing.
    loot: (scene) => `SELECT count(*) >= 0 FROM ${table(scene)}`,
    leave,
  };
}

const cache = () => 'public.my_cache_cache_attempt';

/** Tables of the clients' contract, and of others. */
export const data: Theme = {
  name: 'Read or write data',
  attempts: [
    read('read the queue', ({ place }) => place.tables.fragmentQueue),
    read('read the cache', cache),
    read('read the log', ({ place }) => place.tables.processorLog),
    read('read the processors’ configuration', ({ place }) => place.tables.processorConfig),
    read('read the claims', ({ place }) => `${place.settings.schema}.batch`, {
      migrator: 'its task',
      cron: 'its task',
    }),
    read('read the deployment record', ({ place }) => `${place.settings.schema}.deployment`, {
      cron: 'its task',
      migrator: 'its task',
    }),
    {
      ...read(
        'read the queue of the tenant',
        ({ place }) =>
          `${place.tenant.clientSchema}.${place.tenant.queuePrefix}_query_fragment_queue`,
      ),
      leave: { tenantMigrator: 'its task', tenantCron: 'its task' },
    },
    insert(
      'enqueue a fragment',
      ({ place }) => place.tables.fragmentQueue,
      'query, hash, partition_key',
      "'SELECT 1', 'intruder', 'zipcode'",
      "hash = 'intruder'",
    ),
    insert(
      'enqueue a whole query',
      ({ place }) => place.tables.originalQueue,
      'query, partition_key',
      "'SELECT intruder', 'zipcode'",
      "query = 'SELECT intruder'",
    ),
    {
      what: 'enqueue a fragment through the clients’ function',
      statements: ({ place }) => [
        `SELECT public.non_blocking_fragment_queue_upsert('intruder', 'zipcode', 'integer', 'SELECT 1', 1,
                  '${place.settings.queuePrefix}_query_fragment_queue')`,
      ],
      look: ({ place }) => exists(`${place.tables.fragmentQueue} WHERE hash = 'intruder'`),
      restore: inWork(
        ({ place }) => `DELETE FROM ${place.tables.fragmentQueue} WHERE hash = 'intruder'`,
      ),
      leave: byContract,
    },
    {
      what: 'delete what others have queued',
      prepare: inWork(
        ({ place }) =>
          `INSERT INTO ${place.tables.fragmentQueue} (query, hash, partition_key) VALUES ('SELECT 1', 'victim', 'zipcode')`,
      ),
      statements: ({ place }) => [
        `DELETE FROM ${place.tables.fragmentQueue} WHERE hash = 'victim'`,
      ],
      look: ({ place }) =>
        `SELECT NOT EXISTS (SELECT FROM ${place.tables.fragmentQueue} WHERE hash = 'victim')`,
      // The fragment itself is queued then, and the victim with it.
      restore: inWork(
        ({ place }) => `DELETE FROM ${place.tables.fragmentQueue} WHERE hash = 'victim'`,
      ),
      only: [
        'migrator',
        'cron',
        'client',
        'outsider',
        'neighbourMigrator',
        'neighbourCron',
        'tenantMigrator',
        'tenantCron',
        'anybody',
      ],
      leave: byContract,
    },
    insert(
      'store a wrong set of keys in a partition',
      cache,
      'query_hash, partition_keys',
      "'intruder', '{666}'",
      "query_hash = 'intruder'",
    ),
    insert(
      'say that a fragment is known which is not',
      ({ place }) => place.tables.queries,
      'query_hash, partition_key, query',
      "'intruder', 'zipcode', ''",
      "query_hash = 'intruder'",
    ),
    insert(
      'forge a row of the log',
      ({ place }) => place.tables.processorLog,
      'job_id, query_hash, partition_key, status',
      "'intruder', '', '', 'success'",
      "job_id = 'intruder'",
    ),
    {
      what: 'disable a processor',
      statements: ({ place }) => [`UPDATE ${place.tables.processorConfig} SET enabled = false`],
      look: ({ place }) => exists(`${place.tables.processorConfig} WHERE NOT enabled`),
      restore: inWork(({ place }) => `UPDATE ${place.tables.processorConfig} SET enabled = true`),
      leave: byContract,
    },
    {
      what: 'give the processors more slots together than the limit',
      statements: ({ place }) => [
        `INSERT INTO ${place.tables.processorConfig}
           (job_name, enabled, max_parallel_jobs, table_prefix, queue_prefix, cache_backend, target_database)
         SELECT 'intruder ' || i, true, 20, table_prefix, queue_prefix, cache_backend, target_database
           FROM generate_series(1, 10) AS i, ${place.tables.processorConfig} WHERE job_name = '${place.job}'`,
      ],
      look: ({ place }) =>
        exists(
          `(SELECT FROM ${place.tables.processorConfig} WHERE enabled HAVING sum(max_parallel_jobs) > 20) AS too_many`,
        ),
      control: ({ place }) => [
        'SET session_replication_role = replica',
        `UPDATE ${place.tables.processorConfig} SET max_parallel_jobs = 20`,
        `INSERT INTO ${place.tables.processorConfig}
           (job_name, enabled, max_parallel_jobs, table_prefix, queue_prefix, cache_backend, target_database)
         SELECT 'intruder', true, 20, '', '', '', ''`,
      ],
      restore: inWork(
        ({ place }) =>
          `DELETE FROM ${place.tables.processorConfig} WHERE job_name LIKE 'intruder%'`,
        ({ place }) => `UPDATE ${place.tables.processorConfig} SET max_parallel_jobs = 2`,
      ),
    },
    {
      what: 'advance the numbers of the queue',
      prepare: inWork(
        ({ place }) =>
          `SELECT setval(pg_get_serial_sequence('${place.tables.originalQueue}', 'id'), 1000)`,
      ),
      statements: ({ place }) => [
        `SELECT nextval('${place.tables.originalQueue.replace(/"$/, '_id_seq"')}')`,
      ],
      look: ({ place }) =>
        exists(`${place.tables.originalQueue.replace(/"$/, '_id_seq"')} WHERE last_value > 1000`),
      leave: byContract,
    },
    {
      what: 'write to the data that fragments read',
      statements: () => ['UPDATE public.pois SET zipcode = 666 WHERE id = 1'],
      look: () => exists('public.pois WHERE id = 1 AND zipcode = 666'),
      restore: inWork(() => 'UPDATE public.pois SET zipcode = 1 WHERE id = 1'),
    },
    {
      what: 'fill a large object as somebody else',
      statements: () => ["SELECT lo_from_bytea(4711, 'loot')"],
      look: ({ place, attacker, me }) =>
        exists(
          `pg_largeobject_metadata WHERE oid = 4711 AND lomowner ${
            // A fragment's is nobody's but the processor's.
            attacker === 'fragment' ? 'IS NOT NULL' : `<> '${me}'::regrole`
          }`,
        ) + (attacker === 'control' ? ` OR current_user <> '${place.roles.control.name}'` : ''),
      differs: true,
      restore: inWork(() => 'SELECT lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid = 4711'),
    },
  ],
};
