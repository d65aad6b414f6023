import type { ClientBase } from 'pg';
import { pasteable, shown } from '../errors/shown.js';
import type { Settings } from '../settings/settings.js';

/** The names of what the clients' contract has, and of what may pass for it. */
export const LIKE_OURS = '^(partitioncache_|non_blocking_)';

/**
 * Named like ours in the clients' schema, and whoever may call it acts as a superuser. None of ours there is a
 * definer's. A restore without owners by a superuser makes that of what a client had made.
 */
export interface DefinerOfSuperuser {
  readonly kind: 'function' | 'procedure';
  readonly signature: string;
  readonly owner: string;
  /** In words. */
  readonly meaning: string;
  /** One or the other, to be run as its owner or as another superuser. */
  readonly lines: readonly [string, string];
}

interface Row {
  kind: 'function' | 'procedure';
  signature: string;
  owner: string;
  callers: string[];
}

/** Not those that superusers alone may call, and those of extensions. */
export async function definersOfSuperusers(
  work: ClientBase,
  { clientSchema }: Settings,
): Promise<DefinerOfSuperuser[]> {
  const { rows } = await work.query<Row>(
    `SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END AS kind,
            p.oid::pg_catalog.regprocedure::text AS signature, owner.rolname::text AS owner,
            may.callers
       FROM pg_catalog.pg_proc AS p
       JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
       JOIN pg_catalog.pg_roles AS owner ON owner.oid = p.proowner
       CROSS JOIN LATERAL (
         SELECT pg_catalog.array_agg(DISTINCT coalesce(grantee.rolname, 'PUBLIC')::text) AS callers
           FROM pg_catalog.aclexplode(
                  coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) AS acl
           LEFT JOIN pg_catalog.pg_roles AS grantee ON grantee.oid = acl.grantee
          WHERE acl.privilege_type = 'EXECUTE' AND (acl.grantee = 0 OR NOT grantee.rolsuper)
       ) AS may
      WHERE n.nspname = $1 AND p.proname ~ $2 AND p.prosecdef AND owner.rolsuper
        AND may.callers IS NOT NULL
        AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_depend AS d
           WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid
             AND d.deptype = 'e')
      ORDER BY signature`,
    [clientSchema, LIKE_OURS],
  );
  return rows.map(described);
}

function described({ kind, signature, owner, callers }: Row): DefinerOfSuperuser {
  const who = callers.includes('PUBLIC')
    ? 'Everybody'
    : `Whoever has the rights of ${callers.map((role) => `role "${shown(role)}"`).join(' or ')}`;
  const name = `${kind.toUpperCase()} ${signature}`;
  return {
    kind,
    signature,
    owner,
    meaning: `${who} may call it, and acts as the superuser "${shown(owner)}" in it (SECURITY DEFINER). No release made it so; after a restore without owners, what a client had made belongs to who restored.`,
    lines: [pasteable(`ALTER ${name} SECURITY INVOKER;`), pasteable(`DROP ${name};`)],
  };
}
