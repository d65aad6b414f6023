import { type ClientBase, escapeIdentifier } from 'pg';
import { pasteable, shown } from '../errors/shown.js';
import { plainName } from '../text/plain-name.js';

/** An object as pg_depend names it. */
export interface ObjectAddress {
  readonly classid: number;
  readonly objid: number;
}

/** An object that keeps another from being dropped. */
export interface Dependent {
  /** As PostgreSQL names its kind, such as `view` or `table constraint`. */
  readonly kind: string;
  /** For people, such as `view public.report of role "app"`. */
  readonly what: string;
  /** The statement that drops it, to be pasted. */
  readonly line: string;
}

interface Row extends ObjectAddress {
  readonly objsubid: number;
  readonly type: string;
  readonly names: readonly string[];
  readonly args: readonly string[];
  readonly identity: string;
  readonly schema: string | null;
  /** The table that it is on, or itself. */
  readonly relation: number | null;
  readonly parent: string | null;
  readonly owner: string | null;
}

/**
 * What depends on these objects, or on what does; what has to be dropped first comes first. Not what is in schemas or on
 * tables of ours, and what is on one of the objects goes with it.
 */
export async function dependentsOn(
  client: ClientBase,
  objects: readonly ObjectAddress[],
  ours: { readonly schemas: readonly string[]; readonly tables: readonly ObjectAddress[] },
): Promise<Dependent[]> {
  const seen = new Set(objects.map(keyOf));
  const relations = new Set([...objects, ...ours.tables].map(({ objid }) => objid));
  const found: Row[] = [];
  for (let next = objects; next.length > 0; ) {
    const rows = await directDependents(client, next);
    const fresh = rows.filter(
      (row) =>
        !seen.has(keyOf(row)) &&
        !ours.schemas.includes(row.schema ?? '') &&
        (row.relation === null || !relations.has(row.relation)),
    );
    for (const row of fresh) seen.add(keyOf(row));
    found.unshift(...fresh);
    // Of a table, a column or its parent goes, not the table.
    next = fresh.filter(({ type }) => !type.startsWith('table'));
  }
  return found.map((row) => ({
    kind: row.type,
    what: `${shown(`${row.type} ${row.identity}`)}${row.owner === null ? '' : ` of role "${shown(row.owner)}"`}`,
    line: pasteable(lineFor(row)),
  }));
}

function keyOf({ classid, objid, objsubid = 0 }: ObjectAddress & { objsubid?: number }): string {
  return `${classid} ${objid} ${objsubid}`;
}

async function directDependents(
  client: ClientBase,
  objects: readonly ObjectAddress[],
): Promise<Row[]> {
  const { rows } = await client.query<Row>(
    `SELECT DISTINCT o.classid, o.objid, o.objsubid, a.type, a.object_names AS names,
            a.object_args AS args, i.identity,
            within.nspname AS schema, on_table.oid AS relation,
            pg_catalog.pg_get_userbyid(coalesce(p.proowner, t.typowner, on_table.relowner))::text AS owner,
            (SELECT pg_catalog.format('%I.%I', of.nspname, c.relname)
               FROM pg_catalog.pg_inherits AS h
               JOIN pg_catalog.pg_class AS c ON c.oid = h.inhparent
               JOIN pg_catalog.pg_namespace AS of ON of.oid = c.relnamespace
              WHERE h.inhrelid = o.objid AND h.inhparent = d.refobjid) AS parent
       FROM unnest($1::oid[], $2::oid[]) AS used (classid, objid)
       JOIN pg_catalog.pg_depend AS d
         ON d.refclassid = used.classid AND d.refobjid = used.objid AND d.deptype = 'n'
       LEFT JOIN pg_catalog.pg_rewrite AS r
         ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = d.objid
       -- The rule that is a view.
       LEFT JOIN pg_catalog.pg_class AS v ON v.oid = r.ev_class AND v.relkind IN ('v', 'm')
      CROSS JOIN LATERAL (SELECT
              CASE WHEN v.oid IS NULL THEN d.classid ELSE 'pg_catalog.pg_class'::pg_catalog.regclass::oid END,
              coalesce(v.oid, d.objid),
              CASE WHEN v.oid IS NULL THEN d.objsubid ELSE 0 END) AS o (classid, objid, objsubid)
      CROSS JOIN LATERAL pg_catalog.pg_identify_object(o.classid, o.objid, o.objsubid) AS i
      CROSS JOIN LATERAL pg_catalog.pg_identify_object_as_address(o.classid, o.objid, o.objsubid) AS a
       LEFT JOIN pg_catalog.pg_proc AS p
         ON o.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND p.oid = o.objid
       LEFT JOIN pg_catalog.pg_type AS t
         ON o.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND t.oid = o.objid
       -- By oid: what is on no table may have the name of one.
       LEFT JOIN pg_catalog.pg_class AS on_table ON on_table.oid = CASE o.classid
              WHEN 'pg_catalog.pg_class'::pg_catalog.regclass THEN o.objid
              WHEN 'pg_catalog.pg_rewrite'::pg_catalog.regclass THEN r.ev_class
              WHEN 'pg_catalog.pg_attrdef'::pg_catalog.regclass
                THEN (SELECT adrelid FROM pg_catalog.pg_attrdef WHERE oid = o.objid)
              WHEN 'pg_catalog.pg_constraint'::pg_catalog.regclass
                THEN (SELECT conrelid FROM pg_catalog.pg_constraint WHERE oid = o.objid)
              WHEN 'pg_catalog.pg_trigger'::pg_catalog.regclass
                THEN (SELECT tgrelid FROM pg_catalog.pg_trigger WHERE oid = o.objid)
              WHEN 'pg_catalog.pg_policy'::pg_catalog.regclass
                THEN (SELECT polrelid FROM pg_catalog.pg_policy WHERE oid = o.objid)
              WHEN 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass
                THEN (SELECT stxrelid FROM pg_catalog.pg_statistic_ext WHERE oid = o.objid)
            END
       LEFT JOIN pg_catalog.pg_namespace AS within
         ON within.oid = coalesce(p.pronamespace, t.typnamespace, on_table.relnamespace)
      ORDER BY i.identity`,
    [objects.map(({ classid }) => classid), objects.map(({ objid }) => objid)],
  );
  return rows;
}

/** Where DROP calls it otherwise. */
const WORDS: Readonly<Record<string, string>> = {
  'statistics object': 'STATISTICS',
  'foreign-data wrapper': 'FOREIGN DATA WRAPPER',
};

function lineFor({ type, names, args, identity, parent }: Row): string {
  const on = names.slice(0, 2).map(plainName).join('.');
  const part = escapeIdentifier(names[2] ?? '');
  switch (type) {
    case 'table constraint':
      return `ALTER TABLE ${on} DROP CONSTRAINT ${part};`;
    case 'domain constraint':
      // Its domain is written as a type, quoted where it has to be.
      return `ALTER DOMAIN ${names[0]} DROP CONSTRAINT ${escapeIdentifier(args[0] ?? '')};`;
    case 'table column':
    case 'foreign table column':
      return `ALTER TABLE ${on} DROP COLUMN ${part};`;
    case 'composite type column':
      return `ALTER TYPE ${on} DROP ATTRIBUTE ${part};`;
    case 'default value':
      return `ALTER TABLE ${on} ALTER COLUMN ${part} DROP DEFAULT;`;
    case 'table':
      return parent === null ? `DROP TABLE ${on};` : `ALTER TABLE ${on} NO INHERIT ${parent};`;
    case 'policy':
    case 'rule':
    case 'trigger':
      return `DROP ${type.toUpperCase()} ${part} ON ${on};`;
    default:
      return `DROP ${WORDS[type] ?? type.toUpperCase()} ${identity};`;
  }
}
