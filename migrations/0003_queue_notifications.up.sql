-- Clients that wait for work LISTEN on these channels. One notification a statement is enough: a
-- listener reads the queue anyway, and equal notifications of a transaction are merged by PostgreSQL.

CREATE FUNCTION {{schema}}.notify_queue() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM pg_notify(TG_ARGV[0], '');
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION {{schema}}.notify_queue() IS
  'Trigger function: notifies the channel named by its first argument that a queue has work.';
REVOKE ALL ON FUNCTION {{schema}}.notify_queue() FROM PUBLIC;

CREATE TRIGGER pcache_notify
  AFTER INSERT OR UPDATE ON {{original_queue}}
  FOR EACH STATEMENT EXECUTE FUNCTION {{schema}}.notify_queue('original_query_available');

CREATE TRIGGER pcache_notify
  AFTER INSERT OR UPDATE ON {{fragment_queue}}
  FOR EACH STATEMENT EXECUTE FUNCTION {{schema}}.notify_queue('query_fragment_available');
