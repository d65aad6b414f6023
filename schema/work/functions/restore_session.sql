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
      RAISE EXCEPTION USING
        ERRCODE = 'lock_not_available',
        MESSAGE = format(
          'a fragment has released an advisory lock of this session (%s), '
          'and another session holds it now', v_lock),
        HINT = 'Roll back; the fragments stay queued.';
    END IF;
  END LOOP;
  FOR v_statement IN
    SELECT name FROM pg_prepared_statements WHERE name <> ALL (p_statements)
  LOOP
    EXECUTE format('DEALLOCATE %I', v_statement);
  END LOOP;
END
$$;

COMMENT ON FUNCTION partitioncache.restore_session(p_locks text[], p_statements text[]) IS 'Undoes what fragments have done to a client''s session: releases advisory locks that are not in p_locks, deallocates prepared statements that are not in p_statements, and takes lost locks of p_locks again. Raises 55P03 when another session was quicker to take one.';

REVOKE ALL ON FUNCTION partitioncache.restore_session(p_locks text[], p_statements text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.restore_session(p_locks text[], p_statements text[]) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.restore_session(p_locks text[], p_statements text[]) TO client_role;
