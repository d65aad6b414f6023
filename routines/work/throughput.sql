CREATE OR REPLACE VIEW {{schema}}.throughput AS SELECT * FROM {{schema}}.throughput_rows();
COMMENT ON VIEW {{schema}}.throughput IS
  'What each processor settled in the last 1, 5 and 15 minutes, with '
  'percentiles of the evaluation time in milliseconds.';
COMMENT ON COLUMN {{schema}}.throughput.minutes IS 'How many minutes up to now the row covers.';
COMMENT ON COLUMN {{schema}}.throughput.settled IS
  'Fragments that left the queue: succeeded, failed, timed_out and skipped.';
COMMENT ON COLUMN {{schema}}.throughput.succeeded IS
  'Evaluated fragments, including those with more keys than result_limit.';
COMMENT ON COLUMN {{schema}}.throughput.skipped IS
  'Fragments that were not evaluated because they were already cached.';
COMMENT ON COLUMN {{schema}}.throughput.per_second IS
  'Settled fragments per second, over the whole span.';
COMMENT ON COLUMN {{schema}}.throughput.p50_ms IS
  'Half of the evaluations (including failed and timed out ones, but not skipped ones) took this '
  'many milliseconds or less; NULL when there were none.';
COMMENT ON COLUMN {{schema}}.throughput.max_ms IS
  'Milliseconds of the longest evaluation; 9999999.999 stands for anything longer.';
GRANT SELECT ON {{schema}}.throughput TO {{client_role}}, {{cron_role}};
