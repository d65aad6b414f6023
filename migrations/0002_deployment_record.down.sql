DROP FUNCTION {{schema}}.hold_own_tables;
DROP FUNCTION {{schema}}.require_own;
DROP FUNCTION {{schema}}.lock_own;
DROP FUNCTION {{schema}}.foreign_parts;
DROP FUNCTION {{schema}}.is_last_deployment;
DROP FUNCTION {{schema}}.deployment_schemas;
DROP VIEW {{schema}}.service;
DROP FUNCTION {{schema}}.resume_1;
DROP FUNCTION {{schema}}.pause_1;
DROP FUNCTION {{schema}}.release_hold;
DROP FUNCTION {{schema}}.place_hold;
DROP FUNCTION {{schema}}.require_no_hold;
DROP FUNCTION {{schema}}.is_held;
DROP VIEW {{schema}}.holds_1;
DROP VIEW {{schema}}.last_release;
DROP TABLE {{schema}}.hold;
DROP TABLE {{schema}}.settings;
DROP FUNCTION {{schema}}.has_moved;
DROP TABLE {{schema}}.deployment;
DROP FUNCTION {{schema}}.system_identifier;

-- Not from the owner: a role that plays several parts must still be able to drop the schema.
DO $revoke$
DECLARE
  v_role text;
BEGIN
  FOREACH v_role IN ARRAY ARRAY[{{cron_role:literal}}, {{client_role:literal}}] LOOP
    IF v_role <> current_user THEN
      EXECUTE pg_catalog.format('REVOKE USAGE ON SCHEMA %I FROM %I', {{schema:literal}}, v_role);
    END IF;
  END LOOP;
END
$revoke$;
