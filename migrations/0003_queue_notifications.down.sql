DROP TRIGGER IF EXISTS pcache_notify ON {{fragment_queue}};
DROP TRIGGER IF EXISTS pcache_notify ON {{original_queue}};
DROP FUNCTION {{schema}}.notify_queue();
