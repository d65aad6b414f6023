import type { ClientBase } from 'pg';
import { deploymentTables } from '../deployment/placeholder-values.js';
import type { Settings } from '../settings/settings.js';
import type { ForeignFunction } from './foreign-setup.js';

/**
 * Functions of these names, those that triggers of these tables call, and those that aggregates of these names call, if
 * they are of the tool's making. `role` is who is to drop them, by default who is connected.
 */
export async function readForeignFunctions(
  client: ClientBase,
  schema: string,
  role: string | null,
  names: readonly string[],
  tables: readonly string[],
): Promise<ForeignFunction[]> {
  const { rows } = await client.query<{
    signature: string;
    kind: ForeignFunction['kind'];
    owner: string;
    is_ours: boolean;
    dependents: string[];
  }>(
    `WITH own_tables AS (
       SELECT c.oid, c.relowner FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = ANY ($4)
     ),
     named AS (
       SELECT p.* FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
        WHERE n.nspname = $1
          AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid
                             AND deptype = 'e')
     ),
     found AS (
       SELECT * FROM named
        WHERE proname = ANY ($3)
           OR (proname ~ '^(partitioncache|non_blocking|notify|trg)_' AND (
                -- Whoever may hang a trigger on one of the tables can name any function: those of other roles, or
                -- that other tables use, are none of the set-up's.
                oid IN (SELECT tgfoid FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM own_tables))
                AND proowner IN (SELECT relowner FROM own_tables)
                AND NOT EXISTS (SELECT FROM pg_trigger
                                 WHERE tgfoid = named.oid AND tgrelid NOT IN (SELECT oid FROM own_tables))
                OR oid IN (SELECT unnest(ARRAY[aggtransfn, aggfinalfn, aggcombinefn]::oid[])
                             FROM pg_aggregate JOIN named AS aggregate ON aggregate.oid = aggfnoid
                            WHERE aggregate.proname = ANY ($3))))
     )
     SELECT oid::regprocedure::text AS signature, pg_get_userbyid(proowner)::text AS owner,
            CASE prokind WHEN 'a' THEN 'AGGREGATE' WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind,
            pg_has_role(coalesce($2::name, current_user), proowner, 'USAGE') AS is_ours,
            ARRAY(SELECT DISTINCT coalesce(w.ev_class::regclass::text,
                                           pg_describe_object(d.classid, d.objid, d.objsubid))
                    FROM pg_depend AS d
                    LEFT JOIN pg_rewrite AS w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
                    LEFT JOIN pg_trigger AS t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
                    LEFT JOIN pg_attrdef AS v ON d.classid = 'pg_attrdef'::regclass AND v.oid = d.objid
                    LEFT JOIN pg_constraint AS k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
                   WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = found.oid AND d.deptype = 'n'
                     AND NOT (d.classid = 'pg_proc'::regclass AND d.objid IN (SELECT oid FROM found))
                     AND coalesce(t.tgrelid, v.adrelid, k.conrelid, 0) NOT IN (SELECT oid FROM own_tables)
                   ORDER BY 1) AS dependents
       FROM found
      ORDER BY prokind = 'a' DESC, 1`,
    [schema, role, names, tables],
  );
  return rows.map(({ is_ours, ...row }) => ({
    ...row,
    isOurs: is_ours,
  }));
}

/** Functions with the tool's name that are not among these. */
export async function readUnknownFunctions(
  client: ClientBase,
  { clientSchema }: Settings,
  known: readonly ForeignFunction[],
): Promise<string[]> {
  const { rows } = await client.query<{ signature: string }>(
    `SELECT p.oid::regprocedure::text AS signature
       FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
      WHERE n.nspname = $1 AND starts_with(p.proname, 'partitioncache_')
        AND p.oid::regprocedure::text <> ALL ($2)
      ORDER BY 1`,
    [clientSchema, known.map(({ signature }) => signature)],
  );
  return rows.map(({ signature }) => signature);
}

/** The configuration tables of the tool's other set-ups in this schema. */
export async function readNeighbours(client: ClientBase, settings: Settings): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname::text AS name
       FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relkind = 'r' AND c.relname LIKE '%\\_processor\\_config' AND c.relname <> $2
        -- Those that pcache-migrate deployed carry its triggers.
        AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND tgname = 'pcache_validate')
      ORDER BY 1`,
    [settings.clientSchema, deploymentTables(settings).processorConfig],
  );
  return rows.map(({ name }) => name);
}
