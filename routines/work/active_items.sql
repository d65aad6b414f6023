CREATE OR REPLACE VIEW {{schema}}.active_items AS SELECT * FROM {{schema}}.active_item_rows();
COMMENT ON VIEW {{schema}}.active_items IS
  'What the slots are working on at this moment, and since when (to a second, for other roles than the runs'' own). Not shown: quick '
  'fragments within a chunk of them, which lasts two seconds at most.';
GRANT SELECT ON {{schema}}.active_items TO {{client_role}}, {{cron_role}};
