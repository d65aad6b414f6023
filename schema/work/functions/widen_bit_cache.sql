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

COMMENT ON FUNCTION partitioncache.widen_bit_cache() IS 'Trigger function: widens the cache table of a partition key when its bitsize is raised, and keeps the rows. Raises 23514 when it would shrink.';

REVOKE ALL ON FUNCTION partitioncache.widen_bit_cache() FROM PUBLIC;
