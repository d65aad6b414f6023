import type { ClientBase } from 'pg';
import { withClient } from '../database/connect.js';
import { isServersRefusal } from '../database/database-error.js';
import { describeDatabaseError } from '../database/describe-database-error.js';
import { PcacheError } from '../errors/pcache-error.js';
import { pasteable, shown } from '../errors/shown.js';
import { lockingTransaction } from '../migrations/locking-transaction.js';
import { isTrusted } from '../migrations/trusted-owner.js';
import { asAdministrator, type Settings } from '../settings/settings.js';
import { ADOPT } from './adopt-remedy.js';
import { LIKE_OURS } from './definers-of-superusers.js';
import { lockPolicy } from './lock-policy.js';
import { deploymentTables } from './placeholder-values.js';

/** What is ours belongs to whoever restored it, and who runs this may not change that. */
export class OwnersLostError extends PcacheError {
  override readonly name = 'OwnersLostError';
  /** To be run in the work database as an administrator. */
  readonly lines: readonly string[];

  constructor({ work, schema }: Settings, lines: readonly string[], cause?: unknown) {
    const count = lines.length;
    super(
      `${count} ${count === 1 ? 'object' : 'objects'} of schema "${schema}" and of the clients' tables in database "${work.database}" ${count === 1 ? 'does' : 'do'} not belong to "${work.user}", as after a restore without owners` +
        `${cause === undefined ? '' : `; to change that failed: ${describeDatabaseError(cause)}`}. Nothing was changed.`,
      {
        remedy: `Set PG_ADMIN_USER and PG_ADMIN_PASSWORD, or have an administrator run this in database "${work.database}"; then run pcache-migrate adopt again:\n${lines.join('\n')}`,
        cause,
      },
    );
    this.lines = lines;
  }
}

/**
 * The statements that give what is ours back to the migrator: what the superuser or the owner of the database who
 * restored our schema has in it and of the clients' tables and functions. None where the migrator has it.
 */
export async function ownersToRestore(work: ClientBase, settings: Settings): Promise<string[]> {
  const { rows } = await work.query<{ line: string }>(
    `WITH ours AS (
       SELECT n.oid, n.nspowner AS owner FROM pg_catalog.pg_namespace AS n
         JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'deployment'
         JOIN pg_catalog.pg_attribute ON attrelid = c.oid AND attname = 'queue_prefix'
        WHERE n.nspname = $1 AND c.relowner = n.nspowner AND pg_catalog.pg_get_userbyid(n.nspowner) <> $2
          -- What another had made would run as the migrator then.
          AND ${isTrusted('n.nspowner')}
     )
     SELECT line FROM (
       SELECT 1 AS place, pg_catalog.format('ALTER SCHEMA %I OWNER TO %I;', $1::text, $2::text) AS line FROM ours
       UNION ALL
       SELECT 2, pg_catalog.format('ALTER %s %I.%I OWNER TO %I;',
                CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END,
                n.nspname, c.relname, $2::text)
         FROM ours
         JOIN pg_catalog.pg_class AS c ON c.relowner = ours.owner AND c.relkind IN ('r', 'v', 'S', 'c')
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE (c.relnamespace = ours.oid
               OR (n.nspname = $3 AND (c.relname = ANY ($4) OR pg_catalog.starts_with(c.relname, $5))))
          -- A serial column's goes with its table.
          AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
             WHERE d.objid = c.oid AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
               AND d.deptype IN ('a', 'i') AND c.relkind = 'S')
       UNION ALL
       SELECT 3, pg_catalog.format('ALTER ROUTINE %s OWNER TO %I;', p.oid::pg_catalog.regprocedure, $2::text)
         FROM ours
         JOIN pg_catalog.pg_proc AS p ON p.proowner = ours.owner
         JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
        WHERE p.pronamespace = ours.oid
           -- None of ours there is a definer's; a client's, so named, would run as the migrator. doctor and
           -- verify name it.
           OR (n.nspname = $3 AND NOT p.prosecdef AND (p.proname ~ $6 OR p.proname = 'array_intersect_agg'))
     ) AS lines ORDER BY place, line`,
    [
      settings.schema,
      settings.work.user,
      settings.clientSchema,
      Object.values(deploymentTables(settings)),
      `${settings.tablePrefix}_cache_`,
      LIKE_OURS,
    ],
  );
  return rows.map(({ line }) => pasteable(line));
}

/** What is ours belongs to whoever restored it, so that the migrator can read nothing of it. */
export interface LostOwners {
  readonly what: string;
  readonly remedy: string;
}

/** Undefined where the migrator has what is its own, or the rights of the owner. */
export async function findLostOwners(
  work: ClientBase,
  settings: Settings,
): Promise<LostOwners | undefined> {
  const { rows } = await work.query<{ owner: string; is_superuser: boolean }>(
    `SELECT rolname::text AS owner, rolsuper AS is_superuser
       FROM pg_catalog.pg_namespace JOIN pg_catalog.pg_roles ON pg_roles.oid = nspowner
      WHERE nspname = $1 AND NOT pg_catalog.pg_has_role($2::pg_catalog.name, nspowner, 'USAGE')`,
    [settings.schema, settings.work.user],
  );
  const [found] = rows;
  // Every command asks, and the line before answers most of them.
  if (found === undefined || (await ownersToRestore(work, settings)).length === 0) return undefined;
  const { database, user } = settings.work;
  const owner = shown(found.owner);
  return {
    what: `schema "${settings.schema}" in database "${database}" belongs to role "${owner}" and not to "${user}", as after a restore without owners`,
    // What a superuser owns, a superuser restored.
    remedy: found.is_superuser
      ? ADOPT
      : `${ADOPT} If it was not restored, and role "${owner}" deploys there: connect as that one.`,
  };
}

export class LostOwnersError extends PcacheError {
  override readonly name = 'LostOwnersError';

  constructor({ what, remedy }: LostOwners, cause?: unknown) {
    super(`Nothing was changed: ${what}.`, { remedy, cause });
  }
}

/** Raises LostOwnersError. */
export async function requireOwners(
  work: ClientBase,
  settings: Settings,
  cause?: unknown,
): Promise<void> {
  const lost = await findLostOwners(work, settings);
  if (lost !== undefined) throw new LostOwnersError(lost, cause);
}

/** Runs them in one transaction, as the administrator if the settings name one. Raises OwnersLostError if it may not. */
export async function restoreOwners(
  work: ClientBase,
  settings: Settings,
  lines: readonly string[],
  log: (message: string) => void,
): Promise<void> {
  const { admin } = settings;
  const run = (client: ClientBase) =>
    lockingTransaction(client, lockPolicy(log), async () => {
      for (const line of lines) await client.query(line);
    });
  try {
    await (admin === undefined
      ? run(work)
      : withClient(asAdministrator(settings.work, admin), run));
  } catch (error) {
    if (!isServersRefusal(error)) throw error;
    throw new OwnersLostError(settings, lines, error);
  }
}
