import { type ClientBase, escapeIdentifier, escapeLiteral } from 'pg';
import type { Settings } from '../../settings/settings.js';
import { type Finding, failed, ok, sql, text, warning } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';
import { giveBackName, renamedRoles } from '../renamed-role.js';
import { list, quoted } from '../wording.js';

export const fragmentRole: DoctorCheck = {
  id: 'fragment-role',
  title: 'fragment role',
  needs: ['roles'],
  run: async ({ settings, work }) => {
    const { fragmentRole: role } = settings;
    return role === undefined
      ? withoutRole(settings)
      : ((await unfitRole(clientOf(work), settings, role)) ??
          (await deployedRole(clientOf(work), settings, role)));
  },
};

function withoutRole({ cron, work }: Settings): Finding {
  return warning(
    `none: fragments have all rights of role ${quoted(cron.user)}. One can end that role's sessions, those that ` +
      'watch its timeout among them, and read and lock what the processor works with',
    text(
      'administrator',
      'Give fragments a role that may read what they read, and nothing else:',
      `CREATE ROLE pcache_fragments NOLOGIN; GRANT pcache_fragments TO ${escapeIdentifier(work.user)};`,
      'Then set PG_FRAGMENT_ROLE=pcache_fragments, run pcache-migrate doctor to see what it needs, then pcache-migrate up.',
    ),
  );
}

interface Role {
  readonly powers: readonly string[];
  readonly dangerous: readonly string[];
  readonly members: readonly string[];
  readonly migrator_is_member: boolean;
}

// A function's owner may change what it does: so whoever has this role's rights could give fragments those of the
// cron role. From PostgreSQL 16 on, one who may only grant the role to others (ADMIN) has not.
const QUERY = `
  WITH privilege AS (
    SELECT CASE WHEN is_16 THEN 'USAGE, SET' ELSE 'MEMBER' END AS any_use,
           CASE WHEN is_16 THEN 'SET' ELSE 'MEMBER' END AS to_own
      FROM (SELECT current_setting('server_version_num')::integer >= 160000 AS is_16) AS version
  )
  SELECT array_remove(ARRAY[
           CASE WHEN rolcanlogin THEN 'LOGIN' END,
           CASE WHEN rolsuper THEN 'SUPERUSER' END,
           CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
           CASE WHEN rolreplication THEN 'REPLICATION' END,
           CASE WHEN rolbypassrls THEN 'BYPASSRLS' END], NULL) AS powers,
         ARRAY(SELECT other.rolname::text FROM pg_roles AS other
               WHERE other.oid <> role.oid AND NOT role.rolsuper
                 AND (other.rolsuper OR other.rolname = ANY ($2)
                      OR other.rolname ~ '^pg_' AND other.rolname NOT IN ('pg_read_all_data', 'pg_database_owner'))
                 AND pg_has_role(role.oid, other.oid, 'MEMBER')
               ORDER BY 1) AS dangerous,
         ARRAY(SELECT other.rolname::text FROM pg_roles AS other
               WHERE other.oid <> role.oid AND NOT other.rolsuper AND other.rolname <> $3
                 AND pg_has_role(other.oid, role.oid, any_use)
               ORDER BY 1) AS members,
         pg_has_role($3::name, role.oid, 'USAGE') AND pg_has_role($3::name, role.oid, to_own)
           AS migrator_is_member
    FROM pg_roles AS role, privilege
   WHERE rolname = $1`;

/** Undefined when nothing is wrong with the role itself. */
async function unfitRole(
  client: ClientBase,
  settings: Settings,
  name: string,
): Promise<Finding | undefined> {
  const { work, cron, client: app } = settings;
  const role = escapeIdentifier(name);
  const { rows } = await client.query<Role>(QUERY, [name, [cron.user, app.user], work.user]);
  const [found] = rows;
  if (found === undefined) {
    const now = (await renamedRoles(client, settings, [name])).get(name);
    if (now !== undefined) {
      return failed(
        `there is no role ${quoted(name)}: all that it had, role ${now} has; it was renamed`,
        text('administrator', `Give it back its name: ${giveBackName(now, name)}`),
      );
    }
    return failed(
      `there is no role ${quoted(name)}`,
      // Not as SQL to run: a misspelt name must not become a role.
      text(
        'administrator',
        `Correct PG_FRAGMENT_ROLE, or create the role: CREATE ROLE ${role} NOLOGIN; GRANT ${role} TO ${escapeIdentifier(work.user)};`,
      ),
    );
  }
  const faults = [
    ...found.powers.map((power) => ({
      is: `has ${power}`,
      cure: `ALTER ROLE ${role} NO${power};`,
    })),
    ...found.dangerous.map((other) => ({
      is: `is a member of ${quoted(other)}`,
      cure: `REVOKE ${escapeIdentifier(other)} FROM ${role};`,
    })),
    ...found.members.map((other) => ({
      is: `has the member ${quoted(other)}, who could change what fragments run as`,
      cure: `REVOKE ${role} FROM ${escapeIdentifier(other)};`,
    })),
  ];
  if (faults.length > 0) {
    return failed(
      `role ${quoted(name)} ${faults.map(({ is }) => is).join('; it ')}`,
      // Not for the administrator's account to run: the role may be somebody else's.
      text(
        'administrator',
        'Choose another PG_FRAGMENT_ROLE, or run, where a membership is direct:',
        ...faults.map(({ cure }) => cure),
      ),
    );
  }
  if (found.migrator_is_member) return undefined;
  return failed(
    `role ${quoted(work.user)} is no member of ${quoted(name)}, so it cannot give it the function that runs fragments`,
    sql('administrator', work.database, `GRANT ${role} TO ${escapeIdentifier(work.user)};`),
  );
}

/** Compares with the owner of the function that runs fragments. */
async function deployedRole(
  client: ClientBase,
  { schema, work }: Settings,
  role: string,
): Promise<Finding> {
  const { rows } = await client.query<{ owner: string; definer: boolean }>(
    `SELECT pg_get_userbyid(proowner)::text AS owner, prosecdef AS definer
       FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
      WHERE nspname = $1 AND proname = 'run_fragment'`,
    [schema],
  );
  const [found] = rows;
  if (found === undefined) return ok(`${quoted(role)}; nothing is deployed yet`);
  if (found.definer && found.owner === role) return ok(list([role]));
  const now = found.definer ? `of ${quoted(found.owner)}` : 'of whoever runs the processor';
  return warning(
    `fragments have the rights ${now}; pcache-migrate up gives them those of ${quoted(role)}`,
    sql(
      'migrator',
      work.database,
      `SELECT ${escapeIdentifier(schema)}.set_fragment_role(${escapeLiteral(role)});`,
    ),
  );
}
