import pg from 'pg';
import { clientName } from '../../src/deployment/own-names.js';
import { deploymentTables } from '../../src/deployment/placeholder-values.js';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import type { Settings } from '../../src/settings/settings.js';
import type { ClusterAddress } from '../../tools/throwaway/cluster.js';
import { adminClient } from './databases.js';

// What PartitionCache's own tool leaves in the databases, from the facts of the clients' contract. The functions are
// stand-ins of the same signatures: one really evaluates a fragment, the others only have to be in the way.

export interface ForeignSetupOptions {
  /** Who owns tables and functions. */
  readonly owner: string;
  /** Whose jobs pg_cron has; undefined: none. */
  readonly jobsOf?: string | undefined;
  /** Who owns the copy of the configuration in the pg_cron database. */
  readonly copyOwner?: string | undefined;
  readonly schedule?: string;
  readonly parallel?: number;
  /** Of the processor, in the pg_cron database and, unless they differ there, in the work database. */
  readonly config?: Readonly<Record<string, number | boolean | null>>;
  readonly staleConfig?: Readonly<Record<string, number | boolean | null>>;
}

const COLUMNS: Readonly<Record<Settings['cacheBackend'], string>> = {
  array: 'integer[]',
  bit: 'bit(200)',
  roaringbit: 'roaringbitmap',
};

const COUNTS: Readonly<Record<Settings['cacheBackend'], string>> = {
  array: 'cardinality(partition_keys)',
  bit: "length(replace(partition_keys::text, '0', ''))",
  roaringbit: 'rb_cardinality(partition_keys)::integer',
};

const SETS: Readonly<Record<Settings['cacheBackend'], string>> = {
  array: 'ARRAY[i, i + 1]',
  bit: "set_bit(repeat('0', 200)::bit(200), i, 1)",
  roaringbit: 'rb_build(ARRAY[i, i + 1])',
};

export async function makeForeignSetup(
  cluster: ClusterAddress,
  settings: Settings,
  options: ForeignSetupOptions,
): Promise<void> {
  await inDatabase(cluster, settings.work.database, async (admin) => {
    await admin.query(`SET ROLE ${pg.escapeIdentifier(options.owner)}`);
    await admin.query(workSql(settings, options));
  });
  await inDatabase(cluster, settings.cron.database, async (admin) => {
    if (settings.mode === 'cross') await admin.query(copySql(settings, options));
    if (options.jobsOf !== undefined) {
      await admin.query(`SET ROLE ${pg.escapeIdentifier(options.jobsOf)}`);
      for (let n = 1; n <= (options.parallel ?? 5); n += 1) {
        await admin.query('SELECT cron.schedule_in_database($1, $2, $3, $4)', [
          `${defaultJobName(settings)}_${n}`,
          options.schedule ?? '* * * * *',
          jobCommand(settings),
          settings.work.database,
        ]);
      }
    }
  });
}

export function jobCommand(settings: Settings): string {
  const { tablePrefix, queuePrefix, cacheBackend } = settings;
  const values = [defaultJobName(settings), tablePrefix, queuePrefix, cacheBackend];
  return `SELECT * FROM public.partitioncache_run_single_job_with_params(${values.map((value) => pg.escapeLiteral(value)).join(', ')}, 1800, NULL, NULL)`;
}

async function inDatabase(
  cluster: ClusterAddress,
  database: string,
  use: (admin: pg.Client) => Promise<void>,
) {
  const admin = await adminClient(database, cluster);
  try {
    await use(admin);
  } finally {
    await admin.end();
  }
}

const CONFIG = (table: string) => `
  CREATE TABLE ${table} (
    job_name text PRIMARY KEY, enabled boolean NOT NULL DEFAULT false,
    max_parallel_jobs integer NOT NULL DEFAULT 5 CHECK (max_parallel_jobs BETWEEN 1 AND 20),
    frequency_seconds integer NOT NULL DEFAULT 1 CHECK (frequency_seconds > 0),
    timeout_seconds integer NOT NULL DEFAULT 1800 CHECK (timeout_seconds > 0),
    stale_after_seconds integer NOT NULL DEFAULT 3600,
    table_prefix text NOT NULL, queue_prefix text NOT NULL, cache_backend text NOT NULL,
    target_database text NOT NULL, result_limit integer CHECK (result_limit > 0),
    default_bitsize integer CHECK (default_bitsize > 0), job_ids bigint[] DEFAULT '{}',
    updated_at timestamp DEFAULT now(),
    geometry_column text DEFAULT 'geom', h3_resolution integer DEFAULT 9,
    bbox_cell_size double precision DEFAULT 0.01, bbox_srid integer DEFAULT 4326
  );`;

function configRow(
  settings: Settings,
  table: string,
  config: ForeignSetupOptions['config'],
  parallel = 5,
): string {
  const row = {
    job_name: defaultJobName(settings),
    enabled: true,
    max_parallel_jobs: parallel,
    table_prefix: settings.tablePrefix,
    queue_prefix: settings.queuePrefix,
    cache_backend: settings.cacheBackend,
    target_database: settings.work.database,
    ...config,
  };
  const values = Object.values(row).map((value) =>
    typeof value === 'string' ? pg.escapeLiteral(value) : String(value),
  );
  return `INSERT INTO ${table} (${Object.keys(row).join(', ')}) VALUES (${values.join(', ')});`;
}

function copySql(
  settings: Settings,
  { copyOwner = settings.cron.user, config, parallel }: ForeignSetupOptions,
): string {
  const name = deploymentTables(settings).processorConfig;
  const table = `public.${name}`;
  const owner = pg.escapeIdentifier(copyOwner);
  return `${CONFIG(table)}
    ${configRow(settings, table, config, parallel)}
    CREATE FUNCTION public.partitioncache_sync_${name}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the old trigger has run'; END $$;
    CREATE TRIGGER trg_sync_cron_job_${name} AFTER INSERT OR UPDATE OR DELETE ON ${table}
      FOR EACH ROW EXECUTE FUNCTION public.partitioncache_sync_${name}();
    ALTER TABLE ${table} OWNER TO ${owner};
    ALTER FUNCTION public.partitioncache_sync_${name}() OWNER TO ${owner};`;
}

function workSql(settings: Settings, options: ForeignSetupOptions): string {
  const tables = deploymentTables(settings);
  const name = (table: string) => clientName(settings, table);
  const { cacheBackend: backend, tablePrefix } = settings;
  const cache = (key: string) => name(`${tablePrefix}_cache_${key}`);
  const queued = 'id serial PRIMARY KEY, query text NOT NULL';
  const rest = `partition_key text NOT NULL, partition_datatype text, priority integer NOT NULL DEFAULT 1,
    created_at timestamp DEFAULT now(), updated_at timestamp DEFAULT now()`;
  return `
  CREATE TABLE ${name(tables.originalQueue)} (${queued}, ${rest}, UNIQUE (query, partition_key));
  CREATE TABLE ${name(tables.fragmentQueue)} (${queued}, hash text NOT NULL, ${rest}, UNIQUE (hash, partition_key));
  ${CONFIG(name(tables.processorConfig))}
  CREATE TABLE ${name(tables.processorLog)} (
    id serial PRIMARY KEY, job_id text NOT NULL, query_hash text NOT NULL, partition_key text NOT NULL,
    status text NOT NULL CHECK (status IN ('started', 'success', 'failed', 'timeout', 'skipped')),
    error_message text, rows_affected integer, execution_time_ms numeric(10, 3),
    execution_source text CHECK (execution_source IN ('cron', 'manual', 'unknown')), created_at timestamp DEFAULT now());
  CREATE TABLE ${name(tables.activeJobs)} (
    query_hash text, partition_key text, job_id text NOT NULL, pid integer, started_at timestamp,
    query text NOT NULL, partition_datatype text, PRIMARY KEY (query_hash, partition_key));
  CREATE TABLE ${name(tables.partitionMetadata)} (
    partition_key text PRIMARY KEY, datatype text NOT NULL${backend === 'bit' ? ', bitsize integer NOT NULL' : ''},
    created_at timestamp DEFAULT now());
  CREATE TABLE ${name(tables.queries)} (
    query_hash text NOT NULL, partition_key text NOT NULL, query text NOT NULL,
    status text NOT NULL DEFAULT 'ok' CHECK (status IN ('ok', 'timeout', 'failed', 'limit')),
    last_seen timestamp NOT NULL DEFAULT now(), PRIMARY KEY (query_hash, partition_key));
  ${['zipcode', 'id']
    .map(
      (
        key,
      ) => `CREATE TABLE ${cache(key)} (query_hash text PRIMARY KEY, partition_keys ${COLUMNS[backend]},
    partition_keys_count integer GENERATED ALWAYS AS (${COUNTS[backend]}) STORED);`,
    )
    .join('\n')}
  CREATE TABLE ${name(`${tablePrefix}_eviction_log`)} (id serial PRIMARY KEY, job_name text NOT NULL);

  INSERT INTO ${name(tables.originalQueue)} (query, partition_key, priority, created_at)
    SELECT 'SELECT whole ' || i, 'zipcode', i, '2026-01-01'::timestamp + i * interval '1 hour' FROM generate_series(1, 3) AS i;
  INSERT INTO ${name(tables.fragmentQueue)} (query, hash, partition_key, partition_datatype, priority, created_at)
    SELECT 'SELECT zipcode FROM public.pois WHERE id < ' || i * 10, 'queued' || i, 'zipcode', 'integer', i,
           '2026-01-02'::timestamp + i * interval '1 hour' FROM generate_series(1, 4) AS i;
  DELETE FROM ${name(tables.fragmentQueue)} WHERE hash = 'queued1';
  ${configRow(settings, name(tables.processorConfig), options.staleConfig ?? options.config, options.parallel)}
  INSERT INTO ${name(tables.processorLog)} (job_id, query_hash, partition_key, status, error_message, execution_time_ms, execution_source)
    SELECT 'job', 'known' || i, 'zipcode', CASE i % 2 WHEN 0 THEN 'success' ELSE 'failed' END, 'error ' || i, 1.5, 'cron'
      FROM generate_series(1, 6) AS i;
  INSERT INTO ${name(tables.activeJobs)} (query_hash, partition_key, job_id, pid, query, partition_datatype) VALUES
    ('queued2', 'zipcode', 'job', 1, 'SELECT zipcode FROM public.pois WHERE id < 20', 'integer'),
    ('was_at_work', 'zipcode', 'job', 1, 'SELECT zipcode FROM public.pois WHERE id < 5', 'integer');
  INSERT INTO ${name(tables.partitionMetadata)} (partition_key, datatype${backend === 'bit' ? ', bitsize' : ''}, created_at)
    SELECT key, 'integer'${backend === 'bit' ? ', 200' : ''}, '2026-01-03' FROM unnest(ARRAY['zipcode', 'id']) AS key;
  INSERT INTO ${name(tables.queries)} (query_hash, partition_key, query, status, last_seen)
    SELECT 'known' || i, key, format('SELECT %I FROM public.pois WHERE zipcode < %s', key, i * 50),
           (ARRAY['ok', 'ok', 'ok', 'ok', 'ok', 'failed', 'timeout', 'limit'])[i], '2026-01-04'
      FROM generate_series(1, 8) AS i, unnest(ARRAY['zipcode', 'id']) AS key;
  ${['zipcode', 'id']
    .map(
      (key) => `INSERT INTO ${cache(key)} (query_hash, partition_keys)
    SELECT 'known' || i, ${SETS[backend]} FROM generate_series(1, 5) AS i UNION ALL SELECT 'known8', NULL;`,
    )
    .join('\n')}
  ${stubs()}
  ${jobFunction()}
  CREATE FUNCTION public.partitioncache_notify_queue() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN PERFORM pg_notify('query_fragment_available', ''); RETURN NEW; END $$;
  CREATE TRIGGER trg_notify_fragments AFTER INSERT OR UPDATE ON ${name(tables.fragmentQueue)}
    FOR EACH ROW EXECUTE FUNCTION public.partitioncache_notify_queue();
  CREATE TRIGGER trg_notify_original AFTER INSERT OR UPDATE ON ${name(tables.originalQueue)}
    FOR EACH ROW EXECUTE FUNCTION public.partitioncache_notify_queue();`;
}

/** With the names, parameters and results of the contract. */
function stubs(): string {
  const body = (value: string) => `LANGUAGE plpgsql AS $$ BEGIN RETURN ${value}; END $$;`;
  const none = 'LANGUAGE plpgsql AS $$ BEGIN RETURN; END $$;';
  return `
  CREATE FUNCTION public.non_blocking_fragment_queue_upsert(p_hash text, p_partition_key text, p_partition_datatype text,
    p_query text, p_priority integer DEFAULT 1, p_queue_table text DEFAULT 'partitioncache_fragmentqueue') RETURNS text ${body("'old'")}
  CREATE FUNCTION public.non_blocking_original_queue_upsert(p_query text, p_partition_key text, p_partition_datatype text,
    p_priority integer DEFAULT 1, p_queue_table text DEFAULT 'partitioncache_originalqueue') RETURNS text ${body("'old'")}
  CREATE FUNCTION public.non_blocking_fragment_queue_batch_upsert(p_hashes text[], p_partition_keys text[],
    p_partition_datatypes text[], p_queries text[], p_priorities integer[] DEFAULT NULL,
    p_queue_table text DEFAULT 'partitioncache_fragmentqueue')
    RETURNS TABLE (idx integer, hash text, partition_key text, status text) ${none}
  CREATE FUNCTION public.partitioncache_ensure_metadata_tables(p_table_prefix text) RETURNS void ${none}
  CREATE FUNCTION public.partitioncache_bootstrap_partition(p_table_prefix text, p_partition_key text, p_datatype text,
    p_cache_backend text, p_bitsize integer DEFAULT NULL) RETURNS boolean ${body('true')}
  CREATE FUNCTION public.partitioncache_get_cache_table_name(p_table_prefix text, p_partition_key text) RETURNS text ${body("'old'")}
  CREATE FUNCTION public.partitioncache_manual_process_queue(p_count integer DEFAULT 100, p_job_name text DEFAULT NULL)
    RETURNS TABLE (processed_count integer, message text) ${none}
  CREATE FUNCTION public.partitioncache_intersect_two(a anyarray, b anyarray) RETURNS anyarray LANGUAGE sql AS $$ SELECT a $$;
  CREATE AGGREGATE public.array_intersect_agg(anyarray) (SFUNC = public.partitioncache_intersect_two, STYPE = anyarray);`;
}

/** Evaluates one fragment, as an array cache would have it; those that sleep do. */
function jobFunction(): string {
  return `
  CREATE FUNCTION public.partitioncache_run_single_job_with_params(p_job_name text, p_table_prefix text,
    p_queue_prefix text, p_cache_backend text, p_timeout_seconds integer, p_result_limit integer, p_default_bitsize integer)
    RETURNS TABLE (processed integer) LANGUAGE plpgsql AS $$
  DECLARE item record;
  BEGIN
    EXECUTE format('SELECT * FROM public.%I ORDER BY priority DESC, id LIMIT 1 FOR UPDATE SKIP LOCKED',
                   p_queue_prefix || '_query_fragment_queue') INTO item;
    IF item.id IS NULL THEN RETURN; END IF;
    IF item.query LIKE '%pg_sleep%' THEN PERFORM pg_sleep(12); END IF;
    EXECUTE format('INSERT INTO public.%I (query_hash, partition_keys) SELECT %L, ARRAY[0]',
                   p_table_prefix || '_cache_' || item.partition_key, item.hash);
    EXECUTE format('INSERT INTO public.%I (query_hash, partition_key, query) VALUES (%L, %L, %L)',
                   p_table_prefix || '_queries', item.hash, item.partition_key, item.query);
    EXECUTE format('DELETE FROM public.%I WHERE id = %s', p_queue_prefix || '_query_fragment_queue', item.id);
    RETURN QUERY SELECT 1;
  END $$;`;
}

/** The rows of every table of the contract, as text, to be compared one by one. */
export async function rowsOf(
  client: pg.Client,
  settings: Settings,
  columns: Readonly<Partial<Record<string, string>>> = {},
): Promise<Record<string, string[]>> {
  const names = [
    ...Object.values(deploymentTables(settings)),
    ...['zipcode', 'id'].map((key) => `${settings.tablePrefix}_cache_${key}`),
  ];
  const found: Record<string, string[]> = {};
  for (const name of names) {
    const { rows } = await client.query(
      `SELECT (SELECT jsonb_object_agg(key, value) FROM jsonb_each(to_jsonb(t)) WHERE key <> ALL ($1))::text AS row
         FROM ${clientName(settings, name)} AS t ORDER BY 1`,
      [(columns[name] ?? '').split(' ')],
    );
    found[name] = rows.map(({ row }) => row);
  }
  return found;
}
