-- What is named here could run as whoever writes or reads the table. An owner other than ours can
-- add such a thing at any time. On a table of ours it is a relic of somebody who was allowed to.
-- Asked for all tables at once, since this is asked with each chunk of results.
CREATE OR REPLACE FUNCTION {{schema}}.foreign_parts(p_tables oid[])
RETURNS TABLE (relation regclass, part text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
-- To plan these takes five times as long as to run them.
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_schema oid := quote_ident({{schema:literal}})::regnamespace;
  v_owner oid := (
    SELECT relowner FROM pg_class WHERE relname = 'deployment' AND relnamespace = v_schema);
  v_table pg_class;
BEGIN
  FOR v_table IN SELECT * FROM pg_class WHERE oid = ANY (p_tables) LOOP
    IF v_table.relowner <> v_owner THEN
      RETURN QUERY
      SELECT v_table.oid::regclass, format('owner %I', pg_get_userbyid(v_table.relowner));
    END IF;
    IF v_table.relkind <> 'r' THEN
      RETURN QUERY SELECT v_table.oid::regclass, CASE v_table.relkind
        WHEN 'v' THEN 'it is a view'
        WHEN 'm' THEN 'it is a materialized view'
        WHEN 'f' THEN 'it is a foreign table'
        WHEN 'p' THEN 'it is partitioned'
        ELSE 'it is not a table'
      END;
    END IF;
    IF v_table.relrowsecurity THEN
      RETURN QUERY SELECT v_table.oid::regclass, 'row security';
    END IF;
    IF v_table.relhasrules AND v_table.relkind = 'r' THEN
      RETURN QUERY
      SELECT ev_class::regclass, format('rule %I', rulename)
      FROM pg_rewrite WHERE ev_class = v_table.oid;
    END IF;
    IF v_table.relhastriggers THEN
      -- Ours, and those that a client which is our owner adds, are known by the function they call.
      RETURN QUERY
      SELECT tgrelid::regclass, format('trigger %I', tgname)
      FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
      WHERE tgrelid = v_table.oid AND NOT tgisinternal
        AND (proowner <> v_owner OR pronamespace NOT IN (v_schema, v_table.relnamespace))
      UNION
      SELECT tgrelid::regclass, format('foreign key %I', conname)
      FROM pg_trigger JOIN pg_constraint ON pg_constraint.oid = tgconstraint
      WHERE tgrelid = v_table.oid AND contype = 'f';
    END IF;
  END LOOP;

  RETURN QUERY
  SELECT polrelid::regclass, format('policy %I', polname)
  FROM pg_policy WHERE polrelid = ANY (p_tables)
  UNION ALL
  SELECT inhrelid::regclass, format('parent %s', inhparent::regclass)
  FROM pg_inherits WHERE inhrelid = ANY (p_tables)
  UNION ALL
  SELECT inhparent::regclass, format('child %s', inhrelid::regclass)
  FROM pg_inherits WHERE inhparent = ANY (p_tables)
  UNION ALL
  -- What a type, default, generated column, constraint, index, statistics or trigger uses, unless
  -- it is of our owner, a superuser, or PostgreSQL itself, which is not recorded. OFFSET 0 has it
  -- looked up by key; PostgreSQL would rather read all of pg_depend.
  SELECT own.relation::regclass,
         pg_describe_object(own.classid, own.objid, used.objsubid) || ' by '
           || pg_describe_object(used.refclassid, used.refobjid, 0)
  FROM (
    SELECT oid, 'pg_class'::regclass::oid, oid FROM unnest(p_tables) AS oid
    UNION ALL
    SELECT indrelid, 'pg_class'::regclass::oid, indexrelid
    FROM pg_index WHERE indrelid = ANY (p_tables)
    UNION ALL
    SELECT adrelid, 'pg_attrdef'::regclass::oid, oid FROM pg_attrdef WHERE adrelid = ANY (p_tables)
    UNION ALL
    SELECT conrelid, 'pg_constraint'::regclass::oid, oid
    FROM pg_constraint WHERE conrelid = ANY (p_tables)
    UNION ALL
    SELECT tgrelid, 'pg_trigger'::regclass::oid, oid
    FROM pg_trigger WHERE tgrelid = ANY (p_tables) AND tgqual IS NOT NULL
    UNION ALL
    -- ANALYZE computes them, as the owner of the table.
    SELECT stxrelid, 'pg_statistic_ext'::regclass::oid, oid
    FROM pg_statistic_ext WHERE stxrelid = ANY (p_tables)
  ) AS own (relation, classid, objid)
  CROSS JOIN LATERAL (
    SELECT refclassid, refobjid, objsubid,
           CASE refclassid
             WHEN 'pg_proc'::regclass THEN (SELECT proowner FROM pg_proc WHERE oid = refobjid)
             WHEN 'pg_type'::regclass THEN (SELECT typowner FROM pg_type WHERE oid = refobjid)
             WHEN 'pg_operator'::regclass THEN
               (SELECT oprowner FROM pg_operator WHERE oid = refobjid)
             WHEN 'pg_opclass'::regclass THEN
               (SELECT opcowner FROM pg_opclass WHERE oid = refobjid)
             WHEN 'pg_class'::regclass THEN
               (SELECT relowner FROM pg_class WHERE oid = refobjid AND oid <> own.relation)
           END AS owner
    FROM pg_depend
    WHERE classid = own.classid AND objid = own.objid
    OFFSET 0
  ) AS used
  WHERE used.owner <> v_owner
    AND (SELECT rolsuper FROM pg_roles WHERE oid = used.owner) IS NOT TRUE;

  -- Some functions of PostgreSQL and of extensions run SQL that they are given, as query_to_xml
  -- does. None that is immutable does; these are nextval, now and the cast to timestamp.
  RETURN QUERY
  SELECT found.relation::regclass,
         pg_describe_object(found.classid, found.objid, 0) || ' by '
           || pg_proc.oid::regprocedure
  FROM (
    SELECT adrelid, 'pg_attrdef'::regclass::oid, oid, adbin::text
    FROM pg_attrdef WHERE adrelid = ANY (p_tables)
    UNION ALL
    SELECT conrelid, 'pg_constraint'::regclass::oid, oid, conbin::text
    FROM pg_constraint WHERE conrelid = ANY (p_tables) AND contype = 'c'
    UNION ALL
    SELECT tgrelid, 'pg_trigger'::regclass::oid, oid, tgqual::text
    FROM pg_trigger WHERE tgrelid = ANY (p_tables) AND tgqual IS NOT NULL
    UNION ALL
    SELECT stxrelid, 'pg_statistic_ext'::regclass::oid, oid, stxexprs::text
    FROM pg_statistic_ext WHERE stxrelid = ANY (p_tables) AND stxexprs IS NOT NULL
  ) AS found (relation, classid, objid, tree)
  CROSS JOIN LATERAL regexp_matches(
    CASE WHEN strpos(
      replace(replace(replace(tree,
        ':funcid 1574 ', ''), ':funcid 1299 ', ''), ':funcid 2027 ', ''), ':funcid ') > 0
    THEN tree END, ':funcid ([0-9]+)', 'g') AS called (id)
  JOIN pg_proc ON pg_proc.oid = called.id[1]::oid
  WHERE provolatile <> 'i' AND proowner <> v_owner AND pg_proc.oid NOT IN (1574, 1299, 2027);
END
$$;
COMMENT ON FUNCTION {{schema}}.foreign_parts IS
  'What about these tables is not of our making, a row each, for people to read: another owner, '
  'trigger, rule, policy, parent, child, foreign key, and what belongs to others in a type, '
  'default, generated column, constraint, index or statistics. Hold the tables (hold_own_tables) '
  'where the answer must stay true.';
REVOKE ALL ON FUNCTION {{schema}}.foreign_parts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.foreign_parts TO {{cron_role}}, {{client_role}};
