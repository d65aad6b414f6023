CREATE SCHEMA partitioncache;

CREATE EXTENSION IF NOT EXISTS intarray WITH SCHEMA public;

COMMENT ON EXTENSION intarray IS 'functions, operators, and index support for 1-D arrays of integers';

CREATE TYPE partitioncache.key_set AS (
	element_type text,
	integer_keys integer[],
	bigint_keys bigint[],
	numeric_keys numeric[],
	text_keys text[],
	timestamp_keys timestamp without time zone[]
);

COMMENT ON TYPE partitioncache.key_set IS 'The distinct, non-NULL keys of a fragment in ascending order, in the array of their element type.';

CREATE TYPE partitioncache.run_step AS (
	finished boolean,
	wait_seconds double precision,
	batch integer[]
);

COMMENT ON TYPE partitioncache.run_step IS 'What a run does next: end, sleep for so many seconds, or work on a batch.';

CREATE FUNCTION partitioncache.active_item_rows() RETURNS TABLE(job_name text, slot integer, query_hash text, partition_key text, pid integer, started_at timestamp with time zone, running_for interval)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT active.job_id, slot.slot, active.query_hash, active.partition_key, active.pid, claim.started_at,
         clock_timestamp() - claim.started_at
  FROM "public"."partitioncache_queue_active_jobs" AS active
  JOIN "partitioncache".claim ON claim.query_hash = active.query_hash AND claim.partition_key = active.partition_key
  JOIN "partitioncache".slot ON slot.lock_key = claim.lock_key
$$;

COMMENT ON FUNCTION partitioncache.active_item_rows() IS 'What the view active_items shows.';

CREATE FUNCTION partitioncache.alter_bit_cache(p_partition_key text, p_bits integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_table text := format('%I.%I', 'public', "partitioncache".cache_table_name(p_partition_key));
BEGIN
  IF to_regclass(v_table) IS NOT NULL THEN
    -- One rewrite: the cast pads on the right, where the new, larger keys belong. The count depends on the
    -- column, so it must go before the type can change.
    EXECUTE format(
      'ALTER TABLE %1$s DROP COLUMN partition_keys_count, '
      'ALTER COLUMN partition_keys TYPE bit(%2$s) USING partition_keys::bit(%2$s), '
      'ADD COLUMN partition_keys_count integer GENERATED ALWAYS AS (%3$s) STORED',
      v_table, p_bits, "partitioncache".set_bits_expression());
  END IF;
END
$_$;

COMMENT ON FUNCTION partitioncache.alter_bit_cache(p_partition_key text, p_bits integer) IS 'Rewrites the bit cache of a partition key with p_bits bits, rows kept. Locks the cache table exclusively.';

CREATE FUNCTION partitioncache.bits_to_widen(p_outcome text) RETURNS integer
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  SELECT CASE WHEN p_outcome ~ '^[0-9]+$' THEN p_outcome::integer END
$_$;

COMMENT ON FUNCTION partitioncache.bits_to_widen(p_outcome text) IS 'The bits an outcome of process_claim asks for, or NULL.';

CREATE FUNCTION partitioncache.bootstrap_partition(p_partition_key text, p_datatype text, p_bitsize integer, p_element_type text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_backend text := (SELECT cache_backend FROM "partitioncache".deployment);
  v_roles text[] := (SELECT ARRAY[cron_role, client_role] FROM "partitioncache".deployment);
  v_table text := "partitioncache".cache_table_name(p_partition_key);
  v_datatype text;
  v_bitsize integer;
  v_column text;
  v_count text;
BEGIN
  -- Two runs that meet a new key at once: the second waits here and then finds the table.
  PERFORM pg_advisory_xact_lock(quote_ident('partitioncache')::regnamespace::oid::integer, hashtext(p_partition_key));

  IF v_backend = 'bit' THEN
    INSERT INTO "public"."my_cache_partition_metadata" (partition_key, datatype, bitsize)
    VALUES (p_partition_key, p_datatype, coalesce(p_bitsize, 1000))
    ON CONFLICT (partition_key) DO NOTHING;
    SELECT datatype, bitsize INTO v_datatype, v_bitsize FROM "public"."my_cache_partition_metadata" WHERE partition_key = p_partition_key;
  ELSE
    INSERT INTO "public"."my_cache_partition_metadata" (partition_key, datatype)
    VALUES (p_partition_key, p_datatype)
    ON CONFLICT (partition_key) DO NOTHING;
    SELECT datatype INTO v_datatype FROM "public"."my_cache_partition_metadata" WHERE partition_key = p_partition_key;
  END IF;
  IF v_datatype <> p_datatype THEN
    RAISE EXCEPTION 'partition key "%" holds % keys already, not %', p_partition_key, v_datatype, p_datatype
      USING ERRCODE = 'datatype_mismatch';
  END IF;
  IF to_regclass(format('%I.%I', 'public', v_table)) IS NOT NULL THEN
    RETURN false;
  END IF;

  CASE v_backend
    WHEN 'array' THEN
      v_column := coalesce(p_element_type, CASE p_datatype WHEN 'float' THEN 'numeric' ELSE p_datatype END) || '[]';
      v_count := 'cardinality(partition_keys)';
    WHEN 'bit' THEN
      v_column := format('bit(%s)', v_bitsize);
      v_count := "partitioncache".set_bits_expression();
    WHEN 'roaringbit' THEN
      v_column := format('%I.roaringbitmap', "partitioncache".roaringbitmap_schema());
      v_count := format('%I.rb_cardinality(partition_keys)::integer', "partitioncache".roaringbitmap_schema());
  END CASE;
  EXECUTE format(
    'CREATE TABLE %I.%I (query_hash text PRIMARY KEY, partition_keys %s, '
    'partition_keys_count integer GENERATED ALWAYS AS (%s) STORED)',
    'public', v_table, v_column, v_count);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I.%I TO %I, %I',
    'public', v_table, v_roles[1], v_roles[2]);
  RETURN true;
END
$$;

COMMENT ON FUNCTION partitioncache.bootstrap_partition(p_partition_key text, p_datatype text, p_bitsize integer, p_element_type text) IS 'Creates metadata and cache table of a partition key unless they exist; true when the table was created. p_element_type overrides the array''s element type (bigint keys of datatype integer); p_bitsize in bits, default 1000. Raises 42804 when the key exists with another datatype.';

CREATE FUNCTION partitioncache.cache_table_name(p_partition_key text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_name text := 'my_cache' || '_cache_' || p_partition_key;
BEGIN
  IF p_partition_key = '' OR octet_length(v_name) > 63 THEN
    RAISE EXCEPTION 'partition key "%" cannot name a cache table: "%" has % bytes, PostgreSQL allows 63',
      p_partition_key, v_name, octet_length(v_name)
      USING ERRCODE = 'name_too_long', HINT = 'Use a shorter partition key or a shorter cache table prefix.';
  END IF;
  RETURN v_name;
END
$$;

COMMENT ON FUNCTION partitioncache.cache_table_name(p_partition_key text) IS 'Unquoted name of the cache table of a partition key. Raises 42622 when it would not fit 63 bytes.';

CREATE FUNCTION partitioncache.cancel_overdue() RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_claim record;
  v_cancelled integer := 0;
BEGIN
  -- A COMMIT inside a CALL does not re-arm statement_timeout, so the cancel has to come from outside. The row
  -- lock keeps the run from leaving this fragment while it is being cancelled: the next one cannot be hit.
  FOR v_claim IN
    SELECT claim.queue_id, claim.pid
    FROM "partitioncache".claim
    JOIN "partitioncache".slot USING (lock_key)
    JOIN "public"."partitioncache_queue_processor_config" AS config USING (job_name)
    WHERE slot.slot > 0
      AND clock_timestamp() - claim.started_at >= make_interval(secs => config.timeout_seconds)
      AND "partitioncache".run_is_alive(claim.pid, claim.lock_key)
    FOR UPDATE OF claim SKIP LOCKED
  LOOP
    PERFORM pg_cancel_backend(v_claim.pid);
    v_cancelled := v_cancelled + 1;
  END LOOP;
  RETURN v_cancelled;
END
$$;

COMMENT ON FUNCTION partitioncache.cancel_overdue() IS 'Cancels every run that works on one fragment for longer than its timeout_seconds; the run marks the fragment and goes on. Returns how many.';

CREATE FUNCTION partitioncache.check_cron_link() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  PERFORM "partitioncache".query_cron_link(
    format('SELECT to_jsonb(work_database) FROM %I.deployment', 'partitioncache_work_database'));
END
$$;

COMMENT ON FUNCTION partitioncache.check_cron_link() IS 'Raises unless the link to the pg_cron database works.';

CREATE FUNCTION partitioncache.claim_batch(p_lock_key integer, p_limit integer) RETURNS integer[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_backoff interval := (SELECT make_interval(secs => retry_backoff_seconds) FROM "partitioncache".settings);
  v_claimed integer[];
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  -- One claims at a time: a second would not see the first one's claims and take nothing for an empty queue.
  PERFORM pg_advisory_xact_lock(quote_ident('partitioncache')::regnamespace::oid::integer, 0);
  WITH batch AS (
    SELECT queue.id, queue.hash, queue.partition_key, queue.partition_datatype, queue.query
    FROM "public"."partitioncache_queue_query_fragment_queue" AS queue
    WHERE NOT EXISTS (SELECT FROM "partitioncache".claim
                      WHERE claim.query_hash = queue.hash AND claim.partition_key = queue.partition_key)
      AND NOT EXISTS (SELECT FROM "partitioncache".attempt
                      WHERE attempt.query_hash = queue.hash AND attempt.partition_key = queue.partition_key
                        AND attempt.not_before > now())
      AND NOT EXISTS (SELECT FROM "public"."my_cache_queries" AS known
                      WHERE known.query_hash = queue.hash AND known.partition_key = queue.partition_key
                        AND known.status <> 'ok' AND known.last_seen > now()::timestamp - v_backoff)
    ORDER BY queue.priority DESC, queue.id
    LIMIT p_limit
    FOR UPDATE OF queue SKIP LOCKED
  ),
  claimed AS (
    INSERT INTO "partitioncache".claim (queue_id, query_hash, partition_key, partition_datatype, query, lock_key, pid)
    SELECT id, hash, partition_key, partition_datatype, query, p_lock_key, pg_backend_pid() FROM batch
    RETURNING queue_id
  )
  SELECT array_agg(claimed.queue_id ORDER BY queue.priority DESC, queue.id) INTO v_claimed
  FROM claimed JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue ON queue.id = claimed.queue_id;
  RETURN v_claimed;
END
$$;

COMMENT ON FUNCTION partitioncache.claim_batch(p_lock_key integer, p_limit integer) IS 'Claims up to p_limit fragments for the run that holds p_lock_key, highest priority first, and returns their queue ids, or NULL.';

CREATE FUNCTION partitioncache.claim_next(p_lock_key integer) RETURNS integer
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT ("partitioncache".claim_batch(p_lock_key, 1))[1]
$$;

COMMENT ON FUNCTION partitioncache.claim_next(p_lock_key integer) IS 'Claims the next fragment for a run by hand; NULL when there is none.';

CREATE FUNCTION partitioncache.close_slot(p_lock_key integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  DELETE FROM "public"."partitioncache_queue_active_jobs" AS active USING "partitioncache".claim
  WHERE claim.lock_key = p_lock_key AND claim.pid = pg_backend_pid()
    AND active.query_hash = claim.query_hash AND active.partition_key = claim.partition_key;
  DELETE FROM "partitioncache".claim WHERE lock_key = p_lock_key AND pid = pg_backend_pid();
  PERFORM pg_advisory_unlock(quote_ident('partitioncache')::regnamespace::oid::integer, p_lock_key);
END
$$;

COMMENT ON FUNCTION partitioncache.close_slot(p_lock_key integer) IS 'Gives back what the run has claimed and not begun, and unlocks its slot.';

CREATE FUNCTION partitioncache.cron_job_name(p_job_name text, p_slot integer) RETURNS text
    LANGUAGE plpgsql STABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  -- The hash, not the readable head, is what keeps apart two databases, schemas or processors.
  v_tail text := format('_%s_%s',
    left(md5(concat_ws(E'\n', current_database(), 'partitioncache', p_job_name)), 8), p_slot);
  v_head text := 'partitioncache_' || regexp_replace(p_job_name, '^partitioncache_', '');
BEGIN
  WHILE octet_length(v_head) > 63 - octet_length(v_tail) LOOP
    v_head := left(v_head, -1);
  END LOOP;
  RETURN v_head || v_tail;
END
$$;

COMMENT ON FUNCTION partitioncache.cron_job_name(p_job_name text, p_slot integer) IS 'Name of the pg_cron job that starts slot p_slot of processor p_job_name: at most 63 bytes, unique in the cluster.';

CREATE FUNCTION partitioncache.cron_link_name() RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  -- Foreign servers are named per database; the schema keeps two deployments of one database apart.
  SELECT 'partitioncache' || '_cron'
$$;

COMMENT ON FUNCTION partitioncache.cron_link_name() IS 'Name of the foreign server that leads to the pg_cron database.';

CREATE FUNCTION partitioncache.cron_schedule(p_start_interval integer) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT CASE
    WHEN p_start_interval < 60 THEN p_start_interval || ' seconds'
    WHEN p_start_interval = 60 THEN '* * * * *'
    WHEN p_start_interval < 3600 THEN format('*/%s * * * *', p_start_interval / 60)
    WHEN p_start_interval = 3600 THEN '0 * * * *'
    WHEN p_start_interval < 86400 THEN format('0 */%s * * *', p_start_interval / 3600)
    ELSE '0 0 * * *'
  END
$$;

COMMENT ON FUNCTION partitioncache.cron_schedule(p_start_interval integer) IS 'The pg_cron schedule that starts every p_start_interval seconds (a result of start_interval).';

CREATE FUNCTION partitioncache.cron_takes_seconds(p_pg_cron_version text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT (string_to_array(substring(p_pg_cron_version FROM '^[0-9]+(?:\.[0-9]+)*'), '.'))::integer[] >= ARRAY[1, 5]
$$;

COMMENT ON FUNCTION partitioncache.cron_takes_seconds(p_pg_cron_version text) IS 'Whether this version of pg_cron (such as 1.4-1 or 1.6) accepts schedules in seconds.';

CREATE FUNCTION partitioncache.datatype_of(p_element_type text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT CASE p_element_type WHEN 'bigint' THEN 'integer' WHEN 'numeric' THEN 'float' ELSE p_element_type END
$$;

COMMENT ON FUNCTION partitioncache.datatype_of(p_element_type text) IS 'The clients'' datatype (integer, float, text, timestamp) of an element type.';

CREATE FUNCTION partitioncache.delete_old_log() RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_deleted bigint;
BEGIN
  DELETE FROM "public"."partitioncache_queue_processor_log"
  WHERE created_at < now()::timestamp - make_interval(days => (SELECT log_retention_days FROM "partitioncache".settings));
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  RETURN v_deleted;
END
$$;

COMMENT ON FUNCTION partitioncache.delete_old_log() IS 'Deletes log rows older than log_retention_days. Returns how many.';

CREATE FUNCTION partitioncache.deployment_schemas() RETURNS SETOF name
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT nspname
  FROM pg_class
  JOIN pg_namespace ON pg_namespace.oid = relnamespace
  JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'queue_prefix'
  WHERE relname = 'deployment' AND relkind = 'r'
$$;

COMMENT ON FUNCTION partitioncache.deployment_schemas() IS 'The schemas of all deployments in this database.';

CREATE FUNCTION partitioncache.desired_jobs() RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  WITH processor AS (
    SELECT config.job_name, config.enabled, config.max_parallel_jobs,
           "partitioncache".cron_schedule("partitioncache".start_interval(config.frequency_seconds, deployment.pg_cron_version)) AS schedule
    FROM "public"."partitioncache_queue_processor_config" AS config, "partitioncache".deployment
  ),
  jobs (position, job_name, schedule, command, kind) AS (
    SELECT 1, "partitioncache".cron_job_name(job_name, slot), schedule,
           format('CALL %I.run_processor(%L, %s)', 'partitioncache', job_name, slot), 'processor'
    FROM processor, generate_series(1, max_parallel_jobs) AS slot
    WHERE enabled
    UNION ALL
    -- As often as can be: a maintenance run lasts a minute, and without one no timeout is kept. Also while all are
    -- disabled: what was begun before is still to be timed out.
    SELECT 2, "partitioncache".cron_job_name('partitioncache_maintenance', 0),
           "partitioncache".cron_schedule("partitioncache".start_interval(1, deployment.pg_cron_version)),
           format('CALL %I.run_maintenance()', 'partitioncache'), 'maintenance'
    FROM "partitioncache".deployment
    WHERE EXISTS (SELECT FROM processor)
    UNION ALL
    SELECT 3, "partitioncache".cron_job_name('partitioncache_history', 0), '17 3 * * *',
           format('SELECT %I.prune_job_runs(%s)', deployment.cron_schema, settings.run_retention_days), 'history'
    FROM "partitioncache".deployment, "partitioncache".settings
    WHERE EXISTS (SELECT FROM processor)
  )
  SELECT coalesce(
    jsonb_agg(jsonb_build_object('job_name', job_name, 'schedule', schedule, 'command', command, 'kind', kind,
                                 'database', CASE kind WHEN 'history' THEN NULL ELSE current_database() END)
              ORDER BY position, job_name),
    '[]')
  FROM jobs
$$;

COMMENT ON FUNCTION partitioncache.desired_jobs() IS 'The pg_cron jobs this deployment should have: [{job_name, schedule, command, kind, database}]; database is NULL for what runs in the pg_cron database itself. A disabled processor has no slots.';

CREATE FUNCTION partitioncache.drop_cron_link() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  EXECUTE format('DROP SERVER IF EXISTS %I CASCADE', "partitioncache".cron_link_name());
END
$$;

COMMENT ON FUNCTION partitioncache.drop_cron_link() IS 'Drops the foreign server to the pg_cron database and its user mapping.';

CREATE FUNCTION partitioncache.element_type(p_result_type regtype, p_datatype text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_element text := CASE p_result_type
    WHEN 'smallint'::regtype THEN 'integer'
    WHEN 'integer'::regtype THEN 'integer'
    WHEN 'bigint'::regtype THEN 'bigint'
    WHEN 'numeric'::regtype THEN 'numeric'
    WHEN 'real'::regtype THEN 'numeric'
    WHEN 'double precision'::regtype THEN 'numeric'
    WHEN 'text'::regtype THEN 'text'
    WHEN 'character varying'::regtype THEN 'text'
    WHEN 'character'::regtype THEN 'text'
    WHEN 'name'::regtype THEN 'text'
    WHEN 'uuid'::regtype THEN 'text'
    WHEN 'date'::regtype THEN 'timestamp'
    WHEN 'timestamp without time zone'::regtype THEN 'timestamp'
    WHEN 'timestamp with time zone'::regtype THEN 'timestamp'
  END;
  v_datatype text := "partitioncache".datatype_of(v_element);
BEGIN
  -- Whole numbers fit a numeric set exactly; anything else that does not match would be rounded or rewritten.
  IF p_datatype = 'float' AND v_datatype = 'integer' THEN
    RETURN 'numeric';
  END IF;
  IF v_element IS NULL OR v_datatype <> p_datatype THEN
    RAISE EXCEPTION 'the fragment returns %, but the partition key holds %', p_result_type, coalesce(p_datatype, 'no such type')
      USING ERRCODE = 'datatype_mismatch',
            HINT = 'Partition keys are integer, float, text or timestamp; cast the column in the fragment.';
  END IF;
  RETURN v_element;
END
$$;

COMMENT ON FUNCTION partitioncache.element_type(p_result_type regtype, p_datatype text) IS 'Element type in which the keys of a fragment with this result type are kept; p_datatype is the partition key''s, NULL when not known yet. Raises 42804 when they do not go together without loss.';

CREATE FUNCTION partitioncache.ends_run(p_outcome text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ SELECT p_outcome = 'cancelled' $$;

COMMENT ON FUNCTION partitioncache.ends_run(p_outcome text) IS 'Whether a run ends after this outcome of a fragment.';

CREATE TABLE partitioncache.claim (
    queue_id integer NOT NULL,
    query_hash text NOT NULL,
    partition_key text NOT NULL,
    partition_datatype text,
    query text NOT NULL,
    lock_key integer NOT NULL,
    pid integer NOT NULL,
    started_at timestamp with time zone
);

COMMENT ON TABLE partitioncache.claim IS 'Fragments claimed by a run. started_at is NULL until the run turns to the fragment.';

CREATE FUNCTION partitioncache.evaluate_and_store(p_claim partitioncache.claim, p_result_limit integer, p_default_bitsize integer, OUT status text, OUT rows_stored integer, OUT bits_needed integer) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_datatype text;
  v_keys "partitioncache".key_set;
BEGIN
  SELECT datatype INTO v_datatype FROM "public"."my_cache_partition_metadata" WHERE partition_key = p_claim.partition_key;
  IF (SELECT cache_backend FROM "partitioncache".deployment) <> 'array' THEN
    -- Bits have numbers, nothing else.
    v_datatype := 'integer';
  END IF;
  v_keys := "partitioncache".evaluate_fragment(p_claim.query, coalesce(v_datatype, p_claim.partition_datatype), p_result_limit);

  -- From here on the watchdog must not cancel: the fragment is evaluated, the rest is short. It cancels only
  -- while it holds the claim's row lock, so a cancel that is already on its way ends this statement.
  PERFORM FROM "partitioncache".claim WHERE queue_id = p_claim.queue_id FOR UPDATE;

  PERFORM "partitioncache".bootstrap_partition(p_claim.partition_key, "partitioncache".datatype_of(v_keys.element_type),
    p_default_bitsize, v_keys.element_type);

  rows_stored := coalesce(cardinality(v_keys.integer_keys), cardinality(v_keys.bigint_keys),
    cardinality(v_keys.numeric_keys), cardinality(v_keys.text_keys), cardinality(v_keys.timestamp_keys), 0);
  IF rows_stored > p_result_limit THEN
    PERFORM "partitioncache".store_unusable(p_claim.query_hash, p_claim.partition_key);
    status := 'limit';
    RETURN;
  END IF;
  bits_needed := "partitioncache".store_keys(p_claim.query_hash, p_claim.partition_key, v_keys);
  status := CASE WHEN bits_needed IS NULL THEN 'ok' ELSE 'too_narrow' END;
END
$$;

COMMENT ON FUNCTION partitioncache.evaluate_and_store(p_claim partitioncache.claim, p_result_limit integer, p_default_bitsize integer, OUT status text, OUT rows_stored integer, OUT bits_needed integer) IS 'Evaluates a fragment and stores its set. status: ok; limit (more keys than p_result_limit, stored as unusable); too_narrow (nothing stored: the bit cache needs bits_needed bits). Raises what the fragment or the cache raised.';

CREATE FUNCTION partitioncache.evaluate_fragment(p_query text, p_datatype text, p_result_limit integer) RETURNS partitioncache.key_set
    LANGUAGE plpgsql
    SET search_path TO 'public'
    AS $_$
DECLARE
  -- The line break ends a trailing comment; trailing semicolons are a habit, not a second statement.
  v_fragment text := regexp_replace(p_query, '[;[:space:]]+$', '') || E'\n';
  v_type regtype;
  v_keys "partitioncache".key_set;
  v_evaluated boolean := false;
  -- A cursor takes exactly one statement, and only one that returns rows.
  v_cursor refcursor;
BEGIN
  BEGIN
    PERFORM set_config('transaction_read_only', 'on', true);

    -- LIMIT 0 runs nothing. As a scalar it must have exactly one column.
    OPEN v_cursor FOR EXECUTE format('SELECT pg_typeof((SELECT * FROM (%s) AS fragment LIMIT 0))', v_fragment);
    FETCH v_cursor INTO v_type;
    CLOSE v_cursor;
    v_keys.element_type := "partitioncache".element_type(v_type, p_datatype);

    -- One key more than allowed is enough to know that there are too many.
    OPEN v_cursor FOR EXECUTE format(
      'SELECT array_agg(key ORDER BY key) FROM ('
      'SELECT DISTINCT key::%s AS key FROM (%s) AS fragment (key) WHERE key IS NOT NULL LIMIT %s) AS keys',
      v_keys.element_type, v_fragment, coalesce((p_result_limit::bigint + 1)::text, 'ALL'));
    CASE v_keys.element_type
      WHEN 'integer' THEN FETCH v_cursor INTO v_keys.integer_keys;
      WHEN 'bigint' THEN FETCH v_cursor INTO v_keys.bigint_keys;
      WHEN 'numeric' THEN FETCH v_cursor INTO v_keys.numeric_keys;
      WHEN 'text' THEN FETCH v_cursor INTO v_keys.text_keys;
      WHEN 'timestamp' THEN FETCH v_cursor INTO v_keys.timestamp_keys;
    END CASE;
    v_evaluated := true;
    RAISE EXCEPTION USING ERRCODE = 'PCEVL', MESSAGE = 'evaluated';
  EXCEPTION
    WHEN SQLSTATE 'PCEVL' THEN
      -- The fragment itself may call something that raises our code: then nothing was evaluated.
      IF NOT v_evaluated THEN
        RAISE;
      END IF;
  END;
  RETURN v_keys;
END
$_$;

COMMENT ON FUNCTION partitioncache.evaluate_fragment(p_query text, p_datatype text, p_result_limit integer) IS 'Runs one fragment (a single SELECT of one column) read-only and returns its keys: distinct, sorted, without NULL, one more than p_result_limit at most. Raises what the fragment raised; nothing else of it survives.';

CREATE FUNCTION partitioncache.is_cached(p_query_hash text, p_partition_key text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_table text := format('%I.%I', 'public', "partitioncache".cache_table_name(p_partition_key));
  v_cached boolean;
BEGIN
  PERFORM FROM "public"."my_cache_queries" WHERE query_hash = p_query_hash AND partition_key = p_partition_key AND status = 'ok';
  IF NOT FOUND OR to_regclass(v_table) IS NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE query_hash = $1)', v_table) INTO v_cached USING p_query_hash;
  RETURN v_cached;
END
$_$;

COMMENT ON FUNCTION partitioncache.is_cached(p_query_hash text, p_partition_key text) IS 'Whether a fragment''s set is in the cache and its status ok; an evicted one counts as not cached.';

CREATE FUNCTION partitioncache.is_last_deployment() RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_schema name;
  v_client_schema text;
BEGIN
  FOR v_schema IN
    SELECT nspname FROM "partitioncache".deployment_schemas() AS nspname
    -- What another migrator deployed shares nothing of ours: the functions have one owner.
    WHERE has_schema_privilege(nspname, 'USAGE') AND has_table_privilege(format('%I.deployment', nspname), 'SELECT')
  LOOP
    EXECUTE format('SELECT client_schema FROM %I.deployment', v_schema) INTO v_client_schema;
    IF v_schema <> 'partitioncache' AND v_client_schema = 'public' THEN
      RETURN false;
    END IF;
  END LOOP;
  RETURN true;
END
$$;

COMMENT ON FUNCTION partitioncache.is_last_deployment() IS 'Whether no other deployment of this database shares the clients'' schema, so that what is shared may go with this one.';

CREATE FUNCTION partitioncache.key_bits(p_keys bigint[], p_bitsize integer) RETURNS bit varying
    LANGUAGE sql IMMUTABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  -- Runs of zeros between the keys, assembled once: set_bit() would copy the whole string for each key.
  SELECT (coalesce(string_agg(repeat('0', (key - previous - 1)::integer) || '1', '' ORDER BY key), '')
          || repeat('0', (p_bitsize - 1 - coalesce(max(key), -1))::integer))::bit varying
  FROM (SELECT key, lag(key, 1, -1::bigint) OVER (ORDER BY key) AS previous FROM unnest(p_keys) AS key) AS gaps
$$;

COMMENT ON FUNCTION partitioncache.key_bits(p_keys bigint[], p_bitsize integer) IS 'Bit string of p_bitsize bits in which bit k, counted from 0 at the left, is set for each key k of the distinct p_keys (all below p_bitsize).';

CREATE FUNCTION partitioncache.maintenance_goes_on(p_started timestamp with time zone) RETURNS boolean
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT clock_timestamp() < p_started + interval '59 s'
    AND EXISTS (SELECT FROM "public"."partitioncache_queue_processor_config")
$$;

COMMENT ON FUNCTION partitioncache.maintenance_goes_on(p_started timestamp with time zone) IS 'Whether a maintenance run that started then shall look once more.';

CREATE FUNCTION partitioncache.mark_synced(p_applied jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  DELETE FROM "partitioncache".applied_job;
  INSERT INTO "partitioncache".applied_job (job_name, schedule, command, job_id)
  SELECT job_name, schedule, command, job_id
  FROM jsonb_to_recordset(p_applied -> 'jobs') AS job (job_name text, schedule text, command text, job_id bigint);

  UPDATE "public"."partitioncache_queue_processor_config" AS config
  SET job_ids = registered.job_ids
  FROM (
    SELECT configured.job_name,
           coalesce(array_agg(applied.job_id ORDER BY slot) FILTER (WHERE applied.job_id IS NOT NULL), '{}') AS job_ids
    FROM "public"."partitioncache_queue_processor_config" AS configured
    CROSS JOIN generate_series(1, configured.max_parallel_jobs) AS slot
    LEFT JOIN "partitioncache".applied_job AS applied
      ON applied.job_name = "partitioncache".cron_job_name(configured.job_name, slot)
    GROUP BY configured.job_name
  ) AS registered
  WHERE config.job_name = registered.job_name
    AND config.job_ids IS DISTINCT FROM registered.job_ids;
END
$$;

COMMENT ON FUNCTION partitioncache.mark_synced(p_applied jsonb) IS 'Records what apply_jobs in the pg_cron database answered: {"jobs": [{job_name, schedule, command, job_id}]}.';

CREATE FUNCTION partitioncache.next_step(p_job_name text, p_slot integer, p_lock_key integer, p_run_started timestamp with time zone) RETURNS partitioncache.run_step
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  -- Even a full queue ends a run now and then, so that pg_cron's history shows it alive.
  c_slice CONSTANT interval := '60 s';
  v_now timestamptz := clock_timestamp();
  v_config "public"."partitioncache_queue_processor_config";
  v_next_start timestamptz;
  v_due timestamptz;
  v_frequency interval;
  v_batch integer[];
BEGIN
  SELECT * INTO v_config FROM "public"."partitioncache_queue_processor_config" WHERE job_name = p_job_name;
  IF NOT FOUND OR NOT v_config.enabled OR p_slot > v_config.max_parallel_jobs OR v_now >= p_run_started + c_slice THEN
    RETURN ROW(true, NULL, NULL)::"partitioncache".run_step;
  END IF;

  v_frequency := make_interval(secs => v_config.frequency_seconds);
  v_next_start := p_run_started + make_interval(secs => "partitioncache".start_interval(
    v_config.frequency_seconds, (SELECT pg_cron_version FROM "partitioncache".deployment)));
  SELECT next_due INTO STRICT v_due FROM "partitioncache".slot WHERE lock_key = p_lock_key;
  IF v_due > v_now + v_frequency THEN
    -- The frequency was shortened since: it counts from now.
    v_due := v_now + v_frequency;
    UPDATE "partitioncache".slot SET next_due = v_due WHERE lock_key = p_lock_key;
  END IF;
  IF v_due > v_now THEN
    IF v_due >= v_next_start THEN
      RETURN ROW(true, NULL, NULL)::"partitioncache".run_step;
    END IF;
    -- At most a second at a time, so that being disabled ends the run soon.
    RETURN ROW(false, least(extract(epoch FROM v_due - v_now), 1), NULL)::"partitioncache".run_step;
  END IF;

  v_batch := "partitioncache".claim_batch(p_lock_key, (SELECT batch_size FROM "partitioncache".settings));
  IF v_batch IS NULL THEN
    UPDATE "partitioncache".slot
    SET next_due = CASE WHEN next_due + v_frequency > v_now THEN next_due + v_frequency ELSE v_now + v_frequency END
    WHERE lock_key = p_lock_key;
    RETURN ROW(false, 0, NULL)::"partitioncache".run_step;
  END IF;
  RETURN ROW(false, NULL, v_batch)::"partitioncache".run_step;
END
$$;

COMMENT ON FUNCTION partitioncache.next_step(p_job_name text, p_slot integer, p_lock_key integer, p_run_started timestamp with time zone) IS 'Decides, from the configuration as it is now, what the run does next. An empty queue makes the slot due again after frequency_seconds.';

CREATE FUNCTION partitioncache.notify_queue() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  PERFORM pg_notify(TG_ARGV[0], '');
  RETURN NULL;
END
$$;

COMMENT ON FUNCTION partitioncache.notify_queue() IS 'Trigger function: notifies the channel named by its first argument that a queue has work.';

CREATE FUNCTION partitioncache.open_manual_slot(p_job_name text) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_lock_key integer := "partitioncache".open_slot(p_job_name, 0);
BEGIN
  IF v_lock_key IS NULL THEN
    RAISE EXCEPTION 'another run by hand of processor "%" is under way', p_job_name
      USING ERRCODE = 'lock_not_available', HINT = 'Wait until it has ended.';
  END IF;
  RETURN v_lock_key;
END
$$;

COMMENT ON FUNCTION partitioncache.open_manual_slot(p_job_name text) IS 'Takes slot 0 of a processor, for a run by hand. Raises 55P03 while another one is under way.';

CREATE FUNCTION partitioncache.open_slot(p_job_name text, p_slot integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_lock_key integer;
BEGIN
  PERFORM FROM "public"."partitioncache_queue_processor_config" WHERE job_name = p_job_name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no processor "%"', p_job_name
      USING ERRCODE = 'no_data_found', HINT = 'pcache-migrate processor status lists the processors.';
  END IF;
  INSERT INTO "partitioncache".slot (job_name, slot) VALUES (p_job_name, p_slot) ON CONFLICT (job_name, slot) DO NOTHING;
  SELECT lock_key INTO STRICT v_lock_key FROM "partitioncache".slot WHERE job_name = p_job_name AND slot = p_slot;
  IF NOT pg_try_advisory_lock(quote_ident('partitioncache')::regnamespace::oid::integer, v_lock_key) THEN
    RETURN NULL;
  END IF;
  -- Nobody else can hold this slot: what it left claimed is left over from a run that died.
  PERFORM "partitioncache".release_dead_claims();
  RETURN v_lock_key;
END
$$;

COMMENT ON FUNCTION partitioncache.open_slot(p_job_name text, p_slot integer) IS 'Takes the session lock of a slot and returns its lock_key, or NULL while another run holds it. Raises P0002 for an unknown processor.';

CREATE FUNCTION partitioncache.process_batch(p_job_name text, p_count integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_lock_key integer := "partitioncache".open_manual_slot(p_job_name);
  v_queue_id integer;
  v_outcome text;
  v_processed integer := 0;
BEGIN
  WHILE v_processed < p_count LOOP
    v_queue_id := "partitioncache".claim_next(v_lock_key);
    EXIT WHEN v_queue_id IS NULL;
    EXIT WHEN NOT "partitioncache".start_claim(v_queue_id, p_job_name, 0);
    v_outcome := "partitioncache".process_claim(v_queue_id, p_job_name, 'manual');
    WHILE "partitioncache".bits_to_widen(v_outcome) IS NOT NULL LOOP
      v_outcome := coalesce(
        "partitioncache".widen_for_claim(v_queue_id, "partitioncache".bits_to_widen(v_outcome), p_job_name, 'manual'),
        "partitioncache".process_claim(v_queue_id, p_job_name, 'manual'));
    END LOOP;
    EXIT WHEN "partitioncache".ends_run(v_outcome);
    v_processed := v_processed + 1;
  END LOOP;
  PERFORM "partitioncache".close_slot(v_lock_key);
  RETURN v_processed;
EXCEPTION
  WHEN OTHERS OR query_canceled OR assert_failure THEN
    -- The claims are rolled back, the session's lock is not: a pooled connection would keep the slot for ever.
    PERFORM "partitioncache".close_slot(v_lock_key);
    RAISE;
END
$$;

COMMENT ON FUNCTION partitioncache.process_batch(p_job_name text, p_count integer) IS 'Works on up to p_count queued fragments in the caller''s transaction, even if the processor is disabled. Returns how many.';

CREATE FUNCTION partitioncache.process_claim(p_queue_id integer, p_job_name text, p_source text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_claim "partitioncache".claim;
  v_config "public"."partitioncache_queue_processor_config";
  v_result record;
  v_state text;
  v_message text;
  v_error text;
BEGIN
  -- Losing the last settled fragments in a crash is harmless: they are still queued then. Waiting for the
  -- disk after each of them is not.
  PERFORM set_config('synchronous_commit', 'off', true);
  SELECT * INTO STRICT v_claim FROM "partitioncache".claim WHERE queue_id = p_queue_id;
  SELECT * INTO STRICT v_config FROM "public"."partitioncache_queue_processor_config" WHERE job_name = p_job_name;

  BEGIN
    IF "partitioncache".is_cached(v_claim.query_hash, v_claim.partition_key) THEN
      PERFORM "partitioncache".settle(v_claim, p_job_name, p_source, 'skipped', NULL, NULL, NULL);
      RETURN 'skipped';
    END IF;
    SELECT * INTO v_result FROM "partitioncache".evaluate_and_store(v_claim, v_config.result_limit, v_config.default_bitsize);
    IF v_result.status = 'too_narrow' THEN
      RETURN v_result.bits_needed::text;
    END IF;
    PERFORM "partitioncache".settle(v_claim, p_job_name, p_source, 'success', v_result.status,
      CASE v_result.status WHEN 'limit' THEN format('more than result_limit = %s keys', v_config.result_limit) END,
      v_result.rows_stored);
    RETURN v_result.status;
  EXCEPTION
    WHEN query_canceled THEN
      -- As it is now: the watchdog reads it live, and it may have been lowered since the fragment was begun.
      SELECT timeout_seconds INTO v_config.timeout_seconds FROM "public"."partitioncache_queue_processor_config" WHERE job_name = p_job_name;
      IF clock_timestamp() - v_claim.started_at >= make_interval(secs => v_config.timeout_seconds) THEN
        PERFORM "partitioncache".settle(v_claim, p_job_name, p_source, 'timeout', 'timeout',
          format('cancelled after timeout_seconds = %s', v_config.timeout_seconds), NULL);
        RETURN 'timeout';
      END IF;
      -- An operator's cancel, or a shutdown: not the fragment's fault, and the run shall end.
      PERFORM "partitioncache".release_claim(v_claim);
      RETURN 'cancelled';
    WHEN serialization_failure OR deadlock_detected OR lock_not_available THEN
      GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
      PERFORM "partitioncache".put_back(v_claim, p_job_name, p_source, format('%s: %s', v_state, v_message), '1 s');
      RETURN 'put_back';
    WHEN OTHERS OR assert_failure THEN
      GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
      v_error := format('%s: %s', v_state, v_message);
      PERFORM "partitioncache".settle(v_claim, p_job_name, p_source, 'failed', 'failed', v_error, NULL);
      RETURN 'failed';
  END;
END
$$;

COMMENT ON FUNCTION partitioncache.process_claim(p_queue_id integer, p_job_name text, p_source text) IS 'Works on one claimed and started fragment; p_source is cron or manual. Returns how it ended: ok, limit, skipped, failed, timeout, put_back, cancelled, or the number of bits its bit cache needs before it can be tried again.';

CREATE PROCEDURE partitioncache.process_now(IN p_job_name text, INOUT p_outcome text DEFAULT NULL::text)
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_lock_key integer;
  v_queue_id integer;
BEGIN
  v_lock_key := "partitioncache".open_manual_slot(p_job_name);
  v_queue_id := "partitioncache".claim_next(v_lock_key);
  COMMIT;
  p_outcome := NULL;
  IF v_queue_id IS NOT NULL THEN
    CALL "partitioncache".work_on_claim(v_queue_id, p_job_name, 0, 'manual', p_outcome);
  END IF;
  PERFORM "partitioncache".close_slot(v_lock_key);
END
$$;

COMMENT ON PROCEDURE partitioncache.process_now(IN p_job_name text, INOUT p_outcome text) IS 'Works on the next queued fragment by hand, even if the processor is disabled. p_outcome: how it ended, NULL when nothing is due. The caller''s statement_timeout is the fragment''s.';

CREATE FUNCTION partitioncache.processor_named(p_job_name text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT job_name FROM "public"."partitioncache_queue_processor_config" WHERE p_job_name IS NULL OR job_name = p_job_name ORDER BY job_name LIMIT 1
$$;

COMMENT ON FUNCTION partitioncache.processor_named(p_job_name text) IS 'The processor of that name, or the first one by name for NULL; NULL when there is none.';

CREATE FUNCTION partitioncache.processor_status_rows() RETURNS TABLE(job_name text, enabled boolean, max_parallel_jobs integer, frequency_seconds integer, timeout_seconds integer, result_limit integer, default_bitsize integer, queued bigint, active bigint, registered_jobs integer, succeeded_last_hour bigint, failed_last_hour bigint, last_success timestamp without time zone)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT config.job_name, config.enabled, config.max_parallel_jobs, config.frequency_seconds, config.timeout_seconds,
         config.result_limit, config.default_bitsize,
         (SELECT count(*) FROM "public"."partitioncache_queue_query_fragment_queue"),
         (SELECT count(*) FROM "public"."partitioncache_queue_active_jobs" AS active WHERE active.job_id = config.job_name),
         cardinality(config.job_ids),
         recent.succeeded, recent.failed, recent.last_success
  FROM "public"."partitioncache_queue_processor_config" AS config
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE log.status = 'success') AS succeeded,
           count(*) FILTER (WHERE log.status IN ('failed', 'timeout')) AS failed,
           max(log.created_at) FILTER (WHERE log.status = 'success') AS last_success
    FROM "public"."partitioncache_queue_processor_log" AS log
    WHERE log.job_id = config.job_name AND log.created_at > now()::timestamp - interval '1 hour'
  ) AS recent
$$;

COMMENT ON FUNCTION partitioncache.processor_status_rows() IS 'What the view processor_status shows.';

CREATE FUNCTION partitioncache.put_back(p_claim partitioncache.claim, p_job_name text, p_source text, p_reason text, p_wait interval) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_attempts integer;
BEGIN
  INSERT INTO "partitioncache".attempt AS attempt (query_hash, partition_key, attempts, not_before, last_error)
  VALUES (p_claim.query_hash, p_claim.partition_key, 1, now() + p_wait, p_reason)
  ON CONFLICT (query_hash, partition_key) DO UPDATE
    SET attempts = attempt.attempts + 1, not_before = EXCLUDED.not_before, last_error = EXCLUDED.last_error
  RETURNING attempts INTO v_attempts;
  IF v_attempts >= (SELECT max_attempts FROM "partitioncache".settings) THEN
    PERFORM "partitioncache".settle(p_claim, p_job_name, p_source, 'failed', 'failed',
      format('set aside after %s attempts; the last one: %s', v_attempts, p_reason), NULL);
  ELSE
    PERFORM "partitioncache".release_claim(p_claim);
  END IF;
END
$$;

COMMENT ON FUNCTION partitioncache.put_back(p_claim partitioncache.claim, p_job_name text, p_source text, p_reason text, p_wait interval) IS 'Gives back a fragment whose attempt ended without a result, not to be claimed again before p_wait is over; after max_attempts it is settled as failed, so that it cannot block the queue.';

CREATE FUNCTION partitioncache.query_cron_link(p_query text) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_connection constant text := 'pcache_migrate_cron_link';
  v_dblink text := (SELECT nspname FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
                    WHERE extname = 'dblink');
  v_open boolean := false;
  v_result jsonb;
  v_state text;
  v_message text;
  v_detail text;
BEGIN
  IF v_dblink IS NULL THEN
    RAISE EXCEPTION 'the extension dblink is missing in database %', current_database()
      USING ERRCODE = 'undefined_object', HINT = 'Have an administrator run there: CREATE EXTENSION dblink;';
  END IF;
  EXECUTE format('SELECT %I.dblink_connect($1, $2)', v_dblink) USING v_connection, "partitioncache".cron_link_name();
  v_open := true;
  EXECUTE format('SELECT result FROM %I.dblink($1, $2) AS answer (result jsonb)', v_dblink)
    INTO v_result USING v_connection, p_query;
  EXECUTE format('SELECT %I.dblink_disconnect($1)', v_dblink) USING v_connection;
  RETURN v_result;
EXCEPTION
  WHEN OTHERS OR query_canceled THEN
    GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT, v_detail = PG_EXCEPTION_DETAIL;
    IF v_open THEN
      EXECUTE format('SELECT %I.dblink_disconnect($1)', v_dblink) USING v_connection;
    END IF;
    RAISE EXCEPTION 'the pg_cron database could not be reached or refused over the link %: %',
      "partitioncache".cron_link_name(), concat_ws(': ', v_message, nullif(v_detail, ''))
      USING ERRCODE = v_state,
            HINT = 'Run pcache-migrate doctor: it says what is missing. Nothing of this transaction was kept.';
END
$_$;

COMMENT ON FUNCTION partitioncache.query_cron_link(p_query text) IS 'Runs one query in the pg_cron database over the link and returns its single jsonb value. Raises what the far side raised; closes the connection on every path.';

CREATE FUNCTION partitioncache.record_cron_side(p_transport text, p_pg_cron_version text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  UPDATE "partitioncache".deployment SET transport = p_transport, pg_cron_version = p_pg_cron_version
$$;

COMMENT ON FUNCTION partitioncache.record_cron_side(p_transport text, p_pg_cron_version text) IS 'Records how pg_cron is reached from now on (deploy, direct, link) and its version; (deploy, NULL) when the cron stream is gone.';

CREATE FUNCTION partitioncache.release_claim(p_claim partitioncache.claim) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  DELETE FROM "public"."partitioncache_queue_active_jobs" WHERE query_hash = p_claim.query_hash AND partition_key = p_claim.partition_key;
  DELETE FROM "partitioncache".claim WHERE queue_id = p_claim.queue_id;
$$;

COMMENT ON FUNCTION partitioncache.release_claim(p_claim partitioncache.claim) IS 'Gives a claimed fragment back to the queue.';

CREATE FUNCTION partitioncache.release_dead_claims() RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_claim "partitioncache".claim;
  v_released integer := 0;
BEGIN
  FOR v_claim IN
    SELECT * FROM "partitioncache".claim
    WHERE NOT "partitioncache".run_is_alive(pid, lock_key)
    ORDER BY queue_id
    FOR UPDATE SKIP LOCKED
  LOOP
    v_released := v_released + 1;
    IF v_claim.started_at IS NULL THEN
      PERFORM "partitioncache".release_claim(v_claim);
    ELSE
      PERFORM "partitioncache".put_back(v_claim,
        (SELECT job_name FROM "partitioncache".slot WHERE lock_key = v_claim.lock_key), 'unknown',
        format('the backend %s that worked on it since %s is gone', v_claim.pid, v_claim.started_at), '0 s');
    END IF;
  END LOOP;
  RETURN v_released;
END
$$;

COMMENT ON FUNCTION partitioncache.release_dead_claims() IS 'Gives back the fragments of runs that died, the one they were working on with an attempt counted. Returns how many.';

CREATE FUNCTION partitioncache.roaringbitmap_schema() RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_schema text := (SELECT nspname FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
                    WHERE extname = 'roaringbitmap');
BEGIN
  IF v_schema IS NULL THEN
    RAISE EXCEPTION 'the extension roaringbitmap is missing in database %', current_database()
      USING ERRCODE = 'undefined_object', HINT = 'Have an administrator run there: CREATE EXTENSION roaringbitmap;';
  END IF;
  RETURN v_schema;
END
$$;

COMMENT ON FUNCTION partitioncache.roaringbitmap_schema() IS 'Schema of the extension roaringbitmap; raises 42704 where it is missing.';

CREATE FUNCTION partitioncache.run_is_alive(p_pid integer, p_lock_key integer) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  -- A pid alone may have been given to another backend; the slot's lock ends with its session.
  SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND pid = p_pid AND objsubid = 2
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid = quote_ident('partitioncache')::regnamespace::oid
      AND objid = p_lock_key::oid)
$$;

COMMENT ON FUNCTION partitioncache.run_is_alive(p_pid integer, p_lock_key integer) IS 'Whether the backend p_pid still holds the lock of the slot with this lock_key.';

CREATE PROCEDURE partitioncache.run_maintenance()
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_started timestamptz := pg_catalog.clock_timestamp();
  v_goes_on boolean;
BEGIN
  PERFORM "partitioncache".delete_old_log();
  COMMIT;
  LOOP
    PERFORM "partitioncache".cancel_overdue();
    COMMIT;
    PERFORM "partitioncache".release_dead_claims();
    COMMIT;
    v_goes_on := "partitioncache".maintenance_goes_on(v_started);
    COMMIT;
    EXIT WHEN NOT v_goes_on;
    PERFORM pg_catalog.pg_sleep(1);
    COMMIT;
  END LOOP;
END
$$;

COMMENT ON PROCEDURE partitioncache.run_maintenance() IS 'One run of the maintenance job, as started by pg_cron every minute: timeouts, claims of dead runs, log retention.';

CREATE PROCEDURE partitioncache.run_processor(IN p_job_name text, IN p_slot integer)
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_started timestamptz := pg_catalog.clock_timestamp();
  v_lock_key integer;
  v_step "partitioncache".run_step;
  v_queue_id integer;
  v_outcome text;
  v_ends boolean := false;
BEGIN
  v_lock_key := "partitioncache".open_slot(p_job_name, p_slot);
  COMMIT;
  IF v_lock_key IS NULL THEN
    RETURN;
  END IF;
  LOOP
    v_step := "partitioncache".next_step(p_job_name, p_slot, v_lock_key, v_started);
    COMMIT;
    EXIT WHEN v_step.finished;
    IF v_step.batch IS NULL THEN
      PERFORM pg_catalog.pg_sleep(v_step.wait_seconds);
      COMMIT;
      CONTINUE;
    END IF;
    FOREACH v_queue_id IN ARRAY v_step.batch LOOP
      CALL "partitioncache".work_on_claim(v_queue_id, p_job_name, p_slot, 'cron', v_outcome);
      v_ends := "partitioncache".ends_run(v_outcome);
      EXIT WHEN v_ends;
    END LOOP;
    EXIT WHEN v_ends;
  END LOOP;
  PERFORM "partitioncache".close_slot(v_lock_key);
END
$$;

COMMENT ON PROCEDURE partitioncache.run_processor(IN p_job_name text, IN p_slot integer) IS 'One run of a processor''s slot, as started by pg_cron: drains the queue in batches until it is empty or a minute is over. Ends at once while another run holds the slot, or when the processor is disabled.';

CREATE FUNCTION partitioncache.set_bits_expression() RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  -- bit_count() exists from PostgreSQL 14.
  SELECT CASE WHEN current_setting('server_version_num')::integer >= 140000
    THEN 'bit_count(partition_keys)::integer'
    ELSE 'length(replace(partition_keys::text, ''0'', ''''))'
  END
$$;

COMMENT ON FUNCTION partitioncache.set_bits_expression() IS 'SQL expression that counts the set bits of a bit cache row on this server.';

CREATE FUNCTION partitioncache.set_cron_link(p_host text, p_port integer, p_database text, p_user text, p_password text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_server text := "partitioncache".cron_link_name();
  v_state text;
  v_message text;
  v_hint text;
BEGIN
  PERFORM "partitioncache".drop_cron_link();
  EXECUTE format('CREATE SERVER %I FOREIGN DATA WRAPPER dblink_fdw OPTIONS (host %L, port %L, dbname %L)',
    v_server, p_host, coalesce(p_port, current_setting('port')::integer)::text, p_database);
  EXECUTE format('CREATE USER MAPPING FOR CURRENT_USER SERVER %I OPTIONS (user %L, password %L)',
    v_server, p_user, p_password);
EXCEPTION
  WHEN OTHERS THEN
    -- Raised anew, because the context of the original quotes the statement, and with it the password.
    GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT, v_hint = PG_EXCEPTION_HINT;
    RAISE EXCEPTION 'the link % to the pg_cron database could not be created: %', v_server, v_message
      USING ERRCODE = v_state, HINT = v_hint;
END
$$;

COMMENT ON FUNCTION partitioncache.set_cron_link(p_host text, p_port integer, p_database text, p_user text, p_password text) IS 'Creates or replaces the link to the pg_cron database. p_port NULL means this server''s own port. Needs USAGE on the foreign data wrapper dblink_fdw.';

CREATE FUNCTION partitioncache.settle(p_claim partitioncache.claim, p_job_name text, p_source text, p_log_status text, p_query_status text, p_error text, p_rows integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF p_query_status IS NOT NULL THEN
    INSERT INTO "public"."my_cache_queries" (query_hash, partition_key, query, status, last_seen)
    VALUES (p_claim.query_hash, p_claim.partition_key, p_claim.query, p_query_status, now())
    ON CONFLICT (query_hash, partition_key) DO UPDATE
      SET query = EXCLUDED.query, status = EXCLUDED.status, last_seen = EXCLUDED.last_seen;
  END IF;
  INSERT INTO "public"."partitioncache_queue_processor_log"
    (job_id, query_hash, partition_key, status, error_message, rows_affected, execution_time_ms, execution_source)
  VALUES
    (p_job_name, p_claim.query_hash, p_claim.partition_key, p_log_status, p_error, p_rows,
     -- The column's precision is the clients' contract; a longer run is capped, never an error.
     least(extract(epoch FROM clock_timestamp() - p_claim.started_at) * 1000, 9999999.999)::numeric(10, 3),
     p_source);
  DELETE FROM "public"."partitioncache_queue_query_fragment_queue" WHERE id = p_claim.queue_id AND hash = p_claim.query_hash;
  DELETE FROM "partitioncache".attempt WHERE query_hash = p_claim.query_hash AND partition_key = p_claim.partition_key;
  PERFORM "partitioncache".release_claim(p_claim);
END
$$;

COMMENT ON FUNCTION partitioncache.settle(p_claim partitioncache.claim, p_job_name text, p_source text, p_log_status text, p_query_status text, p_error text, p_rows integer) IS 'Ends a claimed fragment for good: status of the query (NULL leaves it), log row, queue row and claim deleted.';

CREATE FUNCTION partitioncache.start_claim(p_queue_id integer, p_job_name text, p_slot integer) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  -- Slot 0 is a run by hand, which a disabled processor allows.
  PERFORM FROM "public"."partitioncache_queue_processor_config"
  WHERE job_name = p_job_name AND (p_slot = 0 OR (enabled AND p_slot <= max_parallel_jobs));
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE "partitioncache".claim SET started_at = clock_timestamp() WHERE queue_id = p_queue_id;
  INSERT INTO "public"."partitioncache_queue_active_jobs" (query_hash, partition_key, job_id, pid, started_at, query, partition_datatype)
  SELECT query_hash, partition_key, p_job_name, pid, clock_timestamp()::timestamp, query, partition_datatype
  FROM "partitioncache".claim WHERE queue_id = p_queue_id
  ON CONFLICT (query_hash, partition_key) DO UPDATE
    SET job_id = EXCLUDED.job_id, pid = EXCLUDED.pid, started_at = EXCLUDED.started_at;
  RETURN true;
END
$$;

COMMENT ON FUNCTION partitioncache.start_claim(p_queue_id integer, p_job_name text, p_slot integer) IS 'Marks a claimed fragment as being worked on; false, and nothing marked, when the processor is not to work any more.';

CREATE FUNCTION partitioncache.start_interval(p_frequency_seconds integer, p_pg_cron_version text) RETURNS integer
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT CASE
    WHEN p_frequency_seconds < 60 AND coalesce("partitioncache".cron_takes_seconds(p_pg_cron_version), false)
      THEN p_frequency_seconds
    -- Minutes that divide an hour and hours that divide a day are what a cron expression can repeat evenly.
    ELSE coalesce(
      (SELECT max(step)
       FROM unnest(ARRAY[1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440]) AS minutes,
            LATERAL (SELECT minutes * 60 AS step) AS steps
       WHERE p_frequency_seconds % step = 0),
      60)
  END
$$;

COMMENT ON FUNCTION partitioncache.start_interval(p_frequency_seconds integer, p_pg_cron_version text) IS 'Every how many seconds pg_cron starts a slot whose frequency is p_frequency_seconds: the coarsest step that pg_cron can express and that divides the frequency, else a minute.';

CREATE FUNCTION partitioncache.store_keys(p_query_hash text, p_partition_key text, p_keys partitioncache.key_set) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_insert text := format(
    'INSERT INTO %I.%I (query_hash, partition_keys) VALUES ($1, %%s) '
    'ON CONFLICT (query_hash) DO UPDATE SET partition_keys = EXCLUDED.partition_keys',
    'public', "partitioncache".cache_table_name(p_partition_key));
  v_backend text := (SELECT cache_backend FROM "partitioncache".deployment);
  v_whole bigint[] := coalesce(p_keys.bigint_keys, p_keys.integer_keys::bigint[], '{}');
  v_needed bigint;
  v_bitsize integer;
BEGIN
  -- An empty set is a result; NULL would tell the client that the set is of no use.
  IF v_backend = 'array' THEN
    CASE p_keys.element_type
      WHEN 'integer' THEN EXECUTE format(v_insert, '$2') USING p_query_hash, coalesce(p_keys.integer_keys, '{}');
      WHEN 'bigint' THEN EXECUTE format(v_insert, '$2') USING p_query_hash, coalesce(p_keys.bigint_keys, '{}');
      WHEN 'numeric' THEN EXECUTE format(v_insert, '$2') USING p_query_hash, coalesce(p_keys.numeric_keys, '{}');
      WHEN 'text' THEN EXECUTE format(v_insert, '$2') USING p_query_hash, coalesce(p_keys.text_keys, '{}');
      WHEN 'timestamp' THEN EXECUTE format(v_insert, '$2') USING p_query_hash, coalesce(p_keys.timestamp_keys, '{}');
    END CASE;
    RETURN NULL;
  END IF;

  IF v_whole[1] < 0 THEN
    RAISE EXCEPTION 'key % cannot be stored in a % cache: keys start at 0', v_whole[1], v_backend
      USING ERRCODE = 'numeric_value_out_of_range', HINT = 'Use the array backend for negative keys.';
  END IF;
  v_needed := coalesce(v_whole[cardinality(v_whole)] + 1, 1);

  IF v_backend = 'roaringbit' THEN
    IF v_needed > 2147483648 THEN
      RAISE EXCEPTION 'key % is too large for a roaring bitmap of integers', v_needed - 1
        USING ERRCODE = 'numeric_value_out_of_range', HINT = 'Use the array backend for such keys.';
    END IF;
    EXECUTE format(v_insert, format('%I.rb_build($2)', "partitioncache".roaringbitmap_schema()))
      USING p_query_hash, v_whole::integer[];
    RETURN NULL;
  END IF;

  IF v_needed > 83886080 THEN
    RAISE EXCEPTION 'key % is too large for a bit cache: PostgreSQL''s bit strings end at 83886080 bits', v_needed - 1
      USING ERRCODE = 'numeric_value_out_of_range', HINT = 'Use the roaringbit or the array backend for such keys.';
  END IF;
  -- FOR SHARE: the width must not change between here and the insert.
  SELECT bitsize INTO STRICT v_bitsize FROM "public"."my_cache_partition_metadata" WHERE partition_key = p_partition_key FOR SHARE;
  IF v_needed > v_bitsize THEN
    RETURN v_needed;
  END IF;
  EXECUTE format(v_insert, '$2') USING p_query_hash, "partitioncache".key_bits(v_whole, v_bitsize);
  RETURN NULL;
END
$_$;

COMMENT ON FUNCTION partitioncache.store_keys(p_query_hash text, p_partition_key text, p_keys partitioncache.key_set) IS 'Writes a set into the cache. Returns NULL when it is stored; for a bit cache that is too narrow, stores nothing and returns the bits it needs. Raises 22003 for keys the backend cannot hold.';

CREATE FUNCTION partitioncache.store_unusable(p_query_hash text, p_partition_key text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
BEGIN
  EXECUTE format(
    'INSERT INTO %I.%I (query_hash, partition_keys) VALUES ($1, NULL) '
    'ON CONFLICT (query_hash) DO UPDATE SET partition_keys = NULL',
    'public', "partitioncache".cache_table_name(p_partition_key)) USING p_query_hash;
END
$_$;

COMMENT ON FUNCTION partitioncache.store_unusable(p_query_hash text, p_partition_key text) IS 'Writes NULL into the cache: the clients'' contract for "known, but of no use for filtering".';

CREATE FUNCTION partitioncache.sync_cron() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_transport text := (SELECT transport FROM "partitioncache".deployment);
  v_call text := format('SELECT %I.apply_jobs(%L::jsonb)', 'partitioncache_work_database', "partitioncache".desired_jobs());
  v_applied jsonb;
  v_message text;
BEGIN
  IF NOT EXISTS (SELECT FROM "partitioncache".sync_pending) THEN
    RETURN NULL;
  END IF;
  IF v_transport = 'deploy' THEN
    -- The state of being pending is in the view sync_pending and in pcache-migrate status; this is a courtesy.
    RAISE NOTICE 'pg_cron does not know of this change yet: run pcache-migrate sync';
    RETURN NULL;
  END IF;
  BEGIN
    IF v_transport = 'direct' THEN
      EXECUTE v_call INTO v_applied;
    ELSE
      v_applied := "partitioncache".query_cron_link(v_call);
    END IF;
    PERFORM "partitioncache".mark_synced(v_applied);
  EXCEPTION
    WHEN OTHERS THEN
      -- Stopping must work even if pg_cron cannot be reached: the processors read their row live, so jobs
      -- that go on being started find nothing to do. What is left undone stays visible in sync_pending.
      IF (TG_OP <> 'DELETE' AND NEW.enabled)
         OR EXISTS (SELECT FROM "partitioncache".sync_pending WHERE change <> 'unschedule') THEN
        RAISE;
      END IF;
      GET STACKED DIAGNOSTICS v_message = MESSAGE_TEXT;
      RAISE WARNING 'processor % is stopped, but its jobs could not be unscheduled: %',
        CASE TG_OP WHEN 'DELETE' THEN OLD.job_name ELSE NEW.job_name END, v_message
        USING HINT = 'They do nothing when started. Run pcache-migrate sync when pg_cron can be reached again.';
  END;
  RETURN NULL;
END
$$;

COMMENT ON FUNCTION partitioncache.sync_cron() IS 'Trigger function: makes pg_cron''s jobs follow the configuration, by the transport of the deployment. Raises what pg_cron raised, except when a processor is disabled or removed and all that is left to do is to unschedule.';

CREATE FUNCTION partitioncache.validate_processor_config() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_deployment "partitioncache".deployment;
BEGIN
  SELECT * INTO STRICT v_deployment FROM "partitioncache".deployment;
  IF (NEW.table_prefix, NEW.queue_prefix, NEW.cache_backend)
     IS DISTINCT FROM (v_deployment.table_prefix, v_deployment.queue_prefix, v_deployment.cache_backend) THEN
    RAISE EXCEPTION 'processor % names queue %, cache % (%), but this deployment serves queue %, cache % (%)',
      NEW.job_name, NEW.queue_prefix, NEW.table_prefix, NEW.cache_backend,
      v_deployment.queue_prefix, v_deployment.table_prefix, v_deployment.cache_backend
      USING ERRCODE = 'check_violation',
            HINT = 'Another queue or cache is a deployment of its own: give it its own PCACHE_SCHEMA and run pcache-migrate setup.';
  END IF;
  -- A row restored from a dump of another database means this one: jobs never run anywhere else.
  NEW.target_database := current_database();
  NEW.updated_at := now();
  RETURN NEW;
END
$$;

COMMENT ON FUNCTION partitioncache.validate_processor_config() IS 'Trigger function: refuses a processor for tables this deployment does not serve; sets target_database and updated_at.';

CREATE FUNCTION partitioncache.widen_bit_cache() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF NEW.bitsize < OLD.bitsize THEN
    RAISE EXCEPTION 'bitsize of partition key "%" cannot shrink from % to %: keys would be lost',
      NEW.partition_key, OLD.bitsize, NEW.bitsize USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.bitsize > OLD.bitsize THEN
    PERFORM "partitioncache".alter_bit_cache(NEW.partition_key, NEW.bitsize);
  END IF;
  RETURN NEW;
END
$$;

COMMENT ON FUNCTION partitioncache.widen_bit_cache() IS 'Trigger function: widens the cache table of a partition key when its bitsize is raised, rows kept. Raises 23514 when it would shrink.';

CREATE FUNCTION partitioncache.widen_for_claim(p_queue_id integer, p_bits integer, p_job_name text, p_source text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_claim "partitioncache".claim;
  v_message text;
BEGIN
  -- The row lock keeps the watchdog away: it cancels fragments, not this.
  SELECT * INTO STRICT v_claim FROM "partitioncache".claim WHERE queue_id = p_queue_id FOR UPDATE;
  BEGIN
    -- The clients' reads queue up behind a waiting ALTER TABLE: give up soon and try again later.
    PERFORM set_config('lock_timeout', '2s', true);
    PERFORM "partitioncache".widen_partition(v_claim.partition_key, p_bits);
    RETURN NULL;
  EXCEPTION
    WHEN lock_not_available OR deadlock_detected THEN
      PERFORM "partitioncache".put_back(v_claim, p_job_name, p_source, 'the bit cache is in use and could not be widened', '5 s');
      RETURN 'put_back';
    WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS v_message = MESSAGE_TEXT;
      PERFORM "partitioncache".settle(v_claim, p_job_name, p_source, 'failed', 'failed',
        format('the bit cache could not be widened to %s bits: %s', p_bits, v_message), NULL);
      RETURN 'failed';
  END;
END
$$;

COMMENT ON FUNCTION partitioncache.widen_for_claim(p_queue_id integer, p_bits integer, p_job_name text, p_source text) IS 'Widens the bit cache for a claimed fragment and returns NULL, or how the fragment ended when that was not possible: put_back or failed.';

CREATE FUNCTION partitioncache.widen_partition(p_partition_key text, p_bits integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_bits integer;
BEGIN
  -- A client whose role owns the metadata adds a trigger of its own there, which refuses to widen what has rows.
  ALTER TABLE "public"."my_cache_partition_metadata" DISABLE TRIGGER USER;
  -- At least twofold, so that a growing key space costs few rewrites.
  UPDATE "public"."my_cache_partition_metadata"
  SET bitsize = greatest(p_bits, least(bitsize::bigint * 2, 83886080)::integer)
  WHERE partition_key = p_partition_key AND bitsize < p_bits
  RETURNING bitsize INTO v_bits;
  IF v_bits IS NOT NULL THEN
    PERFORM "partitioncache".alter_bit_cache(p_partition_key, v_bits);
  END IF;
  ALTER TABLE "public"."my_cache_partition_metadata" ENABLE TRIGGER USER;
END
$$;

COMMENT ON FUNCTION partitioncache.widen_partition(p_partition_key text, p_bits integer) IS 'Widens the bit cache of a partition key to p_bits or more; does nothing when it is wide enough. Locks the cache table exclusively.';

CREATE PROCEDURE partitioncache.work_on_claim(IN p_queue_id integer, IN p_job_name text, IN p_slot integer, IN p_source text, INOUT p_outcome text DEFAULT NULL::text)
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_go boolean;
  v_bits integer;
BEGIN
  v_go := "partitioncache".start_claim(p_queue_id, p_job_name, p_slot);
  COMMIT;
  IF NOT v_go THEN
    p_outcome := 'cancelled';
    RETURN;
  END IF;
  LOOP
    p_outcome := "partitioncache".process_claim(p_queue_id, p_job_name, p_source);
    COMMIT;
    v_bits := "partitioncache".bits_to_widen(p_outcome);
    EXIT WHEN v_bits IS NULL;
    -- In a transaction of its own: the lock it takes must not be held while a fragment is evaluated.
    p_outcome := "partitioncache".widen_for_claim(p_queue_id, v_bits, p_job_name, p_source);
    COMMIT;
    EXIT WHEN p_outcome IS NOT NULL;
  END LOOP;
END
$$;

COMMENT ON PROCEDURE partitioncache.work_on_claim(IN p_queue_id integer, IN p_job_name text, IN p_slot integer, IN p_source text, INOUT p_outcome text) IS 'Works on one claimed fragment, with a COMMIT before and after. p_outcome says how it ended; cancelled means that the run shall end.';

CREATE FUNCTION public.non_blocking_fragment_queue_batch_upsert(p_hashes text[], p_partition_keys text[], p_partition_datatypes text[], p_queries text[]) RETURNS TABLE(idx integer, hash text, partition_key text, status text)
    LANGUAGE sql
    SET search_path TO 'public', 'pg_temp'
    AS $$
  SELECT * FROM non_blocking_fragment_queue_batch_upsert(
    p_hashes, p_partition_keys, p_partition_datatypes, p_queries, NULL::integer[], 'partitioncache_fragmentqueue'::text)
$$;

COMMENT ON FUNCTION public.non_blocking_fragment_queue_batch_upsert(p_hashes text[], p_partition_keys text[], p_partition_datatypes text[], p_queries text[]) IS 'As the function with six parameters, with priority 1 and the default queue table. Clients'' contract.';

CREATE FUNCTION public.non_blocking_fragment_queue_batch_upsert(p_hashes text[], p_partition_keys text[], p_partition_datatypes text[], p_queries text[], p_priorities integer[] DEFAULT NULL::integer[], p_queue_table text DEFAULT 'partitioncache_fragmentqueue'::text) RETURNS TABLE(idx integer, hash text, partition_key text, status text)
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $_$
#variable_conflict use_column
DECLARE
  v_count integer := coalesce(cardinality(p_hashes), 0);
BEGIN
  IF coalesce(cardinality(p_partition_keys), 0) <> v_count OR coalesce(cardinality(p_queries), 0) <> v_count
     OR coalesce(cardinality(p_partition_datatypes), 0) <> v_count
     OR (p_priorities IS NOT NULL AND cardinality(p_priorities) <> v_count) THEN
    RAISE EXCEPTION 'all arrays must have the length of p_hashes (%): p_partition_keys has %, p_partition_datatypes %, p_queries %, p_priorities %',
      v_count, cardinality(p_partition_keys), cardinality(p_partition_datatypes), cardinality(p_queries), cardinality(p_priorities)
      USING ERRCODE = 'array_subscript_error';
  END IF;
  -- Set-based. Batches that overlap cannot deadlock: all insert in the same order, and what follows does not wait.
  RETURN QUERY EXECUTE format($batch$
    WITH given AS (
      SELECT item.position::integer AS position, item.hash, item.partition_key, item.datatype, item.query,
             coalesce(item.priority, 1) AS priority
      FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS item (hash, partition_key, datatype, query, priority, position)
    ),
    wanted AS (
      SELECT DISTINCT ON (hash, partition_key) * FROM given ORDER BY hash, partition_key, priority DESC, position
    ),
    present AS (
      SELECT queue.id, wanted.hash, wanted.partition_key, wanted.priority
      FROM %1$I AS queue JOIN wanted ON queue.hash = wanted.hash AND queue.partition_key = wanted.partition_key
    ),
    inserted AS (
      INSERT INTO %1$I AS queue (hash, partition_key, partition_datatype, query, priority)
      SELECT wanted.hash, wanted.partition_key, wanted.datatype, wanted.query, wanted.priority
      FROM wanted LEFT JOIN present USING (hash, partition_key)
      WHERE present.id IS NULL
      ORDER BY wanted.hash, wanted.partition_key
      ON CONFLICT (hash, partition_key) DO NOTHING
      RETURNING queue.hash, queue.partition_key
    ),
    free AS (
      SELECT queue.id, present.priority
      FROM %1$I AS queue JOIN present ON present.id = queue.id
      WHERE (SELECT count(*) FROM inserted) >= 0 -- not before the inserts
      FOR UPDATE OF queue SKIP LOCKED
    ),
    updated AS (
      UPDATE %1$I AS queue SET priority = greatest(least(queue.priority, 2147483646) + 1, free.priority), updated_at = now()
      FROM free WHERE queue.id = free.id
      RETURNING queue.id
    )
    SELECT given.position, given.hash, given.partition_key,
           CASE WHEN inserted.hash IS NOT NULL THEN 'inserted'
                WHEN updated.id IS NOT NULL THEN 'updated'
                WHEN present.id IS NOT NULL THEN 'skipped_locked'
                ELSE 'skipped_concurrent' END
    FROM given
    LEFT JOIN inserted ON inserted.hash = given.hash AND inserted.partition_key = given.partition_key
    LEFT JOIN present ON present.hash = given.hash AND present.partition_key = given.partition_key
    LEFT JOIN updated ON updated.id = present.id
    ORDER BY given.position
  $batch$, p_queue_table)
  USING p_hashes, p_partition_keys, p_partition_datatypes, p_queries, p_priorities;
END
$_$;

COMMENT ON FUNCTION public.non_blocking_fragment_queue_batch_upsert(p_hashes text[], p_partition_keys text[], p_partition_datatypes text[], p_queries text[], p_priorities integer[], p_queue_table text) IS 'Queues many fragments in one statement; one row for each, idx from 1, status as non_blocking_fragment_queue_upsert. Raises 2202E when the arrays differ in length. Clients'' contract.';

CREATE FUNCTION public.non_blocking_fragment_queue_upsert(p_hash text, p_partition_key text, p_partition_datatype text, p_query text, p_priority integer DEFAULT 1, p_queue_table text DEFAULT 'partitioncache_fragmentqueue'::text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $_$
DECLARE
  v_id integer;
  v_status text;
BEGIN
  EXECUTE format('SELECT id FROM %I WHERE hash = $1 AND partition_key = $2 FOR UPDATE SKIP LOCKED', p_queue_table)
    INTO v_id USING p_hash, p_partition_key;
  IF v_id IS NOT NULL THEN
    EXECUTE format(
      'UPDATE %I SET priority = greatest(least(priority, 2147483646) + 1, $2), updated_at = now() WHERE id = $1', p_queue_table)
      USING v_id, p_priority;
    RETURN 'updated';
  END IF;
  EXECUTE format($upsert$
    WITH present AS (
      SELECT FROM %1$I WHERE hash = $1 AND partition_key = $2
    ),
    inserted AS (
      INSERT INTO %1$I (hash, partition_key, partition_datatype, query, priority)
      SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (SELECT FROM present)
      ON CONFLICT (hash, partition_key) DO NOTHING
      RETURNING id
    )
    SELECT CASE WHEN EXISTS (SELECT FROM inserted) THEN 'inserted'
                WHEN EXISTS (SELECT FROM present) THEN 'skipped_locked'
                ELSE 'skipped_concurrent' END
  $upsert$, p_queue_table)
    INTO v_status USING p_hash, p_partition_key, p_partition_datatype, p_query, coalesce(p_priority, 1);
  RETURN v_status;
END
$_$;

COMMENT ON FUNCTION public.non_blocking_fragment_queue_upsert(p_hash text, p_partition_key text, p_partition_datatype text, p_query text, p_priority integer, p_queue_table text) IS 'Queues a fragment, or raises its priority when it is queued: inserted, updated, skipped_locked when another session holds its row, or skipped_concurrent when one has just inserted it. Clients'' contract.';

CREATE FUNCTION public.non_blocking_original_queue_upsert(p_query text, p_partition_key text, p_partition_datatype text, p_priority integer DEFAULT 1, p_queue_table text DEFAULT 'partitioncache_originalqueue'::text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $_$
DECLARE
  v_id integer;
  v_status text;
BEGIN
  EXECUTE format('SELECT id FROM %I WHERE query = $1 AND partition_key = $2 FOR UPDATE SKIP LOCKED', p_queue_table)
    INTO v_id USING p_query, p_partition_key;
  IF v_id IS NOT NULL THEN
    EXECUTE format(
      'UPDATE %I SET priority = greatest(least(priority, 2147483646) + 1, $2), updated_at = now() WHERE id = $1', p_queue_table)
      USING v_id, p_priority;
    RETURN 'updated';
  END IF;
  EXECUTE format($upsert$
    WITH present AS (
      SELECT FROM %1$I WHERE query = $1 AND partition_key = $2
    ),
    inserted AS (
      INSERT INTO %1$I (query, partition_key, partition_datatype, priority)
      SELECT $1, $2, $3, $4 WHERE NOT EXISTS (SELECT FROM present)
      ON CONFLICT (query, partition_key) DO NOTHING
      RETURNING id
    )
    SELECT CASE WHEN EXISTS (SELECT FROM inserted) THEN 'inserted'
                WHEN EXISTS (SELECT FROM present) THEN 'skipped_locked'
                ELSE 'skipped_concurrent' END
  $upsert$, p_queue_table)
    INTO v_status USING p_query, p_partition_key, p_partition_datatype, coalesce(p_priority, 1);
  RETURN v_status;
END
$_$;

COMMENT ON FUNCTION public.non_blocking_original_queue_upsert(p_query text, p_partition_key text, p_partition_datatype text, p_priority integer, p_queue_table text) IS 'Queues a whole query, or raises its priority when it is queued; status as non_blocking_fragment_queue_upsert. Clients'' contract.';

CREATE FUNCTION public.partitioncache_array_intersect(p_state anyarray, p_next anyarray) RETURNS anyarray
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ SELECT ARRAY(SELECT unnest(p_state) INTERSECT SELECT unnest(p_next) ORDER BY 1) $$;

COMMENT ON FUNCTION public.partitioncache_array_intersect(p_state anyarray, p_next anyarray) IS 'The elements both arrays have, each once, sorted: state function of array_intersect_agg.';

CREATE FUNCTION public.partitioncache_bootstrap_partition(p_table_prefix text, p_partition_key text, p_datatype text, p_cache_backend text, p_bitsize integer DEFAULT NULL::integer) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_deployment record;
BEGIN
  IF p_cache_backend IN ('array', 'bit', 'roaringbit') IS NOT TRUE THEN
    RAISE EXCEPTION 'backend % is not supported by pcache-migrate: it deploys array, bit and roaringbit', p_cache_backend
      USING ERRCODE = 'feature_not_supported';
  END IF;
  v_deployment := "public".partitioncache_find_deployment(p_table_prefix);
  IF p_cache_backend <> v_deployment.cache_backend THEN
    RAISE EXCEPTION 'cache % has backend %, not %', p_table_prefix, v_deployment.cache_backend, p_cache_backend
      USING ERRCODE = 'feature_not_supported',
            HINT = 'Another backend is a deployment of its own, with its own table prefix.';
  END IF;
  EXECUTE format('SELECT %I.bootstrap_partition($1, $2, $3, NULL)', v_deployment.schema_name)
    USING p_partition_key, p_datatype, p_bitsize;
  RETURN true;
END
$_$;

COMMENT ON FUNCTION public.partitioncache_bootstrap_partition(p_table_prefix text, p_partition_key text, p_datatype text, p_cache_backend text, p_bitsize integer) IS 'Makes a partition key ready for use; p_bitsize in bits, for backend bit. True when it is. Clients'' contract.';

CREATE FUNCTION public.partitioncache_cleanup_cached_queue_items(p_queue_prefix text, p_table_prefix text, p_limit integer DEFAULT 50) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $_$
DECLARE
  v_partition_key text;
  v_cache regclass;
  v_count integer;
  v_deleted integer := 0;
BEGIN
  FOR v_partition_key IN
    EXECUTE format('SELECT DISTINCT partition_key FROM %I ORDER BY 1', p_queue_prefix || '_query_fragment_queue')
  LOOP
    v_cache := to_regclass(quote_ident(p_table_prefix || '_cache_' || v_partition_key));
    CONTINUE WHEN v_cache IS NULL;
    -- Status ok is not enough: a set that was evicted since is queued because it is missing.
    EXECUTE format(
      'DELETE FROM %1$I WHERE id IN (SELECT queue.id FROM %1$I AS queue '
      'JOIN %2$I AS known ON known.query_hash = queue.hash AND known.partition_key = queue.partition_key '
      'JOIN %3$s AS cache ON cache.query_hash = queue.hash '
      'WHERE queue.partition_key = $1 AND known.status = ''ok'' '
      'ORDER BY queue.id LIMIT $2 FOR UPDATE OF queue SKIP LOCKED)',
      p_queue_prefix || '_query_fragment_queue', p_table_prefix || '_queries', v_cache)
      USING v_partition_key, p_limit - v_deleted;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    v_deleted := v_deleted + v_count;
  END LOOP;
  RETURN v_deleted;
END
$_$;

COMMENT ON FUNCTION public.partitioncache_cleanup_cached_queue_items(p_queue_prefix text, p_table_prefix text, p_limit integer) IS 'Deletes up to p_limit queued fragments that are cached already. Returns how many. Clients'' contract.';

CREATE FUNCTION public.partitioncache_create_bitsize_trigger(p_table_prefix text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_deployment record := "public".partitioncache_find_deployment(p_table_prefix);
  v_table text := format('%I.%I', 'public', p_table_prefix || '_partition_metadata');
BEGIN
  IF v_deployment.cache_backend <> 'bit' THEN
    RAISE EXCEPTION 'cache % has backend %: only bit has a bitsize', p_table_prefix, v_deployment.cache_backend
      USING ERRCODE = 'feature_not_supported';
  END IF;
  -- The deployment made it; it went with the table where a client has recreated that.
  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = v_table::regclass AND tgname = 'pcache_widen') THEN
    EXECUTE format(
      'CREATE TRIGGER pcache_widen BEFORE UPDATE OF bitsize ON %s FOR EACH ROW EXECUTE FUNCTION %I.widen_bit_cache()',
      v_table, v_deployment.schema_name);
  END IF;
END
$$;

COMMENT ON FUNCTION public.partitioncache_create_bitsize_trigger(p_table_prefix text) IS 'Makes sure that raising bitsize in the metadata widens the cache table and keeps its rows. Clients'' contract.';

CREATE FUNCTION public.partitioncache_deployments() RETURNS TABLE(schema_name name, table_prefix text, cache_backend text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_schema name;
BEGIN
  FOR v_schema IN
    SELECT nspname
    FROM pg_class
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'queue_prefix'
    WHERE relname = 'deployment' AND relkind = 'r'
      AND has_schema_privilege(pg_namespace.oid, 'USAGE') AND has_table_privilege(pg_class.oid, 'SELECT')
    ORDER BY nspname
  LOOP
    RETURN QUERY EXECUTE format(
      'SELECT $1, deployment.table_prefix, deployment.cache_backend FROM %I.deployment WHERE client_schema = $2', v_schema)
      USING v_schema, 'public';
  END LOOP;
END
$_$;

COMMENT ON FUNCTION public.partitioncache_deployments() IS 'The deployments of pcache-migrate that serve this schema and that the current role may use.';

CREATE FUNCTION public.partitioncache_ensure_metadata_tables(p_table_prefix text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
  v_backend text := (SELECT cache_backend FROM "public".partitioncache_find_deployment(p_table_prefix));
BEGIN
  -- The deployment made them; a client may have dropped them since. What is there needs no right to create.
  IF to_regclass(quote_ident(p_table_prefix || '_partition_metadata')) IS NULL THEN
    EXECUTE format(
      'CREATE TABLE %I (partition_key text PRIMARY KEY, datatype text NOT NULL CHECK (%s), created_at timestamp DEFAULT now()%s)',
      p_table_prefix || '_partition_metadata',
      CASE v_backend WHEN 'array' THEN 'datatype IN (''integer'', ''float'', ''text'', ''timestamp'')' ELSE 'datatype = ''integer''' END,
      CASE v_backend WHEN 'bit' THEN ', bitsize integer NOT NULL CHECK (bitsize BETWEEN 1 AND 83886080)' ELSE '' END);
  END IF;
  IF to_regclass(quote_ident(p_table_prefix || '_queries')) IS NULL THEN
    EXECUTE format(
      'CREATE TABLE %I (query_hash text NOT NULL, partition_key text NOT NULL, query text NOT NULL, '
      'status text NOT NULL DEFAULT ''ok'' CHECK (status IN (''ok'', ''timeout'', ''failed'', ''limit'')), '
      'last_seen timestamp NOT NULL DEFAULT now(), PRIMARY KEY (query_hash, partition_key))',
      p_table_prefix || '_queries');
  END IF;
END
$$;

COMMENT ON FUNCTION public.partitioncache_ensure_metadata_tables(p_table_prefix text) IS 'Creates the metadata and queries table of a deployment unless they exist. Clients'' contract.';

CREATE FUNCTION public.partitioncache_find_deployment(p_table_prefix text, OUT schema_name name, OUT cache_backend text) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  SELECT deployment.schema_name, deployment.cache_backend INTO schema_name, cache_backend
  FROM "public".partitioncache_deployments() AS deployment
  WHERE deployment.table_prefix = p_table_prefix;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no deployment of pcache-migrate in database % has table_prefix "%" (or % may not use it)',
      current_database(), p_table_prefix, current_user
      USING ERRCODE = 'undefined_object',
            HINT = 'Deploy it with pcache-migrate setup, and name this role in PG_QUEUE_USER.';
  END IF;
END
$$;

COMMENT ON FUNCTION public.partitioncache_find_deployment(p_table_prefix text, OUT schema_name name, OUT cache_backend text) IS 'Schema and backend of the deployment whose cache tables have this prefix. Raises 42704 when there is none.';

CREATE FUNCTION public.partitioncache_get_cache_table_name(p_table_prefix text, p_partition_key text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ SELECT p_table_prefix || '_cache_' || p_partition_key $$;

COMMENT ON FUNCTION public.partitioncache_get_cache_table_name(p_table_prefix text, p_partition_key text) IS 'Unquoted name of the cache table of a partition key. Clients'' contract.';

CREATE FUNCTION public.partitioncache_get_metadata_table_name(p_table_prefix text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ SELECT p_table_prefix || '_partition_metadata' $$;

COMMENT ON FUNCTION public.partitioncache_get_metadata_table_name(p_table_prefix text) IS 'Unquoted name of the table of partition keys. Clients'' contract.';

CREATE FUNCTION public.partitioncache_get_queries_table_name(p_table_prefix text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ SELECT p_table_prefix || '_queries' $$;

COMMENT ON FUNCTION public.partitioncache_get_queries_table_name(p_table_prefix text) IS 'Unquoted name of the table of known fragments. Clients'' contract.';

CREATE FUNCTION public.partitioncache_get_queue_and_cache_info(p_table_prefix text, p_queue_prefix text) RETURNS TABLE(partition_key text, cache_table_name text, cache_architecture text, cache_column_type text, bitsize integer, partition_datatype text, queue_items integer, last_cache_update timestamp without time zone, cache_exists boolean)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'public', 'pg_temp'
    AS $_$
#variable_conflict use_column
DECLARE
  v_bitsize text := CASE WHEN EXISTS (
      SELECT FROM pg_attribute
      WHERE attrelid = to_regclass(quote_ident(p_table_prefix || '_partition_metadata')) AND attname = 'bitsize')
    THEN 'metadata.bitsize' ELSE 'NULL::integer' END;
BEGIN
  RETURN QUERY EXECUTE format($info$
    SELECT keys.partition_key,
           $1 || '_cache_' || keys.partition_key,
           -- Never NULL: clients print it with a width, which Python refuses for None.
           CASE WHEN cache_column.type IS NULL THEN 'not_created'
                WHEN cache_column.type LIKE 'bit%%' THEN 'bit'
                WHEN cache_column.type LIKE '%%roaringbitmap' THEN 'roaringbit'
                WHEN cache_column.type LIKE '%%[]' THEN 'array'
                ELSE 'unknown' END,
           cache_column.type,
           %3$s,
           coalesce(metadata.datatype,
                    (SELECT max(queue.partition_datatype) FROM %2$I AS queue WHERE queue.partition_key = keys.partition_key)),
           (SELECT count(*)::integer FROM %2$I AS queue WHERE queue.partition_key = keys.partition_key),
           (SELECT max(last_seen) FROM %4$I AS known WHERE known.partition_key = keys.partition_key AND known.status = 'ok'),
           cache_column.type IS NOT NULL
    FROM (SELECT partition_key FROM %1$I UNION SELECT partition_key FROM %2$I) AS keys
    LEFT JOIN %1$I AS metadata ON metadata.partition_key = keys.partition_key
    LEFT JOIN LATERAL (
      SELECT format_type(atttypid, atttypmod) AS type
      FROM pg_attribute
      WHERE attrelid = to_regclass(quote_ident($1 || '_cache_' || keys.partition_key)) AND attname = 'partition_keys'
    ) AS cache_column ON true
    ORDER BY keys.partition_key
  $info$, p_table_prefix || '_partition_metadata', p_queue_prefix || '_query_fragment_queue', v_bitsize,
          p_table_prefix || '_queries')
  USING p_table_prefix;
END
$_$;

COMMENT ON FUNCTION public.partitioncache_get_queue_and_cache_info(p_table_prefix text, p_queue_prefix text) IS 'One row for each partition key that is cached or queued. Clients'' contract.';

CREATE FUNCTION public.partitioncache_manual_process_queue(p_count integer DEFAULT 100, p_job_name text DEFAULT NULL::text) RETURNS TABLE(processed_count integer, message text)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_schema name;
  v_found_schema name;
  v_job_name text;
  v_found_job_name text;
BEGIN
  FOR v_schema IN
    SELECT schema_name
    FROM "public".partitioncache_deployments()
    -- One that is being deployed or rolled back at this moment has no processor to offer.
    WHERE to_regprocedure(format('%I.processor_named(text)', schema_name)) IS NOT NULL
  LOOP
    EXECUTE format('SELECT %I.processor_named($1)', v_schema) INTO v_job_name USING p_job_name;
    IF v_job_name IS NOT NULL AND v_found_schema IS NOT NULL THEN
      RAISE EXCEPTION 'both deployment % and deployment % have such a processor', v_found_schema, v_schema
        USING ERRCODE = 'ambiguous_parameter',
              HINT = 'Give p_job_name a name that only one of them has; SELECT job_name FROM <queue prefix>_processor_config shows the names.';
    END IF;
    IF v_job_name IS NOT NULL THEN
      v_found_schema := v_schema;
      v_found_job_name := v_job_name;
    END IF;
  END LOOP;
  IF v_found_schema IS NULL THEN
    RAISE EXCEPTION 'there is no processor %', coalesce('"' || p_job_name || '"', 'in this database')
      USING ERRCODE = 'no_data_found', HINT = 'Create one with pcache-migrate setup or pcache-migrate processor add.';
  END IF;
  EXECUTE format('SELECT %I.process_batch($1, $2)', v_found_schema) INTO processed_count USING v_found_job_name, p_count;
  message := format('%s fragments processed by %s', processed_count, v_found_job_name);
  RETURN NEXT;
END
$_$;

COMMENT ON FUNCTION public.partitioncache_manual_process_queue(p_count integer, p_job_name text) IS 'Works on up to p_count queued fragments by hand, even if the processor is disabled. Clients'' contract.';

CREATE FUNCTION public.partitioncache_setup_array_extensions() RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
  IF to_regprocedure('array_intersect_agg(anyarray)') IS NULL THEN
    CREATE AGGREGATE array_intersect_agg(anyarray) (SFUNC = partitioncache_array_intersect, STYPE = anyarray);
  END IF;
  IF EXISTS (SELECT FROM pg_extension WHERE extname = 'intarray') THEN
    RETURN true;
  END IF;
  BEGIN
    CREATE EXTENSION IF NOT EXISTS intarray;
    RETURN true;
  EXCEPTION
    -- The answer says it: without the package or the right to create it, there is no intarray.
    WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
      RETURN false;
  END;
END
$$;

COMMENT ON FUNCTION public.partitioncache_setup_array_extensions() IS 'Whether the extension intarray is present, created if that is possible; makes sure of the aggregate array_intersect_agg. Clients'' contract.';

CREATE AGGREGATE public.array_intersect_agg(anyarray) (
    SFUNC = public.partitioncache_array_intersect,
    STYPE = anyarray
);

CREATE VIEW partitioncache.active_items AS
 SELECT job_name,
    slot,
    query_hash,
    partition_key,
    pid,
    started_at,
    running_for
   FROM partitioncache.active_item_rows() active_item_rows(job_name, slot, query_hash, partition_key, pid, started_at, running_for);

COMMENT ON VIEW partitioncache.active_items IS 'What the slots are working on at this moment, and since when.';

CREATE TABLE partitioncache.applied_job (
    job_name text NOT NULL,
    schedule text NOT NULL,
    command text NOT NULL,
    job_id bigint NOT NULL
);

COMMENT ON TABLE partitioncache.applied_job IS 'The pg_cron jobs of this deployment as they were last applied. pcache-migrate status compares with pg_cron itself.';

CREATE TABLE partitioncache.attempt (
    query_hash text NOT NULL,
    partition_key text NOT NULL,
    attempts integer NOT NULL,
    not_before timestamp with time zone NOT NULL,
    last_error text NOT NULL
);

COMMENT ON TABLE partitioncache.attempt IS 'Queued fragments whose last attempt ended without a result: how often, why, and when the next one is due.';

CREATE TABLE partitioncache.created_extension (
    extension_name text NOT NULL
);

COMMENT ON TABLE partitioncache.created_extension IS 'Extensions this deployment created, or another one that is gone by now, and so may drop again.';

CREATE TABLE partitioncache.deployment (
    only_row boolean DEFAULT true NOT NULL,
    work_database text NOT NULL,
    client_schema text NOT NULL,
    queue_prefix text NOT NULL,
    table_prefix text NOT NULL,
    cache_backend text NOT NULL,
    cron_schema text NOT NULL,
    cron_role text NOT NULL,
    client_role text NOT NULL,
    transport text DEFAULT 'deploy'::text NOT NULL,
    pg_cron_version text,
    CONSTRAINT deployment_cache_backend_check CHECK ((cache_backend = ANY (ARRAY['array'::text, 'bit'::text, 'roaringbit'::text]))),
    CONSTRAINT deployment_only_row_check CHECK (only_row),
    CONSTRAINT deployment_transport_check CHECK ((transport = ANY (ARRAY['deploy'::text, 'direct'::text, 'link'::text])))
);

COMMENT ON TABLE partitioncache.deployment IS 'The deployment this schema belongs to (one row). Written by pcache-migrate; not for editing by hand.';

COMMENT ON COLUMN partitioncache.deployment.transport IS 'How a change of the processor configuration reaches pg_cron. deploy: pcache-migrate sync applies it; direct: the sync_cron trigger calls pg_cron in this database; link: the trigger calls it over dblink.';

COMMENT ON COLUMN partitioncache.deployment.pg_cron_version IS 'Version of the extension pg_cron when the cron stream was last deployed; NULL before. It decides whether a schedule can be given in seconds (1.5 and later).';

CREATE TABLE partitioncache.migrations (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    run_on timestamp without time zone NOT NULL
);

CREATE SEQUENCE partitioncache.migrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE partitioncache.migrations_id_seq OWNED BY partitioncache.migrations.id;

CREATE VIEW partitioncache.processor_status AS
 SELECT job_name,
    enabled,
    max_parallel_jobs,
    frequency_seconds,
    timeout_seconds,
    result_limit,
    default_bitsize,
    queued,
    active,
    registered_jobs,
    succeeded_last_hour,
    failed_last_hour,
    last_success
   FROM partitioncache.processor_status_rows() processor_status_rows(job_name, enabled, max_parallel_jobs, frequency_seconds, timeout_seconds, result_limit, default_bitsize, queued, active, registered_jobs, succeeded_last_hour, failed_last_hour, last_success);

COMMENT ON VIEW partitioncache.processor_status IS 'Each processor with its settings, the queue''s length, what it works on and what came of the last hour.';

CREATE TABLE partitioncache.settings (
    only_row boolean DEFAULT true NOT NULL,
    batch_size integer DEFAULT 50 NOT NULL,
    max_attempts integer DEFAULT 3 NOT NULL,
    retry_backoff_seconds integer DEFAULT 300 NOT NULL,
    log_retention_days integer DEFAULT 30 NOT NULL,
    run_retention_days integer DEFAULT 7 NOT NULL,
    CONSTRAINT settings_batch_size_check CHECK (((batch_size >= 1) AND (batch_size <= 10000))),
    CONSTRAINT settings_log_retention_days_check CHECK ((log_retention_days > 0)),
    CONSTRAINT settings_max_attempts_check CHECK ((max_attempts > 0)),
    CONSTRAINT settings_only_row_check CHECK (only_row),
    CONSTRAINT settings_retry_backoff_seconds_check CHECK ((retry_backoff_seconds >= 0)),
    CONSTRAINT settings_run_retention_days_check CHECK ((run_retention_days > 0))
);

COMMENT ON TABLE partitioncache.settings IS 'Settings of the processor beyond the clients'' configuration table (one row, read live by every run).';

COMMENT ON COLUMN partitioncache.settings.batch_size IS 'How many fragments a run claims at once.';

COMMENT ON COLUMN partitioncache.settings.max_attempts IS 'After how many runs that died while working on a fragment it is set aside as failed.';

COMMENT ON COLUMN partitioncache.settings.retry_backoff_seconds IS 'For how many seconds after a failure, a timeout or an exceeded limit a fragment queued again waits.';

COMMENT ON COLUMN partitioncache.settings.log_retention_days IS 'For how many days rows of the processor log are kept.';

COMMENT ON COLUMN partitioncache.settings.run_retention_days IS 'For how many days pg_cron''s run history of our jobs is kept (takes effect with the next sync).';

CREATE TABLE partitioncache.slot (
    lock_key integer NOT NULL,
    job_name text NOT NULL,
    slot integer NOT NULL,
    next_due timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    CONSTRAINT slot_slot_check CHECK ((slot >= 0))
);

COMMENT ON TABLE partitioncache.slot IS 'The slots in which processors run. A run holds the advisory lock (oid of our schema, lock_key) for as long as it lasts; slot 0 is for runs by hand.';

COMMENT ON COLUMN partitioncache.slot.next_due IS 'When the slot shall look at the queue again: how frequencies that no cron schedule expresses are kept.';

ALTER TABLE partitioncache.slot ALTER COLUMN lock_key ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME partitioncache.slot_lock_key_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW partitioncache.sync_pending AS
 SELECT COALESCE(desired.job_name, applied.job_name) AS job_name,
        CASE
            WHEN (applied.job_name IS NULL) THEN 'schedule'::text
            WHEN (desired.job_name IS NULL) THEN 'unschedule'::text
            ELSE 'alter'::text
        END AS change,
    desired.schedule AS desired_schedule,
    applied.schedule AS applied_schedule
   FROM (jsonb_to_recordset(partitioncache.desired_jobs()) desired(job_name text, schedule text, command text)
     FULL JOIN partitioncache.applied_job applied ON ((applied.job_name = desired.job_name)))
  WHERE ((desired.schedule IS DISTINCT FROM applied.schedule) OR (desired.command IS DISTINCT FROM applied.command));

COMMENT ON VIEW partitioncache.sync_pending IS 'Changes of the configuration that pg_cron has not been told yet: run pcache-migrate sync.';

CREATE TABLE public.my_cache_partition_metadata (
    partition_key text NOT NULL,
    datatype text NOT NULL,
    created_at timestamp without time zone DEFAULT now(),
    CONSTRAINT my_cache_partition_metadata_datatype_check CHECK ((datatype = ANY (ARRAY['integer'::text, 'float'::text, 'text'::text, 'timestamp'::text])))
);

COMMENT ON TABLE public.my_cache_partition_metadata IS 'The partition keys that have a cache table, and the datatype of their keys.';

CREATE TABLE public.my_cache_queries (
    query_hash text NOT NULL,
    partition_key text NOT NULL,
    query text NOT NULL,
    status text DEFAULT 'ok'::text NOT NULL,
    last_seen timestamp without time zone DEFAULT now() NOT NULL,
    CONSTRAINT my_cache_queries_status_check CHECK ((status = ANY (ARRAY['ok'::text, 'timeout'::text, 'failed'::text, 'limit'::text])))
);

COMMENT ON TABLE public.my_cache_queries IS 'How each known fragment ended: ok (its set is in the cache), timeout, failed, or limit (more keys than result_limit).';

CREATE TABLE public.partitioncache_queue_active_jobs (
    query_hash text NOT NULL,
    partition_key text NOT NULL,
    job_id text NOT NULL,
    pid integer,
    started_at timestamp without time zone,
    query text NOT NULL,
    partition_datatype text
);

COMMENT ON TABLE public.partitioncache_queue_active_jobs IS 'What is being worked on at this moment, for display. The claims themselves are in our own schema.';

CREATE TABLE public.partitioncache_queue_original_query_queue (
    id integer NOT NULL,
    query text NOT NULL,
    partition_key text NOT NULL,
    partition_datatype text,
    priority integer DEFAULT 1 NOT NULL,
    created_at timestamp without time zone DEFAULT now(),
    updated_at timestamp without time zone DEFAULT now()
);

COMMENT ON TABLE public.partitioncache_queue_original_query_queue IS 'Whole queries that wait for a PartitionCache client to cut them into fragments.';

CREATE SEQUENCE public.partitioncache_queue_original_query_queue_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.partitioncache_queue_original_query_queue_id_seq OWNED BY public.partitioncache_queue_original_query_queue.id;

CREATE TABLE public.partitioncache_queue_processor_config (
    job_name text NOT NULL,
    enabled boolean DEFAULT false NOT NULL,
    max_parallel_jobs integer DEFAULT 5 NOT NULL,
    frequency_seconds integer DEFAULT 1 NOT NULL,
    timeout_seconds integer DEFAULT 1800 NOT NULL,
    stale_after_seconds integer DEFAULT 3600 NOT NULL,
    table_prefix text NOT NULL,
    queue_prefix text NOT NULL,
    cache_backend text NOT NULL,
    target_database text NOT NULL,
    result_limit integer,
    default_bitsize integer,
    job_ids bigint[] DEFAULT '{}'::bigint[],
    updated_at timestamp without time zone DEFAULT now(),
    CONSTRAINT partitioncache_queue_processor_config_default_bitsize_check CHECK ((default_bitsize > 0)),
    CONSTRAINT partitioncache_queue_processor_config_frequency_seconds_check CHECK ((frequency_seconds > 0)),
    CONSTRAINT partitioncache_queue_processor_config_max_parallel_jobs_check CHECK (((max_parallel_jobs >= 1) AND (max_parallel_jobs <= 20))),
    CONSTRAINT partitioncache_queue_processor_config_result_limit_check CHECK ((result_limit > 0)),
    CONSTRAINT partitioncache_queue_processor_config_timeout_seconds_check CHECK ((timeout_seconds > 0))
);

COMMENT ON TABLE public.partitioncache_queue_processor_config IS 'The processors of this queue. Running processors read their row live: between batches and before each item.';

CREATE TABLE public.partitioncache_queue_processor_log (
    id integer NOT NULL,
    job_id text NOT NULL,
    query_hash text NOT NULL,
    partition_key text NOT NULL,
    status text NOT NULL,
    error_message text,
    rows_affected integer,
    execution_time_ms numeric(10,3),
    execution_source text,
    created_at timestamp without time zone DEFAULT now(),
    CONSTRAINT partitioncache_queue_processor_log_execution_source_check CHECK ((execution_source = ANY (ARRAY['cron'::text, 'manual'::text, 'unknown'::text]))),
    CONSTRAINT partitioncache_queue_processor_log_status_check CHECK ((status = ANY (ARRAY['started'::text, 'success'::text, 'failed'::text, 'timeout'::text, 'skipped'::text])))
);

COMMENT ON TABLE public.partitioncache_queue_processor_log IS 'One row for each settled fragment. execution_time_ms holds 9,999,999.999 for anything longer.';

CREATE SEQUENCE public.partitioncache_queue_processor_log_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.partitioncache_queue_processor_log_id_seq OWNED BY public.partitioncache_queue_processor_log.id;

CREATE TABLE public.partitioncache_queue_query_fragment_queue (
    id integer NOT NULL,
    query text NOT NULL,
    hash text NOT NULL,
    partition_key text NOT NULL,
    partition_datatype text,
    priority integer DEFAULT 1 NOT NULL,
    created_at timestamp without time zone DEFAULT now(),
    updated_at timestamp without time zone DEFAULT now()
);

COMMENT ON TABLE public.partitioncache_queue_query_fragment_queue IS 'Query fragments that wait for the processor: each becomes a set of partition keys in the cache.';

CREATE SEQUENCE public.partitioncache_queue_query_fragment_queue_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.partitioncache_queue_query_fragment_queue_id_seq OWNED BY public.partitioncache_queue_query_fragment_queue.id;

ALTER TABLE ONLY partitioncache.migrations ALTER COLUMN id SET DEFAULT nextval('partitioncache.migrations_id_seq'::regclass);

ALTER TABLE ONLY public.partitioncache_queue_original_query_queue ALTER COLUMN id SET DEFAULT nextval('public.partitioncache_queue_original_query_queue_id_seq'::regclass);

ALTER TABLE ONLY public.partitioncache_queue_processor_log ALTER COLUMN id SET DEFAULT nextval('public.partitioncache_queue_processor_log_id_seq'::regclass);

ALTER TABLE ONLY public.partitioncache_queue_query_fragment_queue ALTER COLUMN id SET DEFAULT nextval('public.partitioncache_queue_query_fragment_queue_id_seq'::regclass);

ALTER TABLE ONLY partitioncache.applied_job
    ADD CONSTRAINT applied_job_pkey PRIMARY KEY (job_name);

ALTER TABLE ONLY partitioncache.attempt
    ADD CONSTRAINT attempt_pkey PRIMARY KEY (query_hash, partition_key);

ALTER TABLE ONLY partitioncache.claim
    ADD CONSTRAINT claim_pkey PRIMARY KEY (queue_id);

ALTER TABLE ONLY partitioncache.claim
    ADD CONSTRAINT claim_query_hash_partition_key_key UNIQUE (query_hash, partition_key);

ALTER TABLE ONLY partitioncache.created_extension
    ADD CONSTRAINT created_extension_pkey PRIMARY KEY (extension_name);

ALTER TABLE ONLY partitioncache.deployment
    ADD CONSTRAINT deployment_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY partitioncache.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY partitioncache.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY partitioncache.slot
    ADD CONSTRAINT slot_job_name_slot_key UNIQUE (job_name, slot);

ALTER TABLE ONLY partitioncache.slot
    ADD CONSTRAINT slot_pkey PRIMARY KEY (lock_key);

ALTER TABLE ONLY public.my_cache_partition_metadata
    ADD CONSTRAINT my_cache_partition_metadata_pkey PRIMARY KEY (partition_key);

ALTER TABLE ONLY public.my_cache_queries
    ADD CONSTRAINT my_cache_queries_pkey PRIMARY KEY (query_hash, partition_key);

ALTER TABLE ONLY public.partitioncache_queue_active_jobs
    ADD CONSTRAINT partitioncache_queue_active_jobs_pkey PRIMARY KEY (query_hash, partition_key);

ALTER TABLE ONLY public.partitioncache_queue_original_query_queue
    ADD CONSTRAINT partitioncache_queue_original_query_que_query_partition_key_key UNIQUE (query, partition_key);

ALTER TABLE ONLY public.partitioncache_queue_original_query_queue
    ADD CONSTRAINT partitioncache_queue_original_query_queue_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.partitioncache_queue_processor_config
    ADD CONSTRAINT partitioncache_queue_processor_config_pkey PRIMARY KEY (job_name);

ALTER TABLE ONLY public.partitioncache_queue_processor_log
    ADD CONSTRAINT partitioncache_queue_processor_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.partitioncache_queue_query_fragment_queue
    ADD CONSTRAINT partitioncache_queue_query_fragment_queu_hash_partition_key_key UNIQUE (hash, partition_key);

ALTER TABLE ONLY public.partitioncache_queue_query_fragment_queue
    ADD CONSTRAINT partitioncache_queue_query_fragment_queue_pkey PRIMARY KEY (id);

CREATE INDEX partitioncache_queue_original_query_queue_priority_id_idx ON public.partitioncache_queue_original_query_queue USING btree (priority DESC, id);

CREATE INDEX partitioncache_queue_processor_log_created_at_idx ON public.partitioncache_queue_processor_log USING btree (created_at);

CREATE INDEX partitioncache_queue_query_fragment_queue_priority_id_idx ON public.partitioncache_queue_query_fragment_queue USING btree (priority DESC, id);

CREATE TRIGGER pcache_notify AFTER INSERT OR UPDATE ON public.partitioncache_queue_original_query_queue FOR EACH STATEMENT EXECUTE FUNCTION partitioncache.notify_queue('original_query_available');

CREATE TRIGGER pcache_notify AFTER INSERT OR UPDATE ON public.partitioncache_queue_query_fragment_queue FOR EACH STATEMENT EXECUTE FUNCTION partitioncache.notify_queue('query_fragment_available');

CREATE CONSTRAINT TRIGGER pcache_sync_cron AFTER INSERT OR DELETE OR UPDATE OF job_name, enabled, max_parallel_jobs, frequency_seconds ON public.partitioncache_queue_processor_config DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION partitioncache.sync_cron();

CREATE TRIGGER pcache_validate BEFORE INSERT OR UPDATE ON public.partitioncache_queue_processor_config FOR EACH ROW EXECUTE FUNCTION partitioncache.validate_processor_config();

GRANT USAGE ON SCHEMA partitioncache TO cron_role;
GRANT USAGE ON SCHEMA partitioncache TO client_role;

GRANT ALL ON SCHEMA public TO migrator;
GRANT ALL ON SCHEMA public TO client_role;

REVOKE ALL ON FUNCTION partitioncache.active_item_rows() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.active_item_rows() TO client_role;
GRANT ALL ON FUNCTION partitioncache.active_item_rows() TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.alter_bit_cache(p_partition_key text, p_bits integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.bits_to_widen(p_outcome text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.bits_to_widen(p_outcome text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.bits_to_widen(p_outcome text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.bootstrap_partition(p_partition_key text, p_datatype text, p_bitsize integer, p_element_type text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.bootstrap_partition(p_partition_key text, p_datatype text, p_bitsize integer, p_element_type text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.bootstrap_partition(p_partition_key text, p_datatype text, p_bitsize integer, p_element_type text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.cache_table_name(p_partition_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.cache_table_name(p_partition_key text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.cache_table_name(p_partition_key text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.cancel_overdue() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.cancel_overdue() TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.check_cron_link() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.claim_batch(p_lock_key integer, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.claim_batch(p_lock_key integer, p_limit integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.claim_batch(p_lock_key integer, p_limit integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.claim_next(p_lock_key integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.claim_next(p_lock_key integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.claim_next(p_lock_key integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.close_slot(p_lock_key integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.close_slot(p_lock_key integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.close_slot(p_lock_key integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.cron_job_name(p_job_name text, p_slot integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.cron_link_name() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.cron_schedule(p_start_interval integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.cron_takes_seconds(p_pg_cron_version text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.cron_takes_seconds(p_pg_cron_version text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.cron_takes_seconds(p_pg_cron_version text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.datatype_of(p_element_type text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.datatype_of(p_element_type text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.datatype_of(p_element_type text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.delete_old_log() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.delete_old_log() TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.deployment_schemas() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.desired_jobs() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.drop_cron_link() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.element_type(p_result_type regtype, p_datatype text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.element_type(p_result_type regtype, p_datatype text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.element_type(p_result_type regtype, p_datatype text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.ends_run(p_outcome text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.ends_run(p_outcome text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.ends_run(p_outcome text) TO client_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE partitioncache.claim TO cron_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE partitioncache.claim TO client_role;

REVOKE ALL ON FUNCTION partitioncache.evaluate_and_store(p_claim partitioncache.claim, p_result_limit integer, p_default_bitsize integer, OUT status text, OUT rows_stored integer, OUT bits_needed integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.evaluate_and_store(p_claim partitioncache.claim, p_result_limit integer, p_default_bitsize integer, OUT status text, OUT rows_stored integer, OUT bits_needed integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.evaluate_and_store(p_claim partitioncache.claim, p_result_limit integer, p_default_bitsize integer, OUT status text, OUT rows_stored integer, OUT bits_needed integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.evaluate_fragment(p_query text, p_datatype text, p_result_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.evaluate_fragment(p_query text, p_datatype text, p_result_limit integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.evaluate_fragment(p_query text, p_datatype text, p_result_limit integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.is_cached(p_query_hash text, p_partition_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.is_cached(p_query_hash text, p_partition_key text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.is_cached(p_query_hash text, p_partition_key text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.is_last_deployment() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.key_bits(p_keys bigint[], p_bitsize integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.key_bits(p_keys bigint[], p_bitsize integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.key_bits(p_keys bigint[], p_bitsize integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.maintenance_goes_on(p_started timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.maintenance_goes_on(p_started timestamp with time zone) TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.mark_synced(p_applied jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.next_step(p_job_name text, p_slot integer, p_lock_key integer, p_run_started timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.next_step(p_job_name text, p_slot integer, p_lock_key integer, p_run_started timestamp with time zone) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.next_step(p_job_name text, p_slot integer, p_lock_key integer, p_run_started timestamp with time zone) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.notify_queue() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.open_manual_slot(p_job_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.open_manual_slot(p_job_name text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.open_manual_slot(p_job_name text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.open_slot(p_job_name text, p_slot integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.open_slot(p_job_name text, p_slot integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.open_slot(p_job_name text, p_slot integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.process_batch(p_job_name text, p_count integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.process_batch(p_job_name text, p_count integer) TO client_role;
GRANT ALL ON FUNCTION partitioncache.process_batch(p_job_name text, p_count integer) TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.process_claim(p_queue_id integer, p_job_name text, p_source text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.process_claim(p_queue_id integer, p_job_name text, p_source text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.process_claim(p_queue_id integer, p_job_name text, p_source text) TO client_role;

REVOKE ALL ON PROCEDURE partitioncache.process_now(IN p_job_name text, INOUT p_outcome text) FROM PUBLIC;
GRANT ALL ON PROCEDURE partitioncache.process_now(IN p_job_name text, INOUT p_outcome text) TO cron_role;
GRANT ALL ON PROCEDURE partitioncache.process_now(IN p_job_name text, INOUT p_outcome text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.processor_named(p_job_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.processor_named(p_job_name text) TO client_role;
GRANT ALL ON FUNCTION partitioncache.processor_named(p_job_name text) TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.processor_status_rows() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.processor_status_rows() TO client_role;
GRANT ALL ON FUNCTION partitioncache.processor_status_rows() TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.put_back(p_claim partitioncache.claim, p_job_name text, p_source text, p_reason text, p_wait interval) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.put_back(p_claim partitioncache.claim, p_job_name text, p_source text, p_reason text, p_wait interval) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.put_back(p_claim partitioncache.claim, p_job_name text, p_source text, p_reason text, p_wait interval) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.query_cron_link(p_query text) FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.record_cron_side(p_transport text, p_pg_cron_version text) FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.release_claim(p_claim partitioncache.claim) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.release_claim(p_claim partitioncache.claim) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.release_claim(p_claim partitioncache.claim) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.release_dead_claims() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.release_dead_claims() TO cron_role;
GRANT ALL ON FUNCTION partitioncache.release_dead_claims() TO client_role;

REVOKE ALL ON FUNCTION partitioncache.roaringbitmap_schema() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.roaringbitmap_schema() TO cron_role;
GRANT ALL ON FUNCTION partitioncache.roaringbitmap_schema() TO client_role;

REVOKE ALL ON FUNCTION partitioncache.run_is_alive(p_pid integer, p_lock_key integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.run_is_alive(p_pid integer, p_lock_key integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.run_is_alive(p_pid integer, p_lock_key integer) TO client_role;

REVOKE ALL ON PROCEDURE partitioncache.run_maintenance() FROM PUBLIC;
GRANT ALL ON PROCEDURE partitioncache.run_maintenance() TO cron_role;

REVOKE ALL ON PROCEDURE partitioncache.run_processor(IN p_job_name text, IN p_slot integer) FROM PUBLIC;
GRANT ALL ON PROCEDURE partitioncache.run_processor(IN p_job_name text, IN p_slot integer) TO cron_role;
GRANT ALL ON PROCEDURE partitioncache.run_processor(IN p_job_name text, IN p_slot integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.set_bits_expression() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.set_cron_link(p_host text, p_port integer, p_database text, p_user text, p_password text) FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.settle(p_claim partitioncache.claim, p_job_name text, p_source text, p_log_status text, p_query_status text, p_error text, p_rows integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.settle(p_claim partitioncache.claim, p_job_name text, p_source text, p_log_status text, p_query_status text, p_error text, p_rows integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.settle(p_claim partitioncache.claim, p_job_name text, p_source text, p_log_status text, p_query_status text, p_error text, p_rows integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.start_claim(p_queue_id integer, p_job_name text, p_slot integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.start_claim(p_queue_id integer, p_job_name text, p_slot integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.start_claim(p_queue_id integer, p_job_name text, p_slot integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.start_interval(p_frequency_seconds integer, p_pg_cron_version text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.start_interval(p_frequency_seconds integer, p_pg_cron_version text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.start_interval(p_frequency_seconds integer, p_pg_cron_version text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.store_keys(p_query_hash text, p_partition_key text, p_keys partitioncache.key_set) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.store_keys(p_query_hash text, p_partition_key text, p_keys partitioncache.key_set) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.store_keys(p_query_hash text, p_partition_key text, p_keys partitioncache.key_set) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.store_unusable(p_query_hash text, p_partition_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.store_unusable(p_query_hash text, p_partition_key text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.store_unusable(p_query_hash text, p_partition_key text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.sync_cron() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.validate_processor_config() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.widen_bit_cache() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.widen_for_claim(p_queue_id integer, p_bits integer, p_job_name text, p_source text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.widen_for_claim(p_queue_id integer, p_bits integer, p_job_name text, p_source text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.widen_for_claim(p_queue_id integer, p_bits integer, p_job_name text, p_source text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.widen_partition(p_partition_key text, p_bits integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.widen_partition(p_partition_key text, p_bits integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.widen_partition(p_partition_key text, p_bits integer) TO client_role;

REVOKE ALL ON PROCEDURE partitioncache.work_on_claim(IN p_queue_id integer, IN p_job_name text, IN p_slot integer, IN p_source text, INOUT p_outcome text) FROM PUBLIC;
GRANT ALL ON PROCEDURE partitioncache.work_on_claim(IN p_queue_id integer, IN p_job_name text, IN p_slot integer, IN p_source text, INOUT p_outcome text) TO cron_role;
GRANT ALL ON PROCEDURE partitioncache.work_on_claim(IN p_queue_id integer, IN p_job_name text, IN p_slot integer, IN p_source text, INOUT p_outcome text) TO client_role;

GRANT SELECT ON TABLE partitioncache.active_items TO client_role;
GRANT SELECT ON TABLE partitioncache.active_items TO cron_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE partitioncache.attempt TO cron_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE partitioncache.attempt TO client_role;

GRANT SELECT ON TABLE partitioncache.deployment TO cron_role;
GRANT SELECT ON TABLE partitioncache.deployment TO client_role;

GRANT SELECT ON TABLE partitioncache.processor_status TO client_role;
GRANT SELECT ON TABLE partitioncache.processor_status TO cron_role;

GRANT SELECT ON TABLE partitioncache.settings TO cron_role;
GRANT SELECT ON TABLE partitioncache.settings TO client_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE partitioncache.slot TO cron_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE partitioncache.slot TO client_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.my_cache_partition_metadata TO cron_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.my_cache_partition_metadata TO client_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.my_cache_queries TO cron_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.my_cache_queries TO client_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partitioncache_queue_active_jobs TO client_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partitioncache_queue_active_jobs TO cron_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partitioncache_queue_original_query_queue TO cron_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partitioncache_queue_original_query_queue TO client_role;

GRANT SELECT,USAGE ON SEQUENCE public.partitioncache_queue_original_query_queue_id_seq TO cron_role;
GRANT SELECT,USAGE ON SEQUENCE public.partitioncache_queue_original_query_queue_id_seq TO client_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partitioncache_queue_processor_config TO client_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partitioncache_queue_processor_config TO cron_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partitioncache_queue_processor_log TO client_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partitioncache_queue_processor_log TO cron_role;

GRANT SELECT,USAGE ON SEQUENCE public.partitioncache_queue_processor_log_id_seq TO cron_role;
GRANT SELECT,USAGE ON SEQUENCE public.partitioncache_queue_processor_log_id_seq TO client_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partitioncache_queue_query_fragment_queue TO cron_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partitioncache_queue_query_fragment_queue TO client_role;

GRANT SELECT,USAGE ON SEQUENCE public.partitioncache_queue_query_fragment_queue_id_seq TO cron_role;
GRANT SELECT,USAGE ON SEQUENCE public.partitioncache_queue_query_fragment_queue_id_seq TO client_role;
