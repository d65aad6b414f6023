-- IF EXISTS: a client may have dropped its queue tables itself.
DROP TABLE IF EXISTS {{fragment_queue}};
DROP TABLE IF EXISTS {{original_queue}};
