CREATE FUNCTION partitioncache.clocks(OUT chunk interval, OUT batch interval, OUT overdue interval, OUT sharing interval, OUT held_up interval, OUT grace interval, OUT unseen interval, OUT look interval, OUT maintenance interval, OUT run interval, OUT idle interval) RETURNS record
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT interval '50 ms', interval '250 ms', interval '1 s', interval '1.2 s', interval '1 s',
         interval '10 s', interval '1 s', interval '1 s', interval '59 s', interval '60 s',
         interval '10 s'
$$;

COMMENT ON FUNCTION partitioncache.clocks(OUT chunk interval, OUT batch interval, OUT overdue interval, OUT sharing interval, OUT held_up interval, OUT grace interval, OUT unseen interval, OUT look interval, OUT maintenance interval, OUT run interval, OUT idle interval) IS 'The clocks of the processor. chunk: fragments that share a transaction take this long at most; batch: what a batch should take; overdue: after it, a run leaves the rest of its batch; sharing: after it, maintenance gives that rest to other slots; held_up: results wait this long for a slow fragment; grace: how long a fragment may ignore cancels; unseen: added where the watcher may not see when a run began; look: from one look of maintenance, or of an idle run, to the next; maintenance, run: how long a run of each lasts; idle: how long a run stays that finds nothing.';

REVOKE ALL ON FUNCTION partitioncache.clocks(OUT chunk interval, OUT batch interval, OUT overdue interval, OUT sharing interval, OUT held_up interval, OUT grace interval, OUT unseen interval, OUT look interval, OUT maintenance interval, OUT run interval, OUT idle interval) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.clocks(OUT chunk interval, OUT batch interval, OUT overdue interval, OUT sharing interval, OUT held_up interval, OUT grace interval, OUT unseen interval, OUT look interval, OUT maintenance interval, OUT run interval, OUT idle interval) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.clocks(OUT chunk interval, OUT batch interval, OUT overdue interval, OUT sharing interval, OUT held_up interval, OUT grace interval, OUT unseen interval, OUT look interval, OUT maintenance interval, OUT run interval, OUT idle interval) TO client_role;
