import type { WrittenHere } from './parts.js';

/** What hangs on a table or view: constraints, indexes, triggers, rules, policies, statistics, children. */
const columnKeys = (relation: string, numbers: string): string => `
  ${relation}.key || ARRAY(
    SELECT format('column %s.%I', ${relation}.identity, attname)
    FROM pg_attribute
    WHERE attrelid = ${relation}.oid AND attnum = ANY (${numbers}) ORDER BY attnum)`;

const plain = 'NULL::oid, NULL::aclitem[], NULL';

// That a column is NOT NULL is said there; since 18 it is a constraint as well.
export const constraint = (written: WrittenHere): string => `
  SELECT 'pg_constraint'::regclass::oid, c.oid, 0, 'constraint',
         format('%I ON %s', c.conname,
                CASE WHEN c.conrelid = r.oid THEN r.identity ELSE c.conrelid::regclass::text END),
         CASE WHEN c.conrelid = r.oid THEN ${columnKeys('r', 'c.conkey')} ELSE ARRAY[r.key] END,
         pg_get_constraintdef(c.oid) || CASE WHEN EXISTS (
           SELECT FROM pg_trigger WHERE tgconstraint = c.oid AND tgenabled <> 'O')
           THEN ' (its triggers are disabled)' ELSE '' END,
         concat_ws(' ', c.contype::text, c.conkey::text, c.confrelid::regclass::text,
                   CASE WHEN c.convalidated THEN '' ELSE 'NOT VALID' END),
         ${plain}, ${written('c.xmin')}, ${written('c.xmin')}
  FROM relation AS r
  JOIN pg_constraint AS c
    ON c.conrelid = r.oid
    OR c.confrelid = r.oid AND NOT EXISTS (SELECT FROM relation WHERE oid = c.conrelid)
  WHERE c.contype IN ('c', 'f', 'p', 'u', 'x')`;

export const index = (written: WrittenHere): string => `
  SELECT 'pg_class'::regclass::oid, i.indexrelid, 0, 'index',
         format('%I.%I', n.nspname, c.relname), ${columnKeys('r', 'i.indkey::smallint[]')},
         pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' (invalid)' END,
         concat_ws(' ', (SELECT amname FROM pg_am WHERE oid = c.relam), i.indkey::text,
                   i.indisunique::text, i.indisvalid::text),
         ${plain}, ${written('i.xmin')} OR ${written('c.xmin')}, false
  FROM relation AS r
  JOIN pg_index AS i ON i.indrelid = r.oid
  JOIN pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE NOT EXISTS (
    SELECT FROM pg_constraint WHERE conindid = i.indexrelid AND contype IN ('p', 'u', 'x'))`;

export const trigger = (written: WrittenHere): string => `
  SELECT 'pg_trigger'::regclass::oid, t.oid, 0, 'trigger',
         format('%I ON %s', t.tgname, r.identity), ARRAY[r.key],
         pg_get_triggerdef(t.oid) || state.text,
         concat_ws(' ', t.tgfoid::regprocedure::text, t.tgtype::text, t.tgattr::text,
                   encode(t.tgargs, 'hex'), t.tgdeferrable::text, t.tginitdeferred::text)
           || state.text,
         ${plain}, ${written('t.xmin')}, ${written('t.xmin')}
  FROM relation AS r
  JOIN pg_trigger AS t ON t.tgrelid = r.oid AND NOT t.tgisinternal
  CROSS JOIN LATERAL (SELECT CASE t.tgenabled WHEN 'D' THEN E'\\nDISABLE'
    WHEN 'R' THEN E'\\nENABLE REPLICA' WHEN 'A' THEN E'\\nENABLE ALWAYS' ELSE '' END) AS state (text)`;

export const rule = (written: WrittenHere): string => `
  SELECT 'pg_rewrite'::regclass::oid, w.oid, 0, 'rule',
         format('%I ON %s', w.rulename, r.identity), ARRAY[r.key],
         pg_get_ruledef(w.oid) || CASE w.ev_enabled WHEN 'O' THEN '' ELSE E'\\nDISABLE' END,
         concat_ws(' ', w.ev_type::text, w.ev_enabled::text, w.is_instead::text),
         ${plain}, ${written('w.xmin')}, ${written('w.xmin')}
  FROM relation AS r
  JOIN pg_rewrite AS w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'`;

export const policy = (written: WrittenHere): string => `
  SELECT 'pg_policy'::regclass::oid, p.oid, 0, 'policy',
         format('%I ON %s', p.polname, r.identity), ARRAY[r.key],
         concat_ws(' ', head.text,
           'USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
           'WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'),
         head.text,
         ${plain}, ${written('p.xmin')}, ${written('p.xmin')}
  FROM relation AS r
  JOIN pg_policy AS p ON p.polrelid = r.oid
  CROSS JOIN LATERAL (
    SELECT concat_ws(' ',
      CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
      'FOR ' || CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
        WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
      'TO ' || (
        SELECT string_agg(
          CASE role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(role)) END, ', '
          ORDER BY role)
        FROM unnest(p.polroles) AS role))
  ) AS head (text)`;

export const statistics = (written: WrittenHere): string => `
  SELECT 'pg_statistic_ext'::regclass::oid, s.oid, 0, 'statistics',
         format('%I.%I', n.nspname, s.stxname), ARRAY[r.key], pg_get_statisticsobjdef(s.oid),
         concat_ws(' ', s.stxkeys::text, s.stxkind::text),
         ${plain}, ${written('s.xmin')}, ${written('s.xmin')}
  FROM relation AS r
  JOIN pg_statistic_ext AS s ON s.stxrelid = r.oid
  JOIN pg_namespace AS n ON n.oid = s.stxnamespace`;

export const child = (written: WrittenHere): string => `
  SELECT 'pg_class'::regclass::oid, i.inhrelid, 0, 'child table',
         format('%s OF %s', i.inhrelid::regclass, r.identity), ARRAY[r.key], 'INHERITS', NULL,
         ${plain}, ${written('i.xmin')}, ${written('i.xmin')}
  FROM relation AS r
  JOIN pg_inherits AS i ON i.inhparent = r.oid
  WHERE NOT EXISTS (SELECT FROM relation WHERE oid = i.inhrelid)`;
