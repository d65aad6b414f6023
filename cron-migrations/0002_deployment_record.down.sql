DROP TABLE {{cron_schema}}.deployment;

-- Not from the owner: a role that plays both parts must still be able to drop the schema.
DO $revoke$
BEGIN
  IF {{migrator_role:literal}} <> current_user THEN
    REVOKE USAGE ON SCHEMA {{cron_schema}} FROM {{migrator_role}};
  END IF;
END
$revoke$;
