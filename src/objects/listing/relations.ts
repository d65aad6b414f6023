import type { WrittenHere } from './parts.js';

/** $1: our schema; $2: the clients'; $3: what is ours there; $4, $5: how cache tables begin, and which are none. */
export const relation = (): string => `
  SELECT c.oid, c.xmin AS written_by, c.relowner, c.relacl, c.relkind,
         c.relpersistence, c.reloptions, c.relrowsecurity, c.relforcerowsecurity, c.relreplident,
         c.reltablespace, c.relam, named.kind, named.identity,
         named.kind || ' ' || named.identity AS key
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname IN ($1, $2)
  CROSS JOIN LATERAL (
    SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
             WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' ELSE 'table' END,
           format('%I.%I', n.nspname, c.relname)
  ) AS named (kind, identity)
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relpersistence <> 't'
    AND (n.nspname = $1 OR named.identity = ANY ($3)
         AND (NOT starts_with(c.relname, $4) OR c.relname = ANY ($5)))
    AND NOT EXISTS (
      SELECT FROM pg_depend
      WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')`;

const options = (alias: string): string => `
  'WITH (' || (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(${alias}.reloptions) AS o) || ')'`;

export const table = (written: WrittenHere): string => `
  SELECT 'pg_class'::regclass::oid, r.oid, 0, r.kind, r.identity, '{}'::text[],
         concat_ws(E'\\n',
           CASE r.relpersistence WHEN 'u' THEN 'unlogged' ELSE 'permanent' END,
           'PARTITION BY ' || pg_get_partkeydef(r.oid),
           'USING ' || (SELECT quote_ident(amname) FROM pg_am
                        WHERE oid = r.relam AND amname <> 'heap'),
           ${options('r')},
           'TABLESPACE ' || (SELECT quote_ident(spcname) FROM pg_tablespace
                             WHERE oid = r.reltablespace),
           'SERVER ' || (SELECT quote_ident(srvname) FROM pg_foreign_table
                         JOIN pg_foreign_server ON pg_foreign_server.oid = ftserver
                         WHERE ftrelid = r.oid),
           'INHERITS (' || (SELECT string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno)
                            FROM pg_inherits WHERE inhrelid = r.oid) || ')',
           CASE WHEN r.relrowsecurity THEN 'ROW LEVEL SECURITY ENABLED' END,
           CASE WHEN r.relforcerowsecurity THEN 'ROW LEVEL SECURITY FORCED' END,
           CASE r.relreplident WHEN 'n' THEN 'REPLICA IDENTITY NOTHING'
             WHEN 'f' THEN 'REPLICA IDENTITY FULL' WHEN 'i' THEN 'REPLICA IDENTITY an index' END),
         NULL::text, r.relowner, r.relacl, 'r',
         ${written('r.written_by')}, false
  FROM relation AS r WHERE r.kind IN ('table', 'foreign table')`;

export const view = (written: WrittenHere): string => `
  SELECT 'pg_class'::regclass::oid, r.oid, 0, r.kind, r.identity, '{}'::text[],
         concat_ws(E'\\n',
           CASE r.kind WHEN 'view' THEN 'CREATE OR REPLACE VIEW ' ELSE 'CREATE MATERIALIZED VIEW ' END
             || r.identity,
           ${options('r')},
           'AS' || E'\\n' || pg_get_viewdef(r.oid)),
         concat_ws(E'\\n',
           ${options('r')},
           (SELECT string_agg(
              quote_ident(attname) || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
            FROM pg_attribute WHERE attrelid = r.oid AND attnum > 0 AND NOT attisdropped)),
         r.relowner, r.relacl, 'r',
         ${written('r.written_by')} OR w.is_written, w.is_written
  FROM relation AS r
  CROSS JOIN LATERAL (
    SELECT coalesce(bool_or(${written('rewrite.xmin')}), false)
    FROM pg_rewrite AS rewrite WHERE ev_class = r.oid AND rulename = '_RETURN'
  ) AS w (is_written)
  WHERE r.kind IN ('view', 'materialized view')`;

export const sequence = (written: WrittenHere): string => `
  SELECT 'pg_class'::regclass::oid, r.oid, 0, r.kind, r.identity,
         coalesce(o.parents, '{}'),
         concat_ws(E'\\n',
           format('AS %s START %s INCREMENT %s MINVALUE %s MAXVALUE %s CACHE %s%s',
             format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax,
             s.seqcache, CASE WHEN s.seqcycle THEN ' CYCLE' END),
           CASE r.relpersistence WHEN 'u' THEN 'unlogged' END,
           'OWNED BY ' || o.owned_by),
         NULL,
         CASE WHEN o.parents IS NULL THEN r.relowner END,
         r.relacl, 's',
         ${written('r.written_by')} OR ${written('s.xmin')}, ${written('s.xmin')}
  FROM relation AS r
  JOIN pg_sequence AS s ON s.seqrelid = r.oid
  LEFT JOIN LATERAL (
    SELECT format('%s.%I', t.identity, a.attname),
           ARRAY[t.key, format('column %s.%I', t.identity, a.attname)]
    FROM pg_depend AS d
    JOIN relation AS t ON t.oid = d.refobjid
    JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid
      AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
  ) AS o (owned_by, parents) ON true
  WHERE r.kind = 'sequence'`;

// Of the options, those that people set: recent servers keep a counter of their own there (pg_attver), which moves
// with every ALTER TABLE. Whatever a version lacks is NULL in the row as jsonb, such as attcompression before 14.
export const column = (written: WrittenHere): string => `
  SELECT 'pg_class'::regclass::oid, r.oid, a.attnum::integer, 'column',
         format('%s.%I', r.identity, a.attname), ARRAY[r.key],
         concat_ws(' ', t.text,
           CASE a.attgenerated
             WHEN '' THEN 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid)
             ELSE format('GENERATED ALWAYS AS (%s) %s', pg_get_expr(d.adbin, d.adrelid),
                         CASE a.attgenerated WHEN 's' THEN 'STORED' ELSE 'VIRTUAL' END)
           END),
         concat_ws(' ', t.text, a.attgenerated, CASE WHEN a.atthasdef THEN 'DEFAULT' END),
         NULL::oid, NULL::aclitem[], NULL,
         ${written('a.xmin')} OR coalesce(${written('d.xmin')}, false), false
  FROM relation AS r
  JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type AS y ON y.oid = a.atttypid
  LEFT JOIN pg_attrdef AS d ON d.adrelid = r.oid AND d.adnum = a.attnum
  CROSS JOIN LATERAL (
    SELECT concat_ws(' ', format_type(a.atttypid, a.atttypmod),
      'COLLATE ' || (SELECT format('%I.%I', n.nspname, c.collname)
                     FROM pg_collation AS c JOIN pg_namespace AS n ON n.oid = c.collnamespace
                     WHERE c.oid = a.attcollation AND a.attcollation <> y.typcollation),
      CASE WHEN a.attstorage <> y.typstorage THEN 'STORAGE ' || CASE a.attstorage
        WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END,
      'COMPRESSION ' || nullif(to_jsonb(a) ->> 'attcompression', ''),
      'STATISTICS ' || nullif((to_jsonb(a) ->> 'attstattarget')::integer, -1),
      'WITH (' || (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(a.attoptions) AS o
                   WHERE starts_with(o, 'n_distinct')) || ')',
      CASE a.attidentity WHEN 'a' THEN 'GENERATED ALWAYS AS IDENTITY'
        WHEN 'd' THEN 'GENERATED BY DEFAULT AS IDENTITY' END,
      CASE WHEN a.attnotnull THEN 'NOT NULL' END)
  ) AS t (text)
  WHERE r.kind IN ('table', 'foreign table') OR r.kind = 'view' AND a.atthasdef`;
