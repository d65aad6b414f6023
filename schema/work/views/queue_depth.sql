CREATE VIEW partitioncache.queue_depth AS
 SELECT priority,
    queued,
    waiting,
    over_1_minute,
    over_10_minutes,
    over_1_hour,
    oldest_since,
    oldest_age
   FROM partitioncache.queue_depth_rows() queue_depth_rows(priority, queued, waiting, over_1_minute, over_10_minutes, over_1_hour, oldest_since, oldest_age);

COMMENT ON VIEW partitioncache.queue_depth IS 'The fragments in the queue, including those being evaluated, by priority. Has no row when the queue is empty.';

COMMENT ON COLUMN partitioncache.queue_depth.waiting IS 'How many of them are not due yet: they were put back after an attempt without a result, or queued again within retry_backoff_seconds of a failure.';

COMMENT ON COLUMN partitioncache.queue_depth.over_1_minute IS 'How many of them have been queued for more than a minute, including those in over_10_minutes and over_1_hour.';

COMMENT ON COLUMN partitioncache.queue_depth.oldest_since IS 'When the oldest of them was queued, in the time zone of the server.';

GRANT SELECT ON TABLE partitioncache.queue_depth TO client_role;
GRANT SELECT ON TABLE partitioncache.queue_depth TO cron_role;
