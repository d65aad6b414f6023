--! drops original_queue fragment_queue
-- IF EXISTS, because a client may have dropped its queue tables
-- itself. The triggers go with the tables.
DROP TABLE IF EXISTS {{fragment_queue}};
DROP TABLE IF EXISTS {{original_queue}};
DROP FUNCTION {{schema}}.notify_queue;
