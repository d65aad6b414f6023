CREATE SCHEMA partitioncache;

CREATE EXTENSION IF NOT EXISTS intarray WITH SCHEMA public;

COMMENT ON EXTENSION intarray IS 'functions, operators, and index support for 1-D arrays of integers';

CREATE TYPE partitioncache.batch_item AS (
	queue_id integer,
	query_hash text,
	partition_key text,
	queue_datatype text,
	query text,
	datatype text,
	known boolean,
	retried boolean
);

COMMENT ON TYPE partitioncache.batch_item IS 'A claimed fragment. queue_datatype is what the client said, datatype what the partition holds (NULL when it is new); known: its status is ok already; retried: it has a row in attempt.';

CREATE TYPE partitioncache.item_result AS (
	item partitioncache.batch_item,
	outcome text,
	error text,
	started_at timestamp with time zone,
	ended_at timestamp with time zone,
	result_type oid,
	bigint_keys bigint[],
	numeric_keys numeric[],
	text_keys text[],
	timestamp_keys timestamp without time zone[],
	rows_found integer
);

COMMENT ON TYPE partitioncache.item_result IS 'What became of a fragment. result_type: of the array in which PostgreSQL collected its keys. outcome: ok, limit, skipped, failed, timeout, put_back, or too_narrow (not ended: its bit cache must be widened first). Its keys are distinct, ascending, without NULL, in the array of their datatype; NULL when there are none.';

CREATE TYPE partitioncache.chunk_end AS (
	next_item integer,
	outcome text,
	narrow partitioncache.item_result[],
	ends_run boolean
);

COMMENT ON TYPE partitioncache.chunk_end IS 'How a chunk ended. next_item: place in the batch to go on at, NULL when the run is done with the batch; outcome of the last fragment; narrow: those whose bit cache must be widened first, NULL for none; ends_run: the run was cancelled.';

CREATE TYPE partitioncache.run_context AS (
	job_name text,
	lock_key integer,
	source text,
	own_session boolean,
	batch_id bigint,
	claimed_at timestamp with time zone,
	result_limit integer,
	default_bitsize integer
);

COMMENT ON TYPE partitioncache.run_context IS 'What a run knows about itself. source: cron or manual, for the log. own_session: it commits, and its session holds no lock but the slot''s; false within a client''s transaction. batch_id, claimed_at: of the batch it is working on.';

CREATE TYPE partitioncache.run_step AS (
	finished boolean,
	wait_seconds double precision,
	items partitioncache.batch_item[],
	context partitioncache.run_context,
	next_due timestamp with time zone,
	wanted integer,
	after_priority integer,
	after_id integer
);

COMMENT ON TYPE partitioncache.run_step IS 'What a run does next: end, sleep for so many seconds, or work on these items. next_due, wanted, after_priority and after_id are for the step after it: when to look at the queue again, how many items were asked for, and where in the queue they end.';

CREATE FUNCTION partitioncache.active_item_rows() RETURNS TABLE(job_name text, slot integer, query_hash text, partition_key text, pid integer, started_at timestamp with time zone, running_for interval)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  -- A client may have taken it out of the queue meanwhile: it is worked on all the same.
  SELECT running.job_name, running.slot, coalesce(queue.hash, published.query_hash, '(no longer queued)'),
         coalesce(queue.partition_key, published.partition_key, ''), running.pid, running.started_at,
         clock_timestamp() - running.started_at
  FROM "partitioncache".working_runs() AS running
  LEFT JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue ON queue.id = running.queue_id
  LEFT JOIN "public"."partitioncache_queue_active_jobs" AS published ON published.pid = running.pid AND queue.id IS NULL
  WHERE NOT running.has_results
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

CREATE FUNCTION partitioncache.batch_limit(p_last partitioncache.run_step, p_now timestamp with time zone) RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  -- A claim is durable, so it costs a flush, which many quick fragments should share; but what one run has claimed no
  -- other can take, and it waits behind what comes before it. So it grows from one while it stays short.
  SELECT greatest(1, least(
    settings.batch_size,
    coalesce(p_last.wanted, 0)::bigint * 4,
    coalesce(cardinality(p_last.items) * 0.25
             / nullif(greatest(extract(epoch FROM p_now - (p_last.context).claimed_at), 0.001), 0), 1)::bigint))::integer
  FROM "partitioncache".settings
$$;

COMMENT ON FUNCTION partitioncache.batch_limit(p_last partitioncache.run_step, p_now timestamp with time zone) IS 'How many fragments to claim after the step p_last: as many as take a quarter of a second at its pace, at most four times as many as it wanted.';

CREATE FUNCTION partitioncache.bits_needed(p_result partitioncache.item_result) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  RETURN coalesce(p_result.bigint_keys[cardinality(p_result.bigint_keys)] + 1, 1);
END
$$;

COMMENT ON FUNCTION partitioncache.bits_needed(p_result partitioncache.item_result) IS 'How many bits a set of keys needs: one more than its largest key.';

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
  v_running record;
  v_stopped integer := 0;
BEGIN
  -- A COMMIT inside a CALL does not re-arm statement_timeout, so the cancel has to come from outside.
  FOR v_running IN
    SELECT running.*, batch.cancelled_at
    FROM "partitioncache".working_runs() AS running
    JOIN "partitioncache".batch USING (batch_id)
    JOIN "public"."partitioncache_queue_processor_config" AS config USING (job_name)
    WHERE running.slot > 0 AND NOT running.has_results
      AND clock_timestamp() - running.started_at
          >= make_interval(secs => config.timeout_seconds) + CASE WHEN running.is_exact THEN interval '0' ELSE interval '1 s' END
  LOOP
    CONTINUE WHEN NOT "partitioncache".hold_run(v_running.lock_key, v_running.pid, v_running.started_at, v_running.has_results);
    IF "partitioncache".is_deaf(v_running.cancelled_at) THEN
      PERFORM "partitioncache".terminate_deaf(v_running.job_name, v_running.lock_key, v_running.batch_id, v_running.queue_id::integer,
        v_running.pid, v_running.started_at);
    ELSE
      UPDATE "partitioncache".batch SET cancelled_at = coalesce(cancelled_at, clock_timestamp()) WHERE batch_id = v_running.batch_id;
      PERFORM pg_cancel_backend(v_running.pid);
    END IF;
    v_stopped := v_stopped + 1;
  END LOOP;
  RETURN v_stopped;
END
$$;

COMMENT ON FUNCTION partitioncache.cancel_overdue() IS 'Cancels every run that works on one fragment for longer than its timeout_seconds: the run marks the fragment and goes on. One that goes on with the fragment for another ten seconds is terminated. Returns how many.';

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

CREATE TABLE partitioncache.batch (
    batch_id bigint NOT NULL,
    lock_key integer NOT NULL,
    pid integer NOT NULL,
    queue_ids integer[] NOT NULL,
    alone boolean NOT NULL,
    held_up boolean DEFAULT false NOT NULL,
    cancelled_at timestamp with time zone,
    claimed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

COMMENT ON TABLE partitioncache.batch IS 'The fragments that runs have claimed: a batch is flushed to disk before its first fragment is touched, and deleted when the run claims the next one. It outlives a crash, and so tells which fragments may have caused it.';

COMMENT ON COLUMN partitioncache.batch.lock_key IS 'The slot of the run.';

COMMENT ON COLUMN partitioncache.batch.queue_ids IS 'The claimed fragments. What is settled by now is no longer in the queue.';

COMMENT ON COLUMN partitioncache.batch.alone IS 'Whether it is one fragment that a run died with before, taken alone to find out whether it is the cause.';

COMMENT ON COLUMN partitioncache.batch.held_up IS 'Whether maintenance has cancelled a fragment of it because results that are ready were waiting for it.';

COMMENT ON COLUMN partitioncache.batch.cancelled_at IS 'When maintenance first cancelled the fragment that the run was at, be it overdue or held up; what goes on for ten seconds after that is terminated.';

CREATE FUNCTION partitioncache.claim_batch(p_lock_key integer, p_limit integer, p_after_priority integer, p_after_id integer) RETURNS partitioncache.batch
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_after_id integer := p_after_id;
  v_locked integer[];
  v_free integer[];
BEGIN
  LOOP
    v_locked := "partitioncache".lock_claimable(p_after_priority, v_after_id, p_limit);
    -- Another run may have claimed some between our look at the batches and our locks. Now that they are locked, it cannot.
    SELECT array_agg(id ORDER BY place) INTO v_free
    FROM unnest(v_locked) WITH ORDINALITY AS locked (id, place)
    WHERE id NOT IN (SELECT unnest(queue_ids) FROM "partitioncache".batch);
    IF v_free IS NOT NULL THEN
      RETURN "partitioncache".insert_batch(p_lock_key, v_free, false);
    END IF;
    CONTINUE WHEN cardinality(v_locked) > 0;
    -- Nothing behind; but something may have been put back in front.
    EXIT WHEN v_after_id IS NULL;
    v_after_id := NULL;
  END LOOP;
  RETURN NULL;
END
$$;

COMMENT ON FUNCTION partitioncache.claim_batch(p_lock_key integer, p_limit integer, p_after_priority integer, p_after_id integer) IS 'Claims up to p_limit fragments for the run that holds p_lock_key, those due next after (p_after_priority, p_after_id) as lock_claimable finds them, and from the head when there are none. NULL when there are none at all.';

CREATE FUNCTION partitioncache.claim_by_hand(p_job_name text, p_lock_key integer, p_limit integer, p_own_session boolean) RETURNS partitioncache.run_step
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_config "public"."partitioncache_queue_processor_config";
  v_batch "partitioncache".batch;
  v_step "partitioncache".run_step;
BEGIN
  SELECT * INTO v_config FROM "public"."partitioncache_queue_processor_config" WHERE job_name = p_job_name;
  IF p_own_session THEN
    -- As in next_step: what is claimed must be known after a crash. A client's session does not try suspects.
    PERFORM set_config('synchronous_commit', 'local', true);
    v_batch := "partitioncache".claim_suspect(p_lock_key);
  END IF;
  IF v_batch.batch_id IS NULL THEN
    v_batch := "partitioncache".claim_batch(p_lock_key, p_limit, NULL, NULL);
  END IF;
  v_step.items := "partitioncache".items_of(v_batch.queue_ids);
  -- Without claimed_at: no other slot is given what a run by hand has claimed.
  v_step.context := ROW(p_job_name, p_lock_key, 'manual', p_own_session, v_batch.batch_id, NULL,
                        v_config.result_limit, v_config.default_bitsize);
  RETURN v_step;
END
$$;

COMMENT ON FUNCTION partitioncache.claim_by_hand(p_job_name text, p_lock_key integer, p_limit integer, p_own_session boolean) IS 'Claims up to p_limit fragments for a run by hand, even if the processor is disabled; no items when there are none.';

CREATE FUNCTION partitioncache.claim_suspect(p_lock_key integer) RETURNS partitioncache.batch
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_queue_id integer;
BEGIN
  -- The least tried one first: what is to blame is found, and what is not is not blamed a second time.
  SELECT queue.id INTO v_queue_id
  FROM "partitioncache".attempt
  JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue ON queue.hash = attempt.query_hash AND queue.partition_key = attempt.partition_key
  WHERE attempt.suspect AND attempt.not_before <= now()
    AND NOT EXISTS (SELECT FROM "partitioncache".batch WHERE alone)
  ORDER BY attempt.attempts, queue.id
  LIMIT 1
  FOR UPDATE OF queue SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  RETURN "partitioncache".insert_batch(p_lock_key, ARRAY[v_queue_id], true);
END
$$;

COMMENT ON FUNCTION partitioncache.claim_suspect(p_lock_key integer) IS 'Claims one fragment that a run died with, unless another run is trying one: NULL then, or when there is none.';

CREATE FUNCTION partitioncache.close_slot(p_lock_key integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  c_schema CONSTANT integer := quote_ident('partitioncache')::regnamespace::oid::integer;
BEGIN
  DELETE FROM "partitioncache".batch WHERE lock_key = p_lock_key;
  -- More than once, should a fragment have taken it as well; but not until it fails, which PostgreSQL logs as a warning.
  WHILE EXISTS (
    SELECT FROM pg_locks
    WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND objsubid = 2 AND mode = 'ExclusiveLock'
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid = c_schema::oid AND objid = p_lock_key::oid)
  LOOP
    EXIT WHEN NOT pg_advisory_unlock(c_schema, p_lock_key);
  END LOOP;
END
$$;

COMMENT ON FUNCTION partitioncache.close_slot(p_lock_key integer) IS 'Gives back what the run has claimed and not settled, and unlocks its slot.';

CREATE FUNCTION partitioncache.collected_as(p_datatype text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  RETURN CASE p_datatype
    WHEN 'integer' THEN 'keys::bigint[]'
    -- A cast from double precision keeps 15 digits, its text keeps all; and a client compares real as double precision.
    WHEN 'float' THEN
      'CASE WHEN pg_catalog.pg_typeof(keys) OPERATOR(pg_catalog.=) ANY (''{real[],double precision[]}''::pg_catalog.regtype[]) '
      'THEN keys::double precision[]::pg_catalog.text[]::numeric[] ELSE keys::numeric[] END'
    WHEN 'text' THEN 'keys::pg_catalog.text[]'
    -- In the hour that is repeated when summer time ends, a local time is two instants: NULL says that one of them is among the keys.
    WHEN 'timestamp' THEN
      'CASE WHEN pg_catalog.pg_typeof(keys) OPERATOR(pg_catalog.<>) ''timestamp with time zone[]''::pg_catalog.regtype '
      'OR keys::timestamp[]::timestamp with time zone[] OPERATOR(pg_catalog.=) keys::timestamp with time zone[] '
      'THEN keys::timestamp[] END'
  END;
END
$$;

COMMENT ON FUNCTION partitioncache.collected_as(p_datatype text) IS 'SQL expression that makes of an array named keys, as a fragment returned them, the array in which keys of this datatype are collected: of the widest type, so that nothing is lost before it is stored.';

CREATE FUNCTION partitioncache.confirm_skip(p_result partitioncache.item_result) RETURNS partitioncache.item_result
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_result "partitioncache".item_result := p_result;
BEGIN
  -- From here on a client that queues it is told that another session holds it; one that did so before may have evicted
  -- it first, and has been told that it is queued.
  PERFORM FROM "public"."partitioncache_queue_query_fragment_queue" WHERE id = (p_result.item).queue_id FOR UPDATE SKIP LOCKED;
  IF NOT FOUND OR NOT "partitioncache".is_cached((p_result.item).query_hash, (p_result.item).partition_key) THEN
    v_result.outcome := 'put_back';
  END IF;
  RETURN v_result;
END
$$;

COMMENT ON FUNCTION partitioncache.confirm_skip(p_result partitioncache.item_result) IS 'A skipped result as it is if its fragment is still cached, else as put_back, without a wait.';

CREATE FUNCTION partitioncache.cron_job_name(p_processor text, p_role text, p_database text DEFAULT current_database(), p_schema text DEFAULT 'partitioncache'::text, p_table_prefix text DEFAULT 'my_cache'::text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_suffix text := coalesce(nullif(replace(
    regexp_replace(p_table_prefix, '^partitioncache(_|$)', ''), '_', ''), ''), 'default');
  v_is_default boolean :=
    p_processor = format('partitioncache_process_queue_%s_%s', p_database, v_suffix);
  v_label text := CASE WHEN v_is_default THEN v_suffix ELSE p_processor END;
  v_plain text := concat_ws('_', 'partitioncache', p_database, v_label, p_role);
  v_head text;
  v_tail text;
BEGIN
  IF p_schema = 'partitioncache'
     AND (p_processor IS NULL OR v_is_default
          OR (strpos(p_processor, '_') = 0 AND p_processor NOT IN ('', v_suffix)))
     AND v_plain !~ '^partitioncache_process_queue_|_[0-9a-f]{12}_[^_]+$'
     AND "partitioncache".first_bytes(v_plain, 63) = v_plain THEN
    RETURN v_plain;
  END IF;
  v_tail := format('_%s_%s', left(encode(sha256(convert_to(
    jsonb_build_array(p_database, p_schema, p_processor)::text, 'UTF8')), 'hex'), 12), p_role);
  -- For the reader alone: the hash is what tells them apart.
  v_head := concat_ws('_', p_database,
    regexp_replace(nullif(p_schema, 'partitioncache'), '^partitioncache_', ''),
    regexp_replace(v_label, '^partitioncache_(process_queue_)?', ''));
  RETURN "partitioncache".first_bytes(
    'partitioncache_' || regexp_replace(v_head, '^process_queue', 'processqueue'),
    63 - octet_length(v_tail)) || v_tail;
END
$_$;

COMMENT ON FUNCTION partitioncache.cron_job_name(p_processor text, p_role text, p_database text, p_schema text, p_table_prefix text) IS 'Name of the pg_cron job of a processor and slot, or (processor NULL) of maintenance or history: at most 63 bytes, unlike that of any other job of any deployment.';

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

CREATE FUNCTION partitioncache.datatype_for(p_item partitioncache.batch_item) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_type oid;
  v_datatype text;
BEGIN
  IF (SELECT cache_backend FROM "partitioncache".deployment) <> 'array' THEN
    -- Bits have numbers, nothing else.
    RETURN 'integer';
  END IF;
  v_type := "partitioncache".probe_fragment(p_item.query);
  v_datatype := coalesce(p_item.queue_datatype, "partitioncache".datatype_of_result(v_type));
  PERFORM "partitioncache".require_datatype(v_type, v_datatype);
  RETURN v_datatype;
END
$$;

COMMENT ON FUNCTION partitioncache.datatype_for(p_item partitioncache.batch_item) IS 'The datatype of the new partition that a fragment belongs to: what the client said, or what the fragment returns. Raises 42804 when the two do not go together.';

CREATE FUNCTION partitioncache.datatype_of_result(p_type oid) RETURNS text
    LANGUAGE plpgsql STABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_type oid := p_type;
  v_base oid;
BEGIN
  LOOP
    CASE format_type(v_type, NULL)
      WHEN 'integer', 'bigint', 'smallint' THEN RETURN 'integer';
      WHEN 'numeric', 'real', 'double precision' THEN RETURN 'float';
      WHEN 'text', 'character varying', 'character', 'bpchar', 'name', 'uuid' THEN RETURN 'text';
      WHEN 'date', 'timestamp without time zone', 'timestamp with time zone' THEN RETURN 'timestamp';
      ELSE
        -- A domain is kept as what it is a domain of.
        SELECT typbasetype INTO v_base FROM pg_type WHERE oid = v_type AND typtype = 'd';
        IF NOT FOUND THEN
          RETURN NULL;
        END IF;
        v_type := v_base;
    END CASE;
  END LOOP;
END
$$;

COMMENT ON FUNCTION partitioncache.datatype_of_result(p_type oid) IS 'The clients'' datatype (integer, float, text, timestamp) of a fragment that returns this type; NULL when it cannot be a partition key.';

CREATE FUNCTION partitioncache.dead_batches(p_own_lock_key integer) RETURNS bigint[]
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  -- Whoever holds a slot has not claimed anything yet when it asks, even if its backend was given the pid of a dead one.
  SELECT array_agg(batch_id)
  FROM (SELECT batch_id
        FROM "partitioncache".batch
        WHERE lock_key = p_own_lock_key OR NOT "partitioncache".run_is_alive(pid, lock_key)
        FOR UPDATE SKIP LOCKED) AS dead
$$;

COMMENT ON FUNCTION partitioncache.dead_batches(p_own_lock_key integer) IS 'Locks and returns the batches whose runs are gone, with all that carry p_own_lock_key (a slot the caller has just taken, or NULL).';

CREATE FUNCTION partitioncache.delete_cached_duplicates(p_after_id integer, p_limit integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_last integer;
  v_known record;
BEGIN
  -- A stretch of the queue at a time: all of it would take long, and most of it is not cached.
  SELECT max(id) INTO v_last
  FROM (SELECT id FROM "public"."partitioncache_queue_query_fragment_queue" WHERE id > p_after_id ORDER BY id LIMIT p_limit) AS stretch;
  FOR v_known IN
    SELECT queue.partition_key, array_agg(queue.id) AS ids
    FROM "public"."partitioncache_queue_query_fragment_queue" AS queue
    JOIN "public"."my_cache_queries" AS known
      ON known.query_hash = queue.hash AND known.partition_key = queue.partition_key AND known.status = 'ok'
    WHERE queue.id > p_after_id AND queue.id <= v_last
      AND queue.id NOT IN (SELECT unnest(queue_ids) FROM "partitioncache".batch)
    GROUP BY queue.partition_key
  LOOP
    PERFORM "partitioncache".delete_cached_of(v_known.partition_key, v_known.ids);
  END LOOP;
  RETURN coalesce(v_last, 0);
END
$$;

COMMENT ON FUNCTION partitioncache.delete_cached_duplicates(p_after_id integer, p_limit integer) IS 'Deletes what is cached already from the next p_limit fragments of the queue after p_after_id. Returns the id to go on after; 0 at the end.';

CREATE FUNCTION partitioncache.delete_cached_of(p_partition_key text, p_queue_ids integer[]) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '100ms'
    AS $_$
DECLARE
  v_cache text := format('%I.%I', 'public', "partitioncache".cache_table_name(p_partition_key));
  v_locked integer[];
  v_deleted integer;
BEGIN
  IF to_regclass(v_cache) IS NULL THEN
    RETURN 0;
  END IF;
  -- Two statements: what was evicted and queued again before its row was locked must be seen to be missing.
  SELECT array_agg(id) INTO v_locked
  FROM (SELECT id FROM "public"."partitioncache_queue_query_fragment_queue" WHERE id = ANY (p_queue_ids) ORDER BY id FOR UPDATE SKIP LOCKED) AS queue;
  -- Status ok is not enough: a set that was evicted since is queued because it is missing.
  EXECUTE format('DELETE FROM %s AS queue USING %s AS cache WHERE queue.id = ANY ($1) AND cache.query_hash = queue.hash',
    '"public"."partitioncache_queue_query_fragment_queue"', v_cache)
    USING v_locked;
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  RETURN v_deleted;
EXCEPTION
  WHEN lock_not_available OR undefined_table THEN
    -- Somebody empties, drops or recreates the cache table. No timeout is kept while that is waited for, or once this run
    -- has ended with an error: at the next look.
    RETURN 0;
END
$_$;

COMMENT ON FUNCTION partitioncache.delete_cached_of(p_partition_key text, p_queue_ids integer[]) IS 'Deletes those of the queued fragments of a partition key that are in its cache table, unless that is locked. Returns how many.';

CREATE FUNCTION partitioncache.delete_idle_attempts() RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_deleted integer;
BEGIN
  DELETE FROM "partitioncache".attempt
  WHERE NOT EXISTS (SELECT FROM "public"."partitioncache_queue_query_fragment_queue" AS queue
                    WHERE queue.hash = attempt.query_hash AND queue.partition_key = attempt.partition_key);
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  RETURN v_deleted;
END
$$;

COMMENT ON FUNCTION partitioncache.delete_idle_attempts() IS 'Forgets the attempts of fragments that a client has taken out of the queue. Returns how many.';

CREATE FUNCTION partitioncache.delete_locked(p_results partitioncache.item_result[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '100ms'
    AS $$
BEGIN
  DELETE FROM "public"."partitioncache_queue_query_fragment_queue" AS queue
  USING unnest(p_results) AS result
  WHERE result.outcome IN ('ok', 'limit', 'failed', 'timeout', 'skipped')
    AND queue.id = (result.item).queue_id AND queue.hash = (result.item).query_hash
    AND queue.partition_key = (result.item).partition_key;
EXCEPTION
  WHEN lock_not_available OR deadlock_detected THEN
    -- A client holds one of them for long. What stays queued is known as settled, and skipped when its turn comes.
    RETURN;
END
$$;

COMMENT ON FUNCTION partitioncache.delete_locked(p_results partitioncache.item_result[]) IS 'Deletes the queue rows of settled fragments that another session had locked a moment ago, as another run does while it claims.';

CREATE FUNCTION partitioncache.delete_old_log(p_limit integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '100ms'
    AS $$
DECLARE
  v_deleted integer;
BEGIN
  DELETE FROM "public"."partitioncache_queue_processor_log"
  WHERE id IN (
    SELECT id FROM "public"."partitioncache_queue_processor_log"
    WHERE created_at < now()::timestamp - make_interval(days => (SELECT log_retention_days FROM "partitioncache".settings))
    ORDER BY created_at
    LIMIT p_limit);
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  RETURN v_deleted;
EXCEPTION
  WHEN lock_not_available THEN
    -- A client has the table to itself: at the next look.
    RETURN 0;
END
$$;

COMMENT ON FUNCTION partitioncache.delete_old_log(p_limit integer) IS 'Deletes up to p_limit log rows older than log_retention_days, the oldest first. Returns how many.';

CREATE FUNCTION partitioncache.dense_key_bits(p_keys bigint[], p_bitsize integer) RETURNS bit varying
    LANGUAGE plpgsql IMMUTABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
BEGIN
  -- Eight keys a row, since a row costs more than a key. Each row gives the bits after the key before it (k0) up to its
  -- last key (k8). Past the end of the array the keys go on beyond the bit size, and are cut off in the end.
  RETURN (
    SELECT "bit"(string_agg(
             CASE
               WHEN k8 - k0 = 8 THEN '11111111'
               -- As one number while that stays positive; bit() puts zeros before it.
               WHEN k8 - k1 < 63 THEN
                 "bit"((1::bigint << (k8 - k1)) | (1::bigint << (k8 - k2)) | (1::bigint << (k8 - k3)) | (1::bigint << (k8 - k4))
                       | (1::bigint << (k8 - k5)) | (1::bigint << (k8 - k6)) | (1::bigint << (k8 - k7)) | 1, k8 - k0)::text
               ELSE
                 ("bit"(1, k1 - k0) || "bit"(1, k2 - k1) || "bit"(1, k3 - k2) || "bit"(1, k4 - k3)
                  || "bit"(1, k5 - k4) || "bit"(1, k6 - k5) || "bit"(1, k7 - k6) || "bit"(1, k8 - k7))::text
             END, NULL)::bit varying, p_bitsize, true)
    FROM (
      SELECT coalesce(p_keys[i - 1], -1)::integer AS k0,
             coalesce(p_keys[i], p_bitsize)::integer AS k1,
             coalesce(p_keys[i + 1], p_bitsize + 1)::integer AS k2,
             coalesce(p_keys[i + 2], p_bitsize + 2)::integer AS k3,
             coalesce(p_keys[i + 3], p_bitsize + 3)::integer AS k4,
             coalesce(p_keys[i + 4], p_bitsize + 4)::integer AS k5,
             coalesce(p_keys[i + 5], p_bitsize + 5)::integer AS k6,
             coalesce(p_keys[i + 6], p_bitsize + 6)::integer AS k7,
             coalesce(p_keys[i + 7], p_bitsize + 7)::integer AS k8
      -- In the target list generate_series() keeps no rows; in FROM it would write them all down first.
      FROM (SELECT generate_series(1, cardinality(p_keys) + 1, 8) AS i) AS positions
      OFFSET 0 -- not merged into the expressions above, which would look up each key each time
    ) AS eights
  );
END
$$;

COMMENT ON FUNCTION partitioncache.dense_key_bits(p_keys bigint[], p_bitsize integer) IS 'As key_bits, fastest when many bits are set: by groups of eight keys.';

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
    SET jit TO 'off'
    AS $$
  WITH processor AS (
    SELECT config.job_name, config.enabled, config.max_parallel_jobs,
           "partitioncache".cron_schedule("partitioncache".start_interval(
             config.frequency_seconds, deployment.pg_cron_version)) AS schedule
    FROM "public"."partitioncache_queue_processor_config" AS config, "partitioncache".deployment
  ),
  jobs (position, job_name, schedule, command, kind) AS (
    SELECT 1, "partitioncache".cron_job_name(job_name, slot::text), schedule,
           format('CALL %I.run_processor(%L, %s)', 'partitioncache', job_name, slot), 'processor'
    FROM processor, generate_series(1, max_parallel_jobs) AS slot
    WHERE enabled
    UNION ALL
    -- As often as can be: a maintenance run lasts a minute, and without one no timeout is kept.
    -- Also while all are disabled: what was begun before is still to be timed out.
    SELECT 2, "partitioncache".cron_job_name(NULL, 'maintenance'),
           "partitioncache".cron_schedule("partitioncache".start_interval(1, deployment.pg_cron_version)),
           format('CALL %I.run_maintenance()', 'partitioncache'), 'maintenance'
    FROM "partitioncache".deployment
    WHERE EXISTS (SELECT FROM processor)
    UNION ALL
    SELECT 3, "partitioncache".cron_job_name(NULL, 'history'), '17 3 * * *',
           format('SELECT %I.prune_job_runs(%s)',
                  deployment.cron_schema, settings.run_retention_days), 'history'
    FROM "partitioncache".deployment, "partitioncache".settings
    WHERE EXISTS (SELECT FROM processor)
  )
  SELECT coalesce(
    jsonb_agg(jsonb_build_object(
                'job_name', job_name, 'schedule', schedule, 'command', command, 'kind', kind,
                'database', CASE kind WHEN 'history' THEN NULL ELSE current_database() END)
              ORDER BY position, job_name),
    '[]')
  FROM jobs
$$;

COMMENT ON FUNCTION partitioncache.desired_jobs() IS 'The jobs this deployment should have: [{job_name, schedule, command, kind, database}]; database is NULL for what runs in the pg_cron database. A disabled processor has no slots.';

CREATE FUNCTION partitioncache.drop_cron_link() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  EXECUTE format('DROP SERVER IF EXISTS %I CASCADE', "partitioncache".cron_link_name());
END
$$;

COMMENT ON FUNCTION partitioncache.drop_cron_link() IS 'Drops the foreign server to the pg_cron database and its user mapping.';

CREATE FUNCTION partitioncache.evaluate_item(p_item partitioncache.batch_item, p_result_limit integer) RETURNS partitioncache.item_result
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_result "partitioncache".item_result;
  v_item "partitioncache".batch_item := p_item;
  v_fragment text := rtrim(p_item.query, E'; \t\n\r\f\v') || E'\n'; -- as fragment_text()
  v_query text;
  v_settings text;
  v_fits boolean;
  v_evaluated boolean := false;
  v_state text;
  v_message text;
BEGIN
  v_result.started_at := clock_timestamp();
  BEGIN
    IF v_item.datatype IS NULL THEN
      v_item.datatype := "partitioncache".datatype_for(p_item);
    END IF;
    -- One key more than allowed is enough to know that there are too many.
    v_query := format(
      'SELECT pg_catalog.pg_typeof(keys), %1$s FROM ('
      'SELECT ARRAY(SELECT DISTINCT fragment.* FROM (%2$s) AS fragment (key) WHERE key IS NOT NULL ORDER BY key LIMIT %3$s) '
      'AS keys OFFSET 0) AS found',
      CASE v_item.datatype WHEN 'integer' THEN 'keys::bigint[]' ELSE "partitioncache".collected_as(v_item.datatype) END,
      v_fragment, coalesce((p_result_limit::bigint + 1)::text, 'ALL'));
    -- With the second one the tables of the fragment are those of the clients' schema. Whoever may create something there
    -- could put a function in the place of one of pg_catalog that takes any array: so below nothing is called but what has
    -- its schema, or takes text and nothing else.
    v_settings := set_config('transaction_read_only', 'on', true)
      || set_config('search_path', quote_ident('public') || ', pg_temp', true);
    -- Without a semicolon there is no second statement, without a parenthesis none to close.
    IF v_fragment ~ '[;()]' THEN
      PERFORM "partitioncache".require_closed(v_fragment);
    END IF;
    CASE v_item.datatype
      WHEN 'integer' THEN EXECUTE v_query INTO v_result.result_type, v_result.bigint_keys;
      WHEN 'float' THEN EXECUTE v_query INTO v_result.result_type, v_result.numeric_keys;
      WHEN 'text' THEN EXECUTE v_query INTO v_result.result_type, v_result.text_keys;
      WHEN 'timestamp' THEN EXECUTE v_query INTO v_result.result_type, v_result.timestamp_keys;
    END CASE;
    v_evaluated := true;
    RAISE EXCEPTION USING ERRCODE = 'PCEVL', MESSAGE = 'evaluated';
  EXCEPTION
    WHEN serialization_failure OR deadlock_detected OR lock_not_available THEN
      GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
      v_result.outcome := 'put_back';
      v_result.error := format('%s: %s', v_state, v_message);
    WHEN OTHERS OR assert_failure THEN
      -- The fragment itself may call something that raises our code: then nothing was evaluated.
      IF NOT v_evaluated THEN
        GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
        v_result.outcome := 'failed';
        v_result.error := "partitioncache".reason_of_failure(v_item, v_state, v_message);
      END IF;
  END;
  v_result.item := v_item;
  v_result.ended_at := clock_timestamp();
  IF v_evaluated THEN
    -- The types of arrays, by their number, that need no second look: their elements are kept as they are.
    CASE v_item.datatype
      WHEN 'integer' THEN
        v_result.rows_found := cardinality(v_result.bigint_keys);
        v_fits := v_result.result_type IN (1005, 1007, 1016) AND array_ndims(v_result.bigint_keys) = 1; -- smallint, integer, bigint
      WHEN 'float' THEN
        v_result.rows_found := cardinality(v_result.numeric_keys);
        v_fits := v_result.result_type = 1231 AND array_ndims(v_result.numeric_keys) = 1; -- numeric
      WHEN 'text' THEN
        v_result.rows_found := cardinality(v_result.text_keys);
        v_fits := v_result.result_type IN (1009, 1015) AND array_ndims(v_result.text_keys) = 1; -- text, character varying
      WHEN 'timestamp' THEN
        v_result.rows_found := cardinality(v_result.timestamp_keys);
        v_fits := v_result.result_type = 1115 AND array_ndims(v_result.timestamp_keys) = 1; -- timestamp without time zone
    END CASE;
    v_result.outcome := 'ok';
    IF v_fits IS NOT TRUE THEN
      v_result := "partitioncache".fit_to_datatype(v_result);
    END IF;
    IF v_result.rows_found > p_result_limit THEN
      v_result.outcome := 'limit';
    END IF;
  END IF;
  RETURN v_result;
END
$_$;

COMMENT ON FUNCTION partitioncache.evaluate_item(p_item partitioncache.batch_item, p_result_limit integer) IS 'Runs one fragment (a single SELECT of one column) read-only. outcome of the result: ok, limit (one key more than p_result_limit), failed, or put_back (a conflict with others); its item has the partition''s datatype. Nothing else of the fragment survives. Raises query_canceled only.';

CREATE FUNCTION partitioncache.failures_within(p_age interval) RETURNS TABLE(sqlstate text, reason text, failures bigint, fragments bigint, still_failed bigint, last_seen timestamp without time zone, example_hash text, example_partition_key text, example_message text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  WITH failed AS (
    SELECT log.id, log.query_hash, log.partition_key, log.created_at, log.error_message, class.reason,
           CASE class.reason
             WHEN 'error' THEN substring(log.error_message FROM '^([0-9A-Z]{5}): ')
             WHEN 'timeout' THEN '57014'
           END AS sqlstate
    FROM "public"."partitioncache_queue_processor_log" AS log
    CROSS JOIN LATERAL (
      SELECT CASE WHEN log.status = 'timeout' THEN 'timeout'
                  WHEN log.error_message LIKE 'set aside after %' THEN 'set aside'
                  ELSE 'error' END AS reason
    ) AS class
    WHERE log.status IN ('failed', 'timeout') AND log.created_at > now()::timestamp - p_age
  ),
  -- One that failed in several ways counts as still failed for the last of them alone.
  last_failure AS (
    SELECT DISTINCT ON (query_hash, partition_key) id, query_hash, partition_key
    FROM failed ORDER BY query_hash, partition_key, id DESC
  ),
  still_failed AS (
    SELECT last_failure.id
    FROM last_failure JOIN "public"."my_cache_queries" AS known USING (query_hash, partition_key)
    WHERE known.status IN ('failed', 'timeout')
  ),
  class AS (
    SELECT failed.sqlstate, failed.reason, count(*) AS failures,
           count(DISTINCT (failed.query_hash, failed.partition_key)) AS fragments,
           count(still_failed.id) AS still_failed, max(failed.created_at) AS last_seen, max(failed.id) AS example_id
    FROM failed LEFT JOIN still_failed USING (id)
    GROUP BY failed.sqlstate, failed.reason
  )
  SELECT class.sqlstate, class.reason, class.failures, class.fragments, class.still_failed, class.last_seen,
         example.query_hash, example.partition_key, example.error_message
  FROM class JOIN failed AS example ON example.id = class.example_id
$$;

COMMENT ON FUNCTION partitioncache.failures_within(p_age interval) IS 'What the view failures shows, of the log as far back as p_age; the log is kept for log_retention_days.';

CREATE FUNCTION partitioncache.finish(p_results partitioncache.item_result[], p_run partitioncache.run_context) RETURNS partitioncache.item_result[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_results "partitioncache".item_result[];
BEGIN
  v_results := ARRAY(
    SELECT CASE result.outcome
             WHEN 'put_back' THEN "partitioncache".put_back(result, '1 s', 1)
             WHEN 'skipped' THEN "partitioncache".confirm_skip(result)
             ELSE result
           END
    FROM unnest(p_results) AS result);
  BEGIN
    RETURN "partitioncache".store_and_settle(v_results, p_run);
  EXCEPTION
    WHEN OTHERS THEN
      -- One of them cannot be stored: each by itself, so that the others are not lost with it, and its error is found again.
      RETURN "partitioncache".settle_each(v_results, p_run);
  END;
END
$$;

COMMENT ON FUNCTION partitioncache.finish(p_results partitioncache.item_result[], p_run partitioncache.run_context) IS 'Stores and settles what came of evaluated fragments, whatever the cache says to one of them. Returns the results as they are then.';

CREATE FUNCTION partitioncache.first_bytes(p_text text, p_bytes integer) RETURNS text
    LANGUAGE plpgsql STABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  -- Not by octet_length and left: a database may have another encoding than pg_cron's, or none.
  v_bytes bytea := convert_to(p_text, 'UTF8');
  v_end integer := p_bytes;
BEGIN
  IF octet_length(v_bytes) <= p_bytes THEN
    RETURN p_text;
  END IF;
  -- The byte behind the cut begins with 10: it belongs to the character before it.
  WHILE get_byte(v_bytes, v_end) & 192 = 128 LOOP
    v_end := v_end - 1;
  END LOOP;
  RETURN convert_from(substr(v_bytes, 1, v_end), 'UTF8');
END
$$;

COMMENT ON FUNCTION partitioncache.first_bytes(p_text text, p_bytes integer) IS 'As much of p_text as fits p_bytes bytes of UTF-8, in whole characters.';

CREATE FUNCTION partitioncache.fit_to_bits(p_result partitioncache.item_result, p_backend text, p_bitsize integer) RETURNS partitioncache.item_result
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_result "partitioncache".item_result := p_result;
  v_needed bigint := "partitioncache".bits_needed(p_result);
BEGIN
  IF p_result.outcome <> 'ok' THEN
    RETURN p_result;
  END IF;
  IF p_result.bigint_keys[1] < 0 THEN
    v_result.error := format('22003: key %s cannot be stored in a %s cache: keys start at 0; use the array backend for negative keys',
      p_result.bigint_keys[1], p_backend);
  ELSIF p_backend = 'roaringbit' AND v_needed > 2147483648 THEN
    v_result.error := format('22003: key %s is too large for a roaring bitmap of integers; use the array backend for such keys',
      v_needed - 1);
  ELSIF p_backend = 'bit' AND v_needed > 83886080 THEN
    v_result.error := format('22003: key %s is too large for a bit cache: PostgreSQL''s bit strings end at 83886080 bits; '
      'use the roaringbit or the array backend for such keys', v_needed - 1);
  END IF;
  v_result.outcome := CASE
    WHEN v_result.error IS NOT NULL THEN 'failed'
    WHEN p_backend = 'bit' AND v_needed > p_bitsize THEN 'too_narrow'
    ELSE 'ok'
  END;
  RETURN v_result;
END
$$;

COMMENT ON FUNCTION partitioncache.fit_to_bits(p_result partitioncache.item_result, p_backend text, p_bitsize integer) IS 'The result, failed when a bit or roaringbit cache cannot hold its keys, too_narrow when a bit cache of p_bitsize bits cannot yet.';

CREATE FUNCTION partitioncache.fit_to_datatype(p_result partitioncache.item_result) RETURNS partitioncache.item_result
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_result "partitioncache".item_result := p_result;
  v_dimensions integer := coalesce(array_ndims(p_result.bigint_keys), array_ndims(p_result.numeric_keys),
    array_ndims(p_result.text_keys), array_ndims(p_result.timestamp_keys));
BEGIN
  IF v_dimensions > 1 THEN
    RAISE EXCEPTION 'the fragment returns arrays, not keys' USING ERRCODE = 'datatype_mismatch';
  END IF;
  IF p_result.rows_found IS NULL THEN
    RAISE EXCEPTION 'a key falls into an hour that time zone % has twice, and would be taken for another one', current_setting('TimeZone')
      USING ERRCODE = 'datatype_mismatch';
  END IF;
  PERFORM "partitioncache".require_datatype(
    (SELECT typelem FROM pg_type WHERE oid = p_result.result_type), (p_result.item).datatype);
  -- A cast may have made keys equal, or changed their order, as from character(3) or uuid to text.
  CASE (p_result.item).datatype
    WHEN 'float' THEN
      v_result.numeric_keys := ARRAY(SELECT DISTINCT key FROM unnest(p_result.numeric_keys) AS key ORDER BY key);
      v_result.rows_found := cardinality(v_result.numeric_keys);
    WHEN 'text' THEN
      v_result.text_keys := ARRAY(SELECT DISTINCT key FROM unnest(p_result.text_keys) AS key ORDER BY key);
      v_result.rows_found := cardinality(v_result.text_keys);
    WHEN 'timestamp' THEN
      v_result.timestamp_keys := ARRAY(SELECT DISTINCT key FROM unnest(p_result.timestamp_keys) AS key ORDER BY key);
      v_result.rows_found := cardinality(v_result.timestamp_keys);
    ELSE
      NULL;
  END CASE;
  RETURN v_result;
EXCEPTION
  WHEN datatype_mismatch THEN
    v_result.outcome := 'failed';
    v_result.error := '42804: ' || SQLERRM;
    v_result.rows_found := NULL;
    RETURN v_result;
END
$$;

COMMENT ON FUNCTION partitioncache.fit_to_datatype(p_result partitioncache.item_result) IS 'The result of a fragment that is empty, or whose type is not one of its partition''s own: failed when it cannot be kept there without loss, else with keys that are distinct and ascending as what they are kept as.';

CREATE FUNCTION partitioncache.fragment_text(p_query text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  -- The line break ends a trailing comment; trailing semicolons are a habit, not a second statement.
  RETURN rtrim(p_query, E'; \t\n\r\f\v') || E'\n';
END
$$;

COMMENT ON FUNCTION partitioncache.fragment_text(p_query text) IS 'A fragment as it is put between parentheses.';

CREATE FUNCTION partitioncache.has_runs() RETURNS boolean
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT EXISTS (SELECT FROM "partitioncache".batch) OR EXISTS (SELECT FROM "public"."partitioncache_queue_active_jobs")
$$;

COMMENT ON FUNCTION partitioncache.has_runs() IS 'Whether there is anything to watch: claims, or work that is displayed.';

CREATE FUNCTION partitioncache.hold_run(p_lock_key integer, p_pid integer, p_started timestamp with time zone, p_has_results boolean) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  -- A run takes this lock before it leaves what it has evaluated: while it is held here, what is found below stays so.
  PERFORM FROM "partitioncache".slot WHERE lock_key = p_lock_key FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  RETURN EXISTS (
    SELECT FROM "partitioncache".working_runs() AS running
    WHERE running.pid = p_pid AND running.started_at = p_started AND running.has_results = p_has_results);
END
$$;

COMMENT ON FUNCTION partitioncache.hold_run(p_lock_key integer, p_pid integer, p_started timestamp with time zone, p_has_results boolean) IS 'Whether the run is still evaluating as working_runs() showed it; if so it stays with that until the caller''s transaction ends.';

CREATE FUNCTION partitioncache.insert_batch(p_lock_key integer, p_queue_ids integer[], p_alone boolean) RETURNS partitioncache.batch
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  INSERT INTO "partitioncache".batch (lock_key, pid, queue_ids, alone)
  VALUES (p_lock_key, pg_backend_pid(), p_queue_ids, p_alone)
  ON CONFLICT (alone) WHERE alone DO NOTHING
  RETURNING *
$$;

COMMENT ON FUNCTION partitioncache.insert_batch(p_lock_key integer, p_queue_ids integer[], p_alone boolean) IS 'Claims these fragments for the run in that slot; NULL for one to be tried alone while another run tries one.';

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

CREATE FUNCTION partitioncache.is_deaf(p_cancelled_at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  -- A function of a fragment may catch its cancel. It is cancelled again each second, for so long.
  RETURN coalesce(clock_timestamp() > p_cancelled_at + interval '10 s', false);
END
$$;

COMMENT ON FUNCTION partitioncache.is_deaf(p_cancelled_at timestamp with time zone) IS 'Whether a fragment that was first cancelled then, and still goes on, does not let itself be cancelled.';

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

CREATE FUNCTION partitioncache.is_overdue(p_run partitioncache.run_context) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  RETURN coalesce(clock_timestamp() > p_run.claimed_at + interval '1 s', false);
END
$$;

COMMENT ON FUNCTION partitioncache.is_overdue(p_run partitioncache.run_context) IS 'Whether the run''s batch takes longer than it should: the run leaves the rest of it to others then.';

CREATE FUNCTION partitioncache.is_plainly_closed(p_fragment text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_parentheses text;
BEGIN
  -- Without comments, dollar quotes and backslashes, a quotation ends at the next quote of its kind.
  IF p_fragment ~ '[$\\]|--|/\*' THEN
    RETURN false;
  END IF;
  v_parentheses := regexp_replace(p_fragment, '''[^'']*''|"[^"]*"|[^();''"]+', '', 'g');
  -- To take pairs out of a long row of them again and again would take longer than to ask PostgreSQL.
  IF length(v_parentheses) > 200 THEN
    RETURN false;
  END IF;
  WHILE strpos(v_parentheses, '()') > 0 LOOP
    v_parentheses := replace(v_parentheses, '()', '');
  END LOOP;
  -- Neither a semicolon, nor a quote that is not closed, nor a parenthesis.
  RETURN v_parentheses = '';
END
$_$;

COMMENT ON FUNCTION partitioncache.is_plainly_closed(p_fragment text) IS 'Whether a glance is enough to see that a text can neither hold a second statement nor close a parenthesis it has not opened.';

CREATE FUNCTION partitioncache.items_of(p_queue_ids integer[]) RETURNS partitioncache.batch_item[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT array_agg(
    ROW(queue.id, queue.hash, queue.partition_key, queue.partition_datatype, queue.query, metadata.datatype,
        known.query_hash IS NOT NULL, attempt.query_hash IS NOT NULL)::"partitioncache".batch_item
    ORDER BY place)
  FROM unnest(p_queue_ids) WITH ORDINALITY AS claimed (id, place)
  JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue ON queue.id = claimed.id
  LEFT JOIN "public"."my_cache_partition_metadata" AS metadata ON metadata.partition_key = queue.partition_key
  LEFT JOIN "public"."my_cache_queries" AS known
    ON known.query_hash = queue.hash AND known.partition_key = queue.partition_key AND known.status = 'ok'
  LEFT JOIN "partitioncache".attempt AS attempt
    ON attempt.query_hash = queue.hash AND attempt.partition_key = queue.partition_key
$$;

COMMENT ON FUNCTION partitioncache.items_of(p_queue_ids integer[]) IS 'What a run has to know about claimed fragments, in the order given.';

CREATE FUNCTION partitioncache.judge_cancel(p_item partitioncache.batch_item, p_started timestamp with time zone, p_job_name text, p_held_up boolean) RETURNS partitioncache.item_result
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_result "partitioncache".item_result;
  -- As it is now: the watchdog reads it live, and it may have been changed since the fragment was begun.
  v_timeout integer := (SELECT timeout_seconds FROM "public"."partitioncache_queue_processor_config" WHERE job_name = p_job_name);
BEGIN
  v_result.item := p_item;
  v_result.started_at := p_started;
  v_result.ended_at := clock_timestamp();
  IF v_result.ended_at - p_started >= make_interval(secs => v_timeout) THEN
    v_result.outcome := 'timeout';
    v_result.error := format('57014: cancelled after timeout_seconds = %s', v_timeout);
  ELSIF p_held_up THEN
    v_result.outcome := 'failed';
    v_result.error := '57014: cancelled, since it has taken the advisory lock by which a run says that results are waiting';
  ELSE
    -- By an operator, most likely. But a fragment can do it as well, so it counts as an attempt.
    v_result.outcome := 'put_back';
    v_result.error := '57014: the run was cancelled while it worked on this';
  END IF;
  RETURN v_result;
END
$$;

COMMENT ON FUNCTION partitioncache.judge_cancel(p_item partitioncache.batch_item, p_started timestamp with time zone, p_job_name text, p_held_up boolean) IS 'What a cancel means for a fragment that was begun at p_started: timeout when its time is over; failed when it made maintenance believe that results are waiting (p_held_up); else put_back, and the run shall end.';

CREATE FUNCTION partitioncache.key_bits(p_keys bigint[], p_bitsize integer) RETURNS bit varying
    LANGUAGE plpgsql IMMUTABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_count integer := cardinality(p_keys);
BEGIN
  -- bit(..., true) cuts or fills up with zeros at the right, as a cast does whose length must be a constant.
  IF p_keys[v_count] - p_keys[1] = v_count - 1 THEN
    -- Without a gap, as all keys are: zeros, then ones.
    RETURN "bit"("bit"(B'', p_keys[1]::integer, true) || ~ "bit"(B'', v_count, true), p_bitsize, true);
  ELSIF v_count < p_bitsize / 128 THEN
    RETURN "partitioncache".sparse_key_bits(p_keys, p_bitsize);
  END IF;
  RETURN "partitioncache".dense_key_bits(p_keys, p_bitsize);
END
$$;

COMMENT ON FUNCTION partitioncache.key_bits(p_keys bigint[], p_bitsize integer) IS 'Bit string of p_bitsize bits in which bit k, counted from 0 at the left, is set for each key k of p_keys, which are distinct, ascending, not NULL, and from 0 to below p_bitsize.';

CREATE FUNCTION partitioncache.keys_expression(p_backend text, p_datatype text, p_bitsize integer) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  -- An empty set is a result; NULL would tell the client that the set is of no use.
  RETURN CASE
    WHEN p_backend = 'bit' THEN format('%I.key_bits(coalesce(result.bigint_keys, ''{}''), %s)', 'partitioncache', p_bitsize)
    WHEN p_backend = 'roaringbit' THEN
      format('%I.rb_build(coalesce(result.bigint_keys, ''{}'')::integer[])', "partitioncache".roaringbitmap_schema())
    WHEN p_datatype = 'integer' THEN 'coalesce(result.bigint_keys, ''{}'')'
    WHEN p_datatype = 'float' THEN 'coalesce(result.numeric_keys, ''{}'')'
    WHEN p_datatype = 'text' THEN 'coalesce(result.text_keys, ''{}'')'
    WHEN p_datatype = 'timestamp' THEN 'coalesce(result.timestamp_keys, ''{}'')'
  END;
END
$$;

COMMENT ON FUNCTION partitioncache.keys_expression(p_backend text, p_datatype text, p_bitsize integer) IS 'SQL expression that makes what a cache table of this backend holds of the keys of an item_result named result.';

CREATE FUNCTION partitioncache.known_fragment_rows() RETURNS TABLE(status text, fragments bigint, last_seen timestamp without time zone)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT known.status, count(*), max(known.last_seen) FROM "public"."my_cache_queries" AS known GROUP BY known.status
$$;

COMMENT ON FUNCTION partitioncache.known_fragment_rows() IS 'What the view known_fragments shows.';

CREATE FUNCTION partitioncache.lock_again(p_lock text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_class bigint := split_part(p_lock, ' ', 1);
  v_object bigint := split_part(p_lock, ' ', 2);
BEGIN
  RETURN CASE split_part(p_lock, ' ', 3) || split_part(p_lock, ' ', 4)
    WHEN '1ExclusiveLock' THEN pg_try_advisory_lock((v_class << 32) | v_object)
    WHEN '1ShareLock' THEN pg_try_advisory_lock_shared((v_class << 32) | v_object)
    WHEN '2ExclusiveLock' THEN pg_try_advisory_lock(v_class::oid::integer, v_object::oid::integer)
    WHEN '2ShareLock' THEN pg_try_advisory_lock_shared(v_class::oid::integer, v_object::oid::integer)
  END;
END
$$;

COMMENT ON FUNCTION partitioncache.lock_again(p_lock text) IS 'Takes one of session_locks() for the session; false when somebody else has taken it meanwhile.';

CREATE FUNCTION partitioncache.lock_claimable(p_after_priority integer, p_after_id integer, p_limit integer) RETURNS integer[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $_$
DECLARE
  v_backoff interval := (SELECT make_interval(secs => retry_backoff_seconds) FROM "partitioncache".settings);
  -- Each is one stretch of the index on (priority DESC, id): what has come in above, the rest of this priority, what is below.
  v_stretches text[] := CASE
    WHEN p_after_id IS NULL THEN ARRAY['true']
    ELSE ARRAY['queue.priority > $1', 'queue.priority = $1 AND queue.id > $2', 'queue.priority < $1']
  END;
  v_stretch text;
  v_found integer[];
  v_locked integer[] := '{}';
BEGIN
  FOREACH v_stretch IN ARRAY v_stretches LOOP
    EXECUTE format($claimable$
      SELECT array_agg(id ORDER BY priority DESC, id)
      FROM (SELECT queue.id, queue.priority
            FROM %1$s AS queue
            WHERE %2$s
              AND queue.id NOT IN (SELECT unnest(queue_ids) FROM %3$I.batch)
              AND NOT EXISTS (SELECT FROM %3$I.attempt
                              WHERE attempt.query_hash = queue.hash AND attempt.partition_key = queue.partition_key
                                AND (attempt.suspect OR attempt.not_before > now())
                              OFFSET 0) -- one look by key for each, never a join with all of them
              AND NOT EXISTS (SELECT FROM %4$s AS known
                              WHERE known.query_hash = queue.hash AND known.partition_key = queue.partition_key
                                AND known.status <> 'ok' AND known.last_seen > now()::timestamp - $4
                              OFFSET 0)
            ORDER BY queue.priority DESC, queue.id
            LIMIT $3
            FOR UPDATE OF queue SKIP LOCKED) AS claimable
    $claimable$, '"public"."partitioncache_queue_query_fragment_queue"', v_stretch, 'partitioncache', '"public"."my_cache_queries"')
      INTO v_found USING p_after_priority, p_after_id, p_limit - cardinality(v_locked), v_backoff;
    v_locked := v_locked || coalesce(v_found, '{}');
    EXIT WHEN cardinality(v_locked) >= p_limit;
  END LOOP;
  RETURN v_locked;
END
$_$;

COMMENT ON FUNCTION partitioncache.lock_claimable(p_after_priority integer, p_after_id integer, p_limit integer) IS 'Locks up to p_limit queued fragments that may be claimed now and returns their queue ids in the order in which they are due: those that come after (p_after_priority, p_after_id), or have come in above that priority; NULL starts at the head.';

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
  FROM jsonb_to_recordset(p_applied -> 'jobs')
    AS job (job_name text, schedule text, command text, job_id bigint);

  UPDATE "public"."partitioncache_queue_processor_config" AS config
  SET job_ids = registered.job_ids
  FROM (
    SELECT configured.job_name,
           coalesce(array_agg(applied.job_id ORDER BY slot)
                      FILTER (WHERE applied.job_id IS NOT NULL), '{}') AS job_ids
    FROM "public"."partitioncache_queue_processor_config" AS configured
    CROSS JOIN generate_series(1, configured.max_parallel_jobs) AS slot
    LEFT JOIN "partitioncache".applied_job AS applied
      ON applied.job_name = "partitioncache".cron_job_name(configured.job_name, slot::text)
    GROUP BY configured.job_name
  ) AS registered
  WHERE config.job_name = registered.job_name
    AND config.job_ids IS DISTINCT FROM registered.job_ids;
END
$$;

COMMENT ON FUNCTION partitioncache.mark_synced(p_applied jsonb) IS 'Records what apply_jobs in the pg_cron database answered: {"jobs": [{job_name, schedule, command, job_id}]}.';

CREATE FUNCTION partitioncache.next_step(p_job_name text, p_slot integer, p_lock_key integer, p_run_started timestamp with time zone, p_last partitioncache.run_step) RETURNS partitioncache.run_step
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  -- Even a full queue ends a run now and then, so that pg_cron's history shows it alive.
  c_slice CONSTANT interval := '60 s';
  -- An idle run stays for a while: to be started costs a session and a row in pg_cron's history each time.
  c_idle_seconds CONSTANT integer := 10;
  v_now timestamptz := clock_timestamp();
  v_config "public"."partitioncache_queue_processor_config";
  v_next_start timestamptz;
  v_due timestamptz;
  v_frequency interval;
  v_limit integer;
  v_batch "partitioncache".batch;
  v_step "partitioncache".run_step;
BEGIN
  DELETE FROM "partitioncache".batch WHERE batch_id = (p_last.context).batch_id;

  SELECT * INTO v_config FROM "public"."partitioncache_queue_processor_config" WHERE job_name = p_job_name;
  IF NOT FOUND OR NOT v_config.enabled OR p_slot > v_config.max_parallel_jobs OR v_now >= p_run_started + c_slice THEN
    v_step.finished := true;
    RETURN v_step;
  END IF;
  v_step.finished := false;

  v_frequency := make_interval(secs => v_config.frequency_seconds);
  v_next_start := p_run_started + make_interval(secs => greatest(c_idle_seconds, "partitioncache".start_interval(
    v_config.frequency_seconds, (SELECT pg_cron_version FROM "partitioncache".deployment))));
  v_due := coalesce(p_last.next_due, (SELECT next_due FROM "partitioncache".slot WHERE lock_key = p_lock_key));
  -- Where the frequency was shortened since, it counts from now.
  v_due := least(v_due, v_now + v_frequency);
  v_step.next_due := v_due;
  IF v_due > v_now THEN
    v_step.finished := v_due >= v_next_start;
    IF v_step.finished THEN
      -- Only here, for the run after this one: an idle run writes nothing.
      UPDATE "partitioncache".slot SET next_due = v_due WHERE lock_key = p_lock_key;
    END IF;
    -- At most a second at a time, so that being disabled ends the run soon.
    v_step.wait_seconds := least(extract(epoch FROM v_due - v_now), 1);
    RETURN v_step;
  END IF;

  -- What is claimed must be known after a crash, or what caused it would be claimed again for ever.
  PERFORM set_config('synchronous_commit', 'local', true);
  v_limit := "partitioncache".batch_limit(p_last, v_now);
  -- What was left of an overdue batch is in front of where that batch ends.
  IF NOT "partitioncache".is_overdue(p_last.context) THEN
    v_step.after_priority := p_last.after_priority;
    v_step.after_id := p_last.after_id;
  END IF;
  v_batch := "partitioncache".claim_suspect(p_lock_key);
  IF v_batch.batch_id IS NULL THEN
    v_batch := "partitioncache".claim_batch(p_lock_key, v_limit, v_step.after_priority, v_step.after_id);
  END IF;
  IF v_batch.batch_id IS NULL THEN
    v_step.next_due := CASE WHEN v_due + v_frequency > v_now THEN v_due + v_frequency ELSE v_now + v_frequency END;
    v_step.wait_seconds := 0;
    RETURN v_step;
  END IF;

  v_step.wanted := v_limit;
  v_step.items := coalesce("partitioncache".items_of(v_batch.queue_ids), '{}');
  v_step.context := ROW(p_job_name, p_lock_key, 'cron', true, v_batch.batch_id, v_batch.claimed_at,
                        v_config.result_limit, v_config.default_bitsize);
  IF NOT v_batch.alone THEN
    SELECT priority, id INTO v_step.after_priority, v_step.after_id
    FROM "public"."partitioncache_queue_query_fragment_queue" WHERE id = v_batch.queue_ids[cardinality(v_batch.queue_ids)];
  END IF;
  RETURN v_step;
END
$$;

COMMENT ON FUNCTION partitioncache.next_step(p_job_name text, p_slot integer, p_lock_key integer, p_run_started timestamp with time zone, p_last partitioncache.run_step) IS 'Ends the batch of the last step and decides, from the configuration as it is now, what the run does next. An empty queue makes the slot due again after frequency_seconds.';

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
  PERFORM "partitioncache".release_dead_batches(v_lock_key);
  RETURN v_lock_key;
END
$$;

COMMENT ON FUNCTION partitioncache.open_slot(p_job_name text, p_slot integer) IS 'Takes the session lock of a slot and returns its lock_key, or NULL while another run holds it. Raises P0002 for an unknown processor.';

CREATE FUNCTION partitioncache.probe_fragment(p_query text) RETURNS oid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_fragment text := "partitioncache".fragment_text(p_query);
  -- LIMIT 0 runs nothing. As a scalar it must have exactly one column.
  v_query text := format('SELECT pg_catalog.pg_typeof((SELECT * FROM (%s) AS fragment LIMIT 0))', v_fragment);
  v_type oid;
  v_probed boolean := false;
BEGIN
  BEGIN
    PERFORM set_config('transaction_read_only', 'on', true),
            set_config('search_path', quote_ident('public') || ', pg_temp', true);
    PERFORM "partitioncache".require_closed(v_fragment);
    EXECUTE v_query INTO v_type;
    v_probed := true;
    RAISE EXCEPTION USING ERRCODE = 'PCEVL', MESSAGE = 'probed';
  EXCEPTION
    WHEN SQLSTATE 'PCEVL' THEN
      IF NOT v_probed THEN
        RAISE;
      END IF;
  END;
  RETURN v_type;
END
$$;

COMMENT ON FUNCTION partitioncache.probe_fragment(p_query text) IS 'The type a fragment returns, found without running it. Raises what PostgreSQL says about a fragment that is not a SELECT of one column.';

CREATE FUNCTION partitioncache.process_batch(p_job_name text, p_count integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  c_batch CONSTANT integer := 100;
  v_lock_key integer := "partitioncache".open_manual_slot(p_job_name);
  v_step "partitioncache".run_step;
  v_processed integer := 0;
BEGIN
  WHILE v_processed < p_count LOOP
    v_step := "partitioncache".claim_by_hand(p_job_name, v_lock_key, least(c_batch, p_count - v_processed), false);
    EXIT WHEN v_step.items IS NULL;
    EXIT WHEN NOT "partitioncache".process_claimed(v_step);
    v_processed := v_processed + cardinality(v_step.items);
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

CREATE FUNCTION partitioncache.process_chunk(p_items partitioncache.batch_item[], p_first integer, p_run partitioncache.run_context) RETURNS partitioncache.chunk_end
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET client_min_messages TO 'error'
    AS $$
DECLARE
  c_schema CONSTANT integer := quote_ident('partitioncache')::regnamespace::oid::integer;
  -- Until a chunk ends nobody sees what it has done, and a crash undoes it.
  c_items CONSTANT integer := 200;
  c_time CONSTANT interval := '50 ms';
  -- In a session of its own the transaction begins with its first fragment, and that is what the watchdog sees.
  v_started timestamptz := CASE WHEN p_run.own_session THEN now() ELSE clock_timestamp() END;
  -- What is behind the first one of an overdue batch may be given to others at any moment.
  v_until timestamptz := v_started + CASE WHEN "partitioncache".is_overdue(p_run) THEN interval '0' ELSE c_time END;
  v_running_class integer := "partitioncache".running_class();
  v_item "partitioncache".batch_item;
  v_results "partitioncache".item_result[] := '{}';
  v_done integer := 0;
  v_cancelled boolean := false;
  v_held_up boolean;
  v_cancel "partitioncache".item_result;
  v_end "partitioncache".chunk_end;
BEGIN
  IF p_run.own_session THEN
    -- A fragment can release the session's locks, or leave some of its own. The slot stays taken meanwhile, and
    -- afterwards the session holds the lock of the slot and nothing else, nor a prepared statement.
    PERFORM pg_advisory_xact_lock(c_schema, p_run.lock_key),
            -- Losing the last settled fragments in a crash is harmless: they are still queued then. Waiting for the
            -- disk each time is not.
            set_config('synchronous_commit', 'off', true);
  END IF;
  BEGIN
    FOREACH v_item IN ARRAY p_items[p_first:] LOOP
      EXIT WHEN v_done > 0 AND (v_done >= c_items OR clock_timestamp() > v_until);
      -- Says what is evaluated. To the end of the transaction, so that no fragment can release it; shared, since many runs
      -- say at once that they are at a later one.
      IF v_done < 2 THEN
        PERFORM pg_advisory_xact_lock_shared(v_running_class, CASE v_done WHEN 0 THEN v_item.queue_id ELSE 0 END);
      END IF;
      IF v_item.known AND "partitioncache".is_cached(v_item.query_hash, v_item.partition_key) THEN
        v_results := v_results || "partitioncache".skipped(v_item);
      ELSE
        v_results := v_results || "partitioncache".evaluate_item(v_item, p_run.result_limit);
      END IF;
      v_done := v_done + 1;
    END LOOP;
  EXCEPTION
    WHEN query_canceled THEN
      v_cancelled := true;
  END;

  -- From here on maintenance must not cancel: the rest is short. It cancels only while it holds this lock, so a cancel
  -- that is already on its way ends this statement, and no other fragment can be hit.
  PERFORM FROM "partitioncache".slot WHERE lock_key = p_run.lock_key FOR UPDATE;
  v_end.ends_run := false;
  IF v_cancelled THEN
    v_held_up := coalesce((SELECT held_up FROM "partitioncache".batch WHERE batch_id = p_run.batch_id), false);
    -- Held up, with results that are ready: it was cancelled by maintenance because of them, and is begun anew by itself.
    IF NOT v_held_up OR v_done = 0 THEN
      v_cancel := "partitioncache".judge_cancel(
        v_item, CASE v_done WHEN 0 THEN v_started ELSE clock_timestamp() END, p_run.job_name, v_held_up);
      v_results := v_results || v_cancel;
      v_done := v_done + 1;
      v_end.ends_run := v_cancel.outcome = 'put_back';
    END IF;
  END IF;

  v_results := "partitioncache".finish(v_results, p_run);
  IF p_run.own_session THEN
    PERFORM pg_advisory_unlock_all(), pg_advisory_lock(c_schema, p_run.lock_key);
    DEALLOCATE ALL;
  END IF;
  v_end.outcome := CASE WHEN v_end.ends_run THEN 'cancelled' ELSE v_results[cardinality(v_results)].outcome END;
  IF NOT v_end.ends_run AND p_first + v_done <= cardinality(p_items) AND NOT "partitioncache".is_overdue(p_run) THEN
    v_end.next_item := p_first + v_done;
  END IF;
  SELECT array_agg(result) INTO v_end.narrow FROM unnest(v_results) AS result WHERE result.outcome = 'too_narrow';
  RETURN v_end;
END
$$;

COMMENT ON FUNCTION partitioncache.process_chunk(p_items partitioncache.batch_item[], p_first integer, p_run partitioncache.run_context) IS 'Works on claimed fragments from place p_first of the batch on: on one, and on more of them while all that takes less than 50 ms. In a session of the run''s own no lock that a fragment took survives.';

CREATE FUNCTION partitioncache.process_claimed(p_step partitioncache.run_step) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_locks text[] := "partitioncache".session_locks();
  v_statements text[] := ARRAY(SELECT name FROM pg_prepared_statements);
  v_next integer := 1;
  v_end "partitioncache".chunk_end;
  v_items "partitioncache".batch_item[];
BEGIN
  WHILE v_next IS NOT NULL LOOP
    v_end := "partitioncache".process_chunk(p_step.items, v_next, p_step.context);
    PERFORM "partitioncache".restore_session(v_locks, v_statements);
    v_next := v_end.next_item;
    WHILE v_end.narrow IS NOT NULL LOOP
      v_items := "partitioncache".widen_for(v_end.narrow, p_step.context);
      EXIT WHEN v_items IS NULL;
      v_end := "partitioncache".process_chunk(v_items, 1, p_step.context);
    END LOOP;
  END LOOP;
  DELETE FROM "partitioncache".batch WHERE batch_id = (p_step.context).batch_id;
  RETURN NOT v_end.ends_run;
END
$$;

COMMENT ON FUNCTION partitioncache.process_claimed(p_step partitioncache.run_step) IS 'Works on claimed fragments in the caller''s transaction; false when the caller was cancelled meanwhile.';

CREATE PROCEDURE partitioncache.process_now(IN p_job_name text, INOUT p_outcome text DEFAULT NULL::text)
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_lock_key integer;
  v_step "partitioncache".run_step;
  v_end "partitioncache".chunk_end;
BEGIN
  v_lock_key := "partitioncache".open_manual_slot(p_job_name);
  v_step := "partitioncache".claim_by_hand(p_job_name, v_lock_key, 1, true);
  COMMIT;
  WHILE v_step.items IS NOT NULL LOOP
    v_end := "partitioncache".process_chunk(v_step.items, 1, v_step.context);
    COMMIT;
    EXIT WHEN v_end.narrow IS NULL;
    v_step.items := "partitioncache".widen_for(v_end.narrow, v_step.context);
    COMMIT;
  END LOOP;
  p_outcome := v_end.outcome;
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
         (SELECT count(*) FROM "partitioncache".working_runs() AS running WHERE running.job_name = config.job_name AND NOT running.has_results),
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

CREATE FUNCTION partitioncache.provide_cache_table(p_result partitioncache.item_result, p_default_bitsize integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  PERFORM FROM "public"."my_cache_partition_metadata" WHERE partition_key = (p_result.item).partition_key;
  -- A client may have dropped the table of a partition that is known.
  IF NOT FOUND OR to_regclass(format('%I.%I', 'public',
                                     "partitioncache".cache_table_name((p_result.item).partition_key))) IS NULL THEN
    PERFORM "partitioncache".bootstrap_partition((p_result.item).partition_key, (p_result.item).datatype, p_default_bitsize,
      CASE WHEN (p_result.item).datatype = 'integer' AND format_type(p_result.result_type, NULL) NOT IN ('integer[]', 'smallint[]')
        THEN 'bigint' END);
  END IF;
END
$$;

COMMENT ON FUNCTION partitioncache.provide_cache_table(p_result partitioncache.item_result, p_default_bitsize integer) IS 'Makes sure that the partition of an evaluated fragment has metadata and a cache table; p_default_bitsize in bits, for a new bit cache.';

CREATE FUNCTION partitioncache.publish_running() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '100ms'
    AS $$
BEGIN
  DELETE FROM "public"."partitioncache_queue_active_jobs" AS active
  WHERE NOT EXISTS (
    SELECT FROM "partitioncache".working_runs() AS running
    LEFT JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue ON queue.id = running.queue_id
    WHERE running.pid = active.pid AND NOT running.has_results
      -- Also where a client has taken it out of the queue meanwhile.
      AND (queue.id IS NULL OR (queue.hash, queue.partition_key) = (active.query_hash, active.partition_key)));
  INSERT INTO "public"."partitioncache_queue_active_jobs" (query_hash, partition_key, job_id, pid, started_at, query, partition_datatype)
  SELECT queue.hash, queue.partition_key, running.job_name, running.pid,
         running.started_at::timestamp, queue.query, queue.partition_datatype
  FROM "partitioncache".working_runs() AS running
  JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue ON queue.id = running.queue_id
  WHERE NOT running.has_results
  -- In one order, should two maintenance runs meet.
  ORDER BY queue.hash, queue.partition_key
  ON CONFLICT (query_hash, partition_key) DO NOTHING;
EXCEPTION
  WHEN lock_not_available THEN
    -- A client has the table to itself. To show what runs can wait, what else maintenance does cannot.
    RETURN;
END
$$;

COMMENT ON FUNCTION partitioncache.publish_running() IS 'Brings the clients'' display of active work up to date: what is running now, and nothing else.';

CREATE FUNCTION partitioncache.put_back(p_result partitioncache.item_result, p_wait interval, p_counts integer) RETURNS partitioncache.item_result
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_result "partitioncache".item_result := p_result;
  v_item "partitioncache".batch_item := p_result.item;
  v_attempts integer;
BEGIN
  INSERT INTO "partitioncache".attempt AS attempt (query_hash, partition_key, attempts, not_before, last_error)
  VALUES (v_item.query_hash, v_item.partition_key, p_counts, clock_timestamp() + p_wait, p_result.error)
  ON CONFLICT (query_hash, partition_key) DO UPDATE
    SET attempts = attempt.attempts + p_counts, not_before = EXCLUDED.not_before, last_error = EXCLUDED.last_error
  RETURNING attempts INTO v_attempts;
  v_item.retried := true;
  v_result.item := v_item;
  v_result.outcome := 'put_back';
  IF v_attempts >= (SELECT max_attempts FROM "partitioncache".settings) THEN
    v_result.outcome := 'failed';
    v_result.error := format('set aside after %s attempts; the last one: %s', v_attempts, p_result.error);
  END IF;
  RETURN v_result;
END
$$;

COMMENT ON FUNCTION partitioncache.put_back(p_result partitioncache.item_result, p_wait interval, p_counts integer) IS 'Notes that an attempt ended without a result, for the reason in error: the fragment is not to be claimed again before p_wait is over. p_counts: 1, or 0 when it was not the fragment''s fault. Returns the result as put_back, or as failed after max_attempts, still to be settled.';

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

CREATE FUNCTION partitioncache.queue_depth_rows() RETURNS TABLE(priority integer, queued bigint, waiting bigint, over_1_minute bigint, over_10_minutes bigint, over_1_hour bigint, oldest_since timestamp without time zone, oldest_age interval)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  WITH depth AS (
    -- Asked for once in a subquery, the time is not worked out anew for each row.
    SELECT queue.priority, count(*) AS queued,
           count(*) FILTER (WHERE queue.created_at < (SELECT now()::timestamp - interval '1 minute')) AS over_1_minute,
           count(*) FILTER (WHERE queue.created_at < (SELECT now()::timestamp - interval '10 minutes')) AS over_10_minutes,
           count(*) FILTER (WHERE queue.created_at < (SELECT now()::timestamp - interval '1 hour')) AS over_1_hour,
           min(queue.created_at) AS oldest_since
    FROM "public"."partitioncache_queue_query_fragment_queue" AS queue
    GROUP BY queue.priority
  ),
  not_due AS (
    SELECT attempt.query_hash AS hash, attempt.partition_key FROM "partitioncache".attempt WHERE attempt.not_before > now()
    UNION
    SELECT known.query_hash, known.partition_key FROM "public"."my_cache_queries" AS known
    WHERE known.status <> 'ok'
      AND known.last_seen > (SELECT now()::timestamp - make_interval(secs => retry_backoff_seconds) FROM "partitioncache".settings)
  ),
  waiting AS (
    SELECT queue.priority, count(*) AS waiting
    FROM "public"."partitioncache_queue_query_fragment_queue" AS queue JOIN not_due USING (hash, partition_key)
    GROUP BY queue.priority
  )
  SELECT priority, depth.queued, coalesce(waiting.waiting, 0), depth.over_1_minute, depth.over_10_minutes,
         depth.over_1_hour, depth.oldest_since, now()::timestamp - depth.oldest_since
  FROM depth LEFT JOIN waiting USING (priority)
$$;

COMMENT ON FUNCTION partitioncache.queue_depth_rows() IS 'What the view queue_depth shows. Reads the whole queue once, and what is known of all fragments.';

CREATE FUNCTION partitioncache.reason_of_failure(p_item partitioncache.batch_item, p_state text, p_message text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_state text := p_state;
  v_message text := p_message;
BEGIN
  -- What cannot be cast, or be parsed where it is put, may be of another type, or have two columns: then say that.
  IF p_item.datatype IS NOT NULL AND p_state IN ('22P02', '22007', '22008', '22003', '42846', '42601') THEN
    BEGIN
      PERFORM "partitioncache".require_datatype("partitioncache".probe_fragment(p_item.query), p_item.datatype);
    EXCEPTION
      WHEN datatype_mismatch OR syntax_error THEN
        GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
      WHEN OTHERS OR assert_failure THEN
        -- The same again, or worse: the first error is the fragment's own.
        NULL;
    END;
  END IF;
  RETURN format('%s: %s', v_state, v_message);
END
$$;

COMMENT ON FUNCTION partitioncache.reason_of_failure(p_item partitioncache.batch_item, p_state text, p_message text) IS 'SQLSTATE and message for the log, of an error that a fragment raised.';

CREATE FUNCTION partitioncache.record_cron_side(p_transport text, p_pg_cron_version text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  UPDATE "partitioncache".deployment SET transport = p_transport, pg_cron_version = p_pg_cron_version
$$;

COMMENT ON FUNCTION partitioncache.record_cron_side(p_transport text, p_pg_cron_version text) IS 'Records how pg_cron is reached from now on (deploy, direct, link) and its version; (deploy, NULL) when the cron stream is gone.';

CREATE FUNCTION partitioncache.release_dead_batches(p_own_lock_key integer DEFAULT NULL::integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_batches bigint[] := "partitioncache".dead_batches(p_own_lock_key);
  v_blamed integer;
  v_dead record;
  v_result "partitioncache".item_result;
BEGIN
  IF v_batches IS NULL THEN
    RETURN 0;
  END IF;
  v_blamed := "partitioncache".suspect_of(v_batches);

  INSERT INTO "partitioncache".attempt (query_hash, partition_key, attempts, not_before, last_error, suspect)
  SELECT DISTINCT queue.hash, queue.partition_key, 0, clock_timestamp(), 'its run died', true
  FROM "partitioncache".batch
  CROSS JOIN unnest(queue_ids) AS queue_id
  JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue ON queue.id = queue_id
  WHERE batch_id = ANY (v_batches)
  ON CONFLICT (query_hash, partition_key) DO UPDATE SET suspect = true;

  SELECT batch.pid, batch.lock_key, batch.claimed_at, slot.job_name,
         queue.id, queue.hash, queue.partition_key, queue.query
  INTO v_dead
  FROM "partitioncache".batch
  JOIN "partitioncache".slot USING (lock_key)
  JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue ON queue.id = ANY (batch.queue_ids)
  WHERE batch.batch_id = ANY (v_batches) AND queue.id = v_blamed
  LIMIT 1;
  IF FOUND THEN
    v_result.item := ROW(v_dead.id, v_dead.hash, v_dead.partition_key, NULL, v_dead.query, NULL, false, true);
    v_result.error := format('the backend %s that worked on it since %s is gone', v_dead.pid, v_dead.claimed_at);
    v_result.started_at := v_dead.claimed_at;
    v_result.ended_at := clock_timestamp();
    PERFORM "partitioncache".settle_results(ARRAY["partitioncache".put_back(v_result, '0 s', 1)],
      ROW(v_dead.job_name, v_dead.lock_key, 'unknown', false, NULL, NULL, NULL, NULL)::"partitioncache".run_context);
  END IF;

  DELETE FROM "public"."partitioncache_queue_active_jobs" AS active
  USING "partitioncache".batch, "public"."partitioncache_queue_query_fragment_queue" AS queue
  WHERE batch.batch_id = ANY (v_batches) AND queue.id = ANY (batch.queue_ids)
    AND active.query_hash = queue.hash AND active.partition_key = queue.partition_key;
  DELETE FROM "partitioncache".batch WHERE batch_id = ANY (v_batches);
  RETURN cardinality(v_batches);
END
$$;

COMMENT ON FUNCTION partitioncache.release_dead_batches(p_own_lock_key integer) IS 'Gives back the fragments of runs that died, as suspects that are tried alone, and counts an attempt for the one that is to blame. p_own_lock_key: a slot the caller has just taken. Returns how many batches there were.';

CREATE FUNCTION partitioncache.release_results() RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_running record;
  v_cancelled integer := 0;
BEGIN
  -- Quick fragments share a transaction. When a slow one has come between, what is ready must not wait for it: the run
  -- is cancelled, settles what it has, and begins the slow one anew, by itself.
  FOR v_running IN
    SELECT running.*, batch.cancelled_at
    FROM "partitioncache".working_runs() AS running
    JOIN "partitioncache".batch USING (batch_id)
    WHERE running.slot > 0 AND running.has_results
      AND clock_timestamp() - running.started_at >= CASE WHEN running.is_exact THEN interval '1 s' ELSE interval '2 s' END
  LOOP
    IF "partitioncache".hold_run(v_running.lock_key, v_running.pid, v_running.started_at, v_running.has_results) THEN
      UPDATE "partitioncache".batch SET held_up = true, cancelled_at = coalesce(cancelled_at, clock_timestamp())
      WHERE batch_id = v_running.batch_id;
      IF "partitioncache".is_deaf(v_running.cancelled_at) THEN
        -- Then the results are lost, and begun anew, rather than wait for it.
        PERFORM pg_terminate_backend(v_running.pid);
      ELSE
        PERFORM pg_cancel_backend(v_running.pid);
      END IF;
      v_cancelled := v_cancelled + 1;
    END IF;
  END LOOP;
  RETURN v_cancelled;
END
$$;

COMMENT ON FUNCTION partitioncache.release_results() IS 'Cancels every run in which results that are ready have been waiting for a slow fragment for a second. Returns how many.';

CREATE FUNCTION partitioncache.require_closed(p_fragment text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
  v_cursor refcursor;
BEGIN
  IF NOT "partitioncache".is_plainly_closed(p_fragment) THEN
    -- A cursor takes exactly one whole statement that returns rows. Opening it parses and plans, and runs nothing.
    OPEN v_cursor FOR EXECUTE p_fragment;
    CLOSE v_cursor;
  END IF;
END
$$;

COMMENT ON FUNCTION partitioncache.require_closed(p_fragment text) IS 'Raises what PostgreSQL says unless the text is, on its own, one statement that returns rows, so that parentheses around it hold.';

CREATE FUNCTION partitioncache.require_datatype(p_type oid, p_datatype text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_datatype text := "partitioncache".datatype_of_result(p_type);
BEGIN
  -- Whole numbers fit a numeric set exactly; anything else that does not match would be rounded or rewritten.
  IF v_datatype = p_datatype OR (v_datatype = 'integer' AND p_datatype = 'float') THEN
    RETURN;
  END IF;
  RAISE EXCEPTION 'the fragment returns %, but the partition key holds %',
    format_type(p_type, NULL), coalesce(p_datatype, 'integer, float, text or timestamp')
    USING ERRCODE = 'datatype_mismatch',
          HINT = 'Partition keys are integer, float, text or timestamp; cast the column in the fragment.';
END
$$;

COMMENT ON FUNCTION partitioncache.require_datatype(p_type oid, p_datatype text) IS 'Raises 42804 when keys of this type cannot be kept in a partition of this datatype without loss.';

CREATE FUNCTION partitioncache.restore_session(p_locks text[], p_statements text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET client_min_messages TO 'error'
    AS $$
DECLARE
  v_lock text;
  v_statement text;
BEGIN
  FOREACH v_lock IN ARRAY "partitioncache".session_locks() LOOP
    CONTINUE WHEN v_lock = ANY (p_locks);
    WHILE v_lock = ANY ("partitioncache".session_locks()) LOOP
      EXIT WHEN NOT "partitioncache".unlock_once(v_lock);
    END LOOP;
  END LOOP;
  FOREACH v_lock IN ARRAY p_locks LOOP
    IF v_lock <> ALL ("partitioncache".session_locks()) AND NOT "partitioncache".lock_again(v_lock) THEN
      RAISE EXCEPTION 'a fragment has released an advisory lock of this session (%), and another session holds it now', v_lock
        USING ERRCODE = 'lock_not_available', HINT = 'Roll back; the fragments stay queued.';
    END IF;
  END LOOP;
  FOR v_statement IN SELECT name FROM pg_prepared_statements WHERE name <> ALL (p_statements) LOOP
    EXECUTE format('DEALLOCATE %I', v_statement);
  END LOOP;
END
$$;

COMMENT ON FUNCTION partitioncache.restore_session(p_locks text[], p_statements text[]) IS 'Undoes what fragments have done to a client''s session: takes away advisory locks beside p_locks and prepared statements beside p_statements, and takes p_locks again. Raises 55P03 when another session was quicker.';

CREATE FUNCTION partitioncache.retry_fragments(p_statuses text[] DEFAULT '{failed,timeout}'::text[], p_hashes text[] DEFAULT NULL::text[], p_partition_key text DEFAULT NULL::text, p_dry_run boolean DEFAULT false, OUT put_back bigint, OUT queued_already bigint, OUT in_use bigint, OUT unknown_hashes text[]) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_hashes text[];
  v_keys text[];
  v_new_hashes text[];
  v_new_keys text[];
  v_table regclass;
  v_unusable text[];
BEGIN
  IF p_statuses <@ ARRAY['failed', 'timeout', 'limit'] IS NOT TRUE THEN
    RAISE EXCEPTION 'fragments with status % cannot be retried', coalesce(array_to_string(p_statuses, ', ', 'NULL'), 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Statuses to retry are failed, timeout and limit.';
  END IF;
  unknown_hashes := ARRAY(
    SELECT DISTINCT given.hash FROM unnest(p_hashes) AS given (hash)
    WHERE NOT EXISTS (
      SELECT FROM "public"."my_cache_queries" AS known
      WHERE known.query_hash = given.hash AND known.status = ANY (p_statuses)
        AND (p_partition_key IS NULL OR known.partition_key = p_partition_key))
    ORDER BY given.hash);

  IF p_dry_run THEN
    SELECT count(*) - count(queue.id), count(queue.id), 0 INTO put_back, queued_already, in_use
    FROM "public"."my_cache_queries" AS known
    LEFT JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue ON queue.hash = known.query_hash AND queue.partition_key = known.partition_key
    WHERE known.status = ANY (p_statuses)
      AND (p_hashes IS NULL OR known.query_hash = ANY (p_hashes))
      AND (p_partition_key IS NULL OR known.partition_key = p_partition_key);
    RETURN;
  END IF;

  -- A row that another session holds is being settled: to wait for it, while holding others, could be a deadlock.
  SELECT coalesce(array_agg(locked.query_hash), '{}'), coalesce(array_agg(locked.partition_key), '{}')
  INTO v_hashes, v_keys
  FROM (
    SELECT known.query_hash, known.partition_key FROM "public"."my_cache_queries" AS known
    WHERE known.status = ANY (p_statuses)
      AND (p_hashes IS NULL OR known.query_hash = ANY (p_hashes))
      AND (p_partition_key IS NULL OR known.partition_key = p_partition_key)
    FOR UPDATE SKIP LOCKED
  ) AS locked;

  -- A statement of its own: only what is seen now that the rows are locked says whether one is queued. One that is
  -- queued may be at work: the run then needs its row here, so nothing that the run may hold is waited for.
  WITH inserted AS (
    INSERT INTO "public"."partitioncache_queue_query_fragment_queue" AS queue (query, hash, partition_key, partition_datatype, priority)
    SELECT known.query, known.query_hash, known.partition_key, metadata.datatype, 1
    FROM unnest(v_hashes, v_keys) AS item (query_hash, partition_key)
    JOIN "public"."my_cache_queries" AS known USING (query_hash, partition_key)
    LEFT JOIN "public"."my_cache_partition_metadata" AS metadata USING (partition_key)
    WHERE NOT EXISTS (SELECT FROM "public"."partitioncache_queue_query_fragment_queue" AS present
                      WHERE present.hash = known.query_hash AND present.partition_key = known.partition_key)
    -- In the order in which the clients insert: else the two could wait for each other.
    ORDER BY known.query_hash, known.partition_key
    ON CONFLICT (hash, partition_key) DO NOTHING
    RETURNING queue.hash, queue.partition_key
  )
  SELECT count(*), array_agg(hash), array_agg(partition_key) INTO put_back, v_new_hashes, v_new_keys FROM inserted;
  queued_already := cardinality(v_hashes) - put_back;

  -- Of what exceeded the limit the cache says "of no use"; without its row in "my_cache_queries" nothing would evict that.
  FOR v_table, v_unusable IN
    SELECT cache.oid, array_agg(known.query_hash)
    FROM unnest(v_new_hashes, v_new_keys) AS item (query_hash, partition_key)
    JOIN "public"."my_cache_queries" AS known USING (query_hash, partition_key)
    JOIN pg_class AS cache ON cache.relname = 'my_cache' || '_cache_' || known.partition_key
      AND cache.relnamespace = quote_ident('public')::regnamespace
    WHERE known.status = 'limit'
    GROUP BY cache.oid
  LOOP
    EXECUTE format('DELETE FROM %s WHERE query_hash = ANY ($1) AND partition_keys IS NULL', v_table) USING v_unusable;
  END LOOP;

  DELETE FROM "partitioncache".attempt AS failed USING (
    SELECT attempt.query_hash, attempt.partition_key
    FROM "partitioncache".attempt JOIN unnest(v_hashes, v_keys) AS item (query_hash, partition_key) USING (query_hash, partition_key)
    FOR UPDATE OF attempt SKIP LOCKED
  ) AS free
  WHERE failed.query_hash = free.query_hash AND failed.partition_key = free.partition_key;
  DELETE FROM "public"."my_cache_queries" AS known USING unnest(v_hashes, v_keys) AS item (query_hash, partition_key)
  WHERE known.query_hash = item.query_hash AND known.partition_key = item.partition_key;

  SELECT count(*) INTO in_use FROM "public"."my_cache_queries" AS known
  WHERE known.status = ANY (p_statuses)
    AND (p_hashes IS NULL OR known.query_hash = ANY (p_hashes))
    AND (p_partition_key IS NULL OR known.partition_key = p_partition_key);
END
$_$;

COMMENT ON FUNCTION partitioncache.retry_fragments(p_statuses text[], p_hashes text[], p_partition_key text, p_dry_run boolean, OUT put_back bigint, OUT queued_already bigint, OUT in_use bigint, OUT unknown_hashes text[]) IS 'Puts fragments whose status is one of p_statuses (failed, timeout, limit) back into the queue, due at once; only those of p_hashes and p_partition_key unless they are NULL. Their status is forgotten, and with limit the NULL in the cache. put_back: how many were queued; queued_already: how many were in the queue, and wait no longer; in_use: how many were left alone, since another session holds them; unknown_hashes: those of p_hashes that no such fragment has. With p_dry_run nothing is changed. Raises 22023 for other statuses.';

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
  v_after_id integer := 0;
  v_goes_on boolean;
BEGIN
  PERFORM "partitioncache".delete_idle_attempts();
  COMMIT;
  LOOP
    IF "partitioncache".has_runs() THEN
      PERFORM "partitioncache".cancel_overdue();
      COMMIT;
      PERFORM "partitioncache".release_results();
      COMMIT;
      PERFORM "partitioncache".share_waiting();
      COMMIT;
      PERFORM "partitioncache".release_dead_batches();
      COMMIT;
      PERFORM "partitioncache".publish_running();
    END IF;
    COMMIT;
    PERFORM "partitioncache".delete_old_log(1000);
    COMMIT;
    v_after_id := "partitioncache".delete_cached_duplicates(v_after_id, 5000);
    COMMIT;
    v_goes_on := "partitioncache".maintenance_goes_on(v_started);
    COMMIT;
    EXIT WHEN NOT v_goes_on;
    PERFORM pg_catalog.pg_sleep(1);
    COMMIT;
  END LOOP;
END
$$;

COMMENT ON PROCEDURE partitioncache.run_maintenance() IS 'One run of the maintenance job, as started by pg_cron every minute: timeouts, batches of dead runs or held up, display of what is running, retention of the log, cached duplicates in the queue.';

CREATE PROCEDURE partitioncache.run_processor(IN p_job_name text, IN p_slot integer)
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_started timestamptz := pg_catalog.clock_timestamp();
  v_lock_key integer;
  v_step "partitioncache".run_step;
  v_next integer;
  v_end "partitioncache".chunk_end;
  v_widened "partitioncache".batch_item[];
BEGIN
  v_lock_key := "partitioncache".open_slot(p_job_name, p_slot);
  COMMIT;
  IF v_lock_key IS NULL THEN
    RETURN;
  END IF;
  LOOP
    v_step := "partitioncache".next_step(p_job_name, p_slot, v_lock_key, v_started, v_step);
    COMMIT;
    EXIT WHEN v_step.finished;
    IF v_step.items IS NULL THEN
      PERFORM pg_catalog.pg_sleep(v_step.wait_seconds);
      COMMIT;
      CONTINUE;
    END IF;
    v_next := 1;
    WHILE v_next IS NOT NULL LOOP
      v_end := "partitioncache".process_chunk(v_step.items, v_next, v_step.context);
      COMMIT;
      v_next := v_end.next_item;
      IF v_end.narrow IS NOT NULL THEN
        -- In a transaction of its own: the lock it takes must not be held while a fragment is evaluated.
        v_widened := "partitioncache".widen_for(v_end.narrow, v_step.context);
        COMMIT;
        IF v_widened IS NOT NULL THEN
          v_end := "partitioncache".process_chunk(v_widened, 1, v_step.context);
          COMMIT;
        END IF;
        IF "partitioncache".is_overdue(v_step.context) THEN
          v_next := NULL;
        END IF;
      END IF;
      EXIT WHEN v_end.ends_run;
    END LOOP;
    EXIT WHEN v_end.ends_run;
  END LOOP;
  PERFORM "partitioncache".close_slot(v_lock_key);
END
$$;

COMMENT ON PROCEDURE partitioncache.run_processor(IN p_job_name text, IN p_slot integer) IS 'One run of a processor''s slot, as started by pg_cron: drains the queue in batches until it is empty or a minute is over. Ends at once while another run holds the slot, or when the processor is disabled.';

CREATE FUNCTION partitioncache.running_class() RETURNS integer
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  RETURN (quote_ident('partitioncache') || '.batch')::regclass::oid::integer;
END
$$;

COMMENT ON FUNCTION partitioncache.running_class() IS 'First key of the advisory locks that say what a run is evaluating; the second one is the queue id of the fragment that began the transaction, and 0 as well once it is another one''s turn.';

CREATE FUNCTION partitioncache.session_locks() RETURNS text[]
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT coalesce(array_agg(format('%s %s %s %s', classid, objid, objsubid, mode)), '{}')
  FROM pg_locks
  WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid <> "partitioncache".running_class()::oid
$$;

COMMENT ON FUNCTION partitioncache.session_locks() IS 'The advisory locks of this session, but for those that say what is evaluated: as "class object kind mode", as pg_locks has them.';

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

CREATE FUNCTION partitioncache.settle_each(p_results partitioncache.item_result[], p_run partitioncache.run_context) RETURNS partitioncache.item_result[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_lock_timeout text := '500ms';
  v_result "partitioncache".item_result;
  v_settled "partitioncache".item_result;
  v_results "partitioncache".item_result[] := '{}';
BEGIN
  FOREACH v_result IN ARRAY p_results LOOP
    v_settled := "partitioncache".settle_one(v_result, p_run, v_lock_timeout);
    v_results := v_results || v_settled;
    -- What is settled stays locked until all are, so a session that is in the way may be waiting for that. It has been
    -- waited for once; again and again for each would be its deadlock.
    IF v_settled.outcome = 'put_back' AND v_result.outcome <> 'put_back' THEN
      v_lock_timeout := '1ms';
    END IF;
  END LOOP;
  RETURN v_results;
END
$$;

COMMENT ON FUNCTION partitioncache.settle_each(p_results partitioncache.item_result[], p_run partitioncache.run_context) IS 'As store_and_settle, but each by itself, so that none is lost with another. Waits for other sessions for half a second in all.';

CREATE FUNCTION partitioncache.settle_one(p_result partitioncache.item_result, p_run partitioncache.run_context, p_lock_timeout text) RETURNS partitioncache.item_result
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_result "partitioncache".item_result := p_result;
  v_state text;
  v_message text;
BEGIN
  RETURN ("partitioncache".store_and_settle(ARRAY[p_result], p_run, p_lock_timeout))[1];
EXCEPTION
  WHEN serialization_failure OR deadlock_detected OR lock_not_available OR string_data_length_mismatch THEN
    -- It is others who are in the way, and no fragment is to be set aside for that.
    GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
    v_result.error := format('%s: %s', v_state, v_message);
    RETURN "partitioncache".put_back(v_result, '1 s', 0);
  WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
    v_result.outcome := 'failed';
    v_result.error := format('%s: %s', v_state, v_message);
    PERFORM "partitioncache".settle_results(ARRAY[v_result], p_run);
    RETURN v_result;
END
$$;

COMMENT ON FUNCTION partitioncache.settle_one(p_result partitioncache.item_result, p_run partitioncache.run_context, p_lock_timeout text) IS 'As store_and_settle for one fragment, but what the cache raises ends that fragment: put_back or failed.';

CREATE FUNCTION partitioncache.settle_results(p_results partitioncache.item_result[], p_run partitioncache.run_context) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_deleted integer;
BEGIN
  INSERT INTO "public"."my_cache_queries" (query_hash, partition_key, query, status, last_seen)
  SELECT (result.item).query_hash, (result.item).partition_key, (result.item).query, result.outcome, now()
  FROM unnest(p_results) AS result
  WHERE result.outcome IN ('ok', 'limit', 'failed', 'timeout')
  ON CONFLICT (query_hash, partition_key) DO UPDATE
    SET query = EXCLUDED.query, status = EXCLUDED.status, last_seen = EXCLUDED.last_seen;

  INSERT INTO "public"."partitioncache_queue_processor_log"
    (job_id, query_hash, partition_key, status, error_message, rows_affected, execution_time_ms, execution_source, created_at)
  SELECT p_run.job_name, (result.item).query_hash, (result.item).partition_key,
         CASE WHEN result.outcome IN ('ok', 'limit') THEN 'success' ELSE result.outcome END,
         -- A fragment can make its error as long as it likes.
         left(CASE result.outcome WHEN 'limit' THEN format('more than result_limit = %s keys', p_run.result_limit) ELSE result.error END,
              2000),
         result.rows_found,
         -- The column's precision is the clients' contract; a longer run is capped, never an error.
         least(extract(epoch FROM result.ended_at - result.started_at) * 1000, 9999999.999)::numeric(10, 3),
         p_run.source, result.ended_at::timestamp
  FROM unnest(p_results) AS result
  WHERE result.outcome IN ('ok', 'limit', 'failed', 'timeout', 'skipped');

  -- Not waited for: a client that raises a priority at this moment may hold its row for long.
  DELETE FROM "public"."partitioncache_queue_query_fragment_queue"
  WHERE id IN (
    SELECT queue.id
    FROM unnest(p_results) AS result
    JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue
      ON queue.id = (result.item).queue_id AND queue.hash = (result.item).query_hash
      AND queue.partition_key = (result.item).partition_key
    WHERE result.outcome IN ('ok', 'limit', 'failed', 'timeout', 'skipped')
    FOR UPDATE OF queue SKIP LOCKED);
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  IF v_deleted < cardinality(p_results) THEN
    PERFORM "partitioncache".delete_locked(p_results);
  END IF;

  DELETE FROM "partitioncache".attempt
  USING unnest(p_results) AS result
  WHERE (result.item).retried AND result.outcome IN ('ok', 'limit', 'failed', 'timeout', 'skipped')
    AND attempt.query_hash = (result.item).query_hash AND attempt.partition_key = (result.item).partition_key;

  -- Only what ran for long has been published: maintenance looks once a second.
  DELETE FROM "public"."partitioncache_queue_active_jobs" AS active
  USING unnest(p_results) AS result
  WHERE result.ended_at - result.started_at > interval '0.2 s'
    AND active.query_hash = (result.item).query_hash AND active.partition_key = (result.item).partition_key;
END
$$;

COMMENT ON FUNCTION partitioncache.settle_results(p_results partitioncache.item_result[], p_run partitioncache.run_context) IS 'Ends fragments for good: status of the query (skipped leaves it), log row, queue row deleted. What is put_back or too_narrow stays queued.';

CREATE FUNCTION partitioncache.share_waiting() RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_running record;
  v_shared integer := 0;
BEGIN
  -- Later than a run itself leaves the rest of its batch (is_overdue), so that it cannot turn to what is taken from it here.
  FOR v_running IN
    SELECT running.*
    FROM "partitioncache".working_runs() AS running
    JOIN "partitioncache".batch USING (batch_id)
    WHERE running.slot > 0 AND NOT running.has_results
      AND cardinality(batch.queue_ids) > 1 AND clock_timestamp() > batch.claimed_at + interval '1.2 s'
  LOOP
    IF "partitioncache".hold_run(v_running.lock_key, v_running.pid, v_running.started_at, v_running.has_results) THEN
      UPDATE "partitioncache".batch SET queue_ids = ARRAY[v_running.queue_id::integer] WHERE batch_id = v_running.batch_id;
      v_shared := v_shared + 1;
    END IF;
  END LOOP;
  RETURN v_shared;
END
$$;

COMMENT ON FUNCTION partitioncache.share_waiting() IS 'Gives back what waits in a batch behind a fragment that takes long, for other slots to work on. Returns how many batches there were.';

CREATE FUNCTION partitioncache.skipped(p_item partitioncache.batch_item) RETURNS partitioncache.item_result
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_result "partitioncache".item_result;
BEGIN
  v_result.item := p_item;
  v_result.outcome := 'skipped';
  v_result.started_at := clock_timestamp();
  v_result.ended_at := v_result.started_at;
  RETURN v_result;
END
$$;

COMMENT ON FUNCTION partitioncache.skipped(p_item partitioncache.batch_item) IS 'The result of a fragment that is cached already.';

CREATE FUNCTION partitioncache.sparse_key_bits(p_keys bigint[], p_bitsize integer) RETURNS bit varying
    LANGUAGE plpgsql IMMUTABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
  -- The words of 64 bits that are not zero (the first one always), and before each of them how many are.
  v_words bigint[];
  v_zeros integer[] := '{0}';
  v_count integer := 1;
  v_word bigint := 0;
  v_last_of_word bigint := 63;
  v_key bigint;
BEGIN
  FOREACH v_key IN ARRAY p_keys LOOP
    IF v_key > v_last_of_word THEN
      v_words[v_count] := v_word;
      v_count := v_count + 1;
      v_zeros[v_count] := (v_key - v_last_of_word - 1) >> 6;
      v_word := 0;
      v_last_of_word := v_key | 63;
    END IF;
    v_word := v_word | (1::bigint << (v_last_of_word - v_key)::integer);
  END LOOP;
  v_words[v_count] := v_word;
  RETURN "bit"(('x' || (
    SELECT string_agg(lpad(to_hex(word), 16, '0'), repeat('0000000000000000', zeros))
    FROM (SELECT unnest(v_words) AS word, unnest(v_zeros) AS zeros) AS words
  ))::bit varying, p_bitsize, true);
END
$$;

COMMENT ON FUNCTION partitioncache.sparse_key_bits(p_keys bigint[], p_bitsize integer) IS 'As key_bits, fastest when few bits are set: by words of 64 bits.';

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

CREATE FUNCTION partitioncache.store_and_settle(p_results partitioncache.item_result[], p_run partitioncache.run_context, p_lock_timeout text DEFAULT '500ms'::text) RETURNS partitioncache.item_result[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '500ms'
    AS $$
DECLARE
  v_partition record;
  v_results "partitioncache".item_result[] := '{}';
BEGIN
  PERFORM set_config('lock_timeout', p_lock_timeout, true);
  FOR v_partition IN
    SELECT result.outcome IN ('ok', 'limit') AS to_store, array_agg(result) AS results
    FROM unnest(p_results) AS result
    GROUP BY (result.item).partition_key, result.outcome IN ('ok', 'limit')
    -- In one order for all runs, so that two that meet new partitions cannot block each other.
    ORDER BY (result.item).partition_key
  LOOP
    v_results := v_results || CASE
      WHEN v_partition.to_store THEN "partitioncache".store_partition(v_partition.results, p_run.default_bitsize)
      ELSE v_partition.results
    END;
  END LOOP;
  PERFORM "partitioncache".settle_results(v_results, p_run);
  RETURN v_results;
END
$$;

COMMENT ON FUNCTION partitioncache.store_and_settle(p_results partitioncache.item_result[], p_run partitioncache.run_context, p_lock_timeout text) IS 'Caches the sets that fragments returned and settles the fragments; returns the results as they are now. Raises 55P03 rather than wait for another session for longer than p_lock_timeout.';

CREATE FUNCTION partitioncache.store_partition(p_results partitioncache.item_result[], p_default_bitsize integer) RETURNS partitioncache.item_result[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_first "partitioncache".item_result := p_results[1];
  v_results "partitioncache".item_result[] := p_results;
  v_backend text := (SELECT cache_backend FROM "partitioncache".deployment);
  v_bitsize integer;
BEGIN
  PERFORM "partitioncache".provide_cache_table(v_first, p_default_bitsize);
  IF v_backend = 'bit' THEN
    -- Not locked: should the cache be widened between here and the insert, the insert is refused (22026) and tried again.
    SELECT bitsize INTO STRICT v_bitsize FROM "public"."my_cache_partition_metadata" WHERE partition_key = (v_first.item).partition_key;
  END IF;
  IF v_backend <> 'array' THEN
    v_results := ARRAY(SELECT "partitioncache".fit_to_bits(result, v_backend, v_bitsize) FROM unnest(p_results) AS result);
  END IF;
  -- More keys than allowed are stored as NULL: the clients' contract for "known, but of no use for filtering".
  EXECUTE format(
    'INSERT INTO %I.%I (query_hash, partition_keys) '
    'SELECT (result.item).query_hash, CASE result.outcome WHEN ''ok'' THEN %s END '
    'FROM unnest($1) AS result WHERE result.outcome IN (''ok'', ''limit'') '
    'ON CONFLICT (query_hash) DO UPDATE SET partition_keys = EXCLUDED.partition_keys',
    'public', "partitioncache".cache_table_name((v_first.item).partition_key),
    "partitioncache".keys_expression(v_backend, (v_first.item).datatype, v_bitsize))
    USING v_results;
  RETURN v_results;
END
$_$;

COMMENT ON FUNCTION partitioncache.store_partition(p_results partitioncache.item_result[], p_default_bitsize integer) IS 'Caches what the fragments of one partition returned (outcome ok or limit) and returns the results: those that a bit cache cannot hold are failed or too_narrow now. Raises 22026 when the bit cache was widened meanwhile.';

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

CREATE FUNCTION partitioncache.suspect_of(p_batches bigint[]) RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT CASE
    -- A crash takes all runs along. The one that tried a suspect is to blame; without one, a fragment is only if
    -- there is no other it could have been.
    WHEN count(*) FILTER (WHERE alone) = 1 THEN max(queue_id) FILTER (WHERE alone)
    WHEN count(DISTINCT queue_id) = 1 THEN max(queue_id)
  END
  FROM "partitioncache".batch
  CROSS JOIN unnest(queue_ids) AS queue_id
  JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue ON queue.id = queue_id
  WHERE batch_id = ANY (p_batches)
$$;

COMMENT ON FUNCTION partitioncache.suspect_of(p_batches bigint[]) IS 'The queue id of the one fragment that can be blamed for the death of these batches; NULL when it could be any of several, or none.';

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

CREATE FUNCTION partitioncache.terminate_deaf(p_job_name text, p_lock_key integer, p_batch_id bigint, p_queue_id integer, p_pid integer, p_started timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '500ms'
    AS $$
DECLARE
  v_result "partitioncache".item_result;
BEGIN
  -- Its run cannot settle it any more, and must not count as having died of it.
  v_result.item := ("partitioncache".items_of(ARRAY[p_queue_id]))[1];
  IF v_result.item IS NOT NULL THEN
    v_result.outcome := 'timeout';
    v_result.error := '57014: terminated, since it went on after it had been cancelled at its timeout';
    v_result.started_at := p_started;
    v_result.ended_at := clock_timestamp();
    PERFORM "partitioncache".settle_results(ARRAY[v_result],
      ROW(p_job_name, p_lock_key, 'cron', false, NULL, NULL, NULL, NULL)::"partitioncache".run_context);
  END IF;
  DELETE FROM "partitioncache".batch WHERE batch_id = p_batch_id;
  PERFORM pg_terminate_backend(p_pid);
EXCEPTION
  WHEN lock_not_available THEN
    -- A client holds its row at this moment: at the next look, in a second.
    RETURN;
END
$$;

COMMENT ON FUNCTION partitioncache.terminate_deaf(p_job_name text, p_lock_key integer, p_batch_id bigint, p_queue_id integer, p_pid integer, p_started timestamp with time zone) IS 'Ends the session of a run whose fragment does not let itself be cancelled, and settles the fragment as timed out. pg_cron starts the slot again.';

CREATE FUNCTION partitioncache.throughput_rows() RETURNS TABLE(job_name text, minutes integer, settled bigint, succeeded bigint, failed bigint, timed_out bigint, skipped bigint, per_second numeric, p50_ms numeric, p95_ms numeric, p99_ms numeric, max_ms numeric)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  WITH span AS MATERIALIZED (
    SELECT minutes, now()::timestamp - make_interval(mins => minutes) AS since FROM unnest(ARRAY[1, 5, 15]) AS minutes
  ),
  recent AS MATERIALIZED (
    -- What was skipped was not evaluated. Double precision sorts faster, and holds such numbers exactly.
    SELECT log.job_id, log.status, log.created_at,
           CASE WHEN log.status <> 'skipped' THEN log.execution_time_ms::double precision END AS evaluation_ms
    FROM "public"."partitioncache_queue_processor_log" AS log
    WHERE log.status <> 'started' AND log.created_at > (SELECT min(span.since) FROM span)
  ),
  measured AS (
    SELECT recent.job_id AS job_name, span.minutes, count(*) AS settled,
           count(*) FILTER (WHERE recent.status = 'success') AS succeeded,
           count(*) FILTER (WHERE recent.status = 'failed') AS failed,
           count(*) FILTER (WHERE recent.status = 'timeout') AS timed_out,
           count(*) FILTER (WHERE recent.status = 'skipped') AS skipped,
           percentile_disc(ARRAY[0.5, 0.95, 0.99, 1]) WITHIN GROUP (ORDER BY recent.evaluation_ms)::numeric(10, 3)[] AS ms
    FROM span JOIN recent ON recent.created_at > span.since
    GROUP BY recent.job_id, span.minutes
  ),
  configured AS (
    SELECT config.job_name, span.minutes FROM "public"."partitioncache_queue_processor_config" AS config CROSS JOIN span
  )
  SELECT job_name, minutes, coalesce(measured.settled, 0),
         coalesce(measured.succeeded, 0), coalesce(measured.failed, 0), coalesce(measured.timed_out, 0),
         coalesce(measured.skipped, 0), round(coalesce(measured.settled, 0) / (minutes * 60.0), 3),
         measured.ms[1], measured.ms[2], measured.ms[3], measured.ms[4]
  FROM configured FULL JOIN measured USING (job_name, minutes)
$$;

COMMENT ON FUNCTION partitioncache.throughput_rows() IS 'What the view throughput shows. Reads the log of the last 15 minutes.';

CREATE FUNCTION partitioncache.unlock_once(p_lock text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_class bigint := split_part(p_lock, ' ', 1);
  v_object bigint := split_part(p_lock, ' ', 2);
BEGIN
  -- One key of 64 bits, or two of 32 bits, which pg_locks shows without their signs.
  RETURN CASE split_part(p_lock, ' ', 3) || split_part(p_lock, ' ', 4)
    WHEN '1ExclusiveLock' THEN pg_advisory_unlock((v_class << 32) | v_object)
    WHEN '1ShareLock' THEN pg_advisory_unlock_shared((v_class << 32) | v_object)
    WHEN '2ExclusiveLock' THEN pg_advisory_unlock(v_class::oid::integer, v_object::oid::integer)
    WHEN '2ShareLock' THEN pg_advisory_unlock_shared(v_class::oid::integer, v_object::oid::integer)
  END;
END
$$;

COMMENT ON FUNCTION partitioncache.unlock_once(p_lock text) IS 'Releases one of session_locks() once; false when the session does not hold it.';

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

CREATE FUNCTION partitioncache.widen_for(p_narrow partitioncache.item_result[], p_run partitioncache.run_context) RETURNS partitioncache.batch_item[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
DECLARE
  v_narrow "partitioncache".item_result;
  v_state text;
  v_message text;
  v_widened "partitioncache".batch_item[];
BEGIN
  -- The widest first: each table is rewritten once.
  FOR v_narrow IN SELECT * FROM unnest(p_narrow) AS narrow ORDER BY "partitioncache".bits_needed(narrow) DESC LOOP
    BEGIN
      PERFORM "partitioncache".widen_partition((v_narrow.item).partition_key, "partitioncache".bits_needed(v_narrow)::integer);
      v_widened := v_widened || v_narrow.item;
    EXCEPTION
      WHEN lock_not_available OR deadlock_detected THEN
        v_narrow.error := 'the bit cache is in use and could not be widened';
        PERFORM "partitioncache".put_back(v_narrow, '5 s', 0);
      WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
        v_narrow.outcome := 'failed';
        v_narrow.error := format('%s: the bit cache could not be widened to %s bits: %s',
          v_state, "partitioncache".bits_needed(v_narrow), v_message);
        PERFORM "partitioncache".settle_results(ARRAY[v_narrow], p_run);
    END;
  END LOOP;
  RETURN v_widened;
END
$$;

COMMENT ON FUNCTION partitioncache.widen_for(p_narrow partitioncache.item_result[], p_run partitioncache.run_context) IS 'Widens the bit caches that are too narrow for these, and returns the fragments to be worked on again; NULL for none. Those whose cache is in use stay queued, for five seconds at least.';

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

CREATE FUNCTION partitioncache.working_runs() RETURNS TABLE(lock_key integer, job_name text, slot integer, batch_id bigint, queue_id bigint, pid integer, started_at timestamp with time zone, is_exact boolean, has_results boolean)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  WITH held AS (
    SELECT pid, objid::bigint AS queue_id
    FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 2
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid = "partitioncache".running_class()::oid
  )
  SELECT slot.lock_key, slot.job_name, slot.slot, batch.batch_id, held.queue_id, held.pid,
         -- Only the runs' own role and members of pg_read_all_stats can see when a transaction began. For others: a
         -- run takes up nothing more of a batch that is older than a second.
         coalesce(activity.xact_start, batch.claimed_at), activity.xact_start IS NOT NULL,
         EXISTS (SELECT FROM held AS beyond WHERE beyond.pid = held.pid AND beyond.queue_id = 0)
  FROM held
  -- Fragments can take such locks as well, but not in the name of another run, and not of what theirs has not claimed.
  JOIN "partitioncache".batch ON batch.pid = held.pid AND held.queue_id = ANY (batch.queue_ids)
  JOIN "partitioncache".slot ON slot.lock_key = batch.lock_key
  LEFT JOIN pg_stat_get_activity(held.pid) AS activity ON true
$$;

COMMENT ON FUNCTION partitioncache.working_runs() IS 'The runs that are evaluating fragments now. queue_id: the fragment their transaction began with; has_results: they are at a later one, and the results so far wait for it. started_at: when the transaction began; up to a second too early where it is not exact, for roles that may not see the activity of the runs'' role, or with track_activities off.';

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
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
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
  -- LATERAL looks each row up by its key: a join would read the whole queue when it has never been analyzed, since then
  -- each key is taken for many rows. The same mistake would set off JIT.
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
      FROM wanted CROSS JOIN LATERAL (
        SELECT id FROM %1$s AS queue WHERE queue.hash = wanted.hash AND queue.partition_key = wanted.partition_key LIMIT 1
      ) AS queue
    ),
    inserted AS (
      INSERT INTO %1$s AS queue (hash, partition_key, partition_datatype, query, priority)
      SELECT wanted.hash, wanted.partition_key, wanted.datatype, wanted.query, wanted.priority
      FROM wanted LEFT JOIN present USING (hash, partition_key)
      WHERE present.id IS NULL
      ORDER BY wanted.hash, wanted.partition_key
      ON CONFLICT (hash, partition_key) DO NOTHING
      RETURNING queue.hash, queue.partition_key
    ),
    free AS (
      SELECT queue.id, present.priority
      FROM present CROSS JOIN LATERAL (
        SELECT id FROM %1$s AS queue WHERE queue.id = present.id FOR UPDATE SKIP LOCKED
      ) AS queue
      WHERE (SELECT count(*) FROM inserted) >= 0 -- not before the inserts
    ),
    updated AS (
      UPDATE %1$s AS queue SET priority = greatest(least(queue.priority, 2147483646) + 1, free.priority), updated_at = now()
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
  $batch$, format('%I.%I', 'public', p_queue_table))
  USING p_hashes, p_partition_keys, p_partition_datatypes, p_queries, p_priorities;
END
$_$;

COMMENT ON FUNCTION public.non_blocking_fragment_queue_batch_upsert(p_hashes text[], p_partition_keys text[], p_partition_datatypes text[], p_queries text[], p_priorities integer[], p_queue_table text) IS 'Queues many fragments in one statement; one row for each, idx from 1, status as non_blocking_fragment_queue_upsert. Raises 2202E when the arrays differ in length. Clients'' contract.';

CREATE FUNCTION public.non_blocking_fragment_queue_upsert(p_hash text, p_partition_key text, p_partition_datatype text, p_query text, p_priority integer DEFAULT 1, p_queue_table text DEFAULT 'partitioncache_fragmentqueue'::text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_queue text := format('%I.%I', 'public', p_queue_table);
  v_id integer;
  v_status text;
BEGIN
  EXECUTE format('SELECT id FROM %s WHERE hash = $1 AND partition_key = $2 FOR UPDATE SKIP LOCKED', v_queue)
    INTO v_id USING p_hash, p_partition_key;
  IF v_id IS NOT NULL THEN
    EXECUTE format(
      'UPDATE %s SET priority = greatest(least(priority, 2147483646) + 1, $2), updated_at = now() WHERE id = $1', v_queue)
      USING v_id, p_priority;
    RETURN 'updated';
  END IF;
  EXECUTE format($upsert$
    WITH present AS (
      SELECT FROM %1$s WHERE hash = $1 AND partition_key = $2
    ),
    inserted AS (
      INSERT INTO %1$s (hash, partition_key, partition_datatype, query, priority)
      SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (SELECT FROM present)
      ON CONFLICT (hash, partition_key) DO NOTHING
      RETURNING id
    )
    SELECT CASE WHEN EXISTS (SELECT FROM inserted) THEN 'inserted'
                WHEN EXISTS (SELECT FROM present) THEN 'skipped_locked'
                ELSE 'skipped_concurrent' END
  $upsert$, v_queue)
    INTO v_status USING p_hash, p_partition_key, p_partition_datatype, p_query, coalesce(p_priority, 1);
  RETURN v_status;
END
$_$;

COMMENT ON FUNCTION public.non_blocking_fragment_queue_upsert(p_hash text, p_partition_key text, p_partition_datatype text, p_query text, p_priority integer, p_queue_table text) IS 'Queues a fragment, or raises its priority when it is queued: inserted, updated, skipped_locked when another session holds its row, or skipped_concurrent when one has just inserted it. Clients'' contract.';

CREATE FUNCTION public.non_blocking_original_queue_upsert(p_query text, p_partition_key text, p_partition_datatype text, p_priority integer DEFAULT 1, p_queue_table text DEFAULT 'partitioncache_originalqueue'::text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_queue text := format('%I.%I', 'public', p_queue_table);
  v_id integer;
  v_status text;
BEGIN
  EXECUTE format('SELECT id FROM %s WHERE query = $1 AND partition_key = $2 FOR UPDATE SKIP LOCKED', v_queue)
    INTO v_id USING p_query, p_partition_key;
  IF v_id IS NOT NULL THEN
    EXECUTE format(
      'UPDATE %s SET priority = greatest(least(priority, 2147483646) + 1, $2), updated_at = now() WHERE id = $1', v_queue)
      USING v_id, p_priority;
    RETURN 'updated';
  END IF;
  EXECUTE format($upsert$
    WITH present AS (
      SELECT FROM %1$s WHERE query = $1 AND partition_key = $2
    ),
    inserted AS (
      INSERT INTO %1$s (query, partition_key, partition_datatype, priority)
      SELECT $1, $2, $3, $4 WHERE NOT EXISTS (SELECT FROM present)
      ON CONFLICT (query, partition_key) DO NOTHING
      RETURNING id
    )
    SELECT CASE WHEN EXISTS (SELECT FROM inserted) THEN 'inserted'
                WHEN EXISTS (SELECT FROM present) THEN 'skipped_locked'
                ELSE 'skipped_concurrent' END
  $upsert$, v_queue)
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
    SET jit TO 'off'
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

COMMENT ON VIEW partitioncache.active_items IS 'What the slots are working on at this moment, and since when (to a second, for other roles than the runs'' own). Not shown: quick fragments within a chunk of them, which lasts two seconds at most.';

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
    last_error text NOT NULL,
    suspect boolean DEFAULT false NOT NULL
);

COMMENT ON TABLE partitioncache.attempt IS 'Queued fragments whose last attempt ended without a result: how often, why, and when the next one is due.';

COMMENT ON COLUMN partitioncache.attempt.suspect IS 'Whether a run died while it had claimed this fragment: it is then tried alone, before all others.';

ALTER TABLE partitioncache.batch ALTER COLUMN batch_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME partitioncache.batch_batch_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

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

CREATE VIEW partitioncache.failures AS
 SELECT sqlstate,
    reason,
    failures,
    fragments,
    still_failed,
    last_seen,
    example_hash,
    example_partition_key,
    example_message
   FROM partitioncache.failures_within('24:00:00'::interval) failures_within(sqlstate, reason, failures, fragments, still_failed, last_seen, example_hash, example_partition_key, example_message);

COMMENT ON VIEW partitioncache.failures IS 'Failures and timeouts of the last 24 hours by SQLSTATE, each with the last one as an example. No row: nothing failed.';

COMMENT ON COLUMN partitioncache.failures.sqlstate IS 'SQLSTATE of the error; 57014 for a timeout, NULL where the message carries none.';

COMMENT ON COLUMN partitioncache.failures.reason IS 'error; timeout (cancelled after timeout_seconds); set aside (its runs died or were turned away max_attempts times).';

COMMENT ON COLUMN partitioncache.failures.failures IS 'Rows of the log; one fragment may have failed several times.';

COMMENT ON COLUMN partitioncache.failures.still_failed IS 'How many of the fragments failed in this way at last and have not been evaluated or retried since.';

CREATE VIEW partitioncache.known_fragments AS
 SELECT status,
    fragments,
    last_seen
   FROM partitioncache.known_fragment_rows() known_fragment_rows(status, fragments, last_seen);

COMMENT ON VIEW partitioncache.known_fragments IS 'How many fragments are known to have ended how: ok, failed, timeout or limit. No row for a status that none has.';

COMMENT ON COLUMN partitioncache.known_fragments.last_seen IS 'When the last of them was evaluated, or seen by a client, in the time zone of the server.';

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

CREATE VIEW partitioncache.queue_depth AS
 SELECT priority,
    queued,
    waiting,
    over_1_minute,
    over_10_minutes,
    over_1_hour,
    oldest_since,
    oldest_age
   FROM partitioncache.queue_depth_rows() queue_depth_rows(priority, queued, waiting, over_1_minute, over_10_minutes, over_1_hour, oldest_since, oldest_age);

COMMENT ON VIEW partitioncache.queue_depth IS 'The fragments in the queue, those at work included, by priority. No row: the queue is empty.';

COMMENT ON COLUMN partitioncache.queue_depth.waiting IS 'How many of them are not due yet: put back after an attempt without a result, or queued again within retry_backoff_seconds of a failure.';

COMMENT ON COLUMN partitioncache.queue_depth.over_1_minute IS 'How many of them have been queued for more than a minute; over_10_minutes and over_1_hour are among them.';

COMMENT ON COLUMN partitioncache.queue_depth.oldest_since IS 'When the oldest of them was queued, in the time zone of the server.';

CREATE TABLE partitioncache.settings (
    only_row boolean DEFAULT true NOT NULL,
    batch_size integer DEFAULT 1000 NOT NULL,
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

COMMENT ON COLUMN partitioncache.settings.batch_size IS 'How many fragments a run claims at once at most. It claims fewer, so that a batch takes about a quarter of a second.';

COMMENT ON COLUMN partitioncache.settings.max_attempts IS 'After how many attempts without a result a fragment is set aside as failed: deadlocks, serialization failures, and deaths of its run while it was the only fragment that can have caused them.';

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

CREATE VIEW partitioncache.throughput AS
 SELECT job_name,
    minutes,
    settled,
    succeeded,
    failed,
    timed_out,
    skipped,
    per_second,
    p50_ms,
    p95_ms,
    p99_ms,
    max_ms
   FROM partitioncache.throughput_rows() throughput_rows(job_name, minutes, settled, succeeded, failed, timed_out, skipped, per_second, p50_ms, p95_ms, p99_ms, max_ms);

COMMENT ON VIEW partitioncache.throughput IS 'What each processor settled in the last 1, 5 and 15 minutes, with percentiles of the evaluations'' time in milliseconds.';

COMMENT ON COLUMN partitioncache.throughput.minutes IS 'Of how many minutes up to now the row is.';

COMMENT ON COLUMN partitioncache.throughput.settled IS 'Fragments that left the queue: succeeded, failed, timed_out and skipped.';

COMMENT ON COLUMN partitioncache.throughput.succeeded IS 'Evaluated, those with more keys than result_limit among them.';

COMMENT ON COLUMN partitioncache.throughput.skipped IS 'Not evaluated, since they were cached already.';

COMMENT ON COLUMN partitioncache.throughput.per_second IS 'Settled fragments a second, over the whole span.';

COMMENT ON COLUMN partitioncache.throughput.p50_ms IS 'Half of the evaluations (failed and timed out ones among them, skipped ones not) took this many milliseconds or less; NULL when there were none.';

COMMENT ON COLUMN partitioncache.throughput.max_ms IS 'Milliseconds of the longest evaluation; 9999999.999 stands for anything longer.';

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

ALTER TABLE ONLY partitioncache.batch
    ADD CONSTRAINT batch_pkey PRIMARY KEY (batch_id);

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

CREATE INDEX attempt_attempts_idx ON partitioncache.attempt USING btree (attempts) WHERE suspect;

CREATE UNIQUE INDEX batch_alone_idx ON partitioncache.batch USING btree (alone) WHERE alone;

CREATE INDEX partitioncache_queue_original_query_queue_priority_id_idx ON public.partitioncache_queue_original_query_queue USING btree (priority DESC, id);

CREATE INDEX partitioncache_queue_processor_failures ON public.partitioncache_queue_processor_log USING btree (created_at) WHERE (status = ANY (ARRAY['failed'::text, 'timeout'::text]));

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
GRANT ALL ON FUNCTION partitioncache.active_item_rows() TO cron_role;
GRANT ALL ON FUNCTION partitioncache.active_item_rows() TO client_role;

REVOKE ALL ON FUNCTION partitioncache.alter_bit_cache(p_partition_key text, p_bits integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.batch_limit(p_last partitioncache.run_step, p_now timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.batch_limit(p_last partitioncache.run_step, p_now timestamp with time zone) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.batch_limit(p_last partitioncache.run_step, p_now timestamp with time zone) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.bits_needed(p_result partitioncache.item_result) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.bits_needed(p_result partitioncache.item_result) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.bits_needed(p_result partitioncache.item_result) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.bootstrap_partition(p_partition_key text, p_datatype text, p_bitsize integer, p_element_type text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.bootstrap_partition(p_partition_key text, p_datatype text, p_bitsize integer, p_element_type text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.bootstrap_partition(p_partition_key text, p_datatype text, p_bitsize integer, p_element_type text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.cache_table_name(p_partition_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.cache_table_name(p_partition_key text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.cache_table_name(p_partition_key text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.cancel_overdue() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.cancel_overdue() TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.check_cron_link() FROM PUBLIC;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE partitioncache.batch TO cron_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE partitioncache.batch TO client_role;

REVOKE ALL ON FUNCTION partitioncache.claim_batch(p_lock_key integer, p_limit integer, p_after_priority integer, p_after_id integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.claim_batch(p_lock_key integer, p_limit integer, p_after_priority integer, p_after_id integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.claim_batch(p_lock_key integer, p_limit integer, p_after_priority integer, p_after_id integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.claim_by_hand(p_job_name text, p_lock_key integer, p_limit integer, p_own_session boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.claim_by_hand(p_job_name text, p_lock_key integer, p_limit integer, p_own_session boolean) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.claim_by_hand(p_job_name text, p_lock_key integer, p_limit integer, p_own_session boolean) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.claim_suspect(p_lock_key integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.claim_suspect(p_lock_key integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.claim_suspect(p_lock_key integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.close_slot(p_lock_key integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.close_slot(p_lock_key integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.close_slot(p_lock_key integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.collected_as(p_datatype text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.collected_as(p_datatype text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.collected_as(p_datatype text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.confirm_skip(p_result partitioncache.item_result) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.confirm_skip(p_result partitioncache.item_result) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.confirm_skip(p_result partitioncache.item_result) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.cron_job_name(p_processor text, p_role text, p_database text, p_schema text, p_table_prefix text) FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.cron_link_name() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.cron_schedule(p_start_interval integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.cron_takes_seconds(p_pg_cron_version text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.cron_takes_seconds(p_pg_cron_version text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.cron_takes_seconds(p_pg_cron_version text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.datatype_for(p_item partitioncache.batch_item) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.datatype_for(p_item partitioncache.batch_item) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.datatype_for(p_item partitioncache.batch_item) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.datatype_of_result(p_type oid) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.datatype_of_result(p_type oid) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.datatype_of_result(p_type oid) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.dead_batches(p_own_lock_key integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.dead_batches(p_own_lock_key integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.dead_batches(p_own_lock_key integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.delete_cached_duplicates(p_after_id integer, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.delete_cached_duplicates(p_after_id integer, p_limit integer) TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.delete_cached_of(p_partition_key text, p_queue_ids integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.delete_cached_of(p_partition_key text, p_queue_ids integer[]) TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.delete_idle_attempts() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.delete_idle_attempts() TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.delete_locked(p_results partitioncache.item_result[]) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.delete_locked(p_results partitioncache.item_result[]) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.delete_locked(p_results partitioncache.item_result[]) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.delete_old_log(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.delete_old_log(p_limit integer) TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.dense_key_bits(p_keys bigint[], p_bitsize integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.dense_key_bits(p_keys bigint[], p_bitsize integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.dense_key_bits(p_keys bigint[], p_bitsize integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.deployment_schemas() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.desired_jobs() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.drop_cron_link() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.evaluate_item(p_item partitioncache.batch_item, p_result_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.evaluate_item(p_item partitioncache.batch_item, p_result_limit integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.evaluate_item(p_item partitioncache.batch_item, p_result_limit integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.failures_within(p_age interval) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.failures_within(p_age interval) TO client_role;
GRANT ALL ON FUNCTION partitioncache.failures_within(p_age interval) TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.finish(p_results partitioncache.item_result[], p_run partitioncache.run_context) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.finish(p_results partitioncache.item_result[], p_run partitioncache.run_context) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.finish(p_results partitioncache.item_result[], p_run partitioncache.run_context) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.first_bytes(p_text text, p_bytes integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.fit_to_bits(p_result partitioncache.item_result, p_backend text, p_bitsize integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.fit_to_bits(p_result partitioncache.item_result, p_backend text, p_bitsize integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.fit_to_bits(p_result partitioncache.item_result, p_backend text, p_bitsize integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.fit_to_datatype(p_result partitioncache.item_result) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.fit_to_datatype(p_result partitioncache.item_result) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.fit_to_datatype(p_result partitioncache.item_result) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.fragment_text(p_query text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.fragment_text(p_query text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.fragment_text(p_query text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.has_runs() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.has_runs() TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.hold_run(p_lock_key integer, p_pid integer, p_started timestamp with time zone, p_has_results boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.hold_run(p_lock_key integer, p_pid integer, p_started timestamp with time zone, p_has_results boolean) TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.insert_batch(p_lock_key integer, p_queue_ids integer[], p_alone boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.insert_batch(p_lock_key integer, p_queue_ids integer[], p_alone boolean) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.insert_batch(p_lock_key integer, p_queue_ids integer[], p_alone boolean) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.is_cached(p_query_hash text, p_partition_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.is_cached(p_query_hash text, p_partition_key text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.is_cached(p_query_hash text, p_partition_key text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.is_deaf(p_cancelled_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.is_deaf(p_cancelled_at timestamp with time zone) TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.is_last_deployment() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.is_overdue(p_run partitioncache.run_context) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.is_overdue(p_run partitioncache.run_context) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.is_overdue(p_run partitioncache.run_context) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.is_plainly_closed(p_fragment text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.is_plainly_closed(p_fragment text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.is_plainly_closed(p_fragment text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.items_of(p_queue_ids integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.items_of(p_queue_ids integer[]) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.items_of(p_queue_ids integer[]) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.judge_cancel(p_item partitioncache.batch_item, p_started timestamp with time zone, p_job_name text, p_held_up boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.judge_cancel(p_item partitioncache.batch_item, p_started timestamp with time zone, p_job_name text, p_held_up boolean) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.judge_cancel(p_item partitioncache.batch_item, p_started timestamp with time zone, p_job_name text, p_held_up boolean) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.key_bits(p_keys bigint[], p_bitsize integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.key_bits(p_keys bigint[], p_bitsize integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.key_bits(p_keys bigint[], p_bitsize integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.keys_expression(p_backend text, p_datatype text, p_bitsize integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.keys_expression(p_backend text, p_datatype text, p_bitsize integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.keys_expression(p_backend text, p_datatype text, p_bitsize integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.known_fragment_rows() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.known_fragment_rows() TO client_role;
GRANT ALL ON FUNCTION partitioncache.known_fragment_rows() TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.lock_again(p_lock text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.lock_again(p_lock text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.lock_again(p_lock text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.lock_claimable(p_after_priority integer, p_after_id integer, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.lock_claimable(p_after_priority integer, p_after_id integer, p_limit integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.lock_claimable(p_after_priority integer, p_after_id integer, p_limit integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.maintenance_goes_on(p_started timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.maintenance_goes_on(p_started timestamp with time zone) TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.mark_synced(p_applied jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.next_step(p_job_name text, p_slot integer, p_lock_key integer, p_run_started timestamp with time zone, p_last partitioncache.run_step) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.next_step(p_job_name text, p_slot integer, p_lock_key integer, p_run_started timestamp with time zone, p_last partitioncache.run_step) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.next_step(p_job_name text, p_slot integer, p_lock_key integer, p_run_started timestamp with time zone, p_last partitioncache.run_step) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.notify_queue() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.open_manual_slot(p_job_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.open_manual_slot(p_job_name text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.open_manual_slot(p_job_name text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.open_slot(p_job_name text, p_slot integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.open_slot(p_job_name text, p_slot integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.open_slot(p_job_name text, p_slot integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.probe_fragment(p_query text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.probe_fragment(p_query text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.probe_fragment(p_query text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.process_batch(p_job_name text, p_count integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.process_batch(p_job_name text, p_count integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.process_batch(p_job_name text, p_count integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.process_chunk(p_items partitioncache.batch_item[], p_first integer, p_run partitioncache.run_context) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.process_chunk(p_items partitioncache.batch_item[], p_first integer, p_run partitioncache.run_context) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.process_chunk(p_items partitioncache.batch_item[], p_first integer, p_run partitioncache.run_context) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.process_claimed(p_step partitioncache.run_step) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.process_claimed(p_step partitioncache.run_step) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.process_claimed(p_step partitioncache.run_step) TO client_role;

REVOKE ALL ON PROCEDURE partitioncache.process_now(IN p_job_name text, INOUT p_outcome text) FROM PUBLIC;
GRANT ALL ON PROCEDURE partitioncache.process_now(IN p_job_name text, INOUT p_outcome text) TO cron_role;
GRANT ALL ON PROCEDURE partitioncache.process_now(IN p_job_name text, INOUT p_outcome text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.processor_named(p_job_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.processor_named(p_job_name text) TO client_role;
GRANT ALL ON FUNCTION partitioncache.processor_named(p_job_name text) TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.processor_status_rows() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.processor_status_rows() TO cron_role;
GRANT ALL ON FUNCTION partitioncache.processor_status_rows() TO client_role;

REVOKE ALL ON FUNCTION partitioncache.provide_cache_table(p_result partitioncache.item_result, p_default_bitsize integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.provide_cache_table(p_result partitioncache.item_result, p_default_bitsize integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.provide_cache_table(p_result partitioncache.item_result, p_default_bitsize integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.publish_running() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.publish_running() TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.put_back(p_result partitioncache.item_result, p_wait interval, p_counts integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.put_back(p_result partitioncache.item_result, p_wait interval, p_counts integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.put_back(p_result partitioncache.item_result, p_wait interval, p_counts integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.query_cron_link(p_query text) FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.queue_depth_rows() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.queue_depth_rows() TO client_role;
GRANT ALL ON FUNCTION partitioncache.queue_depth_rows() TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.reason_of_failure(p_item partitioncache.batch_item, p_state text, p_message text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.reason_of_failure(p_item partitioncache.batch_item, p_state text, p_message text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.reason_of_failure(p_item partitioncache.batch_item, p_state text, p_message text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.record_cron_side(p_transport text, p_pg_cron_version text) FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.release_dead_batches(p_own_lock_key integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.release_dead_batches(p_own_lock_key integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.release_dead_batches(p_own_lock_key integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.release_results() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.release_results() TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.require_closed(p_fragment text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.require_closed(p_fragment text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.require_closed(p_fragment text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.require_datatype(p_type oid, p_datatype text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.require_datatype(p_type oid, p_datatype text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.require_datatype(p_type oid, p_datatype text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.restore_session(p_locks text[], p_statements text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.restore_session(p_locks text[], p_statements text[]) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.restore_session(p_locks text[], p_statements text[]) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.retry_fragments(p_statuses text[], p_hashes text[], p_partition_key text, p_dry_run boolean, OUT put_back bigint, OUT queued_already bigint, OUT in_use bigint, OUT unknown_hashes text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.retry_fragments(p_statuses text[], p_hashes text[], p_partition_key text, p_dry_run boolean, OUT put_back bigint, OUT queued_already bigint, OUT in_use bigint, OUT unknown_hashes text[]) TO client_role;

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

REVOKE ALL ON FUNCTION partitioncache.running_class() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.running_class() TO cron_role;
GRANT ALL ON FUNCTION partitioncache.running_class() TO client_role;

REVOKE ALL ON FUNCTION partitioncache.session_locks() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.session_locks() TO cron_role;
GRANT ALL ON FUNCTION partitioncache.session_locks() TO client_role;

REVOKE ALL ON FUNCTION partitioncache.set_bits_expression() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.set_cron_link(p_host text, p_port integer, p_database text, p_user text, p_password text) FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.settle_each(p_results partitioncache.item_result[], p_run partitioncache.run_context) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.settle_each(p_results partitioncache.item_result[], p_run partitioncache.run_context) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.settle_each(p_results partitioncache.item_result[], p_run partitioncache.run_context) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.settle_one(p_result partitioncache.item_result, p_run partitioncache.run_context, p_lock_timeout text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.settle_one(p_result partitioncache.item_result, p_run partitioncache.run_context, p_lock_timeout text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.settle_one(p_result partitioncache.item_result, p_run partitioncache.run_context, p_lock_timeout text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.settle_results(p_results partitioncache.item_result[], p_run partitioncache.run_context) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.settle_results(p_results partitioncache.item_result[], p_run partitioncache.run_context) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.settle_results(p_results partitioncache.item_result[], p_run partitioncache.run_context) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.share_waiting() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.share_waiting() TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.skipped(p_item partitioncache.batch_item) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.skipped(p_item partitioncache.batch_item) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.skipped(p_item partitioncache.batch_item) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.sparse_key_bits(p_keys bigint[], p_bitsize integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.sparse_key_bits(p_keys bigint[], p_bitsize integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.sparse_key_bits(p_keys bigint[], p_bitsize integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.start_interval(p_frequency_seconds integer, p_pg_cron_version text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.start_interval(p_frequency_seconds integer, p_pg_cron_version text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.start_interval(p_frequency_seconds integer, p_pg_cron_version text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.store_and_settle(p_results partitioncache.item_result[], p_run partitioncache.run_context, p_lock_timeout text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.store_and_settle(p_results partitioncache.item_result[], p_run partitioncache.run_context, p_lock_timeout text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.store_and_settle(p_results partitioncache.item_result[], p_run partitioncache.run_context, p_lock_timeout text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.store_partition(p_results partitioncache.item_result[], p_default_bitsize integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.store_partition(p_results partitioncache.item_result[], p_default_bitsize integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.store_partition(p_results partitioncache.item_result[], p_default_bitsize integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.store_unusable(p_query_hash text, p_partition_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.store_unusable(p_query_hash text, p_partition_key text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.store_unusable(p_query_hash text, p_partition_key text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.suspect_of(p_batches bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.suspect_of(p_batches bigint[]) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.suspect_of(p_batches bigint[]) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.sync_cron() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.terminate_deaf(p_job_name text, p_lock_key integer, p_batch_id bigint, p_queue_id integer, p_pid integer, p_started timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.terminate_deaf(p_job_name text, p_lock_key integer, p_batch_id bigint, p_queue_id integer, p_pid integer, p_started timestamp with time zone) TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.throughput_rows() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.throughput_rows() TO client_role;
GRANT ALL ON FUNCTION partitioncache.throughput_rows() TO cron_role;

REVOKE ALL ON FUNCTION partitioncache.unlock_once(p_lock text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.unlock_once(p_lock text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.unlock_once(p_lock text) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.validate_processor_config() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.widen_bit_cache() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache.widen_for(p_narrow partitioncache.item_result[], p_run partitioncache.run_context) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.widen_for(p_narrow partitioncache.item_result[], p_run partitioncache.run_context) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.widen_for(p_narrow partitioncache.item_result[], p_run partitioncache.run_context) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.widen_partition(p_partition_key text, p_bits integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.widen_partition(p_partition_key text, p_bits integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.widen_partition(p_partition_key text, p_bits integer) TO client_role;

REVOKE ALL ON FUNCTION partitioncache.working_runs() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.working_runs() TO cron_role;
GRANT ALL ON FUNCTION partitioncache.working_runs() TO client_role;

GRANT SELECT ON TABLE partitioncache.active_items TO client_role;
GRANT SELECT ON TABLE partitioncache.active_items TO cron_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE partitioncache.attempt TO cron_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE partitioncache.attempt TO client_role;

GRANT SELECT ON TABLE partitioncache.deployment TO cron_role;
GRANT SELECT ON TABLE partitioncache.deployment TO client_role;

GRANT SELECT ON TABLE partitioncache.failures TO client_role;
GRANT SELECT ON TABLE partitioncache.failures TO cron_role;

GRANT SELECT ON TABLE partitioncache.known_fragments TO client_role;
GRANT SELECT ON TABLE partitioncache.known_fragments TO cron_role;

GRANT SELECT ON TABLE partitioncache.processor_status TO client_role;
GRANT SELECT ON TABLE partitioncache.processor_status TO cron_role;

GRANT SELECT ON TABLE partitioncache.queue_depth TO client_role;
GRANT SELECT ON TABLE partitioncache.queue_depth TO cron_role;

GRANT SELECT ON TABLE partitioncache.settings TO cron_role;
GRANT SELECT ON TABLE partitioncache.settings TO client_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE partitioncache.slot TO cron_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE partitioncache.slot TO client_role;

GRANT SELECT ON TABLE partitioncache.throughput TO client_role;
GRANT SELECT ON TABLE partitioncache.throughput TO cron_role;

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
