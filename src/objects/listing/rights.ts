import type { WrittenHere } from './parts.js';

// Comments, owners and grants of the objects (CTE object), as rows of their own.

export const comment = (written: WrittenHere): string => `
  SELECT 'comment', o.kind || ' ' || o.identity, o.parents || (o.kind || ' ' || o.identity),
         d.description, NULL, o.oid::bigint, ${written('d.xmin')}, ${written('d.xmin')}, o.owner
  FROM object AS o
  JOIN pg_description AS d ON d.classoid = o.class AND d.objoid = o.oid AND d.objsubid = o.part`;

export const owner = (): string => `
  SELECT 'owner', o.kind || ' ' || o.identity, o.parents || (o.kind || ' ' || o.identity),
         quote_ident(pg_get_userbyid(o.owner)), NULL, o.oid::bigint, o.written, false, o.owner
  FROM object AS o WHERE o.owner IS NOT NULL`;

/** A privilege a line, in the words of GRANT; `ALL`: what an owner has by default. */
export const grant = (written: WrittenHere): string => `
  SELECT 'grant', format('%s TO %s', g.key, g.grantee_name), g.parents || g.key,
         CASE WHEN g.is_owner AND g.privileges = owned.privileges THEN 'ALL' ELSE g.definition END,
         NULL, g.oid::bigint, g.written, false, g.owner
  FROM (
    SELECT p.key, p.parents, p.oid, p.owner, p.acl_type, p.grantee_name, p.is_owner,
           bool_or(p.written) AS written,
           array_agg(p.privilege ORDER BY p.privilege) FILTER (WHERE p.columns IS NULL)
             AS privileges,
           string_agg(p.line, E'\\n' ORDER BY p.line) AS definition
    FROM (
      SELECT i.key, i.parents, i.oid, i.owner, i.acl_type, i.privilege, i.columns,
             i.grantee = i.owner AS is_owner, i.written,
             CASE i.grantee WHEN 0 THEN 'PUBLIC' WHEN i.owner THEN 'its owner'
               ELSE quote_ident(pg_get_userbyid(i.grantee)) END AS grantee_name,
             i.privilege || coalesce(' (' || i.columns || ')', '')
               || CASE WHEN i.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS line
      FROM (
        SELECT o.kind || ' ' || o.identity AS key, o.parents, o.oid, owners.owner, o.acl_type,
               o.written, x.grantee, x.privilege_type AS privilege,
               bool_or(x.is_grantable) AS is_grantable, NULL::text AS columns
        FROM object AS o
        CROSS JOIN LATERAL (
          SELECT coalesce(o.owner, (SELECT relowner FROM pg_class WHERE oid = o.oid))
        ) AS owners (owner)
        CROSS JOIN LATERAL aclexplode(
          coalesce(o.acl, acldefault(o.acl_type::"char", owners.owner))) AS x
        WHERE o.acl_type IS NOT NULL
        GROUP BY o.kind, o.identity, o.parents, o.oid, owners.owner, o.acl_type,
                 o.written, x.grantee, x.privilege_type
        UNION ALL
        SELECT o.kind || ' ' || o.identity, o.parents, o.oid, r.relowner, o.acl_type,
               bool_or(${written('a.xmin')}), x.grantee, x.privilege_type,
               x.is_grantable, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
        FROM object AS o
        JOIN relation AS r ON r.key = o.kind || ' ' || o.identity
        JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped
        CROSS JOIN LATERAL aclexplode(a.attacl) AS x
        GROUP BY o.kind, o.identity, o.parents, o.oid, r.relowner, o.acl_type, x.grantee,
                 x.privilege_type, x.is_grantable
      ) AS i
    ) AS p
    GROUP BY p.key, p.parents, p.oid, p.owner, p.acl_type, p.grantee_name, p.is_owner
  ) AS g
  CROSS JOIN LATERAL (
    SELECT array_agg(x.privilege_type ORDER BY x.privilege_type)
    FROM aclexplode(acldefault(g.acl_type::"char", g.owner)) AS x
    WHERE x.grantee = g.owner
  ) AS owned (privileges)`;

/**
 * What will be granted on whatever our owners make in our schemas. No release makes any: up takes them away and gives
 * them back, so that their rows in the catalogue are new ones.
 */
export const defaultPrivileges = (): string => `
  SELECT 'default privileges',
         format('FOR ROLE %I%s ON %s', pg_get_userbyid(a.defaclrole),
           (SELECT format(' IN SCHEMA %I', nspname) FROM pg_namespace WHERE oid = a.defaclnamespace),
           CASE a.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES'
             WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END),
         '{}'::text[], d.definition, NULL, 0::bigint, false, false, a.defaclrole
  FROM pg_default_acl AS a
  CROSS JOIN LATERAL (
    SELECT coalesce(string_agg(
      format('%s TO %s%s', x.privilege_type,
        CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END,
        CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' END), E'\\n'
      ORDER BY x.privilege_type, x.grantee), 'nothing')
    FROM aclexplode(a.defaclacl) AS x
  ) AS d (definition)
  WHERE a.defaclobjtype <> 'n'
    AND (a.defaclnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
      OR a.defaclrole IN (SELECT owner FROM object)
         AND (a.defaclnamespace = 0
              OR a.defaclnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $2)))`;
