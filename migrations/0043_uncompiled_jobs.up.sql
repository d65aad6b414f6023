-- desired_jobs reads a handful of rows, but is estimated to read thousands, and from there on PostgreSQL compiles it: that
-- took longer than anything else about a change of the configuration (measured: 190 ms to 1 s, instead of 4).

ALTER FUNCTION {{schema}}.desired_jobs() SET jit = off;
