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

REVOKE ALL ON FUNCTION partitioncache.notify_queue() FROM PUBLIC;
