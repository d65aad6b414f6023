CREATE OR REPLACE VIEW {{schema}}.throughput AS SELECT * FROM {{schema}}.throughput_rows();
COMMENT ON VIEW {{schema}}.throughput IS
  'What each processor settled in the last 1, 5 and 15 minutes, with percentiles of the evaluations'' time in milliseconds.';
COMMENT ON COLUMN {{schema}}.throughput.minutes IS 'Of how many minutes up to now the row is.';
COMMENT ON COLUMN {{schema}}.throughput.settled IS 'Fragments that left the queue: succeeded, failed, timed_out and skipped.';
COMMENT ON COLUMN {{schema}}.throughput.succeeded IS 'Evaluated, those with more keys than result_limit among them.';
COMMENT ON COLUMN {{schema}}.throughput.skipped IS 'Not evaluated, since they were cached already.';
COMMENT ON COLUMN {{schema}}.throughput.per_second IS 'Settled fragments a second, over the whole span.';
COMMENT ON COLUMN {{schema}}.throughput.p50_ms IS
  'Half of the evaluations (failed and timed out ones among them, skipped ones not) took this many milliseconds or less; '
  'NULL when there were none.';
COMMENT ON COLUMN {{schema}}.throughput.max_ms IS
  'Milliseconds of the longest evaluation; 9999999.999 stands for anything longer.';
GRANT SELECT ON {{schema}}.throughput TO {{client_role}}, {{cron_role}};
