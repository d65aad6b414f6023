import type { WrittenHere } from './parts.js';

const plain = 'NULL::aclitem[], NULL';

export const schema = (written: WrittenHere): string => `
  SELECT 'pg_namespace'::regclass::oid, n.oid, 0, 'schema', quote_ident(n.nspname), '{}'::text[],
         'CREATE SCHEMA ' || quote_ident(n.nspname), NULL, n.nspowner, n.nspacl, 'n',
         ${written('n.xmin')}, false
  FROM pg_namespace AS n WHERE n.nspname = $1`;

// CREATE OR REPLACE writes what the routine depends on anew; GRANT, ALTER and COMMENT do not.
export const routine = (written: WrittenHere): string => `
  SELECT 'pg_proc'::regclass::oid, p.oid, 0, named.kind, named.identity, '{}'::text[],
         CASE WHEN p.prokind = 'a' THEN a.definition ELSE pg_get_functiondef(p.oid) END,
         CASE WHEN p.prokind <> 'a' THEN concat_ws(E'\\n',
           'RETURNS ' || pg_get_function_result(p.oid),
           concat_ws(' ', 'LANGUAGE', (SELECT lanname FROM pg_language WHERE oid = p.prolang),
             p.prokind, p.provolatile, p.proparallel, 'strict', p.proisstrict,
             'security definer', p.prosecdef, 'leakproof', p.proleakproof,
             'cost', p.procost, 'rows', p.prorows, 'defaults', p.pronargdefaults),
           p.proargnames::text, p.proargmodes::text, p.proconfig::text, p.prosrc) END,
         p.proowner, p.proacl, 'f',
         ${written('p.xmin')},
         ${written('p.xmin')} AND EXISTS (
           SELECT FROM pg_depend AS d
           WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND ${written('d.xmin')})
  FROM pg_proc AS p
  JOIN pg_namespace AS n ON n.oid = p.pronamespace AND n.nspname IN ($1, $2)
  CROSS JOIN LATERAL (
    SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
           format('%I.%I(%s)', n.nspname, p.proname, oidvectortypes(p.proargtypes))
  ) AS named (kind, identity)
  LEFT JOIN LATERAL (
    SELECT format(E'CREATE AGGREGATE %s (\\n  %s\\n)', named.identity, concat_ws(E',\\n  ',
      'SFUNC = ' || aggtransfn::text, 'STYPE = ' || format_type(aggtranstype, NULL),
      'FINALFUNC = ' || nullif(aggfinalfn::text, '-'),
      'COMBINEFUNC = ' || nullif(aggcombinefn::text, '-'),
      'INITCOND = ' || quote_literal(agginitval),
      CASE p.proparallel WHEN 's' THEN 'PARALLEL = safe' WHEN 'r' THEN 'PARALLEL = restricted' END))
    FROM pg_aggregate WHERE aggfnoid = p.oid
  ) AS a (definition) ON true
  WHERE (n.nspname = $1 OR named.identity = ANY ($3))
    AND NOT EXISTS (
      SELECT FROM pg_depend
      WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')`;

// Not those that belong to a table, and no arrays.
export const type = (written: WrittenHere): string => `
  SELECT 'pg_type'::regclass::oid, t.oid, 0, named.kind, named.identity, '{}'::text[],
         d.definition,
         CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
         t.typowner, t.typacl, 'T',
         ${written('t.xmin')}
           OR EXISTS (SELECT FROM pg_attribute AS a
                      WHERE a.attrelid = t.typrelid AND ${written('a.xmin')})
           OR EXISTS (SELECT FROM pg_enum AS e
                      WHERE e.enumtypid = t.oid AND ${written('e.xmin')})
           OR EXISTS (SELECT FROM pg_constraint AS c
                      WHERE c.contypid = t.oid AND ${written('c.xmin')}),
         false
  FROM pg_type AS t
  JOIN pg_namespace AS n ON n.oid = t.typnamespace AND n.nspname IN ($1, $2)
  CROSS JOIN LATERAL (
    SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END,
           format('%I.%I', n.nspname, t.typname)
  ) AS named (kind, identity)
  CROSS JOIN LATERAL (
    SELECT CASE t.typtype
      WHEN 'c' THEN 'AS (' || (
        SELECT string_agg(
          format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
        FROM pg_attribute
        WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped) || ')'
      WHEN 'e' THEN 'AS ENUM (' || (
        SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder)
        FROM pg_enum WHERE enumtypid = t.oid) || ')'
      WHEN 'd' THEN concat_ws(' ', 'AS', format_type(t.typbasetype, t.typtypmod),
        'DEFAULT ' || t.typdefault, CASE WHEN t.typnotnull THEN 'NOT NULL' END,
        (SELECT string_agg(format('CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)), ' '
                           ORDER BY conname)
         FROM pg_constraint WHERE contypid = t.oid AND contype = 'c'))
      WHEN 'r' THEN 'AS RANGE (' || (
        SELECT format_type(rngsubtype, NULL) FROM pg_range WHERE rngtypid = t.oid) || ')'
      ELSE 'base type'
    END
  ) AS d (definition)
  WHERE (n.nspname = $1 OR named.identity = ANY ($3))
    AND (t.typtype IN ('e', 'd', 'r')
         OR t.typtype = 'c' AND EXISTS (
           SELECT FROM pg_class WHERE oid = t.typrelid AND relkind = 'c')
         OR t.typtype = 'b' AND NOT EXISTS (SELECT FROM pg_type WHERE typarray = t.oid))
    AND NOT EXISTS (
      SELECT FROM pg_depend
      WHERE classid = 'pg_type'::regclass AND objid = t.oid AND deptype = 'e')`;

export const extension = (written: WrittenHere): string => `
  SELECT 'pg_extension'::regclass::oid, e.oid, 0, 'extension', quote_ident(e.extname), '{}'::text[],
         'SCHEMA ' || (SELECT quote_ident(nspname) FROM pg_namespace WHERE oid = e.extnamespace),
         NULL, NULL::oid, ${plain}, ${written('e.xmin')}, false
  FROM pg_extension AS e WHERE quote_ident(e.extname) = ANY ($3)`;

/** Operators, collations and the like, of which the migrations make none. */
export const anythingElse = (written: WrittenHere): string => `
  SELECT d.classid, d.objid, 0, i.type, i.identity, '{}'::text[], '', NULL, NULL::oid, ${plain},
         ${written('d.xmin')}, false
  FROM pg_depend AS d
  JOIN pg_namespace AS n ON n.oid = d.refobjid AND n.nspname = $1
  CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) AS i
  WHERE d.refclassid = 'pg_namespace'::regclass AND d.deptype = 'n'
    AND d.classid NOT IN (
      'pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass, 'pg_constraint'::regclass,
      'pg_statistic_ext'::regclass, 'pg_default_acl'::regclass)`;
