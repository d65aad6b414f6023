CREATE OR REPLACE VIEW {{schema}}.active_items AS SELECT * FROM {{schema}}.active_item_rows();
COMMENT ON VIEW {{schema}}.active_items IS
  'What the slots are working on now, and since when (to within a second, for roles other than the '
  'runs'' own). Not shown: quick fragments in a chunk of them, which lasts two seconds at most.';
GRANT SELECT ON {{schema}}.active_items TO {{client_role}}, {{cron_role}};
