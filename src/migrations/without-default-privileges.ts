import type { ClientBase } from 'pg';

interface DefaultPrivilege {
  readonly take: string;
  readonly give: string;
}

/**
 * Within a transaction: has `use` make objects with the privileges that it grants itself. What our role's default
 * privileges give to others beyond PostgreSQL's own defaults is taken away meanwhile, and then given back.
 */
export async function withoutDefaultPrivileges<T>(
  client: ClientBase,
  use: () => Promise<T>,
): Promise<T> {
  const privileges = await givenToOthers(client);
  for (const { take } of privileges) await client.query(take);
  const result = await use();
  for (const { give } of privileges) await client.query(give);
  return result;
}

async function givenToOthers(client: ClientBase): Promise<DefaultPrivilege[]> {
  const { rows } = await client.query<DefaultPrivilege>(
    `SELECT pg_catalog.format('ALTER DEFAULT PRIVILEGES%s REVOKE %s ON %s FROM %s CASCADE',
                              g.place, g.privileges, g.objects, g.grantee) AS take,
            pg_catalog.format('ALTER DEFAULT PRIVILEGES%s GRANT %s ON %s TO %s%s',
                              g.place, g.privileges, g.objects, g.grantee,
                              CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END) AS give
       FROM (
         SELECT pg_catalog.format(' FOR ROLE %I', r.rolname)
                  || coalesce(' IN SCHEMA ' || pg_catalog.quote_ident(n.nspname), '') AS place,
                CASE a.defaclobjtype
                  WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'ROUTINES'
                  WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' WHEN 'L' THEN 'LARGE OBJECTS'
                END AS objects,
                CASE x.grantee WHEN 0 THEN 'PUBLIC'
                  ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END AS grantee,
                x.is_grantable,
                pg_catalog.string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type) AS privileges
           FROM pg_catalog.pg_default_acl AS a
           JOIN pg_catalog.pg_roles AS r ON r.oid = a.defaclrole AND r.rolname = current_user
           LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = a.defaclnamespace
           CROSS JOIN LATERAL pg_catalog.aclexplode(a.defaclacl) AS x
          WHERE x.grantee <> a.defaclrole
            AND NOT EXISTS (
              SELECT FROM pg_catalog.aclexplode(pg_catalog.acldefault(
                CASE a.defaclobjtype WHEN 'S' THEN 's' ELSE a.defaclobjtype END, a.defaclrole)) AS b
              WHERE b.grantee = x.grantee AND b.privilege_type = x.privilege_type)
          GROUP BY r.rolname, n.nspname, a.defaclobjtype, x.grantee, x.is_grantable
       ) AS g`,
  );
  return rows;
}
