DROP VIEW {{schema}}.known_fragments;
DROP VIEW {{schema}}.failures;
DROP FUNCTION {{schema}}.known_fragment_rows();
DROP FUNCTION {{schema}}.failures_within(interval);
DO $index$
BEGIN
  -- It went with the table where a client has recreated that.
  EXECUTE pg_catalog.format('DROP INDEX IF EXISTS %I.%I',
    {{client_schema:literal}}, {{queue_prefix:literal}} || '_processor_failures');
END
$index$;
