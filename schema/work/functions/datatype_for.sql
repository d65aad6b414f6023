CREATE FUNCTION partitioncache.datatype_for(p_item partitioncache.batch_item) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_type oid;
  v_datatype text;
BEGIN
  IF (SELECT cache_backend FROM "partitioncache".service) <> 'array' THEN
    -- The positions of bits are numbers, so no other keys fit.
    RETURN 'integer';
  END IF;
  v_type := "partitioncache".probe_fragment(p_item.query);
  v_datatype := coalesce(p_item.queue_datatype, "partitioncache".datatype_of_result(v_type));
  PERFORM "partitioncache".require_datatype(v_type, v_datatype);
  RETURN v_datatype;
END
$$;

COMMENT ON FUNCTION partitioncache.datatype_for(p_item partitioncache.batch_item) IS 'The datatype of the new partition that a fragment belongs to: the one that the client gave, else the one that the fragment returns. Raises 42804 when the two are incompatible.';

REVOKE ALL ON FUNCTION partitioncache.datatype_for(p_item partitioncache.batch_item) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.datatype_for(p_item partitioncache.batch_item) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.datatype_for(p_item partitioncache.batch_item) TO client_role;
