import type pg from 'pg';
import type { Settings } from '../../src/settings/settings.js';
import { connectAs, createSite, setUpWithoutJobs, type TestSite } from '../harness/deployment.js';

export interface ContractFunction {
  name: string;
  parameters: string;
  returns: string;
}

/** The functions a client calls, as PostgreSQL prints them (pg_get_function_arguments, pg_get_function_result). */
export const contractFunctions: readonly ContractFunction[] = [
  {
    name: 'non_blocking_fragment_queue_batch_upsert',
    parameters:
      'p_hashes text[], p_partition_keys text[], p_partition_datatypes text[], p_queries text[]',
    returns: 'TABLE(idx integer, hash text, partition_key text, status text)',
  },
  {
    name: 'non_blocking_fragment_queue_batch_upsert',
    parameters:
      "p_hashes text[], p_partition_keys text[], p_partition_datatypes text[], p_queries text[], p_priorities integer[] DEFAULT NULL::integer[], p_queue_table text DEFAULT 'partitioncache_fragmentqueue'::text",
    returns: 'TABLE(idx integer, hash text, partition_key text, status text)',
  },
  {
    name: 'non_blocking_fragment_queue_upsert',
    parameters:
      "p_hash text, p_partition_key text, p_partition_datatype text, p_query text, p_priority integer DEFAULT 1, p_queue_table text DEFAULT 'partitioncache_fragmentqueue'::text",
    returns: 'text',
  },
  {
    name: 'non_blocking_original_queue_upsert',
    parameters:
      "p_query text, p_partition_key text, p_partition_datatype text, p_priority integer DEFAULT 1, p_queue_table text DEFAULT 'partitioncache_originalqueue'::text",
    returns: 'text',
  },
  {
    name: 'partitioncache_bootstrap_partition',
    parameters:
      'p_table_prefix text, p_partition_key text, p_datatype text, p_cache_backend text, p_bitsize integer DEFAULT NULL::integer',
    returns: 'boolean',
  },
  {
    name: 'partitioncache_cleanup_cached_queue_items',
    parameters: 'p_queue_prefix text, p_table_prefix text, p_limit integer DEFAULT 50',
    returns: 'integer',
  },
  {
    name: 'partitioncache_create_bitsize_trigger',
    parameters: 'p_table_prefix text',
    returns: 'void',
  },
  {
    name: 'partitioncache_ensure_metadata_tables',
    parameters: 'p_table_prefix text',
    returns: 'void',
  },
  {
    name: 'partitioncache_get_cache_table_name',
    parameters: 'p_table_prefix text, p_partition_key text',
    returns: 'text',
  },
  {
    name: 'partitioncache_get_metadata_table_name',
    parameters: 'p_table_prefix text',
    returns: 'text',
  },
  {
    name: 'partitioncache_get_queries_table_name',
    parameters: 'p_table_prefix text',
    returns: 'text',
  },
  {
    name: 'partitioncache_get_queue_and_cache_info',
    parameters: 'p_table_prefix text, p_queue_prefix text',
    returns:
      'TABLE(partition_key text, cache_table_name text, cache_architecture text, cache_column_type text, bitsize integer, partition_datatype text, queue_items integer, last_cache_update timestamp without time zone, cache_exists boolean)',
  },
  {
    name: 'partitioncache_manual_process_queue',
    parameters: 'p_count integer DEFAULT 100, p_job_name text DEFAULT NULL::text',
    returns: 'TABLE(processed_count integer, message text)',
  },
  { name: 'partitioncache_setup_array_extensions', parameters: '', returns: 'boolean' },
];

/** What a client runs when it connects: its own version of one of these functions. It does nothing but fail. */
export function clientsOwnVersion({ name, parameters, returns }: ContractFunction): string {
  return `CREATE OR REPLACE FUNCTION ${name}(${parameters}) RETURNS ${returns} LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the client''s own ${name} was called'; END $$`;
}

/** What a client runs when it connects: the tables of its contract, by name. */
export function clientsOwnTables(settings: Settings): Record<string, string> {
  const { queuePrefix: queue, tablePrefix: cache, cacheBackend } = settings;
  const timestamps = 'created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now()';
  const datatypes =
    cacheBackend === 'array'
      ? "datatype IN ('integer', 'float', 'text', 'timestamp')"
      : "datatype = 'integer'";
  return {
    [`${queue}_original_query_queue`]: `id serial PRIMARY KEY, query text NOT NULL, partition_key text NOT NULL, partition_datatype text,
      priority integer NOT NULL DEFAULT 1, ${timestamps}, UNIQUE (query, partition_key)`,
    [`${queue}_query_fragment_queue`]: `id serial PRIMARY KEY, query text NOT NULL, hash text NOT NULL, partition_key text NOT NULL,
      partition_datatype text, priority integer NOT NULL DEFAULT 1, ${timestamps}, UNIQUE (hash, partition_key)`,
    [`${queue}_processor_config`]: `job_name text PRIMARY KEY, enabled boolean NOT NULL DEFAULT false,
      max_parallel_jobs integer NOT NULL DEFAULT 5 CHECK (max_parallel_jobs BETWEEN 1 AND 20),
      frequency_seconds integer NOT NULL DEFAULT 1 CHECK (frequency_seconds > 0),
      timeout_seconds integer NOT NULL DEFAULT 1800 CHECK (timeout_seconds > 0),
      stale_after_seconds integer NOT NULL DEFAULT 3600, table_prefix text NOT NULL, queue_prefix text NOT NULL,
      cache_backend text NOT NULL, target_database text NOT NULL, result_limit integer CHECK (result_limit > 0),
      default_bitsize integer CHECK (default_bitsize > 0), job_ids bigint[] DEFAULT '{}', updated_at timestamp`,
    [`${queue}_processor_log`]: `id serial PRIMARY KEY, job_id text NOT NULL, query_hash text NOT NULL, partition_key text NOT NULL,
      status text NOT NULL CHECK (status IN ('started', 'success', 'failed', 'timeout', 'skipped')), error_message text,
      rows_affected integer, execution_time_ms numeric(10, 3),
      execution_source text CHECK (execution_source IN ('cron', 'manual', 'unknown')), created_at timestamp`,
    [`${queue}_active_jobs`]: `query_hash text, partition_key text, job_id text NOT NULL, pid integer, started_at timestamp,
      query text NOT NULL, partition_datatype text, PRIMARY KEY (query_hash, partition_key)`,
    [`${cache}_partition_metadata`]: `partition_key text PRIMARY KEY, datatype text NOT NULL CHECK (${datatypes}),
      ${cacheBackend === 'bit' ? 'bitsize integer NOT NULL,' : ''} created_at timestamp DEFAULT now()`,
    [`${cache}_queries`]: `query_hash text NOT NULL, partition_key text NOT NULL, query text NOT NULL,
      status text NOT NULL DEFAULT 'ok' CHECK (status IN ('ok', 'timeout', 'failed', 'limit')),
      last_seen timestamp NOT NULL DEFAULT now(), PRIMARY KEY (query_hash, partition_key)`,
    [`${cache}_cache_zipcode`]:
      cacheBackend === 'bit'
        ? `query_hash text PRIMARY KEY, partition_keys bit(1000),
           partition_keys_count integer GENERATED ALWAYS AS (length(replace(partition_keys::text, '0', ''))) STORED`
        : `query_hash text PRIMARY KEY, partition_keys integer[],
           partition_keys_count integer GENERATED ALWAYS AS (cardinality(partition_keys)) STORED`,
  };
}

export interface Scenario {
  site: TestSite;
  settings: Settings;
  /** The client. */
  app: pg.Client;
  /** The migrator, which owns what is deployed. */
  work: pg.Client;
  /** The role that pg_cron's jobs run as, in the work database. */
  cronRole: pg.Client;
}

/** One deployment with a processor that is disabled, and its three roles. */
export async function startScenario(environment: NodeJS.ProcessEnv = {}): Promise<Scenario> {
  const site = await createSite();
  const settings = site.settings(environment);
  await setUpWithoutJobs(settings);
  return {
    site,
    settings,
    app: await connectAs(settings.client),
    work: await connectAs(settings.work),
    cronRole: await connectAs({ ...settings.cron, database: site.database }),
  };
}

export const bitBackend = {
  CACHE_BACKEND: 'postgresql_bit',
  PG_BIT_CACHE_TABLE_PREFIX: 'my_bits',
};
