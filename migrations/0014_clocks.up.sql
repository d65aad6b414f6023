-- How long the parts of the processor take, and how long they wait for each other.

--! routine clocks
-- In one place, because they must agree with each other: docs/processor.md, "Relations between
-- clocks", says how, and what breaks otherwise.
CREATE OR REPLACE FUNCTION {{schema}}.clocks(
  OUT chunk interval,
  OUT batch interval,
  OUT overdue interval,
  OUT sharing interval,
  OUT held_up interval,
  OUT grace interval,
  OUT unseen interval,
  OUT look interval,
  OUT maintenance interval,
  OUT run interval,
  OUT idle interval
)
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT interval '50 ms', interval '250 ms', interval '1 s', interval '1.2 s', interval '1 s',
         interval '10 s', interval '1 s', interval '1 s', interval '59 s', interval '60 s',
         interval '10 s'
$$;
COMMENT ON FUNCTION {{schema}}.clocks IS
  'The clocks of the processor. chunk: fragments that share a transaction take this long at most; '
  'batch: what a batch should take; overdue: after it, a run leaves the rest of its batch; '
  'sharing: after it, maintenance gives that rest to other slots; held_up: results wait this '
  'long for a slow fragment; grace: how long a fragment may ignore cancels; unseen: added where '
  'the watcher may not see when a run began; look: from one look of maintenance, or of an idle '
  'run, to the next; maintenance, run: how long a run of each lasts; idle: how long a run stays '
  'that finds nothing.';
REVOKE ALL ON FUNCTION {{schema}}.clocks FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.clocks TO {{cron_role}}, {{client_role}};
--! end
