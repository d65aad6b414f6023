CREATE OR REPLACE VIEW {{schema}}.queue_depth AS SELECT * FROM {{schema}}.queue_depth_rows();
COMMENT ON VIEW {{schema}}.queue_depth IS
  'The fragments in the queue, including those being evaluated, by '
  'priority. Has no row when the queue is empty.';
COMMENT ON COLUMN {{schema}}.queue_depth.waiting IS
  'How many of them are not due yet: they were put back after an attempt without a result, or '
  'queued again within retry_backoff_seconds of a failure.';
COMMENT ON COLUMN {{schema}}.queue_depth.over_1_minute IS
  'How many of them have been queued for more than a minute, '
  'including those in over_10_minutes and over_1_hour.';
COMMENT ON COLUMN {{schema}}.queue_depth.oldest_since IS
  'When the oldest of them was queued, in the time zone of the server.';
GRANT SELECT ON {{schema}}.queue_depth TO {{client_role}}, {{cron_role}};
