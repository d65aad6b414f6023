-- Shared with the other deployments of this database: the last one drops them.
DO $drop$
BEGIN
  IF NOT {{schema}}.is_last_deployment() THEN
    RETURN;
  END IF;
  DROP FUNCTION IF EXISTS {{client_schema}}.non_blocking_fragment_queue_batch_upsert(
    text[], text[], text[], text[]);
  DROP FUNCTION IF EXISTS {{client_schema}}.non_blocking_fragment_queue_batch_upsert(
    text[], text[], text[], text[], integer[], text);
  DROP FUNCTION IF EXISTS {{client_schema}}.non_blocking_original_queue_upsert(
    text, text, text, integer, text);
  DROP FUNCTION IF EXISTS {{client_schema}}.non_blocking_fragment_queue_upsert(
    text, text, text, text, integer, text);
END
$drop$;
