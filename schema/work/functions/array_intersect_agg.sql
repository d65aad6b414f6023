CREATE AGGREGATE public.array_intersect_agg(anyarray) (
    SFUNC = public.partitioncache_array_intersect,
    STYPE = anyarray
);
